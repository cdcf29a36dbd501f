from __future__ import annotations

from typing import Any

import pytest

from ledger.domain.history import Stay
from tests.support.chronicle import START_DAY, Chronicle
from tests.support.organisation import COMMITMENT

STREAM = "member/m-2"
BOTH = ("reg-1", "east-com-1")


@pytest.fixture
def log() -> Chronicle:
    log = Chronicle()
    log.publish()
    return log


def away(**changed: Any) -> dict[str, Any]:
    return {"from": "2026-02-01", "until": "2026-04-30", "cause": "illness"} | changed


def retyped(date: str = "2026-02-01", member_type: str = "cadre") -> dict[str, Any]:
    return {"member_type": member_type, "date": date}


def award(log: Chronicle, day: str) -> str:
    body = log.organisation.act(100) | {"act_date": day}
    return log.plant("points.awarded", STREAM, body, day)


def test_a23_an_exemption_holds_from_its_first_to_its_last_day(log: Chronicle) -> None:
    log.say("member.exempted", STREAM, away(), BOTH)
    history = log.world.histories.get("m-2")
    assert history is not None
    found = [
        history.exempt_on(day) for day in ("2026-01-31", "2026-02-01", "2026-04-30", "2026-05-01")
    ]
    assert found == [False, True, True, False]
    open_ended = away(**{"from": "2026-06-01"})
    del open_ended["until"]
    log.say("member.exempted", STREAM, open_ended, BOTH)
    history = log.world.histories.get("m-2")
    assert history is not None
    assert history.exempt_on("2099-01-01")


@pytest.mark.parametrize(
    ("rule", "body", "signers"),
    [
        ("not-retroactive", away(**{"from": START_DAY}), BOTH),
        ("exempt-days", away(until="2026-01-31"), BOTH),
        ("real-date", away(until="2026-02-30"), BOTH),
        ("needs-committee", away(), ("reg-1",)),
        ("needs-registrar", away(), ("east-com-1",)),
    ],
)
def test_cheat17_an_exemption_is_recorded_before_it_begins_by_two_people(
    log: Chronicle, rule: str, body: dict[str, Any], signers: tuple[str, ...]
) -> None:
    log.refused(rule, "member.exempted", STREAM, body, signers)


def test_an_exemption_never_meets_another(log: Chronicle) -> None:
    log.say("member.exempted", STREAM, away(), BOTH)
    log.refused("exempt-once", "member.exempted", STREAM, away(until="2026-02-01"), BOTH)


def test_nobody_signs_for_their_own_standing(log: Chronicle) -> None:
    log.say("member.linked", STREAM, {"actor": "east-com-1"})
    log.refused("no-self-review", "member.exempted", STREAM, away(), BOTH)
    log.refused("no-self-review", "member.typed", STREAM, retyped(), BOTH)


def test_a26_a_type_holds_from_its_date_and_earlier_days_keep_theirs(log: Chronicle) -> None:
    log.say("member.typed", STREAM, retyped(), BOTH, "2026-02-10")
    history, member = log.world.histories.get("m-2"), log.world.members.get("m-2")
    assert history is not None
    assert member is not None
    assert history.on("2026-01-31") == Stay(START_DAY, "east", "ordinary")
    assert history.on("2026-02-01") == Stay("2026-02-01", "east", "cadre")
    assert member.member_type == "cadre"


def test_a26_a_type_is_another_one_of_the_rulebook_in_force(log: Chronicle) -> None:
    log.refused("member-typed", "member.typed", STREAM, retyped(member_type="ordinary"), BOTH)
    assert "rules 1.0.0" in log.refused(
        "type-known", "member.typed", STREAM, retyped(member_type="guest"), BOTH
    )
    log.refused("needs-committee", "member.typed", STREAM, retyped(), ("reg-1",))
    log.refused("member-order", "member.typed", STREAM, retyped(START_DAY), BOTH)


