"""The way of an entry from claim to filed (domain.md "State machines"; rules A and B by name)."""

from __future__ import annotations

from typing import Any

import pytest

from ledger.domain.account import WAY
from ledger.domain.way import proposed_sum
from ledger.entry import parse_envelope
from ledger.errors import Refused
from ledger.signing import sign_envelope
from tests.support.chronicle import item
from tests.support.organisation import COMMITMENT, key_of
from tests.support.passage import PHOTO, SLIP, Passage, act, why


@pytest.fixture
def passage() -> Passage:
    return Passage()


def with_items(*items: dict[str, Any], **more: Any) -> Passage:
    return Passage(items=[item("C-1"), item("D-1", "debit"), *items], **more)


def test_a_claim_becomes_final_by_six_signatures_and_a_lapse(passage: Passage) -> None:
    ident = passage.claim()
    assert passage.state(ident) == "claimed"
    passage.check(ident)
    assert passage.state(ident) == "checked"
    passage.review(ident, "east-com-1")
    assert passage.state(ident) == "checked"
    passage.review(ident, "east-com-2")
    assert passage.state(ident) == "reviewed"
    passage.on("published", {"entry": ident, "closes": "2026-01-19"}, "east-sec")
    assert passage.state(ident) == "published"
    assert passage.counting() == set()
    passage.lapse(ident, "publicity", "2026-01-19", "2026-01-20")
    assert passage.state(ident) == "final"
    passage.on("filed", {"entry": ident}, "east-sec", day="2026-01-21")
    assert passage.state(ident) == "filed"
    assert passage.counting() == {ident}


def test_a29_only_final_filed_and_appealed_entries_count(passage: Passage) -> None:
    ident = passage.final()
    assert passage.counting() == {ident}
    passage.on("appealed", {"entry": ident, "filer": COMMITMENT}, "in-1", day="2026-01-25")
    assert passage.state(ident) == "appealed"
    assert passage.counting() == {ident}


@pytest.mark.parametrize(
    ("statement", "body"),
    [
        ("checked", {"review": "normal", "reviewers": 2}),
        ("reviewed", {"place": "committee", "opened": [COMMITMENT]}),
        ("published", {"closes": "2026-01-19"}),
        ("returned", {"reason": COMMITMENT}),
        ("revised", act()),
        ("rejected", {"reason": COMMITMENT}),
        ("withdrawn", {}),
        ("objected", {"filer": COMMITMENT}),
        ("acknowledged", {}),
        ("reconsidered", {"outcome": "upheld", "reason": COMMITMENT}),
        ("reexamined", {"outcome": "upheld", "reason": COMMITMENT}),
        ("lapsed", {"term": "publicity", "due": "2026-01-19"}),
        ("extended", {"until": "2026-02-01", "reason": COMMITMENT}),
    ],
)
def test_a_statement_that_does_not_follow_on_the_state_is_refused(
    passage: Passage, statement: str, body: dict[str, Any]
) -> None:
    ident = passage.final()
    signers = {"lapsed": "clerk"}.get(statement, "east-sec")
    reason = passage.no("entry-state", statement, {"entry": ident} | body, signers)
    assert "final" in reason


def test_the_table_lets_nothing_out_of_an_ended_entry() -> None:
    ended = {"rejected", "withdrawn", "reversed"}
    assert not [name for name, moves in WAY.items() if ended & moves.keys()]
    before_final = {
        state for moves in WAY.values() for state, after in moves.items() if after == "final"
    }
    assert before_final == {"published", "appealed"}


def test_an_entry_of_another_member_is_not_found(passage: Passage) -> None:
    ident = passage.claim()
    body = {"entry": ident, "review": "normal", "reviewers": 2}
    passage.no("entry-known", "checked", body, "lead-1", member="m-5")


# -- claims ------------------------------------------------------------------------------------


def test_a1_an_act_after_the_day_of_its_record_is_refused(passage: Passage) -> None:
    passage.no("act-past", "claimed", act(act_date="2026-01-13"), "mem-2")
    assert passage.claim(act_date="2026-01-12")


def test_a1_a_date_that_is_none_is_refused(passage: Passage) -> None:
    passage.no("real-date", "claimed", act(act_date="2026-02-30"), "mem-2", day="2026-03-03")


def test_a2_the_version_of_the_act_date_prices_whenever_it_is_claimed(passage: Passage) -> None:
    passage.publish("1.1.0", "2026-01-15", day="2026-01-12")
    passage.no("version-in-force", "claimed", act(version="1.1.0"), "mem-2", day="2026-01-20")
    assert passage.claim(day="2026-01-20")


