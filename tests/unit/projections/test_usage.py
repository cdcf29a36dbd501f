"""Rule usage, roster reconciliation and scorer activity, each against a slow look at the same."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import datetime
from statistics import median
from typing import Any

import pytest

from ledger.domain.days import zone_date
from ledger.errors import FormatError
from projections import activity, rankings, reconciliation, usage
from projections.activity import Took, active
from projections.boards_text import reconciliation_text
from projections.entries import ENTRIES
from projections.fold import AsOf, Rows
from projections.frame import frame_of
from projections.period import parse_period
from projections.reconciliation import Counted, Reconciliation
from projections.roster import MEMBER
from projections.scope import Asked, scope_of
from projections.scores import RANKINGS
from projections.usage import Used
from tests.support.busy import a_busy_log
from tests.support.journal import Journal, random_journal

ZONE = "Asia/Shanghai"
TYPES = [
    {"code": "ordinary", "name_zh": "普通党员"},
    {"code": "old", "name_zh": "免考党员", "standing": "exempt"},
    {"code": "double", "name_zh": "双报到党员", "accounts": ["service"]},
]


def folded(journal: Journal) -> tuple[Rows, AsOf]:
    rows, events = RANKINGS.rows(), journal.events()
    RANKINGS.fold_all(events, rows)
    assert not rows.parked
    return rows, AsOf(len(events), events[-1].recorded_at)


def asked(unit: str = "root", period: str = "2025") -> Asked:
    return Asked(unit, parse_period(period))


SPANS = {
    "2024": ("2024-01-01", "2024-12-31"),
    "2025-Q2": ("2025-04-01", "2025-06-30"),
    "2025-03": ("2025-03-01", "2025-03-31"),
}


@pytest.mark.parametrize("period", SPANS)
def test_usage_counts_what_stands_of_each_item_by_unit_and_days(period: str) -> None:
    """Without caps and moves it is a sum over the statements that nobody took back."""
    moving = ("member.transferred", "member.left")
    events = [
        each
        for each in random_journal(seed=5, size=500).events()
        if each.proposal.type not in moving
    ]
    rows = RANKINGS.rows()
    RANKINGS.fold_all(events, rows)
    units, gone = {}, set()
    for event in events:
        if event.proposal.type == "member.enrolled":
            units[event.proposal.stream] = event.proposal.body["unit"]
        elif event.proposal.type == "points.corrected":
            gone.add(event.proposal.body["reverses"])
    counts, amounts = Counter[tuple[str, str]](), Counter[tuple[str, str]]()
    first, last = SPANS[period]
    for event in events:
        act: dict[str, Any] = event.proposal.body.get("replacement", event.proposal.body)
        if "item" in act and event.proposal.id not in gone and first <= act["act_date"] <= last:
            name = (act["item"], units[event.proposal.stream])
            counts[name] += 1
            amounts[name] += act["points"] if act["item"] == "C-1" else -act["points"]
    found = usage.from_rows(rows, AsOf(500, events[-1].recorded_at), asked(period=period))
    assert {(e.item, e.unit): e.entries for e in found.items} == dict(counts)
    assert {(e.item, e.unit): e.counted for e in found.items} == dict(amounts)
    assert all(each.worth == each.counted and not each.clipped for each in found.items)
    assert (found.days.first, found.days.last) == (first, last)


def test_usage_says_what_caps_took() -> None:
    journal = Journal()
    journal.unit("root")
    capped = {
        "code": "K-1", "category": "A", "name_zh": "K", "name_en": "K", "act_type": "t.a",
        "kind": "credit", "unit": "occurrence", "points": 100,
        "cap": {"per": "month", "points": 250},
    }  # fmt: skip
    journal.rulebook(items=[capped], merit={"base": 6000})
    journal.enrol("m-1", "root")
    for day in ("2025-03-01", "2025-03-02", "2025-03-03", "2025-04-01"):
        body = {
            "rulebook": "rules", "version": "1.0.0", "item": "K-1", "points": 100,
            "act_date": day, "reason": "ab" * 32, "evidence": [],
        }  # fmt: skip
        journal.add("points.awarded", "member/m-1", body)
    rows, as_of = folded(journal)
    (march,) = usage.from_rows(rows, as_of, asked(period="2025-03")).items
    assert march == Used("K-1", "root", 3, 300, 250, 50)
    (year,) = usage.from_rows(rows, as_of, asked()).items
    assert year == Used("K-1", "root", 4, 400, 350, 50)


def roster(journal: Journal, unit: str = "root") -> Reconciliation:
    return reconciliation.from_rows(*folded(journal), asked(unit))


def staffed() -> Journal:
    """East has two who are scored, one exempt and one without a merit account; west has one."""
    journal = Journal()
    journal.unit("root")
    journal.unit("east", "root")
    journal.unit("west", "root")
    journal.rulebook(member_types=TYPES, merit={"base": 6000})
    for member, unit, kind in (
        ("m-1", "east", "ordinary"),
        ("m-2", "east", "ordinary"),
        ("m-3", "east", "old"),
        ("m-4", "east", "double"),
        ("m-5", "west", "ordinary"),
    ):
        body = {"unit": unit, "member_type": kind, "date": "2024-01-01"}
        journal.add("member.enrolled", f"member/{member}", body)
    return journal


def test_exempt_and_scored_and_aside_are_the_roster() -> None:
    found = roster(staffed())
    assert found.units == (
        Counted("east", 4, 2, 1, 1, 0, ()),
        Counted("root", 0, 0, 0, 0, 0, ()),
        Counted("west", 1, 1, 0, 0, 0, ()),
    )
    assert found.balanced
    assert [each.unit for each in roster(staffed(), "west").units] == ["west"]


def test_who_left_is_on_neither_side_and_who_moved_is_counted_once() -> None:
    journal = staffed()
    journal.leave("m-1")
    journal.transfer("m-2", "west")
    found = {each.unit: each for each in roster(journal).units}
    assert roster(journal).balanced
    assert (found["east"].roster, found["west"].roster) == (2, 2)


def test_members_under_a_rulebook_of_their_own_are_elsewhere() -> None:
    journal = staffed()
    body = journal.events()[3].proposal.body | {"unit": "west"}
    journal.add("rulebook.published", "rulebook/western", dict(body))
    whole = Asked("root", parse_period("2025"), "rules")
    found = reconciliation.from_rows(*folded(journal), whole)
    assert found.balanced
    assert {each.unit: each.elsewhere for each in found.units} == {"east": 0, "root": 0, "west": 1}


def test_cheat_17_the_roster_is_held_against_the_total_that_the_unit_above_signed() -> None:
    journal = staffed()
    span = {"kind": "year", "start": "2025-01-01", "end": "2025-12-31"}
    body = {"unit": "east", "rulebook": "rules"} | span
    journal.add("period.opened", "period/y", body)
    assert (roster(journal, "east").agrees, roster(journal, "east").balanced) == (None, True)
    journal.add("roster.confirmed", "period/y", {"unit": "east", "total": 5})
    wrong = roster(journal, "east")
    assert (wrong.total, wrong.confirmed, wrong.agrees, wrong.balanced) == (4, 5, False, False)
    assert "signed by the unit above 5: 不符 WRONG" in reconciliation_text(wrong)
    journal.add("roster.confirmed", "period/y", {"unit": "east", "total": 4})
    assert (roster(journal, "east").agrees, roster(journal, "east").balanced) == (True, True)
    assert roster(journal, "west").confirmed is None


def test_a_random_roster_comes_out() -> None:
    for seed in range(4):
        journal = random_journal(seed=70 + seed, size=400)
        for unit in ("root", "east", "west"):
            assert roster(journal, unit).balanced


def test_a_ranking_that_leaves_somebody_out_does_not_come_out() -> None:
    rows, as_of = folded(staffed())
    scope = scope_of(frame_of(rows), asked())
    whole = rankings.from_rows(rows, as_of, "root", parse_period("2025"))
    cut = replace(whole, standings=whole.standings[1:])
    found = reconciliation.reconcile(frame_of(rows), scope, cut, rows.all(MEMBER))
    assert not found.balanced
    assert [each.unexplained for each in found.units if each.unexplained] == [
        (whole.standings[0].member,)
    ]


def test_steps_and_hours_are_those_of_the_entries_ways() -> None:
    log = a_busy_log()
    rows = Rows(ENTRIES.tables)
    ENTRIES.fold_all(log.events, rows)
    as_of = AsOf(len(log.events), log.events[-1].recorded_at)
    counts = Counter[tuple[str, str, str]]()
    waits: dict[tuple[str, str, str], list[float]] = {}
    for stream in log.world.accounts:
        account = log.world.accounts.get(stream)
        for entry in account.entries.values() if account else ():
            for place, step in enumerate(entry.steps):
                if zone_date(ZONE, step.recorded_at)[:7] != "2026-01":
                    continue
                for key in step.keyids:
                    name = (key, step.name, entry.id)
                    counts[name] += 1
                    if place:
                        since = entry.steps[place - 1].recorded_at
                        gap = datetime.fromisoformat(step.recorded_at) - datetime.fromisoformat(
                            since
                        )
                        waits.setdefault(name, []).append(gap.total_seconds() / 3600)
    found = activity.from_rows(rows, as_of, ["east", "west", "root"], "root", "2026-01")
    assert sum(each.steps for each in found.found) == sum(counts.values()) > 30
    checks = [each for each in found.found if (each.actor, each.step) == ("lead-1", "check")]
    by_step = Counter(step for _, step, _ in counts.elements())
    assert sum(each.steps for each in found.found if each.step == "check") == by_step["check"]
    assert checks
    mine = [gap for (_, step, _), gaps in waits.items() if step == "check" for gap in gaps]
    assert checks[0].hours == round(median(mine), 2)
    west = activity.from_rows(rows, as_of, ["west"], "west", "2026-01")
    assert not west.found


def test_a_step_waits_for_the_statement_before_it_and_the_first_for_nobody() -> None:
    def took(step: str, actor: str, statement: str, day: str) -> Took:
        return Took("e", "east", step, actor, statement, f"2026-{day}.000000Z")

    way = [
        took("review", "b", "3", "02-01T00:00:00"),
        took("review", "a", "3", "02-01T00:00:00"),
        took("claim", "m", "1", "01-31T10:00:00"),
        took("check", "l", "2", "01-31T15:30:00"),
    ]
    january = active(way, "UTC", "2026-01")
    assert [(e.actor, e.hours) for e in january] == [("l", 5.5), ("m", None)]
    february = active(way, "UTC", "2026-02")
    assert [(e.actor, e.steps, e.hours) for e in february] == [("a", 1, 8.5), ("b", 1, 8.5)]
    # In Shanghai the night of 31 January UTC is February.
    assert {e.actor for e in active(way, ZONE, "2026-01")} == {"m", "l"}
    late = [took("claim", "m", "1", "01-31T16:30:00")]
    assert [e.month for e in active(late, ZONE, "2026-02")] == ["2026-02"]


def test_what_is_no_month_is_refused() -> None:
    rows = Rows(ENTRIES.tables)
    for wrong in ("2026", "2026-13", "2026-1", "x"):
        with pytest.raises(FormatError, match="is no month"):
            activity.from_rows(rows, AsOf(0, ""), ["root"], "root", wrong)
