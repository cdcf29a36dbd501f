"""Disputes: confidential, handled in terms, decided and re-examined by people without part."""

from __future__ import annotations

from typing import Any

import pytest

from ledger.domain.case_terms import Due, due_term
from ledger.domain.dispute import OPEN, WAY
from ledger.domain.draw import drawn
from ledger.domain.duty import Duty, duties
from tests.support.hearing import CASE, FILED_ON, ROOT, SALT, Hearing
from tests.support.organisation import COMMITMENT
from tests.support.passage import act

WHY = {"reason": COMMITMENT}
BODY = ("disc-1", "disc-2")
STREAM = f"dispute/{CASE}"


@pytest.fixture
def hearing() -> Hearing:
    return Hearing()


def lapse(hearing: Hearing, term: str, due: str, day: str) -> None:
    hearing.do("lapsed", "clerk", day=day, term=term, due=due)


# -- taken in ------------------------------------------------------------------------------------


def test_b9_what_the_filer_signs_never_stands_in_the_log(hearing: Hearing) -> None:
    body = {"target": {"period": "y"}, "reason": COMMITMENT, "evidence": []}
    hearing.refused("confidential", "dispute.filed", STREAM, body, ("mem-2",), FILED_ON)


def test_b9_intake_receives_with_commitments_to_filer_and_target(hearing: Hearing) -> None:
    ident = hearing.final()
    body = {"unit": "east", "kind": "entry", "filer": COMMITMENT, "target": COMMITMENT}
    hearing.refused("needs-intake", "dispute.received", STREAM, body, ("disc-1",), FILED_ON)
    hearing.refused(
        "unit-known", "dispute.received", STREAM, body | {"unit": "nowhere"}, ("in-1",), FILED_ON
    )
    hearing.received(ident)
    said = str(hearing.case)
    assert ident not in said
    assert "m-2" not in said
    hearing.refused("dispute-once", "dispute.received", STREAM, body, ("in-1",), FILED_ON)


def test_a_case_is_walked_from_received_to_announced(hearing: Hearing) -> None:
    hearing.decided(hearing.final())
    hearing.do("notified", "in-1", day="2026-01-22")
    hearing.not_("announce-scope", "announced", "disc-1", day="2026-01-22",
                 scope="west", notice=COMMITMENT)  # fmt: skip
    hearing.do("announced", "disc-1", day="2026-01-22", scope="east", notice=COMMITMENT)
    assert hearing.case.state == "announced"
    assert not hearing.case.open


def test_a_case_is_not_accepted_with_a_reason_by_another_than_who_received_it() -> None:
    hearing = Hearing()
    hearing.give("in-1", "discipline", "east")
    hearing.received()
    hearing.not_("dispute-state", "declined", "disc-1", **WHY)
    hearing.do("acknowledged", "in-1")
    hearing.not_("received-apart", "declined", "in-1", **WHY)
    hearing.do("declined", "disc-1", **WHY)
    assert hearing.case.state == "declined"


def test_b19_a_case_goes_to_another_unit_and_the_upper_body_may_take_it_over(
    hearing: Hearing,
) -> None:
    hearing.accepted()
    hearing.not_("needs-discipline", "transferred", "up-1", unit="root", **WHY)
    hearing.not_("unit-known", "transferred", "disc-1", unit="east", **WHY)
    hearing.do("transferred", "high-1", unit="root", **WHY)
    assert (hearing.case.unit, hearing.case.state) == ("root", "acknowledged")
    hearing.not_("needs-discipline", "accepted", "disc-1")
    hearing.do("accepted", "high-1")


def test_a_case_may_be_held_and_goes_on_or_is_closed_by_two(hearing: Hearing) -> None:
    hearing.accepted()
    hearing.do("checked", "disc-1", step="held", **WHY)
    hearing.do("checked", "disc-2", step="talk", **WHY)
    hearing.not_("four-eyes", "checked", "disc-1", step="closed", **WHY)
    hearing.do("checked", *BODY, step="closed", **WHY)
    assert hearing.case.state == "closed"
    hearing.not_("dispute-state", "checked", "disc-1", step="talk", **WHY)


def test_a_hearing_is_recorded_after_it_was_held(hearing: Hearing) -> None:
    hearing.accepted()
    hearing.not_("dispute-state", "heard", "disc-1", held_on=FILED_ON, bundle=COMMITMENT)
    hearing.do("checked", "disc-1", step="talk", **WHY)
    hearing.not_("hearing-held", "heard", "disc-1", held_on="2026-01-22", bundle=COMMITMENT)


