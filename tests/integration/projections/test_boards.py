"""Boards from the database are those of a fold of the same prefix."""

from __future__ import annotations

from random import Random
from typing import Any

from psycopg_pool import ConnectionPool

from ledger.store.postgres import Database
from ledger.store.reader import Reader
from ledger.store.table import EntryTable
from projections import activity, funds, notices, reconciliation, redactions, usage
from projections.asof import Wanted
from projections.dossier import STATEMENTS
from projections.entries import ENTRIES
from projections.fold import AsOf, ReadModel, Rows
from projections.funds import FUNDS
from projections.period import parse_period
from projections.redactions import REDACTIONS
from projections.runner import Runner
from projections.scope import Asked
from projections.scores import RANKINGS
from projections.views import Views
from tests.support.chronicle import PAIR
from tests.support.journal import Journal
from tests.support.organisation import COMMITMENT
from tests.support.walk import Walk

MODELS = (RANKINGS, STATEMENTS, ENTRIES, FUNDS, REDACTIONS)


def a_year() -> Walk:
    """A random walk with a fund whose moves come between, and an erasure."""
    walk = Walk(9)
    walk.say("fund.opened", "fund/red", {"unit": "east"}, PAIR)
    walk.published(act_date="2026-01-09")
    walk.final()
    walk.day, moves = 20, []
    for number in range(12):
        walk.walk(25)
        given = {"points": 1000, "source": "budget", "evidence": []}
        moves.append(walk.plant("fund.endowed", "fund/red", given, walk.today))
        if number % 3 == 2:
            back = {"reverses": moves[number - 1], "reason": COMMITMENT}
            walk.plant("fund.reversed", "fund/red", back, walk.today)
    body = {"commitment": COMMITMENT, "cause": "law"}
    walk.plant("text.erased", "member/m-2", body, walk.today)
    return walk


def test_boards_are_those_of_the_prefix(
    database: Database, pool: ConnectionPool[Any], table: EntryTable
) -> None:
    journal = Journal()
    journal.take(a_year().events)
    journal.store(table)
    Runner(database.connect, Reader(pool).size, batch_entries=40, models=MODELS).catch_up()
    views, events = Views(pool), journal.events()
    shown = set[int]()
    shown_first = next(e.index for e in events if e.proposal.type == "points.published") + 1
    sizes = {len(events), shown_first, *Random(8).sample(range(60, len(events)), 6)}
    for size in sorted(sizes):
        as_of = AsOf(size, events[size - 1].recorded_at)

        def rows(model: ReadModel, size: int = size) -> Rows:
            made = model.rows()
            model.fold_all(events[:size], made)
            return made

        then, asked = Wanted(size=size), Asked("east", parse_period("2026"))
        board = views.board("root", then)
        assert board == notices.from_rows(rows(STATEMENTS), as_of, "root")
        assert views.usage("east", "2026", then) == usage.from_rows(rows(RANKINGS), as_of, asked)
        counted = views.reconciliation("east", "2026", then)
        assert counted == reconciliation.from_rows(rows(RANKINGS), as_of, asked)
        for month in ("2026-01", "2026-02"):
            units = ["root", "east", "west"]
            mine = activity.from_rows(rows(ENTRIES), as_of, units, "root", month)
            assert views.activity("root", month, then) == mine
        folded = rows(FUNDS)
        assert views.funds(then) == funds.from_rows(folded, as_of)
        assert views.fund("red", then) == funds.sheet_from_rows(folded, as_of, "red")
        assert views.redactions(then) == redactions.from_rows(rows(REDACTIONS), as_of)
        shown.add(len(board.entries))
    assert shown - {0}, "something is in publicity"
    assert views.redactions().found
    assert views.usage("east", "2026").items
