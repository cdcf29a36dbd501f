"""`mingzhang witness serve` over real HTTP, on a folder and on a database, killed and raced."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from ledger.log import checkpoint, note
from ledger.log.checkpoint import Checkpoint, parse_body
from ledger.log.cosignature import CosignerKey, find_cosignatures, parse_lines
from ledger.log.note import Signer
from ledger.log.witness import Request, encode_request
from tests.support.organisation import key_of
from tests.support.server import mingzhang
from tests.support.witnesses import LOG, Tree, WitnessServer

TREE = Tree()
SECOND = Signer("log.example/two", key_of("a second watched log"))
HASH = hashlib.sha256(LOG.name.encode()).hexdigest()
Start = Callable[..., WitnessServer]


@pytest.fixture
def key(tmp_path: Path) -> Path:
    made = mingzhang("witness", "key", tmp_path / "w.key", "--name", "witness.example/w1")
    assert made.returncode == 0, made.stderr
    assert made.stdout == (tmp_path / "w.key.vkey").read_text()
    return tmp_path / "w.key"


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    path = tmp_path / "logs"
    path.write_text(f"log {LOG.vkey.text}\nlog {SECOND.vkey.text}\nquorum none\n")
    return path


@pytest.fixture
def start(tmp_path: Path, key: Path, logs: Path) -> Iterator[Start]:
    """A function that starts the witness once more, on the same folder unless told otherwise."""
    started: list[WitnessServer] = []

    def run(*where: str, program: list[str] | None = None) -> WitnessServer:
        log = tmp_path / f"log-{len(started)}"
        given = where or ("--data", str(tmp_path / "heads"))
        server = WitnessServer(key, logs, log, *given, program=program)
        started.append(server)
        return server.__enter__()

    yield run
    for server in started:
        server.stop()


def time_of(key: Path, size: int, lines: bytes) -> int:
    vkey = CosignerKey.parse(key.with_name("w.key.vkey").read_text().strip())
    (found,) = find_cosignatures(TREE.checkpoint(size).body(), parse_lines(lines), [vkey])
    return found.time


def test_it_cosigns_what_grows_and_shows_the_newest(start: Start, key: Path) -> None:
    server = start()
    assert httpx.get(f"{server.url}/{HASH}/checkpoint").status_code == 404
    for old, new in ((0, 0), (0, 3), (3, 3), (3, 260), (260, 1000)):
        answer = server.add(TREE.request(old, new))
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"] == "text/plain; charset=utf-8"
        assert time_of(key, new, answer.content) > 1_700_000_000
        shown = httpx.get(f"{server.url}/{HASH}/checkpoint")
        assert parse_body(note.verify(shown.content, [LOG.vkey]).text) == TREE.checkpoint(new)
        assert answer.content in shown.content
    assert httpx.get(f"{server.url}/{'0' * 64}/checkpoint").status_code == 404


def test_each_wrong_request_has_its_status_and_changes_nothing(start: Start) -> None:
    server = start()
    assert server.add(TREE.request(0, 5)).status_code == 200
    other, thief = Tree("another"), Signer(LOG.name, key_of("a thief"))
    stranger = Signer("stranger.example", key_of("stranger"))
    above = encode_request(Request(9, (), TREE.note(8)))
    wrong = {
        400: [b"", b"old 5\n", TREE.request(5, 9)[4:], above],
        403: [encode_request(Request(5, TREE.proof(5, 9), Tree(signer=thief).note(9)))],
        404: [encode_request(Request(0, (), Tree(signer=stranger).note(9)))],
        409: [TREE.request(0, 9), TREE.request(4, 9)],
        413: [TREE.request(5, 9) + b"x" * 16_384],
        422: [
            other.request(5, 9),
            other.request(5, 5),
            TREE.request(5, 9).replace(b"\n\n", b"\n" + b"A" * 43 + b"=\n\n", 1),
        ],
    }
    for status, bodies in wrong.items():
        for body in bodies:
            answer = server.add(body)
            assert answer.status_code == status, answer.text
            if status == 409:
                assert answer.headers["content-type"] == "text/x.tlog.size"
                assert answer.content == b"5\n"
    assert httpx.get(f"{server.url}/add-checkpoint").status_code == 405
    assert server.add(TREE.request(5, 9)).status_code == 200
    evidence = [json.loads(line) for line in server.log_text().splitlines()]
    assert any(line.get("checkpoint") == other.note(9).decode() for line in evidence)


def test_a_body_without_a_length_is_cut_off_at_the_limit(start: Start) -> None:
    server = start()

    def endless() -> Iterator[bytes]:
        for _ in range(1_000):
            yield b"x" * 8_192

    try:
        status = httpx.post(f"{server.url}/add-checkpoint", content=endless()).status_code
    except httpx.TransportError:
        status = 413  # it hung up while more was on its way
    assert status == 413
    assert server.add(TREE.request(0, 3)).status_code == 200


def test_two_logs_do_not_touch_each_other(start: Start) -> None:
    server, second = start(), Tree("second", SECOND)
    assert server.add(TREE.request(0, 8)).status_code == 200
    assert server.add(second.request(0, 3)).status_code == 200
    assert server.add(TREE.request(8, 9)).status_code == 200
    assert server.add(second.request(3, 4)).status_code == 200


def test_a_restart_forgets_nothing(start: Start) -> None:
    first = start()
    first.add(TREE.request(0, 8))
    assert first.stop() == 0
    second = start()
    assert second.add(TREE.request(0, 9)).content == b"8\n"
    assert second.add(Tree("another").request(8, 9)).status_code == 422


def race(url: str, *more: str) -> list[int]:
    """Ask for 24 different histories from the same size at once; return the statuses."""
    bodies = [Tree(f"history {n}").request(0, 5) for n in range(24)]
    urls = (url, *more)

    def ask(place: int) -> int:
        at = urls[place % len(urls)]
        return httpx.post(f"{at}/add-checkpoint", content=bodies[place], timeout=60).status_code

    with ThreadPoolExecutor(12) as pool:
        return list(pool.map(ask, range(len(bodies))))


def test_of_many_histories_at_once_one_is_cosigned(start: Start) -> None:
    first, second = start(), start()  # two processes on one folder
    statuses = race(first.url, second.url)
    assert sorted(statuses) == [200] + [409] * 23


def test_of_many_histories_at_once_one_is_cosigned_in_a_database(
    start: Start, database_url: str
) -> None:
    first, second = start("--database", database_url), start("--database", database_url)
    statuses = race(first.url, second.url)
    assert sorted(statuses) == [200] + [409] * 23
    assert first.stop() == 0
    third = start("--database", database_url)
    assert third.add(TREE.request(0, 9)).content == b"5\n"
    shown = httpx.get(f"{third.url}/{HASH}/checkpoint")
    assert parse_body(note.verify(shown.content, [LOG.vkey]).text).size == 5


def dying(when: str) -> list[str]:
    """The command line whose process kills itself before or after a head is in its place."""
    source = f"""
