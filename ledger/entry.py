"""The bytes of a statement (what a person signs) and of an entry (what the log records).

Both are RFC 8785 JSON objects; an entry wraps the DSSE envelope of its statement and its bytes
are the leaf of the Merkle log. Nothing is ever serialised again before hashing: what is parsed
here keeps the bytes that it came from.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any, NamedTuple

import orjson

from ledger import canonical
from ledger.errors import FormatError
from ledger.signing import (
    PAYLOAD_TYPE,
    SIGNATURE_SIZE,
    Signature,
    decode_base64,
)

ENTRY_SIZE_MAX = 65_535
SIGNATURES_MAX = 16
NO_HASH = "0" * 64
"""`prev` of a stream's first entry, and `after` for an empty stream."""

STREAM_KINDS = ("ledger", "member", "rulebook", "dispute", "unit", "actor", "period", "fund")

_ID = re.compile(r"[a-z0-9-]{1,64}").fullmatch
_STREAM = re.compile(rf"(?:{'|'.join(STREAM_KINDS)})/[a-z0-9-]{{1,64}}").fullmatch
_TYPE = re.compile(r"[a-z][a-z_]{0,31}\.[a-z][a-z_]{0,31}").fullmatch
_UUID7 = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
).fullmatch
_HEX64 = re.compile(r"[0-9a-f]{64}").fullmatch
_SECONDS = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", re.ASCII).fullmatch
_MICROS = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", re.ASCII).fullmatch
_ORIGIN_MAX = 255

_STATEMENT = frozenset({"type", "id", "log", "stream", "actor", "signed_at", "body"})
_STATEMENT_AFTER = _STATEMENT | {"after"}
_ENVELOPE = ["payload", "payloadType", "signatures"]
_SIGNATURE = ["keyid", "sig"]
_ENTRY = ["envelope", "prev", "recorded_at", "seq", "stream", "v"]


class Statement(NamedTuple):
    """A parsed statement with the bytes that it came from.

    `payload` are the bytes that were signed, `envelope` the canonical DSSE envelope around them;
    `body` must not be changed by whoever reads it.
    """

    type: str
    id: str
    log: str
    stream: str
    actor: str
    signed_at: str
    after: str | None
    body: dict[str, Any]
    payload: bytes
    signatures: tuple[Signature, ...]
    envelope: bytes


class Entry(NamedTuple):
    """A parsed entry; `data` are the exact leaf bytes, `prev` is lower-case hex."""

    stream: str
    seq: int
    prev: str
    recorded_at: str
    statement: Statement
    data: bytes


def is_id(text: str) -> bool:
    """Tell whether `text` can be the id of an actor, unit, member or the like."""
    return _ID(text) is not None


def parse_instant(text: str, *, micros: bool = False) -> datetime:
    """Read an RFC 3339 UTC instant of whole seconds (or of exactly six decimals).

    Raises FormatError.
    """
    if (_MICROS if micros else _SECONDS)(text) is None:
        shape = "YYYY-MM-DDTHH:MM:SS.ffffffZ" if micros else "YYYY-MM-DDTHH:MM:SSZ"
        raise FormatError(f"{text[:40]!r} is not an instant of the form {shape}")
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise FormatError(f"{text!r} is no real date and time") from None


def format_instant(instant: datetime, *, micros: bool = False) -> str:
    """Write an aware datetime as RFC 3339 UTC with `Z`, in whole seconds or six decimals."""
    spec = "microseconds" if micros else "seconds"
    return instant.astimezone(UTC).replace(tzinfo=None).isoformat(timespec=spec) + "Z"


def parse_envelope(data: bytes) -> Statement:
    """Read a DSSE envelope and the statement in it; signatures are not verified here.

    Raises FormatError with what is wrong: any byte that the format does not fix as it stands.
    """
    if len(data) > ENTRY_SIZE_MAX:
        raise FormatError(f"an envelope of {len(data)} bytes; at most {ENTRY_SIZE_MAX} are allowed")
    try:
        envelope = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise FormatError(f"the envelope is not JSON: {error}") from None
    statement = _statement(envelope, data)
    # Equal bytes show that no name is repeated, nothing is spaced or escaped otherwise.
    if orjson.dumps(envelope) != data:
        raise FormatError("the envelope is not canonical JSON (RFC 8785)")
    return statement


def parse_entry(data: bytes) -> Entry:
    """Read an entry's leaf bytes. Raises FormatError; signatures and hashes are not checked."""
    if len(data) > ENTRY_SIZE_MAX:
        raise FormatError(f"an entry of {len(data)} bytes; at most {ENTRY_SIZE_MAX} are allowed")
    try:
        entry = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise FormatError(f"the entry is not JSON: {error}") from None
    if type(entry) is not dict or list(entry) != _ENTRY:
        raise FormatError(f"an entry has exactly the members {', '.join(_ENTRY)}, in this order")
    seq, prev, stream = entry["seq"], entry["prev"], entry["stream"]
    recorded_at, envelope = entry["recorded_at"], entry["envelope"]
    if entry["v"] != 1 or type(entry["v"]) is not int:
        raise FormatError("the entry's version `v` is not 1")
    if type(seq) is not int or not 1 <= seq <= canonical.INTEGER_MAX:
        raise FormatError("the entry's `seq` is not an integer from 1")
    if type(prev) is not str or _HEX64(prev) is None:
        raise FormatError("the entry's `prev` is not 64 lower-case hex digits")
    if type(recorded_at) is not str or _MICROS(recorded_at) is None:
        raise FormatError("the entry's `recorded_at` is not YYYY-MM-DDTHH:MM:SS.ffffffZ")
    try:
        datetime.fromisoformat(recorded_at)
    except ValueError:
        raise FormatError(f"{recorded_at!r} is no real date and time") from None
    try:
        envelope_bytes = orjson.dumps(envelope)
    except TypeError as error:
        raise FormatError(f"the envelope is no JSON that can be written: {error}") from None
    # Whether these are the entry's own bytes shows below, where the whole entry is compared.
    statement = _statement(envelope, envelope_bytes)
    if statement.stream != stream:
        raise FormatError(
            f"the entry's stream {str(stream)[:80]!r} is not its statement's {statement.stream}"
        )
    if entry_bytes(stream, seq, prev, recorded_at, statement.envelope) != data:
        raise FormatError("the entry is not canonical JSON (RFC 8785)")
    return Entry(stream, seq, prev, recorded_at, statement, data)


