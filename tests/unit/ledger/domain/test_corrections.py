"""Corrections: the last link, both halves or neither, on one member and over two (B11–B13, A32)."""

from __future__ import annotations

from typing import Any

import pytest

from ledger.domain.points import worth_now
from tests.support.chronicle import item
from tests.support.organisation import COMMITMENT
from tests.support.passage import SLIP, Passage, act, why

UPPER = ("up-1", "up-2")


@pytest.fixture
def passage() -> Passage:
    return Passage()


def reversing(ident: str, **more: Any) -> dict[str, Any]:
    return {"reverses": ident, "reason": COMMITMENT} | more


def replacing(ident: str, *, kind: str = "points.awarded", **changed: Any) -> dict[str, Any]:
    return reversing(ident, path="full", replacement={"type": kind} | act(**changed))


def walked(passage: Passage, body: dict[str, Any], *, member: str = "m-2", **given: Any) -> str:
    """Propose a correction on the 20th and take it to final, on 28 January."""
    day = "2026-01-20"
    ident = passage.on("corrected", body, "rec-1", day=day, member=member)
    return to_final(passage, ident, member, **given)


def to_final(passage: Passage, ident: str, member: str, **given: Any) -> str:
    day = "2026-01-20"
    passage.check(ident, day=day, member=member, **given.pop("check", {}))
    opened = list(passage.entry(ident, member).evidence)
    passage.review(ident, day=day, member=member, opened=opened, **given)
    passage.on(
        "published", {"entry": ident, "closes": "2026-01-27"}, "east-sec", day=day, member=member
    )
    passage.lapse(ident, "publicity", "2026-01-27", "2026-01-28", member)
    return ident


def decided(passage: Passage, ident: str, outcome: str) -> str:
    """Appeal on the 21st; the unit above decides on the 22nd."""
    appeal = {"entry": ident, "filer": COMMITMENT}
    passage.on("appealed", appeal, "in-1", day="2026-01-21")
    return passage.on("reexamined", why(ident, outcome=outcome), *UPPER, day="2026-01-22")


def test_b11_a_correction_walks_the_way_of_a_claim_and_takes_effect_when_final(
    passage: Passage,
) -> None:
    ident = passage.final(item="R-1", points=300)
    passage.no("short-path", "corrected", reversing(ident), "rec-1", "east-com-1", day="2026-01-20")
    body = replacing(ident, item="R-1", points=200)
    new = passage.on("corrected", body, "rec-1", day="2026-01-20")
    assert passage.state(new) == "claimed"
    assert passage.counting() == {ident}
    to_final(passage, new, "m-2", points=200)
    assert passage.counting() == {new}
    assert passage.state(ident) == "reversed"
    assert passage.entry(ident).reversed_by == new
    assert passage.entry(new).act_date == "2026-01-10"
    assert worth_now(passage.world, passage.entry(new)) == 200


def test_a32_a_reversal_without_replacement_removes_its_entry_and_counts_nothing(
    passage: Passage,
) -> None:
    ident = passage.final()
    walked(passage, reversing(ident, path="full"))
    assert passage.counting() == set()


def test_b8_after_final_the_member_may_ask_for_a_correction(passage: Passage) -> None:
    ident = passage.final()
    body = reversing(ident, path="full")
    passage.no("needs-recorder", "corrected", body, "in-1", day="2026-01-20")
    assert passage.on("corrected", body, "mem-2", day="2026-01-20")


def test_only_what_counts_is_corrected(passage: Passage) -> None:
    pending = passage.published()
    body = reversing(pending, path="full")
    passage.no("reverses-effective", "corrected", body, "rec-1")
    unknown = reversing("0198c3a0-0000-7000-8000-000000000000", path="full")
    passage.no("reverses-known", "corrected", unknown, "rec-1")
    passage.no("reverses-needed", "corrected", {"reason": COMMITMENT, "path": "full"}, "rec-1")


def test_b12_only_the_last_link_is_corrected_and_one_correction_is_open_at_a_time(
    passage: Passage,
) -> None:
    ident = passage.final(item="R-1", points=300)
    new = passage.on("corrected", replacing(ident, item="R-1", points=200), "rec-1",
                     day="2026-01-20")  # fmt: skip
    body = reversing(ident, path="full")
    passage.no("correction-open", "corrected", body, "rec-1", day="2026-01-20")
    to_final(passage, new, "m-2", points=200)
    passage.no("reverses-last", "corrected", body, "rec-1", day="2026-01-28")
    assert passage.on("corrected", reversing(new, path="full"), "rec-1", day="2026-01-28")


def test_b12_a_rejected_correction_leaves_the_link_as_it_was(passage: Passage) -> None:
    ident = passage.final()
    new = passage.on("corrected", reversing(ident, path="full"), "rec-1", day="2026-01-20")
    passage.on("rejected", why(new), "east-com-1", "east-com-2", day="2026-01-20")
    assert passage.counting() == {ident}
    assert passage.on("corrected", reversing(ident, path="full"), "rec-1", day="2026-01-21")


