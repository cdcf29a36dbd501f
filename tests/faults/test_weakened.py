"""Fault 23: a database that could lose or falsify entries, or lacks something, is refused."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from ledger.errors import StartRefusedError
from ledger.store import embedded, postgres
from ledger.store.embedded import EmbeddedServer
from ledger.store.ledger import Ledger, initialise
from ledger.store.postgres import open_database
from tests.support.organisation import ORIGIN
from tests.support.processes import award_now, found
from tests.support.servers import older_server, postmaster_pid, scratch_folder

pytestmark = pytest.mark.timeout(120)


@pytest.fixture(scope="module")
def own_server() -> Iterator[str]:
    """A server of this module's own: its settings are changed."""
    with scratch_folder() as folder:
        server = EmbeddedServer(folder / "postgres")
        yield server.conninfo
        server.close()


@pytest.fixture
def database(own_server: str) -> Iterator[str]:
    """A database that was sound once, and everything set back afterwards."""
    with psycopg.connect(own_server, autocommit=True) as connection:
        connection.execute("CREATE DATABASE weakened")
        url = make_conninfo(own_server, dbname="weakened")
        open_database(Path(), url).close()
        yield url
        connection.execute("ALTER SYSTEM RESET ALL")
        connection.execute("SELECT pg_reload_conf()")
        connection.execute("DROP DATABASE weakened WITH (FORCE)")


def wait_for_setting(url: str, name: str, value: str) -> None:
    """A reload reaches a session between two of its statements."""
    while True:
        with psycopg.connect(url) as connection:
            (found_value,) = connection.execute(
                "SELECT current_setting(%s)", (name,)
            ).fetchone() or ("",)
        if found_value == value:
            return


@pytest.mark.parametrize(
    ("setting", "weak"),
    [
        ("fsync", "off"),
        ("full_page_writes", "off"),
        ("synchronous_commit", "off"),
        ("zero_damaged_pages", "on"),
        ("ignore_checksum_failure", "on"),
    ],
)
def test_a_weakened_server_is_refused_by_the_settings_name(
    database: str, setting: str, weak: str
) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(f"ALTER SYSTEM SET {setting} = {weak}".encode())
        connection.execute("SELECT pg_reload_conf()")
    wait_for_setting(database, setting, weak)
    with pytest.raises(StartRefusedError, match=rf"the database has {setting} = {weak}.*Set it to"):
        open_database(Path(), database)


@pytest.mark.parametrize(
    ("setting", "weak"),
    [("synchronous_commit", "off"), ("zero_damaged_pages", "on")],
)
def test_a_setting_of_one_database_alone_is_refused_too(
    database: str, setting: str, weak: str
) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(f"ALTER DATABASE weakened SET {setting} = {weak}".encode())
    with pytest.raises(StartRefusedError, match=f"the database has {setting} = {weak}"):
        open_database(Path(), database)


def test_a_setting_in_the_url_is_refused_too(database: str) -> None:
    url = make_conninfo(database, options="-c synchronous_commit=off")
    with pytest.raises(StartRefusedError, match="synchronous_commit = off"):
        open_database(Path(), url)


def test_postgresql_16_serves_a_ledger(tmp_path: Path) -> None:
    with older_server() as url:
        found(tmp_path, url)
        with Ledger.open(tmp_path, url=url) as ledger:
            size = ledger.size()
            ledger.append(award_now())
            assert ledger.size() == size + 1


