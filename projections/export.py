"""Read models and the log as open tables: Parquet and SQLite files that other programs read.

A file holds one position of the log and says which. Beside the rows stand notes: what each column
holds, and its unit. In SQLite they are the tables `about` and `columns`; in Parquet, which holds
one table a file, they are the file's own key-value metadata.

DuckDB writes the Parquet. It is the smallest library that does (24 MB, and nothing below it;
pyarrow has 55 MB, fastparquet needs pandas and numpy).
"""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import duckdb
import orjson
from psycopg import sql
from psycopg.types.string import TextLoader

from ledger.entry import parse_entry
from ledger.errors import FormatError, MingzhangError, NotFoundError
from projections.asof import Wanted
from projections.batch import Connection
from projections.catalogue import MODELS
from projections.columns import Column, Id, Note, columns_of
from projections.fold import AsOf, ReadModel, Table
from projections.snapshot import Snapshot
from projections.sql import query
from projections.views import Views

LOG = "log"
SUFFIXES = (".parquet", ".sqlite")
PAGE_ROWS = 5_000


class EntryRow(NamedTuple):
    """An entry of the log, taken apart."""

    log_index: Annotated[int, Note("Place in the log, from 0.")]
    recorded_at: Annotated[str, Note("When it was recorded, RFC 3339 in UTC.")]
    stream: Annotated[str, Note("What it is about, such as member/m-1.")]
    seq: Annotated[int, Note("Place in the stream, from 1.")]
    type: Annotated[str, Note("The statement's type, such as points.awarded.")]
    id: Id
    actor: Annotated[str, Note("Who made the statement.")]
    signed_at: Annotated[str, Note("When the actor says to have signed, RFC 3339 in UTC.")]
    keyids: Annotated[str, Note("Key ids of all who signed, with a comma between.")]
    body: Annotated[str, Note("What the statement says, JSON. Points are 1/100 point.")]
    leaf_hash: Annotated[str, Note("SHA-256 of the leaf (RFC 6962), hex.")]
    size_bytes: Annotated[int, Note("Length of the entry, the leaf's data.", "bytes")]


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table to write: name, columns and rows, whose values are str, int, bool or None."""

    name: str
    columns: tuple[Column, ...]
    rows: Iterable[Sequence[Any]]


def names(models: Sequence[ReadModel] = MODELS) -> list[str]:
    """Return what can be exported: the log, read models, and single tables of theirs."""
    found = [LOG]
    for model in models:
        found += [model.name, *(f"{model.name}.{each.name}" for each in model.tables)]
    return found


def export(
    views: Views,
    name: str,
    path: Path,
    as_of: Wanted | None = None,
    models: Sequence[ReadModel] = MODELS,
) -> AsOf:
    """Write `name` (one of `names`) to a new .parquet or .sqlite file, whole or not at all.

    Returns the position that it holds for. Raises NotFoundError for another name, FormatError for
    another kind of file or several tables for one Parquet file, and what `Views` raises.
    """
    model, tables = _chosen(name, models)
    if as_of is not None and not all(each.past for each in tables):
        raise FormatError(f"{name} is kept for the newest size only: leave --as-of out")
    if path.suffix not in SUFFIXES:
        raise FormatError(f"{path} is neither .parquet nor .sqlite: the name says what to write")
    if path.suffix == ".parquet" and len(tables) > 1:
        listed = ", ".join(f"{name}.{each.name}" for each in tables)
        raise FormatError(f"a Parquet file holds one table, {name} has several: name {listed}")

    def write(at: Snapshot) -> AsOf:
        sheets = [_sheet(at, model, each) for each in tables] if tables else [_log_sheet(at)]
        about = {
            "table": name,
            "log": _origin(at.connection),
            "log_size": str(at.as_of.size),
            "recorded_at": at.as_of.recorded_at,
            "not_counted": ", ".join(at.as_of.parked),
        }
        with _written(path) as scratch:
            (_sqlite if path.suffix == ".sqlite" else _parquet)(scratch, sheets, about)
        return at.as_of

    return views.read(model, write, as_of)


def _chosen(name: str, models: Sequence[ReadModel]) -> tuple[ReadModel, tuple[Table[Any], ...]]:
    """Return a model with the tables that are named, none for the log itself."""
    if name == LOG:
        return models[0], ()
    for model in models:
        if name == model.name:
            return model, tuple(each for each in model.tables if each.past)
        for table in model.tables:
            if name == f"{model.name}.{table.name}":
                return model, (table,)
    raise NotFoundError(f"no table {name!r}: there are {', '.join(names(models))}")


def _sheet(at: Snapshot, model: ReadModel, table: Table[Any]) -> Sheet:
    statement = sql.SQL(query("views", "table" if table.past else "newest_table")).format(
        columns=sql.SQL(", ").join(map(sql.Identifier, table.columns)),
        key=sql.SQL(", ").join(map(sql.Identifier, table.columns[: table.key_size])),
        table=sql.Identifier(model.table_name(table, at.build)),
    )
    return Sheet(table.name, table.described, _pages(at, statement, {"size": at.as_of.size}))


def _log_sheet(at: Snapshot) -> Sheet:
    statement = sql.Composed([sql.SQL(query("views", "entries"))])
    found = _pages(at, statement, {"size": at.as_of.size})
    return Sheet(LOG, columns_of(EntryRow), (_entry_row(*each) for each in found))


def _entry_row(index: int, state: bytes, leaf: bytes) -> EntryRow:
    entry = parse_entry(bytes(state))
    statement = entry.statement
    return EntryRow(
        index,
        entry.recorded_at,
        entry.stream,
        entry.seq,
        statement.type,
        statement.id,
        statement.actor,
        statement.signed_at,
        ",".join([each.keyid for each in statement.signatures]),
        orjson.dumps(statement.body).decode(),
        bytes(leaf).hex(),
        len(state),
    )


def _pages(at: Snapshot, statement: sql.Composed, values: dict[str, Any]) -> Iterator[Any]:
    """Yield rows without holding all of them."""
    with at.connection.cursor("open_table") as cursor:
        cursor.itersize = PAGE_ROWS
        for name in ("uuid", "date"):
            cursor.adapters.register_loader(name, TextLoader)
        cursor.execute(statement, values)
        yield from cursor


def _origin(connection: Connection) -> str:
    found = connection.execute(query("views", "entry").encode(), (0,), binary=True).fetchone()
    return parse_entry(bytes(found[0])).statement.log if found else ""


@contextmanager
def _written(path: Path) -> Iterator[Path]:
    """Give a name beside `path` to write to, which then takes its place."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.name}.") as folder:
            scratch = Path(folder) / path.name
            yield scratch
            scratch.replace(path)
    except OSError as error:
        raise MingzhangError(f"cannot write {path}: {error.strerror}") from error


