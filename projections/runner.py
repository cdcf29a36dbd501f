"""Keeps the read models' tables in the database in step with the log, up to its signed size.

A batch is one transaction: lock the positions of the models, read entries, load the rows that they
touch, fold, write the changed rows, move the positions, commit. A crash anywhere before the commit
leaves rows and positions as they were; after it, both have moved. The lock makes a second runner
wait and then start from where the first one ended, so any number may run.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from types import TracebackType
from typing import Any

import orjson
import psycopg
from psycopg import sql
from psycopg.types.string import TextLoader

from ledger.errors import BusyError, MingzhangError, StoppedError
from ledger.store.ledger import Ledger
from projections.catalogue import MODELS
from projections.fold import (
    AsOf,
    Key,
    Need,
    PoisonedEntryError,
    R,
    ReadModel,
    Rows,
    Table,
    read_events,
    recorded_at,
)
from projections.sql import query

BATCH_ENTRIES = 4_000
BATCH_BYTES = 16 * 1024 * 1024
POLL_S = 0.5
CLOSE_S = 0.2
"""How long `close` may take to be noticed by a thread that waits."""

Connection = psycopg.Connection[Any]


class Runner:
    """Folds new entries into `models`, on call (`catch_up`) or in a thread of its own (`start`).

    `connect` opens an autocommit connection with the service's role; `signed_size` tells how far
    the log may be read. A context manager, which starts and closes.
    """

    def __init__(
        self,
        connect: Callable[[], Connection],
        signed_size: Callable[[], int],
        models: Sequence[ReadModel] = MODELS,
        *,
        batch_entries: int = BATCH_ENTRIES,
        poll_s: float = POLL_S,
    ) -> None:
        self._connect = connect
        self._signed_size = signed_size
        self._models = {each.name: each for each in models}
        self._kinds = frozenset[str]().union(*(each.kinds for each in models))
        self._batch_entries = batch_entries
        self._poll_s = poll_s
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._failure: str | None = None
        self._trouble: str | None = None
        self._size = 0

    @classmethod
    def of(cls, ledger: Ledger) -> Runner:
        """Return a runner of all read models over an open ledger; close it before the ledger."""
        return cls(ledger.database.connect, ledger.size)

    @property
    def size(self) -> int:
        """The log size that every model has folded, as far as this runner knows."""
        return self._size

    @property
    def lag(self) -> int:
        """The number of signed entries that are not folded yet. Raises BusyError."""
        return max(0, self._signed_size() - self._size)

    def check(self) -> None:
        """Raise unless the thread follows the log.

        StoppedError: it has given up, on an entry that cannot be folded. BusyError: it cannot
        work at the moment, and goes on trying.
        """
        if self._failure is not None:
            raise StoppedError(f"the read models no longer follow the log: {self._failure}")
        if self._trouble is not None:
            raise BusyError(f"the read models wait for the database: {self._trouble}")

    def catch_up(self) -> int:
        """Fold everything that is signed now, and return that size.

        Makes the tables that are not there yet. Raises BusyError if the database does not answer,
        PoisonedEntryError or FormatError for an entry that cannot be folded; every batch before
        it stays folded.
        """
        target = self._signed_size()
        try:
            with self._open() as connection:
                while self._step(connection, target):
                    pass
        except psycopg.OperationalError as error:
            raise BusyError(f"the database does not answer: {error}") from error
        return target

    def start(self) -> None:
        """Follow the log in a thread until `close`; connections that break are opened again."""
        self._thread = threading.Thread(target=self._run, name="projections", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop following the log, after the batch in hand."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    def __enter__(self) -> Runner:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._follow()
            except (BusyError, psycopg.Error) as error:
                # The link or the server went away: what was not committed is folded again.
                self._trouble = str(error)
                self._stop.wait(self._poll_s)
            except MingzhangError as error:
                self._failure = error.message
                return
            except Exception as error:
                self._failure = repr(error)
                raise

    def _follow(self) -> None:
        with self._open() as connection:
            connection.execute(query("runner", "listen").encode())
            while not self._stop.is_set():
                target = self._signed_size()
                while self._step(connection, target) and not self._stop.is_set():
                    pass
                self._trouble = None
                self._wait(connection)

    def _wait(self, connection: Connection) -> None:
        """Wait for a poll's time; a notification only shortens it, so a lost one costs little."""
        end_s = time.monotonic() + self._poll_s
        while not self._stop.is_set() and (left_s := end_s - time.monotonic()) > 0:
            if any(connection.notifies(timeout=min(left_s, CLOSE_S), stop_after=1)):
                return

    def _open(self) -> Connection:
        connection = self._connect()
        try:
            # Rows hold ids and dates as text, in the log as in memory.
            for name in ("uuid", "date"):
                connection.adapters.register_loader(name, TextLoader)
            make_tables(connection, self._models.values())
        except BaseException:
            connection.close()
            raise
        return connection

    def _step(self, connection: Connection, target: int) -> bool:
        """Fold one batch below `target`; return whether there is more to do."""
        try:
            with connection.transaction():
                connection.execute(query("runner", "forget_sync").encode())
                sizes = self._lock(connection)
                start = min(sizes.values())
                stop = min(target, start + self._batch_entries)
                if start < stop:
                    start = self._fold(connection, sizes, start, stop)
        except psycopg.errors.LockNotAvailable:
            # Others hold it in turn, each for a batch. The server ends a paused one's session.
            return True
        self._size = max(self._size, start)
        return start < target

    def _lock(self, connection: Connection) -> dict[str, int]:
        """Return how far each model is; nobody else moves them until the transaction ends."""
        names = list(self._models)
        versions = [self._models[each].version for each in names]
        locked = connection.execute(query("runner", "lock_progress").encode(), (names, versions))
        return dict(locked.fetchall())

    def _fold(self, connection: Connection, sizes: dict[str, int], start: int, stop: int) -> int:
        entries = connection.execute(
            query("runner", "entries").encode(), (start, stop, BATCH_BYTES), binary=True
        ).fetchall()
        if not entries or [index for index, _ in entries] != list(
            range(start, start + len(entries))
        ):
            raise PoisonedEntryError(
                f"entries from {start} on are missing in the database, though they are signed: "
                "run `mingzhang verify log`"
            )
        events = list(read_events(entries, self._kinds))
        last, data = entries[-1]
        position = AsOf(last + 1, recorded_at(last, data))
        for name, size in sizes.items():
            if size < position.size:
                model = self._models[name]
                mine = [
                    each
                    for each in events
                    if each.index >= size and each.proposal.stream.partition("/")[0] in model.kinds
                ]
                rows = _BatchRows(model.tables)
                _load(
                    connection, model, rows, (need for each in mine for need in model.needs(each))
                )
                model.fold_all(mine, rows)
                _save(connection, model, rows)
                connection.execute(
                    query("runner", "move_progress").encode(), (*position, name, model.version)
                )
        return position.size