def test_a4_unit_and_type_are_those_of_the_act_date() -> None:
    passage = with_items(item("C-2", applies_to=["cadre"]))
    passage.no("item-applies", "claimed", act(item="C-2"), "mem-2")
    passage.no("member-then", "claimed", act(act_date="2026-01-04"), "mem-2")
    moved = {"unit": "west", "date": "2026-01-11"}
    passage.say("member.transferred", "member/m-2", moved, ("reg-1",), "2026-01-09")
    ident = passage.claim()
    passage.no(
        "needs-group_leader",
        "checked",
        {"entry": ident, "review": "normal", "reviewers": 2},
        "west-sec",
    )
    passage.check(ident)


def test_a5_a_fixed_item_takes_no_points_and_quantities_go_by_the_step() -> None:
    passage = with_items(item("H-1", unit="hour", points=50))
    passage.no("points-fixed", "claimed", act(points=100), "mem-2")
    passage.no("quantity-step", "claimed", act(quantity=150), "mem-2")
    passage.no("quantity-step", "claimed", act(item="H-1", quantity=125), "mem-2")
    assert passage.claim(item="H-1", quantity=150)


def test_a5_a_value_that_is_not_whole_hundredths_is_refused() -> None:
    passage = with_items(item("H-1", unit="hour", points=25))
    passage.no("points-whole", "claimed", act(item="H-1", quantity=150), "mem-2")


def test_a6_a_range_is_kept_and_every_reviewer_signs_the_same_figure(passage: Passage) -> None:
    passage.no("points-range", "claimed", act(item="R-1", points=301), "mem-2")
    passage.no("points-range", "claimed", act(item="R-1"), "mem-2")
    ident = passage.claim(item="R-1", points=300)
    passage.check(ident)
    body = {"entry": ident, "place": "committee", "opened": [COMMITMENT]}
    passage.no("points-range", "reviewed", body, "east-com-1")
    passage.no("points-range", "reviewed", body | {"points": 20}, "east-com-1")
    passage.review(ident, "east-com-1", points=200)
    passage.no("reviewers-agree", "reviewed", body | {"points": 250}, "east-com-2")
    passage.review(ident, "east-com-2", points=200)
    assert passage.entry(ident).points == 200


def test_a8_month_items_name_each_month_once_by_its_last_day() -> None:
    passage = with_items(item("M-1", unit="month", points=50))
    whole = act(item="M-1", quantity=200, act_date="2026-02-28", day=None)
    del whole["day"]
    passage.no("covers-required", "claimed", whole, "mem-2", day="2026-03-02")
    covers = ["2026-01-31", "2026-02-28"]
    for rule, changed in (
        ("covers-last-day", {"covers": ["2026-01-30", "2026-02-28"]}),
        ("covers-quantity", {"covers": covers[:1]}),
        ("covers-last-day", {"covers": covers, "act_date": "2026-02-27"}),
    ):
        passage.no(rule, "claimed", whole | changed, "mem-2", day="2026-03-02")
    passage.no("covers-none", "claimed", act(covers=covers[:1]), "mem-2", day="2026-03-02")
    taken = passage.claim(**whole | {"covers": covers}, day="2026-03-02")
    once = whole | {"covers": covers[1:], "quantity": 100}
    passage.no("covers-once", "claimed", once, "mem-2", day="2026-03-02")
    passage.on("withdrawn", {"entry": taken}, "mem-2", day="2026-03-02")
    assert passage.claim(**once, day="2026-03-02")


def test_a8_quarters_and_years_are_counted_from_the_periods_start() -> None:
    passage = with_items(item("Q-1", unit="quarter"), period={"start": "02-01"})
    quarter = act(item="Q-1", act_date="2026-04-30", covers=["2026-04-30"])
    wrong = quarter | {"covers": ["2026-03-31"], "act_date": "2026-03-31"}
    passage.no("covers-last-day", "claimed", wrong, "mem-2", day="2026-05-04")
    assert passage.on("claimed", quarter, "mem-2", day="2026-05-04")


