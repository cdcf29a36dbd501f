"""What an entry is worth and what counts of it: rules A1 to A14, and A26, A28, A32, A37."""

from __future__ import annotations

from typing import Any

import pytest

from ledger.errors import FormatError, Refused
from ledger.rules.book import Book, nearest
from ledger.rules.member import Days, Member, Spell
from ledger.rules.period import Period, Periods
from ledger.rules.rulebook import Pilot
from tests.support.rules import (
    book,
    clipped,
    counted,
    debit,
    entry,
    item,
    member,
    scored,
    version,
)


def test_a2_the_version_in_force_on_the_act_date_prices_the_act() -> None:
    rules = book(
        version(item("X", 100)),
        version(item("X", 200), version="1.1.0", effective_from="2026-07-01"),
    )
    found = scored(rules, [entry("06-30", "a", "X"), entry("07-01", "b", "X")])
    assert counted(found) == {"a": 100, "b": 200}


def test_a2_an_act_before_the_first_version_is_refused() -> None:
    rules = version(item("X"), effective_from="2026-02-01")
    with pytest.raises(Refused, match="not in force"):
        scored(rules, [entry("01-31", "a", "X")])


def test_a2_the_nearest_units_rulebook_prices() -> None:
    town = Book("town", [version(item("X"), unit="town")])
    village = Book("village", [version(item("X"), unit="village", effective_from="2026-03-01")])
    path = ("group", "village", "town", "root")
    assert nearest([town, village], path, "2026-03-01") == [village]
    assert nearest([town, village], path, "2026-02-28") == [town]
    assert nearest([town, village], ("other", "root"), "2026-03-01") == ()


def test_a2_a_pilot_wins_in_its_units_and_dates_only() -> None:
    pilot = Pilot(frozenset({"east"}), "2026-03-01", "2026-04-30")
    rules = book(
        version(item("X", 100)),
        version(item("X", 300), version="2.0.0", pilot=pilot),
    )
    acts = [entry(day, day, "X") for day in ("02-28", "03-01", "04-30", "05-01")]
    inside = Member("m-1", (Spell("2020-01-01", "ordinary", ("group", "east", "root"), "rb"),))
    outside = Member("m-2", (Spell("2020-01-01", "ordinary", ("west", "root"), "rb"),))
    assert list(counted(scored(rules, acts, inside)).values()) == [100, 300, 300, 100]
    assert set(counted(scored(rules, acts, outside)).values()) == {100}


def test_a3_a_new_version_takes_over_after_a_pilot() -> None:
    rules = book(
        version(item("X", 100)),
        version(
            item("X", 300),
            version="2.0.0",
            pilot=Pilot(frozenset({"east"}), "2026-03-01", "2026-04-30"),
        ),
        version(item("X", 200), version="2.1.0", effective_from="2026-06-01"),
    )
    who = Member("m-1", (Spell("2020-01-01", "ordinary", ("east",), "rb"),))
    acts = [entry(day, day, "X") for day in ("04-01", "05-01", "06-01")]
    assert list(counted(scored(rules, acts, who)).values()) == [300, 100, 200]


def test_a4_an_item_is_open_to_the_types_that_it_applies_to() -> None:
    rules = version(item("X", applies_to=["probationary"]))
    with pytest.raises(Refused, match=r"no such item for a member of type ordinary"):
        scored(rules, [entry("01-05", "a", "X")])


def test_a4_the_type_is_that_of_the_act_date() -> None:
    rules = version(item("X", applies_to=["probationary"]))
    spells = (
        Spell("2026-01-01", "probationary", (), "rb"),
        Spell("2026-06-01", "ordinary", (), "rb"),
    )
    who = Member("m-1", spells)
    assert counted(scored(rules, [entry("05-31", "a", "X")], who)) == {"a": 100}
    with pytest.raises(Refused):
        scored(rules, [entry("06-01", "a", "X")], who)