import os, signal
from api.witness import heads
put = heads._put
def deadly(path, data):
    if path.name == "checkpoint" and b"\\n7\\n" in data:
        if {when!r} == "after":
            put(path, data)
        os.kill(os.getpid(), signal.SIGKILL)
    put(path, data)
heads._put = deadly
from api.cli.main import main
main()
"""
    return [sys.executable, "-c", source]


@pytest.mark.parametrize(("when", "kept"), [("before", 3), ("after", 7)])
def test_a_kill_between_keeping_and_answering_leaves_a_head_that_no_fork_gets_past(
    start: Start, when: str, kept: int
) -> None:
    server = start(program=dying(when))
    assert server.add(TREE.request(0, 3)).status_code == 200
    with pytest.raises(httpx.TransportError):
        server.add(TREE.request(3, 7))
    server.process.wait(30)
    again = start()
    assert again.add(TREE.request(1, 9)).content == f"{kept}\n".encode()
    assert again.add(Tree("another").request(kept, 9)).status_code == 422
    assert again.add(TREE.request(kept, 9)).status_code == 200


def test_a_damaged_head_stops_that_log_alone(start: Start, tmp_path: Path) -> None:
    server = start()
    server.add(TREE.request(0, 3))
    path = tmp_path / "heads" / HASH / "checkpoint"
    path.write_bytes(path.read_bytes().replace(b"\n3\n", b"\n1\n"))
    assert server.add(TREE.request(3, 4)).status_code == 503
    assert server.add(Tree("second", SECOND).request(0, 4)).status_code == 200


def test_another_key_is_refused_on_the_same_heads(start: Start, tmp_path: Path, logs: Path) -> None:
    start().stop()
    other = tmp_path / "other.key"
    mingzhang("witness", "key", other, "--name", "witness.example/w1")
    refused = mingzhang(
        "witness", "serve", "--key", other, "--logs", logs, "--data", tmp_path / "heads"
    )
    assert refused.returncode == 2
    assert "keeps its heads for as long as its key" in refused.stderr


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ([], "give --data or --database"),
        (["--data", "heads", "--bind", "7380"], "HOST:PORT"),
        (["--data", "heads", "--bind", "127.0.0.1:x"], "HOST:PORT"),
    ],
)
def test_wrong_use_is_said_at_once(
    key: Path, logs: Path, tmp_path: Path, words: list[str], reason: str
) -> None:
    refused = mingzhang("witness", "serve", "--key", key, "--logs", logs, *words, cwd=tmp_path)
    assert refused.returncode == 2
    assert reason in refused.stderr


def test_the_size_of_a_tree_is_never_taken_back_even_by_its_own_log(start: Start) -> None:
    server = start()
    server.add(TREE.request(0, 9))
    empty = checkpoint.sign(Checkpoint(LOG.name, 0, hashlib.sha256(b"").digest()), LOG)
    assert server.add(encode_request(Request(0, (), empty))).content == b"9\n"
    assert server.add(TREE.request(0, 9)).status_code == 409
    assert server.add(TREE.request(9, 9)).status_code == 200
