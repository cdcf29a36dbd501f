"""Fault 4: a sequencer stands still (SIGSTOP) at any step, another goes on, then it wakes up."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from signal import SIGCONT, SIGSTOP

import psycopg
import pytest

from ledger.entry import entry_bytes, format_instant, parse_entry, parse_instant
from ledger.log.merkle import leaf_hash
from ledger.store.sequencer import STEPS
from tests.support.oracle import Oracle
from tests.support.processes import Worker, Workers, found, rounds

PLACES = [("before", name) for name, _ in STEPS] + [("after", STEPS[-1][0]), ("in", "anchor")]
ROUNDS = rounds(20)
# Longer than a sequencer's own suspicion that it was paused; every fourth one is a second or more.
PAUSE_S = 0.3
SECOND = timedelta(seconds=1)
pytestmark = pytest.mark.timeout(120 + 8 * ROUNDS)


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


def stop_at(worker: Worker, place: tuple[str, str] | None) -> None:
    """Stop a process at a step of its sequencer, or (None) wherever it is."""
    if place is None:
        worker.signal(SIGSTOP)
    else:
        worker.tell(f"stop {place[0]} {place[1]}")
    worker.await_stopped()


def go_on_beside(oracle: Oracle, paused: Worker, other: Worker, pause_s: float) -> None:
    """Let the other one append for a while, then wake the paused one and see both append."""
    until_s = time.monotonic() + pause_s
    # Whatever the paused process holds, in database or anchor, must not keep this one waiting.
    other.await_receipts(40)
    while time.monotonic() < until_s:
        other.await_receipts(1)
    oracle.watch()
    paused.signal(SIGCONT)
    paused.await_receipts(10)
    other.await_receipts(10)
    oracle.check()


def test_a_sequencer_that_was_paused_at_any_step_signs_nothing_old(
    workers: Workers, oracle: Oracle
) -> None:
    dice = random.Random(4)
    pair = [workers.start(threads=8), workers.start(threads=8)]
    for each in pair:
        each.await_ready()
    for number in range(ROUNDS):
        anywhere = dice.choice([*PLACES, *[None] * len(PLACES)])
        place = PLACES[number] if number < len(PLACES) else anywhere
        paused, other = pair[number % 2], pair[1 - number % 2]
        stop_at(paused, place)
        go_on_beside(oracle, paused, other, 1.2 if number % 4 == 3 else PAUSE_S)
    for each in pair:
        oracle.acknowledge(each.quit())
    oracle.check_whole()


def test_a_paused_sequencer_answers_from_the_first_note_that_covers_its_entries(
    workers: Workers, oracle: Oracle
) -> None:
    paused, other = workers.start(threads=2), workers.start(threads=2)
    paused.await_ready()
    other.await_ready()
    stop_at(paused, ("before", "read_back"))
    committed = oracle.size_now()
    other.await_receipts(40)
    oracle.watch()
    assert oracle.first_note_covering(committed - 1) is not None
    paused.signal(SIGCONT)
    paused.await_receipts(4)
    for each in (paused, other):
        oracle.acknowledge(each.quit())
    oracle.check_whole()


def test_a_paused_sequencer_that_answers_from_the_newest_note_is_caught(
    workers: Workers, oracle: Oracle
) -> None:
    paused, other = workers.start(threads=2, planted="newest note"), workers.start(threads=2)
    paused.await_ready()
    other.await_ready()
    stop_at(paused, ("before", "sign"))
    other.await_receipts(40)
    time.sleep(PAUSE_S)
    paused.signal(SIGCONT)
    paused.await_receipts(4)
    for each in (paused, other):
        oracle.acknowledge(each.quit())
    with pytest.raises(AssertionError, match="another note than the first"):
        oracle.check()


def test_a_sequencer_that_was_paused_over_a_failover_stops(
    workers: Workers, oracle: Oracle, database_url: str
) -> None:
    """The head is at the same size again, with another last entry: size alone would pass."""
    paused = workers.start(threads=2)
    paused.await_ready()
    stop_at(paused, ("before", "commit"))
    take_back_and_replace_last_entry(database_url)
    size = oracle.size_now()
    paused.signal(SIGCONT)
    answers = paused.quit()
    assert any(
        "nothing more is signed" in error and "leaf hash" in error for _, error in answers.errors
    ), answers.errors
    assert oracle.size_now() == size
    oracle.watch()


def test_without_the_leaf_hash_in_the_fence_a_failover_forks_the_log(
    workers: Workers, oracle: Oracle, database_url: str
) -> None:
    paused = workers.start(threads=2)
    paused.await_ready()
    stop_at(paused, ("before", "commit"))
    take_back_and_replace_last_entry(database_url)
    with psycopg.connect(database_url, autocommit=True) as connection:
        (body,) = connection.execute(
            "SELECT pg_get_functiondef('mingzhang.entry_appended'::regproc)"
        ).fetchone() or ("",)
        assert "AND h.leaf = first.expected" in body
        connection.execute(body.replace("AND h.leaf = first.expected", "").encode())
    paused.signal(SIGCONT)
    paused.await_receipts(1)
    oracle.acknowledge(paused.quit())
    with pytest.raises(AssertionError, match=r"recorded_at falls|breaks its|another history"):
        oracle.check()


def take_back_and_replace_last_entry(url: str) -> None:
    """Do to the database what the promotion of a standby that lacks the last entry does."""
    with psycopg.connect(url) as connection:
        connection.execute("SET session_replication_role = replica")
        lost = connection.execute(
            "DELETE FROM mingzhang.entry WHERE index = (SELECT max(index) FROM mingzhang.entry) "
            "RETURNING index, stream, seq, type, id, state"
        ).fetchone()
        assert lost is not None
        *place, state = lost
        entry = parse_entry(state)
        later = format_instant(parse_instant(entry.recorded_at, micros=True) + SECOND, micros=True)
        other = entry_bytes(entry.stream, entry.seq, entry.prev, later, entry.statement.envelope)
        connection.execute(
            "INSERT INTO mingzhang.entry (index, stream, seq, type, id, state) "
            "VALUES (%s, %s, %s, %s, %s, %s)",
            (*place, other),
        )
        connection.execute("UPDATE mingzhang.head SET leaf = %s", (leaf_hash(other),))
