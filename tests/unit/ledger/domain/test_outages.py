"""Recorded outages: who may record one, of what, and that their days count in no term (B21)."""

from __future__ import annotations

import pytest

from ledger.domain.lapses import Due
from tests.support.organisation import COMMITMENT
from tests.support.passage import Passage, why


@pytest.fixture
def passage() -> Passage:
    return Passage()


def outage(first: str, last: str) -> dict[str, str]:
    """From 10:30 of a day, half an hour after what a chronicle records, to 09:00 of another."""
    return {"from": f"{first}T02:30:00Z", "to": f"{last}T01:00:00Z"}


def down(passage: Passage, first: str, last: str) -> None:
    passage.say("outage.recorded", "ledger/root", outage(first, last), ("clerk",), day=last)


def test_b21_days_of_an_outage_do_not_count_in_publicity(passage: Passage) -> None:
    ident = passage.published()
    assert passage.due("2026-01-20") == [Due(ident, "publicity", "2026-01-19")]
    # From Wednesday the 14th to Friday the 16th: three working days.
    down(passage, "2026-01-14", "2026-01-16")
    assert passage.due("2026-01-22") == []
    assert passage.due("2026-01-23") == [Due(ident, "publicity", "2026-01-22")]
    body = {"entry": ident, "term": "publicity", "due": "2026-01-19"}
    passage.no("term-due", "lapsed", body, "clerk", day="2026-01-23")
    passage.lapse(ident, "publicity", "2026-01-22", "2026-01-23")
    assert passage.state(ident) == "final"


def test_b21_an_objection_is_in_time_on_the_days_that_an_outage_added(passage: Passage) -> None:
    ident = passage.published()
    down(passage, "2026-01-14", "2026-01-16")
    passage.on("objected", {"entry": ident, "filer": COMMITMENT}, "in-1", day="2026-01-21")
    passage.on("acknowledged", {"entry": ident}, "in-1", day="2026-01-21")
    body = why(ident, outcome="upheld", rest=1, closes="2026-01-23", filled=COMMITMENT)
    passage.on("reconsidered", body, "east-com-3", "up-1", day="2026-01-22")


def test_b21_days_of_an_outage_do_not_count_in_terms_of_natural_days(passage: Passage) -> None:
    ident = passage.claim()
    down(passage, "2026-01-17", "2026-01-18")
    assert passage.due("2026-01-30") == [Due(ident, "first_review", "2026-01-29")]


def test_b21_an_outage_before_a_term_opened_does_not_lengthen_it(passage: Passage) -> None:
    down(passage, "2026-01-06", "2026-01-12")
    ident = passage.claim()
    assert passage.due("2026-01-28") == [Due(ident, "first_review", "2026-01-27")]


def test_b21_an_outage_that_falls_into_an_extension_moves_its_end(passage: Passage) -> None:
    ident = passage.claim()
    passage.on("extended", why(ident, until="2026-02-11"), "up-1", day="2026-01-20")
    down(passage, "2026-02-01", "2026-02-02")
    assert passage.due("2026-02-14") == [Due(ident, "first_review", "2026-02-13")]


def test_b21_only_the_service_actor_records_outages(passage: Passage) -> None:
    body = outage("2026-01-06", "2026-01-12")
    passage.refused(
        "service-outage", "outage.recorded", "ledger/root", body, ("reg-1",), "2026-01-12"
    )
    both = ("clerk", "reg-1")
    passage.refused("service-outage", "outage.recorded", "ledger/root", body, both, "2026-01-12")


def test_b21_no_outage_is_recorded_that_the_log_speaks_against(passage: Passage) -> None:
    passage.claim(day="2026-01-14")
    early = outage("2026-01-13", "2026-01-16")
    passage.refused(
        "outage-silence", "outage.recorded", "ledger/root", early, ("clerk",), "2026-01-16"
    )
    down(passage, "2026-01-14", "2026-01-16")
    # The outage itself is an entry now: the same days are not recorded twice.
    passage.refused(
        "outage-silence",
        "outage.recorded",
        "ledger/root",
        outage("2026-01-14", "2026-01-16"),
        ("clerk",),
        "2026-01-16",
    )


def test_b21_a_restart_is_no_outage_and_none_is_recorded_ahead(passage: Passage) -> None:
    short = {"from": "2026-01-12T02:00:00Z", "to": "2026-01-12T05:59:59Z"}
    passage.refused(
        "outage-short", "outage.recorded", "ledger/root", short, ("clerk",), "2026-01-12"
    )
    ahead = outage("2026-01-12", "2026-01-14")
    passage.refused(
        "outage-over", "outage.recorded", "ledger/root", ahead, ("clerk",), "2026-01-13"
    )
