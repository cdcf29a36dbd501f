"""From counted entries to annual: rules A15 to A21, A25 and A35."""

from __future__ import annotations

from typing import Any

import pytest

from ledger.rules.components import Wallet, half_even, review_of
from ledger.rules.member import Member, Spell
from ledger.rules.rulebook import Pilot
from tests.support.rules import (
    TYPES,
    YEAR,
    book,
    debit,
    entry,
    item,
    member,
    scored,
    version,
    vetoed,
)

BANDS = [
    {"code": "unqualified", "name_zh": "不合格", "min": 0, "below": 6000},
    {"code": "basic", "name_zh": "基本合格", "min": 6000, "below": 9000},
    {"code": "excellent_candidate", "name_zh": "优秀候选", "min": 9000},
]
WEIGHTED = {"kind": "weighted", "daily": 80, "review": 20}


@pytest.mark.parametrize(
    ("numerator", "denominator", "quotient"),
    [
        (5, 2, 2),
        (7, 2, 4),
        (15, 10, 2),
        (25, 10, 2),
        (26, 10, 3),
        (-5, 2, -2),
        (-7, 2, -4),
        (4, 2, 2),
    ],
)
def test_a18_a_half_goes_to_the_even_neighbour(
    numerator: int, denominator: int, quotient: int
) -> None:
    assert half_even(numerator, denominator) == quotient


def test_a15_floor_and_ceiling_are_lines_of_their_own() -> None:
    rules = version(
        item("X", 5000), debit("Y", 9000), merit={"base": 6000, "floor": 0, "ceiling": 10000}
    )
    up = scored(rules, [entry("01-05", "a", "X")])
    assert (up.daily, up.cut_at_ceiling, up.lifted_to_floor) == (10000, 1000, 0)
    down = scored(rules, [entry("01-05", "a", "Y")])
    assert (down.daily, down.cut_at_ceiling, down.lifted_to_floor) == (0, 0, 3000)
    assert up.entries[0].clipped == down.entries[0].clipped == ()


def test_a16_base_and_bands_are_those_of_the_periods_first_day() -> None:
    rules = book(
        version(item("X"), merit={"base": 5000}, bands=BANDS),
        version(item("X"), merit={"base": 9500}, version="2.0.0", effective_from="2026-07-01"),
    )
    found = scored(rules, [entry("08-01", "a", "X")])
    assert (found.base_total, found.band, found.version) == (5000, "unqualified", "1.0.0")


def test_a16_in_a_first_period_the_first_version_in_it_governs() -> None:
    rules = book(
        version(item("X"), merit={"base": 5000}, effective_from="2026-03-01"),
        version(item("X"), merit={"base": 9500}, version="2.0.0", effective_from="2026-07-01"),
    )
    assert scored(rules, []).base_total == 5000
    pilot = version(
        item("X"), merit={"base": 700}, pilot=Pilot(frozenset({"e"}), "2026-02-01", "2026-02-28")
    )
    who = Member("m", (Spell("2026-01-01", "ordinary", ("e",), "rb"),))
    assert scored(book(pilot, *rules.published), [], who).base_total == 700


def test_a16_a_base_is_never_pro_rata() -> None:
    rules = version(item("X"), merit={"base": 6000})
    assert scored(rules, [], member(start="2026-12-01")).base == 6000


def test_a17_service_is_apart_from_merit() -> None:
    rules = version(
        item("X"),
        item("S", 500, account="service"),
        debit("T", 200, account="service", category="C"),
        merit={"base": 1000},
    )
    acts = [entry("01-05", "a", "X"), entry("01-05", "b", "S"), entry("01-06", "c", "T")]
    found = scored(rules, acts)
    assert (found.merit, found.service) == (1100, 300)


def test_a17_a_wallet_below_nothing_redeems_nothing() -> None:
    assert Wallet(1000, 600, 100).balance == Wallet(1000, 600, 100).redeemable == 300
    assert (Wallet(500, 600, 0).balance, Wallet(500, 600, 0).redeemable) == (-100, 0)


def test_a19_a_review_is_the_mean_of_its_sheets_rounded_once() -> None:
    assert review_of([8000, 9001]) == 8500
    assert review_of([8000, 8001]) == 8000
    assert review_of([100, 100, 101]) == 100
    assert review_of([]) is None
    with pytest.raises(ValueError, match="valid sheet"):
        review_of([10001])


