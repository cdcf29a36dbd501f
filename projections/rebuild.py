"""Builds a read model's tables once more beside the served ones, and retries what was parked.

A rebuild that is killed leaves a build that nobody is sent to; the next one drops it and begins
anew. The swap is one transaction, in which the new build holds at least as much of the log as the
old one, so that no reader ever goes back.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import psycopg

from ledger.errors import BusyError, ConflictError, NotFoundError
from projections import builds
from projections.advance import BATCH_ENTRIES, Advance, Busy, open_connection
from projections.batch import BatchRows, Build, Connection, UnsaveableError
from projections.fold import BEHIND, ReadModel, read_events
from projections.folding import Batch
from projections.sql import query

RETIRE_S = 10.0
"""How long the old tables' last readers are waited for; the runner drops them later."""

Progress = Callable[[int, int], None]
"""Told how many entries are folded, and of how many."""


def rebuild(
    connect: Callable[[], Connection],
    signed_size: Callable[[], int],
    model: ReadModel,
    progress: Progress = lambda done, total: None,
    *,
    batch_entries: int = BATCH_ENTRIES,
    retire_s: float = RETIRE_S,
) -> Build:
    """Fill a new build of `model` beside the served one, swap, and drop the old one's tables.

    Returns the build that is served then. Raises BusyError if another process rebuilds the model
    or the database does not answer.
    """
    try:
        with open_connection(connect) as connection:
            builds.set_up(connection, [model])
            # A lock of the session: it goes with a process that is killed.
            (alone,) = connection.execute(
                query("builds", "rebuild_lock").encode(), (model.name,)
            ).fetchone() or (False,)
            if not alone:
                raise BusyError(f"another process rebuilds {model.name}: wait for it")
            built = _rebuild(connection, signed_size, model, progress, batch_entries)
            end_s = time.monotonic() + retire_s
            while builds.retire(connection, model) and time.monotonic() < end_s:
                time.sleep(0.1)
            return built
    except psycopg.OperationalError as error:
        raise BusyError(f"the database does not answer: {error}") from error


def _rebuild(
    connection: Connection,
    signed_size: Callable[[], int],
    model: ReadModel,
    progress: Progress,
    batch_entries: int,
) -> Build:
    served = builds.served(connection, model)
    for number in builds.unserved(connection, model):
        # While none is served, the oldest is the one that the runner fills.
        if served is not None:
            builds.drop(connection, model.name, number)
    with connection.transaction():
        number = builds.create(connection, model).number
    advance = Advance([model], batch_entries)
    while True:
        target = signed_size()
        size = _attempt(connection, advance, model, number, target)
        if size is None:
            continue
        progress(size, target)
        if size >= target and (swapped := _swap(connection, advance, model, number)) is not None:
            return swapped


def _attempt(
    connection: Connection, advance: Advance, model: ReadModel, number: int, target: int
) -> int | None:
    """Fold one batch into build `number` and return its size, None if it must be tried again."""
    start = 0
    try:
        with connection.transaction():
            connection.execute(query("runner", "forget_sync").encode())
            mine = builds.lock_one(connection, model, number)
            start = mine.size
            size = advance.fold(connection, [mine], target)
    except Busy:
        return None
    except UnsaveableError as error:
        advance.narrow(error, start)
        return None
    advance.done()
    return size


def _swap(connection: Connection, advance: Advance, model: ReadModel, number: int) -> Build | None:
    """Serve build `number` unless it is behind the served one; None if it must be tried again."""
    start = 0
    try:
        with connection.transaction():
            held = builds.lock(connection, model)
            mine = next(each for each in held if each.number == number)
            # The runner went on meanwhile; while its build is held it stands still.
            while (start := mine.size) < max(each.size for each in held):
                size = advance.fold(connection, [mine], max(each.size for each in held))
                mine = mine._replace(size=size)
            builds.serve(connection, mine)
    except Busy:
        return None
    except UnsaveableError as error:
        # What was folded before it in this transaction is lost too; `_attempt` goes on from there.
        advance.narrow(error, start)
        return None
    advance.done()
    return mine._replace(served=True)


def unpark(connect: Callable[[], Connection], model: ReadModel, stream: str) -> int:
    """Fold a stream's parked entries into the served build, all or none, and return how many.

    They take the places in the past that they would have had. Raises NotFoundError if none is
    parked, ConflictError with the reason if one still cannot be folded, OvertakenError if only a
    rebuild can put them in their places, BusyError.
    """
    try:
        with open_connection(connect) as connection, connection.transaction():
            held = [each for each in builds.lock(connection, model) if each.served]
            indexes = builds.parked_entries(connection, held[0], stream) if held else []
            if not indexes:
                raise NotFoundError(f"nothing of {stream} is parked in {model.name}")
            entries = connection.execute(
                query("runner", "entries_at").encode(), (indexes,), binary=True
            )
            batch = Batch(connection, held[0], BatchRows(model, late=True))
            batch.fold(read_events(entries, model.kinds))
            for each in batch.finish():
                if each.error != BEHIND:
                    raise ConflictError(
                        "still-poisoned",
                        f"entry {each.index} still cannot be folded into {model.name}: "
                        f"{each.error}: {each.message}",
                    )
            builds.unpark(connection, held[0], stream)
            return len(indexes)
    except UnsaveableError as error:
        raise ConflictError(
            "still-poisoned", f"{stream} still cannot be saved in {model.name}: {error}"
        ) from error
    except psycopg.OperationalError as error:
        raise BusyError(f"the database does not answer: {error}") from error
