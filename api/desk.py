"""What the clerk and people's questions about entries work on: the rules over the signed state."""

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
from ledger.domain.world import World
from ledger.entry import format_instant, parse_entry
from ledger.errors import NotFoundError
from ledger.store.heartbeat import Heartbeat
from ledger.store.ledger import Ledger
from ledger.store.outlook import Outlook
from ledger.store.port import Clock, SystemClock
from projections import terms
from projections.terms import TERMS, Open
from projections.views import Views

CONNECTIONS_MAX = 4
TASKS_MAX = 200
LOOKED_MAX = 3_000
_PAGE_ENTRIES = 500
_FIRST = "00000000-0000-0000-0000-000000000000"


class Tasks(NamedTuple):
    """What waits for somebody; `more` where not all that is under way was looked at."""

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

    member: str
    today: str
    entry: PointsEntry
    due: str | None
    steps: tuple[Taken, ...]
    waits: tuple[Duty, ...]


class Desk:
    """Answers from the newest signed state; close it before the ledger.

    Every question raises BusyError while the database or the read model cannot answer.
    """

    def __init__(self, ledger: Ledger, clock: Clock | None = None) -> None:
        self.clock = clock or SystemClock()
        self._pool = ledger.database.pool(0, CONNECTIONS_MAX)
        self._ledger = ledger
        self.views = Views(self._pool)
        self.outlook = Outlook(ledger)
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

    def tasks(self, actor: str, limit: int = TASKS_MAX) -> Tasks:
        """Return the steps that wait for an actor, those whose turn it is and the soonest first.

        `limit` at most, of the first LOOKED_MAX entries under way where the actor has a role.
        Raises NotFoundError for an unknown actor.
        """
        found: list[Duty] = []
        with self.today() as (world, today):
            known = world.actors.get(actor)
            if known is None:
                raise NotFoundError(f"no actor {actor} has a key in this log")
            members = self._within(world, actor)
            after, looked, more = _FIRST, 0, True
            while len(found) < limit and looked < LOOKED_MAX:
                page = self._under_way(members, after)
                for each in page:
                    account = self.outlook.account(each.member)
                    if each.entry in account.entries:
                        waiting = duties(world, account, each.member, each.entry, today)
                        found += [duty for duty in waiting if actor in duty.people]
                if len(page) < _PAGE_ENTRIES:
                    more = False
                    break
                after, looked = page[-1].entry, looked + len(page)
        found.sort(key=lambda duty: (duty.turn != actor, duty.due or "9999", duty.entry))
        return Tasks(found[:limit], more or len(found) > limit)

    def where(self, entry: str) -> Whereabouts:
        """Return where an entry is, named by the statement that brought it in.

        Raises NotFoundError for what is none.
        """
        try:
            UUID(entry)
        except ValueError:
            raise NotFoundError(f"{entry[:40]!r} is no statement's id: it is a UUID") from None
        _, data = self._ledger.find(entry)
        member = parse_entry(data).stream.partition("/")[2]
        with self.today() as (world, today):
            account = self.outlook.account(member)
            found = account.entries.get(entry)
            if found is None:
                raise NotFoundError(f"statement {entry} brought no points entry in")
            due = due_term(world, member, found)
            steps = tuple(
                Taken(each.name, each.id, acting(world, each.keyids), each.recorded_at)
                for each in found.steps
            )
            waits = tuple(duties(world, account, member, entry, today))
            return Whereabouts(member, today, found, due.due if due else None, steps, waits)

    def _under_way(self, members: list[str] | None, after: str) -> list[Open]:
        return self.views.read(TERMS, lambda at: terms.under_way(at, members, after, _PAGE_ENTRIES))

    def _within(self, world: World, actor: str) -> list[str] | None:
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
