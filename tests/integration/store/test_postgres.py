"""What the database itself refuses, whoever asks: the log is append-only, contiguous and fenced."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from psycopg import errors

from ledger.log.merkle import leaf_hash
from ledger.log.receipt import parse
from ledger.store.postgres import Database, open_database
from tests.support.clock import SteadyClock
from tests.support.database import OpenLedger, set_up
from tests.support.organisation import Organisation
from tests.support.processes import await_that

ZERO = bytes(32)
TABLES = ["entry", "checkpoint", "tile", "head"]
INSERT = (
    "INSERT INTO mingzhang.entry (index, stream, seq, type, id, state, expected, note) "
    "VALUES (%s, %s, %s, 'test.made', %s, %s, %s, %s)"
)


@pytest.fixture
def database(tmp_path: Path, database_url: str) -> Iterator[Database]:
    opened = open_database(tmp_path, database_url)
    yield opened
    opened.close()


@pytest.fixture
def service(database: Database) -> Iterator[psycopg.Connection[Any]]:
    """A connection as the ledger's processes have it."""
    with database.connect() as connection:
        yield connection


@pytest.fixture
def owner(database: Database, database_url: str) -> Iterator[psycopg.Connection[Any]]:
    """A connection of the superuser."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        yield connection


def row(
    index: int,
    *,
    seq: int | None = None,
    state: bytes = b"state",
    expected: bytes | None = None,
    note: bytes | None = None,
) -> tuple[Any, ...]:
    """Return an entry's columns; `seq` in its stream is `index` + 1 unless given."""
    return (index, "unit/u", index + 1 if seq is None else seq, uuid4(), state, expected, note)


def append(connection: psycopg.Connection[Any], *rows: tuple[Any, ...]) -> None:
    """Insert a batch in one statement."""
    values = ", ".join(["(%s, %s, %s, 'test.made', %s, %s, %s, %s)"] * len(rows))
    statement = INSERT.rpartition("VALUES")[0] + "VALUES " + values
    connection.execute(statement.encode(), [value for each in rows for value in each])


def head(connection: psycopg.Connection[Any]) -> Any:
    return connection.execute("SELECT size, leaf FROM mingzhang.head").fetchone()


def test_the_database_makes_the_leaf_hash_itself(service: psycopg.Connection[Any]) -> None:
    append(service, row(0, state=b"one", expected=ZERO))
    found = service.execute("SELECT leaf FROM mingzhang.entry").fetchone()
    assert found == (leaf_hash(b"one"),)
    with pytest.raises(errors.GeneratedAlways):
        service.execute(
            "INSERT INTO mingzhang.entry (index, stream, seq, type, id, state, leaf, expected) "
            "VALUES (1, 'unit/u', 2, 't', gen_random_uuid(), 'x', %s, %s)",
            (ZERO, leaf_hash(b"one")),
        )


def test_the_head_moves_with_every_batch(service: psycopg.Connection[Any]) -> None:
    assert head(service) == (0, ZERO)
    append(service, row(0, state=b"a", expected=ZERO), row(1, state=b"b"), row(2, state=b"c"))
    assert head(service) == (3, leaf_hash(b"c"))
    append(service, row(3, state=b"d", expected=leaf_hash(b"c"), note=b"note 3"))
    assert head(service) == (4, leaf_hash(b"d"))
    found = service.execute("SELECT size, note FROM mingzhang.checkpoint").fetchall()
    assert found == [(3, b"note 3")]


@pytest.mark.parametrize(
    ("batch", "sqlstate"),
    [
        pytest.param([row(1, expected=ZERO, note=b"n")], "MZ002", id="leaves a gap before it"),
        pytest.param([row(0, expected=ZERO), row(2)], "MZ001", id="has a gap in it"),
        pytest.param([row(0, expected=leaf_hash(b"x"))], "MZ002", id="expects another head"),
        pytest.param([row(0)], "MZ001", id="has no fence"),
        pytest.param([row(0, expected=ZERO, note=b"n")], "MZ001", id="notes the empty log"),
        pytest.param([row(0, expected=ZERO), row(1, expected=ZERO)], "MZ001", id="has two fences"),
        pytest.param([row(0, expected=ZERO), row(1, note=b"n")], "MZ001", id="has a later note"),
        pytest.param([row(-1, expected=ZERO)], "23514", id="has a negative index"),
        pytest.param([row(0, seq=0, expected=ZERO)], "23514", id="has a seq of zero"),
        pytest.param([row(0, expected=ZERO[:31])], "23514", id="has a short fence"),
        pytest.param([row(0, state=bytes(65_536), expected=ZERO)], "23514", id="is too long"),
    ],
)
def test_a_batch_is_refused_if_it(
    service: psycopg.Connection[Any], batch: list[tuple[Any, ...]], sqlstate: str
) -> None:
    with pytest.raises(psycopg.Error) as refused:
        append(service, *batch)
    assert refused.value.sqlstate == sqlstate
    assert head(service) == (0, ZERO)
    assert service.execute("SELECT count(*) FROM mingzhang.entry").fetchone() == (0,)


def test_from_the_second_batch_on_the_note_is_needed(service: psycopg.Connection[Any]) -> None:
    append(service, row(0, state=b"a", expected=ZERO))
    with pytest.raises(psycopg.Error) as refused:
        append(service, row(1, expected=leaf_hash(b"a")))
    assert refused.value.sqlstate == "MZ001"


def test_rows_of_a_batch_may_come_in_any_order(service: psycopg.Connection[Any]) -> None:
    append(service, row(1, state=b"b"), row(0, state=b"a", expected=ZERO))
    assert head(service) == (2, leaf_hash(b"b"))


