"""`make demo` as whoever cloned the project runs it."""

from __future__ import annotations

import fcntl
import os
import re
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

PROGRAM = Path(sys.executable).with_name("mingzhang")
TIMEOUT_S = 240

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@dataclass(frozen=True)
class Demo:
    folder: Path
    output: str

    @property
    def commands(self) -> list[list[str]]:
        """What it says to try next, the serving left out."""
        found = re.findall(r"^ +\.venv/bin/mingzhang (.*)$", self.output, re.MULTILINE)
        return [each.split() for each in found if not each.startswith("serve ")]


def environment(serve: str) -> dict[str, str]:
    # A shell that is set up for another ledger must not lead the demo there.
    other = {"MINGZHANG_DATA": "/nonexistent", "MINGZHANG_DATABASE_URL": "postgresql:///none"}
    return os.environ | other | {"SERVE": serve, "COLUMNS": "100"}


def run_demo(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "ops.demo"],
        cwd=folder,
        env=environment("0"),
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    folder = tmp_path_factory.mktemp("clone")
    done = run_demo(folder)
    assert done.returncode == 0, done.stderr
    return Demo(folder, done.stdout)


def test_it_leaves_what_whoever_wants_to_look_needs(demo: Demo) -> None:
    left = demo.folder / "var/demo"
    assert (left / "data/ledger.toml").exists()
    assert len(list((left / "keys").glob("*.key"))) > 20
    assert (left / "log.vkey").read_text().startswith("demo.example/points+")
    assert (left / "export/checkpoint").read_bytes().startswith(b"demo.example/points\n")
    assert (left / "export/tile/entries/000").exists()
    assert len(list((left / "receipts").glob("*.tlog-proof"))) > 40


def test_it_says_that_its_clock_is_injected(demo: Demo) -> None:
    assert "The clock is injected" in " ".join(demo.output.split())


def test_it_tells_each_party_what_came_of_the_full_path(demo: Demo) -> None:
    told = " ".join(re.split(r"^\d+\. ", demo.output, flags=re.MULTILINE)[2].split())
    for whom in (
        "期初 opening",
        "党员 members",
        "异议 objector",
        "支委 committee",
        "上级 unit above",
        "纪检 discipline",
    ):
        assert whom in told
    assert "4 was shown anew until" in told
    assert "sealed on" in told


def test_the_sealed_quarter_is_proved_to_a_member_and_compared_with_the_log(demo: Demo) -> None:
    part = re.split(r"^\d+\. ", demo.output, flags=re.MULTILINE)[8]
    assert re.search(r"rank +1, position 1 of 13", part)
    assert re.search(r"merit +\d+\.\d\d", part)
    assert "nobody is not in the tree" in part
    assert "2 seals and 2 files are what the log gives" in part


def test_it_shows_which_checks_catch_an_edit_and_a_rewriting(demo: Demo) -> None:
    parts = re.split(r"^\d+\. ", demo.output, flags=re.MULTILINE)
    edited, rewritten = parts[9], parts[10]
    assert len(re.findall(r"^ +caught ", edited, re.MULTILINE)) == 3
    assert len(re.findall(r"^ +caught ", rewritten, re.MULTILINE)) == 5
    assert "[entry-changed]" in edited
    assert "[history]" in rewritten


def test_every_command_that_it_suggests_works_as_it_stands(demo: Demo) -> None:
    assert len(demo.commands) == 11
    for command in demo.commands:
        done = subprocess.run(
            [PROGRAM, *command], cwd=demo.folder, capture_output=True, text=True, check=False
        )
        expected = 1 if any("tampered" in word for word in command) else 0
        assert done.returncode == expected, (command, done.stdout, done.stderr)


def test_another_demo_beside_it_is_refused_and_spoils_nothing(demo: Demo) -> None:
    checkpoint = demo.folder / "var/demo/export/checkpoint"
    before = checkpoint.read_bytes()
    with (demo.folder / "var/demo.lock").open("r+") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        done = run_demo(demo.folder)
    assert done.returncode == 1
    assert "another demo runs" in done.stderr
    assert checkpoint.read_bytes() == before


def test_it_runs_a_second_time_and_serves_until_it_is_stopped(demo: Demo) -> None:
    before = (demo.folder / "var/demo/log.vkey").read_text()
    running = subprocess.Popen(
        [sys.executable, "-m", "ops.demo"],
        cwd=demo.folder,
        env=environment("1"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert running.stdout is not None
        assert running.stderr is not None
        said = ""
        while "Serving on " not in said:
            line = running.stdout.readline()
            assert line, running.stderr.read()
            said = line
        base = re.search(r"http://[\d.:]+", said)
        assert base is not None
        # The server's first line: it listens.
        assert "serving" in running.stderr.readline()
        served = httpx.get(f"{base[0]}/log/checkpoint").content
        assert served == (demo.folder / "var/demo/export/checkpoint").read_bytes()
    finally:
        running.send_signal(signal.SIGINT)
        running.communicate(timeout=60)
    assert running.returncode == 0
    assert (demo.folder / "var/demo/log.vkey").read_text() != before
