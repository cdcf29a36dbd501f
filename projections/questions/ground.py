"""The ground that a question is answered on: one position of the log, and all that stands there.

Read models answer what they hold; what needs the rules themselves (roles, relations, who may sit)
is asked of the world that the log's prefix gives, by the functions that decide.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from psycopg_pool import ConnectionPool

from ledger.domain.account import Account, PointsEntry
from ledger.domain.eligibility import acting
from ledger.domain.event import Event
from ledger.domain.world import World
from ledger.entry import parse_entry
from ledger.errors import NotFoundError
from ledger.log import receipt
from ledger.log.checkpoint import parse_body
from ledger.log.note import parse
from ledger.store.documents import Documents
from ledger.store.outlook import Outlook
from ledger.store.reader import STREAM_PAGE_MAX, Reader
from ledger.store.register import Register
from projections import finding
from projections.asof import Wanted
from projections.entries import EntryRow
from projections.finding import Found
from projections.fold import AsOf
from projections.packed import unpack
from projections.views import Views

PAST_MAX = 2
LOOKED_MAX = 10_000
"""So many entries are looked at for one answer; the next page goes on behind them."""

Answer = dict[str, Any]


class Prefix(Reader):
    """Reads the log as if it ended at `stop`."""

    def __init__(self, pool: ConnectionPool[Any], stop: int) -> None:
        super().__init__(pool)
        self.stop = stop

    def size(self) -> int:
        """Return the size of the prefix."""
        return self.stop


@dataclass(frozen=True, slots=True)
class Page:
    """What was found of entries, newest first, how many were looked at, and where to go on."""

    found: tuple[Found, ...]
    looked: int
    after: int | None

    def json(self) -> Answer:
        """Return how far the answer goes, as JSON's types."""
        return {"looked_at": self.looked, "after": self.after}