def test_b12_a_reversal_is_never_reversed_but_reinstated_by_a_new_replacement(
    passage: Passage,
) -> None:
    ident = passage.final()
    reversal = walked(passage, reversing(ident, path="full"))
    bare = reversing(reversal, path="full")
    passage.no("reversal-stays", "corrected", bare, "rec-1", day="2026-01-28")
    again = passage.on("corrected", replacing(reversal), "rec-1", day="2026-01-28")
    passage.no("reverses-last", "corrected", replacing(ident), "rec-1", day="2026-01-28")
    passage.check(again, day="2026-01-28")
    passage.review(again, day="2026-01-28")
    closes = {"entry": again, "closes": "2026-02-04"}
    passage.on("published", closes, "east-sec", day="2026-01-28")
    passage.lapse(again, "publicity", "2026-02-04", "2026-02-05")
    assert passage.counting() == {again}


def test_b11_a_decision_by_others_orders_a_correction_straight_to_publicity(
    passage: Passage,
) -> None:
    ident = passage.final(item="R-1", points=300)
    decision = decided(passage, ident, "corrected")
    new = replacing(ident, item="R-1", points=100) | {"orders": decision, "closes": "2026-01-30"}
    del new["path"]
    day = "2026-01-23"
    other = new | {"orders": ident}
    passage.no("orders-known", "corrected", other, "east-sec", day=day)
    passage.no("closes", "corrected", {k: v for k, v in new.items() if k != "closes"}, "east-sec",
               day=day)  # fmt: skip
    passage.no("closes", "corrected", new | {"closes": "2026-01-29"}, "east-sec", day=day)
    passage.no("orders-path", "corrected", new | {"path": "full"}, "east-sec", day=day)
    passage.no("needs-secretary", "corrected", new, "rec-1", day=day)
    made = passage.on("corrected", new, "east-sec", day=day)
    assert passage.state(made) == "published"
    assert passage.counting() == {ident}
    passage.no("ordered", "withdrawn", {"entry": made}, "east-sec", day=day)
    passage.lapse(made, "publicity", "2026-01-30", "2026-01-31")
    assert passage.counting() == {made}


def test_b11_who_decided_does_not_carry_the_decision_out(passage: Passage) -> None:
    passage.give("up-1", "secretary", "east", "2026-01-06")
    ident = passage.final()
    decision = decided(passage, ident, "reversed")
    body = reversing(ident, orders=decision, closes="2026-01-30")
    passage.no("orders-apart", "corrected", body, "up-1", day="2026-01-23")
    replaced = body | {"replacement": {"type": "points.deducted"} | act(item="D-1")}
    passage.no("orders-outcome", "corrected", replaced, "east-sec", day="2026-01-23")
    passage.on("corrected", body, "east-sec", day="2026-01-23")


def test_cheat_20_raising_points_always_walks_the_full_path(passage: Passage) -> None:
    ident = passage.final(item="R-1", points=100)
    decision = decided(passage, ident, "corrected")
    body = replacing(ident, item="R-1", points=300)
    ordered = {k: v for k, v in body.items() if k != "path"} | {
        "orders": decision, "closes": "2026-01-30"
    }  # fmt: skip
    passage.no("raise-walks", "corrected", ordered, "east-sec", day="2026-01-23")
    new = passage.on("corrected", body, "rec-1", day="2026-01-23")
    assert passage.state(new) == "claimed"


def test_cheat_20_taking_a_debit_back_raises_points_too(passage: Passage) -> None:
    debit = passage.final("rec-1", item="D-1", kind="debit")
    decision = decided(passage, debit, "reversed")
    body = reversing(debit, orders=decision, closes="2026-01-30")
    passage.no("raise-walks", "corrected", body, "east-sec", day="2026-01-23")
    assert passage.on("corrected", reversing(debit, path="full"), "rec-1", day="2026-01-23")


def test_a_correction_that_walks_names_no_publicity(passage: Passage) -> None:
    ident = passage.final()
    body = reversing(ident, path="full", closes="2026-01-30")
    passage.no("closes", "corrected", body, "rec-1", day="2026-01-20")


def test_a30_a_correction_is_late_only_where_its_act_was(passage: Passage) -> None:
    ident = passage.final(item="R-1", points=300)
    body = replacing(ident, item="R-1", points=200)
    new = passage.on("corrected", body, "rec-1", day="2026-03-20")
    passage.check(new, day="2026-03-20")
    earlier = replacing(ident, item="R-1", points=200, act_date="2026-01-06")
    passage.on("withdrawn", {"entry": new}, "rec-1", day="2026-03-20")
    assert passage.on("corrected", earlier, "rec-1", day="2026-03-20")


