"""Cheats 15 to 18: rules, rosters and the calendar bent for some."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from ledger.domain.closing import roster_on
from ledger.domain.days import days_between
from ledger.domain.period import ROSTER, YEAR
from ledger.domain.pricing import books_on, path_on
from ledger.domain.relations import related
from ledger.domain.rulebook import Rulebook
from ledger.domain.world import World
from ledger.rules.rulebook import Version
from ledger.verify.checks.finding import Check, Ending, Finding, Moment, finding

LAST_DAYS = 30
"""Changes of the roster in the last so many days of a year are listed."""
BEFORE_PILOT_DAYS = 30
"""Transfers so shortly before a pilot begins are into it."""
MOVED_MIN = 3
"""An item that moves fewer members may be made for one person."""
IN_FORCE_DAYS_MIN, SCORED_MIN = 90, 10
"""A version says something about its items once it held so long and scored so many members."""


class Pilots(Check):
    """Cheat 15: pilots that are prolonged, and members transferred into one.

    Their length and the one extension by the unit above are refused at append otherwise.
    """

    def __init__(self) -> None:
        self._moves: list[tuple[int, str, str, str, tuple[str, ...]]] = []

    def see(self, moment: Moment) -> Iterable[Finding]:
        """List extensions, and note transfers."""
        body, index = moment.event.proposal.body, moment.event.index
        if moment.type == "rulebook.extended":
            reason = f"the pilot of {moment.member} {body['version']} is prolonged: {body['until']}"
            yield finding(15, index, moment.signed, reason)
        elif moment.type == "member.transferred":
            day = body.get("date", moment.today)
            self._moves.append((index, moment.member, body["unit"], day, moment.signed))

    def finish(self, ending: Ending) -> Iterable[Finding]:
        """Report transfers into the units of a pilot, shortly before or during it."""
        world = ending.world
        for ident in sorted(world.rulebooks):
            known = world.rulebooks.get(ident)
            for number, trial in sorted(known.trials.items()) if known is not None else ():
                pilot = trial.version.pilot
                for index, member, unit, day, signed in self._moves if pilot is not None else ():
                    assert pilot is not None  # noqa: S101 - the loop is empty without one
                    into = not pilot.units.isdisjoint(path_on(world, unit, day))
                    if (
                        into
                        and day <= pilot.last
                        and days_between(day, pilot.first) <= BEFORE_PILOT_DAYS
                    ):
                        reason = (
                            f"{member} was transferred to {unit} on {day}, into the pilot of "
                            f"{ident} {number} ({pilot.first} to {pilot.last})"
                        )
                        yield finding(15, index, (member, *signed), reason)


class _Published(NamedTuple):
    index: int  # type: ignore[assignment]  # hides tuple.index
    signed: tuple[str, ...]


class MadeForOne(Check):
    """Cheat 16: a new or changed item that moves fewer than three people, or mostly relations.

    `mingzhang rulebook try` shows the same before the version comes into force.
    """

    def __init__(self) -> None:
        self._published: dict[tuple[str, str], _Published] = {}
        self._moved: dict[tuple[str, str], dict[str, dict[str, list[int]]]] = defaultdict(
            lambda: defaultdict(lambda: defaultdict(list))
        )

    def see(self, moment: Moment) -> Iterable[Finding]:
        """Note who drafted a version, and whom each of its items moved."""
        if moment.type == "rulebook.published":
            version = moment.event.proposal.body["version"]
            self._published[moment.member, version] = _Published(moment.event.index, moment.signed)
        entry = moment.became_final
        if entry is not None and entry.item:
            moved = self._moved[entry.rulebook, entry.version][entry.item]
            moved[moment.member].append(moment.event.index)
        return ()

    def finish(self, ending: Ending) -> Iterable[Finding]:
        """Look at each version that held long enough and was not the first."""
        for (rulebook, number), published in sorted(self._published.items()):
            known = ending.world.rulebooks.get(rulebook)
            assert known is not None  # noqa: S101 - it was published
            new = _new_items(known, number, ending.today)
            items = self._moved.get((rulebook, number), {})
            if len({member for moved in items.values() for member in moved}) < SCORED_MIN:
                continue
            for code in sorted(new & items.keys()):
                yield from _of_item(ending.world, published, code, items[code])


def _new_items(known: Rulebook, number: str, today: str) -> set[str]:
    """Return the items that a version brought or changed; none for one that held too shortly."""
    numbers = [each.version for each in known.versions]
    at = numbers.index(number)
    version = known.versions[at]
    later = known.versions[at + 1 :]
    end = min(today, later[0].effective_from) if later else today
    if at == 0 or days_between(version.effective_from, end) < IN_FORCE_DAYS_MIN:
        return set()
    before: Version = known.versions[at - 1]
    return {code for code, item in version.items.items() if before.items.get(code) != item}


def _of_item(
    world: World, published: _Published, code: str, moved: dict[str, list[int]]
) -> Iterator[Finding]:
    close = [
        member
        for member in sorted(moved)
        if any(related(world, a, member) or world.linked.get(a) == member for a in published.signed)
    ]
    indexes = [index for each in moved.values() for index in each]
    if len(moved) < MOVED_MIN:
        reason = f"the item {code}, new in this version, moved {len(moved)} members only"
    elif 2 * len(close) > len(moved):
        reason = (
            f"the item {code}, new in this version, moved {len(moved)} members, of whom "
            f"{len(close)} are relations of those who signed it"
        )
    else:
        return
    yield finding(16, published.index, (*moved, *published.signed), reason, indexes)


class Roster(Check):
    """Cheat 17: exemptions, types and enrolments changed in the last 30 days of a year; ghosts.

    They move the number of members that the quota is of, and who stands in the table. How many
    there are the unit above signs too, by its own books: a sealed year without that is listed, and
    a period for which the log has another number.
    """

    def __init__(self) -> None:
        self._told: dict[str, tuple[int, tuple[str, ...]]] = {}
        self._sealed: dict[str, tuple[int, tuple[str, ...]]] = {}

    def see(self, moment: Moment) -> Iterable[Finding]:
        """List changes that begin in the last days of the member's rulebook's year."""
        body = moment.event.proposal.body
        if moment.type in (ROSTER, "period.sealed"):
            noted = self._told if moment.type == ROSTER else self._sealed
            noted[moment.member] = (moment.event.index, moment.signed)
        day = {
            "member.exempted": body.get("from"),
            "member.typed": body.get("date"),
            "member.suspended": body.get("date"),
        }.get(moment.type)
        member = moment.world.members.get(moment.member)
        if day is None or member is None:
            return
        for book in books_on(moment.world, member.unit, day):
            last = book.periods.of(day).last
            if days_between(day, last) < LAST_DAYS:
                what = moment.type.partition(".")[2]
                reason = f"{member.id} is {what} from {day}, {LAST_DAYS} days or less before {last}"
                people = (member.id, *moment.signed)
                yield finding(17, moment.event.index, people, reason)
                return

    def finish(self, ending: Ending) -> Iterable[Finding]:
        """Hold the totals that the unit above signed against the log's own rosters."""
        for ident, (index, signed) in sorted((self._sealed | self._told).items()):
            period = ending.world.periods.get(ident)
            assert period is not None  # noqa: S101 - a step of it was recorded
            if period.roster is None:
                if period.kind == YEAR:
                    reason = f"the year {ident} is sealed, and nobody above signed its roster total"
                    yield finding(17, index, signed, reason)
                continue
            counted = len(roster_on(ending.world, period.unit, period.end))
            if counted != period.roster:
                reason = (
                    f"the unit above signed {period.roster} members of {period.unit} on "
                    f"{period.end}, the log has {counted}"
                )
                yield finding(17, index, signed, reason)


class CalendarEdits(Check):
    """Cheat 18: a year of the calendar is replaced, with the days that changed.

    Terms are recomputed by every verifier (A34), and an edit cuts no running term short.
    """

    def __init__(self) -> None:
        self._years: dict[int, tuple[int, frozenset[str], frozenset[str]]] = {}

    def see(self, moment: Moment) -> Iterable[Finding]:
        """List each replacement."""
        if moment.type != "calendar.published":
            return
        body, index = moment.event.proposal.body, moment.event.index
        new = (frozenset(body["holidays"]), frozenset(body["workdays"]))
        before = self._years.get(body["year"])
        self._years[body["year"]] = (index, *new)
        if before is None:
            return
        changed = sorted((before[1] ^ new[0]) | (before[2] ^ new[1]))
        past = [day for day in changed if day <= moment.today]
        reason = (
            f"the calendar of {body['year']} is replaced: {len(changed)} days differ"
            f"{f', {len(past)} of them past' if past else ''} ({', '.join(changed[:5])})"
        )
        yield finding(18, index, moment.signed, reason, (before[0],))
