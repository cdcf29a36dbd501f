"""Signed refusals: the server's own word that it did not record a statement, and by which rule.

A DSSE envelope of the payload type below around the RFC 8785 object {log, refused_at, rule, size,
statement}, signed with the service actor's key. `statement` is the lower-case hex SHA-256 of the
refused statement's payload, `rule` the stable name of what refused it, `refused_at` an RFC 3339
UTC instant in whole seconds, `size` the log's signed size at that time. Who holds one can show
that the statement was handed in, and when.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime

import orjson

from ledger import canonical
from ledger.entry import ENTRY_SIZE_MAX, format_instant, parse_instant
from ledger.errors import FormatError, ProofError
from ledger.signing import (
    SIGNATURE_SIZE,
    PrivateKey,
    decode_base64,
    keyid,
    pae,
    sign_envelope,
    verify,
)

PAYLOAD_TYPE = "application/vnd.mingzhang.refusal.v1+json"
_MEMBERS = ["log", "refused_at", "rule", "size", "statement"]
_HEX64 = re.compile(r"[0-9a-f]{64}").fullmatch
_RULE = re.compile(r"[a-z][a-z0-9-]{0,63}").fullmatch


@dataclass(frozen=True, slots=True)
class Refusal:
    """A parsed refusal; `keyid` is the key that its one signature names, not verified yet."""

    log: str
    statement: str
    rule: str
    refused_at: str
    size: int
    keyid: str


def make(
    key: PrivateKey, *, log: str, statement: str, rule: str, now: datetime, size: int
) -> bytes:
    """Return the envelope of a refusal; `statement` is the hex SHA-256 of the payload."""
    payload = canonical.dumps(
        {
            "log": log,
            "refused_at": format_instant(now),
            "rule": rule,
            "size": size,
            "statement": statement,
        }
    )
    envelope = sign_envelope(payload, [key], PAYLOAD_TYPE)
    parse(envelope)
    return envelope


def refused_statement(envelope: bytes) -> str | None:
    """Return the hex SHA-256 of the payload in what was handed in, None where it has none.

    The envelope may be wrong in any other way: that may be why it was refused.
    """
    try:
        payload = orjson.loads(envelope)["payload"]
        return hashlib.sha256(decode_base64(payload)).hexdigest()
    except (ValueError, LookupError, TypeError, AttributeError, FormatError):
        return None


def parse(envelope: bytes) -> Refusal:
    """Read a refusal; its signature is not verified. Raises FormatError."""
    return _parse(envelope)[0]


def verify_refusal(envelope: bytes, public_key: bytes) -> Refusal:
    """Read a refusal and check that the key (raw, 32 bytes) signed it.

    Raises FormatError or ProofError.
    """
    refusal, payload, sig = _parse(envelope)
    if refusal.keyid != keyid(public_key):
        raise ProofError(
            f"the refusal is signed by key {refusal.keyid[:16]}…, the one given is "
            f"{keyid(public_key)[:16]}…"
        )
    if not verify(public_key, pae(payload, PAYLOAD_TYPE), sig):
        raise ProofError("the refusal's signature does not verify: it was changed or made up")
    return refusal


def _parse(envelope: bytes) -> tuple[Refusal, bytes, bytes]:
    if len(envelope) > ENTRY_SIZE_MAX:
        raise FormatError(f"a refusal of {len(envelope)} bytes; at most {ENTRY_SIZE_MAX} are read")
    try:
        outer = orjson.loads(envelope)
        same = orjson.dumps(outer, option=orjson.OPT_SORT_KEYS) == envelope
    except (orjson.JSONDecodeError, TypeError) as error:
        raise FormatError(f"the refusal is not JSON: {error}") from None
    if not same or type(outer) is not dict:
        raise FormatError("the refusal is not canonical JSON (RFC 8785)")
    if list(outer) != ["payload", "payloadType", "signatures"]:
        raise FormatError("a refusal is a DSSE envelope of payload, payloadType, signatures")
    if outer["payloadType"] != PAYLOAD_TYPE:
        raise FormatError(f"the envelope's payloadType is not {PAYLOAD_TYPE}")
    signatures = outer["signatures"]
    if type(signatures) is not list or len(signatures) != 1:
        raise FormatError("a refusal has one signature, the service's")
    (signature,) = signatures
    if type(signature) is not dict or list(signature) != ["keyid", "sig"]:
        raise FormatError("a signature has exactly the members keyid, sig, in this order")
    name, sig = signature["keyid"], signature["sig"]
    if type(outer["payload"]) is not str or type(sig) is not str or type(name) is not str:
        raise FormatError("payload, keyid and sig are text")
    if _HEX64(name) is None:
        raise FormatError("the signature's keyid is not 64 lower-case hex digits")
    payload = decode_base64(outer["payload"])
    value = canonical.loads(payload)
    if type(value) is not dict or list(value) != _MEMBERS:
        raise FormatError(f"a refusal has exactly the members {', '.join(_MEMBERS)}")
    texts = [value[each] for each in _MEMBERS if each != "size"]
    if not all(type(each) is str for each in texts) or type(value["size"]) is not int:
        raise FormatError("every member of a refusal but `size`, an integer, is text")
    if _HEX64(value["statement"]) is None or _RULE(value["rule"]) is None or value["size"] < 0:
        raise FormatError("the refusal's statement, rule or size is not of its form")
    parse_instant(value["refused_at"])
    refusal = Refusal(
        value["log"], value["statement"], value["rule"], value["refused_at"], value["size"], name
    )
    return refusal, payload, decode_base64(sig, SIGNATURE_SIZE)
