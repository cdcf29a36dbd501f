"""Cheats 7, 9 and 24: who waits, how long a notice stood, and approvals without a look."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Iterable
from datetime import datetime
from statistics import median

from ledger.domain.account import PUBLISHED, PointsEntry
from ledger.domain.days import days_between
from ledger.domain.deadlines import working_end
from ledger.domain.policy import figure
from ledger.entry import parse_instant
from ledger.verify.checks.finding import Check, Ending, Finding, Moment, finding

PAIR_STEPS_MIN, OTHER_STEPS_MIN = 3, 5
"""So many steps of a scorer for one member, and for others, before their waits are compared."""
SLOWER_DAYS, SLOWER_TIMES = 5.0, 3.0
"""A member waits for a scorer by so much more, and so many times as long, as others do."""
STAMP_SECONDS, STAMP_RUN = 10.0, 5
"""So many reviews in a row, each within so many seconds of the last, are no look at evidence."""
DISOWNED_DAYS = 30
CLOCK_SECONDS_MAX = 600.0
"""So far the log's clock may be ahead of a witness's."""
_LATEST = "9999"
_STEPS = frozenset({"points.checked", "points.reviewed", "points.published", "points.returned"})

Seen = Callable[[int], str | None]
"""Gives the instant at which people outside had seen an entry's index, None where none had."""


def never_seen(index: int) -> None:
    """Tell of no cosignature: publicity is then measured from its recording (B21)."""
    del index


class SlowSteps(Check):
    """Cheat 7: a scorer sits on one member's entries, or nobody takes up an entry at all.

    A wait runs from the opening of the step's term to the signature that ends it.
    """

    def __init__(self) -> None:
        self._waits: dict[str, dict[str, list[tuple[float, int]]]] = defaultdict(
            lambda: defaultdict(list)
        )

    def see(self, moment: Moment) -> Iterable[Finding]:
        """Note how long each step took, by scorer and member."""
        before, after = moment.before, moment.after
        if before is None or after is None:
            return
        index = moment.event.index
        if moment.type in _STEPS:
            waited = _at(moment.event.recorded_at) - _at(before.opened_at)
            for actor in moment.signed:
                days = waited.total_seconds() / 86_400
                self._waits[actor][moment.member].append((days, index))
        elif moment.type == "points.lapsed" and after.lapses >= 2:
            reason = (
                f"the entry of {moment.member} stood as {after.state} for two terms that lapsed: "
                "nobody took it up"
            )
            yield finding(7, index, (moment.member,), reason)

    def finish(self, ending: Ending) -> Iterable[Finding]:
        """Compare each member's waits for a scorer with those of all others."""
        del ending
        for actor, waits in sorted(self._waits.items()):
            for member, mine in sorted(waits.items()):
                others = [days for name, own in waits.items() if name != member for days, _ in own]
                if len(mine) < PAIR_STEPS_MIN or len(others) < OTHER_STEPS_MIN:
                    continue
                here, there = median(days for days, _ in mine), median(others)
                if here - there >= SLOWER_DAYS and here >= SLOWER_TIMES * there:
                    reason = (
                        f"{actor} took {here:.1f} days for {member} (median of {len(mine)} steps), "
                        f"{there:.1f} for others ({len(others)} steps)"
                    )
                    indexes = [index for _, index in mine]
                    yield finding(7, indexes[-1], (actor, member), reason, indexes)


class ShortNotices(Check):
    """Cheat 9: publicity that was over before its working days had passed.

    It is measured from the time at which people outside had seen the opening, if `seen` knows one,
    and else from its recording, to the time at which they had seen the lapse, if that is earlier
    than its recording; the calendar is that of the log (A34).
    """

    def __init__(self, seen: Seen = never_seen) -> None:
        self._seen = seen
        self._opened: dict[str, int] = {}

    def see(self, moment: Moment) -> Iterable[Finding]:
        """Note where publicity opens, and measure it where it ends by its lapse."""
        before, after, index = moment.before, moment.after, moment.event.index
        if after is None:
            return
        if after.state == PUBLISHED:
            if before is None or before.state != PUBLISHED:
                self._opened[after.id] = index
            return
        opened = self._opened.pop(after.id, None)
        if opened is None or before is None or moment.type != "points.lapsed":
            return
        seen = self._seen(opened)
        if seen is None and self._seen is not never_seen:
            reason = (
                f"nobody outside had seen the notice on {moment.member} when it was over: no "
                "cosignature or timestamp that holds covers its opening"
            )
            yield finding(9, index, (moment.member,), reason, (opened,))
        begun = seen or before.opened_at
        over = moment.world.today(min(moment.event.recorded_at, self._seen(index) or _LATEST))
        days = self._days(moment, before)
        if not days:
            return
        last = working_end(moment.world, begun, moment.world.today(begun), days)
        if over <= last:
            reason = (
                f"the notice on {moment.member} could be seen from {begun[:19]}Z and was over on "
                f"{over}: {days} working days ran until {last}"
            )
            yield finding(9, index, (moment.member,), reason, (opened,))

    @staticmethod
    def _days(moment: Moment, entry: PointsEntry) -> int:
        if entry.rest is not None:
            return entry.rest
        return figure(moment.world, entry, "publicity_working_days")


