from __future__ import annotations

import hashlib
from datetime import UTC, datetime

import orjson
import pytest

from ledger import refusal
from ledger.entry import parse_envelope
from ledger.errors import FormatError, ProofError
from ledger.refusal import refused_statement, verify_refusal
from ledger.signing import encode_base64
from tests.support.organisation import Organisation, key_of

NOW = datetime(2026, 1, 5, 1, 0, tzinfo=UTC)
SERVICE = key_of("service")
MADE = refusal.make(
    SERVICE, log="test.example/points", statement="ab" * 32, rule="four-eyes", now=NOW, size=7
)


def test_who_holds_a_refusal_can_show_what_was_refused_when_and_by_which_rule() -> None:
    found = verify_refusal(MADE, SERVICE.public_key)
    assert (found.statement, found.rule, found.size) == ("ab" * 32, "four-eyes", 7)
    assert (found.log, found.refused_at) == ("test.example/points", "2026-01-05T01:00:00Z")
    assert found.keyid == SERVICE.keyid


def test_another_key_and_a_changed_refusal_do_not_verify() -> None:
    with pytest.raises(ProofError, match="signed by key"):
        verify_refusal(MADE, key_of("other").public_key)
    outer = orjson.loads(MADE)
    payload = refusal.parse(MADE)
    changed = orjson.dumps(
        {
            "log": payload.log,
            "refused_at": payload.refused_at,
            "rule": "no-such-rule",
            "size": 7,
            "statement": payload.statement,
        }
    )
    with pytest.raises(ProofError, match="does not verify"):
        verify_refusal(
            orjson.dumps(outer | {"payload": encode_base64(changed)}), SERVICE.public_key
        )


def test_every_flipped_byte_is_noticed() -> None:
    for place in range(len(MADE)):
        broken = bytearray(MADE)
        broken[place] ^= 1
        with pytest.raises((FormatError, ProofError)):
            verify_refusal(bytes(broken), SERVICE.public_key)


def test_a_statement_is_no_refusal() -> None:
    with pytest.raises(FormatError, match="payloadType"):
        refusal.parse(Organisation().founding())


def test_what_was_refused_is_named_by_its_payload_even_where_the_envelope_is_wrong() -> None:
    envelope = Organisation().founding()
    wanted = hashlib.sha256(parse_envelope(envelope).payload).hexdigest()
    assert refused_statement(envelope) == wanted
    assert refused_statement(envelope.replace(b'{"payload"', b'{ "payload"')) == wanted
    for nothing in (b"", b"[]", b"7", b'{"payload":7}', b'{"payload":"?"}', b"\xff"):
        assert refused_statement(nothing) is None