# -- decided -------------------------------------------------------------------------------------


def test_two_people_decide_and_not_who_received_it() -> None:
    hearing = Hearing()
    hearing.give("in-1", "discipline", "east")
    hearing.heard()
    body = hearing.deciding("", "dismissed")
    hearing.not_("four-eyes", "decided", "disc-1", **body)
    hearing.not_("received-apart", "decided", "disc-1", "in-1", **body)
    hearing.not_("needs-discipline", "decided", "disc-1", "up-1", **body)


def test_b22_who_may_decide_is_fixed_at_acceptance(hearing: Hearing) -> None:
    hearing.heard()
    hearing.give("late-1", "discipline", "east", FILED_ON)
    body = hearing.deciding("", "dismissed")
    hearing.not_("role-age", "decided", "disc-1", "late-1", day="2026-01-22", **body)


@pytest.mark.parametrize(
    ("rule", "name"),
    [
        ("one-step", "lead-1"),
        ("one-step", "east-com-1"),
        ("no-self-review", "mem-2"),
        ("recused", "rel-1"),
    ],
)
def test_who_had_part_in_the_entry_does_not_decide(rule: str, name: str) -> None:
    hearing = Hearing()
    hearing.give("rel-1", "discipline", "east")
    body = {"year": 2026, "related": ["m-2"]}
    hearing.say("relation.declared", "actor/rel-1", body, ("rel-1",), "2026-01-06")
    if name != "rel-1":
        hearing.give(name, "discipline", "east")
    ident = hearing.final()
    hearing.heard(ident)
    told = hearing.deciding(ident, "reversed")
    hearing.not_(rule, "decided", "disc-1", name, day="2026-01-22", **told)
    hearing.decide(ident, "reversed")


def test_a_decision_that_changes_something_opens_the_target_and_only_that(
    hearing: Hearing,
) -> None:
    one, other = hearing.final(), hearing.final("mem-2", act_date="2026-01-11")
    hearing.heard(one)
    about = {"stream": "member/m-2", "entry": one, "salt": SALT}
    for rule, body in (
        ("about-opened", {"outcome": "reversed"}),
        ("about-opened", {"outcome": "dismissed", "about": about}),
        ("target-opens", {"outcome": "reversed", "about": about | {"entry": other}}),
        ("target-opens", {"outcome": "reversed", "about": about | {"salt": "5b" * 32}}),
    ):
        told: dict[str, Any] = WHY | body
        hearing.not_(rule, "decided", *BODY, day="2026-01-22", **told)
    hearing.decide(one, "corrected")
    assert hearing.case.ruling is not None
    assert hearing.case.ruling.about == ("member/m-2", one)


def test_b19_an_entry_of_another_unit_is_decided_there(hearing: Hearing) -> None:
    ident = hearing.final()
    hearing.give("disc-1", "discipline", "west")
    hearing.give("disc-2", "discipline", "west")
    hearing.heard(ident, unit="west")
    body = hearing.deciding(ident, "reversed")
    hearing.not_("dispute-unit", "decided", *BODY, day="2026-01-22", **body)


def test_b9_an_anonymous_report_opens_a_check_and_alone_reverses_nothing(hearing: Hearing) -> None:
    ident = hearing.final()
    hearing.heard(ident, anonymous=True)
    body = hearing.deciding(ident, "reversed")
    hearing.not_("anonymous-alone", "decided", *BODY, day="2026-01-22", **body)
    evidence = [{"kind": "photo", "commitment": COMMITMENT}]
    hearing.do("evidenced", "disc-3", evidence=evidence)
    hearing.decide(ident, "reversed")


def test_a_ranking_is_disputed_too(hearing: Hearing) -> None:
    year = {"unit": "east", "rulebook": "rules", "kind": "year"}
    days = {"start": "2026-01-01", "end": "2026-12-31"}
    hearing.heard()
    body = hearing.deciding("", "corrected")
    hearing.not_("period-known", "decided", *BODY, day="2026-01-22", **body)
    hearing.say("period.opened", "period/y", year | days, ("east-sec",), FILED_ON)
    hearing.not_("outcome", "decided", *BODY, day="2026-01-22", **body | {"outcome": "reversed"})
    hearing.decide("", "corrected")


# -- what a decision leads to --------------------------------------------------------------------


def back(entry: str, order: str, **more: Any) -> dict[str, Any]:
    closes = {"closes": "2026-01-30"}
    return {"reverses": entry, "reason": COMMITMENT, "orders": order} | closes | more


