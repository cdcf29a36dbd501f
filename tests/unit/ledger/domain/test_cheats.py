"""Cheats from inside that are refused where they are recorded, beside those in the rules' tests."""

from __future__ import annotations

from ledger.signing import encode_base64
from tests.support.chronicle import item
from tests.support.organisation import COMMITMENT, key_of
from tests.support.passage import Passage, act, why

MONTHLY = item("M-1", unit="month")


def test_cheat_4_a_quarter_of_monthly_items_does_not_fit_into_one_day() -> None:
    passage = Passage(items=[item("C-1"), MONTHLY])
    march = act(item="M-1", act_date="2026-03-31", covers=["2026-03-31"])
    passage.no("covers-last-day", "claimed", act(item="M-1", covers=["2026-01-31", "2026-02-28"],
               quantity=200, act_date="2026-03-15"), "mem-2", day="2026-04-02")  # fmt: skip
    passage.no("covers-quantity", "claimed", act(item="M-1", covers=["2026-03-31"], quantity=300,
               act_date="2026-03-31"), "mem-2", day="2026-04-02")  # fmt: skip
    passage.on("claimed", march, "mem-2", day="2026-04-02")
    passage.no("covers-once", "claimed", march, "mem-2", day="2026-04-02")


def test_cheat_13_two_keys_of_one_person_are_not_two_reviewers() -> None:
    passage = Passage()
    body = {"suite": "ed25519", "public_key": encode_base64(key_of("second").public_key)}
    passage.say("key.registered", "actor/east-com-1", body, ("reg-1", "second"))
    ident = passage.claim()
    passage.check(ident)
    both = {"entry": ident, "place": "committee", "opened": [COMMITMENT]}
    passage.no("one-key", "reviewed", both, "east-com-1", "second")
    passage.review(ident, "east-com-1")
    passage.no("reviews-once", "reviewed", both, "east-com-1")
    assert passage.state(ident) == "checked", "one of two places is filled"


def test_cheat_23_a_flood_of_objections_stops_their_one_entry_only() -> None:
    passage = Passage()
    target, other = passage.published(), passage.published("rec-1", member="m-5", evidence=[
        {"kind": "signed_slip", "commitment": COMMITMENT}])  # fmt: skip
    for number in range(5):
        body = {"entry": target, "filer": f"{number:02x}" * 32}
        passage.on("objected", body, "in-1", day="2026-01-13")
    passage.lapse(other, "publicity", "2026-01-19", "2026-01-20", "m-5")
    assert passage.state(other, "m-5") == "final"
    # All five are answered together, by one acknowledgement and one decision.
    passage.on("acknowledged", {"entry": target}, "in-1", day="2026-01-14")
    body = why(target, outcome="corrected", filled=COMMITMENT)
    passage.on("reconsidered", body, "east-com-3", "up-1", day="2026-01-15")
    assert passage.state(target) == "ordered"
