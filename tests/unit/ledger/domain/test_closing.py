from __future__ import annotations

from typing import Any

import pytest

from ledger.domain.closing import adjusts, is_late, last_seal, review_month, roster_on
from ledger.domain.pricing import price
from tests.support.chronicle import ABOVE, PAIR, Chronicle

STREAM = "period/q1"
ALONE = PAIR[:1]
UPPER = (*PAIR, ABOVE)


def quarter(**changed: Any) -> dict[str, Any]:
    span = {"start": "2026-01-01", "end": "2026-03-31"}
    return {"unit": "east", "rulebook": "rules", "kind": "quarter"} | span | changed


@pytest.fixture
def log() -> Chronicle:
    log = Chronicle()
    log.publish(policy={"entry_cutoff_day": 25, "publicity_working_days": 5})
    return log


def walk(log: Chronicle, *days: str) -> Chronicle:
    """Open the quarter and take as many of its steps, each on its day."""
    log.say("period.opened", STREAM, quarter(), ALONE)
    for kind, day in zip(("cut_off", "published", "closed", "sealed"), days, strict=False):
        body = {"as_of": len(log.ids)} if kind in ("published", "sealed") else {}
        signers = PAIR if body else ALONE
        log.say(f"period.{kind}", STREAM, body, signers, day)
    return log


def test_a_period_walks_from_open_to_sealed(log: Chronicle) -> None:
    walk(log, "2026-03-26", "2026-04-01", "2026-04-09", "2026-04-10")
    period = log.world.periods.get("q1")
    assert period is not None
    assert period.state == "sealed"
    assert list(period.steps) == ["open", "cut_off", "published", "closed", "sealed"]


@pytest.mark.parametrize(
    ("rule", "changed"),
    [
        ("unit-known", {"unit": "nowhere"}),
        ("rulebook-scope", {"rulebook": "nothing"}),
        ("rulebook-scope", {"start": "2024-01-01", "end": "2024-03-31"}),
        ("period-days", {"end": "2026-03-30"}),
        ("period-days", {"start": "2026-02-01", "end": "2026-04-30"}),
        ("period-days", {"kind": "month"}),
        ("period-days", {"kind": "year"}),
        ("real-date", {"start": "2026-02-30"}),
    ],
)
def test_a9_a_period_is_a_month_quarter_or_year_of_the_units_rulebook(
    log: Chronicle, rule: str, changed: dict[str, Any]
) -> None:
    log.refused(rule, "period.opened", STREAM, quarter(**changed), ALONE)


def test_a_rulebook_of_another_unit_has_no_period_here(log: Chronicle) -> None:
    body = quarter(unit="west")
    log.refused("rulebook-scope", "period.opened", STREAM, body, ("west-sec",))
    log.refused("needs-secretary", "period.opened", STREAM, quarter(), ("west-sec",))


def test_a9_periods_are_counted_from_the_rulebooks_own_start_of_the_year(log: Chronicle) -> None:
    start = {"start": "07-15"}
    log.publish("1.0.0", "2026-01-06", rulebook="summer", period=start)
    for kind, first, last in (
        ("month", "2026-01-15", "2026-02-14"),
        ("quarter", "2026-01-15", "2026-04-14"),
        ("year", "2025-07-15", "2026-07-14"),
    ):
        body = {"unit": "east", "rulebook": "summer", "kind": kind, "start": first, "end": last}
        log.say("period.opened", f"period/summer-{kind}", body, ALONE)


def test_a_period_is_opened_once(log: Chronicle) -> None:
    walk(log)
    log.refused("period-once", "period.opened", STREAM, quarter(), ALONE)
    assert "q1" in log.refused("period-once", "period.opened", "period/other", quarter(), ALONE)


def test_each_step_comes_after_the_one_before_it(log: Chronicle) -> None:
    log.refused("period-known", "period.cut_off", STREAM, {}, ALONE)
    walk(log)
    day = "2026-04-20"
    log.refused("period-state", "period.published", STREAM, {"as_of": 1}, PAIR, day)
    log.refused("period-state", "period.closed", STREAM, {}, ALONE, day)
    log.refused("period-state", "period.sealed", STREAM, {"as_of": 1}, PAIR, day)
    log.say("period.cut_off", STREAM, {}, ALONE, day)
    assert "cut off" in log.refused("period-state", "period.cut_off", STREAM, {}, ALONE, day)


