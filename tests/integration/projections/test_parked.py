"""A poisoned entry parks its stream; all others go on, and it can be folded later in its place."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from random import Random
from typing import Any

import pytest
from psycopg_pool import ConnectionPool
from structlog.testing import capture_logs

from ledger.domain.event import Event
from ledger.errors import ConflictError, NotFoundError
from ledger.store.postgres import Database
from ledger.store.reader import Reader
from ledger.store.table import EntryTable
from projections import rankings, status
from projections.acts import ACT
from projections.asof import parse_as_of
from projections.batch import OvertakenError
from projections.catalogue import MODELS
from projections.dossier import STATEMENTS
from projections.fold import ReadModel, Rows
from projections.period import parse_period
from projections.rebuild import rebuild, unpark
from projections.render import ranking_text, statement_text
from projections.replay import replay
from projections.roster import UNIT
from projections.runner import Runner
from projections.scores import RANKINGS
from projections.views import Views
from tests.support.folded import assert_folded
from tests.support.journal import SIGNER, random_journal


def runner_of(database: Database, pool: ConnectionPool[Any], **options: Any) -> Runner:
    return Runner(database.connect, Reader(pool).size, **options)


def faulty(model: ReadModel, *indexes: int) -> ReadModel:
    """Return the read model with a fault: it puts a row for some entries, and then fails."""

    def fold(event: Event, rows: Rows) -> None:
        model.fold(event, rows)
        if event.index in indexes:
            raise RuntimeError(f"not {event.index}")

    return replace(model, fold=fold)


@pytest.mark.parametrize("batch", [1, 13, 4_000])
def test_a_poisoned_entry_parks_its_stream_and_the_rest_goes_on(
    database: Database,
    pool: ConnectionPool[Any],
    table: EntryTable,
    tmp_path: Any,
    batch: int,
) -> None:
    journal = random_journal(seed=7, size=100)
    award = journal.award("m-1")
    journal.correct("m-2", award)
    for _ in range(3):
        journal.award("m-2")
    journal.award("m-3")
    journal.store(table)
    with capture_logs() as logs:
        assert runner_of(database, pool, batch_entries=batch).catch_up() == 106
    assert_folded(database, journal, 106)
    alerts = [each for each in logs if each["event"] == "entry parked"]
    assert sorted((each["model"], each["index"], each["error"]) for each in alerts) == [
        ("entries", 101, "ValueError"),
        ("rankings", 101, "ValueError"),
        ("statements", 101, "ValueError"),
    ]
    assert {each["log_level"] for each in alerts} == {"error"}
    assert "m-2" not in repr(logs), "people are not named in logs"
    views = Views(pool)
    found = views.ranking("root", "2025")
    assert found.as_of.parked == ("member/m-2",)
    assert "entries that could not be folded: member/m-2" in ranking_text(found)
    assert views.ranking("root", "2025", parse_as_of("101")).as_of.parked == ()
    assert views.statement("m-2").as_of.parked == ("member/m-2",)
    assert views.statement("m-3").as_of.parked == ()
    # A replay parks the same.
    again = replay(journal.write(tmp_path / "export"), RANKINGS, SIGNER.vkey)
    other = rankings.from_rows(again.rows, again.as_of, "root", parse_period("2025"))
    assert ranking_text(other) == ranking_text(found)


def test_what_it_says_of_itself(
    database: Database, pool: ConnectionPool[Any], table: EntryTable
) -> None:
    assert status.positions(pool) == []
    journal = random_journal(seed=7, size=100)
    journal.store(table)
    runner_of(database, pool, models=[faulty(RANKINGS, 60), STATEMENTS]).catch_up()
    journal.award("m-3")
    journal.store(table)
    first, second = status.positions(pool)
    stream = journal.events()[60].proposal.stream
    behind = sum(each.proposal.stream == stream for each in journal.events()[60:100])
    assert first == ("rankings", RANKINGS.version, 1, True, 100, 1, behind, 1)
    assert second == ("statements", STATEMENTS.version, 1, True, 100, 1, 0, 0)
    (parked,) = status.parked_streams(pool)
    assert parked == ("rankings", 1, stream, 60, "RuntimeError", "not 60")
    lines = status.metrics(pool).splitlines()
    label = f'{{model="rankings",version="{RANKINGS.version}"}}'
    assert f"mingzhang_read_model_lag_entries{label} 1" in lines
    assert f"mingzhang_read_model_parked_entries{label} {behind}" in lines
    assert f"mingzhang_read_model_parked_streams{label} 1" in lines


@pytest.mark.parametrize("seed", range(4))
def test_once_the_fold_is_mended_the_stream_is_as_if_nothing_had_been(
    database: Database, pool: ConnectionPool[Any], table: EntryTable, seed: int
) -> None:
    journal = random_journal(seed=40 + seed, size=400)
    journal.store(table)
    events = journal.events()
    rng = Random(seed)
    poisoned = [
        rng.choice([each.index for each in events if each.proposal.stream == f"member/m-{n}"])
        for n in (1, 2, 3)
    ]
    of_points = [each for each in MODELS if "member" in each.kinds]
    bad = [faulty(model, *poisoned) for model in of_points]
    runner_of(database, pool, models=bad, batch_entries=50).catch_up()
    assert_folded(database, journal, 400, bad)
    for model in of_points:
        for n in (3, 1, 2):
            unpark(database.connect, model, f"member/m-{n}")
    assert_folded(database, journal, 400, of_points)
    assert all(each.parked == 0 for each in status.positions(pool))
    text = statement_text(Views(pool).statement("m-1", parse_as_of("300")))
    rebuild(database.connect, Reader(pool).size, STATEMENTS)
    assert statement_text(Views(pool).statement("m-1", parse_as_of("300"))) == text


def test_a_stream_that_still_fails_stays_parked_whole(
    database: Database, pool: ConnectionPool[Any], table: EntryTable
) -> None:
    journal = random_journal(seed=7, size=100)
    award = journal.award("m-1")
    journal.award("m-2")
    journal.correct("m-2", award)
    journal.award("m-2")
    journal.store(table)
    first = next(each.index for each in journal.events() if each.proposal.stream == "member/m-2")
    bad = faulty(RANKINGS, first)
    runner_of(database, pool, models=[bad]).catch_up()
    with pytest.raises(ConflictError, match="entry 102 still cannot be folded into rankings"):
        unpark(database.connect, RANKINGS, "member/m-2")
    assert_folded(database, journal, 104, [bad])
    with pytest.raises(NotFoundError, match="nothing of member/m-1 is parked"):
        unpark(database.connect, RANKINGS, "member/m-1")


def test_what_later_entries_of_others_have_touched_needs_a_rebuild(
    database: Database, pool: ConnectionPool[Any], table: EntryTable
) -> None:
    """Two streams write one row: the later one has been there, the earlier one is too late."""
    journal = random_journal(seed=7, size=100)
    journal.store(table)
    events = journal.events()
    unit = UNIT

    def fold(event: Event, rows: Rows) -> None:
        RANKINGS.fold(event, rows)
        if event.proposal.stream in ("member/m-1", "member/m-2"):
            known = rows.get(unit, "both")
            row = known or unit.row("both", 0, None, "2025-01-01", "", "", None, None)
            rows.put(unit, row._replace(version=row.version + 1))

    shared = replace(
        RANKINGS, fold=fold, needs=lambda event: [*RANKINGS.needs(event), (unit, "both")]
    )
    first = next(each.index for each in events if each.proposal.stream == "member/m-1")
    bad = faulty(shared, first)
    runner_of(database, pool, models=[bad]).catch_up()
    with pytest.raises(OvertakenError, match="mingzhang rebuild rankings"):
        unpark(database.connect, shared, "member/m-1")
    assert_folded(database, journal, 100, [bad])
    rebuild(database.connect, Reader(pool).size, shared)
    assert_folded(database, journal, 100, [shared])


@pytest.mark.parametrize("batch", [1, 7, 64, 4_000])
@pytest.mark.parametrize("value", ["2025-13-45", "NUL\0"])
def test_a_row_that_only_the_database_refuses_is_parked_too(
    database: Database, pool: ConnectionPool[Any], table: EntryTable, batch: int, value: str
) -> None:
    journal = random_journal(seed=9, size=150)
    for _ in range(2):
        journal.award("m-1")
    journal.award("m-2")
    journal.store(table)
    events = journal.events()
    poisoned = [each.index for each in events if each.proposal.type == "points.awarded"][5]
    stream = events[poisoned].proposal.stream

    def fold(event: Event, rows: Rows) -> None:
        RANKINGS.fold(event, rows)
        if event.index == poisoned:
            row = rows.get(ACT, event.proposal.id)
            assert row is not None
            damaged = (
                row._replace(act_date=value) if value[0] == "2" else row._replace(member=value)
            )
            rows.put(ACT, damaged)

    bad = replace(RANKINGS, fold=fold)
    with capture_logs() as logs:
        runner_of(database, pool, models=[bad, STATEMENTS], batch_entries=batch).catch_up()
    assert [each["index"] for each in logs if each["event"] == "entry parked"] == [poisoned]
    # The same rows and parked entries as if the fold itself had failed there.
    with failing_as(logs[0]["error"]) as error:

        def refuse(event: Event, rows: Rows) -> None:
            if event.index == poisoned:
                raise error
            RANKINGS.fold(event, rows)

        assert_folded(database, journal, 153, [replace(RANKINGS, fold=refuse), STATEMENTS])
    (parked,) = status.parked_streams(pool)
    assert (parked.stream, parked.log_index) == (stream, poisoned)
    unpark(database.connect, RANKINGS, stream)
    assert_folded(database, journal, 153, [RANKINGS, STATEMENTS])


@contextmanager
def failing_as(name: str) -> Iterator[Exception]:
    yield type(name, (Exception,), {})()
