"""Objections, reconsideration, appeals and re-examination (B9, B10, B18, B19, B22)."""

from __future__ import annotations

from typing import Any

import pytest

from ledger.domain.lapses import Due
from ledger.domain.objections import kept_until
from ledger.domain.way import case_of
from tests.support.chronicle import document
from tests.support.organisation import COMMITMENT
from tests.support.passage import Passage, act, why

FILER = "ef" * 32
UPPER = ("up-1", "up-2")


@pytest.fixture
def passage() -> Passage:
    return Passage()


def objecting(ident: str) -> dict[str, Any]:
    return {"entry": ident, "filer": FILER}


def accepted(passage: Passage, day: str = "2026-01-14") -> str:
    """An entry whose publicity an objection stopped, on the 14th with three working days left."""
    ident = passage.published()
    passage.on("objected", objecting(ident), "in-1", day=day)
    passage.on("acknowledged", {"entry": ident}, "in-1", day=day)
    return ident


def appealed(passage: Passage) -> str:
    ident = passage.final()
    passage.on("appealed", objecting(ident), "in-1", day="2026-01-25")
    return ident


def test_b10_intake_records_an_objection_within_publicity_and_it_stops_that_entry(
    passage: Passage,
) -> None:
    ident, other = passage.published(), passage.published()
    passage.no("needs-intake", "objected", objecting(ident), "rec-1", day="2026-01-13")
    passage.on("objected", objecting(ident), "in-1", day="2026-01-19")
    assert passage.state(ident) == "objected"
    assert passage.due("2026-01-20") == [Due(other, "publicity", "2026-01-19")]


def test_a34_after_publicity_an_objection_is_too_late_also_where_no_lapse_is_recorded(
    passage: Passage,
) -> None:
    ident = passage.published()
    passage.no("publicity-over", "objected", objecting(ident), "in-1", day="2026-01-20")


def test_b10_upheld_the_rest_of_the_term_runs(passage: Passage) -> None:
    ident = accepted(passage)
    body = why(ident, outcome="upheld")
    deciders = ("east-com-3", "up-1")
    passage.no("needs-committee", "reconsidered", body, *deciders, day="2026-01-21")
    body["filled"] = COMMITMENT
    for wrong in ({}, {"rest": 3}, {"rest": 5, "closes": "2026-01-28"}, {"closes": "2026-01-26"}):
        reason = passage.no("closes", "reconsidered", body | wrong, *deciders, day="2026-01-21")
        assert "3 working days" in reason
        assert "2026-01-26" in reason
    full = body | {"rest": 3, "closes": "2026-01-26"}
    passage.on("reconsidered", full, *deciders, day="2026-01-21")
    assert passage.state(ident) == "published"
    assert passage.due("2026-01-27") == [Due(ident, "publicity", "2026-01-26")]
    passage.lapse(ident, "publicity", "2026-01-26", "2026-01-27")
    assert passage.counting() == {ident}


def test_b10_an_objection_on_the_last_day_leaves_nothing_of_the_term(passage: Passage) -> None:
    ident = accepted(passage, "2026-01-19")
    body = why(ident, outcome="upheld", filled=COMMITMENT, rest=0, closes="2026-01-21")
    passage.on("reconsidered", body, "east-com-3", "up-1", day="2026-01-21")
    passage.lapse(ident, "publicity", "2026-01-21", "2026-01-22")


def test_a33_an_objection_is_decided_by_others_than_the_reviewers(passage: Passage) -> None:
    ident = accepted(passage)
    body = why(ident, outcome="corrected", filled=COMMITMENT)
    passage.no("one-step", "reconsidered", body, "east-com-1", "east-com-3", day="2026-01-15")
    passage.no("one-step", "reconsidered", body, "east-com-3", "lead-1", day="2026-01-15")
    passage.no("four-eyes", "reconsidered", body, "east-com-3", day="2026-01-15")


