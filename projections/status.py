"""How far the read models are behind the log, and what they could not fold."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import psycopg
from psycopg_pool import ConnectionPool

from ledger.errors import BusyError
from projections.batch import Connection
from projections.sql import query


class Position(NamedTuple):
    """A build's position; `lag` and `parked` are in entries, `streams` are those parked."""

    model: str
    version: int
    build: int
    served: bool
    size: int
    lag: int
    parked: int
    streams: int


class ParkedStream(NamedTuple):
    """A stream that a build holds only up to an entry, and why."""

    model: str
    build: int
    stream: str
    log_index: int
    error: str
    message: str


def positions(pool: ConnectionPool[Any]) -> list[Position]:
    """Return where every build is, by model and number. Raises BusyError."""
    found = []
    with _snapshot(pool) as connection:
        (signed,) = connection.execute(query("views", "signed_size").encode()).fetchone() or (0,)
        for model, version, build, served, size, *parked in _rows(connection, "positions"):
            lag = max(0, signed - size)
            found.append(Position(model, version, build, served, size, lag, *parked))
    return found


def parked_streams(pool: ConnectionPool[Any]) -> list[ParkedStream]:
    """Return every stream that is parked, with its first entry. Raises BusyError."""
    with _snapshot(pool) as connection:
        return [ParkedStream(*row) for row in _rows(connection, "parked_list")]


def metrics(pool: ConnectionPool[Any]) -> str:
    """Return the positions of the served builds in the text format of Prometheus.

    An alert belongs on `mingzhang_read_model_parked_entries > 0` and on a lag that grows. Raises
    BusyError.
    """
    served = [each for each in positions(pool) if each.served]
    lines: list[str] = []
    for name, text, values in (
        ("size", "Log size that the read model has folded.", [each.size for each in served]),
        ("lag_entries", "Signed entries that it has not folded yet.", [e.lag for e in served]),
        ("parked_entries", "Entries that it could not fold.", [e.parked for e in served]),
        ("parked_streams", "Streams that wait for a parked entry.", [e.streams for e in served]),
    ):
        full = f"mingzhang_read_model_{name}"
        lines += [f"# HELP {full} {text}", f"# TYPE {full} gauge"]
        for each, value in zip(served, values, strict=True):
            lines.append(f'{full}{{model="{each.model}",version="{each.version}"}} {value}')
    return "\n".join(lines) + "\n"


@contextmanager
def _snapshot(pool: ConnectionPool[Any]) -> Iterator[Connection]:
    try:
        with pool.connection() as connection, connection.transaction():
            connection.execute(query("views", "snapshot").encode())
            yield connection
    except psycopg.OperationalError as error:
        raise BusyError(f"the database does not answer: {error}") from error


def _rows(connection: Connection, name: str) -> list[Any]:
    """Return a query's rows, none while nothing was built here yet."""
    try:
        with connection.transaction():
            return connection.execute(query("builds", name).encode()).fetchall()
    except psycopg.errors.UndefinedTable:
        return []
