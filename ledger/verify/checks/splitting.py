"""Cheats 1, 2 and 3: what is cut into pieces, or dated, so that a limit does not hold for it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from ledger.domain.account import CLAIM, CLAIM_STEP, DIRECT, ENDED, UPPER, PointsEntry
from ledger.domain.days import days_between
from ledger.domain.eligibility import Case, acting
from ledger.domain.points import worth_now
from ledger.domain.policy import DUAL_DAYS, DUAL_SUM, version_of
from ledger.domain.way import case_of
from ledger.domain.world import World
from ledger.rules.book import Book
from ledger.rules.lint import points
from ledger.rules.period import following
from ledger.verify.checks.finding import Check, Ending, Finding, Moment, finding

EDGE_DAYS = 2
"""Acts of so many days before or after an edge lie at it."""
AROUND_DAYS = 15
"""Acts of so many days on either side of an edge are those it is compared with."""
AROUND_MIN = 8
"""Fewer acts around an edge say nothing."""
SAME_DAY_MIN = 3
"""From so many entries on, one item on one day for one member is looked at."""
HOURS_A_DAY_MAX = 1600
"""Hundredths: 16 hours of work in one day are more than a person has."""


class _Proposed(NamedTuple):
    day: str
    id: str


class SmallEntries(Check):
    """Cheat 1: one proposer's entries for a member pass 10 points in 30 days, undoubled.

    A claim's check names the review by the sum of that day (`way.route`), and is refused else. What
    is left to see: figures of range items that reviewers set later, and the short path.
    """

    def __init__(self) -> None:
        self._proposed: dict[tuple[str, str], list[_Proposed]] = defaultdict(list)
        self._by: dict[str, str] = {}
        self._passed: dict[tuple[str, str], list[tuple[int, int]]] = defaultdict(list)

    def see(self, moment: Moment) -> Iterable[Finding]:
        """Note who proposed what, and sum up when an entry becomes final."""
        event, entry = moment.event, moment.after
        if entry is None or entry.origin not in (CLAIM, DIRECT):
            return ()
        if moment.before is None:
            actor = event.proposal.actor
            self._by[entry.id] = actor
            recent = self._proposed[moment.member, actor]
            while recent and days_between(recent[0].day, moment.today) > 4 * DUAL_DAYS:
                recent.pop(0)
            recent.append(_Proposed(moment.today, entry.id))
        if moment.became_final is not None:
            self._sum(moment, entry)
        if entry.state in ENDED or moment.became_final is not None:
            self._by.pop(entry.id, None)
        return ()

    def finish(self, ending: Ending) -> Iterable[Finding]:
        """Report each proposer and member whose sums passed, at the first entry that did."""
        del ending
        for (member, actor), passed in sorted(self._passed.items()):
            reason = (
                f"{actor} proposed up to {points(max(total for total, _ in passed))} points for "
                f"{member} in {DUAL_DAYS} days; nobody of the unit above reviewed the "
                f"{len(passed)} entries that pass {points(DUAL_SUM)}"
            )
            indexes = [index for _, index in passed]
            yield finding(1, indexes[0], (actor, member), reason, indexes)

    def _sum(self, moment: Moment, entry: PointsEntry) -> None:
        actor = self._by.get(entry.id, "")
        account = moment.world.accounts.get(moment.event.proposal.stream)
        claimed_on = moment.world.today(entry.claimed_at)
        total = 0
        for each in self._proposed[moment.member, actor]:
            other = account.entries.get(each.id) if account is not None else None
            near = 0 <= days_between(each.day, claimed_on) < DUAL_DAYS
            if near and other is not None and other.state not in ENDED:
                total += abs(worth_now(moment.world, other))
            if each.id == entry.id:
                break
        if total > DUAL_SUM and not _doubled(moment, entry):
            self._passed[moment.member, actor].append((total, moment.event.index))


def _doubled(moment: Moment, entry: PointsEntry) -> bool:
    """Tell whether one of the unit above signed."""
    if entry.origin == CLAIM:
        return bool(entry.in_round(UPPER))
    unit = case_of(moment.world, moment.member, entry, moment.today).unit
    case = Case(moment.world, moment.member, unit, moment.today)
    return any(case.upper(actor, "") is None for actor in moment.signed)


class _Act(NamedTuple):
    day: str
    index: int  # type: ignore[assignment]  # hides tuple.index
    member: str


class EdgeDates(Check):
    """Cheat 2: acts crowd at the edge of a version or a quarter.

    A date that is bound to an activity or to months covered is nobody's choice and is left out; so
    is an edge at which the other proposers' acts crowd too, for that is the rulebook's own rhythm.
    """

    def __init__(self) -> None:
        self._acts: dict[tuple[str, str], list[_Act]] = defaultdict(list)

    def see(self, moment: Moment) -> Iterable[Finding]:
        """Note the dates of what counts, by proposer and rulebook."""
        entry = moment.became_final
        if entry is not None and entry.activity is None and not entry.covers and entry.item:
            actor = acting(moment.world, entry.keys_of(CLAIM_STEP))[0]
            if entry.origin == DIRECT:
                actor = moment.event.proposal.actor
            act = _Act(entry.act_date, moment.event.index, moment.member)
            self._acts[actor, entry.rulebook].append(act)
        return ()

    def finish(self, ending: Ending) -> Iterable[Finding]:
        """Look at each edge with enough acts around it."""
        for (actor, rulebook), acts in sorted(self._acts.items()):
            known = ending.world.rulebooks.get(rulebook)
            if known is None or known.book is None:
                continue
            others = [
                act
                for (name, other), theirs in self._acts.items()
                if other == rulebook and name != actor
                for act in theirs
            ]
            for edge, what in sorted(_edges(known.book, acts).items()):
                yield from _at_edge(actor, edge, what, acts, others)


def _edges(book: Book, acts: Iterable[_Act]) -> dict[str, str]:
    edges = {}
    for act in acts:
        place = book.periods.place(act.day)
        for number in (place.quarter, place.quarter + 1):
            day = (
                place.period.first
                if number == 1
                else following(book.periods.quarter_end(place.period, number - 1))
            )
            edges[day] = "a quarter"
    # The first version has no edge: nothing was priced before it.
    return edges | dict.fromkeys(book.boundaries()[1:], "a version")


def _at_edge(
    actor: str, edge: str, what: str, acts: Iterable[_Act], others: Iterable[_Act]
) -> Iterator[Finding]:
    mine, theirs = _around(edge, acts), _around(edge, others)
    if len(mine) < AROUND_MIN:
        return
    for side, first, last in (("before", -EDGE_DAYS, -1), ("after", 0, EDGE_DAYS - 1)):
        near = [act for off, act in mine if first <= off <= last]
        usual = sum(first <= off <= last for off, _ in theirs)
        if 2 * len(near) <= len(mine):
            continue
        # Others crowd there at least half as much: the rulebook's rhythm, or too few to tell.
        if len(theirs) >= AROUND_MIN and 2 * usual * len(mine) >= len(near) * len(theirs):
            continue
        reason = (
            f"{len(near)} of the {len(mine)} acts that {actor} proposed around {edge} lie in the "
            f"{EDGE_DAYS} days {side} it, where {what} begins; of others' {usual} of {len(theirs)}"
        )
        people = (actor, *(act.member for act in near))
        indexes = [act.index for act in near]
        yield finding(2, max(indexes), people, reason, indexes)


def _around(edge: str, acts: Iterable[_Act]) -> list[tuple[int, _Act]]:
    found = [(days_between(edge, act.day), act) for act in acts]
    return [(off, act) for off, act in found if -AROUND_DAYS <= off < AROUND_DAYS]


class Split(Check):
    """Cheat 3: one activity is claimed as several, or one day has too many hours.

    `digests` are plain SHA-256 digests of disclosed files by commitment: only on these can it be
    seen that two entries show the same file, for the log holds salted commitments.
    """

    def __init__(self, digests: Mapping[str, str]) -> None:
        self._digests = digests
        self._days: dict[tuple[str, str, str], list[tuple[int, str | None]]] = defaultdict(list)
        self._hours: dict[tuple[str, str], list[tuple[int, int]]] = defaultdict(list)
        self._shown: dict[str, dict[str, tuple[int, str]]] = defaultdict(dict)

    def see(self, moment: Moment) -> Iterable[Finding]:
        """Note what counts, by member and day."""
        entry = moment.became_final
        if entry is None or not entry.item:
            return ()
        index, member = moment.event.index, moment.member
        self._days[member, entry.item, entry.act_date].append((index, entry.activity))
        if _is_hours(moment.world, entry):
            self._hours[member, entry.act_date].append((index, entry.quantity))
        for commitment in entry.evidence:
            digest = self._digests.get(commitment)
            if digest is not None:
                self._shown[digest][entry.id] = (index, member)
        return ()

    def finish(self, ending: Ending) -> Iterable[Finding]:
        """Report days with too much on them, and files shown twice."""
        del ending
        for (member, item, day), same in sorted(self._days.items()):
            if len(same) >= SAME_DAY_MIN:
                named = len({activity for _, activity in same if activity is not None})
                reason = (
                    f"{len(same)} entries for {item} on {day}, under {named} activities: one "
                    "activity, or several?"
                )
                indexes = [index for index, _ in same]
                yield finding(3, max(indexes), (member,), reason, indexes)
        for (member, day), held in sorted(self._hours.items()):
            total = sum(quantity for _, quantity in held)
            if total > HOURS_A_DAY_MAX:
                indexes = [index for index, _ in held]
                reason = f"{points(total)} hours on {day} are more than one person's day"
                yield finding(3, max(indexes), (member,), reason, indexes)
        for digest, shown in sorted(self._shown.items()):
            if len(shown) > 1:
                indexes = [index for index, _ in shown.values()]
                people = {member for _, member in shown.values()}
                reason = f"the same file, SHA-256 {digest[:16]}…, is evidence of {len(shown)} acts"
                yield finding(3, max(indexes), people, reason, indexes)


def _is_hours(world: World, entry: PointsEntry) -> bool:
    version = version_of(world, entry.rulebook, entry.version)
    item = version.items.get(entry.item) if version is not None else None
    return item is not None and item.unit == "hour"