def orders(hearing: Hearing, ident: str, day: str) -> list[Duty]:
    """The corrections of an entry that wait for somebody."""
    waiting = duties(hearing.world, hearing.account(), "m-2", ident, day)
    return [each for each in waiting if each.statement == "points.corrected"]


def test_b11_a_decision_leads_to_the_reversal_that_cites_it(hearing: Hearing) -> None:
    ident = hearing.final()
    order = hearing.decided(ident, "reversed")
    day = "2026-01-23"
    hearing.no("orders-known", "corrected", back(ident, ident), "east-sec", day=day)
    new = {"replacement": {"type": "points.awarded"} | act()}
    hearing.no("orders-outcome", "corrected", back(ident, order) | new, "east-sec", day=day)
    (duty,) = orders(hearing, ident, day)
    assert duty.body == {"reverses": ident, "orders": order, "closes": "2026-01-30"}
    assert "east-sec" in duty.people
    reversal = hearing.on("corrected", back(ident, order), "east-sec", day=day)
    assert orders(hearing, ident, day) == []
    hearing.lapse(reversal, "publicity", "2026-01-30", "2026-01-31")
    assert hearing.counting() == set()


def test_b11_a_decision_leads_to_a_replacement_that_does_not_raise(hearing: Hearing) -> None:
    ident = hearing.final(item="R-1", points=200)
    order = hearing.decided(ident, "corrected")
    day = "2026-01-23"
    new: dict[str, Any] = {"type": "points.awarded"} | act(item="R-1", points=100)
    more = new | {"points": 300}
    body = back(ident, order)
    raised = body | {"replacement": more}
    hearing.no("raise-walks", "corrected", raised, "east-sec", day=day)
    made = hearing.on("corrected", body | {"replacement": new}, "east-sec", day=day)
    hearing.lapse(made, "publicity", "2026-01-30", "2026-01-31")
    assert hearing.counting() == {made}


def test_who_decided_does_not_carry_the_decision_out() -> None:
    hearing = Hearing()
    hearing.give("disc-1", "secretary", "east")
    ident = hearing.final()
    order = hearing.decided(ident, "reversed")
    (duty,) = orders(hearing, ident, "2026-01-23")
    assert "disc-1" not in duty.people
    body = back(ident, order)
    hearing.no("orders-apart", "corrected", body, "disc-1", day="2026-01-23")


@pytest.mark.parametrize("outcome", ["dismissed", "reversed"])
def test_a_decision_of_another_entry_or_under_appeal_orders_nothing(outcome: str) -> None:
    hearing = Hearing()
    ident, other = hearing.final(), hearing.final("mem-2", act_date="2026-01-11")
    order = hearing.decided(ident, outcome)
    wrong = back(other, order)
    hearing.no("orders-known", "corrected", wrong, "east-sec", day="2026-01-23")
    assert orders(hearing, other, "2026-01-23") == []
    hearing.appealed(**({"stream": "member/m-2"} if outcome == "reversed" else {}))
    body = back(ident, order)
    hearing.no("orders-known", "corrected", body, "east-sec", day="2026-01-23")
    assert orders(hearing, ident, "2026-01-23") == []


# -- appeal and re-examination -------------------------------------------------------------------


def test_b18_a_decision_is_appealed_within_thirty_days(hearing: Hearing) -> None:
    hearing.decided()
    pool = ["high-1", "high-2", "up-1", "up-2"]
    body = {"filer": COMMITMENT, "pool": pool}
    hearing.not_("appeal-late", "appealed", "in-1", day="2026-02-22", **body)
    hearing.not_("needs-intake", "appealed", "disc-3", day="2026-02-21", **body)
    hearing.appealed(day="2026-02-21")


@pytest.mark.parametrize("end", ["declined", "closed"])
def test_b18_what_was_buried_can_be_appealed_too(end: str) -> None:
    hearing = Hearing()
    hearing.received()
    hearing.do("acknowledged", "in-1")
    if end == "declined":
        hearing.do("declined", "disc-1", **WHY)
    else:
        hearing.do("accepted", "disc-1")
        hearing.do("checked", *BODY, step="closed", **WHY)
    hearing.appealed()
    assert hearing.case.open


