"""All questions of a run together, since each one asked makes a flag by chance more likely."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from projections.fairness.acts import Act
from projections.fairness.branches import low_scorers, rotation, same_act
from projections.fairness.flags import Answer, answer
from projections.fairness.scorers import favour, reciprocal
from projections.fairness.timing import burst, evidence, late


def analyse(acts: Sequence[Act], digests: Mapping[str, str]) -> Answer:
    """Return what people should look at in these acts; `digests` as in `timing.evidence`."""
    return answer(
        [
            *favour(acts),
            *same_act(acts),
            *rotation(acts),
            *late(acts),
            *burst(acts),
            *evidence(acts, digests),
            *reciprocal(acts),
            *low_scorers(acts),
        ]
    )