@pytest.mark.parametrize(
    ("annual", "review", "last", "figure"),
    [
        ({"kind": "daily"}, None, None, 9000),
        ({"kind": "weighted", "daily": 80, "review": 20}, 8000, None, 8800),
        ({"kind": "weighted", "daily": 70, "review": 30}, 8000, None, 8700),
        ({"kind": "additive", "daily_max": 8000, "review": 20}, 9050, None, 9810),
        # 8000 + 20 % of 1.25 and of 0.75: the halves go to 8000 and 8000 + 0.
        ({"kind": "additive", "daily_max": 8000, "review": 10}, 5, None, 8000),
        ({"kind": "additive", "daily_max": 8000, "review": 10}, 15, None, 8002),
        ({"kind": "weighted3", "last": 20, "daily": 70, "review": 10}, 8000, 7000, 8500),
        ({"kind": "weighted3", "last": 20, "daily": 70, "review": 10}, 8000, None, 7100),
    ],
)
def test_a19_the_yearly_figure_of_each_family(
    annual: dict[str, Any], review: int | None, last: int | None, figure: int
) -> None:
    rules = version(item("X"), merit={"base": 9000}, annual=annual)
    found = scored(rules, [], review_closed=True, review=review, last_annual=last)
    assert (found.annual, found.merit) == (figure, figure)


def test_a18_components_are_weighed_after_floor_and_ceiling() -> None:
    rules = version(item("X", 9000), merit={"base": 6000, "ceiling": 10000}, annual=WEIGHTED)
    found = scored(rules, [entry("01-05", "a", "X")], review_closed=True, review=5000)
    assert found.annual == 9000


@pytest.mark.parametrize(("last", "base"), [(None, 0), (6875, 1375), (6873, 1375), (3, 1), (2, 0)])
def test_a20_a_base_is_carried_over_half_to_even(last: int | None, base: int) -> None:
    rules = version(item("X"), merit={"carry_over": 20})
    assert scored(rules, [], last_annual=last).base_total == base


def test_a21_before_the_review_is_closed_daily_ranks_and_is_provisional() -> None:
    rules = version(item("X"), merit={"base": 9500}, annual=WEIGHTED, bands=BANDS)
    found = scored(rules, [], review=5000)
    assert (found.provisional, found.annual, found.merit) == (True, None, 9500)
    assert found.band == "excellent_candidate"
    closed = scored(rules, [], review=5000, review_closed=True)
    assert (closed.provisional, closed.merit, closed.band) == (False, 8600, "basic")


def test_a21_who_was_not_reviewed_has_no_annual_and_no_band() -> None:
    rules = version(item("X"), merit={"base": 9500}, annual=WEIGHTED, bands=BANDS)
    found = scored(rules, [], review_closed=True)
    assert (found.daily, found.annual, found.merit, found.band) == (9500, None, None, None)


def test_a21_without_a_review_annual_is_daily() -> None:
    found = scored(version(item("X"), merit={"base": 7000}), [])
    assert (found.annual, found.provisional) == (7000, False)


def test_a25_a_type_without_merit_has_no_merit_and_no_band() -> None:
    types = [*TYPES, {"code": "in_service_reg", "name_zh": "双报到"}]
    rules = version(
        item("X", applies_to=["ordinary"]),
        item("S", account="service", applies_to=["ordinary", "in_service_reg"]),
        merit={"base": 6000},
        bands=BANDS,
        member_types=types,
    )
    found = scored(rules, [entry("01-05", "a", "S")], member("in_service_reg"))
    assert (found.service, found.merit, found.daily, found.band) == (100, None, None, None)


def test_a25_an_exempt_type_has_no_figures_at_all() -> None:
    found = scored(version(item("X"), merit={"base": 6000}), [], member("exempt"))
    assert (found.merit, found.service, found.band) == (None, None, None)


def test_a35_a_veto_changes_the_grade_and_no_points() -> None:
    rules = version(item("X"), merit={"base": 9500}, bands=BANDS)
    found = scored(rules, [], member(**vetoed()))
    assert (found.merit, found.band, found.grade) == (9500, "excellent_candidate", "unqualified")


def test_a35_a_veto_counts_in_the_period_of_the_decisions_day_and_under_its_rulebook() -> None:
    rules = version(item("X"), merit={"base": 9500}, bands=BANDS)
    for day in ("2025-12-31", "2027-01-01"):
        assert scored(rules, [], member(**vetoed(day))).grade == "excellent_candidate"
    who = member(**vetoed("2026-06-01"))
    assert scored(rules, [], who, through="2026-05-31").grade == "excellent_candidate"
    assert scored(rules, [], who, through="2026-06-01").grade == "unqualified"
    assert who.vetoed("another", YEAR) == ()


def test_bands_are_half_open() -> None:
    rules = version(item("X"), bands=BANDS)
    assert [rules.band(each) for each in (-1, 0, 5999, 6000, 8999, 9000, 99999)] == [
        None,
        "unqualified",
        "unqualified",
        "basic",
        "basic",
        "excellent_candidate",
        "excellent_candidate",
    ]


def test_a_probationary_members_advice_is_by_score() -> None:
    advice = [{"advice": "on time", "min": 8500}, {"advice": "extend", "min": 7000, "below": 8500},
              {"advice": "cancel", "min": 0, "below": 7000}]  # fmt: skip
    rules = version(item("X"), probationary=advice)
    assert [rules.probation_advice(each) for each in (8500, 8499, 6999)] == [
        "on time",
        "extend",
        "cancel",
    ]