@pytest.mark.parametrize(
    ("rule", "given", "said"),
    [
        ({}, {"quantity": 150}, "quantity 1.50 is no multiple of 1.00"),
        ({}, {"quantity": 0}, "quantity 0.00"),
        ({}, {"quantity": -100}, "no multiple"),
        ({"unit": "hour"}, {"quantity": 75}, "no multiple of 0.50"),
        ({}, {"points": 100}, "has fixed points"),
        ({"points": 33, "unit": "hour"}, {"quantity": 150}, "is not whole hundredths"),
    ],
)
def test_a5_a_value_that_is_not_points_times_quantity_is_refused(
    rule: dict[str, Any], given: dict[str, Any], said: str
) -> None:
    with pytest.raises(Refused, match=said):
        scored(version(item("X") | rule), [entry("01-05", "a", "X", **given)])


def test_a5_an_item_can_set_its_own_step() -> None:
    rules = version(item("X", 200, step=25))
    assert counted(scored(rules, [entry("01-05", "a", "X", quantity=125)])) == {"a": 250}


def test_a5_half_hours_count_where_no_minutes_are_added() -> None:
    rules = version(item("X", unit="hour"))
    assert counted(scored(rules, [entry("01-05", "a", "X", quantity=150)])) == {"a": 150}


def test_a6_a_range_takes_the_points_that_were_signed_times_quantity() -> None:
    rules = version(item("X", (500, 1000)))
    found = scored(rules, [entry("01-05", "a", "X", points=700, quantity=200)])
    assert counted(found) == {"a": 1400}


@pytest.mark.parametrize("points", [None, 499, 1001])
def test_a6_points_outside_the_range_are_refused(points: int | None) -> None:
    with pytest.raises(Refused, match=r"5\.00 to 10\.00 points a unit"):
        scored(version(item("X", (500, 1000))), [entry("01-05", "a", "X", points=points)])


def test_a7_minutes_of_one_activity_are_added_before_caps() -> None:
    rules = version(item("X", unit="hour"), min_minutes=30)
    found = scored(
        rules,
        [
            entry("01-05", "a", "X", quantity=50, activity="w"),
            entry("01-06", "b", "X", quantity=50, activity="w"),
            entry("01-07", "c", "X", quantity=50, activity="w"),
            entry("01-07", "d", "X", quantity=150, activity="other"),
        ],
    )
    # 0:30 is an hour, 1:00 still one, 1:30 two; 1:30 of the other activity alone is two.
    assert counted(found) == {"a": 100, "b": 0, "c": 100, "d": 200}


def test_a7_less_than_the_minimum_is_nothing() -> None:
    rules = version(item("X", unit="hour", step=25), min_minutes=30)
    acts = [
        entry("01-05", "a", "X", quantity=25, activity="w"),
        entry("01-06", "b", "X", quantity=125, activity="v"),
    ]
    assert counted(scored(rules, acts)) == {"a": 0, "b": 100}


def test_a9_an_hour_item_under_minutes_and_an_activity_cap_need_the_activity() -> None:
    for rules in (
        version(item("X", unit="hour"), min_minutes=30),
        version(item("X", cap={"per": "activity", "points": 100})),
    ):
        with pytest.raises(Refused, match="name the activity"):
            scored(rules, [entry("01-05", "a", "X")])


@pytest.mark.parametrize(
    ("per", "days", "counts"),
    [
        ("month", ("01-01", "01-31", "02-01"), [100, 0, 100]),
        ("quarter", ("01-01", "03-31", "04-01"), [100, 0, 100]),
        ("year", ("01-01", "12-31", "2027-01-01"), [100, 0]),
    ],
)
def test_a9_an_item_cap_holds_in_each_of_its_buckets(
    per: str, days: tuple[str, ...], counts: list[int]
) -> None:
    rules = version(item("X", cap={"per": per, "points": 100}))
    found = scored(rules, [entry(day, day, "X") for day in days])
    assert list(counted(found).values()) == counts


def test_a9_the_bucket_of_the_next_year_is_a_new_one() -> None:
    rules = version(item("X", cap={"per": "year", "points": 100}))
    acts = [entry("12-31", "a", "X"), entry("2027-01-01", "b", "X")]
    assert counted(scored(rules, acts, period=Period("2027-01-01", "2027-12-31"))) == {"b": 100}


