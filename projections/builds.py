"""Builds of read models in the database: their tables, their positions, and which one is served.

A read model's version has one served build; a reader takes its snapshot, sees which one that is,
and reads its tables. Another build of the same version, or the first one of another version, is
filled beside it, and a swap is the change of two flags in one transaction. Tables of builds that
nobody is sent to any more are dropped afterwards, never while somebody still reads them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

import psycopg
from psycopg import sql

from projections.batch import Build, Connection
from projections.columns import Column
from projections.fold import AsOf, Parked, ReadModel, Table
from projections.sql import query


def set_up(connection: Connection, models: Collection[ReadModel]) -> None:
    """Make what is not in the database yet: a build, empty, of each model's version."""
    with connection.transaction():
        connection.execute(query("builds", "set_up_lock").encode())
        _forget_first_layout(connection)
        connection.execute(query("builds", "create").encode())
        for model in models:
            if not _builds(connection, model):
                create(connection, model)


def create(connection: Connection, model: ReadModel) -> Build:
    """Make a new build's tables, empty, in the caller's transaction."""
    (number,) = _one(connection, "add_build", model.name, model.version)
    build = Build(model, number, 0, served=False)
    for table in model.tables:
        _create_table(connection, build, table)
    indexes = query(model.name, "indexes", number)
    if indexes:
        connection.execute(indexes.encode())
    return build


def lock_followed(connection: Connection, models: Iterable[ReadModel]) -> list[Build]:
    """Return the build of each model that follows the log, none for one that is being swapped.

    It is the served one, or the first one while none is served. Nobody else moves them until the
    transaction ends.
    """
    by_name = {each.name: each for each in models}
    versions = [each.version for each in by_name.values()]
    found = connection.execute(
        query("builds", "lock_followed").encode(), (list(by_name), versions)
    ).fetchall()
    return [Build(by_name[name], *rest) for name, *rest in found]


def lock(connection: Connection, model: ReadModel) -> list[Build]:
    """Return all builds of a model's version, the oldest first, held until the transaction ends."""
    found = connection.execute(
        query("builds", "lock_version").encode(), (model.name, model.version)
    ).fetchall()
    return [Build(model, *row) for row in found]


def lock_one(connection: Connection, model: ReadModel, number: int) -> Build:
    """Return a build that is there for certain, held until the transaction ends."""
    size, served = _one(connection, "lock_one", model.name, number)
    return Build(model, number, size, served)


def unserved(connection: Connection, model: ReadModel) -> list[int]:
    """Return the builds of a model's version that are not served."""
    return [
        number
        for (number,) in connection.execute(
            query("builds", "unserved").encode(), (model.name, model.version)
        )
    ]


def move(connection: Connection, build: Build, position: AsOf) -> None:
    """Record that a build holds everything below a size."""
    connection.execute(
        query("builds", "move").encode(), (*position[:2], build.model.name, build.number)
    )


def serve(connection: Connection, build: Build) -> None:
    """Send every reader whose snapshot comes after the caller's transaction to this build."""
    model = build.model
    connection.execute(query("builds", "unserve").encode(), (model.name, model.version))
    connection.execute(query("builds", "serve").encode(), (model.name, build.number))


def served(connection: Connection, model: ReadModel) -> tuple[int, AsOf] | None:
    """Return number and position of the served build of a model's version, None without one."""
    found = connection.execute(
        query("builds", "served").encode(), (model.name, model.version)
    ).fetchone()
    return (found[0], AsOf(*found[1:])) if found else None


def retire(connection: Connection, model: ReadModel) -> int:
    """Drop older builds than the served one and return how many are left because of readers.

    Builds of newer versions stay: the process that runs this may be the one that is too old.
    """
    left = 0
    stale = connection.execute(
        query("builds", "stale").encode(), (model.name, model.version)
    ).fetchall()
    for (number,) in stale:
        left += not drop(connection, model.name, number)
    return left