def test_a9_activity_and_deed_are_named_where_caps_and_groups_go_by_them() -> None:
    passage = with_items(
        item("A-1", cap={"per": "activity", "points": 200}),
        item("H-1", unit="hour", points=100),
        item("G-1", exclusive_group="honours"),
        min_minutes=30,
    )
    passage.no("activity-required", "claimed", act(item="A-1"), "mem-2")
    passage.no("activity-required", "claimed", act(item="H-1"), "mem-2")
    passage.no("deed-required", "claimed", act(item="G-1"), "mem-2")
    assert passage.claim(item="A-1", activity="spring")
    assert passage.claim(item="G-1", deed="deed-1")
    assert passage.claim(), "other items need neither"


def test_a23_an_act_during_an_exemption_is_refused(passage: Passage) -> None:
    body = {"from": "2026-01-10", "until": "2026-01-11", "cause": "illness"}
    passage.say("member.exempted", "member/m-2", body, ("reg-1", "east-com-1"), "2026-01-09")
    passage.no("member-exempt", "claimed", act(), "mem-2")


def test_a30_a_late_claim_says_why_and_is_reviewed_twice(passage: Passage) -> None:
    passage.no("late-reason", "claimed", act(), "mem-2", day="2026-02-10")
    on_time = passage.claim(day="2026-02-09")
    passage.check(on_time, day="2026-02-09")
    ident = passage.claim(day="2026-02-10", late_reason=COMMITMENT)
    plain = {"entry": ident, "review": "normal", "reviewers": 2}
    passage.no("review-route", "checked", plain, "lead-1", day="2026-02-10")
    passage.check(ident, review="dual", day="2026-02-10")
    passage.review(ident, day="2026-02-10")
    assert passage.state(ident) == "checked"
    passage.review(ident, "up-1", place="upper", day="2026-02-10")
    assert passage.state(ident) == "reviewed"


def test_a30_the_window_is_the_rulebooks() -> None:
    passage = Passage(policy={"claim_window_days": 2})
    passage.no("late-reason", "claimed", act(), "mem-2", day="2026-01-13")
    assert passage.claim(day="2026-01-12")


def test_b20_who_claims_for_a_member_adds_the_slip_and_takes_no_other_part() -> None:
    passage = Passage()
    passage.no("slip-required", "claimed", act(), "lead-1", member="m-5")
    ident = passage.claim("lead-1", member="m-5", evidence=SLIP)
    body = {"entry": ident, "review": "normal", "reviewers": 2}
    passage.no("one-step", "checked", body, "lead-1", member="m-5")


def test_a_credit_is_claimed_by_the_member_or_a_recorder_or_group_leader(passage: Passage) -> None:
    passage.no("needs-recorder", "claimed", act(evidence=SLIP), "in-1", member="m-5")
    passage.no("one-claimant", "claimed", act(evidence=SLIP), "rec-1", "lead-1", member="m-5")
    assert passage.claim("rec-1", member="m-5", evidence=SLIP)


def test_a_debit_is_proposed_by_others_with_a_scoring_role(passage: Passage) -> None:
    body = act(item="D-1", kind="debit")
    passage.no("debit-proposer", "claimed", body, "mem-2")
    passage.no("needs-recorder", "claimed", body, "in-1")
    passage.no("item-kind", "claimed", act(item="D-1"), "mem-2")
    ident = passage.on("claimed", body, "east-com-3")
    passage.check(ident)
    passage.review(ident)


def test_a_member_who_left_takes_no_points_and_goes_no_further(passage: Passage) -> None:
    ident = passage.claim()
    gone = {"keyid": key_of("mem-2").keyid, "cause": "left"}
    passage.say("key.revoked", "actor/mem-2", gone, ("reg-1",), "2026-01-12")
    passage.say("member.left", "member/m-2", {"date": "2026-01-12"}, ("reg-1",), "2026-01-12")
    passage.no("member-state", "claimed", act(evidence=SLIP), "rec-1")
    body = {"entry": ident, "review": "normal", "reviewers": 2}
    passage.no("member-state", "checked", body, "lead-1")
    assert passage.due("2027-01-01") == []


# -- check, review, publicity ------------------------------------------------------------------


def test_a33_the_check_names_the_review_that_the_rules_ask_for() -> None:
    passage = with_items(item("C-2", review="dual"), policy={"min_reviewers": 3})
    ident = passage.claim(item="C-2")
    for review, reviewers in (("normal", 3), ("dual", 2), ("dual", 4)):
        body = {"entry": ident, "review": review, "reviewers": reviewers}
        passage.no("review-route", "checked", body, "lead-1")
    passage.check(ident, review="dual", reviewers=3)
    passage.review(ident, "east-com-1", "east-com-2", "east-com-3")
    assert passage.state(ident) == "checked", "the unit above has not signed"
    passage.review(ident, "up-1", place="upper")
    assert passage.state(ident) == "reviewed"


