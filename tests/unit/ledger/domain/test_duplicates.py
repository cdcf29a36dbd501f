"""B14: a person enrolled twice goes on under one id, with each act once."""

from __future__ import annotations

from typing import Any

import pytest

from ledger.domain.period import OPEN, Period, Review, Step
from ledger.errors import Refused
from tests.support.chronicle import PAIR, START_DAY
from tests.support.organisation import COMMITMENT
from tests.support.passage import SLIP, Passage, act, why

TWO = ("reg-1", "reg-2")
DAY = "2026-01-21"
CLOSES = "2026-01-28"
BY = ("east-sec",)


@pytest.fixture
def passage() -> Passage:
    """m-5 and m-6 are one person: each id has an entry that is final."""
    return Passage()


def merge(passage: Passage, closed: str = "m-6", into: str = "m-5", day: str = DAY) -> str:
    body = {"into": into, "reason": COMMITMENT}
    return passage.say("member.merged", f"member/{closed}", body, TWO, day)


def final(passage: Passage, member: str, **changed: Any) -> str:
    return passage.final("rec-1", member=member, evidence=SLIP, **changed)


def back(passage: Passage, entry: str, order: str, **more: Any) -> dict[str, Any]:
    return {"reverses": entry, "reason": COMMITMENT, "orders": order, "closes": CLOSES} | more


def brought(order: str, half: str, **changed: Any) -> dict[str, Any]:
    new = {"type": "points.awarded"} | act(evidence=SLIP) | changed
    return {
        "reason": COMMITMENT,
        "replacement": new,
        "orders": order,
        "closes": CLOSES,
        "counterpart": {"stream": "member/m-6", "id": half},
    }


def move(passage: Passage, entry: str, order: str, **changed: Any) -> tuple[str, str]:
    """Move an entry of m-6 to m-5; the two halves name each other's id."""
    made = passage.organisation
    half, new = made.new_id(), made.new_id()
    body = back(passage, entry, order, counterpart={"stream": "member/m-5", "id": new})
    first = made.statement("points.corrected", "member/m-6", *BY, body, ident=half)
    passage.envelope(first, DAY)
    body = brought(order, half, **changed)
    second = made.statement("points.corrected", "member/m-5", *BY, body, ident=new)
    passage.envelope(second, DAY)
    return half, new


def test_b14_two_registrars_close_the_later_id_and_it_never_returns(passage: Passage) -> None:
    body = {"into": "m-5", "reason": COMMITMENT}
    passage.refused("two-registrars", "member.merged", "member/m-6", body, ("reg-1",), DAY)
    passage.refused("two-registrars", "member.merged", "member/m-6", body, ("reg-1", "rec-1"), DAY)
    passage.refused("merge-two", "member.merged", "member/m-5", body, TWO, DAY)
    merge(passage)
    closed = passage.world.members.get("m-6")
    assert closed is not None
    assert closed.merger is not None
    assert closed.merger.into == "m-5"
    passage.refused("member-state", "member.merged", "member/m-6", body, TWO, DAY)
    refused: tuple[tuple[str, dict[str, Any]], ...] = (
        ("member.reinstated", {"date": DAY}),
        ("member.transferred", {"unit": "west"}),
        ("member.linked", {"actor": "mem-2"}),
    )
    for kind, more in refused:
        passage.refused("member-state", kind, "member/m-6", more, ("reg-1",), DAY)
    claim = act(evidence=SLIP)
    passage.no("member-state", "claimed", claim, "rec-1", day=DAY, member="m-6")
    back_into = {"into": "m-6", "reason": COMMITMENT}
    passage.refused("member-state", "member.merged", "member/m-5", back_into, TWO, DAY)


def test_b14_the_id_that_was_enrolled_first_goes_on(passage: Passage) -> None:
    enrolled = {"unit": "east", "member_type": "ordinary"}
    passage.say("member.enrolled", "member/m-new", enrolled, day="2026-01-12")
    body = {"into": "m-new", "reason": COMMITMENT}
    passage.refused("merge-older", "member.merged", "member/m-5", body, TWO, DAY)
    merge(passage, "m-new", "m-5")