def test_cheat10_the_list_is_everyone_above_without_part_and_nobody_picks(
    hearing: Hearing,
) -> None:
    hearing.decided()
    everyone = ["high-1", "high-2", "up-1", "up-2"]
    for pool in (everyone[:2], everyone[::-1], [*everyone, "disc-3"]):
        body = {"filer": COMMITMENT, "pool": pool}
        hearing.not_("pool", "appealed", "in-1", day="2026-01-23", **body)


def test_cheat10_who_had_part_in_case_or_entry_is_not_on_the_list() -> None:
    hearing = Hearing()
    for name in ("lead-1", "mem-2"):
        hearing.give(name, "discipline", "root")
    ident = hearing.final()
    hearing.accepted(ident)
    hearing.do("evidenced", "high-1", evidence=[{"kind": "photo", "commitment": COMMITMENT}])
    hearing.do("checked", "disc-1", step="talk", **WHY)
    hearing.do("heard", "disc-1", held_on=FILED_ON, bundle=COMMITMENT)
    hearing.decide(ident, "reversed")
    body = {"filer": COMMITMENT, "pool": ["high-2", "up-1", "up-2"]}
    found = hearing.not_("about-opened", "appealed", "in-1", day="2026-01-23", **body)
    assert "stream" in found
    hearing.do("appealed", "in-1", day="2026-01-23", stream="member/m-2", **body)


def test_cheat10_the_first_checkpoint_after_the_appeal_draws(hearing: Hearing) -> None:
    hearing.decided()
    hearing.appealed()
    index = hearing.case.index
    assert index is not None
    pool = hearing.case.pool
    right = drawn(bytes.fromhex(ROOT), CASE, pool, 2)
    wrong = next(pair for pair in (pool[:2], pool[1:3]) if pair != right)
    day = "2026-01-24"
    body = {"size": index + 1, "root": ROOT, "chosen": list(wrong)}
    hearing.not_("draw", "drawn", "in-1", day=day, **body)
    for size in (index, index + 2):
        early = body | {"size": size, "chosen": list(right)}
        hearing.not_("draw-checkpoint", "drawn", "in-1", day=day, **early)
    assert hearing.draw() == right


def test_cheat10_the_draw_depends_on_the_root_and_the_case_and_takes_each_once() -> None:
    pool = [f"p-{n}" for n in range(8)]
    roots = {drawn(bytes([n]) * 32, CASE, pool, 2) for n in range(20)}
    assert len(roots) > 5
    assert len({drawn(bytes(32), f"d-{n}", pool, 2) for n in range(20)}) > 5
    assert drawn(bytes(32), CASE, [*pool, *pool], 2) == drawn(bytes(32), CASE, pool[::-1], 2)
    assert {name for pair in roots for name in pair} == set(pool)


def test_b18_those_who_were_drawn_decide_for_good(hearing: Hearing) -> None:
    ident = hearing.final()
    hearing.decided(ident)
    hearing.appealed()
    chosen = hearing.draw()
    day = "2026-01-26"
    body = hearing.deciding(ident, "reversed")
    others = tuple(name for name in hearing.case.pool if name not in chosen)
    hearing.not_("drawn-people", "reexamined", *others, day=day, **body)
    hearing.not_("drawn-people", "reexamined", chosen[0], day=day, **body)
    order = hearing.do("reexamined", *chosen, day=day, **body)
    assert hearing.case.state == "decided"
    again = {"filer": COMMITMENT, "pool": list(others), "stream": "member/m-2"}
    hearing.not_("appeal-once", "appealed", "in-1", day=day, **again)
    made = back(ident, order, closes="2026-02-02")
    hearing.on("corrected", made, "east-sec", day=day)


# -- withdrawal, terms, erasure ------------------------------------------------------------------


def test_b8_a_case_is_withdrawn_until_decided_and_an_accepted_one_may_go_on(
    hearing: Hearing,
) -> None:
    hearing.accepted()
    hearing.do("checked", "disc-1", step="talk", **WHY)
    hearing.do("withdrawn", "in-1")
    assert not hearing.case.open
    hearing.not_("needs-discipline", "continued", "up-1", **WHY)
    hearing.do("continued", "disc-1", **WHY)
    assert hearing.case.state == "checking"
    hearing.do("heard", "disc-1", held_on=FILED_ON, bundle=COMMITMENT)
    hearing.decide("", "dismissed")
    hearing.not_("dispute-state", "withdrawn", "in-1", day="2026-01-22")


def test_b8_what_was_withdrawn_before_acceptance_has_ended(hearing: Hearing) -> None:
    hearing.received()
    hearing.do("withdrawn", "in-1")
    hearing.not_("dispute-accepted", "continued", "disc-1", **WHY)


