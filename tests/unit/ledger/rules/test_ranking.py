"""Who takes part, the quota and warnings: rules A22 to A24, A26, A27, A35 and A36."""

from __future__ import annotations

from typing import Any

import pytest

from ledger.errors import Refused
from ledger.rules.alerts import follow_ups, lights
from ledger.rules.book import Book
from ledger.rules.member import (
    Days,
    Member,
    Spell,
    counts_in_denominator,
    is_probationary,
    takes_part,
)
from ledger.rules.ranking import Place, excellent, vote
from ledger.rules.rulebook import Quota
from tests.support.rules import YEAR, book, debit, entry, item, member, scored, version, vetoed

BANDS = [
    {"code": "qualified", "name_zh": "合格", "min": 0, "below": 9000},
    {"code": "excellent_candidate", "name_zh": "优秀候选", "min": 9000},
]
QUOTA = Quota("excellent", "excellent_candidate", 1, 3)
RULES = version(item("X", (0, 9900)), bands=BANDS)


def of(ident: str, points: int, kind: str = "ordinary", **more: Any) -> Place:
    who = Member(ident, (Spell("2020-01-01", kind, (), "rb"),), **more)
    found = scored(RULES, [entry("01-05", "a", "X", points=points)], who)
    assert found.merit is not None
    return Place(ident, found.standing, found.merit, found.grade)


def test_a23_taking_part_looks_at_the_last_day() -> None:
    rules = book(RULES)
    assert takes_part(rules, member(), YEAR)
    assert takes_part(rules, member("probationary"), YEAR)
    assert not takes_part(rules, member("exempt"), YEAR)
    assert not takes_part(rules, member(exempt=(Days("2026-12-31"),)), YEAR)
    assert not takes_part(rules, member(suspended=(Days("2026-12-01"),)), YEAR)
    assert takes_part(rules, member(exempt=(Days("2026-01-01", "2026-12-30"),)), YEAR)
    assert not takes_part(rules, member(left="2026-12-30"), YEAR)


def test_a23_half_of_the_days_in_the_rulebooks_unit_are_needed() -> None:
    rules = book(RULES)
    assert takes_part(rules, member(start="2026-07-02"), YEAR)  # 183 of 365 days
    assert not takes_part(rules, member(start="2026-07-03"), YEAR)


def test_a24_the_denominator_is_full_members_taking_part() -> None:
    rules = book(RULES)
    assert counts_in_denominator(rules, member(), YEAR)
    assert not counts_in_denominator(rules, member("probationary"), YEAR)
    assert is_probationary(rules, member("probationary"), YEAR)


def test_a24_at_most_a_third_rounded_down_is_excellent() -> None:
    table = [of(f"m-{n}", 9000 + n) for n in reversed(range(8))]
    found = excellent(QUOTA, table, 8)
    assert (found.limit, found.members, found.tied) == (2, ("m-7", "m-6"), ())
    assert excellent(QUOTA, table, 2).members == ()


def test_a24_below_the_band_nobody_is_excellent() -> None:
    found = excellent(QUOTA, [of("m-1", 9000), of("m-2", 8999)], 9)
    assert found.members == ("m-1",)


def test_a24_a_tie_across_the_limit_stays_open_until_a_vote() -> None:
    table = [of("m-1", 9500), of("m-2", 9200), of("m-3", 9200), of("m-4", 9100)]
    found = excellent(QUOTA, table, 6)
    assert (found.members, found.tied, found.seats) == (("m-1",), ("m-2", "m-3"), 1)
    assert vote(found, ["m-3"]).members == ("m-1", "m-3")
    with pytest.raises(Refused, match="1 places are left"):
        vote(found, ["m-2", "m-3"])
    with pytest.raises(Refused, match="tied"):
        vote(found, ["m-4"])


def test_a24_a_tie_inside_the_limit_needs_no_vote() -> None:
    table = [of("m-1", 9200), of("m-2", 9200), of("m-3", 9100)]
    assert excellent(QUOTA, table, 6).members == ("m-1", "m-2")


def test_a24_probationary_members_are_never_excellent() -> None:
    table = [of("m-1", 9900, "probationary"), of("m-2", 9100)]
    assert excellent(QUOTA, table, 3).members == ("m-2",)


def test_a35_a_veto_is_out_of_the_quota() -> None:
    table = [of("m-1", 9500, **vetoed()), of("m-2", 9100)]
    assert excellent(QUOTA, table, 3).members == ("m-2",)