class _BatchRows(Rows):
    """The rows that a batch may touch: those that were loaded, and those put since."""

    def __init__(self, tables: Iterable[Table[Any]]) -> None:
        super().__init__(tables)
        self._changed: dict[str, dict[Key, None]] = {name: {} for name in self._rows}

    def get(self, table: Table[R], key: Key) -> R | None:
        """Return the row of `key`. Raises LookupError if the model's `needs` did not name it."""
        known = self._rows[table.name]
        if key not in known:
            raise LookupError(f"row {key!r} of {table.name} is read but was not named as needed")
        row: R | None = known[key]
        return row

    def put(self, table: Table[R], row: R) -> None:
        """Insert or replace a row, and note that it must be written."""
        key = table.key(row)
        self._rows[table.name][key] = row
        self._changed[table.name][key] = None

    def load(
        self, table: Table[Any], keys: Iterable[Key], found: Iterable[tuple[Any, ...]]
    ) -> None:
        """Take over what the database holds for `keys`; what is not found is absent there."""
        known = self._rows[table.name]
        known.update(dict.fromkeys(keys))
        for row in map(table.row._make, found):
            known[table.key(row)] = row

    def changed(self, table: Table[Any]) -> list[tuple[Any, ...]]:
        """Return the rows that were put."""
        known = self._rows[table.name]
        return [known[key] for key in self._changed[table.name]]


def make_tables(connection: Connection, models: Collection[ReadModel]) -> None:
    """Make the tables of the models' versions that are not in the database yet, empty."""
    with connection.transaction():
        connection.execute(query("runner", "set_up_lock").encode())
        connection.execute(query("runner", "create_progress").encode())
        for model in models:
            added = connection.execute(
                query("runner", "add_progress").encode(), (model.name, model.version)
            ).fetchone()
            if added is not None:
                connection.execute(query(model.name, "create", model.version).encode())


def _load(
    connection: Connection, model: ReadModel, rows: _BatchRows, needs: Iterable[Need]
) -> None:
    wanted: dict[str, dict[Key, None]] = {}
    for table, key in needs:
        wanted.setdefault(table.name, {})[key] = None
    for table in model.tables:
        keys = wanted.get(table.name)
        if keys:
            columns = table.columns[: table.key_size]
            listed = [
                dict(zip(columns, key if table.key_size > 1 else (key,), strict=True))
                for key in keys
            ]
            statement = _statement("load_rows", model, table)
            found = connection.execute(statement, (orjson.dumps(listed).decode(),))
            rows.load(table, keys, found)


def _save(connection: Connection, model: ReadModel, rows: _BatchRows) -> None:
    for table in model.tables:
        changed = rows.changed(table)
        if changed:
            columns = table.columns
            listed = [dict(zip(columns, row, strict=True)) for row in changed]
            statement = _statement("save_rows", model, table)
            connection.execute(statement, (orjson.dumps(listed).decode(),))


def _statement(name: str, model: ReadModel, table: Table[Any]) -> sql.Composed:
    columns = [sql.Identifier(each) for each in table.columns]
    comma = sql.SQL(", ")
    return sql.SQL(query("runner", name)).format(
        table=sql.Identifier(model.table_name(table)),
        key=comma.join(columns[: table.key_size]),
        names=comma.join(columns),
        columns=comma.join([sql.SQL("t.") + each for each in columns]),
        excluded=comma.join([sql.SQL("EXCLUDED.") + each for each in columns]),
    )