def test_b10_corrected_a_correction_with_a_full_new_publicity_follows(passage: Passage) -> None:
    ident = accepted(passage)
    body = why(ident, outcome="corrected", filled=COMMITMENT)
    passage.no(
        "closes", "reconsidered", body | {"rest": 3, "closes": "2026-01-26"}, "east-com-3", "up-1",
        day="2026-01-21",
    )  # fmt: skip
    decision = passage.on("reconsidered", body, "east-com-3", "up-1", day="2026-01-21")
    assert passage.state(ident) == "ordered"
    assert passage.counting() == set()
    ordered = {"reverses": ident, "reason": COMMITMENT, "orders": decision, "closes": "2026-01-29"}
    new = passage.on("corrected", ordered, "east-sec", day="2026-01-22")
    assert passage.state(new) == "published"
    passage.lapse(new, "publicity", "2026-01-29", "2026-01-30")
    assert passage.state(ident) == "reversed"
    assert passage.counting() == set()


def test_b10_others_may_join_an_objection_and_are_decided_together(passage: Passage) -> None:
    ident = accepted(passage)
    passage.on("objected", objecting(ident), "in-1", day="2026-01-15")
    assert passage.state(ident) == "acknowledged"
    assert passage.entry(ident).objections == 2


def test_b8_an_objection_can_be_withdrawn_and_the_rest_of_the_term_runs(passage: Passage) -> None:
    ident = accepted(passage)
    passage.on("objected", objecting(ident), "in-1", day="2026-01-15")
    body = {"entry": ident, "objection": True}
    rest = body | {"rest": 3, "closes": "2026-01-20"}
    passage.no("needs-intake", "withdrawn", body, "rec-1", day="2026-01-15")
    passage.no("closes", "withdrawn", rest, "in-1", day="2026-01-15")
    passage.on("withdrawn", body, "in-1", day="2026-01-15")
    assert passage.state(ident) == "acknowledged"
    passage.no("closes", "withdrawn", body, "in-1", day="2026-01-15")
    passage.on("withdrawn", rest, "in-1", day="2026-01-15")
    assert passage.state(ident) == "published"
    plain = {"entry": ident, "rest": 1, "closes": "2026-01-20"}
    passage.no("closes", "withdrawn", plain, "mem-2", day="2026-01-16")


def test_b2_an_objection_that_nobody_acknowledges_passes_on(passage: Passage) -> None:
    ident = passage.published()
    passage.on("objected", objecting(ident), "in-1", day="2026-01-14")
    assert passage.due("2026-02-05") == [Due(ident, "objection_ack", "2026-02-04")]
    passage.lapse(ident, "objection_ack", "2026-02-04", "2026-02-05")
    assert passage.state(ident) == "objected"


def test_b2_an_objection_that_the_committee_does_not_decide_goes_to_the_unit_above(
    passage: Passage,
) -> None:
    ident = accepted(passage)
    passage.lapse(ident, "reconsideration", "2026-01-29", "2026-01-30")
    passage.lapse(ident, "reconsideration", "2026-02-14", "2026-02-15")
    body = why(ident, outcome="corrected")
    passage.on("reconsidered", body, *UPPER, day="2026-02-16")


# -- appeals -----------------------------------------------------------------------------------


def test_b18_an_appeal_is_in_time_for_30_days_and_later_by_leave_of_the_unit_above(
    passage: Passage,
) -> None:
    ident = passage.final()  # on 20 January
    body, late = objecting(ident), objecting(ident) | {"leave": COMMITMENT}
    passage.no("appeal-leave", "appealed", late, "in-1", "up-1", day="2026-02-19")
    passage.no("needs-intake", "appealed", body, "rec-1", day="2026-02-19")
    passage.no("appeal-late", "appealed", body, "in-1", day="2026-02-20")
    passage.no("appeal-late", "appealed", late, "in-1", day="2026-02-20")
    passage.no("needs-intake", "appealed", late, "up-1", day="2026-02-20")
    passage.on("appealed", late, "in-1", "up-1", day="2026-02-20")
    other = passage.final()
    passage.on("appealed", objecting(other), "in-1", day="2026-02-19")


