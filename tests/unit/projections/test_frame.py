"""What entries are scored in: days of the organisation's zone, and outages left out of terms."""

from __future__ import annotations

from ledger.domain.deadlines import outage_days
from projections.frame import Frame, belongs
from tests.support.passage import Passage


def frame_of(passage: Passage) -> Frame:
    frame = Frame()
    for event in passage.events:
        if belongs(event):
            frame.evolve(event)
    return frame


def test_a_day_is_one_of_the_organisations_zone() -> None:
    assert frame_of(Passage()).today("2026-01-05T17:00:00.000000Z") == "2026-01-06"


def test_b21_an_outage_is_known_to_the_terms_that_are_shown() -> None:
    passage = Passage()
    body = {"from": "2026-01-12T02:00:00Z", "to": "2026-01-13T02:00:00Z"}
    passage.say("outage.recorded", "ledger/root", body, ("clerk",), "2026-01-14")
    assert outage_days(frame_of(passage).world) == outage_days(passage.world) != frozenset()