def test_b2_a_case_is_acknowledged_within_fifteen_working_days(hearing: Hearing) -> None:
    hearing.received()
    # Wednesday 21 January and fifteen working days: Wednesday 11 February.
    assert due_term(hearing.world, hearing.case) == Due("acknowledgement", "2026-02-11")
    body = {"term": "acknowledgement", "due": "2026-02-11"}
    hearing.not_("term-over", "lapsed", "clerk", day="2026-02-11", **body)
    hearing.not_("term-due", "lapsed", "clerk", day="2026-02-12", **body | {"due": "2026-02-10"})
    hearing.not_("service-lapses", "lapsed", "in-1", day="2026-02-12", **body)
    lapse(hearing, "acknowledgement", "2026-02-11", "2026-02-12")
    hearing.not_("term-due", "lapsed", "clerk", day="2026-02-13", **body)


@pytest.mark.parametrize(
    ("state", "term", "due"),
    [
        ("acknowledged", "acceptance", "2026-02-05"),
        ("accepted", "decision", "2026-04-21"),
        ("appealed", "reexamination", "2026-04-23"),
    ],
)
def test_b2_each_open_state_has_its_term(state: str, term: str, due: str) -> None:
    hearing = Hearing()
    if state == "appealed":
        hearing.decided()
        assert due_term(hearing.world, hearing.case) is None
        hearing.appealed()
        hearing.draw()
    elif state == "accepted":
        hearing.accepted()
        hearing.do("checked", "disc-1", day="2026-01-25", step="held", **WHY)
    else:
        hearing.received()
        hearing.do("acknowledged", "in-1")
    assert due_term(hearing.world, hearing.case) == Due(term, due)
    wrong = "decision" if term != "decision" else "acceptance"
    body = {"term": wrong, "due": due}
    hearing.not_("dispute-state", "lapsed", "clerk", day="2026-05-01", **body)


def test_b2_after_two_lapses_the_unit_above_has_the_task(hearing: Hearing) -> None:
    hearing.received()
    hearing.do("acknowledged", "in-1")
    hearing.not_("needs-discipline", "accepted", "up-1")
    lapse(hearing, "acceptance", "2026-02-05", "2026-02-06")
    hearing.not_("needs-discipline", "accepted", "up-1", day="2026-02-06")
    lapse(hearing, "acceptance", "2026-02-21", "2026-02-22")
    assert due_term(hearing.world, hearing.case) is None
    hearing.do("accepted", "up-1", day="2026-02-22")


def test_b7_the_unit_above_lengthens_a_term_once(hearing: Hearing) -> None:
    hearing.received()
    hearing.do("acknowledged", "in-1")
    body = WHY | {"until": "2026-02-20"}
    hearing.not_("needs-upper", "extended", "disc-1", **body)
    hearing.not_("extended-length", "extended", "up-1", **body | {"until": "2026-02-21"})
    hearing.not_("term-over", "extended", "up-1", day="2026-02-06", **body)
    hearing.do("extended", "up-1", **body)
    hearing.not_("extended-once", "extended", "up-1", **body)
    assert due_term(hearing.world, hearing.case) == Due("acceptance", "2026-02-20")


def test_b22_nothing_is_erased_while_a_case_is_open(hearing: Hearing) -> None:
    ident = hearing.final()
    hearing.decided(ident, "reversed")
    erased = {"commitment": COMMITMENT, "cause": "request"}
    pair = ("reg-1", "disc-3")
    hearing.appealed(stream="member/m-2")
    day = "2026-01-23"
    hearing.refused("erasure-case", "text.erased", STREAM, erased, pair, day)
    of_entry = ("reg-1", "east-com-1")
    hearing.refused("erasure-case", "text.erased", "member/m-2", erased, of_entry, day)
    chosen = hearing.draw()
    hearing.do("reexamined", *chosen, day="2026-01-26", **hearing.deciding(ident, "dismissed"))
    hearing.say("text.erased", STREAM, erased, pair, "2026-06-01")
    hearing.say("text.erased", "member/m-2", erased, of_entry, "2026-06-01")
    assert hearing.case.version > 1


def test_every_open_state_leads_on_and_every_move_is_from_a_state_there_is() -> None:
    states = {state for moves in WAY.values() for pair in moves.items() for state in pair}
    assert set(OPEN) <= states
    for state in OPEN:
        assert any(state in moves and moves[state] != state for moves in WAY.values())
