"""The committee's questions: any conditions together, page by page, now and in the past."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import fields
from itertools import combinations
from random import Random
from typing import Any

import pytest
from psycopg_pool import ConnectionPool

from ledger.errors import NotFoundError
from ledger.store.postgres import Database
from ledger.store.reader import Reader
from ledger.store.table import EntryTable
from projections import asof, disputes, finding
from projections.disputes import DISPUTES
from projections.entries import ENTRIES, ENTRY, HAND, REVIEWING, SCORING, EntryRow
from projections.finding import Wanted, table_rows
from projections.fold import AsOf, ReadModel, Rows
from projections.roster import UNIT, UnitRow
from projections.runner import Runner
from projections.views import Views
from tests.support.busy import a_busy_log
from tests.support.hearing import CASE
from tests.support.journal import Journal


@pytest.fixture(scope="module")
def journal() -> Journal:
    made = Journal()
    made.take(a_busy_log().events)
    return made


@pytest.fixture
def views(
    database: Database, pool: ConnectionPool[Any], table: EntryTable, journal: Journal
) -> Views:
    journal.store(table)
    size = len(journal.entries)
    runner = Runner(database.connect, Reader(pool).size, (ENTRIES, DISPUTES), batch_entries=17)
    assert runner.catch_up() == size
    return Views(pool)


def below(units: Collection[UnitRow], top: str) -> set[str]:
    """A unit and all under it."""
    found = {top}
    while more := {each.id for each in units if each.parent in found} - found:
        found |= more
    return found


def folded(journal: Journal, model: ReadModel, size: int) -> Rows:
    rows = Rows(model.tables)
    model.fold_all(journal.events()[:size], rows)
    assert not rows.parked
    return rows


def meets(rows: Rows, row: EntryRow, wanted: Wanted) -> bool:
    """The slow way: each condition by itself."""

    def signed(actor: str, steps: tuple[str, ...]) -> bool:
        return any(
            h.entry == row.id and h.actor == actor and h.step in steps for h in rows.all(HAND)
        )

    if wanted.scorer is not None and not signed(wanted.scorer, SCORING):
        return False
    if wanted.reviewer is not None and not signed(wanted.reviewer, REVIEWING):
        return False
    if wanted.unit is not None:
        units = below(rows.all(UNIT), wanted.unit)
        if row.unit not in units:
            return False
    same = ("member", "rulebook", "item", "act_type", "kind", "origin", "state", "reversed")
    if any(getattr(wanted, n) not in (None, getattr(row, n)) for n in same):
        return False
    return (
        (wanted.act_from or "") <= row.act_date <= (wanted.act_to or "~")
        and (wanted.recorded_from or "") <= row.recorded_on <= (wanted.recorded_to or "~")
        and (wanted.amount_min is None or row.amount >= wanted.amount_min)
        and (wanted.amount_max is None or row.amount <= wanted.amount_max)
    )


CHOICES: dict[str, list[Any]] = {
    "scorer": ["lead-1", "east-com-1", "rec-1", "mem-2", "nobody"],
    "reviewer": ["east-com-1", "east-com-2", "lead-1"],
    "unit": ["root", "east", "west"],
    "member": ["m-2", "m-5"],
    "rulebook": ["rules", "western"],
    "item": ["C-1", "R-1", "S-1", "D-1"],
    "act_type": ["test.act", "other.act"],
    "kind": ["credit", "debit", "reversal"],
    "origin": ["claim", "correction"],
    "state": ["final", "claimed", "rejected", "reversed"],
    "act_from": ["2026-01-10"],
    "act_to": ["2026-01-10"],
    "recorded_from": ["2026-01-13"],
    "recorded_to": ["2026-01-12"],
    "amount_min": [0, 150],
    "amount_max": [100, -1],
    "reversed": [True, False],
}


@pytest.mark.parametrize("looks", [finding.LOOKS, ((1, False), (3, True))], ids=["deep", "short"])
def test_any_conditions_together_find_what_each_of_them_finds(
    views: Views,
    journal: Journal,
    monkeypatch: pytest.MonkeyPatch,
    looks: tuple[tuple[int, bool], ...],
) -> None:
    monkeypatch.setattr(finding, "LOOKS", looks)
    monkeypatch.setattr(finding, "PAGE_MAX", 2)
    assert {each.name for each in fields(Wanted)} == set(CHOICES)
    random, size = Random(5), len(journal.entries)
    sizes, hits = (size, size - 20, size // 2), 0
    folds = {each: folded(journal, ENTRIES, each) for each in sizes}
    questions = [{name: value} for name, values in CHOICES.items() for value in values]
    for _ in range(150):
        names = random.sample(sorted(CHOICES), random.randint(0, 4))
        questions.append({name: random.choice(CHOICES[name]) for name in names})
    for question in questions:
        wanted = Wanted(**question)
        at = random.choice(sizes)
        rows = folds[at]
        right = [each for each in rows.all(ENTRY) if meets(rows, each, wanted)]
        right.sort(key=lambda each: -each.log_index)
        as_of = None if at == size else asof.parse_as_of(str(at))
        page = views.all_entries(wanted, as_of)
        assert [each.entry for each in page.found] == right, question
        assert page.as_of.size == at
        hits += bool(right)
    assert hits > 60


def test_pages_follow_each_other_without_gap_or_repeat(views: Views) -> None:
    whole = views.all_entries(Wanted())
    found, after = [], None
    while True:
        page = views.entries(Wanted(), 3, after)
        found += [each.entry.id for each in page.found]
        after = page.after
        if after is None:
            break
        assert len(page.found) == 3
    assert found == [each.entry.id for each in whole.found]
    assert len(found) == len(set(found)) > 6


def test_a_page_that_finds_too_few_says_where_to_go_on(
    views: Views, monkeypatch: pytest.MonkeyPatch
) -> None:
    days = [each.entry.act_date for each in views.all_entries(Wanted()).found]
    wanted = Wanted(act_to=min(days))
    right = [each.entry.id for each in views.all_entries(wanted).found]
    monkeypatch.setattr(finding, "LOOKS", ((1, False),))
    found, after, short = [], None, False
    while True:
        page = views.entries(wanted, 1, after)
        found += [each.entry.id for each in page.found]
        short = short or (not page.found and page.after is not None)
        assert page.after is None or after is None or page.after < after
        after = page.after
        if after is None:
            break
    assert found == right != []
    assert short
    patient = views.entries(wanted, len(right), patient=True)
    assert [each.entry.id for each in patient.found] == right


LED = ["scorer", "reviewer", "member", "rulebook", "item", "act_type", "kind", "origin", "state"]


def places_of(rows: Rows, name: str, value: Any) -> list[int]:
    """Where a condition's own walk goes, newest first."""
    if name in ("scorer", "reviewer"):
        steps = SCORING if name == "scorer" else REVIEWING
        found = [h.log_index for h in rows.all(HAND) if h.actor == value and h.step in steps]
    else:
        found = [each.log_index for each in rows.all(ENTRY) if getattr(each, name) == value]
    return sorted(found, reverse=True)


