"""Blue and green: a rebuild fills new tables beside the served ones and swaps, whatever happens."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from pathlib import Path
from random import Random
from typing import Any

import psycopg
import pytest
from psycopg_pool import ConnectionPool

from ledger.errors import BusyError, MingzhangError
from ledger.store.postgres import Database
from ledger.store.reader import Reader
from ledger.store.table import EntryTable
from projections import rankings
from projections.asof import parse_as_of
from projections.loading import read_frame
from projections.period import parse_period
from projections.rankings import Ranking
from projections.rebuild import rebuild
from projections.render import ranking_text
from projections.runner import Runner
from projections.scope import Asked
from projections.scores import RANKINGS
from projections.snapshot import Snapshot
from projections.views import Views
from tests.support.folded import assert_folded, history
from tests.support.journal import Journal, random_journal
from tests.support.waiting import HELD, pool_row, wait_until

PROJECT = Path(__file__).parents[3]
BUILDS = (
    "SELECT array_agg(number ORDER BY number), array_agg(number) FILTER (WHERE served) "
    "FROM mingzhang_views.build WHERE model = 'rankings'"
)
TABLES = (
    "SELECT count(DISTINCT split_part(tablename, '_', 2)) FROM pg_tables "
    "WHERE schemaname = 'mingzhang_views' AND tablename LIKE 'rankings_%'"
)


@pytest.fixture
def journal(database: Database, pool: ConnectionPool[Any], table: EntryTable) -> Journal:
    """A log of 600 entries that is stored and folded."""
    journal = random_journal(seed=20, size=600)
    journal.store(table)
    Runner(database.connect, Reader(pool).size).catch_up()
    return journal


def text_at(journal: Journal, size: int, unit: str = "root") -> str:
    _, rows = history(RANKINGS, journal, size)
    when = journal.events()[size - 1].recorded_at
    found = rankings.from_rows(rows, rows.as_of(size, when), unit, parse_period("2025"))
    return ranking_text(found)


def test_it_mends_damaged_tables_and_drops_the_old_ones(
    database: Database, database_url: str, pool: ConnectionPool[Any], journal: Journal
) -> None:
    with psycopg.connect(database_url, autocommit=True) as owner:
        owner.execute("UPDATE mingzhang_views.rankings_1_score SET daily = 1, annual = 1")
    wrong = ranking_text(Views(pool).ranking("root", "2025"))
    told: list[tuple[int, int]] = []
    built = rebuild(
        database.connect,
        Reader(pool).size,
        RANKINGS,
        lambda done, total: told.append((done, total)),
        batch_entries=250,
    )
    assert (built.number, built.served) == (2, True)
    assert told == [(250, 600), (500, 600), (600, 600)]
    assert ranking_text(Views(pool).ranking("root", "2025")) == text_at(journal, 600) != wrong
    assert pool_row(pool, BUILDS) == ([2], [2])
    assert pool_row(pool, TABLES) == (1,)
    assert_folded(database, journal, 600)


def test_readers_and_the_runner_go_on_during_rebuilds(
    database: Database, pool: ConnectionPool[Any], table: EntryTable, journal: Journal
) -> None:
    """Each answer, at each moment, is the ranking of the log size that it names."""
    grown = random_journal(seed=20, size=1_400)
    answers: dict[int, set[str]] = {}
    failures: list[BaseException] = []
    over = threading.Event()

    def ask() -> None:
        last = 0
        try:
            while not over.is_set():
                found = Views(pool).ranking("root", "2025")
                assert found.as_of.size >= last, "an answer went back"
                last = found.as_of.size
                answers.setdefault(last, set()).add(ranking_text(found))
        except BaseException as error:  # noqa: BLE001 - told to the test below
            failures.append(error)

    readers = [threading.Thread(target=ask) for _ in range(2)]
    for each in readers:
        each.start()
    with Runner(database.connect, Reader(pool).size, batch_entries=37, poll_s=0.05) as runner:
        for size in range(700, 1_401, 100):
            grown.store(table, size)
            rebuild(database.connect, Reader(pool).size, RANKINGS, batch_entries=90)
        wait_until(lambda: runner.size == 1_400, 30)
        wait_until(lambda: max(answers, default=0) == 1_400 or bool(failures), 30)
    over.set()
    for each in readers:
        each.join()
    assert not failures
    assert len(answers) > 3
    for size, texts in answers.items():
        assert texts == {text_at(grown, size)}
    (numbers, served) = pool_row(pool, BUILDS)
    assert served == [9]
    assert served[0] in numbers
    assert_folded(database, grown, 1_400)


def test_a_killed_rebuild_is_never_seen_and_the_next_one_begins_anew(
    database: Database, pool: ConnectionPool[Any], journal: Journal
) -> None:
    rng = Random(21)
    before = ranking_text(Views(pool).ranking("root", "2025"))
    command = [sys.executable, "-m", "tests.support.rebuilder", database.conninfo, "rankings"]
    for _ in range(5):
        process = subprocess.Popen(
            [*command, "600", "13"], cwd=PROJECT, stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        for _ in range(rng.randint(1, 40)):
            process.stdout.readline()
        time.sleep(rng.random() / 50)
        process.kill()
        process.wait()
        process.stdout.close()
        wait_until(lambda: pool_row(pool, HELD) == (0,), 10)
        assert_folded(database, journal, 600)
        assert ranking_text(Views(pool).ranking("root", "2025")) == before
    wait_until(lambda: rebuilt(database, pool), 10)
    assert pool_row(pool, TABLES) == (1,)
    assert_folded(database, journal, 600)


def rebuilt(database: Database, pool: ConnectionPool[Any]) -> bool:
    try:
        rebuild(database.connect, Reader(pool).size, RANKINGS)
    except BusyError:
        return False  # the killed one's session is not over yet
    return True


@pytest.mark.parametrize("timing", ["BEFORE UPDATE", "AFTER UPDATE DEFERRED"])
@pytest.mark.parametrize("becomes", ["true", "false"])
def test_a_crash_in_the_swap_leaves_the_old_one_served(
    database: Database,
    database_url: str,
    pool: ConnectionPool[Any],
    journal: Journal,
    timing: str,
    becomes: str,
) -> None:
    with psycopg.connect(database_url, autocommit=True) as owner:
        owner.execute(
            "CREATE FUNCTION mingzhang_views.die() RETURNS trigger LANGUAGE plpgsql "
            "SECURITY DEFINER AS $$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); "
            "RETURN NEW; END $$"
        )
        moment = (
            "TRIGGER die BEFORE UPDATE ON mingzhang_views.build"
            if timing == "BEFORE UPDATE"
            else "CONSTRAINT TRIGGER die AFTER UPDATE ON mingzhang_views.build "
            "DEFERRABLE INITIALLY DEFERRED"
        )
        owner.execute(
            f"CREATE {moment} FOR EACH ROW WHEN (NEW.served IS DISTINCT FROM OLD.served AND "
            f"NEW.served = {becomes}) EXECUTE FUNCTION mingzhang_views.die()".encode()
        )
        for _ in range(2):
            with pytest.raises(BusyError):
                rebuild(database.connect, Reader(pool).size, RANKINGS)
            assert pool_row(pool, BUILDS)[1] == [1]
            assert_folded(database, journal, 600)
        owner.execute("DROP TRIGGER die ON mingzhang_views.build")
    rebuild(database.connect, Reader(pool).size, RANKINGS)
    assert pool_row(pool, TABLES) == (1,)
    assert_folded(database, journal, 600)


def test_a_reader_keeps_the_tables_that_it_reads(
    database: Database, pool: ConnectionPool[Any], journal: Journal
) -> None:
    """It holds the old tables; they go when it has left, with the runner's next start."""
    views = Views(pool)

    def slow(at: Snapshot) -> str:
        ranking_at(at)
        rebuild_with_patience(database, pool, 0.2)
        return ranking_text(ranking_at(at))

    assert views.read(RANKINGS, slow) == text_at(journal, 600)
    assert pool_row(pool, BUILDS) == ([1, 2], [2])
    Runner(database.connect, Reader(pool).size).catch_up()
    assert pool_row(pool, BUILDS) == ([2], [2])
    assert pool_row(pool, TABLES) == (1,)


