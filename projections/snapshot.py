"""One position of the log to answer a question from: all of its queries read the same snapshot."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple, TypeVar

import psycopg
from psycopg_pool import ConnectionPool

from ledger.entry import parse_entry
from ledger.errors import BusyError, NotFoundError
from ledger.log.merkle import Edge, peak_nodes
from ledger.store.tree import node_hashes
from projections import builds
from projections.asof import Wanted, check_same
from projections.fold import AsOf, ReadModel, recorded_at
from projections.sql import query

_TRIES = 5

A = TypeVar("A")
Connection = psycopg.Connection[Any]
Pool = ConnectionPool[Any]


class Snapshot(NamedTuple):
    """One position of the log: the build that is read, and what the answer holds for.

    `newest` says whether that is all that the build holds.
    """

    connection: Connection
    build: int
    as_of: AsOf
    newest: bool


def read(
    pool: Pool, model: ReadModel, answer: Callable[[Snapshot], A], as_of: Wanted | None = None
) -> A:
    """Return what `answer` reads from one snapshot of a model's tables, as of a position.

    Without `as_of` that is all that is folded. Raises BusyError while the database does not answer,
    the read model is being built or has not folded that much yet; NotFoundError where the log is
    not that long.
    """
    try:
        for _ in range(_TRIES):
            try:
                with _taken(pool, model, as_of) as snapshot:
                    return answer(snapshot)
            except psycopg.errors.UndefinedTable:
                # It was swapped between the snapshot and the question: a new one knows.
                continue
    except psycopg.OperationalError as error:
        raise BusyError(f"the database does not answer: {error}") from error
    raise NotFoundError(
        f"the read model {model.name} was never built here: start the service, which keeps it "
        "up to date"
    )


@contextmanager
def _taken(pool: Pool, model: ReadModel, wanted: Wanted | None) -> Iterator[Snapshot]:
    with pool.connection() as connection, connection.transaction():
        connection.execute(query("views", "snapshot").encode())
        found = builds.served(connection, model)
        if found is None:
            raise BusyError(
                f"the read model {model.name} is being built: try again when it has caught up, "
                "`mingzhang lag` shows how far it is"
            )
        build, position = found
        size = position.size
        if wanted is not None:
            size = wanted.resolve(size, lambda index: _entry(connection, index))
            _check_within(connection, model, size, position.size)
            if wanted.checkpoint is not None:
                origin, root = _origin(connection), _root(connection, size)
                check_same(wanted.checkpoint, origin, root)
        newest = size == position.size
        when = position.recorded_at
        if not newest:
            when = recorded_at(size - 1, _entry(connection, size - 1)) if size else ""
        parked = builds.parked_streams(connection, model.name, build, size)
        yield Snapshot(connection, build, AsOf(size, when, parked), newest)


def _check_within(connection: Connection, model: ReadModel, size: int, folded: int) -> None:
    if size <= folded:
        return
    (signed,) = connection.execute(query("views", "signed_size").encode()).fetchone() or (0,)
    if size > signed:
        raise NotFoundError(f"the log has no size {size}: {signed} entries are signed")
    raise BusyError(f"{model.name} holds {folded} entries of the {size} asked for: try again")


def _entry(connection: Connection, index: int) -> bytes:
    found = connection.execute(query("views", "entry").encode(), (index,), binary=True).fetchone()
    if found is None:
        raise NotFoundError(f"no entry {index} is recorded")
    return bytes(found[0])


def _origin(connection: Connection) -> str:
    """Return the log that the first entry was written for."""
    return parse_entry(_entry(connection, 0)).statement.log


def _root(connection: Connection, size: int) -> bytes:
    def rows(statement: str, values: Any) -> list[Any]:
        return connection.execute(statement.encode(), values, binary=True).fetchall()

    peaks = peak_nodes(size)
    hashes = node_hashes(rows, peaks)
    return Edge(size, tuple(hashes[each] for each in peaks)).root()