def test_a30_entries_are_taken_to_the_end_of_the_cut_off_day(log: Chronicle) -> None:
    walk(log)
    assert "2026-03-25" in log.refused(
        "cut-off-day", "period.cut_off", STREAM, {}, ALONE, "2026-03-25"
    )
    log.say("period.cut_off", STREAM, {}, ALONE, "2026-03-26")


def test_a28_a_table_is_published_when_the_period_is_over_as_of_a_size_after_the_cut_off(
    log: Chronicle,
) -> None:
    walk(log, "2026-03-26")
    size = len(log.ids)
    kind = "period.published"
    log.refused("period-over", kind, STREAM, {"as_of": size}, PAIR, "2026-03-31")
    for as_of in (size - 1, size + 1):
        log.refused("as-of", kind, STREAM, {"as_of": as_of}, PAIR, "2026-04-01")
    log.refused("needs-committee", kind, STREAM, {"as_of": size}, ALONE, "2026-04-01")
    log.say(kind, STREAM, {"as_of": size}, PAIR, "2026-04-01")


def test_a34_objections_to_the_table_are_open_for_all_its_working_days(log: Chronicle) -> None:
    walk(log, "2026-03-26", "2026-04-01")
    # Five working days after Wednesday 1 April end with Wednesday 8 April.
    reason = log.refused("objections-open", "period.closed", STREAM, {}, ALONE, "2026-04-08")
    assert "2026-04-08" in reason
    holiday = {"year": 2026, "holidays": ["2026-04-06"], "workdays": []}
    log.say("calendar.published", "unit/root", holiday, ("reg-1", "reg-2"), "2026-04-02")
    log.refused("objections-open", "period.closed", STREAM, {}, ALONE, "2026-04-09")
    log.say("period.closed", STREAM, {}, ALONE, "2026-04-10")


def test_cheat12_the_seal_is_as_of_the_closing_of_objections(log: Chronicle) -> None:
    walk(log, "2026-03-26", "2026-04-01", "2026-04-09")
    as_of = len(log.ids)
    log.say("unit.opened", "unit/later", {"parent": "east", "name_zh": "组", "name_en": "g",
            "start": "2026-04-09"}, day="2026-04-10")  # fmt: skip
    for wrong in (as_of - 1, as_of + 1):
        log.refused("seal-as-of", "period.sealed", STREAM, {"as_of": wrong}, PAIR, "2026-04-10")
    log.refused("needs-committee", "period.sealed", STREAM, {"as_of": as_of}, ALONE, "2026-04-10")
    log.say("period.sealed", STREAM, {"as_of": as_of}, PAIR, "2026-04-10")


def test_cheat12_after_the_latest_day_the_unit_above_seals_too(log: Chronicle) -> None:
    walk(log, "2026-03-26", "2026-04-01", "2026-04-09")
    body = {"as_of": len(log.ids)}
    reason = log.refused("seal-day", "period.sealed", STREAM, body, PAIR, "2026-04-25")
    assert "2026-04-24" in reason
    log.say("period.sealed", STREAM, body, UPPER, "2026-04-25")


def test_a31_what_is_final_after_the_closing_adjusts_the_sealed_period(log: Chronicle) -> None:
    walk(log, "2026-03-26", "2026-04-01", "2026-04-09", "2026-04-10")
    seal = last_seal(log.world, "east")
    assert seal is not None
    closed_index = seal.as_of - 1
    world = log.world
    assert adjusts(world, "east", "rules", "2026-03-31", closed_index) == ()
    assert adjusts(world, "east", "rules", "2026-03-31", closed_index + 1) == ("q1",)
    assert adjusts(world, "east", "rules", "2026-04-01", closed_index + 1) == ()
    assert adjusts(world, "east", "other", "2026-03-31", closed_index + 1) == ()
    assert adjusts(world, "west", "rules", "2026-03-31", closed_index + 1) == ()


def test_a30_late_is_more_than_the_claim_window_after_the_act(log: Chronicle) -> None:
    version = price(log.world, "east", "2026-03-01", "rules", "1.0.0")
    assert not is_late(version, "2026-03-01", "2026-03-31")
    assert is_late(version, "2026-03-01", "2026-04-01")
    log.publish("2.0.0", "2026-07-01", policy={"claim_window_days": 10})
    shorter = price(log.world, "east", "2026-07-01", "rules", "2.0.0")
    assert not is_late(shorter, "2026-07-01", "2026-07-11")
    assert is_late(shorter, "2026-07-01", "2026-07-12")


