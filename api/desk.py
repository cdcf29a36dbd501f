"""What the clerk and people's questions about entries work on: the rules over a signed state.

A question about the past is answered from the log's prefix alone, on the day on which the last
entry of the prefix was recorded.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple
from uuid import UUID

from ledger.domain.account import PointsEntry
from ledger.domain.duty import Duty, duties
from ledger.domain.eligibility import acting
from ledger.domain.lapses import due_term
from ledger.domain.organisation import ROOT_UNIT
from ledger.domain.rights import covers
from ledger.domain.ruling import ordered_entries
from ledger.domain.world import World
from ledger.entry import format_instant, parse_entry
from ledger.errors import NotFoundError
from ledger.store.heartbeat import Heartbeat
from ledger.store.ledger import Ledger
from ledger.store.outlook import Outlook
from ledger.store.port import Clock, SystemClock
from projections import terms
from projections.asof import Wanted
from projections.entries import ENTRIES
from projections.fold import AsOf, recorded_at
from projections.terms import TERMS, Open
from projections.views import Views

CONNECTIONS_MAX = 4
TASKS_MAX = 200
LOOKED_MAX = 3_000
_PAGE_ENTRIES = 500
_FIRST = "00000000-0000-0000-0000-000000000000"


class Tasks(NamedTuple):
    """What waits for somebody; `more` where not all that is under way was looked at."""

    as_of: AsOf
    duties: list[Duty]
    more: bool


class Taken(NamedTuple):
    """A step that was taken: its name, statement, people and instant."""

    name: str
    statement: str
    people: tuple[str, ...]
    recorded_at: str


class Whereabouts(NamedTuple):
    """Where an entry is on `today`: its state, the steps up to it, and what it waits for.

    `due` is the last day of the term that runs, None where none does.
    """

    as_of: AsOf
    member: str
    today: str
    entry: PointsEntry
    due: str | None
    steps: tuple[Taken, ...]
    waits: tuple[Duty, ...]


class Desk:
    """Answers from the newest signed state or an earlier one; close it before the ledger.

    Every question raises BusyError while the database or the read model cannot answer.
    """

    def __init__(self, ledger: Ledger, clock: Clock | None = None) -> None:
        self.clock = clock or SystemClock()
        self._pool = ledger.database.pool(0, CONNECTIONS_MAX)
        self._ledger = ledger
        self.views = Views(self._pool)
        self.outlook = Outlook(ledger)
        self._past = Outlook(ledger)
        self.heartbeat = Heartbeat(self._pool)

    def close(self) -> None:
        """Let go of the database."""
        self._pool.close()

    @contextmanager
    def today(self) -> Iterator[tuple[World, str]]:
        """Hold the founded world, with the date in its zone. Raises NotFoundError before that."""
        with self.outlook.now() as world:
            if world.organisation is None:
                raise NotFoundError("the ledger is not founded yet: it has no entries")
            yield world, world.today(format_instant(self.clock.now()))

    @contextmanager
    def _then(self, at: AsOf, *, past: bool) -> Iterator[tuple[World, Outlook, str]]:
        """Hold the world at a position, with its outlook and the date on which it is asked."""
        # What the clerk follows is not led back, unless it is behind anyway.
        outlook = self.outlook if self.outlook.size <= at.size else self._past
        with outlook.then(at.size) as world:
            if world.organisation is None:
                raise NotFoundError("the ledger is not founded yet: it has no entries")
            when = at.recorded_at if past else format_instant(self.clock.now())
            yield world, outlook, world.today(when)

    def tasks(self, actor: str, limit: int = TASKS_MAX, as_of: Wanted | None = None) -> Tasks:
        """Return the steps that wait for an actor, those whose turn it is and the soonest first.

        `limit` at most, of the first LOOKED_MAX entries under way where the actor has a role.
        Raises NotFoundError for an unknown actor.
        """
        found: list[Duty] = []
        model = TERMS if as_of is None else ENTRIES
        at = self.views.read(model, lambda found: found.as_of, as_of)
        with self._then(at, past=as_of is not None) as (world, outlook, today):
            known = world.actors.get(actor)
            if known is None:
                raise NotFoundError(f"no actor {actor} has a key in this log")
            members = _within(world, actor)

            def waiting(member: str, entry: str) -> list[Duty]:
                account = outlook.account(member)
                if entry not in account.entries:
                    return []
                steps = duties(world, account, member, entry, today)
                return [each for each in steps if actor in each.people]

            after, looked, more = _FIRST, 0, True
            while len(found) < limit and looked < LOOKED_MAX:
                page = self._under_way(members, after, at.size if as_of is not None else None)
                for each in page:
                    found += waiting(each.member, each.entry)
                if len(page) < _PAGE_ENTRIES:
                    more = False
                    break
                after, looked = page[-1].entry, looked + len(page)
            listed = {duty.entry for duty in found}
            for member, entry in _ordered(world, members):
                if entry not in listed:
                    found += waiting(member, entry)
        found.sort(key=lambda duty: (duty.turn != actor, duty.due or "9999", duty.entry))
        return Tasks(at, found[:limit], more or len(found) > limit)

    def where(self, entry: str, as_of: Wanted | None = None) -> Whereabouts:
        """Return where an entry is, named by the statement that brought it in.

        Raises NotFoundError for what is none.
        """
        try:
            UUID(entry)
        except ValueError:
            raise NotFoundError(f"{entry[:40]!r} is no statement's id: it is a UUID") from None
        index, data = self._ledger.find(entry)
        member = parse_entry(data).stream.partition("/")[2]
        if as_of is None:
            size = self._ledger.size()
            at = AsOf(size, recorded_at(size - 1, self._ledger.entry(size - 1)))
        else:
            at = self.views.read(TERMS, lambda found: found.as_of, as_of)
            if index >= at.size:
                raise NotFoundError(f"statement {entry} is not among the first {at.size} entries")
        with self._then(at, past=as_of is not None) as (world, outlook, today):
            account = outlook.account(member)
            found = account.entries.get(entry)
            if found is None:
                raise NotFoundError(f"statement {entry} brought no points entry in")
            due = due_term(world, member, found)
            steps = tuple(
                Taken(each.name, each.id, acting(world, each.keyids), each.recorded_at)
                for each in found.steps
            )
            waits = tuple(duties(world, account, member, entry, today))
            return Whereabouts(at, member, today, found, due.due if due else None, steps, waits)

    def _under_way(self, members: list[str] | None, after: str, size: int | None) -> list[Open]:
        """Return entries under way behind `after`: of the terms, or those of a size in the past."""
        asked = (members, after, _PAGE_ENTRIES)
        if size is None:
            return self.views.read(TERMS, lambda at: terms.under_way(at, *asked))
        then = Wanted(size=size)
        return self.views.read(ENTRIES, lambda at: terms.were_under_way(at, *asked), then)


def _ordered(world: World, members: list[str] | None) -> Iterator[tuple[str, str]]:
    """Yield member and entry where a case's decision orders one, of some members or of all."""
    within = None if members is None else set(members)
    for stream, entry in ordered_entries(world):
        member = stream.partition("/")[2]
        if within is None or member in within:
            yield member, entry


def _within(world: World, actor: str) -> list[str] | None:
    """Return the members whose entries an actor may have a step in, None for all of them.

    They were once in a unit that the actor's roles cover, or are the actor.
    """
    known = world.actors.get(actor)
    over = set()
    for held in known.roles if known is not None else ():
        over.add(held.unit)
        unit = world.units.get(held.unit)
        if held.role == "group_leader" and unit is not None and unit.parent is not None:
            over.add(unit.parent)  # one group's head stands in for another's (B5)
    if ROOT_UNIT in over:
        return None
    within = {unit for unit in world.units if any(covers(world, above, unit) for above in over)}
    own = world.linked.get(actor)
    found = []
    for name in world.members:
        history = world.histories.get(name)
        stays = history.stays if history is not None else ()
        if name == own or any(stay.unit in within for stay in stays):
            found.append(name)
    return found
