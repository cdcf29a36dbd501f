"""The schema: migrations lead to `schema.sql`, once, and whoever does not fit is refused."""

from __future__ import annotations

import hashlib
import re
import subprocess
import threading
from importlib import resources
from pathlib import Path

import psycopg
import pytest

from ledger.errors import StartRefusedError
from ledger.store import migrations
from ledger.store.migrations import Migration, migrate
from ledger.store.sql import query
from tests.support.servers import WHEEL

PG_DUMP = WHEEL / "pginstall18" / "bin" / "pg_dump"


def dump(url: str) -> str:
    """Return the schema as pg_dump writes it, without the random word of its last versions."""
    ran = subprocess.run(
        [str(PG_DUMP), "--schema-only", "--no-comments", f"--dbname={url}"],
        check=True,
        capture_output=True,
        text=True,
    )
    return re.sub(r"^\\(un)?restrict .*$", "", ran.stdout, flags=re.MULTILINE)


def test_the_migrations_lead_to_the_schema_file(database_url: str) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        assert migrate(connection) == len(migrations.migrations())
        migrated = dump(database_url)
        connection.execute(
            "DROP SCHEMA mingzhang, mingzhang_views, mingzhang_documents, mingzhang_cases CASCADE"
        )
        connection.execute(
            resources.files("ledger.store.sql").joinpath("schema.sql").read_text().encode()
        )
        assert dump(database_url) == migrated
        assert "CREATE TABLE mingzhang.entry" in migrated


def test_a_second_migration_does_nothing(database_url: str) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        migrate(connection)
        before = dump(database_url)
        assert migrate(connection) == 0
        assert dump(database_url) == before


def test_processes_that_start_together_migrate_once(database_url: str) -> None:
    applied: list[int] = []

    def start() -> None:
        with psycopg.connect(database_url, autocommit=True) as connection:
            applied.append(migrate(connection))

    threads = [threading.Thread(target=start) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(applied) == [0] * 7 + [len(migrations.migrations())]


def test_a_migration_that_fails_leaves_nothing(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = migrations.migrations()
    broken = Migration(len(known) + 1, "broken", "CREATE TABLE mingzhang.x (); SELECT 1 / 0", "d")
    monkeypatch.setattr(migrations, "migrations", lambda: (*known, broken))
    with psycopg.connect(database_url, autocommit=True) as connection:
        with pytest.raises(psycopg.errors.DivisionByZero):
            migrate(connection)
        assert connection.execute(query("migrated_once")).fetchone() == (False,)


def test_a_database_of_a_newer_program_is_refused(database_url: str) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        migrate(connection)
        connection.execute(query("record_migration"), (99, "later", "ab" * 32))
        with pytest.raises(StartRefusedError, match=r"at version 99.*start a newer version"):
            migrate(connection)


def test_a_database_that_other_files_migrated_is_refused(database_url: str) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        migrate(connection)
        connection.execute("UPDATE mingzhang.migration SET digest = 'other' WHERE number = 1")
        with pytest.raises(StartRefusedError, match=r"migration 1 \(log\) is not the one"):
            migrate(connection)


def test_migrations_are_numbered_from_one_without_a_gap() -> None:
    found = migrations.migrations()
    assert [each.number for each in found] == list(range(1, len(found) + 1))
    folder = Path(str(resources.files("ledger.store.sql"))) / "migrations"
    assert len(found) == len(list(folder.glob("*.sql")))
    for each in found:
        assert each.digest == hashlib.sha256(each.sql.encode()).hexdigest()
