"""When a process that serves this log was last up, kept in the database that all of them share."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import psycopg
from psycopg_pool import ConnectionPool

from ledger.errors import BusyError
from ledger.store.sql import query


class Heartbeat:
    """Reads and sets it through `pool`; both calls raise BusyError."""

    def __init__(self, pool: ConnectionPool[Any]) -> None:
        self._pool = pool

    def beat(self, now: datetime) -> None:
        """Say that a process is up at `now`."""
        try:
            with self._pool.connection() as connection:
                connection.execute(query("beat").encode(), (now,))
        except psycopg.OperationalError as error:
            raise BusyError(f"the database does not answer: {error}") from error

    def last(self) -> datetime | None:
        """Return when one was last up, None if none ever was."""
        try:
            with self._pool.connection() as connection:
                found = connection.execute(query("last_beat").encode()).fetchone()
        except psycopg.OperationalError as error:
            raise BusyError(f"the database does not answer: {error}") from error
        return found[0].astimezone(UTC) if found is not None else None