def test_a9_months_and_quarters_are_counted_from_the_periods_start() -> None:
    periods = Periods("07-15")
    assert periods.place("2026-07-14") == (Period("2025-07-15", "2026-07-14"), 12, 4)
    assert periods.place("2026-08-14")[1:] == (1, 1)
    assert periods.place("2026-08-15")[1:] == (2, 1)
    assert periods.place("2027-01-15")[1:] == (7, 3)
    assert periods.quarter_end(Period("2026-07-15", "2027-07-14"), 2) == "2027-01-14"
    assert periods.before(Period("2026-07-15", "2027-07-14")).last == "2026-07-14"
    rules = version(item("X", cap={"per": "month", "points": 100}), period={"start": "07-15"})
    acts = [entry(day, day, "X") for day in ("08-14", "08-15", "09-14")]
    found = scored(rules, acts, period=Period("2026-07-15", "2027-07-14"))
    assert list(counted(found).values()) == [100, 100, 0]


def test_a9_an_activity_bucket_runs_over_the_periods_end() -> None:
    rules = version(item("X", cap={"per": "activity", "points": 150}))
    acts = [
        entry("12-31", "a", "X", activity="w"),
        entry("2027-01-01", "b", "X", activity="w"),
        entry("2027-01-01", "c", "X", activity="v"),
    ]
    found = scored(rules, acts, period=Period("2027-01-01", "2027-12-31"))
    assert counted(found) == {"b": 50, "c": 100}


def test_a9_a_period_cap_limits_all_credits_of_an_account() -> None:
    rules = version(
        item("X", 200),
        item("Y", 200, category="D"),
        item("S", 200, account="service"),
        merit={"period_caps": [{"per": "month", "points": 300}, {"per": "quarter", "points": 400}]},
    )
    found = scored(
        rules,
        [
            entry("01-05", "a", "X"),
            entry("01-06", "b", "Y"),
            entry("01-07", "c", "S"),
            entry("02-07", "d", "X"),
            entry("04-07", "e", "X"),
        ],
    )
    assert counted(found) == {"a": 200, "b": 100, "c": 200, "d": 100, "e": 200}
    assert clipped(found) == {"b": {"period_cap": 100}, "d": {"period_cap": 100}}


def test_a10_each_stage_clips_what_the_one_before_let_through() -> None:
    rules = version(
        item("X", 1000, cap={"per": "year", "points": 900}),
        merit={
            "period_caps": [{"per": "month", "points": 700}],
            "category_caps": [{"category": "C", "points": 500}],
            "credit_cap": 300,
        },
    )
    found = scored(rules, [entry("01-05", "a", "X")])
    assert found.entries[0].clipped == (
        ("item_cap", 100),
        ("period_cap", 200),
        ("category_cap", 200),
        ("total_cap", 200),
    )
    assert (found.entries[0].worth, found.entries[0].counted) == (1000, 300)


def test_a10_a_category_cap_and_a_total_cap_go_over_items() -> None:
    rules = version(
        item("X", 300),
        item("Y", 300),
        item("Z", 300, category="D"),
        merit={"category_caps": [{"category": "C", "points": 400}], "credit_cap": 600},
    )
    found = scored(
        rules, [entry("01-05", "a", "X"), entry("01-06", "b", "Y"), entry("01-07", "c", "Z")]
    )
    assert counted(found) == {"a": 300, "b": 100, "c": 200}
    assert clipped(found) == {"b": {"category_cap": 200}, "c": {"total_cap": 100}}


def test_a10_debits_meet_their_item_cap_before_the_category_floor() -> None:
    rules = version(
        debit("X", 400, cap={"per": "month", "points": 600}),
        merit={"base": 700, "bases": [{"category": "B", "points": 700}]},
    )
    found = scored(rules, [entry(day, day, "X") for day in ("01-05", "01-06", "02-05")])
    assert clipped(found) == {"01-06": {"item_cap": 200}, "02-05": {"category_floor": 300}}
    assert counted(found) == {"01-05": -400, "01-06": -200, "02-05": -100}


def test_a11_entries_fill_a_bucket_by_act_date_then_statement_id() -> None:
    rules = version(item("X", cap={"per": "year", "points": 250}))
    acts = [entry("02-01", "a", "X"), entry("01-01", "c", "X"), entry("01-01", "b", "X")]
    assert counted(scored(rules, acts)) == {"b": 100, "c": 100, "a": 50}