def test_a33_all_steps_are_by_distinct_people(passage: Passage) -> None:
    passage.give("lead-1", "committee", "east", "2026-01-06")
    passage.give("lead-1", "secretary", "east", "2026-01-06")
    ident = passage.claim()
    passage.check(ident)
    body = {"entry": ident, "place": "committee", "opened": [COMMITMENT]}
    passage.no("one-step", "reviewed", body, "lead-1")
    passage.review(ident, "east-com-1")
    passage.no("reviews-once", "reviewed", body, "east-com-1")
    passage.review(ident, "east-com-2")
    closes = {"entry": ident, "closes": "2026-01-19"}
    passage.no("one-step", "published", closes, "lead-1")
    passage.no("one-step", "published", closes, "east-com-1")
    passage.on("published", closes, "east-com-3")


def test_a33_nobody_from_above_reviews_what_needs_no_dual_review(passage: Passage) -> None:
    ident = passage.claim()
    passage.check(ident)
    body = {"entry": ident, "place": "upper", "opened": [COMMITMENT]}
    passage.no("review-route", "reviewed", body, "up-1")


def test_cheat_1_many_small_entries_by_one_proposer_need_dual_review(passage: Passage) -> None:
    for _ in range(10):
        last = passage.claim()
        passage.check(last)
    eleventh = passage.claim()
    assert proposed_sum(passage.world, passage.account(), passage.entry(eleventh)) == 1100
    body = {"entry": eleventh, "review": "normal", "reviewers": 2}
    passage.no("review-route", "checked", body, "lead-1")
    passage.check(eleventh, review="dual")
    by_another = passage.claim("rec-1", evidence=SLIP)
    passage.check(by_another)
    later = passage.claim(act_date="2026-02-11", day="2026-02-11")
    passage.check(later, day="2026-02-11")


def test_cheat_1_withdrawn_entries_do_not_add_up(passage: Passage) -> None:
    for _ in range(10):
        passage.on("withdrawn", {"entry": passage.claim()}, "mem-2")
    passage.check(passage.claim())


def test_cheat_7_a_reviewed_entry_has_a_term_to_be_published(passage: Passage) -> None:
    ident = passage.reviewed()
    assert passage.due("2026-01-27") == []
    assert [(due.entry, due.term) for due in passage.due("2026-01-28")] == [(ident, "first_review")]


def test_cheat_19_reviewers_name_every_piece_of_evidence(passage: Passage) -> None:
    other = "cd" * 32
    ident = passage.claim(evidence=[*PHOTO, {"kind": "document", "commitment": other}])
    passage.check(ident)
    body = {"entry": ident, "place": "committee", "opened": [COMMITMENT]}
    passage.no("evidence-opened", "reviewed", body, "east-com-1")
    passage.review(ident, opened=[COMMITMENT, other])


def test_the_check_is_by_one_person_and_once(passage: Passage) -> None:
    ident = passage.claim()
    passage.give("lead-2", "group_leader", "east", "2026-01-06")
    body = {"entry": ident, "review": "normal", "reviewers": 2}
    passage.no("one-checker", "checked", body, "lead-1", "lead-2")
    passage.check(ident)
    passage.no("checked-once", "checked", body, "lead-1")


def test_a_full_review_takes_no_more_reviewers(passage: Passage) -> None:
    ident = passage.reviewed()
    body = {"entry": ident, "place": "committee", "opened": [COMMITMENT]}
    passage.no("reviewed-once", "reviewed", body, "east-com-3")


def test_a34_publicity_closes_on_the_computed_day(passage: Passage) -> None:
    ident = passage.reviewed()
    assert "2026-01-19" in passage.no(
        "closes", "published", {"entry": ident, "closes": "2026-01-16"}, "east-sec"
    )
    year = {"year": 2026, "holidays": ["2026-01-14"], "workdays": []}
    passage.say("calendar.published", "unit/root", year, ("reg-1", "reg-2"), "2026-01-12")
    passage.on("published", {"entry": ident, "closes": "2026-01-20"}, "east-sec")


