from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.entry import (
    ENTRY_SIZE_MAX,
    NO_HASH,
    entry_bytes,
    format_instant,
    new_id,
    parse_entry,
    parse_envelope,
    parse_instant,
    statement_payload,
)
from ledger.errors import FormatError
from ledger.signing import sign_envelope
from tests.support.organisation import Organisation, key_of

ENVELOPE = Organisation().award("m-2", after="cd" * 32)
STATEMENT = parse_envelope(ENVELOPE)
ENTRY = entry_bytes(STATEMENT.stream, 3, "ab" * 32, "2026-01-05T01:00:00.000000Z", ENVELOPE)


def envelope_of(payload: bytes) -> bytes:
    return sign_envelope(payload, [key_of("rec-1")])


def payload_with(**changed: Any) -> bytes:
    value = json.loads(STATEMENT.payload) | changed
    return orjson.dumps(
        {name: each for name, each in value.items() if each is not ...}, option=orjson.OPT_SORT_KEYS
    )


def test_an_entry_keeps_the_bytes_it_came_from() -> None:
    entry = parse_entry(ENTRY)
    assert entry.data == ENTRY
    assert entry.statement == STATEMENT
    assert (entry.stream, entry.seq, entry.prev) == ("member/m-2", 3, "ab" * 32)
    assert entry.statement.payload == base64.b64decode(json.loads(ENVELOPE)["payload"])


@given(st.data())
@settings(max_examples=600, deadline=None)
def test_an_entry_with_any_byte_changed_is_refused_or_is_exactly_another_entry(
    data: st.DataObject,
) -> None:
    at = data.draw(st.integers(0, len(ENTRY) - 1))
    changed = ENTRY[:at] + bytes([data.draw(st.integers(0, 255))]) + ENTRY[at + 1 :]
    try:
        entry = parse_entry(changed)
    except FormatError:
        return
    again = entry_bytes(
        entry.stream, entry.seq, entry.prev, entry.recorded_at, entry.statement.envelope
    )
    assert again == changed


@given(st.data())
@settings(max_examples=300, deadline=None)
def test_bytes_of_any_shape_are_refused_with_a_reason(data: st.DataObject) -> None:
    value = json.loads(ENTRY)
    at, key = value, data.draw(st.sampled_from(sorted(value)))
    while isinstance(at[key], dict) and data.draw(st.booleans()):
        at = at[key]
        key = data.draw(st.sampled_from(sorted(at)))
    at[key] = data.draw(
        st.recursive(
            st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=4)),
            lambda inner: st.one_of(
                st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=3), inner, max_size=3)
            ),
            max_leaves=5,
        )
    )
    text = json.dumps(value, separators=(",", ":"), sort_keys=True).encode()
    try:
        parsed = parse_entry(text)
    except FormatError:
        return
    assert parsed.data == text


def test_json_nested_too_deep_for_any_reader_is_refused() -> None:
    for depth in (200, 300, 1_000, 20_000):
        nested = b"[" * depth + b"]" * depth
        with pytest.raises(FormatError):
            parse_entry(ENTRY.replace(ENVELOPE, nested))
        with pytest.raises(FormatError):
            parse_envelope(nested)
        with pytest.raises(FormatError):
            parse_envelope(ENVELOPE.replace(b'"signatures":[', b'"signatures":[' + nested + b","))


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        (b'"v":1', b'"v":2', "version"),
        (b'"v":1', b'"v":true', "version"),
        (b'"v":1', b'"v":1.0', "version"),
        (b'"seq":3', b'"seq":0', "seq"),
        (b'"seq":3', b'"seq":"3"', "seq"),
        (b'"seq":3', b'"seq":03', "not JSON"),
        (b'"seq":3', b'"seq":3,"seq":3', "not canonical"),
        (b'"seq":3', b'"seq": 3', "not canonical"),
        (b'"v":1}', b'"v":1}\n', "not canonical"),
        (b'"v":1', b'"v":1,"x":1', "exactly the members"),
        (b"abab", b"ABAB", "prev"),
        (b"00.000000Z", b"00.000Z", "recorded_at"),
        (b"00.000000Z", b"00.000000+00:00", "recorded_at"),
        (b"2026-01-05T01:00:00.000000Z", b"2026-02-30T01:00:00.000000Z", "no real date"),
        (b'"stream":"member/m-2"', b'"stream":"member/m-3"', "is not its statement's"),
        (b'"stream":"member/m-2"', b'"stream":"nobody/m-2"', "is not its statement's"),
        (b'"stream":"member/m-2"', b'"stream":["member/m-2"]', "is not its statement's"),
    ],
)
def test_what_is_not_exactly_an_entry_is_refused(old: bytes, new: bytes, reason: str) -> None:
    assert old in ENTRY
    with pytest.raises(FormatError, match=reason):
        parse_entry(ENTRY.replace(old, new, 1))


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"id": "0190a000-0000-4000-8000-000000000000"}, "UUIDv7"),
        ({"id": STATEMENT.id.upper()}, "UUIDv7"),
        ({"id": 7}, "is text"),
        ({"type": "points"}, "no statement type"),
        ({"type": "Points.Awarded"}, "no statement type"),
        ({"stream": "member/"}, "no stream"),
        ({"stream": "member/a/b"}, "no stream"),
        ({"stream": "member/" + "a" * 65}, "no stream"),
        ({"actor": "actor/rec-1"}, "no actor id"),
        ({"actor": ""}, "no actor id"),
        ({"log": ""}, "origin"),
        ({"signed_at": "2026-01-05T01:00:00.5Z"}, "not an instant"),
        ({"signed_at": "2026-01-05T01:00:00+00:00"}, "not an instant"),
        ({"signed_at": "2026-13-05T01:00:00Z"}, "no real date"),
        ({"signed_at": "2026-01-05T24:00:00Z"}, "no real date"),
        ({"signed_at": "2026-01-05T23:59:60Z"}, "no real date"),
        ({"after": "xy"}, "after"),
        ({"after": None}, "null"),
        ({"body": []}, "is text"),
        ({"extra": 1}, "extra"),
        ({"actor": ...}, "actor"),
        ({"body": {"points": 1.5}}, "float"),
        ({"body": {"Points": 1}}, "member name"),
        ({"body": {"note": "e\u0301"}}, "NFC"),
        ({"body": {"note": "a\u0007"}}, "control"),
    ],
)
def test_what_is_not_exactly_a_statement_is_refused(changed: dict[str, Any], reason: str) -> None:
    with pytest.raises(FormatError, match=reason):
        parse_envelope(envelope_of(payload_with(**changed)))