def test_a12_the_highest_of_an_exclusive_group_wins() -> None:
    rules = version(
        item("TOWN", 200, exclusive_group="honour"), item("CITY", 500, exclusive_group="honour")
    )
    found = scored(
        rules,
        [
            entry("01-05", "a", "TOWN", deed="d1"),
            entry("05-05", "b", "CITY", deed="d1"),
            entry("06-05", "c", "TOWN", deed="d2"),
        ],
    )
    assert counted(found) == {"a": 0, "b": 500, "c": 200}
    assert clipped(found) == {"a": {"exclusive_group": 200}}


def test_a12_of_equal_values_the_earliest_wins() -> None:
    rules = version(item("X", exclusive_group="honour"))
    acts = [entry("02-05", "a", "X", deed="d"), entry("01-05", "b", "X", deed="d")]
    assert counted(scored(rules, acts)) == {"b": 100, "a": 0}


def test_a12_losers_stay_at_nothing_where_a_cap_clips_the_winner() -> None:
    rules = version(
        item("TOWN", 200, exclusive_group="honour"),
        item("CITY", 500, exclusive_group="honour", cap={"per": "year", "points": 100}),
    )
    acts = [entry("01-05", "a", "TOWN", deed="d"), entry("01-06", "b", "CITY", deed="d")]
    assert counted(scored(rules, acts)) == {"a": 0, "b": 100}


def test_a12_reversing_the_winner_revives_the_next() -> None:
    rules = version(
        item("TOWN", 200, exclusive_group="honour"), item("CITY", 500, exclusive_group="honour")
    )
    town, city = entry("01-05", "a", "TOWN", deed="d"), entry("01-06", "b", "CITY", deed="d")
    assert counted(scored(rules, [town, city])) == {"a": 0, "b": 500}
    assert counted(scored(rules, [town])) == {"a": 200}


def test_a12_a_deed_of_another_period_is_another_bucket() -> None:
    rules = version(item("X", exclusive_group="honour"))
    acts = [entry("12-31", "a", "X", deed="d"), entry("2027-01-01", "b", "X", deed="d")]
    assert counted(scored(rules, acts)) == {"a": 100}
    assert counted(scored(rules, acts, period=Period("2027-01-01", "2027-12-31"))) == {"b": 100}


def test_a12_an_honour_without_its_deed_is_refused() -> None:
    with pytest.raises(Refused, match="name the deed"):
        scored(version(item("X", exclusive_group="honour")), [entry("01-05", "a", "X")])


def test_a13_an_entry_takes_what_its_own_versions_cap_leaves() -> None:
    rules = book(
        version(item("X", 200, cap={"per": "year", "points": 600})),
        version(
            item("X", 200, cap={"per": "year", "points": 300}),
            version="1.1.0",
            effective_from="2026-03-01",
        ),
        version(
            item("X", 200, cap={"per": "year", "points": 500}),
            version="1.2.0",
            effective_from="2026-06-01",
        ),
    )
    acts = [entry(day, day, "X") for day in ("01-01", "02-01", "03-01", "06-01", "06-02")]
    # 4.00 are in the bucket when 1.1.0 allows 3.00: never below 0; 1.2.0 leaves 1.00.
    assert list(counted(scored(rules, acts)).values()) == [200, 200, 0, 100, 0]


def test_a14_category_debits_fill_the_base_down_to_the_floor() -> None:
    rules = version(
        debit("X", 400),
        debit("G", 500, scope="global"),
        merit={"base": 1000, "bases": [{"category": "B", "points": 1000, "floor": 300}]},
    )
    found = scored(
        rules, [entry("01-05", "a", "X"), entry("01-06", "b", "X"), entry("01-07", "g", "G")]
    )
    assert counted(found) == {"a": -400, "b": -300, "g": -500}
    assert clipped(found) == {"b": {"category_floor": 100}}
    assert (found.base, found.category_debit, found.global_debit) == (300, 700, 500)


def test_a14_a_capped_global_debit_fills_its_bucket() -> None:
    rules = version(debit("X", 100, scope="global", cap={"per": "month", "points": 150}))
    acts = [entry(day, day, "X") for day in ("01-05", "01-06", "02-05")]
    assert list(counted(scored(rules, acts)).values()) == [-100, -50, -100]


def test_a23_an_act_during_an_exemption_is_refused() -> None:
    who = member(exempt=(Days("2026-03-01", "2026-03-31"),))
    rules = version(item("X"))
    assert counted(scored(rules, [entry("02-28", "a", "X"), entry("04-01", "b", "X")], who))
    for day in ("03-01", "03-31"):
        with pytest.raises(Refused, match="was exempt"):
            scored(rules, [entry(day, "a", "X")], who)


