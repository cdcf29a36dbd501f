"""What the database must hold of a journal: positions, and every row with its whole past."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from psycopg import sql

from ledger.store.postgres import Database
from projections.advance import open_connection
from projections.batch import UNTIL_NOW
from projections.catalogue import MODELS
from projections.fold import Key, ReadModel, Rows, Table
from projections.snapshot import Snapshot
from tests.support.journal import Journal


def history(model: ReadModel, journal: Journal, size: int) -> tuple[dict[str, list[Any]], Rows]:
    """Fold the first `size` entries one by one; return every version of every row, and the rows.

    The slow way: after each entry all rows are compared with those before.
    """
    rows = model.rows()
    lasting = [each for each in model.tables if each.past]
    known: dict[str, dict[Key, tuple[int, Any]]] = {each.name: {} for each in lasting}
    versions: dict[str, list[Any]] = {each.name: [] for each in model.tables}
    for event in journal.events()[:size]:
        model.fold_all([event], rows)
        for table in lasting:
            mine = known[table.name]
            for row in rows.all(table):
                key = table.key(row)
                since, before = mine.get(key, (0, None))
                if row != before:
                    if before is not None:
                        versions[table.name].append((*before, since, event.index + 1))
                    mine[key] = event.index + 1, row
    for table in lasting:
        for since, row in known[table.name].values():
            versions[table.name].append((*row, since, UNTIL_NOW))
    # What is derived does not depend on the batches: here all of it is made at once, at the end.
    derived = Rows(model.tables)
    model.fold_all(journal.events()[:size], derived)
    if model.finish is not None:
        model.finish(derived)
    for table in model.tables:
        if not table.past:
            versions[table.name] = list(derived.all(table))
    # A model whose tables have no past folds nothing without them.
    return versions, derived


def assert_folded(
    database: Database, journal: Journal, size: int, models: Sequence[ReadModel] = MODELS
) -> None:
    """Positions and every version of every row are those of a fold of the first `size` entries."""
    with open_connection(database.connect) as connection:
        for model in models:
            found = connection.execute(
                "SELECT number, size FROM mingzhang_views.build WHERE model = %s AND version = %s "
                "ORDER BY served DESC, number LIMIT 1",
                (model.name, model.version),
            ).fetchone()
            assert found is not None
            number, position = found
            assert position == size
            versions, rows = history(model, journal, size)
            for table in model.tables:
                held = stored(connection, model, table, number)
                mine, clean = map(repr, held), map(repr, map(tuple, versions[table.name]))
                assert_same(table.name, sorted(mine), sorted(clean))
            parked = connection.execute(
                "SELECT stream, log_index, error FROM mingzhang_views.parked "
                "WHERE model = %s AND number = %s ORDER BY log_index",
                (model.name, number),
            ).fetchall()
            named = sorted(
                (each[:3] for entries in rows.parked.values() for each in entries),
                key=lambda each: each[1],
            )
            assert parked == named, model.name


def assert_same(name: str, held: list[str], clean: list[str]) -> None:
    """Both lists are equal; else the first rows that only one of them has are shown."""
    if held != clean:
        extra = sorted(set(held) - set(clean))[:3]
        missing = sorted(set(clean) - set(held))[:3]
        raise AssertionError(f"{name}: {len(held)} rows for {len(clean)}: {extra} for {missing}")


def stored(connection: Any, model: ReadModel, table: Table[Any], number: int) -> list[Any]:
    """Return a table's rows, with their sizes where it has a past."""
    columns = [*table.columns, *(("since", "until") if table.past else ())]
    names = sql.SQL(", ").join([sql.Identifier(each) for each in columns])
    place = sql.Identifier("mingzhang_views", model.table_name(table, number))
    found = connection.execute(sql.SQL("SELECT {} FROM {}").format(names, place))
    return list(found.fetchall())


def rows_then(at: Snapshot, model: ReadModel, table: Table[Any]) -> list[Any]:
    """Return a table's rows as of a snapshot's size, without the sizes that they held for."""
    names = sql.SQL(", ").join([sql.Identifier(each) for each in table.columns])
    place = sql.Identifier("mingzhang_views", model.table_name(table, at.build))
    then = " WHERE since <= %(size)s AND until > %(size)s" if table.past else ""
    asked = sql.SQL("SELECT {} FROM {}" + then).format(names, place)
    found = at.connection.execute(asked, {"size": at.as_of.size}).fetchall()
    return [tuple(map(_as_folded, each)) for each in found]


def _as_folded(value: Any) -> Any:
    """Return a column's value as folds have it: identifiers and dates are text there."""
    return str(value) if isinstance(value, (UUID, date)) else value