def test_a30_after_the_cut_off_day_a_claim_goes_to_the_next_months_review(log: Chronicle) -> None:
    version = price(log.world, "east", "2026-03-01", "rules", "1.0.0")
    assert review_month(version, "2026-03-25") == "2026-03"
    assert review_month(version, "2026-03-26") == "2026-04"
    assert review_month(version, "2026-12-26") == "2027-01"
    log.publish("2.0.0", "2026-07-01")
    without = price(log.world, "east", "2026-07-01", "rules", "2.0.0")
    assert review_month(without, "2026-07-31") == "2026-07"


def state(log: Chronicle, **changed: Any) -> dict[str, Any]:
    period = log.world.periods.get("q1")
    assert period is not None
    return {
        "as_of": period.steps["published"].as_of,
        "tree": "ranking",
        "period": "q1",
        "unit": "east",
        "rulebook": "rules",
        "count": 0,
        "root": "ab" * 32,
    } | changed


def test_a_state_is_sealed_of_what_was_published_and_of_the_seal_once(log: Chronicle) -> None:
    walk(log, "2026-03-26", "2026-04-01", "2026-04-09", "2026-04-10")
    period = log.world.periods.get("q1")
    assert period is not None
    first = state(log)
    log.say("state.sealed", STREAM, first, PAIR, "2026-04-10")
    log.refused("state-once", "state.sealed", STREAM, first, PAIR, "2026-04-10")
    for changed in ({"tree": "members"}, {"as_of": period.steps["sealed"].as_of}):
        log.say("state.sealed", STREAM, state(log, **changed), PAIR, "2026-04-10")


@pytest.mark.parametrize(
    ("rule", "signers", "changed"),
    [
        ("needs-committee", ALONE, {}),
        ("needs-secretary", PAIR[1:], {}),
        ("state-as-of", PAIR, {"as_of": 2}),
        ("state-of-period", PAIR, {"period": "q2"}),
        ("state-of-period", PAIR, {"unit": "west"}),
        ("state-of-period", PAIR, {"rulebook": "others"}),
    ],
)
def test_a_state_names_its_period_and_two_people_sign_it(
    log: Chronicle, rule: str, signers: tuple[str, ...], changed: dict[str, Any]
) -> None:
    walk(log, "2026-03-26", "2026-04-01")
    log.refused(rule, "state.sealed", STREAM, state(log, **changed), signers, "2026-04-02")


def test_cheat_17_the_unit_above_signs_how_many_members_there_are(log: Chronicle) -> None:
    body, over = {"unit": "east", "total": 6}, "2026-04-01"
    log.refused("period-known", "roster.confirmed", STREAM, body, (ABOVE,), over)
    walk(log)
    log.refused("period-over", "roster.confirmed", STREAM, body, (ABOVE,), "2026-03-31")
    log.refused("needs-upper", "roster.confirmed", STREAM, body, PAIR, over)
    log.refused("roster-unit", "roster.confirmed", STREAM, body | {"unit": "west"}, (ABOVE,), over)
    log.say("roster.confirmed", STREAM, body | {"total": 5}, (ABOVE,), over)
    log.say("roster.confirmed", STREAM, body, (ABOVE,), over)
    period = log.world.periods.get("q1")
    assert period is not None
    assert (period.roster, period.state) == (6, "open")


def test_a_roster_has_sub_units_and_those_exempt_and_none_who_left_or_moved(log: Chronicle) -> None:
    names = {"name_zh": "组", "name_en": "group", "start": "2026-01-05", "parent": "east"}
    log.say("unit.opened", "unit/east-group", names)
    log.say("member.transferred", "member/m-2", {"unit": "east-group", "date": "2026-01-20"})
    log.say("member.transferred", "member/m-3", {"unit": "west", "date": "2026-01-20"})
    log.say("member.left", "member/m-5", {"date": "2026-01-20"}, day="2026-01-20")
    exempt = {"from": "2026-02-01", "cause": "illness"}
    log.say("member.exempted", "member/m-6", exempt, ("reg-1", "east-com-1"), "2026-01-21")
    assert roster_on(log.world, "east", "2026-01-19") == ("m-1", "m-2", "m-3", "m-4", "m-5", "m-6")
    assert roster_on(log.world, "east", "2026-03-31") == ("m-1", "m-2", "m-4", "m-6")
    assert roster_on(log.world, "root", "2026-01-04") == ()
