"""What entries are scored in: units, rulebooks, periods with their reviews, as of a log position.

The events that say so are few, so each model keeps them as they are, and folds them with the
domain's own folds when it needs them: prices, paths and reviews are then those of the decisions.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Annotated, Any, NamedTuple

import orjson

from ledger.domain import organisation
from ledger.domain.event import Event, Proposal
from ledger.domain.history import History, parent_on
from ledger.domain.member import MERGED
from ledger.domain.organisation import OUTAGE, ROOT_UNIT, STREAM, Organisation
from ledger.domain.period import YEAR
from ledger.domain.period import Period as Opened
from ledger.domain.pricing import path_on, spells_of
from ledger.domain.unit import Unit
from ledger.domain.world import World, rename_in_periods
from ledger.rules.book import Book, Path
from ledger.rules.member import Member, Spell
from projections.columns import Id, Note
from projections.fold import Rows, Table

KINDS = frozenset({"ledger", "unit", "rulebook", "period"})
"""The kinds of streams that are kept; of the ledger's own its founding and outages. The closing of
a member's second id is kept too: it moves sheets and votes (B14)."""
FOUNDED = "ledger.founded"
_KEY = "frame"


class FrameRow(NamedTuple):
    """A statement about a unit, a rulebook or a period, or the founding."""

    stream: Annotated[str, Note("What it is about, such as unit/root.")]
    seq: Annotated[int, Note("Place in the stream, from 1.")]
    log_index: Annotated[int, Note("Place in the log, from 0.")]
    recorded_at: Annotated[str, Note("When it was recorded, RFC 3339 in UTC.")]
    type: Annotated[str, Note("The statement's type.")]
    id: Id
    body: Annotated[str, Note("What the statement says, JSON. Points are 1/100 point.")]


FRAME = Table("frame", FrameRow, key_size=2)


class Frame:
    """A world of units, rulebooks and periods, and what scoring derives from it, kept by name.

    Members are not in it: their histories are given.
    """

    def __init__(self, rows: Iterable[FrameRow] = ()) -> None:
        self.world = World()
        self.world.organisations[ROOT_UNIT] = Organisation(0, "UTC", 0, ())
        self._spells: dict[tuple[object, ...], tuple[Spell, ...]] = {}
        self._covered: dict[tuple[str, str], dict[str, Unit]] = {}
        self.kept: dict[tuple[object, ...], object] = {}
        """What callers derive from this frame alone, dropped with its next event."""
        for row in sorted(rows, key=lambda each: each.log_index):
            self.evolve(_event(row))

    def evolve(self, event: Event) -> None:
        """Fold one event of the frame."""
        self._spells.clear()
        self._covered.clear()
        self.kept.clear()
        if event.proposal.type == FOUNDED:
            self.world.organisations[ROOT_UNIT] = organisation.evolve(None, event)
            return
        if event.proposal.type == MERGED:
            closed = event.proposal.stream.partition("/")[2]
            rename_in_periods(self.world, closed, event.proposal.body["into"])
            return
        self.world.evolve(event)

    def today(self, recorded_at: str) -> str:
        """Return the date of an instant in the organisation's zone."""
        return self.world.today(recorded_at)

    def member(self, ident: str, history: History) -> Member:
        """Return a member as the engine sees one; many members have the same stays."""
        spells = self._spells.get(history.stays)
        if spells is None:
            spells = self._spells[history.stays] = spells_of(self.world, history)
        away = (history.exempt, history.suspended, history.left)
        return Member(ident, spells, *away, history.vetoes)

    def book(self, rulebook: str) -> Book | None:
        """Return the versions of a rulebook that are in the log."""
        known = self.world.rulebooks.get(rulebook)
        return known.book if known is not None else None

    def books(self) -> Iterator[Book]:
        """Yield every rulebook that has a version, by id."""
        for ident in sorted(self.world.rulebooks):
            book = self.book(ident)
            if book is not None:
                yield book

    def unit(self, ident: str) -> Unit | None:
        """Return a unit."""
        return self.world.units.get(ident)

    def covered(self, unit: str, day: str) -> dict[str, Unit]:
        """Return `unit` and every unit below it on `day`, by id; nothing for an unknown unit."""
        found = self._covered.get((unit, day))
        if found is None:
            found = self._covered[unit, day] = dict(self._below(unit, day))
        return found

    def _below(self, unit: str, day: str) -> Iterator[tuple[str, Unit]]:
        world = self.world
        below: dict[str | None, list[str]] = {}
        for ident in sorted(world.units):
            below.setdefault(parent_on(world.parents.get(ident) or (), day), []).append(ident)
        waiting, seen = [unit], set[str]()
        while waiting:
            ident = waiting.pop()
            known = world.units.get(ident)
            if known is not None and ident not in seen:
                seen.add(ident)
                yield ident, known
                waiting += below.get(ident, ())

    def path(self, unit: str, day: str) -> Path:
        """Return a unit and those above it on `day`."""
        return path_on(self.world, unit, day)

    def periods(self, rulebook: str, kind: str, start: str) -> dict[str, Opened]:
        """Return the opened periods of a rulebook's days by unit."""
        name = ("periods", rulebook, kind, start)
        found = self.kept.get(name)
        if found is None:
            listed = (self.world.periods.get(each) for each in sorted(self.world.periods))
            found = self.kept[name] = {
                each.unit: each
                for each in listed
                if each and (each.rulebook, each.kind, each.start) == (rulebook, kind, start)
            }
        assert isinstance(found, dict)  # noqa: S101 - put there above
        return found

    def year_of(self, rulebook: str, first: str, path: Path) -> Opened | None:
        """Return the opened year of the nearest unit of `path`: its review is the member's."""
        opened = self.periods(rulebook, YEAR, first)
        return next((opened[unit] for unit in path if unit in opened), None)


def belongs(event: Event) -> bool:
    """Tell whether an event is one of the frame."""
    if event.proposal.type == MERGED:
        return True
    stream = event.proposal.stream
    kind = stream.partition("/")[0]
    return kind in KINDS and (stream != STREAM or event.proposal.type in (FOUNDED, OUTAGE))


def fold(event: Event, rows: Rows) -> None:
    """Keep an event of the frame; raises where the domain cannot fold it."""
    frame = frame_of(rows)
    proposal = event.proposal
    rows.put(
        FRAME,
        FrameRow(
            proposal.stream,
            event.seq,
            event.index,
            event.recorded_at,
            proposal.type,
            proposal.id,
            orjson.dumps(proposal.body).decode(),
        ),
    )
    frame.evolve(event)


def frame_of(rows: Rows) -> Frame:
    """Return the frame of the rows as they stand."""
    found = rows.memo.get(_KEY)
    if found is None:
        found = rows.memo[_KEY] = Frame(rows.all(FRAME))
    assert isinstance(found, Frame)  # noqa: S101 - put there above
    return found


def rows_of(frame: Frame, tables: Iterable[Table[Any]]) -> Rows:
    """Return empty rows that stand in a frame which was folded already."""
    rows = Rows(tables)
    rows.memo[_KEY] = frame
    return rows


def _event(row: FrameRow) -> Event:
    body = orjson.loads(row.body)
    proposal = Proposal(row.type, row.id, "", row.stream, "", body, ())
    return Event(proposal, row.seq, row.log_index, row.recorded_at)
