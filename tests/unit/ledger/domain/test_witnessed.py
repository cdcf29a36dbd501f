"""Publicity begins when somebody outside has seen it (B21)."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from ledger.domain.lapses import due_term, publicity_begun
from ledger.domain.objections import rest_of_term
from ledger.rules.member import FOREVER
from ledger.signing import encode_base64
from tests.support.organisation import COMMITMENT
from tests.support.passage import Passage

SHOWN_ON = "2026-01-12"


@pytest.fixture
def passage() -> Passage:
    return Passage()


def witness(passage: Passage, size: int, seen: str, day: str) -> None:
    """The service records that two witnesses cosigned a checkpoint, the later one at `seen`."""
    last = int(datetime.fromisoformat(seen).replace(tzinfo=UTC).timestamp())
    lines = [
        f"— w{number}.example/1 {encode_base64(bytes(4) + at.to_bytes(8) + bytes(64))}"
        for number, at in enumerate((last - 60, last))
    ]
    body = {"size": size, "cosignatures": lines}
    passage.say("checkpoint.witnessed", "ledger/root", body, ("clerk",), day)


def due(passage: Passage, ident: str) -> str:
    found = due_term(passage.world, "m-2", passage.account("m-2").entries[ident])
    assert found is not None
    return found.due


def test_b21_without_witnesses_publicity_begins_as_it_is_recorded(passage: Passage) -> None:
    ident = passage.published()
    assert due(passage, ident) == "2026-01-19"


def test_b21_with_witnesses_it_begins_at_the_cosignature_that_completed_the_quorum(
    passage: Passage,
) -> None:
    witness(passage, len(passage.ids), "2026-01-12T00:00:00", SHOWN_ON)
    ident = passage.published()
    shown = passage.account("m-2").entries[ident]
    assert publicity_begun(passage.world, shown) is None
    assert due(passage, ident) == FOREVER, "what nobody outside has seen is not public yet"
    # One that does not cover the publication says nothing of it.
    witness(passage, len(passage.ids) - 1, "2026-01-13T00:00:00", "2026-01-13")
    assert due(passage, ident) == FOREVER
    witness(passage, len(passage.ids), "2026-01-14T16:30:00", "2026-01-15")
    assert publicity_begun(passage.world, shown) == "2026-01-14T16:30:00.000000Z"
    # In Shanghai that is 15 January: five working days end on the 22nd, not on the 19th.
    assert due(passage, ident) == "2026-01-22"
    witness(passage, len(passage.ids), "2026-01-18T00:00:00", "2026-01-18")
    assert due(passage, ident) == "2026-01-22", "the first one counts"
    body = {"entry": ident, "term": "publicity", "due": "2026-01-19"}
    passage.no("term-due", "lapsed", body, "clerk", day="2026-01-20")
    passage.lapse(ident, "publicity", "2026-01-22", "2026-01-23")
    assert passage.counting() == {ident}


def test_b21_what_is_not_seen_yet_can_be_objected_to_and_is_shown_whole_afterwards(
    passage: Passage,
) -> None:
    witness(passage, len(passage.ids), "2026-01-12T00:00:00", SHOWN_ON)
    ident = passage.published()
    objection = {"entry": ident, "filer": COMMITMENT}
    passage.on("objected", objection, "in-1", day="2026-01-30")
    passage.on("acknowledged", {"entry": ident}, "in-1", day="2026-01-30")
    assert rest_of_term(passage.world, passage.account("m-2").entries[ident]) == 5


def test_a_time_without_a_date_is_no_cosignature(passage: Passage) -> None:
    line = f"— w.example/1 {encode_base64(bytes(4) + (2**40).to_bytes(8) + bytes(64))}"
    body = {"size": 3, "cosignatures": [line]}
    passage.refused(
        "cosignature-form", "checkpoint.witnessed", "ledger/root", body, ("clerk",), SHOWN_ON
    )