def test_a26_entries_keep_the_type_of_their_act_date() -> None:
    rules = version(
        item("X", applies_to=["ordinary"]),
        member_types=[
            {"code": "ordinary", "name_zh": "普通", "accounts": ["merit", "service"]},
            {"code": "in_service_reg", "name_zh": "双报到", "accounts": ["service"]},
        ],
    )
    spells = (
        Spell("2026-01-01", "in_service_reg", (), "rb"),
        Spell("2026-06-01", "ordinary", (), "rb"),
    )
    found = scored(rules, [entry("06-05", "a", "X")], Member("m-1", spells))
    assert (found.member_type, found.merit) == ("ordinary", 100)
    with pytest.raises(Refused):
        scored(rules, [entry("05-05", "a", "X")], Member("m-1", spells))


def test_a28_a_quarters_table_has_acts_up_to_its_end() -> None:
    rules = version(
        item("TOWN", 200, exclusive_group="honour"), item("CITY", 500, exclusive_group="honour")
    )
    acts = [entry("01-05", "a", "TOWN", deed="d"), entry("05-05", "b", "CITY", deed="d")]
    assert counted(scored(rules, acts, through="2026-03-31")) == {"a": 200}
    assert counted(scored(rules, acts, through="2026-06-30")) == {"a": 0, "b": 500}


def test_a32_what_a_reversal_frees_goes_to_the_next_in_order() -> None:
    rules = version(item("X", 300, cap={"per": "year", "points": 400}))
    first, second = entry("01-05", "a", "X"), entry("01-06", "b", "X")
    assert counted(scored(rules, [first, second])) == {"a": 300, "b": 100}
    assert counted(scored(rules, [second])) == {"b": 300}


def test_a37_a_what_if_lists_items_that_the_new_rules_lack() -> None:
    acts = [entry("01-05", "a", "X"), entry("01-06", "b", "GONE", points=5)]
    found = scored(version(item("X")), acts, unknown_is_zero=True)
    assert (counted(found), found.unknown, found.credit) == ({"a": 100, "b": 0}, ("GONE",), 100)
    with pytest.raises(Refused, match="GONE on 2026-01-06"):
        scored(version(item("X")), acts)


def test_an_act_before_enrolment_or_after_leaving_is_refused() -> None:
    who = member(start="2026-02-01", left="2026-06-30")
    rules = version(item("X"))
    assert counted(scored(rules, [entry("02-01", "a", "X"), entry("06-30", "b", "X")], who))
    for day in ("01-31", "07-01"):
        with pytest.raises(Refused):
            scored(rules, [entry(day, "a", "X")], who)


def test_a3_two_versions_of_one_day_or_with_other_periods_make_no_rulebook() -> None:
    with pytest.raises(FormatError, match="same day"):
        book(version(item("X")), version(item("X"), version="1.1.0"))
    with pytest.raises(FormatError, match="start of the period"):
        book(version(item("X")), version(item("X"), period={"start": "07-01"}))


def test_a20_a_document_whose_weights_or_bases_do_not_fit_is_refused() -> None:
    for more, said in (
        ({"annual": {"kind": "weighted", "daily": 80, "review": 30}}, "100 percent"),
        ({"merit": {"base": 100, "carry_over": 20}}, "base must be 0"),
        ({"merit": {"base": 100, "bases": [{"category": "B", "points": 90}]}}, "add up"),
        (
            {
                "merit": {"carry_over": 20},
                "annual": {"kind": "weighted3", "last": 20, "daily": 70, "review": 10},
            },
            "counts once",
        ),
    ):
        with pytest.raises(FormatError, match=said):
            version(item("X"), **more)


def test_bodies_without_arithmetic_are_scored_by_defaults() -> None:
    # What was published before rulebooks had a model: no base, no caps, no floor.
    found = scored(version(item("X"), debit("Y", 300)), [entry("01-05", "a", "X")])
    assert (found.base_total, found.merit, found.annual, found.band) == (0, 100, 100, None)
    lower = scored(version(item("X"), debit("Y", 300)), [entry("01-05", "a", "Y")])
    assert (lower.daily, lower.global_debit) == (-300, 300)
