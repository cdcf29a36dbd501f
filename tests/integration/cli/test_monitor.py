"""`mingzhang monitor` as a process: its exit statuses, a kill in the midst, and its webhook."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import orjson
import pytest

from ledger.log import note
from ledger.verify.place import FILE
from tests.support.organisation import Organisation
from tests.support.server import environment, mingzhang
from tests.support.static_log import (
    LOG_SIGNER,
    OTHER_SIGNER,
    rewrite_log,
    small_log,
    write_log,
    year_of_awards,
)
from tests.support.waiting import wait_until
from tests.support.witnesses import cosigner, policy_of

VKEY = LOG_SIGNER.vkey.text
ENTRIES = 9_000
_COMMAND = [sys.executable, "-c", "from api.cli.main import main; main()", "monitor"]


@pytest.fixture(scope="module")
def long_log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("long") / "log"
    write_log(folder, year_of_awards(Organisation(), ENTRIES))
    return folder


@pytest.fixture
def started() -> Iterator[list[subprocess.Popen[str]]]:
    processes: list[subprocess.Popen[str]] = []
    yield processes
    for each in processes:
        each.kill()
        each.communicate()


def start(started: list[subprocess.Popen[str]], *words: str | Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [*_COMMAND, *map(str, words), "--vkey", VKEY],
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    started.append(process)
    return process


def look(where: Path, state: Path, *more: str) -> subprocess.CompletedProcess[str]:
    return mingzhang("monitor", where, "--vkey", VKEY, "--state", state, "--once", *more)


def place(state: Path) -> int:
    """The size up to which everything is checked, as another process sees it."""
    try:
        with sqlite3.connect(f"file:{state / FILE}?mode=ro", uri=True) as file:
            return int(file.execute("SELECT size FROM place").fetchone()[0])
    except (sqlite3.Error, TypeError):
        return 0


def contents(state: Path) -> dict[str, list[Any]]:
    """All that a monitor remembers, without the times at which it saw it."""
    with sqlite3.connect(state / FILE) as file:
        return {
            table: file.execute(f"SELECT {columns} FROM {table} ORDER BY 1").fetchall()
            for table, columns in {
                "place": "size, recorded_at, tree, trouble",
                "head": "*",
                "kept": "*",
                "used": "*",
                "seen": "size, root, note",
                "finding": "*",
            }.items()
        }


def test_a_monitor_killed_in_the_midst_goes_on_and_checks_everything_once(
    long_log: Path, tmp_path: Path, started: list[subprocess.Popen[str]]
) -> None:
    state, whole = tmp_path / "state", tmp_path / "whole"
    for _ in range(3):
        before = place(state)
        process = start(started, long_log, "--state", state, "--once")
        wait_until(lambda was=before: place(state) > was, 60)  # type: ignore[misc]
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL, "it was killed before it was through"
        assert before < place(state) < ENTRIES
    stopped_at = place(state)
    done = look(long_log, state)
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"OK size {ENTRIES} ({ENTRIES - stopped_at} entries new)\n"
    assert look(long_log, whole).returncode == 0
    assert contents(state) == contents(whole)


def test_sigterm_ends_it_after_a_step_with_what_it_found_so_far(
    long_log: Path, tmp_path: Path, started: list[subprocess.Popen[str]]
) -> None:
    state = tmp_path / "state"
    process = start(started, long_log, "--state", state, "--interval", "0.1")
    wait_until(lambda: place(state) > 0, 60)
    process.send_signal(signal.SIGTERM)
    out, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    assert out.startswith(f"OK size {place(state)} ")


def test_the_exit_status_says_fine_found_or_could_not_check(tmp_path: Path) -> None:
    log, state = tmp_path / "log", tmp_path / "state"
    unread = look(log, state)
    assert unread.returncode == 2
    assert unread.stdout.startswith("could not check: ")
    entries = small_log(Organisation(), 20).entries
    write_log(log, entries[:25])
    assert look(log, state).returncode == 0
    write_log(log, entries, OTHER_SIGNER)
    found = look(log, state)
    assert found.returncode == 1
    assert "[checkpoint-signature]" in found.stdout
    assert orjson.loads(found.stderr.splitlines()[0])["kind"] == "checkpoint-signature"
    file = state / "finding-1.json"
    unproved = mingzhang("verify", "evidence", file, "--vkey", VKEY)
    assert unproved.returncode == 1, "by another key than the log's: it proves nothing against it"
    write_log(log, entries)
    assert look(log, state).returncode == 1, "what was found stays until somebody looked at it"
    seen = look(log, state, "--acknowledge")
    assert seen.returncode == 0
    assert seen.stdout.startswith("1 findings acknowledged\nOK size ")
    assert look(log, tmp_path / "file" / "state").returncode == 0
    wrong = look(log, log / "checkpoint")
    assert wrong.returncode == 2
    assert "place" in wrong.stderr


def test_a_findings_file_proves_a_fork_to_somebody_else(tmp_path: Path) -> None:
    log, state = tmp_path / "log", tmp_path / "state"
    write_log(log, small_log(Organisation(), 20).entries)
    assert look(log, state).returncode == 0
    rewrite_log(log, small_log(Organisation(members=5), 40).entries)
    assert look(log, state).returncode == 1
    proved = mingzhang("verify", "evidence", state / "finding-1.json", "--vkey", VKEY)
    assert proved.returncode == 0, proved.stderr
    assert proved.stdout.startswith("PROVED the key of test.example/points signed ")
    seen = mingzhang("verify", state / "finding-1.json", "--vkey", VKEY)
    assert (seen.returncode, seen.stdout) == (0, proved.stdout), "the file says what it is"


def test_a_following_monitor_posts_a_finding_when_its_webhook_is_there_again(
    tmp_path: Path, started: list[subprocess.Popen[str]]
) -> None:
    taken: list[Any] = []

    class Hook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            taken.append(orjson.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            del format, args

    server = ThreadingHTTPServer(("127.0.0.1", 0), Hook)
    port = server.server_port
    server.server_close()
    log, state = tmp_path / "log", tmp_path / "state"
    write_log(log, small_log(Organisation(), 20).entries, OTHER_SIGNER)
    url = f"http://127.0.0.1:{port}/hook"
    process = start(started, log, "--state", state, "--interval", "0.1", "--webhook", url)
    assert process.stderr is not None
    for line in process.stderr:
        if "webhook unreachable" in line:
            break
    server = ThreadingHTTPServer(("127.0.0.1", port), Hook)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    threading.Thread(target=process.stderr.read, daemon=True).start()
    try:
        wait_until(lambda: bool(taken), 60)
    finally:
        server.shutdown()
        server.server_close()
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 1
    assert [each["kind"] for each in taken] == ["checkpoint-signature"]


def test_a_policy_is_kept_an_eye_on_and_waiting_has_a_status_of_its_own(tmp_path: Path) -> None:
    log, state, file = tmp_path / "log", tmp_path / "state", tmp_path / "policy"
    write_log(log, small_log(Organisation(), 20).entries)
    nowhere = dict.fromkeys((1, 2, 3), "http://127.0.0.1:9")
    file.write_bytes(policy_of(nowhere, 2))
    waiting = look(log, state, "--policy", str(file))
    assert waiting.returncode == 3, waiting.stdout + waiting.stderr
    assert waiting.stdout.splitlines()[-1].startswith("WAITING size ")
    assert waiting.stdout.count("no cosignature") == 3
    said = [orjson.loads(line) for line in waiting.stderr.splitlines()]
    silent = [each for each in said if each["event"] == "witnesses do not sign"]
    assert [each["witnesses"] for each in silent] == [["w1", "w2", "w3"]]
    assert sum(each["event"] == "witness asked in vain" for each in said) == 3
    checkpoint = log / "checkpoint"
    data = checkpoint.read_bytes()
    lines = [cosigner(n).line(note.parse(data).text, int(time.time())) for n in (1, 3)]
    checkpoint.write_bytes(note.with_signatures(data, lines))
    fine = look(log, state, "--policy", str(file))
    assert fine.returncode == 0, fine.stdout + fine.stderr
    assert "witness     w2: no cosignature" in fine.stdout
    assert "quorum      met: 2 of 3 witnesses" in fine.stdout
    file.write_text("quorum nobody\n")
    assert look(log, state, "--policy", str(file)).returncode == 2