class Ground:
    """One position. Every call raises BusyError, and NotFoundError for what is not recorded there.

    `world` is held by one asker at a time, from its first use to the end of the answer.
    """

    def __init__(
        self,
        views: Views,
        pool: ConnectionPool[Any],
        as_of: AsOf,
        stack: ExitStack,
        outlook: Callable[[Prefix], Outlook],
    ) -> None:
        self.views = views
        self.as_of = as_of
        self.wanted = Wanted(size=as_of.size)
        self.log = Prefix(pool, as_of.size)
        self.documents = Documents(pool)
        self.cases = Register(pool)
        self._stack = stack
        self._outlook = outlook
        self._world: World | None = None
        self._held: Outlook | None = None

    @property
    def world(self) -> World:
        """The world that the prefix gives."""
        if self._world is None:
            self._world = self._hold(self._outlook(self.log))
            if self._world.size != self.as_of.size:
                # Somebody asked for a later position in between.
                self._world = self._hold(Outlook(self.log))
            if self._world.organisation is None:
                raise NotFoundError("the ledger is not founded at that position")
        return self._world

    def _hold(self, outlook: Outlook) -> World:
        self._held = outlook
        return self._stack.enter_context(outlook.now())

    @property
    def today(self) -> str:
        """The zone's date of the last entry."""
        return self.world.today(self.as_of.recorded_at)

    def account(self, member: str) -> Account:
        """Return a member's account, in the world too. Raises NotFoundError for an unknown one."""
        if self.world.members.get(member) is None:
            raise NotFoundError(f"no member {member!r} is recorded: ask for one by its id")
        assert self._held is not None  # noqa: S101 - the world is held
        return self._held.account(member)

    def need_unit(self, unit: str) -> None:
        """Raise NotFoundError for an unknown unit."""
        if self.world.units.get(unit) is None:
            raise NotFoundError(
                f"no unit {unit!r} is recorded: ask for one by its id, such as `root`"
            )

    def entry(self, ident: str) -> tuple[str, PointsEntry]:
        """Return an entry with its member. Raises NotFoundError for what is none."""
        try:
            UUID(ident)
        except ValueError:
            raise NotFoundError(f"{ident[:40]!r} is no statement's id: it is a UUID") from None
        _, data = self.log.find(ident)
        member = parse_entry(data).stream.partition("/")[2]
        found = None
        if self.world.members.get(member) is not None:
            found = self.account(member).entries.get(ident)
        if found is None:
            raise NotFoundError(f"statement {ident} brought no points entry in")
        return member, found

    def row(self, ident: str) -> EntryRow:
        """Return an entry's row, with its unit and what it is worth. Raises NotFoundError."""
        member, entry = self.entry(ident)
        index, _ = self.log.find(entry.id)
        wanted = finding.Wanted(member=member)
        page = self.views.entries(wanted, 1, index + 1, self.wanted)
        for each in page.found:
            if each.entry.id == ident:
                return each.entry
        raise NotFoundError(f"the entry {ident} is not folded: `mingzhang lag` says why")

    def body(self, statement: str) -> Answer:
        """Return what a statement says."""
        _, data = self.log.find(statement)
        return Event.of(parse_entry(data), 0).proposal.body

    def covering(self, statement: str) -> int:
        """Return the size of the first signed checkpoint that covers a statement."""
        data = receipt.parse(self.log.receipt(statement)).checkpoint
        return parse_body(parse(data).text).size

    def stream(self, stream: str) -> Iterator[Event]:
        """Yield the events of a stream."""
        after = 0
        while True:
            page = self.log.stream(stream, after, STREAM_PAGE_MAX)
            for index, data in page:
                yield Event.of(parse_entry(data), index)
            if len(page) < STREAM_PAGE_MAX:
                return
            after += len(page)

    def actors(self, keyids: Iterable[str]) -> list[str]:
        """Return the people behind keys."""
        return list(acting(self.world, keyids))

    def scan(
        self,
        wanted: finding.Wanted,
        limit: int,
        after: int | None,
        keep: Callable[[EntryRow, PointsEntry], bool] = lambda _row, _entry: True,
    ) -> Page:
        """Return up to `limit` entries that are to be kept, of LOOKED_MAX looked at."""
        kept: list[Found] = []
        looked = 0
        while True:
            page = self.views.entries(wanted, finding.PAGE_MAX, after, self.wanted)
            for each in page.found:
                looked += 1
                if keep(each.entry, unpack(each.entry.packed)):
                    kept.append(each)
                if len(kept) == limit or looked == LOOKED_MAX:
                    last = each is page.found[-1] and page.after is None
                    return Page(tuple(kept), looked, None if last else each.entry.log_index)
            after = page.after
            if after is None:
                return Page(tuple(kept), looked, None)

    def position(self) -> Answer:
        """Return the position as JSON's types."""
        at = self.as_of
        return {
            "size": at.size,
            "recorded_at": at.recorded_at,
            "not_counted": list(at.parked),
        }


class Grounds:
    """Gives the ground of each question; the newest world goes on with the log, a few are kept."""

    def __init__(self, views: Views, pool: ConnectionPool[Any]) -> None:
        self.views = views
        self._pool = pool
        self._lock = threading.Lock()
        self._end = Prefix(pool, 0)
        self._newest = Outlook(self._end)
        self._past: OrderedDict[int, Outlook] = OrderedDict()

    @contextmanager
    def at(self, wanted: Wanted | None = None) -> Iterator[Ground]:
        """Hold the ground as of a prefix, without it as of all that every read model holds.

        Raises BusyError, and NotFoundError where the log is not that long.
        """
        with ExitStack() as stack:
            as_of = self.views.position(wanted)
            yield Ground(self.views, self._pool, as_of, stack, self._outlook)

    def _outlook(self, log: Prefix) -> Outlook:
        size = log.size()
        with self._lock:
            if size >= self._end.stop:
                self._end.stop = size
                return self._newest
            found = self._past.pop(size, None) or Outlook(log)
            self._past[size] = found
            while len(self._past) > PAST_MAX:
                self._past.popitem(last=False)
            return found
