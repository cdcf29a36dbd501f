"""Cheats 12 and 22: when a period is sealed, and the sheets of its democratic review."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from statistics import median
from typing import Any

from ledger.domain.closing import seal_until
from ledger.domain.period import CLOSED
from ledger.rules.lint import points
from ledger.verify.checks.finding import Check, Finding, Moment, finding

OUTLIER = 3000
"""Hundredths: a sheet so far from the median of all is an outlier."""


class Seals(Check):
    """Cheat 12: a seal of another size than that of the closing, or a late one."""

    def __init__(self) -> None:
        self._closed: dict[str, int] = {}

    def see(self, moment: Moment) -> Iterable[Finding]:
        """Hold each seal against the closing of objections."""
        index = moment.event.index
        if moment.type == "period.closed":
            self._closed[moment.member] = index
        if moment.type != "period.sealed":
            return
        closed = self._closed.get(moment.member)
        as_of = moment.event.proposal.body["as_of"]
        if closed is None or as_of != closed + 1:
            wanted = "never closed" if closed is None else f"closed at size {closed + 1}"
            reason = f"{moment.member} is sealed as of size {as_of}, objections were {wanted}"
            yield finding(12, index, moment.signed, reason)
        period = moment.world.periods.get(moment.member)
        if period is not None and CLOSED in period.steps:
            latest = seal_until(moment.world, period)
            if moment.today > latest:
                reason = f"{moment.member} is sealed on {moment.today}, after {latest}"
                yield finding(12, index, moment.signed, reason)


class Sheets(Check):
    """Cheat 22: more or fewer sheets than voters, receipts used twice, outliers and blocks.

    Whether a sheet was filled in by its voter is seen with the voters' receipts alone.
    """

    def __init__(self) -> None:
        self._receipts: dict[str, dict[str, int]] = defaultdict(dict)

    def see(self, moment: Moment) -> Iterable[Finding]:
        """Look at the sheets for one member."""
        if moment.type != "review.recorded":
            return
        body, index = moment.event.proposal.body, moment.event.index
        period, member = moment.world.periods.get(moment.member), body["member"]
        sheets: list[dict[str, Any]] = body["sheets"]
        people = (member, *moment.signed)
        present = len(period.review.present) if period is not None and period.review else 0
        if len(sheets) != present:
            reason = f"{len(sheets)} sheets for {member}, {present} voters were present"
            yield finding(22, index, people, reason)
        seen = self._receipts[moment.member]
        twice = sorted({seen[each["receipt"]] for each in sheets if each["receipt"] in seen})
        if twice:
            reason = f"sheets for {member} carry receipts that other sheets carry"
            yield finding(22, index, people, reason, twice)
        seen.update((each["receipt"], index) for each in sheets)
        for reason in _odd([each["score"] for each in sheets if "score" in each]):
            yield finding(22, index, people, f"of the sheets for {member} {reason}")


def _odd(scores: list[int]) -> Iterator[str]:
    """Say which scores lie far from the middle, and which of them stand as a block."""
    if not scores:
        return
    middle = int(median(scores))
    far = Counter(each for each in scores if abs(each - middle) >= OUTLIER)
    if far:
        said = ", ".join(
            f"{count} × {points(score)}" if count > 1 else points(score)
            for score, count in sorted(far.items())
        )
        kind = "a block lies" if max(far.values()) > 1 else "outliers lie"
        yield f"{kind} {points(OUTLIER)} or more from the median {points(middle)}: {said}"