_SQLITE = {"bigint": "INTEGER", "boolean": "BOOLEAN", "date": "DATE"}
_DUCKDB = {"bigint": "BIGINT", "boolean": "BOOLEAN", "date": "DATE", "uuid": "UUID"}


def _sqlite(path: Path, sheets: Sequence[Sheet], about: dict[str, str]) -> None:
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("CREATE TABLE about (name TEXT PRIMARY KEY, value TEXT)")
        database.executemany("INSERT INTO about VALUES (?, ?)", about.items())
        database.execute(
            'CREATE TABLE columns ("table" TEXT, "column" TEXT, type TEXT, unit TEXT, note TEXT)'
        )
        for sheet in sheets:
            defined = ", ".join(
                f'"{each.name}" {_SQLITE.get(each.kind, "TEXT")}'
                f"{'' if each.nullable else ' NOT NULL'}"
                for each in sheet.columns
            )
            database.execute(f'CREATE TABLE "{sheet.name}" ({defined})')
            marks = ", ".join("?" * len(sheet.columns))
            database.executemany(
                f'INSERT INTO "{sheet.name}" VALUES ({marks})',  # noqa: S608 - our own names
                sheet.rows,
            )
            database.executemany(
                "INSERT INTO columns VALUES (?, ?, ?, ?, ?)",
                [(sheet.name, e.name, e.kind, e.unit, e.note) for e in sheet.columns],
            )


def _parquet(path: Path, sheets: Sequence[Sheet], about: dict[str, str]) -> None:
    (sheet,) = sheets
    notes = {
        each.name: {"note": each.note, "type": each.kind}
        | ({"unit": each.unit} if each.unit else {})
        for each in sheet.columns
    }
    kept = about | {"columns": orjson.dumps(notes).decode()}
    rows = path.with_suffix(".jsonl")
    names = [each.name for each in sheet.columns]
    with rows.open("wb") as file:
        for row in sheet.rows:
            line = dict(zip(names, row, strict=True))
            file.write(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))
    kinds = {each.name: _DUCKDB.get(each.kind, "VARCHAR") for each in sheet.columns}
    with duckdb.connect() as writer:
        writer.execute(
            f"COPY (SELECT * FROM read_json({_quoted(rows)}, format='newline_delimited', "  # noqa: S608
            f"columns={_struct(kinds)})) TO {_quoted(path)} "
            f"(FORMAT parquet, COMPRESSION zstd, KV_METADATA {_struct(kept)})"
        )


def _struct(values: dict[str, str]) -> str:
    """Write a struct of texts as DuckDB reads it."""
    return "{" + ", ".join(f"{_quoted(k)}: {_quoted(v)}" for k, v in values.items()) + "}"


def _quoted(value: object) -> str:
    text = str(value).replace("'", "''")
    return f"'{text}'"
