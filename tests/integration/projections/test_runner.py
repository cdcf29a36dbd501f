"""The runner on a real database: rows and position are those of a clean fold, whatever happens."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import psycopg
import pytest
from psycopg_pool import ConnectionPool

from ledger.errors import BusyError, NotFoundError
from ledger.store.postgres import Database
from ledger.store.reader import Reader
from ledger.store.table import EntryTable
from projections import builds, rankings, statements
from projections.advance import open_connection
from projections.catalogue import MODELS
from projections.dossier import STATEMENTS
from projections.period import parse_period
from projections.render import ranking_text, statement_text
from projections.replay import replay
from projections.runner import Runner
from projections.scores import RANKINGS
from projections.views import Views
from tests.support.folded import assert_folded
from tests.support.journal import SIGNER, random_journal
from tests.support.waiting import HELD, pool_row, wait_until

PROJECT = Path(__file__).parents[3]


def runner_of(database: Database, pool: ConnectionPool[Any], **options: Any) -> Runner:
    return Runner(database.connect, Reader(pool).size, **options)


def wait_for_size(runner: Runner, size: int, timeout_s: float) -> float:
    return wait_until(lambda: runner.size == size, timeout_s)


@pytest.mark.parametrize("batch", [7, 100, 4_000])
def test_database_and_replay_give_the_same_bytes(
    database: Database,
    pool: ConnectionPool[Any],
    table: EntryTable,
    tmp_path: Path,
    batch: int,
) -> None:
    journal = random_journal(seed=batch, size=1_500)
    journal.store(table)
    assert runner_of(database, pool, batch_entries=batch).catch_up() == 1_500
    assert_folded(database, journal, 1_500)
    views = Views(pool)
    where = journal.write(tmp_path / "export")
    replayed = replay(where, RANKINGS, SIGNER.vkey)
    for unit in ("root", "east", "west", "group"):
        for period in ("2025", "2025-Q2", "2024-11", "2023"):
            other = rankings.from_rows(replayed.rows, replayed.as_of, unit, parse_period(period))
            text = ranking_text(views.ranking(unit, period)).encode()
            assert text == ranking_text(other).encode()
    replayed = replay(where, STATEMENTS, SIGNER.vkey)
    for n in range(40):
        mine = statements.from_rows(replayed.rows, replayed.as_of, f"m-{n}")
        assert statement_text(views.statement(f"m-{n}")) == statement_text(mine)


def test_nothing_beyond_the_signed_size_is_folded(
    database: Database, pool: ConnectionPool[Any], table: EntryTable
) -> None:
    journal = random_journal(seed=1, size=300)
    journal.store(table, 200)
    journal.store(table, 300, signed=False)
    assert table.head()[0] == 300
    runner = runner_of(database, pool, batch_entries=64)
    assert runner.catch_up() == 200
    assert_folded(database, journal, 200)
    journal.store(table)
    assert runner.lag == 100
    assert runner.catch_up() == 300
    assert runner.lag == 0
    assert_folded(database, journal, 300)


@pytest.mark.parametrize("timing", ["BEFORE UPDATE", "AFTER UPDATE DEFERRED"])
def test_a_crash_between_rows_and_commit_leaves_neither(
    database: Database,
    database_url: str,
    pool: ConnectionPool[Any],
    table: EntryTable,
    timing: str,
) -> None:
    journal = random_journal(seed=2, size=300)
    journal.store(table)
    runner_of(database, pool, batch_entries=100, models=MODELS).catch_up()
    grown = random_journal(seed=2, size=900)
    grown.store(table)
    with psycopg.connect(database_url, autocommit=True) as owner:
        owner.execute(
            "CREATE FUNCTION mingzhang_views.die() RETURNS trigger LANGUAGE plpgsql "
            "SECURITY DEFINER AS $$ BEGIN IF NEW.size > 500 THEN "
            "PERFORM pg_terminate_backend(pg_backend_pid()); END IF; RETURN NEW; END $$"
        )
        moment = (
            "TRIGGER die BEFORE UPDATE ON mingzhang_views.build"
            if timing == "BEFORE UPDATE"
            else "CONSTRAINT TRIGGER die AFTER UPDATE ON mingzhang_views.build "
            "DEFERRABLE INITIALLY DEFERRED"
        )
        owner.execute(
            f"CREATE {moment} FOR EACH ROW EXECUTE FUNCTION mingzhang_views.die()".encode()
        )
        for _ in range(3):
            with pytest.raises(BusyError):
                runner_of(database, pool, batch_entries=100).catch_up()
            assert_folded(database, grown, 500)
        owner.execute("DROP TRIGGER die ON mingzhang_views.build")
    assert runner_of(database, pool).catch_up() == 900
    assert_folded(database, grown, 900)


def test_a_killed_process_leaves_a_clean_fold(
    database: Database, pool: ConnectionPool[Any], table: EntryTable
) -> None:
    journal = random_journal(seed=3, size=2_000)
    journal.store(table)
    rng = Random(3)
    command = [sys.executable, "-m", "tests.support.projector", database.conninfo, "2000", "11"]
    for _ in range(6):
        process = subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        reached = [int(process.stdout.readline()) for _ in range(rng.randint(1, 8))][-1]
        # Somewhere in one of the next batches.
        time.sleep(rng.random() / 50)
        process.kill()
        process.wait()
        process.stdout.close()
        (size,) = pool_row(pool, "SELECT min(size) FROM mingzhang_views.build")
        assert reached <= size < 2_000
        # The killed one's transaction may live on until the server finds its socket closed.
        wait_until(lambda: pool_row(pool, HELD) == (0,), 10)
        (size,) = pool_row(pool, "SELECT min(size) FROM mingzhang_views.build")
        assert_folded(database, journal, size)
    assert runner_of(database, pool).catch_up() == 2_000
    assert_folded(database, journal, 2_000)


def test_several_runners_at_once_fold_each_entry_once(
    database: Database, pool: ConnectionPool[Any], table: EntryTable
) -> None:
    journal = random_journal(seed=4, size=1_200)
    journal.store(table)
    errors: list[BaseException] = []

    def fold() -> None:
        try:
            assert runner_of(database, pool, batch_entries=15).catch_up() == 1_200
        except BaseException as error:  # noqa: BLE001 - told to the test below
            errors.append(error)

    threads = [threading.Thread(target=fold) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert errors == []
    assert_folded(database, journal, 1_200)


def test_it_follows_on_when_its_connection_is_cut(
    database: Database, database_url: str, pool: ConnectionPool[Any], table: EntryTable
) -> None:
    poll_s = 2.0
    pids: list[int] = []

    def connect() -> psycopg.Connection[Any]:
        connection = database.connect()
        pids.append(connection.info.backend_pid)
        return connection

    journal = random_journal(seed=5, size=900)
    with (
        psycopg.connect(database_url, autocommit=True) as owner,
        Runner(connect, Reader(pool).size, poll_s=poll_s) as runner,
    ):
        journal.store(table, 300)
        wait_for_size(runner, 300, 30)
        for size in (600, 900):
            owner.execute("SELECT pg_terminate_backend(%s)", (pids[-1],))
            journal.store(table, size)
            assert wait_for_size(runner, size, 60) < 2 * poll_s
        assert len(pids) == 3
        runner.check()
    assert_folded(database, journal, 900)


def test_a_notification_wakes_it_long_before_the_poll(
    database: Database, pool: ConnectionPool[Any], table: EntryTable
) -> None:
    journal = random_journal(seed=6, size=200)
    with runner_of(database, pool, poll_s=600) as runner:
        journal.store(table, 100)
        wait_for_size(runner, 100, 30)
        journal.store(table, 200)
        wait_for_size(runner, 200, 30)


def test_another_version_of_a_read_model_is_built_from_the_start(
    database: Database, pool: ConnectionPool[Any], table: EntryTable
) -> None:
    journal = random_journal(seed=8, size=300)
    journal.store(table)
    runner_of(database, pool).catch_up()
    second = replace(RANKINGS, version=RANKINGS.version + 1)
    models = (second, STATEMENTS)
    grown = random_journal(seed=8, size=500)
    grown.store(table)
    assert runner_of(database, pool, models=models, batch_entries=70).catch_up() == 500
    assert_folded(database, grown, 500, models)
    assert pool_row(pool, TABLES.format(RANKINGS.name)) == (len(RANKINGS.tables),)
    # Older code, put back in service, builds its own again, and leaves the newer ones alone.
    assert runner_of(database, pool).catch_up() == 500
    assert_folded(database, grown, 500)
    assert pool_row(pool, TABLES.format(RANKINGS.name)) == (2 * len(RANKINGS.tables),)


TABLES = (
    "SELECT count(*) FROM pg_tables WHERE schemaname = 'mingzhang_views' AND tablename LIKE '{}_%'"
)


def test_a_version_is_served_when_it_has_caught_up_and_not_before(
    database: Database, pool: ConnectionPool[Any], table: EntryTable
) -> None:
    journal = random_journal(seed=12, size=300)
    journal.store(table)
    with open_connection(database.connect) as connection:
        builds.set_up(connection, MODELS)
    with pytest.raises(BusyError, match="being built"):
        Views(pool).ranking("root", "2025")
    runner_of(database, pool).catch_up()
    assert Views(pool).ranking("root", "2025").as_of.size == 300


def test_the_tables_of_the_first_release_give_way(
    database: Database, pool: ConnectionPool[Any], table: EntryTable
) -> None:
    journal = random_journal(seed=13, size=100)
    journal.store(table)
    with database.connect() as connection:
        connection.execute("CREATE TABLE mingzhang_views.progress (model text)")
        connection.execute("CREATE TABLE mingzhang_views.rankings_1_unit (id text)")
        connection.execute("CREATE TABLE mingzhang_views.example_awards (actor text)")
    runner_of(database, pool).catch_up()
    assert_folded(database, journal, 100)
    names = pool_row(
        pool, "SELECT array_agg(tablename) FROM pg_tables WHERE schemaname LIKE '%views'"
    )
    assert "progress" not in names[0]
    assert "example_awards" in names[0]


def test_what_was_never_built_or_recorded_is_not_found(
    database: Database, pool: ConnectionPool[Any], table: EntryTable
) -> None:
    views = Views(pool)
    with pytest.raises(NotFoundError, match="never built"):
        views.ranking("root", "2025")
    random_journal(seed=9, size=100).store(table)
    runner_of(database, pool).catch_up()
    with pytest.raises(NotFoundError, match="no unit 'north'"):
        views.ranking("north", "2025")
    with pytest.raises(NotFoundError, match="no member 'm-9000'"):
        views.statement("m-9000")


def test_a_runner_outlasts_another_that_holds_the_positions(
    database: Database, database_url: str, pool: ConnectionPool[Any], table: EntryTable
) -> None:
    random_journal(seed=10, size=200).store(table, 100)
    runner_of(database, pool).catch_up()
    journal = random_journal(seed=10, size=200)
    journal.store(table)

    def connect() -> psycopg.Connection[Any]:
        connection = database.connect()
        connection.execute("SET lock_timeout = '50ms'")
        return connection

    waiting = Runner(connect, Reader(pool).size)
    thread = threading.Thread(target=waiting.catch_up)
    begun: set[Any] = set()

    def waits_again() -> bool:
        row = owner.execute(
            "SELECT xact_start FROM pg_stat_activity "
            "WHERE datname = current_database() AND wait_event_type = 'Lock'"
        ).fetchone()
        begun.update(row or ())
        return len(begun) > 1

    with (
        database.connect() as holder,
        psycopg.connect(database_url, autocommit=True) as owner,
    ):
        holder.execute("BEGIN")
        holder.execute("SELECT size FROM mingzhang_views.build FOR UPDATE")
        thread.start()
        wait_until(waits_again, 20)
        holder.execute("COMMIT")
    thread.join(30)
    assert waiting.size == 200
    assert_folded(database, journal, 200)


def test_it_says_when_it_cannot_reach_the_database(
    database: Database, pool: ConnectionPool[Any], table: EntryTable
) -> None:
    journal = random_journal(seed=11, size=100)
    journal.store(table)
    away = threading.Event()
    away.set()

    def connect() -> psycopg.Connection[Any]:
        if away.is_set():
            raise psycopg.OperationalError("the server is away")
        return database.connect()

    with Runner(connect, Reader(pool).size, poll_s=0.05) as runner:
        wait_until(lambda: busy(runner), 30)
        away.clear()
        wait_for_size(runner, 100, 30)
        wait_until(lambda: not busy(runner), 30)
    assert_folded(database, journal, 100)


def busy(runner: Runner) -> bool:
    try:
        runner.check()
    except BusyError as error:
        return "the server is away" in error.message
    return False