def test_a26_a_change_of_type_reaches_over_no_act_that_is_recorded(log: Chronicle) -> None:
    award(log, "2026-02-01")
    reason = log.refused("acts-recorded", "member.typed", STREAM, retyped(), BOTH, "2026-02-10")
    assert "2026-02-01" in reason
    log.say("member.typed", STREAM, retyped("2026-02-02"), BOTH, "2026-02-10")


def test_a26_a_reversed_act_is_in_no_changes_way(log: Chronicle) -> None:
    ident = award(log, "2026-02-01")
    reversal = {"reverses": ident, "reason": COMMITMENT}
    log.plant("points.corrected", STREAM, reversal, "2026-02-03")
    log.say("member.typed", STREAM, retyped("2026-01-20"), BOTH, "2026-02-10")


def test_a26_a_change_of_type_never_lies_before_the_last_seal(log: Chronicle) -> None:
    month = {"unit": "east", "rulebook": "rules", "kind": "month"}
    days = {"start": "2026-01-01", "end": "2026-01-31"}
    pair = ("east-sec", "east-com-1")
    log.say("period.opened", "period/jan", month | days, pair[:1])
    log.say("period.cut_off", "period/jan", {}, pair[:1], "2026-02-01")
    log.say("period.published", "period/jan", {"as_of": len(log.ids)}, pair, "2026-02-02")
    log.say("period.closed", "period/jan", {}, pair[:1], "2026-02-10")
    log.say("period.sealed", "period/jan", {"as_of": len(log.ids)}, pair, "2026-02-11")
    reason = log.refused(
        "before-seal", "member.typed", STREAM, retyped("2026-02-10"), BOTH, "2026-02-12"
    )
    assert "2026-02-11" in reason
    log.say("member.typed", STREAM, retyped("2026-02-11"), BOTH, "2026-02-12")


def test_a27_a_transfer_holds_from_its_date_and_without_one_from_the_next_day(
    log: Chronicle,
) -> None:
    log.say("member.transferred", STREAM, {"unit": "west"}, day="2026-02-10")
    log.say("member.transferred", "member/m-3", {"unit": "west", "date": "2026-02-01"},
            day="2026-02-10")  # fmt: skip
    for member, last in (("m-2", "2026-02-10"), ("m-3", "2026-01-31")):
        history = log.world.histories.get(member)
        assert history is not None
        assert [stay.unit for day in (last, "2026-02-11") if (stay := history.on(day))] == [
            "east",
            "west",
        ]


def test_a27_a_transfer_reaches_over_no_act_that_is_recorded(log: Chronicle) -> None:
    award(log, "2026-02-01")
    body = {"unit": "west", "date": "2026-01-20"}
    log.refused("acts-recorded", "member.transferred", STREAM, body, day="2026-02-10")


def test_b17_a_leaving_members_keys_are_revoked_first_and_the_account_ends_on_that_day(
    log: Chronicle,
) -> None:
    log.say("member.linked", "member/m-4", {"actor": "east-com-2"})
    left = {"date": "2026-03-31"}
    reason = log.refused("keys-left", "member.left", "member/m-4", left, day="2026-03-20")
    assert "east-com-2" in reason
    actor = log.world.actors.get("east-com-2")
    assert actor is not None
    for key, _ in actor.keys:
        body = {"keyid": key, "cause": "left"}
        log.say("key.revoked", "actor/east-com-2", body, day="2026-03-20")
    log.say("member.left", "member/m-4", left, day="2026-03-20")
    history = log.world.histories.get("m-4")
    assert history is not None
    assert history.on("2026-03-31") is not None
    assert history.on("2026-04-01") is None
    late = retyped("2026-05-01")
    log.refused("member-state", "member.typed", "member/m-4", late, BOTH, "2026-04-10")


def test_a_member_who_joined_earlier_is_enrolled_with_that_day(log: Chronicle) -> None:
    body = {"unit": "east", "member_type": "ordinary", "date": "2025-09-01"}
    log.say("member.enrolled", "member/m-99", body)
    history = log.world.histories.get("m-99")
    assert history is not None
    assert history.on("2025-09-01") is not None
    assert history.on("2025-08-31") is None