def test_a26_denominators_use_the_last_days_type() -> None:
    spells = (
        Spell("2020-01-01", "probationary", (), "rb"),
        Spell("2026-12-31", "ordinary", (), "rb"),
    )
    assert counts_in_denominator(book(RULES), Member("m-1", spells), YEAR)


def test_a27_a_transfer_within_one_rulebook_keeps_one_account() -> None:
    spells = (
        Spell("2020-01-01", "ordinary", ("east", "root"), "rb"),
        Spell("2026-06-01", "ordinary", ("west", "root"), "rb"),
    )
    who = Member("m-1", spells)
    rules = version(item("X", cap={"per": "year", "points": 150}))
    found = scored(rules, [entry("05-01", "a", "X"), entry("07-01", "b", "X")], who)
    assert (who.segments(YEAR), found.credit) == (("rb",), 150)
    assert takes_part(book(rules), who, YEAR)


def test_a27_another_rulebook_makes_two_segments_each_under_its_rules() -> None:
    spells = (
        Spell("2020-01-01", "ordinary", ("east",), "old"),
        Spell("2026-08-01", "ordinary", ("west",), "new"),
    )
    who = Member("m-1", spells)
    old, new = Book("old", [version(item("X"))]), Book("new", [version(item("X", 300))])
    assert who.segments(YEAR) == ("old", "new")
    first = scored(old, [entry("07-31", "a", "X")], who)
    second = scored(new, [entry("08-01", "b", "X")], who)
    assert (first.credit, second.credit) == (100, 300)
    # The last unit for less than half of the days: not ranked there, nor where they left.
    assert not takes_part(new, who, YEAR)
    assert not takes_part(old, who, YEAR)
    for rules, day in ((old, "08-01"), (new, "07-31")):
        with pytest.raises(Refused):
            scored(rules, [entry(day, "c", "X")], who)


WARNED = version(
    debit("B", 300),
    debit("G", 1000, scope="global"),
    merit={
        "base": 500, "bases": [{"category": "B", "points": 500}], "target": 7000
    },
    warnings=[
        {"light": "yellow", "any": [{"figure": "quarter_debits", "at_least": 500}]},
        {
            "light": "red",
            "any": [
                {"figure": "period_debits", "at_least": 1500},
                {"figure": "global_debit", "at_least": 1000},
            ],
        },
        {"light": "blue", "any": [{"figure": "merit", "below": 100}]},
        {"light": "slow", "any": [{"figure": "pace", "below": 80}]},
    ],
    follow_ups=[{"light": "red", "quarters": 2, "action": "mentor"}],
)  # fmt: skip


def lit(quarter: int, *codes_and_days: tuple[str, str]) -> set[str]:
    rules = book(WARNED)
    end = rules.periods.quarter_end(YEAR, quarter)
    acts = [entry(day, f"e{number}", code) for number, (code, day) in enumerate(codes_and_days)]
    return set(lights(WARNED, rules.periods, scored(rules, acts, through=end), quarter)) - {"slow"}


def test_a36_quarter_debits_are_counted_before_the_category_floor() -> None:
    # 6.00 of debits, of which the category takes 5.00; in the next quarter they are gone.
    assert lit(1, ("B", "01-05"), ("B", "01-06")) == {"yellow", "blue"}
    assert lit(2, ("B", "01-05"), ("B", "01-06")) == {"blue"}


def test_a36_one_global_debit_or_the_running_debits_turn_red() -> None:
    assert "red" in lit(1, ("G", "01-05"))
    assert "red" not in lit(1, *[("B", "01-05")] * 4)
    assert "red" in lit(2, *[("B", "01-05")] * 5)


def test_a36_pace_is_the_targets_share_of_the_months_gone() -> None:
    rules = version(
        item("X", (0, 9900)),
        merit={"target": 7000},
        warnings=[{"light": "yellow", "any": [{"figure": "pace", "below": 80}]}],
    )
    periods = book(rules).periods
    # Of 70 a year 17.5 are expected after a quarter: 80 % of it are 14.
    for points, light in ((1399, ("yellow",)), (1400, ())):
        found = scored(rules, [entry("01-05", "a", "X", points=points)], through="2026-03-31")
        assert lights(rules, periods, found, 1) == light


def test_a36_two_consecutive_red_quarters_lead_to_the_advice() -> None:
    assert [each.action for each in follow_ups(WARNED, [["red"], ["yellow", "red"]])] == ["mentor"]
    assert follow_ups(WARNED, [["red"], ["yellow"], ["red"]]) == ()
    assert follow_ups(WARNED, [["red"]]) == ()