def test_a_payload_that_is_not_canonical_is_refused() -> None:
    for payload in (STATEMENT.payload + b" ", STATEMENT.payload.replace(b":", b": ", 1), b"[]"):
        with pytest.raises(FormatError):
            parse_envelope(envelope_of(payload))


def test_signatures_are_one_to_sixteen_distinct_and_sorted() -> None:
    def with_signatures(count: int) -> bytes:
        keys = [key_of(f"signer {n}") for n in range(count)]
        return sign_envelope(STATEMENT.payload, keys)

    assert len(parse_envelope(with_signatures(16)).signatures) == 16
    for count in (0, 17):
        with pytest.raises(FormatError, match="1 to 16"):
            parse_envelope(with_signatures(count))
    envelope = json.loads(with_signatures(2))
    first, second = envelope["signatures"]
    for listed in ([second, first], [first, first]):
        data = orjson.dumps(envelope | {"signatures": listed})
        with pytest.raises(FormatError, match="sorted by keyid"):
            parse_envelope(data)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"payloadType":"application/vnd.mingzhang', b'"payloadType":"application/vnd.other'),
        (b'"payload":"ey', b'"payload":"\\u0065y'),
        (b'"sig":"', b'"sig":" '),
        (b'"sig":', b'"extra":1,"sig":'),
        (b'"payload":', b'"note":"","payload":'),
        (b'{"payload"', b'{ "payload"'),
        (b'{"keyid":"', b'{"keyid":"A'),
    ],
)
def test_what_is_not_exactly_an_envelope_is_refused(old: bytes, new: bytes) -> None:
    assert old in ENVELOPE
    with pytest.raises(FormatError):
        parse_envelope(ENVELOPE.replace(old, new, 1))


def test_an_entry_is_at_most_as_large_as_a_bundle_can_hold() -> None:
    with pytest.raises(FormatError, match="at most"):
        parse_entry(b" " * (ENTRY_SIZE_MAX + 1))
    with pytest.raises(FormatError, match="at most"):
        parse_envelope(b" " * (ENTRY_SIZE_MAX + 1))


@given(st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31), timezones=st.just(UTC)))  # noqa: DTZ001
def test_an_instant_is_read_back(instant: datetime) -> None:
    assert parse_instant(format_instant(instant, micros=True), micros=True) == instant
    assert parse_instant(format_instant(instant)) == instant.replace(microsecond=0)


def test_instants_as_text_are_ordered_as_in_time() -> None:
    early, late = (datetime(2026, 1, 5, 1, 0, 9, us, tzinfo=UTC) for us in (9, 10))
    assert format_instant(early, micros=True) < format_instant(late, micros=True)


def test_ids_are_uuids_of_version_7_in_the_order_of_time() -> None:
    ids = [new_id(datetime(2026, 1, 5, hour, tzinfo=UTC), bytes(10)) for hour in range(24)]
    assert ids == sorted(ids)
    parse_envelope(envelope_of(payload_with(id=new_id(datetime.now(UTC), b"\xff" * 10))))


def test_a_statement_without_after_has_no_such_member() -> None:
    payload = statement_payload(
        type="unit.moved",
        id=STATEMENT.id,
        log="l",
        stream="unit/east",
        actor="reg-1",
        signed_at="2026-01-05T01:00:00Z",
        body={"parent": "root"},
    )
    assert b"after" not in payload
    assert parse_envelope(envelope_of(payload)).after is None
    assert len(NO_HASH) == 64
