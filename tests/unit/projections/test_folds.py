"""The folds against a model of a few lines: any stream of awards, deductions and corrections."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.entry import parse_entry
from projections import rankings, statements
from projections.catalogue import MODELS
from projections.dossier import STATEMENTS
from projections.fold import AsOf, Parked, ReadModel, Rows, read_events
from projections.funds import FUNDS
from projections.period import parse_period
from projections.redactions import REDACTIONS
from projections.scores import RANKINGS
from projections.terms import TERMS
from tests.support.journal import Journal, random_journal

DAYS = ["2024-12-31", "2025-01-01", "2025-03-31", "2025-04-01", "2025-12-31", "2026-01-01"]
OTHERS = (TERMS, FUNDS, REDACTIONS)
"""Read models that take in members' streams and keep no points by themselves."""
OF_POINTS = [each for each in MODELS if "member" in each.kinds and each not in OTHERS]
ACT = st.tuples(
    st.sampled_from(["award", "deduct", "reverse", "replace"]),
    st.sampled_from(["m-1", "m-2"]),
    st.integers(1, 500),
    st.sampled_from(DAYS),
    st.integers(0, 10),
)


def start() -> Journal:
    journal = Journal()
    journal.unit("root")
    journal.rulebook()
    journal.enrol("m-1", "root")
    journal.enrol("m-2", "root")
    return journal


def folded(journal: Journal, model: ReadModel) -> Rows:
    rows = model.rows()
    model.fold_all(journal.events(), rows)
    return rows


@given(st.lists(ACT, max_size=40))
def test_scores_and_balances_are_the_sums_of_what_is_not_reversed(
    acts: list[tuple[str, str, int, str, int]],
) -> None:
    journal = start()
    # The model: what counts, as (member, day, signed points), by statement id.
    live: dict[str, tuple[str, str, int]] = {}
    for kind, member, points, day, pick in acts:
        mine = [ident for ident, (whose, _, _) in live.items() if whose == member]
        if kind == "award":
            live[journal.award(member, points, day)] = (member, day, points)
        elif kind == "deduct":
            live[journal.deduct(member, points, day)] = (member, day, -points)
        elif mine:
            target = mine[pick % len(mine)]
            del live[target]
            signed = points if pick % 2 else -points
            made = journal.correct(member, target, signed if kind == "replace" else None, day)
            if kind == "replace":
                live[made] = (member, day, signed)
    as_of = AsOf(len(journal.entries), "now")
    rows = folded(journal, RANKINGS)
    for text, first, last in (
        ("2024", "2024-01-01", "2024-12-31"),
        ("2025", "2025-01-01", "2025-12-31"),
        ("2025-Q1", "2025-01-01", "2025-03-31"),
        ("2025-03", "2025-01-01", "2025-03-31"),
        ("2025-04", "2025-01-01", "2025-04-30"),
    ):
        period = parse_period(text)
        ranking = rankings.from_rows(rows, as_of, "root", period)
        assert {each.member: each.score for each in ranking.standings} == {
            member: sum(
                points
                for whose, day, points in live.values()
                if whose == member and first <= day <= last
            )
            for member in ("m-1", "m-2")
        }
    rows = folded(journal, STATEMENTS)
    for member in ("m-1", "m-2"):
        statement = statements.from_rows(rows, as_of, member)
        counting = {each.entry.id: each.counted for each in statement.lines if each.counted}
        assert counting == {ident: p for ident, (whose, _, p) in live.items() if whose == member}


@pytest.mark.parametrize("model", OF_POINTS, ids=lambda model: str(model.name))
def test_an_entry_that_cannot_be_folded_parks_its_stream_and_no_other(model: ReadModel) -> None:
    journal = start()
    other = journal.award("m-2")
    journal.correct("m-1", other)
    journal.award("m-1")
    journal.award("m-2")
    rows = folded(journal, model)
    (parked,) = rows.parked.values()
    assert [each[:3] for each in parked] == [
        ("member/m-1", 5, "ValueError"),
        ("member/m-1", 6, "behind"),
    ]
    assert other in parked[0].message
    clean = start()
    clean.award("m-2")
    clean.award("m-1")
    clean.award("m-2")
    without = model.rows()
    events = [each for each in clean.events() if each.index != 5]
    model.fold_all(events, without)
    for table in model.tables:
        if table.past:
            assert len(rows.all(table)) == len(without.all(table))
    assert rows.as_of(8, "now").parked == ("member/m-1",)


@pytest.mark.parametrize("model", OF_POINTS, ids=lambda model: str(model.name))
@pytest.mark.parametrize("replacement", [None, 100])
def test_what_is_reversed_already_cannot_be_reversed_again(
    model: ReadModel, replacement: int | None
) -> None:
    journal = start()
    award = journal.award("m-1")
    journal.correct("m-1", award, replacement)
    journal.correct("m-1", award)
    rows = folded(journal, model)
    assert [each.index for each in rows.parked["member/m-1"]] == [6]


def test_what_an_entry_put_before_it_failed_is_taken_back() -> None:
    rows = RANKINGS.rows()
    table = RANKINGS.tables[0]
    first, second = (table.row(*("a", n, None, "2025-01-01", "", "", None, None)) for n in (1, 2))
    rows.put(table, first)
    rows.keep()
    rows.put(table, second)
    rows.put(table, second._replace(id="b"))
    rows.park("unit/a", 1, ValueError("no"))
    assert list(rows.all(table)) == [first]
    assert rows.parked == {"unit/a": [Parked("unit/a", 1, "ValueError", "no")]}


@pytest.mark.parametrize("model", OF_POINTS, ids=lambda model: str(model.name))
def test_every_column_says_what_it_holds(model: ReadModel) -> None:
    for table in model.tables:
        for column in table.described:
            assert column.note, f"{model.name}.{table.name}.{column.name}"
            if column.name in {"points", "daily", "annual"}:
                assert column.unit


def test_the_lean_reader_reads_what_the_strict_parser_reads() -> None:
    journal = random_journal(seed=1, size=400)
    kinds = {"unit", "member", "rulebook", "actor"}
    assert list(read_events(enumerate(journal.entries), kinds)) == journal.events()


def test_the_lean_reader_skips_streams_that_nobody_folds() -> None:
    journal = random_journal(seed=1, size=200)
    read = read_events(enumerate(journal.entries), {"unit"})
    indexes = [
        index
        for index, data in enumerate(journal.entries)
        if parse_entry(data).stream.startswith("unit/")
    ]
    assert [each.index for each in read] == indexes
