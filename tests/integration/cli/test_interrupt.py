"""Ctrl-C in a long command: it ends at once, says that nothing is half done, and leaves nothing.

Each command is held up in the midst of its work, so that it surely is there when it is interrupted:
at a file of the log that is a pipe which nobody writes to, or at a lock in the database.
"""

from __future__ import annotations

import errno
import os
import signal
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest

from ledger import keyfile
from ledger.entry import parse_entry
from ledger.log.tiles import tile_path
from ledger.store.ledger import Ledger, Options
from projections.runner import Runner
from tests.support.organisation import Organisation, key_of
from tests.support.processes import await_that, award_now, found
from tests.support.server import command, environment, mingzhang
from tests.support.static_log import LOG_SIGNER, write_log, year_of_awards

STATUS = 130
SIZE = 2_600
"""More than one process reads alone: helpers are at work too."""

AtWork = Callable[[], bool]
"""Tells whether the command waits where it is held up."""

SERVED = "SELECT 1 FROM mingzhang_views.build WHERE model = 'rankings' AND served FOR UPDATE"
HEAD = "SELECT 1 FROM mingzhang.head FOR UPDATE"
WAITING = "SELECT query FROM pg_stat_activity WHERE %s = ANY(pg_blocking_pids(pid))"
ENROLLED = [f"m-{number}" for number in range(100, 160)]


