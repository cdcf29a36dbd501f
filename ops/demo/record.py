"""Records the demo's year through the real ledger, group by group, under the set clock."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from ledger.store.ledger import Ledger
from ledger.store.queue import raised
from ops.demo.clock import SetClock
from ops.demo.sign import Planned

Told = Callable[[int, int], None]
"""Is told how many statements of how many are recorded."""


@dataclass(slots=True)
class Recorded:
    """What the ledger answered: receipts by statement id, and statements by type."""

    receipts: dict[str, bytes] = field(default_factory=dict)
    types: Counter[str] = field(default_factory=Counter)
    batches: int = 0


def record(ledger: Ledger, clock: SetClock, statements: Sequence[Planned], told: Told) -> Recorded:
    """Record `statements` in order and keep every receipt.

    Raises MingzhangError for the first statement that the ledger refuses: the plan keeps its rules.
    """
    done = Recorded()
    for group in _groups(statements):
        clock.move_to(group[-1].when)
        outcomes = ledger.append_batch([each.envelope for each in group])
        for each, outcome in zip(group, outcomes, strict=True):
            done.receipts[each.id] = raised(outcome)
            done.types[each.type] += 1
        done.batches += 1
        told(len(done.receipts), len(statements))
    return done


def _groups(statements: Sequence[Planned]) -> Iterator[list[Planned]]:
    """Yield what is handed in together: an hour's statements, recorded at its last instant."""
    for _, group in groupby(statements, key=lambda each: each.when.replace(minute=0, second=0)):
        yield list(group)
