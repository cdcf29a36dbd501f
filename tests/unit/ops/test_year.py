"""The demo's year keeps the rules that the ledger enforces, and looks like a year of a branch."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from ops.demo import cast, year
from ops.demo.habits import HABITS
from ops.demo.whereabouts import Whereabouts

ZONE = ZoneInfo(cast.TIME_ZONE)
# A leap year that ends on a weekday, and one that ends on a Sunday.
YEARS = (2024, 2023)


@pytest.fixture(scope="module", params=YEARS)
def planned(request: pytest.FixtureRequest) -> list[year.PlannedAct]:
    return list(year.plan(request.param))


def zone_date(when: datetime) -> date:
    return when.astimezone(ZONE).date()


def test_the_same_year_gives_the_same_plan_and_another_another() -> None:
    assert list(year.plan(2024)) == list(year.plan(2024))
    assert [each.member for each in year.plan(2024)] != [each.member for each in year.plan(2025)]


def test_the_year_is_complete_where_the_organisation_lives() -> None:
    turn = datetime(2025, 12, 31, 16, 0, tzinfo=UTC)  # midnight in the organisation's zone
    assert year.last_complete_year(turn - timedelta(seconds=1)) == 2024
    assert year.last_complete_year(turn) == 2025


def test_the_year_has_the_size_of_three_branches(planned: list[year.PlannedAct]) -> None:
    assert 5_000 <= len(planned) <= 7_000
    for branch in cast.BRANCHES:
        monthly = Counter(
            each.when_recorded.month for each in planned if each.branch == branch.unit.id
        )
        assert 120 <= sum(monthly.values()) / 12 <= 300
        assert min(monthly[month] for month in range(1, 13)) >= 40
    kinds = Counter(each.act.kind for each in planned if each.act)
    assert 0.02 <= kinds["deduct"] / len(planned) <= 0.15


def test_statements_are_numbered_in_the_order_of_recording(planned: list[year.PlannedAct]) -> None:
    assert [each.number for each in planned] == list(range(1, len(planned) + 1))
    instants = [each.when_recorded for each in planned]
    assert instants == sorted(instants)


def test_recording_keeps_office_hours_within_the_year(planned: list[year.PlannedAct]) -> None:
    for each in planned:
        local = each.when_recorded.astimezone(ZONE)
        assert each.when_recorded.utcoffset() == timedelta(0)
        assert local.year == each.when_recorded.year == planned[0].when_recorded.year
        assert 9 <= local.hour < 18
        # Only what would otherwise slip into the next year is recorded on a weekend.
        assert local.weekday() < 5 or (local.month, local.day) >= (12, 25)


def test_nobody_signs_for_themselves_and_two_people_sign(planned: list[year.PlannedAct]) -> None:
    people = cast.build()
    for each in planned:
        own = people.member(each.member).actor
        assert len({own, each.recorder, each.approver}) == 3
        assert each.recorder in people.actors_with("recorder", each.branch)
        assert each.approver in people.actors_with("committee", each.branch)
    members_with_offices = {each.id for each in people.members if each.actor}
    assert members_with_offices & {each.member for each in planned}


def test_an_act_is_priced_by_the_version_in_force_on_its_date(
    planned: list[year.PlannedAct],
) -> None:
    seen = Counter[tuple[str, str]]()
    for each in planned:
        if each.act is None:
            continue
        act = each.act
        assert act.act_date <= zone_date(each.when_recorded)
        assert act.act_date.year == planned[0].when_recorded.year
        begun = [
            v
            for first, v in year.versions(act.act_date.year, act.rulebook)
            if first <= act.act_date
        ]
        assert act.version == begun[-1].body["version"]
        item = next(i for i in begun[-1].body["items"] if i["code"] == act.item)
        assert act.kind == {"credit": "award", "debit": "deduct"}[item["kind"]]
        units = (act.quantity or 100) / 100
        if "points" in item:
            assert act.points == item["points"] * units
        else:
            assert item["min"] <= act.points <= item["max"]
            assert act.points % 50 == 0
        assert set(act.evidence) <= set(item["evidence"])
        assert (act.activity is not None) == (item.get("cap", {}).get("per") == "activity")
        assert act.points > 0
        seen[act.rulebook, act.version] += 1
    assert min(seen.values()) > 500
    assert set(seen) == {
        ("rural", "1.0.0"),
        ("rural", "1.1.0"),
        ("office", "1.0.0"),
        ("community", "1.0.0"),
    }


def test_members_get_entries_only_where_they_are(planned: list[year.PlannedAct]) -> None:
    whereabouts = Whereabouts(planned[0].when_recorded.year)
    for each in planned:
        place = whereabouts.at(each.member, each.when_recorded)
        assert place is not None
        assert place.branch == each.branch
        assert place.member_type != "exempt"
    moved = next(c for c in cast.changes(planned[0].when_recorded.year) if c.unit)
    branches = [each.branch for each in planned if each.member == moved.member]
    assert branches[0] != branches[-1]


def test_a_correction_reverses_one_earlier_entry_of_the_same_member(
    planned: list[year.PlannedAct],
) -> None:
    by_number = {each.number: each for each in planned}
    corrections = [each for each in planned if each.reverses is not None]
    assert 20 <= len(corrections) <= 200
    reversed_numbers = [each.reverses for each in corrections]
    assert len(set(reversed_numbers)) == len(reversed_numbers)
    for each in corrections:
        assert each.reverses is not None
        first = by_number[each.reverses]
        assert first.number < each.number
        assert first.reverses is None
        assert (first.member, first.branch) == (each.member, each.branch)
        assert each.act != first.act
    assert {each.act is None for each in corrections} == {True, False}


def test_a_period_is_counted_once_for_a_member(planned: list[year.PlannedAct]) -> None:
    once = Counter(
        (each.member, each.act.item, each.act.act_date)
        for each in planned
        if each.act and each.reverses is None and _unit(each.act) in {"month", "quarter", "year"}
    )
    assert max(once.values()) == 1


def test_every_habit_names_an_item_of_the_rulebook_in_force() -> None:
    for rulebook, habits in HABITS.items():
        for habit in habits:
            for month in habit.months:
                assert _find(rulebook, habit.item, date(2024, month, 28)), (habit.item, month)


def _unit(act: year.Act) -> str:
    return str(_find(act.rulebook, act.item, act.act_date)["unit"])


def _find(rulebook: str, code: str, day: date) -> dict[str, object]:
    begun = [v for first, v in year.versions(day.year, rulebook) if first <= day]
    return next((dict(i) for i in begun[-1].body["items"] if i["code"] == code), {})