def ranking_at(at: Snapshot) -> Ranking:
    """Return the ranking of all in 2025 from the tables of a snapshot."""
    frame = read_frame(at.connection, RANKINGS.name, at.build, at.as_of.size)
    asked = Asked("root", parse_period("2025"))
    return rankings.from_database(at.connection, at.build, at.as_of, frame, asked, newest=at.newest)


def rebuild_with_patience(database: Database, pool: ConnectionPool[Any], retire_s: float) -> None:
    rebuild(database.connect, Reader(pool).size, RANKINGS, retire_s=retire_s)


def test_a_reader_whose_tables_are_dropped_asks_again(
    database: Database, pool: ConnectionPool[Any], journal: Journal
) -> None:
    views, begun = Views(pool), []

    def overtaken(at: Snapshot) -> Any:
        begun.append(at.build)
        if len(begun) == 1:
            # Between the snapshot and the first table.
            rebuild_with_patience(database, pool, 5)
        return ranking_at(at)

    assert ranking_text(views.read(RANKINGS, overtaken)) == text_at(journal, 600)
    assert begun == [1, 2]


def test_two_rebuilds_of_a_model_do_not_run_at_once(
    database: Database, pool: ConnectionPool[Any], journal: Journal
) -> None:
    errors: list[MingzhangError] = []

    def again(_done: int, _total: int) -> None:
        try:
            rebuild(database.connect, Reader(pool).size, RANKINGS)
        except MingzhangError as error:
            errors.append(error)

    rebuild(database.connect, Reader(pool).size, RANKINGS, again)
    assert [each.code for each in errors] == ["busy"]
    assert_folded(database, journal, 600)


@pytest.mark.parametrize("seed", range(3))
def test_the_past_is_what_a_fold_of_the_prefix_gives(
    database: Database, pool: ConnectionPool[Any], table: EntryTable, seed: int
) -> None:
    journal = random_journal(seed=30 + seed, size=900)
    journal.store(table)
    Runner(database.connect, Reader(pool).size, batch_entries=80).catch_up()
    rng, views = Random(seed), Views(pool)
    for size in (5, *rng.sample(range(6, 900), 25), 900):
        unit = rng.choice(["root", "east", "west"])
        found = views.ranking(unit, "2025", parse_as_of(str(size)))
        assert ranking_text(found) == text_at(journal, size, unit)
