"""The step that the runner and a rebuild share: the next entries, folded into builds at once.

An entry that a fold refuses is parked by itself. Where only the database finds a row impossible,
the whole transaction is lost; it is taken again by halves, down to the one entry at fault.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import psycopg
import structlog
from psycopg.types.string import TextLoader

from ledger.errors import FormatError
from projections import builds
from projections.batch import BatchRows, Build, Connection, UnsaveableError
from projections.fold import BEHIND, AsOf, Parked, ReadModel, read_events, recorded_at
from projections.folding import Batch
from projections.pause import no_cycles_sought
from projections.sql import query

BATCH_ENTRIES = 64_000
PORTION_ENTRIES = 1_000
"""Of a batch's entries one portion is in memory: ENTRY_SIZE_MAX makes it 64 MB at most."""
HELD_ROWS_MAX = 400_000
"""Of each build, some hundred megabytes at most are kept from one batch to the next."""

_logger = structlog.stdlib.get_logger("mingzhang.projections")


class Advance:
    """Folds entries into builds of `models`, at most `batch_entries` in one transaction."""

    def __init__(self, models: Iterable[ReadModel], batch_entries: int = BATCH_ENTRIES) -> None:
        self._kinds = frozenset[str]().union(*(each.kinds for each in models))
        self._batch_entries = batch_entries
        self._span_max = batch_entries
        self._span = 0
        self._refused: tuple[int, UnsaveableError] | None = None
        # Rows by build, with the position and the parked streams that they hold for: whoever else
        # moves a build or unparks a stream changes one of the two.
        self._held: dict[tuple[str, int], tuple[int, tuple[str, ...], BatchRows]] = {}

    def fold(self, connection: Connection, found: Sequence[Build], target: int) -> int:
        """Fold the next entries below `target` into the builds that lack them.

        Returns the size that all of them hold then. Runs within the caller's transaction. Raises
        UnsaveableError, after which the caller rolls back, calls `narrow`, and tries again;
        FormatError where entries that are signed are not there.
        """
        start = min(each.size for each in found)
        stop = min(target, start + self._span_max)
        if start >= stop:
            return start
        with no_cycles_sought():
            behind = [each for each in found if each.size < stop]
            batches = [self._begin(connection, each, start) for each in behind]
            for at in range(start, stop, PORTION_ENTRIES):
                entries = _read(connection, at, min(stop, at + PORTION_ENTRIES))
                self._span = at + len(entries) - start
                events = list(read_events(entries, self._kinds))
                for batch in batches:
                    batch.fold(each for each in events if each.index >= batch.build.size)
            position = AsOf(stop, recorded_at(*entries[-1]))
            for batch in batches:
                self._finish(connection, batch, position)
        return stop

    def _begin(self, connection: Connection, build: Build, start: int) -> Batch:
        name = build.model.name
        parked = builds.parked_streams(connection, name, build.number)
        rows, poison = self._rows(build, parked), self._poison(start, name)
        return Batch(connection, build, rows, parked, poison)

    def _finish(self, connection: Connection, batch: Batch, position: AsOf) -> None:
        build, rows = batch.build, batch.rows
        parked = batch.finish()
        if parked:
            builds.park(connection, build, parked)
            tell(build.model, parked)
        builds.move(connection, build, position)
        if len(rows) <= HELD_ROWS_MAX:
            held = (position.size, tuple(sorted(rows.parked)), rows)
            self._held[build.model.name, build.number] = held

    def _rows(self, build: Build, parked: tuple[str, ...]) -> BatchRows:
        # Taken out: if the transaction is lost, so are they.
        held = self._held.pop((build.model.name, build.number), None)
        if held is not None and held[:2] == (build.size, tuple(sorted(parked))):
            return held[2]
        return BatchRows(build.model)

    def done(self) -> None:
        """Note that what was folded is committed."""
        self._span_max, self._refused = self._batch_entries, None

    def narrow(self, error: UnsaveableError, start: int) -> None:
        """Note that the entries from `start` on could not be saved."""
        self._held.clear()
        if self._span > 1:
            self._span_max = self._span // 2
        else:
            self._refused = start, error

    def _poison(self, start: int, model: str) -> UnsaveableError | None:
        if self._refused is None or self._refused[0] != start:
            return None
        return self._refused[1] if self._refused[1].model == model else None


def _read(connection: Connection, start: int, stop: int) -> list[tuple[int, bytes]]:
    entries = connection.execute(
        query("runner", "entries").encode(), (start, stop), binary=True
    ).fetchall()
    if [index for index, _ in entries] != list(range(start, stop)):
        raise FormatError(
            f"entries from {start} on are missing in the database, though they are signed: "
            "run `mingzhang verify log`"
        )
    return entries


def open_connection(connect: Callable[[], Connection]) -> Connection:
    """Open a connection that gives ids and dates as text, as rows hold them in memory."""
    connection = connect()
    for name in ("uuid", "date"):
        connection.adapters.register_loader(name, TextLoader)
    return connection


def tell(model: ReadModel, parked: Iterable[Parked]) -> None:
    """Log the entries that are parked by their own fault.

    Neither stream nor message is logged: they may name a person. `mingzhang lag` shows them.
    """
    for each in parked:
        if each.error != BEHIND:
            _logger.error("entry parked", model=model.name, index=each.index, error=each.error)


Busy = (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected)
"""Others hold what is needed, for a moment."""