def test_the_condition_whose_places_lie_furthest_apart_is_followed_and_no_other(
    views: Views, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    depth = 2
    monkeypatch.setattr(finding, "LOOKS", ((depth, False),))
    rows = folded(journal, ENTRIES, len(journal.entries))
    found = set()
    for pair in combinations([(name, value) for name in LED for value in CHOICES[name]], 2):
        wanted = Wanted(**dict(pair))
        both = pair[0][0] != pair[1][0]
        if not both or any(meets(rows, each, wanted) for each in rows.all(ENTRY)):
            continue
        walked = [places_of(rows, *each) for each in pair]
        ended = any(len(each) < depth for each in walked)
        page = views.entries(wanted, 1)
        reached = None if ended else min(each[depth - 1] for each in walked)
        assert (page.found, page.after) == ((), reached), pair
        found.add(reached)
    assert len(found) > 3
    assert None in found


def test_whoever_signed_is_found_by_the_day_of_the_act_as_it_was_revised(
    journal: Journal,
) -> None:
    events = journal.events()
    assert any(each.proposal.type == "points.revised" for each in events)
    rows = folded(journal, ENTRIES, len(events))
    days = {each.id: each.act_date for each in rows.all(ENTRY)}
    assert all(each.act_date == days[each.entry] for each in rows.all(HAND))


def test_each_entry_comes_with_the_people_of_its_steps(views: Views) -> None:
    page = views.entries(Wanted(reviewer="east-com-2", state="final"), 10)
    for each in page.found:
        assert {"east-com-1", "east-com-2"} <= {h.actor for h in each.hands if h.step == "review"}
    cells = list(table_rows(page))
    assert len(cells) == len(page.found) > 0
    assert all(isinstance(cell, str) for row in cells for cell in row)


def test_an_unknown_unit_is_said(views: Views) -> None:
    with pytest.raises(NotFoundError, match="nowhere"):
        views.entries(Wanted(unit="nowhere"), 10)


def test_a_case_is_read_as_of_any_size(views: Views, journal: Journal) -> None:
    size = len(journal.entries)
    for at in range(size - 25, size + 1):
        rows = folded(journal, DISPUTES, at)
        as_of = asof.parse_as_of(str(at))
        mine = views.disputes("2026-01-30", as_of, every=True)
        other = disputes.from_rows(rows, AsOf(at, ""), "2026-01-30", every=True)
        assert mine.standings == other.standings
    file = views.dispute(CASE, "2026-01-30")
    assert [each.type for each in file.parts][:2] == ["dispute.received", "dispute.acknowledged"]
    with pytest.raises(NotFoundError):
        views.dispute("d-9", "2026-01-30")