def test_b18_the_last_of_final_and_decision_counts(passage: Passage) -> None:
    ident = appealed(passage)
    passage.on("reexamined", why(ident, outcome="upheld"), *UPPER, day="2026-03-02")
    assert passage.state(ident) == "final"
    passage.on("appealed", objecting(ident), "in-1", day="2026-04-01")


def test_b18_a_filed_entry_is_filed_again_after_its_appeal(passage: Passage) -> None:
    ident = passage.final()
    passage.on("filed", {"entry": ident}, "east-sec", day="2026-01-21")
    passage.on("appealed", objecting(ident), "in-1", day="2026-01-25")
    passage.on("reexamined", why(ident, outcome="upheld"), *UPPER, day="2026-03-02")
    assert passage.state(ident) == "filed"


def test_b19_two_of_the_unit_above_who_had_no_part_decide_an_appeal(passage: Passage) -> None:
    ident = passage.claim(day="2026-02-12", late_reason=COMMITMENT)
    passage.check(ident, review="dual", day="2026-02-12")
    passage.review(ident, day="2026-02-12")
    passage.review(ident, "up-1", place="upper", day="2026-02-12")
    closes = {"entry": ident, "closes": "2026-02-19"}
    passage.on("published", closes, "east-sec", day="2026-02-12")
    passage.lapse(ident, "publicity", "2026-02-19", "2026-02-20")
    passage.on("appealed", objecting(ident), "in-1", day="2026-02-21")
    body = why(ident, outcome="upheld")
    passage.no("needs-upper", "reexamined", body, "east-com-3", "up-2", day="2026-02-22")
    passage.no("one-step", "reexamined", body, "up-1", "up-2", day="2026-02-22")
    passage.no("four-eyes", "reexamined", body, "up-2", day="2026-02-22")


def test_b19_at_the_top_uninvolved_founders_decide(passage: Passage) -> None:
    passage.give("root-com", "committee", "root", "2026-01-06")
    passage.say("member.transferred", "member/m-2", {"unit": "root"}, day="2026-01-06")
    for name in ("root-com-2", "root-com-3"):
        passage.give(name, "committee", "root", "2026-01-06")
    passage.give("root-sec", "secretary", "root", "2026-01-06")
    passage.give("root-lead", "group_leader", "root", "2026-01-06")
    body = act(rulebook="rules-root")
    passage.say(
        "rulebook.published",
        "rulebook/rules-root",
        document("1.0.0", "2026-01-08", "root"),
        ("root-sec", "root-com"),
        "2026-01-07",
    )
    ident = passage.on("claimed", body, "mem-2")
    passage.check(ident, "root-lead")
    passage.review(ident, "root-com", "root-com-2")
    passage.on("published", {"entry": ident, "closes": "2026-01-19"}, "root-sec")
    passage.lapse(ident, "publicity", "2026-01-19", "2026-01-20")
    passage.on("appealed", objecting(ident), "in-1", day="2026-01-25")
    passage.on("reexamined", why(ident, outcome="upheld"), "reg-1", "reg-2", day="2026-01-26")


def test_b18_an_appeal_has_90_days(passage: Passage) -> None:
    ident = appealed(passage)
    assert passage.due("2026-04-26") == [Due(ident, "appeal", "2026-04-25")]


def test_a_decided_appeal_cannot_be_appealed_before_it_is_carried_out(passage: Passage) -> None:
    ident = appealed(passage)
    passage.on("reexamined", why(ident, outcome="reversed"), *UPPER, day="2026-03-02")
    assert passage.counting() == {ident}, "it counts until the correction is final (A29, A32)"
    passage.no("appeal-open", "appealed", objecting(ident), "in-1", day="2026-03-03")