class Running:
    """A command as a terminal starts it: it and what it starts are the terminal's to interrupt."""

    def __init__(self, folder: Path, words: Sequence[str | Path], env: dict[str, str]) -> None:
        self._scratch = folder / "scratch"
        self._scratch.mkdir()
        self._process = subprocess.Popen(
            [*command(), *map(str, words)],
            env=env | {"TMPDIR": str(self._scratch)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def kill(self) -> None:
        """End it, if nothing else did."""
        for each in self.helpers():
            with suppress(psutil.NoSuchProcess):
                each.kill()
        self._process.kill()
        self._process.communicate()

    def helpers(self) -> list[psutil.Process]:
        """Return the processes that it has started and that still live."""
        try:
            return psutil.Process(self._process.pid).children(recursive=True)
        except psutil.NoSuchProcess:
            return []

    def await_at(self, at_work: AtWork) -> None:
        """Wait until it is held up; fail if it ends before."""
        await_that(lambda: at_work() or self._process.poll() is not None)
        assert self._process.poll() is None, self._process.communicate()

    def interrupt(self) -> None:
        """Press Ctrl-C."""
        os.killpg(self._process.pid, signal.SIGINT)

    def ended(self, helpers: Sequence[psutil.Process]) -> None:
        """Fail unless it ended as it should, and with it its helpers and temporary files."""
        out, err = self._process.communicate(timeout=60)
        assert self._process.returncode == STATUS, out + err
        (said,) = err.splitlines()
        assert "interrupted: nothing is half done" in said
        _, alive = psutil.wait_procs(helpers, timeout=60)
        assert alive == []
        assert list(self._scratch.iterdir()) == []


@contextmanager
def a_bundle_that_waits(log: Path) -> Iterator[AtWork]:
    """Put a pipe in the place of one of the log's files while the context lasts."""
    file = log / tile_path("entries", 5)
    kept = file.read_bytes()
    file.unlink()
    os.mkfifo(file)
    opened: list[int] = []

    def waits() -> bool:
        try:
            opened.append(os.open(file, os.O_WRONLY | os.O_NONBLOCK))
        except OSError as error:
            # Nobody reads it yet.
            if error.errno != errno.ENXIO:
                raise
            return False
        return True

    try:
        yield waits
    finally:
        for each in opened:
            os.close(each)
        file.unlink()
        file.write_bytes(kept)


@contextmanager
def a_lock_that_is_held(url: str, statement: str, waiting: str) -> Iterator[AtWork]:
    """Hold what `statement` locks, and tell whether SQL with `waiting` in it waits for that."""
    with closing(psycopg.connect(url)) as holding, psycopg.connect(url, autocommit=True) as looking:
        holding.execute(statement.encode())
        pid = holding.info.backend_pid
        yield lambda: any(
            waiting in query for (query,) in looking.execute(WAITING.encode(), (pid,)).fetchall()
        )


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A log that helpers are started for."""
    folder = tmp_path_factory.mktemp("interrupted") / "log"
    write_log(folder, year_of_awards(Organisation(), SIZE))
    return folder


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Running]]:
    """A function that starts a command; it is killed at the end if it still runs."""
    started: list[Running] = []

    def start(words: Sequence[str | Path], env: dict[str, str]) -> Running:
        started.append(Running(tmp_path, words, env))
        return started[-1]

    yield start
    for each in started:
        each.kill()


@pytest.mark.parametrize(
    "words",
    [
        ("replay", "LOG", "ranking", "--unit", "root", "--period", "2026"),
        ("verify", "log", "LOG", "--vkey", "VKEY"),
        ("audit", "compare", "LOG", "--vkey", "VKEY"),
    ],
    ids=lambda words: " ".join(words[:2]),
)
def test_a_command_that_reads_a_log_with_helpers_ends_with_them(
    words: tuple[str, ...], log: Path, start: Callable[..., Running]
) -> None:
    given = [{"LOG": str(log), "VKEY": LOG_SIGNER.vkey.text}.get(word, word) for word in words]
    with a_bundle_that_waits(log) as at_work:
        running = start(given, environment())
        running.await_at(at_work)
        helpers = running.helpers()
        assert helpers
        running.interrupt()
        running.ended(helpers)
    assert mingzhang(*given).returncode == 0


def test_an_interrupted_rebuild_leaves_the_served_tables_and_the_next_one_begins_anew(
    tmp_path: Path, database_url: str, start: Callable[..., Running]
) -> None:
    data, env = tmp_path / "data", environment(database_url)
    found(data, database_url)
    with Ledger.open(data, url=database_url) as ledger:
        ledger.append(award_now())
        await_that(lambda: ledger.recorded() == ledger.signed())
        Runner.of(ledger).catch_up()
    words = ("ranking", "--unit", "root", "--period", "2026", "--data", data)
    before = mingzhang(*words, env=env).stdout
    assert before
    with a_lock_that_is_held(database_url, SERVED, "mingzhang_views.build") as at_work:
        running = start(("rebuild", "rankings", "--data", data), env)
        running.await_at(at_work)
        running.interrupt()
        running.ended([])
    assert mingzhang(*words, env=env).stdout == before
    assert mingzhang("rebuild", "rankings", "--data", data, env=env).returncode == 0
    assert mingzhang(*words, env=env).stdout == before


def test_an_interrupted_import_records_a_batch_whole_or_not_at_all_and_goes_on_when_repeated(
    tmp_path: Path, database_url: str, start: Callable[..., Running]
) -> None:
    data, env = tmp_path / "data", environment(database_url)
    found(data, database_url)
    key, table = tmp_path / "reg-1.key", tmp_path / "members.csv"
    keyfile.save(key, key_of("reg-1"), None)
    rows = "".join(f"{member},east,ordinary\n" for member in ENROLLED)
    table.write_text(f"党员编号,单位,类型\n{rows}")
    words: tuple[Any, ...] = ("import", table, "--kind", "members", "--actor", "reg-1")
    words += ("--key", key, "--data", data, "--receipts", tmp_path / "receipts")
    with a_lock_that_is_held(database_url, HEAD, "entry") as at_work:
        running = start(words, env)
        running.await_at(at_work)
        running.interrupt()
    running.ended([])
    assert len(enrolled(data, database_url)) in (0, len(ENROLLED))
    again = mingzhang(*words, env=env)
    assert again.returncode == 0, again.stderr
    assert enrolled(data, database_url) == ENROLLED
    assert len(list((tmp_path / "receipts").iterdir())) == len(ENROLLED)


def enrolled(data: Path, url: str) -> list[str]:
    """Return those members of the table that are recorded, in the log's order."""
    with Ledger.open(data, url=url, options=Options(append=False)) as ledger:
        streams = [parse_entry(each).stream for each in ledger.entries(0, ledger.size())]
    members = [stream.removeprefix("member/") for stream in streams]
    return [member for member in members if member in ENROLLED]