def test_an_id_and_a_place_in_a_stream_are_there_once(service: psycopg.Connection[Any]) -> None:
    first = row(0, state=b"a", expected=ZERO)
    append(service, first)
    same_id = (1, "unit/v", 1, first[3], b"b", leaf_hash(b"a"), b"note")
    with pytest.raises(errors.UniqueViolation) as refused:
        append(service, same_id)
    assert refused.value.diag.constraint_name == "entry_id"
    with pytest.raises(errors.UniqueViolation) as refused:
        append(service, row(1, seq=1, expected=leaf_hash(b"a"), note=b"note"))
    assert refused.value.diag.constraint_name == "entry_stream_seq"


def test_notes_are_kept_in_increasing_size_and_never_beyond_the_head(
    service: psycopg.Connection[Any],
) -> None:
    keep = b"SELECT mingzhang.keep_note(%s, %s)"
    append(service, *[row(n, expected=ZERO if n == 0 else None) for n in range(5)])
    service.execute(keep, (4, b"four"))
    service.execute(keep, (4, b"four"))
    for size, note in ((4, b"other"), (3, b"three"), (6, b"six")):
        with pytest.raises(psycopg.Error) as refused:
            service.execute(keep, (size, note))
        assert refused.value.sqlstate == "MZ003"
    service.execute(keep, (5, b"five"))
    found = service.execute("SELECT size, note FROM mingzhang.checkpoint ORDER BY size").fetchall()
    assert found == [(4, b"four"), (5, b"five")]


CHANGES = [
    ("entry", "UPDATE mingzhang.entry SET state = 'x'"),
    ("entry", "DELETE FROM mingzhang.entry"),
    ("entry", "TRUNCATE mingzhang.entry"),
    ("entry", "TRUNCATE mingzhang.entry CASCADE"),
    ("checkpoint", "UPDATE mingzhang.checkpoint SET note = 'x'"),
    ("checkpoint", "DELETE FROM mingzhang.checkpoint"),
    ("checkpoint", "TRUNCATE mingzhang.checkpoint CASCADE"),
    ("cosignature", "UPDATE mingzhang.cosignature SET line = 'x'"),
    ("cosignature", "DELETE FROM mingzhang.cosignature"),
    ("cosignature", "TRUNCATE mingzhang.cosignature"),
    ("tile", "UPDATE mingzhang.tile SET root = data"),
    ("tile", "TRUNCATE mingzhang.tile"),
    ("head", "DELETE FROM mingzhang.head"),
    ("head", "TRUNCATE mingzhang.head"),
]


@pytest.mark.parametrize(("table", "change"), CHANGES, ids=[each for _, each in CHANGES])
def test_the_triggers_refuse_even_the_owner(
    owner: psycopg.Connection[Any], table: str, change: str
) -> None:
    with pytest.raises(psycopg.Error, match=f"mingzhang.{table} is refused: the log is append-on"):
        owner.execute(change.encode())


@pytest.mark.parametrize(
    "attempt",
    [
        *[change for _, change in CHANGES],
        "DELETE FROM mingzhang.tile",
        "UPDATE mingzhang.head SET size = 0",
        "INSERT INTO mingzhang.checkpoint VALUES (1, 'x')",
        "INSERT INTO mingzhang.migration VALUES (9, 'x', 'x')",
        "ALTER TABLE mingzhang.entry DISABLE TRIGGER ALL",
        "DROP TRIGGER entry_unchanged ON mingzhang.entry",
        "DROP TABLE mingzhang.entry",
        "CREATE TABLE mingzhang.other ()",
        "SET session_replication_role = replica",
        "CREATE OR REPLACE FUNCTION mingzhang.refuse_change() RETURNS trigger LANGUAGE sql AS ''",
    ],
)
def test_the_services_role_may_not(service: psycopg.Connection[Any], attempt: str) -> None:
    with pytest.raises(errors.InsufficientPrivilege):
        service.execute(attempt.encode())


def test_nobody_else_may_keep_notes(owner: psycopg.Connection[Any], database_url: str) -> None:
    role = f"stranger_{uuid4().hex}"
    owner.execute(f"CREATE ROLE {role}; GRANT USAGE ON SCHEMA mingzhang TO {role}".encode())
    try:
        owner.execute(f"SET ROLE {role}".encode())
        with pytest.raises(errors.InsufficientPrivilege):
            owner.execute("SELECT mingzhang.keep_note(1, 'x')")
    finally:
        owner.execute("RESET ROLE")
        owner.execute(f"DROP OWNED BY {role}; DROP ROLE {role}".encode())


def test_the_service_owns_where_read_models_live(service: psycopg.Connection[Any]) -> None:
    service.execute("CREATE TABLE mingzhang_views.ranking (member text)")
    service.execute("DROP TABLE mingzhang_views.ranking")


def test_the_order_of_streams_is_that_of_bytes(service: psycopg.Connection[Any]) -> None:
    found = service.execute(
        "SELECT collation_name FROM information_schema.columns "
        "WHERE table_schema = 'mingzhang' AND table_name = 'entry' AND column_name = 'stream'"
    ).fetchone()
    assert found == ("C",)


def test_two_processes_on_one_database_see_each_others_entries(
    open_ledger: OpenLedger, clock: SteadyClock
) -> None:
    first = open_ledger()
    organisation = Organisation()
    set_up(first, organisation, clock)
    second = open_ledger()
    award = organisation.award("m-1")
    receipt = second.append(award)
    await_that(lambda: first.size() == second.size())
    assert first.append(award) == receipt
    assert parse(first.append(organisation.award("m-2"))).index == parse(receipt).index + 1
