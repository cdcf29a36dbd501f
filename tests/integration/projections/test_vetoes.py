"""A veto in the database's tables: as a clean fold has it, on pages, and at earlier sizes (A35)."""

from __future__ import annotations

from typing import Any

import pytest
from psycopg_pool import ConnectionPool

from ledger.store.postgres import Database
from ledger.store.reader import Reader
from ledger.store.table import EntryTable
from projections import rankings
from projections.asof import parse_as_of
from projections.rankings import Ranking
from projections.render import statement_text
from projections.runner import Runner
from projections.views import Views
from tests.support.folded import assert_folded
from tests.unit.projections.test_scores import Tale
from tests.unit.projections.test_vetoes import NAME, confirm, tale


def bands(found: Ranking) -> dict[str, tuple[str | None, str | None]]:
    return {each.member: (each.band, each.veto) for each in found.standings}


@pytest.mark.parametrize("batch", [1, 5, 4_000])
def test_a35_the_database_has_vetoes_as_a_clean_fold_has_them(
    database: Database, pool: ConnectionPool[Any], table: EntryTable, batch: int
) -> None:
    made = tale()
    ident = confirm(made)
    confirm(made, "m-3", "2025-02-01")
    made.act("m-1", "C-1", points=500)
    made.add("veto.lifted", "member/m-1", {"veto": ident, "reason": "ab" * 32})
    made.add("member.merged", "member/m-3", {"into": "m-2", "reason": "ab" * 32})
    made.store(table)
    Runner(database.connect, Reader(pool).size, batch_entries=batch).catch_up()
    assert_folded(database, made, len(made.entries))


@pytest.fixture
def stored(database: Database, pool: ConnectionPool[Any], table: EntryTable) -> Tale:
    made = tale()
    confirm(made)
    made.act("m-2", "C-1", points=1)
    made.store(table)
    Runner(database.connect, Reader(pool).size).catch_up()
    return made


def test_a35_pages_and_earlier_sizes_show_the_veto_that_then_stood(
    stored: Tale, pool: ConnectionPool[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    views, vetoed = Views(pool), ("unqualified", NAME)
    after = parse_as_of(str(len(stored.entries) - 1))
    before = parse_as_of(str(len(stored.entries) - 2))
    for few in (0, rankings.FEW_MEMBERS):
        monkeypatch.setattr(rankings, "FEW_MEMBERS", few)
        page = views.ranking_page("root", "2025", 2)
        assert bands(page) == {"m-1": vetoed, "m-2": ("good", None)}
    now, folded = views.ranking("root", "2025"), stored.table()
    assert (now.standings, now.excellent) == (folded.standings, folded.excellent)
    assert bands(views.ranking("root", "2025", after))["m-1"] == vetoed
    assert bands(views.ranking("root", "2025", before))["m-1"] == ("good", None)


@pytest.mark.usefixtures("stored")
def test_a35_the_statement_from_the_database_names_the_veto(pool: ConnectionPool[Any]) -> None:
    assert f"否决 veto: {NAME}" in statement_text(Views(pool).statement("m-1"))