def test_b14_nobody_of_the_person_signs_and_the_second_actor_id_counts_no_longer(
    passage: Passage,
) -> None:
    body = {"into": "m-2", "reason": COMMITMENT}
    passage.say("member.linked", "member/m-6", {"actor": "reg-2"}, day=DAY)
    passage.refused("no-self-review", "member.merged", "member/m-6", body, TWO, DAY)
    # m-3 is east-com-3: as m-2 the person goes on as mem-2, and must not be two reviewers.
    passage.refused("keys-left", "member.merged", "member/m-3", body, TWO, DAY)
    key = passage.world.actors.get("east-com-3")
    assert key is not None
    revoked = {"keyid": key.keys[0][0], "cause": "left"}
    passage.say("key.revoked", "actor/east-com-3", revoked, ("reg-1",), DAY)
    merge(passage, "m-3", "m-2")
    assert passage.world.linked.get("east-com-3") == "m-2"


def test_b14_the_actor_of_the_closed_id_is_from_then_on_the_other_one(passage: Passage) -> None:
    passage.envelope(passage.organisation.key("mem-6"), DAY)
    passage.say("member.linked", "member/m-6", {"actor": "mem-6"}, day=DAY)
    merge(passage)
    kept = passage.world.members.get("m-5")
    assert kept is not None
    assert kept.actor == "mem-6"
    assert passage.on("claimed", act(), "mem-6", day=DAY, member="m-5")


def test_b14_entries_move_as_two_halves_that_take_effect_together(passage: Passage) -> None:
    entry = final(passage, "m-6")
    half, new = move(passage, entry, merge(passage))
    assert passage.state(new, "m-5") == "published"
    assert passage.counting("m-6") == {entry}
    passage.lapse(new, "publicity", CLOSES, "2026-01-29", "m-5")
    assert passage.counting("m-6") == {entry}
    assert passage.counting("m-5") == set()
    passage.lapse(half, "publicity", CLOSES, "2026-01-29", "m-6")
    assert passage.counting("m-6") == set()
    assert passage.counting("m-5") == {new}


def test_b14_a_moved_entry_can_be_objected_to(passage: Passage) -> None:
    entry = final(passage, "m-6")
    _, new = move(passage, entry, merge(passage))
    passage.on("objected", {"entry": new, "filer": COMMITMENT}, "in-1", day=DAY, member="m-5")
    assert passage.state(new, "m-5") == "objected"


def test_b14_an_entry_moves_as_it_was_and_only_by_the_mergers_order(passage: Passage) -> None:
    entry = final(passage, "m-6")
    order = merge(passage)
    made = passage.organisation
    half, new = made.new_id(), made.new_id()
    to = {"stream": "member/m-5", "id": new}
    body = brought(order, half)
    passage.no("merge-order", "corrected", body, *BY, day=DAY, member="m-5")
    for rule, changed, signers in (
        ("orders-known", {"orders": entry, "counterpart": to}, BY),
        ("half-stream", {"counterpart": to | {"stream": "member/m-2"}}, BY),
        ("merge-moves", {}, BY),
        ("closes", {"counterpart": to, "closes": "2026-01-27"}, BY),
        ("needs-secretary", {"counterpart": to}, ("rec-1",)),
        ("orders-apart", {"counterpart": to}, ("reg-1",)),
    ):
        wrong = back(passage, entry, order) | changed
        found = passage.no(rule, "corrected", wrong, *signers, day=DAY, member="m-6")
        assert found
    body = back(passage, entry, order, counterpart=to)
    passage.envelope(made.statement("points.corrected", "member/m-6", *BY, body, ident=half), DAY)
    others: tuple[dict[str, Any], ...] = (
        {"item": "R-1", "points": 300},
        {"act_date": "2026-01-09"},
        {"quantity": 200},
    )
    for other in others:
        wrong = brought(order, half, **other)
        envelope = made.statement("points.corrected", "member/m-5", *BY, wrong, ident=new)
        with pytest.raises(Refused, match="moves as it was"):
            passage.envelope(envelope, DAY)


def test_b14_one_act_that_both_ids_have_counts_once(passage: Passage) -> None:
    kept, double = final(passage, "m-5"), final(passage, "m-6")
    order = merge(passage)
    plain = back(passage, double, order)
    passage.no("merge-double", "corrected", plain, *BY, day=DAY, member="m-6")
    to = {"stream": "member/m-5", "id": passage.organisation.new_id()}
    moved = plain | {"counterpart": to}
    passage.no("merge-double", "corrected", moved, *BY, day=DAY, member="m-6")
    named = plain | {"double": {"stream": "member/m-5", "id": kept}}
    reversal = passage.on("corrected", named, *BY, day=DAY, member="m-6")
    passage.lapse(reversal, "publicity", CLOSES, "2026-01-29", "m-6")
    assert passage.counting("m-6") == set()
    assert passage.counting("m-5") == {kept}


