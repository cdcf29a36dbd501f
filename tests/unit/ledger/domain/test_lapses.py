"""Terms: when each ends, what lapses and what does not, and what lengthens it (B2, B4, B7, A34)."""

from __future__ import annotations

import pytest

from ledger.domain.lapses import TERM, Due
from tests.support.organisation import COMMITMENT, key_of
from tests.support.passage import REVIEWERS, SLIP, Passage, act, why


@pytest.fixture
def passage() -> Passage:
    return Passage()


def test_b2_every_state_before_final_has_a_term() -> None:
    assert set(TERM) == {
        "claimed",
        "checked",
        "reviewed",
        "returned",
        "published",
        "objected",
        "acknowledged",
        "ordered",
        "appealed",
    }


def test_b2_each_state_has_its_term_from_its_opening(passage: Passage) -> None:
    ident = passage.claim()
    seen: list[tuple[str, list[Due]]] = []

    def note(state: str) -> None:
        assert passage.state(ident) == state
        seen.append((state, passage.due("2099-01-01")))

    note("claimed")
    passage.check(ident, day="2026-01-14")
    note("checked")
    passage.on("returned", why(ident), "east-com-1", day="2026-01-16")
    note("returned")
    passage.on("revised", {"entry": ident} | act(), "mem-2", day="2026-01-16")
    passage.check(ident, day="2026-01-16")
    passage.review(ident, day="2026-01-16")
    note("reviewed")
    passage.on("published", {"entry": ident, "closes": "2026-01-23"}, "east-sec", day="2026-01-16")
    note("published")
    passage.on("objected", {"entry": ident, "filer": COMMITMENT}, "in-1", day="2026-01-20")
    note("objected")
    passage.on("acknowledged", {"entry": ident}, "in-1", day="2026-01-21")
    note("acknowledged")
    assert [(state, due.term, due.due) for state, [due] in seen] == [
        ("claimed", "first_review", "2026-01-27"),
        ("checked", "first_review", "2026-01-29"),
        ("returned", "returned", "2026-01-31"),
        ("reviewed", "first_review", "2026-01-31"),
        ("published", "publicity", "2026-01-23"),
        ("objected", "objection_ack", "2026-02-10"),
        ("acknowledged", "reconsideration", "2026-02-05"),
    ]


def test_b2_terms_are_the_rulebooks() -> None:
    passage = Passage(policy={"first_review_days": 3, "publicity_working_days": 1})
    ident = passage.claim()
    assert passage.due("2026-01-16") == [Due(ident, "first_review", "2026-01-15")]
    passage.check(ident)
    passage.review(ident)
    passage.on("published", {"entry": ident, "closes": "2026-01-13"}, "east-sec")


def test_b21_a_lapse_is_recorded_by_the_service_actor_alone_and_only_after_its_day(
    passage: Passage,
) -> None:
    ident = passage.published()
    body = {"entry": ident, "term": "publicity", "due": "2026-01-19"}
    passage.no("service-lapses", "lapsed", body, "east-sec", day="2026-01-20")
    passage.no("service-lapses", "lapsed", body, "clerk", "east-sec", day="2026-01-20")
    passage.no("term-over", "lapsed", body, "clerk", day="2026-01-19")
    passage.no("term-due", "lapsed", body | {"due": "2026-01-16"}, "clerk", day="2026-01-20")
    passage.no("entry-state", "lapsed", body | {"term": "appeal"}, "clerk", day="2026-01-20")
    passage.on("lapsed", body, "clerk", day="2026-01-20")
    passage.no("entry-state", "lapsed", body, "clerk", day="2026-01-21")


def test_b21_after_a_long_downtime_the_same_term_lapses_with_the_same_day(
    passage: Passage,
) -> None:
    ident = passage.published()
    assert passage.due("2026-01-19") == []
    for day in ("2026-01-20", "2027-06-01"):
        assert passage.due(day) == [Due(ident, "publicity", "2026-01-19")]
    passage.lapse(ident, "publicity", "2026-01-19", "2027-06-01")
    assert passage.due("2028-01-01") == []


def test_b2_silence_never_approves_a_task_passes_on_and_stays_with_the_unit_above(
    passage: Passage,
) -> None:
    ident = passage.claim()
    body = {"entry": ident, "review": "normal", "reviewers": 2}
    passage.lapse(ident, "first_review", "2026-01-27", "2026-01-28")
    assert passage.state(ident) == "claimed"
    passage.no("needs-group_leader", "checked", body, "up-1", day="2026-01-28")
    assert passage.due("2026-02-13") == [Due(ident, "first_review", "2026-02-12")]
    passage.lapse(ident, "first_review", "2026-02-12", "2026-02-13")
    assert passage.due("2099-01-01") == []
    passage.no(
        "term-runs",
        "lapsed",
        {"entry": ident, "term": "first_review", "due": "2026-02-28"},
        "clerk",
        day="2026-03-01",
    )
    passage.check(ident, "up-1", day="2026-02-13")
    assert passage.state(ident) == "checked"
    passage.review(ident, day="2026-02-13")
    assert passage.state(ident) == "reviewed"


def test_b2_a_returned_claim_that_nobody_revises_is_withdrawn(passage: Passage) -> None:
    ident = passage.claim()
    passage.on("returned", why(ident), "lead-1")
    passage.lapse(ident, "returned", "2026-01-27", "2026-01-28")
    assert passage.state(ident) == "withdrawn"


