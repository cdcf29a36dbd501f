"""Cheats 10 and 11: who re-examines, and what an auditor looks at, must be nobody's choice.

The list, or the query, is in the log first; the first witnessed checkpoint after it draws. Without
witnessed checkpoints whose quorum is met nothing is said here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from ledger.canonical import dumps
from ledger.domain.auditing import QUERIED
from ledger.domain.days import days_between
from ledger.domain.draw import drawn
from ledger.domain.duty import reexaminers
from ledger.domain.way import case_of
from ledger.verify.checks.finding import Check, Finding, Moment, finding

PEOPLE = 2
"""So many re-examine an appealed entry."""
ASKED_DAYS = 30
"""The same query again within so many days is another try."""

FirstOver = Callable[[int], tuple[int, bytes] | None]
"""Gives size and root of the first witnessed checkpoint that covers an index, None without one."""


def never_witnessed(index: int) -> None:
    """Tell of no witnessed checkpoint: nothing is said of draws."""
    del index


class _Filed(NamedTuple):
    index: int  # type: ignore[assignment]  # hides tuple.index
    pool: tuple[str, ...]


class Panels(Check):
    """Cheat 10: others re-examine than those whom the first witnessed checkpoint draws.

    For a dispute the list is in `dispute.appealed`, and append has those who were drawn sign. For
    an entry it is everyone of the unit above without part in it when the appeal is recorded, which
    the log gives again; two of them, if there are more, are drawn for the entry's id.
    """

    def __init__(self, first_over: FirstOver = never_witnessed) -> None:
        self._first_over = first_over
        self._filed: dict[str, _Filed] = {}

    def see(self, moment: Moment) -> Iterable[Finding]:
        """Note the list at an appeal; hold the draw, or who signed, against it."""
        body, index, stream = (
            moment.event.proposal.body,
            moment.event.index,
            moment.event.proposal.stream,
        )
        if moment.type == "dispute.appealed":
            self._filed[stream] = _Filed(index, tuple(body["pool"]))
        elif moment.type == "points.appealed" and moment.after is not None:
            case = case_of(moment.world, moment.member, moment.after, moment.today)
            self._filed[moment.after.id] = _Filed(index, tuple(sorted(reexaminers(case))))
        elif moment.type == "dispute.drawn":
            yield from self._drawn(moment, self._filed.get(stream))
        elif moment.type == "points.reexamined" and moment.after is not None:
            yield from self._reexamined(moment, moment.after.id)

    def panel(self, ident: str) -> tuple[int, tuple[str, ...], tuple[str, ...]] | None:
        """Return who is drawn for an appeal that is not decided yet, by its entry's id.

        That is the size that draws, the list, and the people; None without an open appeal, or
        while no witnessed checkpoint covers it.
        """
        filed = self._filed.get(ident)
        first = self._first_over(filed.index) if filed is not None else None
        if filed is None or first is None:
            return None
        return first[0], filed.pool, drawn(first[1], ident, filed.pool, PEOPLE)

    def _drawn(self, moment: Moment, filed: _Filed | None) -> Iterable[Finding]:
        first = self._first_over(filed.index) if filed is not None else None
        body = moment.event.proposal.body
        if filed is None or first is None or (body["size"], body["root"]) == _named(first):
            return
        right = drawn(first[1], moment.member, filed.pool, len(body["chosen"]))
        reason = (
            f"drawn by the checkpoint of size {body['size']}; the first witnessed one after the "
            f"appeal is of {first[0]}, which draws {', '.join(right)}"
        )
        people = (*body["chosen"], *moment.signed)
        yield finding(10, moment.event.index, people, reason, (filed.index,))

    def _reexamined(self, moment: Moment, entry: str) -> Iterable[Finding]:
        filed = self._filed.pop(entry, None)
        first = self._first_over(filed.index) if filed is not None else None
        if filed is None or first is None or len(filed.pool) <= PEOPLE:
            return
        right = drawn(first[1], entry, filed.pool, PEOPLE)
        early = first[0] > moment.event.index
        if set(right) == set(moment.signed) and not early:
            return
        when = " and before anybody outside had seen the appeal" if early else ""
        reason = (
            f"{', '.join(moment.signed)} re-examined{when}; of {len(filed.pool)} who could, the "
            f"first witnessed checkpoint after the appeal, of size {first[0]}, draws "
            f"{', '.join(right)}"
        )
        people = (moment.member, *moment.signed)
        yield finding(10, moment.event.index, people, reason, (filed.index,))


def _named(first: tuple[int, bytes]) -> tuple[int, str]:
    return first[0], first[1].hex()


class Queries(Check):
    """Cheat 11: one auditor records the same query again: was the first sample not the wanted one?

    That a sample follows from the query's own seed is for `mingzhang audit verify-sample`.
    """

    def __init__(self) -> None:
        self._asked: dict[tuple[str, str, bytes], tuple[str, int]] = {}

    def see(self, moment: Moment) -> Iterable[Finding]:
        """Compare each query with the same one before."""
        if moment.type != QUERIED:
            return
        proposal, index = moment.event.proposal, moment.event.index
        query = dumps({n: proposal.body[n] for n in ("query", "weighting")})
        key = (proposal.actor, proposal.stream, query)
        before = self._asked.get(key)
        self._asked[key] = moment.today, index
        if before is not None and days_between(before[0], moment.today) < ASKED_DAYS:
            reason = (
                f"{proposal.actor} recorded the same query on {before[0]} already: two seeds, and "
                "a choice between two samples. Ask for both working papers"
            )
            yield finding(11, index, (proposal.actor,), reason, (before[1],))