def test_a_server_older_than_15_is_refused(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """No server that old is to be had here: the threshold is moved above the one that is."""
    with psycopg.connect(database) as connection:
        monkeypatch.setattr(postgres, "VERSION_MIN", connection.info.server_version + 10_000)
    with pytest.raises(StartRefusedError, match="server is PostgreSQL 18; 19 or later"):
        open_database(Path(), database)


@pytest.mark.parametrize("value", ["1", "true", "y", "On", "YES"])
def test_the_event_librarys_unlocked_insert_is_refused(
    database: str, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("POSTGRES_ENABLE_DB_FUNCTIONS", value)
    with pytest.raises(StartRefusedError, match="POSTGRES_ENABLE_DB_FUNCTIONS is set"):
        open_database(Path(), database)


def test_a_user_who_may_not_set_up_the_schema_is_told_what_is_missing(own_server: str) -> None:
    with psycopg.connect(own_server, autocommit=True) as connection:
        connection.execute("CREATE ROLE nobody_special LOGIN")
        connection.execute("CREATE DATABASE bare")
        try:
            url = make_conninfo(own_server, dbname="bare", user="nobody_special")
            with pytest.raises(StartRefusedError, match=r"may not set up .*GRANT CREATE ON"):
                open_database(Path(), url)
        finally:
            connection.execute("DROP DATABASE bare WITH (FORCE)")
            connection.execute("DROP ROLE nobody_special")


def test_a_user_who_is_no_member_of_the_services_role_is_told_so(
    own_server: str, database: str
) -> None:
    with psycopg.connect(own_server, autocommit=True) as connection:
        connection.execute("CREATE ROLE outsider LOGIN")
        try:
            with psycopg.connect(database, autocommit=True) as owner:
                owner.execute("GRANT USAGE ON SCHEMA mingzhang TO outsider")
                owner.execute("GRANT SELECT ON mingzhang.migration TO outsider")
            url = make_conninfo(database, user="outsider")
            with pytest.raises(StartRefusedError, match="GRANT mingzhang_service TO"):
                open_database(Path(), url)
        finally:
            with psycopg.connect(database, autocommit=True) as owner:
                owner.execute("DROP OWNED BY outsider")
            connection.execute("DROP ROLE outsider")


@pytest.mark.parametrize(
    "revoked",
    [
        "INSERT ON mingzhang.entry",
        "SELECT ON mingzhang.entry",
        "INSERT ON mingzhang.tile",
        "SELECT ON mingzhang.tile",
        "SELECT ON mingzhang.head",
        "SELECT ON mingzhang.checkpoint",
        "EXECUTE ON FUNCTION mingzhang.keep_note(bigint, bytea)",
    ],
)
def test_a_service_role_without_its_rights_is_refused(database: str, revoked: str) -> None:
    with psycopg.connect(database, autocommit=True) as owner:
        owner.execute(f"REVOKE {revoked} FROM mingzhang_service".encode())
    with pytest.raises(StartRefusedError, match="lacks rights on the schema mingzhang"):
        open_database(Path(), database)


def test_a_database_that_does_not_answer_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StartRefusedError, match="the database does not answer"):
        open_database(tmp_path, f"postgresql:///mingzhang?host={tmp_path}")


def test_what_is_no_postgresql_uri_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StartRefusedError, match="MINGZHANG_DATABASE_URL is no PostgreSQL URI"):
        open_database(tmp_path, "sqlite:///points.db")


def test_a_folder_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    """A file is in the way: that stops root, too."""
    (tmp_path / "data").write_text("not a folder")
    with pytest.raises(StartRefusedError, match=r"cannot write .*data"):
        initialise(tmp_path / "data", ORIGIN)
    with pytest.raises(StartRefusedError, match=r"cannot write .*postgres"):
        EmbeddedServer(tmp_path / "data" / "postgres")


def test_a_read_only_file_system_is_refused() -> None:
    with pytest.raises(StartRefusedError, match="cannot write /proc/mingzhang"):
        EmbeddedServer(Path("/proc/mingzhang/postgres"))


def test_a_cluster_of_another_version_is_refused(tmp_path: Path) -> None:
    with scratch_folder() as folder:
        EmbeddedServer(folder / "postgres").close()
        (folder / "postgres" / "PG_VERSION").write_text("17\n")
        with pytest.raises(StartRefusedError, match=r"was made by PostgreSQL 17.*pg_upgrade"):
            EmbeddedServer(folder / "postgres")


def test_a_server_that_hangs_in_the_folder_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded, "START_WAIT_S", 1)
    with scratch_folder() as folder:
        server = EmbeddedServer(folder / "postgres")
        pid = postmaster_pid(server.folder)
        os.kill(pid, signal.SIGSTOP)
        try:
            with pytest.raises(StartRefusedError, match=f"holds .*pid {pid} runs"):
                EmbeddedServer(folder / "postgres")
        finally:
            os.kill(pid, signal.SIGCONT)
        server.close()


def test_a_process_that_hangs_while_starting_the_server_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(embedded, "LOCK_WAIT_S", 0.5)
    hang = "import fcntl, sys; f = open(sys.argv[1], 'w'); fcntl.flock(f, 2); print(flush=True)"
    hang += "; input()"
    with scratch_folder() as folder:
        folder.mkdir()
        held = folder / "postgres.lock"
        with subprocess.Popen(
            [sys.executable, "-c", hang, str(held)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as other:
            assert other.stdout is not None
            other.stdout.readline()
            with pytest.raises(StartRefusedError, match=r"has held .*postgres.lock"):
                EmbeddedServer(folder / "postgres")
            other.communicate(b"\n")
        EmbeddedServer(folder / "postgres").close()