def test_cheat_18_a_later_calendar_lengthens_a_term_and_never_cuts_it_short(
    passage: Passage,
) -> None:
    ident = passage.published()
    year = {"year": 2026, "holidays": [], "workdays": ["2026-01-17", "2026-01-18"]}
    passage.say("calendar.published", "unit/root", year, ("reg-1", "reg-2"), "2026-01-13")
    assert passage.due("2026-01-20") == [Due(ident, "publicity", "2026-01-19")]
    year = {"year": 2026, "holidays": ["2026-01-19"], "workdays": []}
    passage.say("calendar.published", "unit/root", year, ("reg-1", "reg-2"), "2026-01-14")
    assert passage.due("2026-01-20") == []
    assert passage.due("2026-01-21") == [Due(ident, "publicity", "2026-01-20")]


def test_b7_the_unit_above_extends_a_term_once_before_its_end_by_at_most_its_length(
    passage: Passage,
) -> None:
    ident = passage.claim()
    body = why(ident, until="2026-02-11")
    passage.no("needs-upper", "extended", body, "east-sec", day="2026-01-20")
    passage.no("extended-length", "extended", body | {"until": "2026-02-12"}, "up-1")
    passage.no("extended-length", "extended", body | {"until": "2026-01-27"}, "up-1")
    passage.no("term-over", "extended", body, "up-1", day="2026-01-28")
    passage.on("extended", body, "up-1", day="2026-01-27")
    assert passage.due("2026-02-12") == [Due(ident, "first_review", "2026-02-11")]
    longer = body | {"until": "2026-02-20"}
    passage.no("extended-once", "extended", longer, "up-1", day="2026-01-28")
    passage.check(ident, day="2026-01-28")
    passage.on("extended", longer, "up-1", day="2026-01-28")


def test_b7_publicity_is_never_extended(passage: Passage) -> None:
    ident = passage.published()
    passage.no("entry-state", "extended", why(ident, until="2026-01-23"), "up-1")


def test_b4_a_vacancy_pauses_a_term_once_by_at_most_15_working_days(passage: Passage) -> None:
    ident = passage.claim()
    body = why(ident, until="2026-02-17", vacancy=True)
    passage.no("extended-length", "extended", body | {"until": "2026-02-18"}, "up-1")
    passage.on("extended", body, "up-1")
    passage.no("paused-once", "extended", body | {"until": "2026-02-18"}, "up-1")
    passage.on("extended", why(ident, until="2026-03-04"), "up-1")
    assert passage.due("2026-03-05") == [Due(ident, "first_review", "2026-03-04")]


def leave(passage: Passage, day: str) -> None:
    gone = {"keyid": key_of("mem-2").keyid, "cause": "left"}
    passage.say("key.revoked", "actor/mem-2", gone, ("reg-1",), day)
    passage.say("member.left", "member/m-2", {"date": day}, day=day)


def test_b17_nothing_lapses_for_a_member_who_left(passage: Passage) -> None:
    ident = passage.published()
    leave(passage, "2026-01-13")
    assert passage.due("2026-01-20") == []
    body = {"entry": ident, "term": "publicity", "due": "2026-01-19"}
    passage.no("term-runs", "lapsed", body, "clerk", day="2026-01-20")


def test_b17_a_publicity_that_ended_before_the_member_left_makes_its_entry_final(
    passage: Passage,
) -> None:
    ident = passage.published()
    leave(passage, "2026-01-20")
    assert passage.due("2026-01-20") == [Due(ident, "publicity", "2026-01-19")]
    passage.lapse(ident, "publicity", "2026-01-19", "2026-01-20")
    assert passage.state(ident) == "final"


def test_b17_pending_claims_and_debits_of_who_left_go_no_further(passage: Passage) -> None:
    claimed = passage.claim("rec-1", evidence=SLIP)
    debit = passage.on("claimed", act(item="D-1", kind="debit"), "rec-1")
    for each in (claimed, debit):
        passage.check(each)
    passage.review(debit)
    returned = passage.claim("rec-1", evidence=SLIP)
    passage.on("returned", why(returned), "lead-1")
    shown = passage.published("rec-1", evidence=SLIP)
    leave(passage, "2026-01-14")
    day = "2026-01-14"
    review = {"entry": claimed, "place": "committee", "opened": [COMMITMENT]}
    passage.no("member-state", "reviewed", review, *REVIEWERS, day=day)
    passage.no("member-state", "published", {"entry": debit, "closes": day}, "east-sec", day=day)
    passage.no("member-state", "revised", {"entry": returned} | act(), "rec-1", day=day)
    passage.no("member-state", "claimed", act(evidence=SLIP), "rec-1", day=day)
    passage.no("publicity-over", "objected", {"entry": shown, "filer": COMMITMENT}, "in-1", day=day)
    assert passage.due("2099-01-01") == []


def test_b7_an_outage_in_a_term_does_not_lengthen_what_an_extension_may_add(
    passage: Passage,
) -> None:
    ident = passage.claim()
    down = {"from": "2026-01-17T02:30:00Z", "to": "2026-01-18T01:00:00Z"}
    passage.say("outage.recorded", "ledger/root", down, ("clerk",), day="2026-01-18")
    assert passage.due("2026-01-30") == [Due(ident, "first_review", "2026-01-29")]
    passage.no("extended-length", "extended", why(ident, until="2026-02-14"), "up-1")
    passage.on("extended", why(ident, until="2026-02-13"), "up-1", day="2026-01-19")
