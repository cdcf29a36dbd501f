"""Open tables: what the files hold, and every example of the page that explains them."""

from __future__ import annotations

import re
import shlex
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import duckdb
import orjson
import pytest
from psycopg_pool import ConnectionPool

from ledger.entry import parse_entry
from ledger.errors import FormatError, NotFoundError
from ledger.log.merkle import leaf_hash
from ledger.store.ledger import Ledger
from ledger.store.postgres import Database
from ledger.store.reader import Reader
from ledger.store.table import EntryTable
from projections import export
from projections.asof import parse_as_of
from projections.catalogue import MODELS
from projections.columns import POINTS
from projections.fold import Rows
from projections.runner import Runner
from projections.views import Views
from tests.support.clock import SteadyClock
from tests.support.database import set_up
from tests.support.journal import Journal, random_journal
from tests.support.organisation import ORIGIN, Organisation
from tests.support.server import environment, mingzhang

PAGE = Path(__file__).parents[3] / "ops" / "open-tables.md"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PROGRAMS = [text for language, text in BLOCK.findall(PAGE.read_text()) if language == "python"]
SIZE = 500
NOTES = (
    f"quantity | 1/100 | How many units of the item.\n"
    f"points | {POINTS} | What reviewers signed for a unit of it.\n23\n"
)
ABOUT = (
    f"rankings.act of {ORIGIN}\n"
    f"{{'note': 'What reviewers signed for a unit of it.', 'type': 'bigint', 'unit': '{POINTS}'}}\n"
)
SHOWN = [
    NOTES,
    ABOUT,
    "[('m-1', 1.5), ('m-2', 1.0), ('m-3', -0.5)]\n",
    "[('m-1', 'ranked', 0.0, 1.5, 0.0, 1.5)]\n",
    "rec-1 points.awarded 2\nrec-1 points.corrected 1\nrec-1 points.deducted 1\n",
    "[('C-1', 2)]\n",
    "{'final': 3, 'reversed': 1}\n",
    "{'points.awarded': 2, 'points.corrected': 1, 'points.deducted': 1}\n",
    "2 entries are new\n",
    "member,act_date,kind,item,points\n",
]


@pytest.fixture
def journal(database: Database, pool: ConnectionPool[Any], table: EntryTable) -> Journal:
    journal = random_journal(seed=60, size=SIZE)
    journal.store(table)
    Runner(database.connect, Reader(pool).size, batch_entries=90).catch_up()
    return journal


def folded(journal: Journal, size: int) -> Iterator[tuple[str, list[tuple[Any, ...]]]]:
    """Yield every table of every read model, `MODEL.TABLE`, with its rows at a size."""
    for model in MODELS:
        rows = Rows(model.tables)
        model.fold_all(journal.events()[:size], rows)
        if model.finish is not None:
            model.finish(rows)
        for table in model.tables:
            yield f"{model.name}.{table.name}", sorted(map(tuple, rows.all(table)), key=repr)


PRESENT = {"rankings.score", "rankings.reach", "terms.entry", "terms.figure"}
"""Tables that are kept for the present alone."""


