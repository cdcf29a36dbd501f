"""B15: a wrong figure is put right for past acts where nobody loses, by citing corrections."""

from __future__ import annotations

from typing import Any

import pytest

from ledger.domain.points import worth_now
from ledger.domain.redeeming import wallet
from tests.support.chronicle import ABOVE, item
from tests.support.organisation import COMMITMENT
from tests.support.passage import Passage, act

STREAM = "rulebook/rules"
DAY = "2026-01-20"


def erratum(passage: Passage, value: int, code: str = "C-1", field: str = "points") -> str:
    body = {
        "version": "1.0.0",
        "item": code,
        "field": field,
        "value": value,
        "from": "2026-01-06",
        "until": "2026-01-15",
        "reason": COMMITMENT,
    }
    return passage.say("rulebook.erratum", STREAM, body, (ABOVE,), DAY)


def righting(
    entry: str, ident: str, kind: str = "points.awarded", **changed: Any
) -> dict[str, Any]:
    new = {"type": kind} | act(erratum=ident) | changed
    return {"reverses": entry, "reason": COMMITMENT, "path": "full", "replacement": new}


def walked(passage: Passage, body: dict[str, Any], **review: Any) -> str:
    new = passage.on("corrected", body, "rec-1", day=DAY)
    passage.check(new, day=DAY)
    passage.review(new, day=DAY, **review)
    passage.on("published", {"entry": new, "closes": "2026-01-27"}, "east-sec", day=DAY)
    passage.lapse(new, "publicity", "2026-01-27", "2026-01-28")
    return new


def test_b15_a_correction_that_cites_an_erratum_has_the_right_price() -> None:
    passage = Passage()
    entry = passage.final()
    new = walked(passage, righting(entry, erratum(passage, 250)))
    assert passage.counting() == {new}
    assert worth_now(passage.world, passage.entry(new)) == 250


def test_b15_the_right_price_counts_in_the_engine_too() -> None:
    passage = Passage()
    entry = passage.final(item="S-1", quantity=200)
    walked(passage, righting(entry, erratum(passage, 250, "S-1"), item="S-1", quantity=200))
    found = wallet(passage.world, "m-2", passage.account(), (), "2026-01-28")
    assert found.earned == 500


def test_b15_a_range_that_was_wrong_is_widened_for_the_reviewers_of_the_correction() -> None:
    passage = Passage()
    entry = passage.final(item="R-1", points=300)
    ident = erratum(passage, 500, "R-1", "max")
    body = righting(entry, ident, item="R-1", points=400)
    without = body | {"replacement": {"type": "points.awarded"} | act(item="R-1", points=400)}
    passage.no("points-range", "corrected", without, "rec-1", day=DAY)
    new = walked(passage, body, points=400)
    assert worth_now(passage.world, passage.entry(new)) == 400


def test_b15_whose_total_would_fall_keeps_the_old_price() -> None:
    passage = Passage()
    entry = passage.final()
    ident = erratum(passage, 50)
    found = passage.no("erratum-falls", "corrected", righting(entry, ident), "rec-1", day=DAY)
    assert "50 hundredths" in found


def test_b15_a_debit_that_was_too_small_is_not_raised() -> None:
    passage = Passage()
    entry = passage.final("rec-1", kind="debit", item="D-1")
    ident = erratum(passage, 200, "D-1")
    body = righting(entry, ident, "points.deducted", item="D-1")
    passage.no("erratum-falls", "corrected", body, "rec-1", day=DAY)
    smaller = erratum(passage, 50, "D-1")
    new = walked(passage, righting(entry, smaller, "points.deducted", item="D-1"))
    assert worth_now(passage.world, passage.entry(new)) == -50


def test_b15_the_total_is_looked_at_behind_the_caps() -> None:
    """Of one deed the highest counts: as the winner, the capped item would take from the total."""
    low = item("L-1", points=200, exclusive_group="G", cap={"per": "year", "points": 100})
    high = item("H-1", points=300, exclusive_group="G")
    passage = Passage(items=[low, high])
    passage.final(item="H-1", deed="deed")
    entry = passage.final(item="L-1", deed="deed")
    ident = erratum(passage, 400, "L-1")
    body = righting(entry, ident, item="L-1", deed="deed")
    passage.no("erratum-falls", "corrected", body, "rec-1", day=DAY)


@pytest.mark.parametrize(
    "changed",
    [{"quantity": 200}, {"act_date": "2026-01-11"}, {"activity": "other"}],
)
def test_b15_the_act_stays_as_it_was(changed: dict[str, Any]) -> None:
    passage = Passage()
    entry = passage.final()
    body = righting(entry, erratum(passage, 250), **changed)
    passage.no("erratum-act", "corrected", body, "rec-1", day=DAY)


def test_b15_no_correction_cites_what_is_no_erratum_of_its_item() -> None:
    passage = Passage()
    entry = passage.final()
    unknown = righting(entry, entry)
    passage.no("erratum-known", "corrected", unknown, "rec-1", day=DAY)
    other = righting(entry, erratum(passage, 250, "S-1"))
    passage.no("erratum-applies", "corrected", other, "rec-1", day=DAY)
