"""Keeps the read models' tables in the database in step with the log, up to its signed size.

A batch is one transaction: lock the builds, read entries, load the rows that they touch, fold,
write the changed rows, move the positions, commit. A crash anywhere before the commit leaves rows
and positions as they were; after it, both have moved. The lock makes a second runner wait and then
start from where the first one ended, so any number may run.

An entry that cannot be folded is parked with its stream, in the same transaction; the rest goes on.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from types import TracebackType

import psycopg
import structlog

from ledger.errors import BusyError, MingzhangError, StoppedError
from ledger.store.ledger import Ledger
from projections import builds
from projections.advance import BATCH_ENTRIES, Advance, Busy, open_connection
from projections.batch import Connection, UnsaveableError
from projections.catalogue import MODELS
from projections.fold import ReadModel
from projections.sql import query

POLL_S = 0.5
CLOSE_S = 0.2
"""How long `close` may take to be noticed by a thread that waits."""

_logger = structlog.stdlib.get_logger("mingzhang.projections")


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
        self._models = tuple(models)
        self._advance = Advance(models, batch_entries)
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

        StoppedError: it has given up, on a log that cannot be read. BusyError: it cannot work at
        the moment, and goes on trying.
        """
        if self._failure is not None:
            raise StoppedError(f"the read models no longer follow the log: {self._failure}")
        if self._trouble is not None:
            raise BusyError(f"the read models wait for the database: {self._trouble}")

    def catch_up(self) -> int:
        """Fold everything that is signed now, and return that size.

        Makes the tables that are not there yet. Raises BusyError if the database does not answer,
        FormatError for an entry that cannot be read; every batch before it stays folded.
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
                _logger.critical("read models stopped", error=error.code, size=self._size)
                return
            except Exception as error:
                self._failure = repr(error)
                _logger.critical("read models stopped", error=type(error).__name__, size=self._size)
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
        connection = open_connection(self._connect)
        try:
            builds.set_up(connection, self._models)
            for model in self._models:
                builds.retire(connection, model)
        except BaseException:
            connection.close()
            raise
        return connection

    def _step(self, connection: Connection, target: int) -> bool:
        """Fold one batch below `target`; return whether there is more to do."""
        start = 0
        try:
            with connection.transaction():
                connection.execute(query("runner", "forget_sync").encode())
                found = builds.lock_followed(connection, self._models)
                if len(found) == len(self._models):
                    start = min(each.size for each in found)
                    size = self._advance.fold(connection, found, target)
                    first = [each for each in found if not each.served and size >= target]
                    for each in first:
                        builds.serve(connection, each)
        except Busy:
            # Others hold it in turn, each for a batch. The server ends a paused one's session.
            return True
        except UnsaveableError as error:
            self._advance.narrow(error, start)
            return True
        if len(found) < len(self._models):
            # One was swapped a moment ago, or dropped by a newer version of this program.
            builds.set_up(connection, self._models)
            return True
        self._advance.done()
        for each in first:
            builds.retire(connection, each.model)
        self._size = max(self._size, size)
        return size < target