def test_b22_nothing_may_be_erased_while_a_case_is_open_or_an_appeal_in_time(
    passage: Passage,
) -> None:
    def kept(ident: str) -> str | None:
        entry = passage.entry(ident)
        return kept_until(passage.world, case_of(passage.world, "m-2", entry, "2026-03-01"), entry)

    ident = passage.published()
    assert kept(ident) is None
    passage.lapse(ident, "publicity", "2026-01-19", "2026-01-20")
    assert kept(ident) == "2026-02-19"
    passage.on("appealed", objecting(ident), "in-1", day="2026-01-25")
    assert kept(ident) is None
    passage.on("reexamined", why(ident, outcome="upheld"), *UPPER, day="2026-03-02")
    assert kept(ident) == "2026-04-01"
    gone = passage.claim()
    passage.on("withdrawn", {"entry": gone}, "mem-2", day="2026-01-14")
    assert kept(gone) == "2026-02-13"


def test_b8_after_acceptance_the_committee_may_go_on_for_a_signed_reason(passage: Passage) -> None:
    ident = accepted(passage)
    body = {"entry": ident, "objection": True, "goes_on": COMMITMENT, "filled": COMMITMENT}
    day = "2026-01-15"
    deciders = ("east-com-3", "up-1")
    passage.no("needs-committee", "withdrawn", body, "in-1", day=day)
    passage.no("needs-intake", "withdrawn", body, *deciders, day=day)
    passage.no("four-eyes", "withdrawn", body, "in-1", "up-1", day=day)
    passage.no("closes", "withdrawn", body | {"rest": 3}, "in-1", *deciders, day=day)
    passage.on("withdrawn", body, "in-1", *deciders, day=day)
    assert passage.state(ident) == "acknowledged"
    again = {"entry": ident, "objection": True, "rest": 3, "closes": "2026-01-20"}
    passage.no("objection-open", "withdrawn", again, "in-1", day=day)
    decision = why(ident, outcome="corrected", filled=COMMITMENT)
    passage.on("reconsidered", decision, *deciders, day=day)
    assert passage.state(ident) == "ordered"


def test_b8_before_acceptance_nobody_goes_on_without_who_objected(passage: Passage) -> None:
    ident = passage.published()
    passage.on("objected", objecting(ident), "in-1", day="2026-01-14")
    body = {"entry": ident, "objection": True, "goes_on": COMMITMENT, "filled": COMMITMENT}
    passage.no("goes-on", "withdrawn", body, "in-1", "east-com-3", "up-1", day="2026-01-15")


def test_b8_a_claim_is_withdrawn_also_when_its_correction_is_ordered_but_not_yet_recorded(
    passage: Passage,
) -> None:
    ident = accepted(passage)
    decision = why(ident, outcome="corrected", filled=COMMITMENT)
    passage.on("reconsidered", decision, "east-com-3", "up-1", day="2026-01-15")
    order = passage.entry(ident).order
    other = {"reverses": ident, "reason": COMMITMENT, "orders": order, "closes": "2026-01-22"}
    passage.on("withdrawn", {"entry": ident}, "mem-2", day="2026-01-15")
    assert passage.state(ident) == "withdrawn"
    passage.no("reverses-effective", "corrected", other, "east-sec", day="2026-01-15")


def test_b8_once_an_ordered_correction_is_recorded_it_runs_to_its_end(passage: Passage) -> None:
    ident = accepted(passage)
    decision = why(ident, outcome="corrected", filled=COMMITMENT)
    passage.on("reconsidered", decision, "east-com-3", "up-1", day="2026-01-15")
    order = passage.entry(ident).order
    other = {"reverses": ident, "reason": COMMITMENT, "orders": order, "closes": "2026-01-22"}
    passage.on("corrected", other, "east-sec", day="2026-01-15")
    passage.no("correction-open", "withdrawn", {"entry": ident}, "mem-2", day="2026-01-15")
