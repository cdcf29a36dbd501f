"""The life of the embedded server: started, shared, adopted, stopped, never left in the way."""

from __future__ import annotations

import os
import pwd
import subprocess
import sys
from collections.abc import Iterator
from multiprocessing import get_context
from pathlib import Path

import psutil
import psycopg
import pytest

from ledger.errors import StartRefusedError
from ledger.store.embedded import EmbeddedServer
from ledger.store.ledger import Ledger
from tests.support.processes import Workers, award_now, found
from tests.support.servers import kill_server, lives, postmaster_pid, scratch_folder

pytestmark = pytest.mark.timeout(120)


@pytest.fixture
def folder() -> Iterator[Path]:
    with scratch_folder() as made:
        yield made / "postgres"


def test_the_last_user_stops_the_server(folder: Path) -> None:
    first = EmbeddedServer(folder)
    second = EmbeddedServer(folder)
    server = psutil.Process(postmaster_pid(folder))
    assert first.conninfo == second.conninfo
    first.close()
    assert lives(server)
    with psycopg.connect(second.conninfo) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    second.close()
    assert not lives(server)
    assert not (folder / "postmaster.pid").exists()


def test_two_processes_share_one_server(tmp_path: Path) -> None:
    with scratch_folder() as data:
        found(data, None)
        workers = Workers(tmp_path, data, None)
        try:
            pair = [workers.start(threads=2), workers.start(threads=2)]
            for each in pair:
                each.await_ready()
            server = psutil.Process(postmaster_pid(data / "postgres"))
            for each in pair:
                each.await_receipts(5)
            pair[0].quit()
            assert lives(server)
            pair[1].await_receipts(5)
            pair[1].quit()
            assert not lives(server)
        finally:
            workers.close()


def test_the_server_of_a_killed_process_is_adopted_and_then_stopped(tmp_path: Path) -> None:
    with scratch_folder() as data:
        found(data, None)
        workers = Workers(tmp_path, data, None)
        worker = workers.start(threads=4)
        worker.await_ready()
        worker.await_receipts(10)
        server = psutil.Process(postmaster_pid(data / "postgres"))
        answers = worker.kill()
        assert lives(server)
        with Ledger.open(data) as ledger:
            assert postmaster_pid(data / "postgres") == server.pid
            ident, receipt = answers.receipts[-1]
            assert ledger.append(answers.sent[ident]) == receipt
        assert not lives(server)


def test_a_server_that_was_killed_is_started_again(folder: Path) -> None:
    data = folder.parent
    found(data, None)
    with Ledger.open(data) as ledger:
        size = ledger.size()
    # A server with nobody: what a killed process leaves; then the server is killed as well.
    left = EmbeddedServer(folder)
    kill_server(folder)
    left.close()
    with Ledger.open(data) as ledger:
        assert ledger.size() == size
        ledger.append(award_now())
        assert ledger.size() == size + 1


def test_a_ledger_survives_the_death_of_its_server(folder: Path) -> None:
    """Whoever has the folder open starts no second server; the next one does, and all go on."""
    data = folder.parent
    found(data, None)
    with Ledger.open(data) as ledger:
        kill_server(folder)
        again = EmbeddedServer(folder)
        ledger.append(award_now())
        again.close()


@pytest.mark.parametrize("whose", ["of nobody", "of this test", "of init"])
def test_a_pid_file_that_a_crash_left_behind_is_no_obstacle(folder: Path, whose: str) -> None:
    server = EmbeddedServer(folder)
    lines = (folder / "postmaster.pid").read_text().split("\n")
    server.close()
    with subprocess.Popen([sys.executable, "-c", ""]) as gone:
        gone.wait()
    pid = {"of nobody": gone.pid, "of this test": os.getpid(), "of init": 1}[whose]
    (folder / "postmaster.pid").write_text("\n".join([str(pid), *lines[1:]]))
    server = EmbeddedServer(folder)
    with psycopg.connect(server.conninfo) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    server.close()


def test_a_folder_reached_by_another_way_is_the_same_one(folder: Path) -> None:
    """Taken for a dead one's, the file of a live server would be removed from under it."""
    link = folder.parent.parent / "link"
    folder.parent.mkdir()
    link.symlink_to(folder.parent)
    first = EmbeddedServer(folder)
    second = EmbeddedServer(link / "postgres")
    second.close()
    with psycopg.connect(first.conninfo) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    first.close()
    assert not (folder / "postmaster.pid").exists()


@pytest.mark.parametrize("left", ["", "\n", "x\n"])
def test_an_unreadable_pid_file_is_no_obstacle(folder: Path, left: str) -> None:
    EmbeddedServer(folder).close()
    (folder / "postmaster.pid").write_text(left)
    EmbeddedServer(folder).close()


@pytest.mark.parametrize(
    "name",
    [
        "积分 账本",
        'it\'s, a "folder" with $HOME and = signs',
        "/".join(["a-long-name-" * 8] * 3),
        "-D",
    ],
    ids=["chinese and spaces", "quotes", "very long", "an option"],
)
def test_any_folder_will_do(name: str) -> None:
    with scratch_folder(name) as data:
        found(data, None)
        with Ledger.open(data) as ledger:
            size = ledger.size()
            ledger.append(award_now())
            assert ledger.size() == size + 1


def test_an_initialisation_that_was_cut_short_is_told(folder: Path) -> None:
    """A killed initdb leaves files and no PG_VERSION at worst: the next start says so."""
    EmbeddedServer(folder).close()
    (folder / "PG_VERSION").unlink()
    with pytest.raises(StartRefusedError, match=r"cannot make a database in .*not empty"):
        EmbeddedServer(folder)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_an_ordinary_user_runs_a_server_as_themselves() -> None:
    nobody = pwd.getpwnam("nobody")
    with scratch_folder() as data:
        os.chown(data.parent, nobody.pw_uid, nobody.pw_gid)
        # A fork keeps what is loaded: a user may not be able to read root's Python.
        user = get_context("fork").Process(target=use_as, args=(nobody, data))
        user.start()
        user.join()
        assert user.exitcode == 0
        assert (data / "postgres").stat().st_uid == nobody.pw_uid
        assert not (data / "postgres" / "postmaster.pid").exists()


def use_as(user: pwd.struct_passwd, data: Path) -> None:
    os.setgroups([])
    os.setgid(user.pw_gid)
    os.setuid(user.pw_uid)
    found(data, None)
    with Ledger.open(data) as ledger:
        ledger.append(award_now())


@pytest.mark.skipif(os.geteuid() != 0, reason="only root must give the server another user")
def test_root_runs_the_server_as_another_user(folder: Path) -> None:
    server = EmbeddedServer(folder)
    assert psutil.Process(postmaster_pid(folder)).username() == "pgserver"
    server.close()


def test_the_environment_of_another_database_does_not_matter(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGDATA", "/nowhere")
    monkeypatch.setenv("PGPORT", "1")
    monkeypatch.setenv("PGHOST", "/nowhere")
    server = EmbeddedServer(folder)
    with psycopg.connect(server.conninfo) as connection:
        assert connection.execute("SHOW data_checksums").fetchone() == ("on",)
        assert connection.execute("SHOW fsync").fetchone() == ("on",)
    server.close()
