"""Answers for the past: by size, by day of recording, and by a signed checkpoint."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

import pytest
from psycopg_pool import ConnectionPool

from ledger.errors import BusyError, FormatError, NotFoundError, ProofError
from ledger.log.note import VerifierKey
from ledger.store.postgres import Database
from ledger.store.reader import Reader
from ledger.store.table import EntryTable
from projections import rankings, statements
from projections.asof import Wanted, parse_as_of, read_as_of
from projections.dossier import STATEMENTS
from projections.fold import recorded_at
from projections.period import parse_period
from projections.render import ranking_text, statement_text
from projections.replay import replay
from projections.runner import Runner
from projections.scores import RANKINGS
from projections.views import Views
from tests.support.clock import SteadyClock
from tests.support.database import OpenLedger
from tests.support.journal import SIGNER, Journal, random_journal
from tests.support.organisation import Organisation


@pytest.fixture
def journal(database: Database, pool: ConnectionPool[Any], table: EntryTable) -> Journal:
    journal = random_journal(seed=50, size=700)
    journal.store(table)
    Runner(database.connect, Reader(pool).size, batch_entries=60).catch_up()
    return journal


@pytest.mark.parametrize("workers", [0, 2])
def test_database_replay_and_an_older_export_agree_at_random_prefixes(
    journal: Journal, pool: ConnectionPool[Any], tmp_path: Path, workers: int
) -> None:
    views, rng = Views(pool), Random(51)
    where = journal.write(tmp_path / "export")
    for size in (46, 255, 256, 257, *rng.sample(range(47, 700), 4), 700):
        asked = parse_as_of(str(size))
        then = Journal()
        then.entries = journal.entries[:size]
        older = then.write(tmp_path / f"then-{size}")
        found = ranking_text(views.ranking("root", "2025", asked))
        for folder, wanted in ((where, asked), (older, None)):
            again = replay(folder, RANKINGS, SIGNER.vkey, as_of=wanted, workers=workers)
            assert again.as_of.size == size
            other = rankings.from_rows(again.rows, again.as_of, "root", parse_period("2025"))
            assert ranking_text(other) == found
        if size > 45:
            mine = statement_text(views.statement("m-7", asked))
            folded = replay(where, STATEMENTS, SIGNER.vkey, as_of=asked, workers=workers)
            assert statement_text(statements.from_rows(folded.rows, folded.as_of, "m-7")) == mine
            assert f"log size {size} " in mine


def test_a_page_is_a_piece_of_the_ranking_now_and_then(
    journal: Journal, pool: ConnectionPool[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    views = Views(pool)
    for few in (0, rankings.FEW_MEMBERS):
        monkeypatch.setattr(rankings, "FEW_MEMBERS", few)
        for unit, period in (("root", "2025"), ("east", "2025-Q2"), ("root", "2024-11")):
            for asked in (None, parse_as_of("400")):
                whole = views.ranking(unit, period, asked)
                scores = {each.score for each in whole.standings}
                assert len(scores) < len(whole.standings), "ties are part of it"
                got: list[Any] = []
                while page := views.ranking_page(
                    unit, period, 3, got[-1] if got else None, asked
                ).standings:
                    assert len(page) <= 3
                    got += page
                assert tuple(got) == whole.standings


def test_an_older_checkpoint_picks_its_prefix(
    journal: Journal, pool: ConnectionPool[Any], tmp_path: Path
) -> None:
    file = tmp_path / "checkpoint-300"
    file.write_bytes(journal.note(300))
    asked = read_as_of(str(file), SIGNER.vkey)
    found = Views(pool).ranking("root", "2025", asked)
    assert found.as_of.size == 300
    where = journal.write(tmp_path / "export")
    again = replay(where, RANKINGS, SIGNER.vkey, as_of=asked)
    assert again.as_of == found.as_of
    # Of the entries behind it nothing is read.
    (tmp_path / "export/tile/entries/002.p/188").write_bytes(b"damaged")
    assert replay(where, RANKINGS, SIGNER.vkey, as_of=asked).root == again.root


def test_a_checkpoint_of_another_history_is_refused(
    journal: Journal, pool: ConnectionPool[Any], tmp_path: Path
) -> None:
    file = tmp_path / "checkpoint"
    file.write_bytes(random_journal(seed=52, size=700).note(300))
    asked = read_as_of(str(file), SIGNER.vkey)
    with pytest.raises(ProofError, match="another tree over the first 300 entries"):
        Views(pool).ranking("root", "2025", asked)
    with pytest.raises(ProofError, match="another tree over the first 300 entries"):
        replay(journal.write(tmp_path / "export"), RANKINGS, SIGNER.vkey, as_of=asked)
    other = VerifierKey(SIGNER.vkey.name, bytes(31) + b"\1")
    with pytest.raises(ProofError):
        read_as_of(str(file), other)


def test_what_lies_beyond_the_log_is_not_answered(
    journal: Journal,
    pool: ConnectionPool[Any],
    table: EntryTable,
    tmp_path: Path,
) -> None:
    with pytest.raises(NotFoundError, match="no size 701: 700 entries are signed"):
        Views(pool).ranking("root", "2025", parse_as_of("701"))
    with pytest.raises(NotFoundError, match="no size 701"):
        replay(journal.write(tmp_path), RANKINGS, as_of=parse_as_of("701"))
    journal.award("m-1")
    journal.store(table)
    with pytest.raises(BusyError, match="holds 700 entries of the 701 asked for"):
        Views(pool).ranking("root", "2025", parse_as_of("701"))
    with pytest.raises(NotFoundError, match="no unit"):
        Views(pool).ranking("root", "2025", parse_as_of("0"))


def test_a_day_ends_in_the_zone_of_the_organisation(open_ledger: OpenLedger) -> None:
    """Shanghai's day ends at 16:00 UTC: what is recorded then belongs to the next."""
    organisation = Organisation()
    ledger = open_ledger(clock=SteadyClock())
    for envelope in organisation.set_up():
        ledger.append(envelope)
    for day, hour in ((6, 15), (6, 16), (7, 15), (7, 17)):
        organisation.now = datetime(2026, 1, day, hour, 30, tzinfo=UTC)
        ledger = open_ledger(clock=SteadyClock(organisation.now))
        ledger.append(organisation.award("m-1", 100))
    size = Runner.of(ledger).catch_up()
    times = [recorded_at(n, ledger.entry(n)) for n in range(size - 4, size)]
    assert [each[8:13] for each in times] == ["06T15", "06T16", "07T15", "07T17"]
    with ledger.database.pool(1, 1) as pool:
        for until, count in (("2026-01-06", 1), ("2026-01-07", 3), ("2026-01-08", 4)):
            found = Views(pool).statement("m-1", parse_as_of(until))
            assert len(found.lines) == count
            assert found.as_of.size == size - 4 + count
        with pytest.raises(NotFoundError):
            Views(pool).statement("m-1", parse_as_of("2025-12-31"))


@pytest.mark.parametrize("text", ["", "-1", "01", "2025-02-30", "2025-1-1", "yesterday", "１"])
def test_what_is_no_point_in_the_log_is_refused(text: str) -> None:
    with pytest.raises(FormatError, match="neither a log size"):
        parse_as_of(text)


def test_sizes_and_days_are_read() -> None:
    assert parse_as_of("0") == Wanted(size=0)
    assert parse_as_of("2025-03-01") == Wanted(day="2025-03-01")
