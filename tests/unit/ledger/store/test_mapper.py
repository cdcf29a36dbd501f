from __future__ import annotations

from dataclasses import dataclass

import pytest
from eventsourcing.compressor import ZlibCompressor
from eventsourcing.persistence import JSONTranscoder, StoredEvent

from ledger import schema
from ledger.entry import NO_HASH, entry_bytes, parse_entry, parse_envelope
from ledger.errors import FormatError, StartRefusedError
from ledger.store.events import EVENTS
from ledger.store.mapper import EntryMapper
from ledger.store.recorded import Recorded
from ledger.store.way_events import PointsAwarded
from tests.support.organisation import Organisation

RECORDED_AT = "2026-01-05T01:00:00.123456Z"


def stored(envelope: bytes, stream: str, topic: str, seq: int = 1) -> StoredEvent:
    return StoredEvent(stream, seq, topic, entry_bytes(stream, seq, NO_HASH, RECORDED_AT, envelope))


@pytest.fixture
def award() -> StoredEvent:
    return stored(Organisation().award("m-1"), "member/m-1", "points.awarded", 7)


def test_every_statement_type_has_its_event_and_no_other_name_does() -> None:
    assert EVENTS.keys() == schema.schemas().keys()
    assert all(kind.topic == name for name, kind in EVENTS.items())
    assert len(set(EVENTS.values())) == len(EVENTS)


def test_an_entry_comes_back_from_its_event_byte_for_byte() -> None:
    organisation = Organisation()
    mapper = EntryMapper()
    for envelope in [*organisation.set_up(), organisation.award("m-1")]:
        entry = _entry_around(envelope)
        event = mapper.to_domain_event(entry)
        assert type(event) is EVENTS[entry.topic]
        assert mapper.to_stored_event(event) == entry


def _entry_around(envelope: bytes) -> StoredEvent:
    statement = parse_envelope(envelope)
    return stored(envelope, statement.stream, statement.type)


def test_an_event_says_what_the_library_and_a_projection_ask_of_it(award: StoredEvent) -> None:
    event = EntryMapper().to_domain_event(award)
    assert isinstance(event, PointsAwarded)
    assert (event.originator_id, event.originator_version) == ("member/m-1", 7)
    assert event.timestamp.isoformat() == "2026-01-05T01:00:00.123456+00:00"
    assert event.body["points"] == 100
    assert event.entry.data == award.state


@pytest.mark.parametrize("topic", ["points.invented", "os:system", "ledger.store.events:EVENTS"])
def test_a_topic_that_is_not_listed_is_refused_and_never_imported(
    award: StoredEvent, topic: str
) -> None:
    row = StoredEvent(award.originator_id, award.originator_version, topic, award.state)
    with pytest.raises(FormatError, match="no statement type that this version knows"):
        EntryMapper().to_domain_event(row)


@pytest.mark.parametrize(
    ("stream", "seq", "topic"),
    [
        ("member/m-2", 7, "points.awarded"),
        ("member/m-1", 8, "points.awarded"),
        ("member/m-1", 7, "points.deducted"),
    ],
)
def test_an_entry_under_another_rows_name_is_noticed(
    award: StoredEvent, stream: str, seq: int, topic: str
) -> None:
    with pytest.raises(FormatError, match="the row was changed"):
        EntryMapper().to_domain_event(StoredEvent(stream, seq, topic, award.state))


def test_bytes_that_are_no_entry_are_refused(award: StoredEvent) -> None:
    row = StoredEvent(award.originator_id, award.originator_version, award.topic, b"{}")
    with pytest.raises(FormatError, match="an entry has exactly"):
        EntryMapper().to_domain_event(row)


def test_a_compressor_or_cipher_which_would_change_the_leaf_is_refused() -> None:
    with pytest.raises(StartRefusedError, match="COMPRESSOR_TOPIC"):
        EntryMapper(JSONTranscoder(), compressor=ZlibCompressor())


def test_an_event_of_another_kind_is_not_stored(award: StoredEvent) -> None:
    @dataclass(frozen=True)
    class Foreign(Recorded):
        topic = "points.awarded"

    entry = parse_entry(award.state)
    for event in (Foreign(entry), Recorded(entry)):
        with pytest.raises(FormatError, match="no event of this ledger"):
            EntryMapper().to_stored_event(event)