def test_a8_a_replacement_may_cover_the_month_of_what_it_replaces() -> None:
    month = item("M-1", unit="month", min=50, max=100)
    passage = Passage(items=[item("C-1"), month], policy={"claim_window_days": 90})
    last = "2026-01-31"
    given: dict[str, Any] = {"item": "M-1", "covers": [last], "act_date": last, "points": 100}
    day = "2026-02-02"
    ident = passage.claim(day=day, **given)
    passage.check(ident, day=day)
    passage.review(ident, day=day, points=100)
    passage.on("published", {"entry": ident, "closes": "2026-02-09"}, "east-sec", day=day)
    passage.lapse(ident, "publicity", "2026-02-09", "2026-02-10")
    body = replacing(ident, **given | {"points": 50})
    assert passage.on("corrected", body, "rec-1", day="2026-02-10")


# -- over two members (B13) ----------------------------------------------------------------------


def halves(passage: Passage, ident: str) -> tuple[dict[str, Any], dict[str, Any], str, str]:
    """The reversal on m-2 and the replacement on m-5, with their ids."""
    out, into = passage.organisation.new_id(), passage.organisation.new_id()
    gone = reversing(ident, path="full", counterpart={"stream": "member/m-5", "id": into})
    come = {
        "reason": COMMITMENT,
        "path": "full",
        "counterpart": {"stream": "member/m-2", "id": out},
        "replacement": {"type": "points.awarded"} | act(),
    }
    return gone, come, out, into


def half(passage: Passage, body: dict[str, Any], ident: str, member: str) -> str:
    envelope = passage.organisation.statement(
        "points.corrected", f"member/{member}", "rec-1", body, ident=ident
    )
    return passage.envelope(envelope, "2026-01-20")


@pytest.mark.parametrize("out_first", [True, False])
def test_b13_neither_half_has_effect_until_both_are_final(
    passage: Passage, out_first: bool
) -> None:
    ident = passage.final()
    gone, come, out, into = halves(passage, ident)
    half(passage, gone, out, "m-2")
    half(passage, come, into, "m-5")
    walks = [(out, "m-2"), (into, "m-5")]
    for each, member in walks if out_first else walks[::-1]:
        assert passage.counting() == {ident}
        assert passage.counting("m-5") == set()
        to_final(passage, each, member)
    assert passage.counting() == set()
    assert passage.counting("m-5") == {into}
    passage.no("reverses-last", "corrected", reversing(ident, path="full"), "rec-1",
               day="2026-01-28")  # fmt: skip


def test_b13_a_half_whose_other_half_is_rejected_never_takes_effect(passage: Passage) -> None:
    ident = passage.final()
    gone, come, out, into = halves(passage, ident)
    half(passage, gone, out, "m-2")
    half(passage, come, into, "m-5")
    to_final(passage, out, "m-2")
    passage.on("rejected", why(into), "east-com-1", "east-com-2", day="2026-01-28", member="m-5")
    assert passage.counting() == {ident}
    assert passage.counting("m-5") == set()
    assert passage.on("corrected", reversing(ident, path="full"), "rec-1", day="2026-01-29")


def test_b13_the_halves_name_each_other(passage: Passage) -> None:
    ident = passage.final()
    gone, come, out, into = halves(passage, ident)
    half(passage, gone, out, "m-2")
    day = "2026-01-20"
    # Another statement cannot pose as the other half: only `into` is named.
    passage.no("half-names", "corrected", come, "rec-1", day=day, member="m-5")
    both = come | {"reverses": ident}
    passage.no("reverses-known", "corrected", both, "rec-1", day=day, member="m-5")
    mine = gone | {"replacement": come["replacement"]}
    passage.no("correction-open", "corrected", mine, "rec-1", day=day)
    same = come | {"counterpart": {"stream": "member/m-5", "id": out}}
    passage.no("half-stream", "corrected", same, "rec-1", day=day, member="m-5")
    nobody = come | {"counterpart": {"stream": "member/nobody", "id": out}}
    passage.no("half-stream", "corrected", nobody, "rec-1", day=day, member="m-5")
    half(passage, come, into, "m-5")


def test_b13_one_half_reverses_and_the_other_replaces(passage: Passage) -> None:
    ident = passage.final()
    gone, come, _, _ = halves(passage, ident)
    mine = gone | {"replacement": come["replacement"]}
    passage.no("half", "corrected", mine, "rec-1", day="2026-01-20")


def test_b20_a_correction_needs_no_slip(passage: Passage) -> None:
    ident = passage.final("rec-1", member="m-5", evidence=SLIP)
    body = replacing(ident, item="R-1", points=50)
    assert passage.on("corrected", body, "rec-1", day="2026-01-20", member="m-5")