def drop(connection: Connection, model: str, number: int) -> bool:
    """Drop a build that is not served; return False if somebody still reads it."""
    try:
        with connection.transaction():
            # Without waiting: a reader who holds one table and asks for the next must not be held.
            tables = [
                sql.Identifier("mingzhang_views", name)
                for (name,) in connection.execute(
                    query("builds", "tables_of").encode(), (f"^{model}_{number}_",)
                )
            ]
            if tables:
                listed = sql.SQL(", ").join(tables)
                connection.execute(sql.SQL(query("builds", "lock_tables")).format(tables=listed))
                connection.execute(sql.SQL(query("builds", "drop_tables")).format(tables=listed))
            connection.execute(query("builds", "forget_parked").encode(), (model, number))
            connection.execute(query("builds", "forget").encode(), (model, number))
    except (psycopg.errors.LockNotAvailable, psycopg.errors.UndefinedTable):
        return False
    return True


def park(connection: Connection, build: Build, parked: Iterable[Parked]) -> None:
    """Record entries that are not folded into a build."""
    with connection.cursor() as cursor:
        # PostgreSQL's text takes no NUL, which an error may quote.
        cursor.executemany(
            query("builds", "park").encode(),
            [
                (build.model.name, build.number, *each[:3], each.message.replace("\0", "")[:500])
                for each in parked
            ],
        )


def parked_streams(
    connection: Connection, model: str, number: int, size: int | None = None
) -> tuple[str, ...]:
    """Return the streams with entries that a build lacks, below a size if one is given."""
    found = connection.execute(
        query("builds", "parked_streams").encode(), (model, number, size, size)
    )
    return tuple(stream for (stream,) in found)


def parked_entries(connection: Connection, build: Build, stream: str) -> list[int]:
    """Return the indexes of a stream's parked entries, in order; nobody else unparks them now."""
    found = connection.execute(
        query("builds", "parked_entries").encode(), (build.model.name, build.number, stream)
    )
    return [index for (index,) in found]


def unpark(connection: Connection, build: Build, stream: str) -> None:
    """Forget that a stream's entries were parked."""
    connection.execute(query("builds", "unpark").encode(), (build.model.name, build.number, stream))


def _builds(connection: Connection, model: ReadModel) -> list[Any]:
    return connection.execute(
        query("builds", "of_version").encode(), (model.name, model.version)
    ).fetchall()


def _one(connection: Connection, name: str, *values: Any) -> tuple[Any, ...]:
    found = connection.execute(query("builds", name).encode(), values).fetchone()
    assert found is not None  # noqa: S101 - the query returns a row always
    return tuple(found)


def _create_table(connection: Connection, build: Build, table: Table[Any]) -> None:
    comma = sql.SQL(", ")
    place = sql.Identifier(build.model.table_name(table, build.number))
    key = [sql.Identifier(each) for each in table.columns[: table.key_size]]
    if table.past:
        key.append(sql.Identifier("until"))
    statement = sql.SQL(query("builds", "create_table" if table.past else "create_newest_table"))
    connection.execute(
        statement.format(
            table=place, columns=comma.join(map(_defined, table.described)), key=comma.join(key)
        )
    )
    for each in table.described:
        text = f"{each.note} [{each.unit}]" if each.unit else each.note
        connection.execute(
            sql.SQL(query("builds", "comment")).format(
                table=place, column=sql.Identifier(each.name), text=sql.Literal(text)
            )
        )


def _defined(column: Column) -> sql.Composed:
    # Byte order, so that ids stand in the same order here as in a replay.
    kind = 'text COLLATE "C"' if column.kind == "text" else column.kind
    return sql.SQL("{} {}{}").format(
        sql.Identifier(column.name),
        sql.SQL(kind),
        sql.SQL("" if column.nullable else " NOT NULL"),
    )


def _forget_first_layout(connection: Connection) -> None:
    """Drop the tables of release 0.1, whose rows had no past; they are built again."""
    found = connection.execute(query("builds", "first_layout").encode()).fetchall()
    if found:
        listed = sql.SQL(", ").join([sql.Identifier("mingzhang_views", name) for (name,) in found])
        connection.execute(sql.SQL(query("builds", "drop_tables")).format(tables=listed))