def test_b14_what_was_pending_ends_with_the_id(passage: Passage) -> None:
    pending = passage.published("rec-1", member="m-6", evidence=SLIP)
    claimed = passage.claim("rec-1", member="m-6", evidence=SLIP, act_date="2026-01-11")
    merge(passage)
    assert passage.due("2026-03-01", "m-6") == []
    body = {"entry": claimed, "review": "normal", "reviewers": 2}
    passage.no("member-state", "checked", body, "lead-1", day=DAY, member="m-6")
    assert pending not in passage.counting("m-6")
    assert passage.on("claimed", act(evidence=SLIP), "rec-1", day=DAY, member="m-5")


def test_b14_the_wallet_goes_by_the_id_that_goes_on(passage: Passage) -> None:
    fund = "fund/east"
    passage.say("fund.opened", fund, {"unit": "east"}, PAIR, DAY)
    endowed = {"points": 5000, "source": "budget", "evidence": []}
    passage.say("fund.endowed", fund, endowed, PAIR, DAY)
    final(passage, "m-5", item="S-1", quantity=300)
    final(passage, "m-6", item="S-1", quantity=200, act_date="2026-01-11")
    passage.say("fund.redeemed", fund, redeeming("m-6", 200), REDEEMERS, DAY)
    merge(passage)
    # m-5 earned 3.00 and has now spent the 2.00 of the closed id too, whose entry did not move yet.
    passage.refused("wallet", "fund.redeemed", fund, redeeming("m-5", 150), REDEEMERS, DAY)
    passage.say("fund.redeemed", fund, redeeming("m-5", 100), REDEEMERS, DAY)
    assert sum(points for _, _, points in passage.world.spent.get("m-5") or ()) == 300


REDEEMERS = ("east-sec", "east-com-1", "east-com-2")


def redeeming(member: str, points: int) -> dict[str, Any]:
    return {"member": member, "rulebook": "rules", "points": points, "evidence": SLIP}


def test_b14_sheets_and_votes_of_an_open_year_follow_and_each_person_has_one(
    passage: Passage,
) -> None:
    review = Review(START_DAY, ("m-1", "m-6"), {"m-5": 9000, "m-6": 7000})
    votes: dict[str, tuple[str, ...]] = {"excellent": ("m-6",)}
    year = ("rules", "year", "2026-01-01", "2026-12-31", {OPEN: Step(START_DAY)})
    passage.world.periods["y"] = Period("y", 1, "east", *year, review, votes)
    merge(passage)
    after = passage.world.periods.get("y")
    assert after is not None
    assert after.review is not None
    assert after.review.present == ("m-1", "m-5")
    assert after.review.figures == {"m-5": 9000}
    assert after.votes == {"excellent": ("m-5",)}


def test_b14_an_open_review_in_which_both_ids_voted_is_closed_first(passage: Passage) -> None:
    review = Review(START_DAY, ("m-5", "m-6"))
    passage.world.periods["y"] = Period(
        "y", 1, "east", "rules", "year", "2026-01-01", "2026-12-31", {OPEN: Step(START_DAY)}, review
    )
    body = {"into": "m-5", "reason": COMMITMENT}
    passage.refused("review-open", "member.merged", "member/m-6", body, TWO, DAY)


def test_b17_a_correction_that_was_ordered_becomes_final_after_its_member_left(
    passage: Passage,
) -> None:
    ident = passage.final()
    appeal = {"entry": ident, "filer": COMMITMENT}
    passage.on("appealed", appeal, "in-1", day=DAY)
    order = passage.on("reexamined", why(ident, outcome="reversed"), "up-1", "up-2", day=DAY)
    reversal = passage.on("corrected", back(passage, ident, order), *BY, day=DAY)
    key = passage.world.actors.get("mem-2")
    assert key is not None
    revoked = {"keyid": key.keys[0][0], "cause": "left"}
    passage.say("key.revoked", "actor/mem-2", revoked, ("mem-2",), DAY)
    passage.say("member.left", "member/m-2", {"date": DAY}, ("reg-1",), DAY)
    passage.lapse(reversal, "publicity", CLOSES, "2026-01-29")
    assert passage.counting() == set()
