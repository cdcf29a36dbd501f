"""One batch of entries folded into the tables of one build: load, fold, save.

Every row of a table with a past carries the log sizes that it holds for: from `since` on, and
below `until`. The newest version of a row has UNTIL_NOW there. A fold knows nothing of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import orjson
import psycopg
from psycopg import sql

from ledger.domain.event import Event
from ledger.errors import ConflictError
from projections.fold import Group, Key, Need, Parked, R, ReadModel, Rows, Table
from projections.sql import query

UNTIL_NOW = 2**63 - 1

Connection = psycopg.Connection[Any]


class Build(NamedTuple):
    """Tables of a read model: their number, and how much of the log they hold."""

    model: ReadModel
    number: int
    size: int
    served: bool


class UnsaveableError(Exception):
    """The database does not take a row that a read model made of these entries."""

    def __init__(self, model: str, reason: Exception) -> None:
        super().__init__(str(reason))
        self.model = model
        self.reason = reason


class OvertakenError(ConflictError):
    """A parked entry cannot be folded late: what it touches has changed since."""

    def __init__(self, index: int, model: str) -> None:
        super().__init__(
            "overtaken",
            f"entry {index} touches rows that later entries have changed, so it can no longer be "
            f"folded in its place: run `mingzhang rebuild {model}`",
        )


class BatchRows(Rows):
    """The rows that a batch may touch: those that were loaded, and those put since.

    They may be handed to the next batch, as long as nobody else has changed the build: what was
    loaded once is known then.

    With `late` the entries are older than the build's position: a row that has changed since one
    of them may be neither read nor put for it.
    """

    def __init__(self, model: ReadModel, *, late: bool = False) -> None:
        super().__init__(model.tables)
        self._model = model.name
        self._late = late
        self._index = 0
        self._since: dict[str, dict[Key, int]] = {name: {} for name in self._rows}
        self._versions: dict[str, dict[Key, list[tuple[int, Any]]]] = {
            name: {} for name in self._rows
        }
        self._wholes: set[str] = set()
        self._known_groups: dict[str, set[Any]] = {name: set() for name in self._groups}

    def __len__(self) -> int:
        return sum(map(len, self._rows.values()))

    def get(self, table: Table[R], key: Key) -> R | None:
        """Return the row of `key`. Raises LookupError if the model's `needs` did not name it."""
        known = self._rows[table.name]
        if key not in known:
            if table.name in self._wholes:
                return None
            raise LookupError(f"row {key!r} of {table.name} is read but was not named as needed")
        if self._late:
            self._check(table, key)
        row: R | None = known[key]
        return row

    def some(self, table: Table[R], value: Any) -> list[R]:
        """Return a group's rows. Raises LookupError if the model's `needs` did not name it."""
        if value not in self._known_groups[table.name] and table.name not in self._wholes:
            raise LookupError(f"group {value!r} of {table.name} is read but was not named")
        return super().some(table, value)

    def _forget(self, table: Table[Any], key: Key) -> None:
        self._rows[table.name][key] = None

    def begin(self, index: int) -> None:
        """Begin with the entry `index`."""
        self._index = index

    def keep(self) -> None:
        """Keep what was put for the entry in hand: it holds from the size just after it."""
        since = self._index + 1
        undo = self._undo
        if len(undo) > 1:
            firsts = {(table.name, key): (table, key, before) for table, key, before in undo[::-1]}
            undo = list(firsts.values())
        for table, key, before in undo:
            row = self._rows[table.name][key]
            if self._late:
                self._check(table, key)
            if row == before:
                continue
            versions = self._versions[table.name].setdefault(key, [])
            if versions and (versions[-1][0] == since or not table.past):
                versions.pop()
            versions.append((since, row))
        self._undo.clear()

    def park(self, stream: str, index: int, error: Exception | None) -> None:
        """Take back what was put for the entry in hand, and park it."""
        if isinstance(error, OvertakenError):
            raise error
        super().park(stream, index, error)

    def wanted_groups(self, needs: Iterable[Need]) -> dict[str, dict[Any, None]]:
        """Return the groups that are needed and not known yet, by table."""
        wanted: dict[str, dict[Any, None]] = {}
        for each in needs:
            if isinstance(each, Group) and each.value not in self._known_groups[each.table.name]:
                wanted.setdefault(each.table.name, {})[each.value] = None
        return wanted

    def wanted(self, needs: Iterable[Need]) -> dict[str, dict[Key, None]]:
        """Return the keys that are needed and not known yet, by table."""
        wanted: dict[str, dict[Key, None]] = {}
        for each in needs:
            if isinstance(each, Group):
                continue
            table, key = each
            if key not in self._rows[table.name] and table.name not in self._wholes:
                wanted.setdefault(table.name, {})[key] = None
        return wanted

    def load_groups(
        self, table: Table[Any], values: Iterable[Any], found: Iterable[Sequence[Any]]
    ) -> None:
        """Take over all that the database holds of groups; rows known already are the newer."""
        known = self._rows[table.name]
        self._take(table, (row for row in found if table.key(row[:-1]) not in known))
        self._known_groups[table.name].update(values)

    def load_whole(self, table: Table[Any], found: Iterable[Sequence[Any]]) -> None:
        """Take over all that the database holds of a table."""
        self._take(table, found)
        self._wholes.add(table.name)

    def lacks(self, table: Table[Any]) -> bool:
        """Tell whether a table was not loaded wholly."""
        return table.name not in self._wholes

    def load(self, table: Table[Any], keys: Iterable[Key], found: Iterable[Sequence[Any]]) -> None:
        """Take over what the database holds for `keys`: rows, each with its `since` at the end.

        What is not found is absent there.
        """
        self._rows[table.name].update(dict.fromkeys(keys))
        self._take(table, found)

    def _take(self, table: Table[Any], found: Iterable[Sequence[Any]]) -> None:
        known, since = self._rows[table.name], self._since[table.name]
        make, group = table.row._make, table.group
        for *values, begun in found:
            row = make(values)
            key = table.key(row)
            if group is not None:
                self._regroup(table, key, known.get(key), row)
            known[key] = row
            since[key] = begun

    def settle(self) -> None:
        """Begin anew behind a batch whose changes were written."""
        for name, versions in self._versions.items():
            since = self._since[name]
            for key, each in versions.items():
                if each and each[-1][1] is None:
                    since.pop(key, None)
                elif each:
                    since[key] = each[-1][0]
            versions.clear()
        self.parked.clear()

    def changes(self, table: Table[Any]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """Return what ends: keys with the size `until`; and what begins: rows with both sizes.

        Of a table without a past, what ends is what was dropped.
        """
        ended, begun = [], []
        columns, loaded = table.columns, self._since[table.name]
        for key, versions in self._versions[table.name].items():
            if not versions:
                continue
            dropped = versions[-1][1] is None
            if key in loaded and (table.past or dropped):
                parts = key if table.key_size > 1 else (key,)
                ended.append(dict(zip(columns, parts, strict=False)) | {"until": versions[0][0]})
            if dropped:
                continue
            ends = [since for since, _ in versions[1:]] + [UNTIL_NOW]
            for (since, row), until in zip(versions, ends, strict=True):
                begun.append(
                    dict(zip(columns, row, strict=True)) | {"since": since, "until": until}
                )
        return ended, begun

    def _check(self, table: Table[Any], key: Key) -> None:
        if self._since[table.name].get(key, 0) > self._index + 1:
            raise OvertakenError(self._index, self._model)


def fold_batch(
    connection: Connection,
    build: Build,
    events: Sequence[Event],
    parked: Iterable[str],
    refused: UnsaveableError | None = None,
    *,
    late: bool = False,
    rows: BatchRows | None = None,
) -> list[Parked]:
    """Fold events into a build within the caller's transaction; return what must be parked.

    `rows` are those of the batch before, or new ones of the build's model. `parked` are the streams
    that are parked already. With `refused` the events are taken as poisoned by that error. Raises
    UnsaveableError where the database does not take what was folded, and OvertakenError for events
    that come too `late`.
    """
    model = build.model
    mine = [each for each in events if each.proposal.stream.partition("/")[0] in model.kinds]
    rows = BatchRows(model, late=late) if rows is None else rows
    rows.parked.update({each: [] for each in parked})
    if refused is None:
        for table in model.whole:
            if rows.lacks(table):
                rows.load_whole(table, _found(connection, "load_whole", build, table))
        _load(connection, build, rows, mine, model.needs)
        while _load(connection, build, rows, mine, lambda event: model.needs_more(event, rows)):
            pass
        model.fold_all(mine, rows)
        try:
            # The database writes what was folded while `finish` works out what follows from it.
            with connection.pipeline():
                _save(connection, build, rows, (each for each in model.tables if each.past))
                if model.finish is not None and mine:
                    _finish(model.finish, rows, build, mine[-1].index, late=late)
                _save(connection, build, rows, (each for each in model.tables if not each.past))
        except (psycopg.DataError, psycopg.IntegrityError) as error:
            raise UnsaveableError(model.name, error) from error
    else:
        for each in mine:
            behind = each.proposal.stream in rows.parked
            rows.park(each.proposal.stream, each.index, None if behind else refused.reason)
    found = [each for entries in rows.parked.values() for each in entries]
    return sorted(found, key=lambda each: each.index)


def _load(
    connection: Connection,
    build: Build,
    rows: BatchRows,
    events: Iterable[Event],
    needs: Callable[[Event], Iterable[Need]],
) -> bool:
    """Load what is named and not known yet; return whether there was anything."""
    named: list[Need] = []
    for each in events:
        rows.begin(each.index)
        try:
            named += needs(each)
        except Exception:  # noqa: BLE001, S112 - the fold meets the same fault, and is parked
            continue
    groups = rows.wanted_groups(named)
    for table in build.model.tables:
        values = groups.get(table.name)
        if values:
            name = "load_groups" if table.past else "load_newest_groups"
            rows.load_groups(table, values, _found(connection, name, build, table, list(values)))
    wanted = rows.wanted(named)
    for table in build.model.tables:
        keys = wanted.get(table.name)
        if keys:
            columns = table.columns[: table.key_size]
            listed = [
                dict(zip(columns, key if table.key_size > 1 else (key,), strict=True))
                for key in keys
            ]
            name = "load_rows" if table.past else "load_newest_rows"
            given = orjson.dumps(listed).decode()
            rows.load(table, keys, _found(connection, name, build, table, given))
    return bool(groups or wanted)


def _found(
    connection: Connection, name: str, build: Build, table: Table[Any], *given: Any
) -> list[Any]:
    try:
        return connection.execute(_statement(name, build, table), given or None).fetchall()
    except psycopg.DataError as error:
        raise UnsaveableError(build.model.name, error) from error


def _finish(
    finish: Callable[[Rows], None], rows: BatchRows, build: Build, last: int, *, late: bool
) -> None:
    """Bring derived tables in line: what is put is of the whole batch, so none of it comes late."""
    rows.begin(UNTIL_NOW if late else last)
    try:
        finish(rows)
    except Exception as error:
        # It cannot tell which entry it stumbles over: the caller narrows that down.
        raise UnsaveableError(build.model.name, error) from error
    rows.begin(last)
    rows.keep()


def _save(
    connection: Connection, build: Build, rows: BatchRows, tables: Iterable[Table[Any]]
) -> None:
    for table in tables:
        ended, begun = rows.changes(table)
        if not table.past:
            if ended:
                _write(connection, "drop_newest_rows", build, table, ended)
            if begun:
                _write(connection, "save_newest_rows", build, table, begun)
            continue
        if ended:
            _write(connection, "end_rows", build, table, ended)
        if begun:
            _write(connection, "add_rows", build, table, begun)


def _write(
    connection: Connection,
    name: str,
    build: Build,
    table: Table[Any],
    listed: list[dict[str, Any]],
) -> None:
    connection.execute(_statement(name, build, table), (orjson.dumps(listed).decode(),))


def _statement(name: str, build: Build, table: Table[Any]) -> sql.Composed:
    columns = [sql.Identifier(each) for each in table.columns]
    comma = sql.SQL(", ")
    key = columns[: table.key_size]
    return sql.SQL(query("batch", name)).format(
        table=sql.Identifier(build.model.table_name(table, build.number)),
        key=comma.join(key),
        same=sql.SQL(" AND ").join(
            [sql.SQL("t.{} = wanted.{}").format(each, each) for each in key]
        ),
        group=sql.Identifier(table.group or table.columns[0]),
        names=comma.join(columns),
        columns=comma.join([sql.SQL("t.") + each for each in columns]),
        excluded=comma.join([sql.SQL("EXCLUDED.") + each for each in columns]),
    )
