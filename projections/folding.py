"""One batch of entries folded into the tables of one build: load, fold, save.

New rows go in by COPY, which costs the server a third of an INSERT; and while rows are still being
sent, it stores those before them. What they replace is ended first, or deleted where a table keeps
no past.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

import orjson
import psycopg
from psycopg import sql

from ledger.domain.event import Event
from projections.batch import UNTIL_NOW, BatchRows, Build, Connection, UnsaveableError
from projections.fold import Need, Parked, Table
from projections.sql import query


class Batch:
    """Folds entries into a build, portion by portion, within the caller's transaction.

    `rows` are those of the batch before, or new ones of the build's model; `parked` are the streams
    that are parked already. With `refused` the entries are taken as poisoned by that error. Its
    methods raise UnsaveableError where the database does not take what was folded, and
    OvertakenError for entries that come too late.
    """

    def __init__(
        self,
        connection: Connection,
        build: Build,
        rows: BatchRows,
        parked: Iterable[str] = (),
        refused: UnsaveableError | None = None,
    ) -> None:
        self.build = build
        self.rows = rows
        self._connection = connection
        self._refused = refused
        self._last: int | None = None
        rows.parked.clear()
        rows.parked.update({each: [] for each in parked})

    def fold(self, events: Iterable[Event]) -> None:
        """Fold the next events, and write the rows that keep a past."""
        model, rows = self.build.model, self.rows
        mine = [each for each in events if each.proposal.stream.partition("/")[0] in model.kinds]
        if not mine:
            return
        if self._refused is not None:
            for each in mine:
                behind = each.proposal.stream in rows.parked
                rows.park(
                    each.proposal.stream, each.index, None if behind else self._refused.reason
                )
            return
        self._load(mine)
        model.fold_all(mine, rows)
        self._last = mine[-1].index
        self._save(each for each in model.tables if each.past)

    def finish(self) -> list[Parked]:
        """Bring the tables without a past in line, and return what must be parked."""
        if self._last is not None:
            self._derive(self._last)
            self._save(each for each in self.build.model.tables if not each.past)
        found = [each for entries in self.rows.parked.values() for each in entries]
        return sorted(found, key=lambda each: each.index)

    def _load(self, events: Sequence[Event]) -> None:
        """Load what the model names for events, and then names because of that, until it is all."""
        model, rows = self.build.model, self.rows
        for table in model.whole:
            if rows.lacks(table):
                rows.load_whole(table, self._found("load_whole", table))
        met = dict.fromkeys(each.proposal.stream for each in events)
        streams = [each for each in met if each not in rows.streams]
        self._load_named([need for each in streams for need in model.stream_needs(each)])
        rows.streams.update(streams)
        self._load_named(self._named(events, model.needs))
        while self._load_named(self._named(events, lambda event: model.needs_more(event, rows))):
            pass

    def _named(
        self, events: Iterable[Event], needs: Callable[[Event], Iterable[Need]]
    ) -> list[Need]:
        named: list[Need] = []
        for each in events:
            self.rows.begin(each.index)
            try:
                named += needs(each)
            except Exception:  # noqa: BLE001, S112 - the fold meets the same fault, and is parked
                continue
        return named

    def _load_named(self, named: Sequence[Need]) -> bool:
        """Load what is not known yet; return whether there was anything."""
        rows, tables = self.rows, self.build.model.tables
        groups = rows.wanted_groups(named)
        for table in tables:
            values = groups.get(table.name)
            if values:
                name = "load_groups" if table.past else "load_newest_groups"
                rows.load_groups(table, values, self._found(name, table, list(values)))
        wanted = rows.wanted(named)
        for table in tables:
            keys = wanted.get(table.name)
            if keys:
                name = "load_rows" if table.past else "load_newest_rows"
                given = orjson.dumps([table.named(key) for key in keys]).decode()
                rows.load(table, keys, self._found(name, table, given))
        return bool(groups or wanted)

    def _found(self, name: str, table: Table[Any], *given: Any) -> list[Any]:
        with self._told():
            return self._connection.execute(self._statement(name, table), given or None).fetchall()

    def _derive(self, last: int) -> None:
        """Derive tables from others: what is put is of the whole batch, so none of it is late."""
        rows, finish = self.rows, self.build.model.finish
        if finish is None:
            return
        rows.begin(UNTIL_NOW if rows.late else last)
        try:
            finish(rows)
        except Exception as error:
            # It cannot tell which entry it stumbles over: the caller narrows that down.
            raise UnsaveableError(self.build.model.name, error) from error
        rows.begin(last)
        rows.keep()

    def _save(self, tables: Iterable[Table[Any]]) -> None:
        for table in tables:
            ended, begun = self.rows.changes(table)
            with self._told():
                if ended:
                    statement = self._statement("end_rows" if table.past else "drop_rows", table)
                    self._connection.execute(statement, (orjson.dumps(ended).decode(),))
                if begun:
                    statement = self._statement("add_rows" if table.past else "add_newest", table)
                    with self._connection.cursor() as cursor, cursor.copy(statement) as copy:
                        for row in begun:
                            copy.write_row(row)

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except (psycopg.DataError, psycopg.IntegrityError) as error:
            raise UnsaveableError(self.build.model.name, error) from error

    def _statement(self, name: str, table: Table[Any]) -> bytes:
        place = self.build.model.table_name(table, self.build.number)
        return _composed(name, place, table.columns, table.key_size, table.group or "")


@lru_cache(maxsize=1_000)
def _composed(name: str, place: str, columns: tuple[str, ...], key_size: int, group: str) -> bytes:
    """Return a statement of `sql/batch.sql` on the table `place`."""
    named, comma = [sql.Identifier(each) for each in columns], sql.SQL(", ")
    same = [sql.SQL("t.{} = wanted.{}").format(each, each) for each in named[:key_size]]
    return (
        sql.SQL(query("batch", name))
        .format(
            table=sql.Identifier(place),
            same=sql.SQL(" AND ").join(same),
            group=sql.Identifier(group or columns[0]),
            names=comma.join(named),
            columns=comma.join([sql.SQL("t.") + each for each in named]),
        )
        .as_bytes(None)
    )