def test_publicity_is_opened_by_the_secretary_or_the_committee_and_filed_by_the_secretary(
    passage: Passage,
) -> None:
    ident = passage.reviewed()
    passage.no("needs-secretary", "published", {"entry": ident, "closes": "2026-01-19"}, "rec-1")
    passage.on("published", {"entry": ident, "closes": "2026-01-19"}, "east-com-3")
    passage.lapse(ident, "publicity", "2026-01-19", "2026-01-20")
    passage.no("needs-secretary", "filed", {"entry": ident}, "rec-1", day="2026-01-20")
    passage.on("filed", {"entry": ident}, "east-sec", day="2026-01-20")


# -- branches ----------------------------------------------------------------------------------


def test_a_returned_claim_is_put_right_by_its_claimant_and_goes_the_whole_way_again(
    passage: Passage,
) -> None:
    ident = passage.claim(item="R-1", points=300)
    passage.check(ident)
    passage.review(ident, "east-com-1", points=200)
    passage.on("returned", why(ident), "east-com-2")
    assert passage.state(ident) == "returned"
    again = {"entry": ident} | act(item="R-1", points=100)
    passage.no("claimant", "revised", again, "rec-1")
    passage.no("points-range", "revised", again | {"points": 999}, "mem-2")
    passage.on("revised", again, "mem-2")
    assert passage.entry(ident).points == 100
    body = {"entry": ident, "place": "committee", "opened": [COMMITMENT], "points": 100}
    passage.no("entry-state", "reviewed", body, "east-com-2")
    passage.check(ident)
    passage.review(ident, "east-com-1", points=100)
    assert passage.state(ident) == "checked", "the first round's reviews are void"
    passage.review(ident, "east-com-2", points=100)
    assert passage.state(ident) == "reviewed"


def test_b2_after_two_returns_there_is_a_decision(passage: Passage) -> None:
    ident = passage.claim()
    for _ in range(2):
        passage.on("returned", why(ident), "lead-1")
        passage.on("revised", {"entry": ident} | act(), "mem-2")
    passage.no("returned-twice", "returned", why(ident), "lead-1")
    passage.on("rejected", why(ident), "east-com-1", "east-com-2")
    assert passage.state(ident) == "rejected"


def test_an_entry_is_returned_by_who_has_the_step_at_hand(passage: Passage) -> None:
    ident = passage.claim()
    passage.no("needs-group_leader", "returned", why(ident), "east-com-1")
    passage.check(ident)
    passage.no("one-step", "returned", why(ident), "lead-1")
    passage.on("returned", why(ident), "east-com-1")


def test_b1_a_rejection_is_a_meetings_decision_of_distinct_people(passage: Passage) -> None:
    ident = passage.claim()
    passage.no("four-eyes", "rejected", why(ident), "east-com-1")
    passage.no("needs-committee", "rejected", why(ident), "east-com-1", "rec-1")
    for name in ("east-com-4", "east-com-5"):
        passage.give(name, "committee", "east", "2026-01-06")
    passage.no("quorum", "rejected", why(ident), "east-com-1", "east-com-2")
    passage.on("rejected", why(ident), "east-com-1", "east-com-2", "east-com-3")
    assert passage.state(ident) == "rejected"


def test_b1_two_keys_of_one_person_are_one_person(passage: Passage) -> None:
    ident = passage.claim()
    passage.envelope(passage.organisation.key("east-com-1", key_of("second key")), "2026-01-12")
    envelope = passage.organisation.statement(
        "points.rejected", "member/m-2", "east-com-1", why(ident)
    )
    twice = sign_envelope(
        parse_envelope(envelope).payload, [key_of("east-com-1"), key_of("second key")]
    )
    with pytest.raises(Refused) as caught:
        passage.envelope(twice, "2026-01-12")
    assert caught.value.rule == "four-eyes"


def test_b8_the_claimant_withdraws_until_final_and_nobody_else(passage: Passage) -> None:
    ident = passage.published()
    passage.no("claimant", "withdrawn", {"entry": ident}, "lead-1")
    passage.on("withdrawn", {"entry": ident}, "mem-2")
    assert passage.state(ident) == "withdrawn"
    final = passage.final()
    passage.no("entry-state", "withdrawn", {"entry": final}, "mem-2", day="2026-01-20")


def test_b8_a_member_withdraws_what_another_claimed_for_him_but_no_debit(passage: Passage) -> None:
    ident = passage.claim("rec-1", evidence=SLIP)
    passage.on("withdrawn", {"entry": ident}, "mem-2")
    debit = passage.on("claimed", act(item="D-1", kind="debit"), "rec-1")
    passage.no("claimant", "withdrawn", {"entry": debit}, "mem-2")