def entry_bytes(stream: str, seq: int, prev: str, recorded_at: str, envelope: bytes) -> bytes:
    """Return the leaf bytes of an entry whose parts are already known to be well formed."""
    return b'{"envelope":%b,"prev":"%b","recorded_at":"%b","seq":%d,"stream":"%b","v":1}' % (
        envelope,
        prev.encode(),
        recorded_at.encode(),
        seq,
        stream.encode(),
    )


def _statement(envelope: Any, data: bytes) -> Statement:
    if type(envelope) is not dict or list(envelope) != _ENVELOPE:
        raise FormatError(f"an envelope has exactly the members {', '.join(_ENVELOPE)}, in order")
    encoded, listed = envelope["payload"], envelope["signatures"]
    if envelope["payloadType"] != PAYLOAD_TYPE:
        raise FormatError(f"the envelope's payloadType is not {PAYLOAD_TYPE}")
    if type(encoded) is not str or type(listed) is not list:
        raise FormatError("`payload` must be base64 text and `signatures` a list")
    if not 1 <= len(listed) <= SIGNATURES_MAX:
        raise FormatError(f"{len(listed)} signatures; 1 to {SIGNATURES_MAX} are allowed")
    signatures = []
    before = ""
    for each in listed:
        if type(each) is not dict or list(each) != _SIGNATURE:
            raise FormatError("a signature has exactly the members keyid, sig, in this order")
        key, sig = each["keyid"], each["sig"]
        if type(key) is not str or type(sig) is not str or _HEX64(key) is None:
            raise FormatError("a signature's keyid is not 64 lower-case hex digits")
        if key <= before:
            raise FormatError("signatures must be of distinct keys and sorted by keyid")
        before = key
        signatures.append(Signature(key, decode_base64(sig, SIGNATURE_SIZE)))
    payload = decode_base64(encoded)
    value = canonical.loads(payload)
    if type(value) is not dict:
        raise FormatError("a statement is a JSON object")
    names = value.keys()
    if names not in (_STATEMENT, _STATEMENT_AFTER):
        odd = sorted(names - _STATEMENT_AFTER) or sorted(_STATEMENT - names)
        raise FormatError(f"the statement's members are wrong: {', '.join(odd)[:80]}")
    after = value.get("after")
    statement = Statement(
        value["type"],
        value["id"],
        value["log"],
        value["stream"],
        value["actor"],
        value["signed_at"],
        after,
        value["body"],
        payload,
        tuple(signatures),
        data,
    )
    if not all(type(each) is str for each in statement[:6]) or type(statement.body) is not dict:
        raise FormatError("every member of a statement but `body`, an object, is text")
    if _TYPE(statement.type) is None:
        raise FormatError(f"{statement.type[:40]!r} is no statement type")
    if _UUID7(statement.id) is None:
        raise FormatError(f"{statement.id[:40]!r} is not a lower-case UUIDv7")
    if _STREAM(statement.stream) is None:
        raise FormatError(f"{statement.stream[:80]!r} is no stream")
    if _ID(statement.actor) is None:
        raise FormatError(f"{statement.actor[:80]!r} is no actor id")
    if not 1 <= len(statement.log) <= _ORIGIN_MAX:
        raise FormatError("`log` must be the origin of a log")
    if after is not None and (type(after) is not str or _HEX64(after) is None):
        raise FormatError("`after` is not 64 lower-case hex digits")
    parse_instant(statement.signed_at)
    return statement


def statement_payload(
    *,
    type: str,  # noqa: A002 - the wire's own name
    id: str,  # noqa: A002
    log: str,
    stream: str,
    actor: str,
    signed_at: str,
    body: dict[str, Any],
    after: str | None = None,
) -> bytes:
    """Return the canonical payload of a statement, ready to be signed. Raises FormatError."""
    value: dict[str, Any] = {
        "actor": actor,
        "body": body,
        "id": id,
        "log": log,
        "signed_at": signed_at,
        "stream": stream,
        "type": type,
    }
    if after is not None:
        value["after"] = after
    return canonical.dumps(value)


def new_id(now: datetime, randomness: bytes) -> str:
    """Make a UUIDv7 (RFC 9562 section 5.7) from an instant and 10 random bytes."""
    millis = int(now.timestamp() * 1000)
    raw = bytearray(millis.to_bytes(6, "big") + randomness[:10])
    raw[6] = 0x70 | raw[6] & 0x0F
    raw[8] = 0x80 | raw[8] & 0x3F
    text = raw.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
