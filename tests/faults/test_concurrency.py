"""Several processes with many threads each on one database: every statement once, every receipt."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.support.oracle import Oracle
from tests.support.processes import Workers, award_now, found, verify_export

PROCESSES, THREADS, EACH = 4, 16, 40


@pytest.mark.timeout(180)
def test_four_processes_of_sixteen_threads_record_every_statement_once(
    tmp_path: Path, database_url: str
) -> None:
    data = tmp_path / "data"
    oracle = Oracle(database_url, found(data, database_url))
    workers = Workers(tmp_path, data, database_url)
    oracle.check()
    before = oracle.size
    try:
        started_s = time.monotonic()
        running = [workers.start(threads=THREADS, each=EACH) for _ in range(PROCESSES)]
        for each in running:
            each.await_ready()
        for each in running:
            each.await_done()
        taken_s = time.monotonic() - started_s
        for each in running:
            oracle.acknowledge(each.quit())
        oracle.check_whole()
        total = PROCESSES * THREADS * EACH
        assert oracle.acknowledged == total
        assert oracle.size == before + total
        assert verify_export(data, database_url, tmp_path / "export") == oracle.size
        print(f"{total} statements by {PROCESSES} processes in {taken_s:.1f} s with their start")
    finally:
        workers.close()
        oracle.close()


@pytest.mark.timeout(180)
def test_the_same_statements_sent_by_every_process_are_recorded_once(
    tmp_path: Path, database_url: str
) -> None:
    """All send the same ones at the same time: one record, one receipt, to the same bytes."""
    data = tmp_path / "data"
    oracle = Oracle(database_url, found(data, database_url))
    workers = Workers(tmp_path, data, database_url)
    oracle.check()
    before = oracle.size
    try:
        same = [award_now() for _ in range(THREADS * EACH)]
        running = [workers.start(threads=THREADS, each=EACH, again=same) for _ in range(PROCESSES)]
        for each in running:
            each.await_ready()
        for each in running:
            each.await_done()
            oracle.acknowledge(each.quit())
        oracle.check_whole()
        assert oracle.acknowledged == len(same)
        assert oracle.size == before + len(same)
    finally:
        workers.close()
        oracle.close()
