"""Fault 2: a process is killed while callers wait, alone or beside another one that goes on."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.oracle import Oracle
from tests.support.processes import Worker, Workers, found, rounds, verify_export

ROUNDS = rounds(60)
pytestmark = pytest.mark.timeout(300 + 4 * ROUNDS)


@pytest.fixture
def workers(tmp_path: Path, database_url: str) -> Iterator[Workers]:
    started = Workers(tmp_path, tmp_path / "data", database_url)
    yield started
    started.close()


@pytest.fixture
def oracle(tmp_path: Path, database_url: str) -> Iterator[Oracle]:
    judge = Oracle(database_url, found(tmp_path / "data", database_url))
    yield judge
    judge.close()


def again(worker: Worker, dice: random.Random) -> list[bytes]:
    """Return what the next process sends first: everything unanswered, and some answered ones."""
    answered = [worker.answers.sent[ident] for ident, _ in worker.answers.receipts]
    return worker.answers.unanswered + dice.sample(answered, min(20, len(answered)))


def watch_for(oracle: Oracle, seconds: float) -> None:
    deadline_s = time.monotonic() + seconds
    while time.monotonic() < deadline_s:
        oracle.watch()
        time.sleep(0.01)


def test_a_process_killed_under_64_callers_loses_nothing_that_it_acknowledged(
    workers: Workers, oracle: Oracle, tmp_path: Path, database_url: str
) -> None:
    dice = random.Random(2)
    repeated: list[bytes] = []
    for _ in range(ROUNDS):
        worker = workers.start(again=repeated)
        worker.await_ready()
        worker.await_receipts(1)
        watch_for(oracle, dice.uniform(0, 0.4))
        oracle.acknowledge(worker.kill())
        oracle.check()
        repeated = again(worker, dice)
    last = workers.start(again=repeated)
    last.await_receipts(len(repeated))
    oracle.acknowledge(last.quit())
    oracle.check_whole()
    assert verify_export(tmp_path / "data", database_url, tmp_path / "export") == oracle.size
    print(f"{ROUNDS} kills, {oracle.acknowledged} receipts, {oracle.size} entries")


def test_a_process_killed_beside_another_leaves_nothing_in_its_way(
    workers: Workers, oracle: Oracle, tmp_path: Path, database_url: str
) -> None:
    dice = random.Random(3)
    pair = [workers.start(threads=32), workers.start(threads=32)]
    for each in pair:
        each.await_ready()
    for _ in range(ROUNDS):
        place = dice.randrange(2)
        watch_for(oracle, dice.uniform(0, 0.3))
        killed, survivor = pair[place], pair[1 - place]
        oracle.acknowledge(killed.kill())
        pair[place] = workers.start(threads=32, again=again(killed, dice))
        survivor.await_receipts(64)
        pair[place].await_ready()
        pair[place].await_receipts(1)
        oracle.check()
    for each in pair:
        oracle.acknowledge(each.quit())
    oracle.check_whole()
    assert verify_export(tmp_path / "data", database_url, tmp_path / "export") == oracle.size
    print(f"{ROUNDS} kills, {oracle.acknowledged} receipts, {oracle.size} entries")


@pytest.mark.parametrize("planted", ["commit later", "receipt first"])
def test_a_receipt_given_before_its_commit_is_caught(
    workers: Workers, oracle: Oracle, planted: str
) -> None:
    def rounds_with_the_bug() -> None:
        for _ in range(20):
            worker = workers.start(planted=planted)
            worker.await_receipts(200)
            oracle.acknowledge(worker.kill())
            oracle.check()

    with pytest.raises(AssertionError, match=r"was signed, \d+ entries are there|is not there"):
        rounds_with_the_bug()