class ShiftedClock(Check):
    """Cheat 9: entries recorded later, by the log's clock, than people outside had seen them.

    Only a clock that ran ahead gives that; one that lags shows where publicity is measured. `wrong`
    is evidence that does not hold, as (index, reason): made up, or under another history.
    """

    def __init__(self, seen: Seen = never_seen, wrong: Iterable[tuple[int, str]] = ()) -> None:
        self._seen = seen
        self._wrong = tuple(wrong)
        self._ahead: dict[str, list[tuple[int, str]]] = defaultdict(list)

    def see(self, moment: Moment) -> Iterable[Finding]:
        """Compare the entry's instant with that of its first sighting."""
        at, index = moment.event.recorded_at, moment.event.index
        seen = self._seen(index)
        if seen is not None and (_at(at) - _at(seen)).total_seconds() > CLOCK_SECONDS_MAX:
            self._ahead[seen].append((index, at))
        return ()

    def finish(self, ending: Ending) -> Iterable[Finding]:
        """Report each sighting that came before what it saw, and what does not hold."""
        del ending
        for seen, found in sorted(self._ahead.items()):
            index, at = found[-1]
            reason = (
                f"recorded at {at[:19]}Z, and seen outside at {seen[:19]}Z already: the log's "
                "clock ran ahead"
            )
            yield finding(9, index, (), reason, (each for each, _ in found))
        for index, reason in self._wrong:
            yield finding(9, index, (), reason)


class Disowned(Check):
    """Cheat 24: what was signed with a key shortly before it was called compromised."""

    def __init__(self) -> None:
        self._signed: dict[str, deque[tuple[str, int]]] = defaultdict(deque)

    def see(self, moment: Moment) -> Iterable[Finding]:
        """Keep each key's last 30 days, and list them where it is revoked as compromised."""
        proposal, index = moment.event.proposal, moment.event.index
        if moment.type == "key.revoked" and proposal.body["cause"] == "compromised":
            signed = self._signed.get(proposal.body["keyid"], ())
            recent = [at for day, at in signed if _within(day, moment.today)]
            if recent:
                reason = (
                    f"a key of {moment.member} is called compromised; it signed {len(recent)} "
                    f"entries in the {DISOWNED_DAYS} days before"
                )
                yield finding(24, index, (moment.member,), reason, recent)
            return
        for ident in proposal.keyids:
            kept = self._signed[ident]
            while kept and not _within(kept[0][0], moment.today):
                kept.popleft()
            kept.append((moment.today, index))


def _within(day: str, today: str) -> bool:
    return days_between(day, today) <= DISOWNED_DAYS


class Stamping(Check):
    """Cheat 24: reviews signed one after the other within seconds."""

    def __init__(self) -> None:
        self._runs: dict[str, list[tuple[str, int, str]]] = defaultdict(list)

    def see(self, moment: Moment) -> Iterable[Finding]:
        """Follow each reviewer's run."""
        if moment.type != "points.reviewed":
            return
        at = moment.event.recorded_at
        for actor in moment.signed:
            run = self._runs[actor]
            if run and (_at(at) - _at(run[-1][0])).total_seconds() > STAMP_SECONDS:
                yield from _stamped(actor, run)
                run.clear()
            run.append((at, moment.event.index, moment.member))

    def finish(self, ending: Ending) -> Iterable[Finding]:
        """Report the runs that the log ends in."""
        del ending
        for actor, run in sorted(self._runs.items()):
            yield from _stamped(actor, run)


def _stamped(actor: str, run: list[tuple[str, int, str]]) -> Iterable[Finding]:
    if len(run) >= STAMP_RUN:
        seconds = (_at(run[-1][0]) - _at(run[0][0])).total_seconds()
        indexes = [index for _, index, _ in run]
        reason = f"{actor} signed {len(run)} reviews within {seconds:.0f} seconds"
        people = (actor, *(member for _, _, member in run))
        yield finding(24, indexes[-1], people, reason, indexes)


def _at(instant: str) -> datetime:
    return parse_instant(instant, micros=True)
