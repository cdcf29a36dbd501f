"""Vetoes: who confirms and who lifts one, and on what (A35)."""

from __future__ import annotations

from typing import Any

import pytest

from ledger.domain.texts import commitments
from ledger.errors import FormatError
from tests.support.chronicle import ABOVE, PAIR, Chronicle
from tests.support.organisation import COMMITMENT

STREAM, DAY = "member/m-2", "2026-06-10"
VETOES = [{"code": "V-1", "name_zh": "党纪处分", "name_en": "Discipline", "needs": ["decision"]}]
DOCUMENTS = ["01" * 32, "02" * 32, "03" * 32]
UPPER = (ABOVE, "up-2")


@pytest.fixture
def log() -> Chronicle:
    log = Chronicle()
    log.give("up-2", "upper", "root")
    log.publish(vetoes=VETOES)
    log.publish("1.1.0", "2026-05-01")
    return log


def body(**changed: Any) -> dict[str, Any]:
    named = {"rulebook": "rules", "version": "1.0.0", "veto": "V-1", "decided_on": "2026-04-20"}
    return {**named, "documents": DOCUMENTS, "reason": COMMITMENT} | changed


def confirm(log: Chronicle, stream: str = STREAM, **changed: Any) -> str:
    return log.say("veto.confirmed", stream, body(**changed), PAIR, DAY)


def standing(log: Chronicle, member: str = "m-2") -> list[str]:
    history = log.world.histories.get(member)
    assert history is not None
    return [each.id for each in history.vetoes]


def test_a35_two_people_confirm_a_veto_of_the_rules_of_the_decisions_day(log: Chronicle) -> None:
    ident = confirm(log)
    assert standing(log) == [ident]
    member = log.world.members.get("m-2")
    assert member is not None
    assert (member.status, member.unit) == ("active", "east")


@pytest.mark.parametrize(
    ("rule", "changed", "signers"),
    [
        ("needs-committee", {}, PAIR[:1]),
        ("needs-secretary", {}, PAIR[1:]),
        ("needs-secretary", {}, ("west-sec", "east-com-1")),
        ("veto-past", {"decided_on": "2026-06-11"}, PAIR),
        ("real-date", {"decided_on": "2026-02-30"}, PAIR),
        ("member-then", {"decided_on": "2025-12-31"}, PAIR),
        ("version-in-force", {"decided_on": "2026-05-01"}, PAIR),
        ("version-published", {"version": "9.0.0"}, PAIR),
        ("veto-known", {"version": "1.1.0", "decided_on": "2026-05-01"}, PAIR),
        ("veto-known", {"veto": "V-2"}, PAIR),
    ],
)
def test_a35_a_veto_is_refused(
    log: Chronicle, rule: str, changed: dict[str, Any], signers: tuple[str, ...]
) -> None:
    log.refused(rule, "veto.confirmed", STREAM, body(**changed), signers, DAY)


@pytest.mark.parametrize("documents", [DOCUMENTS[:2], [*DOCUMENTS, "04" * 32], [COMMITMENT] * 3])
def test_a35_it_is_exactly_three_documents(log: Chronicle, documents: list[str]) -> None:
    with pytest.raises(FormatError, match="documents"):
        confirm(log, documents=documents)


def test_a35_its_documents_are_texts_that_can_be_shown_and_erased() -> None:
    assert set(commitments(body())) == {*DOCUMENTS, COMMITMENT}


def test_a35_a_decision_is_confirmed_once_and_another_days_is_another(log: Chronicle) -> None:
    first = confirm(log)
    log.refused("veto-once", "veto.confirmed", STREAM, body(), PAIR, DAY)
    second = confirm(log, decided_on="2026-04-21")
    assert standing(log) == [first, second]
    assert confirm(log, "member/m-3") in standing(log, "m-3")


def test_a35_neither_the_member_nor_a_relation_signs(log: Chronicle) -> None:
    log.say("member.linked", STREAM, {"actor": "east-com-1"})
    log.refused("no-self-review", "veto.confirmed", STREAM, body(), PAIR, DAY)
    related = {"year": 2026, "related": ["m-3"]}
    log.say("relation.declared", "actor/east-sec", related, ("east-sec",), "2026-01-06")
    ident = log.say("veto.confirmed", STREAM, body(), ("east-sec", "east-com-2"), DAY)
    log.refused("recused", "veto.confirmed", "member/m-3", body(), PAIR, DAY)
    own = {"year": 2026, "related": ["m-2"]}
    log.say("relation.declared", f"actor/{ABOVE}", own, (ABOVE,), DAY)
    lift = {"veto": ident, "reason": COMMITMENT}
    log.refused("recused", "veto.lifted", STREAM, lift, UPPER, DAY)


def test_a35_two_of_the_unit_above_lift_a_veto_that_stands(log: Chronicle) -> None:
    ident = confirm(log)
    lift = {"veto": ident, "reason": COMMITMENT, "documents": DOCUMENTS[:1]}
    log.refused("needs-upper", "veto.lifted", STREAM, lift, PAIR, DAY)
    log.refused("four-eyes", "veto.lifted", STREAM, lift, (ABOVE, "east-sec"), DAY)
    log.refused("veto-stands", "veto.lifted", "member/m-3", lift, UPPER, DAY)
    log.say("veto.lifted", STREAM, lift, UPPER, DAY)
    assert standing(log) == []
    log.refused("veto-stands", "veto.lifted", STREAM, lift, UPPER, DAY)


def test_a35_b14_a_veto_goes_over_to_the_id_that_goes_on(log: Chronicle) -> None:
    first = confirm(log, "member/m-5")
    confirm(log, "member/m-6")
    other = confirm(log, "member/m-6", decided_on="2026-04-21")
    merged = {"into": "m-5", "reason": COMMITMENT}
    log.say("member.merged", "member/m-6", merged, ("reg-1", "reg-2"), DAY)
    assert standing(log, "m-5") == [first, other]
    lift = {"veto": other, "reason": COMMITMENT}
    reason = log.refused("member-merged", "veto.lifted", "member/m-6", lift, UPPER, DAY)
    assert "m-5" in reason
    log.say("veto.lifted", "member/m-5", lift, UPPER, DAY)
    assert standing(log, "m-5") == [first]


def test_a35_a_closed_account_takes_no_veto_and_loses_one(log: Chronicle) -> None:
    ident = confirm(log)
    log.say("member.left", STREAM, {"date": DAY}, day=DAY)
    later = body(decided_on="2026-04-21")
    log.refused("member-state", "veto.confirmed", STREAM, later, PAIR, DAY)
    log.say("veto.lifted", STREAM, {"veto": ident, "reason": COMMITMENT}, UPPER, DAY)
    assert standing(log) == []