@pytest.mark.parametrize("size", [None, 333])
def test_every_table_is_written_as_it_is_folded(
    journal: Journal, pool: ConnectionPool[Any], tmp_path: Path, size: int | None
) -> None:
    views, asked = Views(pool), parse_as_of(str(size)) if size else None
    for name, rows in folded(journal, size or SIZE):
        if size and name in PRESENT:
            continue
        for suffix in export.SUFFIXES:
            path = tmp_path / f"{name}{suffix}"
            assert export.export(views, name, path, asked).size == (size or SIZE)
            assert sorted(read(path, name.partition(".")[2]), key=repr) == rows
    assert sorted(each.suffix for each in tmp_path.iterdir()) == sorted(
        [*export.SUFFIXES] * (len(list(tmp_path.iterdir())) // 2)
    )


def read(path: Path, table: str) -> list[tuple[Any, ...]]:
    if path.suffix == ".parquet":
        found = duckdb.execute(f"SELECT COLUMNS(*) FROM '{path}'")
        # Dates and UUIDs have types of their own there, and none in a row.
        plain = (str, int, bool, type(None))
        return [
            tuple(each if isinstance(each, plain) else str(each) for each in row)
            for row in found.fetchall()
        ]
    with closing(sqlite3.connect(path)) as database:
        kinds = database.execute(
            'SELECT type FROM columns WHERE "table" = ? ORDER BY rowid', (table,)
        ).fetchall()
        rows = database.execute(f"SELECT * FROM {table}").fetchall()
    flags = [kind == "boolean" for (kind,) in kinds]
    return [
        tuple(
            bool(each) if flag and each is not None else each
            for each, flag in zip(row, flags, strict=True)
        )
        for row in rows
    ]


def test_the_log_is_written_whole(
    journal: Journal, pool: ConnectionPool[Any], tmp_path: Path
) -> None:
    for suffix in export.SUFFIXES:
        path = tmp_path / f"log{suffix}"
        export.export(Views(pool), "log", path)
        rows = sorted(read(path, "log"))
        assert len(rows) == SIZE
        for row, data in zip(rows, journal.entries, strict=True):
            entry = parse_entry(data)
            assert row[2:6] == (entry.stream, entry.seq, entry.statement.type, entry.statement.id)
            assert orjson.loads(row[9]) == entry.statement.body
            assert row[10:] == (leaf_hash(data).hex(), len(data))


def test_a_file_says_what_it_is(
    journal: Journal, pool: ConnectionPool[Any], tmp_path: Path
) -> None:
    path = tmp_path / "rankings.sqlite"
    export.export(Views(pool), "rankings", path, parse_as_of("333"))
    with closing(sqlite3.connect(path)) as database:
        assert dict(database.execute("SELECT * FROM about")) == {
            "table": "rankings",
            "log": ORIGIN,
            "log_size": "333",
            "recorded_at": journal.events()[332].recorded_at,
            "not_counted": "",
        }
        noted = {table for (table,) in database.execute('SELECT "table" FROM columns')}
    assert noted == {"unit", "member", "frame", "act"}


def test_what_cannot_be_written_leaves_an_older_file_alone(
    journal: Journal, pool: ConnectionPool[Any], tmp_path: Path
) -> None:
    views, path = Views(pool), tmp_path / "kept.parquet"
    path.write_bytes(b"older")
    with pytest.raises(NotFoundError, match=r"no table 'acts': there are log, rankings, "):
        export.export(views, "acts", path)
    with pytest.raises(FormatError, match="holds one table"):
        export.export(views, "rankings", path)
    with pytest.raises(FormatError, match=r"neither \.parquet nor \.sqlite"):
        export.export(views, "log", tmp_path / "log.csv")
    with pytest.raises(FormatError, match="newest size only"):
        export.export(views, "rankings.score", path, parse_as_of("10"))
    with pytest.raises(NotFoundError, match="no size 501"):
        export.export(views, "log", path, parse_as_of("501"))
    assert path.read_bytes() == b"older"
    assert [each.name for each in tmp_path.iterdir() if each.is_file()] == ["kept.parquet"]


def test_texts_come_through_whatever_they_hold(
    database: Database, pool: ConnectionPool[Any], table: EntryTable, tmp_path: Path
) -> None:
    journal = Journal()
    names = ["it's", 'a "b", c', "二, 行", "", "\\N", "NULL", "{}"]
    for number, name in enumerate(names):
        journal.unit(f"u-{number}", name_zh=name)
    journal.store(table)
    Runner(database.connect, Reader(pool).size).catch_up()
    for suffix in export.SUFFIXES:
        path = tmp_path / f"units{suffix}"
        export.export(Views(pool), "rankings.unit", path)
        assert [row[4] for row in sorted(read(path, "unit"))] == names


@pytest.fixture
def folder(
    ledger: Ledger,
    clock: SteadyClock,
    tmp_path: Path,
    database_url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> Path:
    """A folder in which the commands of the page have been run."""
    organisation = Organisation()
    award = organisation.new_id()
    envelopes = [
        organisation.award("m-1", 200, ident=award, signers=("rec-1", "com-1")),
        organisation.award("m-2", 100),
        organisation.award("m-3", 50, kind="points.deducted"),
        organisation.correction("m-1", award, 150),
    ]
    set_up(ledger, organisation, clock)
    for envelope in envelopes:
        ledger.append(envelope)
    (commands,) = [text for language, text in BLOCK.findall(PAGE.read_text()) if language == "sh"]
    folder = tmp_path / "tables"
    folder.mkdir()
    monkeypatch.chdir(folder)
    env = environment(database_url) | {"MINGZHANG_DATA": str(tmp_path / "data")}
    for line in commands.splitlines():
        program, *words = shlex.split(line)
        assert program == "mingzhang"
        done = mingzhang(*words, env=env)
        assert done.returncode == 0, done.stderr
        assert done.stdout.startswith("wrote ")
    return folder


def test_every_example_of_the_page_runs(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert len(PROGRAMS) == len(SHOWN)
    for program, shown in zip(PROGRAMS, SHOWN, strict=True):
        names: dict[str, Any] = {"__name__": "page"}
        exec(compile(program, str(PAGE), "exec"), names)  # noqa: S102 - our own page
        assert capsys.readouterr().out == shown
        for each in names.values():
            if isinstance(each, sqlite3.Connection):
                each.close()
    assert (folder / "acts.csv").read_text().count("\n") == 5
