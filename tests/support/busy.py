"""A log in which entries have gone every way that there is, with a case among them."""

from __future__ import annotations

from tests.support.hearing import Hearing
from tests.support.organisation import COMMITMENT
from tests.support.passage import SLIP, act, why


def a_busy_log() -> Hearing:
    """Claims on every way there is, corrections, a case, and a member who moves."""
    hearing = Hearing()
    hearing.publish(rulebook="western", unit="west")
    final = hearing.final()
    hearing.claim(act_date="2026-01-09")
    hearing.reviewed(item="R-1", points=250)
    hearing.published("rec-1", member="m-5", evidence=SLIP)
    hearing.final("rec-1", kind="debit", item="D-1", member="m-6")
    wrong = hearing.final("rec-1", member="m-6", evidence=SLIP)
    returned = hearing.claim(act_date="2026-01-11")
    hearing.on("returned", why(returned), "lead-1")
    hearing.on("revised", act(item="R-1", points=100) | {"entry": returned}, "mem-2")
    rejected = hearing.claim(quantity=200)
    hearing.check(rejected)
    hearing.on("rejected", why(rejected), "east-com-1", "east-com-2")
    new = {"type": "points.awarded"} | act(item="S-1")
    body = {"reverses": final, "reason": COMMITMENT, "path": "full", "replacement": new}
    correction = hearing.on("corrected", body, "rec-1", day="2026-01-20")
    hearing.check(correction, day="2026-01-20")
    hearing.review(correction, day="2026-01-20")
    closes = {"entry": correction, "closes": "2026-01-27"}
    hearing.on("published", closes, "east-sec", day="2026-01-20")
    hearing.lapse(correction, "publicity", "2026-01-27", "2026-01-28")
    order = hearing.decided(wrong, "reversed", member="m-6")
    back = {"reverses": wrong, "reason": COMMITMENT, "orders": order, "closes": "2026-02-04"}
    reversal = hearing.on("corrected", back, "east-sec", day="2026-01-28", member="m-6")
    hearing.lapse(reversal, "publicity", "2026-02-04", "2026-02-05", "m-6")
    return hearing
