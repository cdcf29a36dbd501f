"""Broken statements, entries, keys and rulebooks."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

import orjson

from ledger.entry import entry_bytes, parse_entry
from ledger.signing import Signature, join_envelope
from tests.support.corpus.changes import Case, Makers, json_changes, loose_base64
from tests.support.parsers import (
    RULEBOOK,
    entries,
    seeds,
)


def _envelopes() -> Iterator[Case]:
    statement = parse_entry(entries()[30]).statement
    good = statement.envelope
    envelope = orjson.loads(good)
    one, two = envelope["signatures"]

    def changed(**parts: Any) -> bytes:
        return orjson.dumps(envelope | parts)

    yield from json_changes(good, "exactly the members")
    yield "duplicate-key", good.replace(b'"payload":', b'"payload":"","payload":', 1), "canonical"
    yield "unknown-member", orjson.dumps(envelope | {"x": 1}), "exactly the members"
    yield "other-order", orjson.dumps(dict(reversed(envelope.items()))), "in order"
    yield "escaped", good.replace(b"application", b"\\u0061pplication"), "canonical"
    yield "other-type", changed(payloadType="text/plain"), "payloadType is not"
    yield "payload-number", changed(payload=1), "must be base64 text"
    yield "payload-bits-set", changed(payload="eyJ9"), "JSON"
    loose = base64.b64encode(statement.payload + b" ").decode()
    yield "payload-space-after", changed(payload=loose), "canonical"
    yield "payload-url-base64", changed(payload="_-8="), "not base64"
    yield "payload-no-padding", changed(payload="eyI"), "not base64"
    yield "no-signatures", changed(signatures=[]), "0 signatures"
    many = [{"keyid": f"{n:064x}", "sig": one["sig"]} for n in range(17)]
    yield "17-signatures", changed(signatures=many), "17 signatures"
    yield "unsorted", changed(signatures=[two, one]), "sorted by keyid"
    yield "twice-one-key", changed(signatures=[one, one]), "distinct keys"
    upper = {"keyid": one["keyid"].upper(), "sig": one["sig"]}
    yield "upper-case-keyid", changed(signatures=[upper]), "lower-case hex"
    yield "short-keyid", changed(signatures=[one | {"keyid": "ab"}]), "lower-case hex"
    yield "keyid-newline", changed(signatures=[one | {"keyid": "a" * 64 + "\n"}]), "lower-case hex"
    yield "short-sig", changed(signatures=[one | {"sig": "AAAA"}]), "where 64 are needed"
    yield (
        "sig-bits-set",
        changed(signatures=[one | {"sig": loose_base64(one["sig"])}]),
        "unused bits",
    )
    yield "sig-null", changed(signatures=[one | {"sig": None}]), "keyid"
    yield "oversized", changed(payload="A" * 65_536), "at most 65535"
    body = orjson.loads(statement.payload)
    body["body"]["points"] = 0
    wrong = orjson.dumps(body, option=orjson.OPT_SORT_KEYS)
    yield "body-outside-schema", join_envelope(wrong, [Signature("ab" * 32, bytes(64))]), "points"


def _statements() -> Iterator[Case]:
    good = parse_entry(entries()[30]).statement.payload
    value = orjson.loads(good)

    def changed(**parts: Any) -> bytes:
        return orjson.dumps(value | parts, option=orjson.OPT_SORT_KEYS)

    yield from json_changes(good, "a statement is a JSON object")
    yield "duplicate-key", good.replace(b'{"actor"', b'{"actor":"x","actor"', 1), "canonical"
    yield "null", changed(after=None), "a null"
    yield "float", good.replace(b'"points":100', b'"points":1.5'), "a float"
    yield "exponent", good.replace(b'"points":100', b'"points":1e2'), "canonical"
    yield "minus-zero", good.replace(b'"points":100', b'"points":-0'), "canonical"
    yield "large-integer", changed(body={"a": 2**53}), "beyond"
    yield "huge-integer", good.replace(b'"points":100', b'"points":' + b"9" * 5_000), "infinity"
    yield "not-nfc", changed(body={"a": "e\u0301"}), "NFC"
    yield "control", changed(body={"a": "\u0085"}), "control character"
    yield "lone-surrogate", good.replace(b'"points":100', b'"points":"\\ud800"'), "surrogate"
    yield "member-name", changed(body={"A": 1}), "does not match"
    deep: Any = 1
    for _ in range(20):
        deep = {"a": deep}
    yield "nested-20", changed(body=deep), "nested deeper"
    yield "missing", orjson.dumps({k: v for k, v in value.items() if k != "log"}), "log"
    yield "unknown", changed(extra=1), "extra"
    yield "id-upper-case", changed(id=value["id"].upper()), "UUIDv7"
    yield "id-version-4", changed(id=value["id"][:14] + "4" + value["id"][15:]), "UUIDv7"
    yield "instant-no-z", changed(signed_at="2026-01-05T01:00:00"), "not an instant"
    yield "instant-fraction", changed(signed_at="2026-01-05T01:00:00.5Z"), "not an instant"
    yield "instant-day-31", changed(signed_at="2026-02-31T01:00:00Z"), "no real date"
    yield "instant-digits", changed(signed_at="２026-01-05T01:00:00Z"), "not an instant"
    yield "stream-unknown-kind", changed(stream="person/x"), "no stream"
    yield "stream-oversized", changed(stream="member/" + "a" * 65), "no stream"
    yield "stream-newline", changed(stream="member/a-1\n"), "control"
    yield "actor-space", changed(actor="a b"), "no actor id"
    yield "after-short", changed(after="ab"), "64 lower-case hex"
    yield "type-topic", changed(type="ledger.domain:Event"), "no statement type"
    yield "log-empty", changed(log=""), "origin of a log"
    yield "log-oversized", changed(log="a" * 256), "origin of a log"
    yield "body-list", changed(body=[]), "an object"


def _entries() -> Iterator[Case]:
    good = entries()[30]
    entry = parse_entry(good)
    envelope = entry.statement.envelope

    def changed(**parts: Any) -> bytes:
        made = entry._replace(**parts)
        return entry_bytes(made.stream, made.seq, made.prev, made.recorded_at, envelope)

    yield from json_changes(good, "exactly the members")
    yield "duplicate-key", good.replace(b',"v":1', b',"v":1,"v":1'), "canonical"
    yield "version-2", good.replace(b',"v":1', b',"v":2'), "version"
    yield "version-true", good.replace(b',"v":1', b',"v":true'), "version"
    yield "version-float", good.replace(b',"v":1', b',"v":1.0'), "version"
    yield "seq-0", changed(seq=0), "seq"
    yield "seq-leading-zero", good.replace(b'"seq":', b'"seq":0'), "leading zero"
    yield "seq-huge", changed(seq=2**70), "`seq` is not an integer from 1"
    yield "prev-upper-case", changed(prev="AB" * 32), "prev"
    yield "prev-short", changed(prev="ab"), "prev"
    yield "recorded-at-seconds", changed(recorded_at="2026-01-05T01:00:00Z"), "recorded_at` is not"
    yield "recorded-at-day-31", changed(recorded_at="2026-02-31T01:00:00.000000Z"), "no real date"
    yield "other-stream", changed(stream="member/other"), "is not its statement's"
    yield "unknown-member", good.replace(b',"v":1', b',"v":1,"w":1'), "exactly the members"
    yield "null-envelope", good.replace(envelope, b"null"), "exactly the members"
    yield "oversized", good + b" " * 65_536, "at most 65535"


def _canonical() -> Iterator[Case]:
    yield from (
        ("empty", b"", "zero-length"),
        ("unsorted", b'{"b":1,"a":1}', "canonical"),
        ("duplicate", b'{"a":1,"a":1}', "canonical"),
        ("space", b'{"a": 1}', "canonical"),
        ("newline", b'{"a":1}\n', "canonical"),
        ("crlf", b'{"a":1}\r\n', "canonical"),
        ("float", b'{"a":1.5}', "a float"),
        ("float-whole", b'{"a":1.0}', "a float"),
        ("null", b'{"a":null}', "a null"),
        ("leading-zero", b'{"a":01}', "leading zero"),
        ("minus-zero", b'{"a":-0}', "canonical"),
        ("plus", b'{"a":+1}', "no digit after sign"),
        ("nan", b'{"a":NaN}', "unexpected character"),
        ("infinity", b'{"a":1e999}', "infinity"),
        ("beyond-2-53", b'{"a":9007199254740992}', "beyond"),
        ("beyond-2-64", b'{"a":18446744073709551616}', "canonical"),
        ("upper-case-name", b'{"A":1}', "does not match"),
        ("empty-name", b'{"":1}', "does not match"),
        ("escaped-slash", b'{"a":"\\/"}', "canonical"),
        ("escaped-letter", b'{"a":"\\u0062"}', "canonical"),
        ("raw-control", b'{"a":"\x01"}', "control character"),
        ("escaped-control", b'{"a":"\\n"}', "control character"),
        ("delete", b'{"a":"\x7f"}', "control character"),
        ("lone-surrogate", b'{"a":"\\ud800"}', "surrogate"),
        ("not-nfc", '{"a":"e\u0301"}'.encode(), "NFC"),
        ("overlong-utf8", b'{"a":"\xc0\xaf"}', "not valid UTF-8"),
        ("not-utf8", b'{"a":"\xff"}', "not valid UTF-8"),
        ("bom", b"\xef\xbb\xbf{}", "byte order mark"),
        ("utf16", '{"a":1}'.encode("utf-16"), "not valid UTF-8"),
        ("trailing-comma", b'{"a":1,}', "trailing comma"),
        ("comment", b'{"a":1}//', "unexpected content"),
        ("two-values", b"{}{}", "unexpected content"),
        ("nested-17", b'{"a":' * 17 + b"1" + b"}" * 17, "nested deeper"),
        ("nested-20000", b"[" * 20_000 + b"]" * 20_000, "depth limit exceeded"),
    )


# The DER of 1.3.101.112 and 1.3.101.111 (RFC 8410).
_ED25519_OID, _X448_OID = bytes.fromhex("06032b6570"), bytes.fromhex("06032b656f")


def _keyfiles() -> Iterator[Case]:
    ed25519, sm2 = seeds("keyfile")
    lines = ed25519.split(b"\n")
    body = lines[1]
    sm2_lines = sm2.split(b"\n")
    yield "empty", b"", "no private key"
    yield "text", b"not a key\n", "no private key"
    yield "no-end", b"\n".join(lines[:2]), "no private key"
    yield "cut", ed25519.replace(body, body[:-4]), "no private key"
    yield "base64-broken", ed25519.replace(body, b"*" * len(body)), "no private key"
    # The fuzzer's find: X448, whose keys have 56 bytes, named around the 32 of an Ed25519 key.
    x448 = base64.b64decode(body).replace(_ED25519_OID, _X448_OID)
    yield "x448-short", _pem_of(x448), "no private key"
    yield "public-key", ed25519.replace(b"PRIVATE", b"PUBLIC"), "no private key"
    yield "sm2-cut", b"\n".join([*sm2_lines[:-4], *sm2_lines[-3:]]), "no private key"
    der = bytearray(base64.b64decode(b"".join(sm2_lines[1:-2])))
    der[-1] ^= 1
    yield "sm2-point", _pem_of(bytes(der)), "not a point"
    der[-1] ^= 1
    der[40] ^= 1
    yield "sm2-halves", _pem_of(bytes(der)), "do not belong together"


def _pem_of(der: bytes) -> bytes:
    text = base64.encodebytes(der).replace(b"\n", b"")
    return b"-----BEGIN PRIVATE KEY-----\n" + text + b"\n-----END PRIVATE KEY-----\n"


def _rulebooks() -> Iterator[Case]:
    good = RULEBOOK.read_bytes()
    first = good.split(b"\n")[0]
    yield "empty", b"", "a rulebook is a mapping"
    yield "list", b"- a\n- b\n", "a rulebook is a mapping"
    yield "not-utf8", good + b"# \xff\n", "not UTF-8"
    yield "tab", b"a:\n\t- b\n", "cannot start any token"
    yield "unclosed", b"a: [1, 2\n", "<stream end>"
    yield "duplicate-key", good + b"\nid: again\n", "stands twice"
    yield (
        "python-object",
        b"a: !!python/object/apply:os.system ['true']\n",
        "could not determine a constructor",
    )
    yield "unknown-tag", b"a: !x 1\n", "could not determine a constructor"
    yield "two-documents", good + b"\n---\na: 1\n", "another document"
    yield "infinity", b"a: .inf\n", "plain decimal"
    yield "nested", b"a: " + b"[" * 5_000 + b"]" * 5_000, "nested too deep"
    yield "alias-unknown", b"a: *x\n", "undefined alias"
    yield "oversized", b"#" * (1 << 20) + b"\n", "larger than"
    yield "unknown-member", good + b"\nno_such_member: 1\n", "no_such_member"
    yield "nul", first + b"\0", "unacceptable character"


def _refusals() -> Iterator[Case]:
    (good,) = seeds("refusal")
    envelope = orjson.loads(good)
    (one,) = envelope["signatures"]
    value = orjson.loads(base64.b64decode(envelope["payload"]))

    def changed(**parts: Any) -> bytes:
        return orjson.dumps(envelope | parts, option=orjson.OPT_SORT_KEYS)

    def saying(**parts: Any) -> bytes:
        payload = orjson.dumps(value | parts, option=orjson.OPT_SORT_KEYS)
        return changed(payload=base64.b64encode(payload).decode())

    yield from json_changes(good, "canonical")
    yield "other-type", changed(payloadType="text/plain"), "payloadType is not"
    yield "two-signatures", changed(signatures=[one, one]), "one signature"
    yield "upper-case-keyid", changed(signatures=[one | {"keyid": "AB" * 32}]), "lower-case hex"
    yield "other-key", changed(signatures=[one | {"keyid": "ab" * 32}]), "signed by key abab"
    yield "size-negative", saying(size=-1), "not of its form"
    yield "size-text", saying(size="1"), "an integer"
    yield "rule-odd", saying(rule="No Rule"), "not of its form"
    yield "changed", saying(size=value["size"] + 1), "does not verify"
    yield "unknown-member", saying(x=1), "exactly the members"
    yield "float", saying(size=1.5), "a float"
    yield "oversized", changed(payload="A" * 65_536), "at most 65535"


MAKERS: Makers = {
    "envelope": _envelopes,
    "statement": _statements,
    "entry": _entries,
    "canonical": _canonical,
    "keyfile": _keyfiles,
    "rulebook": _rulebooks,
    "refusal": _refusals,
}
