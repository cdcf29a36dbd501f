"""Writes `tests/corpus`: broken inputs of every parser, and in `reasons.json` what is said of each.

`python -m tests.support.corpus` writes the files anew; the files are what the tests read. Each is
made from a good input by one change, so the reason must name just that.
"""

from __future__ import annotations

import base64
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson

from ledger import canonical
from ledger.commitment import commit
from ledger.entry import entry_bytes, parse_entry
from ledger.log import checkpoint, receipt
from ledger.log.checkpoint import Checkpoint
from ledger.log.note import Signer
from ledger.log.tiles import encode_entries
from ledger.signing import Signature, join_envelope
from ledger.verify import manifest
from ledger.verify.bundle_entries import receipt_name
from tests.support import bundles
from tests.support.archives import many_names, overlapping, repacked, workbook, zipped
from tests.support.organisation import key_of
from tests.support.parsers import (
    PARSERS,
    RULEBOOK,
    VKEY,
    entries,
    good_checkpoint,
    good_receipt,
    good_request,
    seeds,
)
from tests.support.static_log import LOG_SIGNER, OTHER_SIGNER
from tests.support.witnesses import LOG, Tree

CORPUS = Path(__file__).parents[1] / "corpus"
REASONS = "reasons.json"

Case = tuple[str, bytes, str]
"""Name, bytes, and a part of the message that they are refused with."""


def cases(parser: str) -> Iterator[Case]:
    """Yield the broken inputs of a parser."""
    makers: dict[str, Any] = {
        "note": _notes,
        "checkpoint": _checkpoints,
        "tile-path": _tile_paths,
        "tile": _tiles,
        "bundle": _bundles,
        "receipt": _receipts,
        "envelope": _envelopes,
        "statement": _statements,
        "entry": _entries,
        "canonical": _canonical,
        "vkey": _vkeys,
        "keyfile": _keyfiles,
        "rulebook": _rulebooks,
        "refusal": _refusals,
        "evidence": _evidence,
        "page-evidence": _page_evidence,
        "policy": _policies,
        "add-checkpoint": _requests,
        "cosignatures": _cosignatures,
        "token": _tokens,
        "bundle-zip": _bundle_zips,
        "csv": _csvs,
        "xlsx": _xlsxs,
    }
    yield from makers[parser]()


def write() -> None:
    """Write all of them."""
    reasons: dict[str, dict[str, str]] = {}
    for parser in PARSERS:
        shutil.rmtree(CORPUS / parser, ignore_errors=True)
        (CORPUS / parser).mkdir(parents=True)
        for name, data, reason in cases(parser):
            (CORPUS / parser / name).write_bytes(data)
            reasons.setdefault(parser, {})[name] = reason
    option = orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE
    (CORPUS / REASONS).write_bytes(orjson.dumps(reasons, option=option))


def _line(signer: Signer, text: str) -> bytes:
    return signer.sign(text).split(b"\n\n", 1)[1]


def _loose(text: str) -> str:
    """Return base64 of the same bytes with an unused bit set."""
    digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    at = len(text.rstrip("=")) - 1
    return text[:at] + digits[digits.index(text[at]) + 1] + text[at + 1 :]


def _notes() -> Iterator[Case]:
    good = good_checkpoint()
    text, line = good.split(b"\n\n", 1)
    encoded = line.split()[-1]
    yield "empty", b"", "does not end in a newline"
    yield "crlf", good.replace(b"\n", b"\r\n"), "no blank line"
    yield "cr-in-text", good.replace(b"points\n", b"points\r\n"), "control character"
    yield "no-final-newline", good[:-1], "does not end in a newline"
    yield "trailing-newline", good + b"\n", "no blank line"
    yield "trailing-bytes", good + b"x", "does not end in a newline"
    yield "no-blank-line", text + b"\n" + line, "no blank line"
    yield "no-signature", text + b"\n\n", "no blank line with signatures"
    yield "empty-text", b"\n\n" + line, "not empty"
    yield "not-utf8", b"\xff" + good, "not UTF-8"
    yield "nul", b"\0" + good, "control character"
    yield "hyphen-for-dash", good.replace("— ".encode(), b"- "), "not a signature line"
    yield "two-spaces", good.replace("— ".encode(), "—  ".encode()), "not a signature line"
    yield "no-base64", good.replace(encoded, b"AAA*"), "not a signature line"
    yield (
        "base64-url",
        good.replace(encoded, encoded.replace(b"+", b"-").replace(b"/", b"_")),
        ("not a signature line"),
    )
    yield "base64-no-padding", good.replace(encoded, encoded[:-2] + b"A"), "not base64"
    yield (
        "base64-bits-set",
        text + b"\n\n" + "— other.example ".encode() + b"AAAAAAB=\n",
        ("unused bits"),
    )
    yield "short-signature", good.replace(encoded, b"AAAA"), "4-byte key id and a signature"
    many = [
        _line(Signer(f"w{n}.example", key_of(f"w{n}")), text.decode() + "\n") for n in range(100)
    ]
    yield "101-signatures", text + b"\n\n" + line + b"".join(many), "101 signatures, at most 100"
    bad = _line(LOG_SIGNER, "another text\n")
    yield "bad-beside-good", text + b"\n\n" + line + bad, "is bad"
    yield "by-another-key", OTHER_SIGNER.sign(text.decode() + "\n"), "no known key"
    yield "too-large", b"x" * 70_000 + b"\n\n" + line, "at most 65536"


def _checkpoints() -> Iterator[Case]:
    origin, size, root = good_checkpoint().decode().split("\n\n")[0].split("\n")

    def signed(text: str) -> bytes:
        return LOG_SIGNER.sign(text)

    yield "leading-zero", signed(f"{origin}\n0{size}\n{root}\n"), "leading zeros"
    yield "plus-sign", signed(f"{origin}\n+{size}\n{root}\n"), "leading zeros"
    yield "negative", signed(f"{origin}\n-1\n{root}\n"), "leading zeros"
    yield "empty-size", signed(f"{origin}\n\n{root}\n"), "no decimal"
    yield "arabic-digits", signed(f"{origin}\n٤٠\n{root}\n"), "no decimal"
    yield "huge-size", signed(f"{origin}\n{2**63}\n{root}\n"), "no decimal"
    yield "oversized-size", signed(f"{origin}\n{'9' * 5_000}\n{root}\n"), "no decimal"
    yield "extension-line", signed(f"{origin}\n{size}\n{root}\nextra\n"), "an extension line"
    yield "two-lines", signed(f"{origin}\n{size}\n"), "too few lines"
    yield "no-origin", signed(f"\n{size}\n{root}\n"), "names no origin"
    yield "other-origin", signed(f"other.example/log\n{size}\n{root}\n"), "is of other.example/log"
    yield "short-root", signed(f"{origin}\n{size}\n{root[:40]}\n"), "where 32 are needed"
    yield "root-bits-set", signed(f"{origin}\n{size}\n{_loose(root)}\n"), "unused bits"
    yield "root-space", signed(f"{origin}\n{size}\n{root} \n"), "not base64"
    yield "crlf", signed(f"{origin}\n{size}\n{root}\n").replace(b"\n", b"\r\n"), "no blank line"
    yield "size-changed", good_checkpoint().replace(f"\n{size}\n".encode(), b"\n41\n"), "is bad"
    yield "trailing-bytes", good_checkpoint() + b"trailing\n", "not a signature line"


def _tile_paths() -> Iterator[Case]:
    for name, path in (
        ("empty", ""),
        ("two-digits", "tile/0/67"),
        ("four-digits", "tile/0/0067"),
        ("needless-group", "tile/0/x000/067"),
        ("no-x", "tile/0/001/067"),
        ("x-at-the-end", "tile/0/x001/x067"),
        ("level-8", "tile/8/000"),
        ("level-leading-zero", "tile/00/000"),
        ("unknown-level", "tile/data/000"),
        ("width-0", "tile/0/000.p/0"),
        ("width-256", "tile/0/000.p/256"),
        ("width-leading-zero", "tile/0/000.p/05"),
        ("width-999", "tile/0/000.p/999"),
        ("parent-folder", "tile/0/../000"),
        ("leading-slash", "/tile/0/000"),
        ("trailing-newline", "tile/0/000\n"),
        ("nul", "tile/0/000\0"),
        ("other-digits", "tile/0/٠٠٠"),
        ("too-deep", f"tile/0/{'x001/' * 7}001"),
        ("oversized", "tile/0/" + "x001/" * 5_000 + "001"),
    ):
        yield name, path.encode(), "tile's path"


def _tiles() -> Iterator[Case]:
    yield "empty", b"", "0 bytes where 3 hashes of 32 bytes belong"
    yield "cut", bytes(95), "95 bytes where 3 hashes"
    yield "trailing-byte", bytes(97), "97 bytes where 3 hashes"
    yield "too-few", bytes(64), "64 bytes where 3 hashes"
    yield "too-many", bytes(128), "128 bytes where 3 hashes"
    yield "oversized", bytes(256 * 32 + 1), "larger than 8192 bytes"


def _bundles() -> Iterator[Case]:
    good = encode_entries(entries()[:3])
    yield "cut-in-entry", good[:-1], "ends within an entry"
    yield "cut-in-length", encode_entries(entries()[:2]) + good[-1:], "ends within a length"
    yield "trailing-byte", good + b"\0", "ends within a length"
    yield "empty-entry", good + b"\0\0", "the entry is not JSON"
    yield "length-too-small", b"\0\1" + good[2:3], "the entry is not JSON"
    yield "length-too-large", b"\xff\xff" + good[2:], "ends within an entry"
    yield "little-endian", good[1::-1] + good[2:], "ends within an entry"


def _receipts() -> Iterator[Case]:
    good = good_receipt()
    parsed = receipt.parse(good)

    def changed(**parts: Any) -> bytes:
        return receipt.encode(replace(parsed, **parts))

    proof = parsed.proof
    head, blank, tail = good.partition(b"\n\n")
    lines = head.split(b"\n")
    yield "empty", b"", "does not begin with"
    yield "crlf", good.replace(b"\n", b"\r\n"), "does not begin with"
    yield "another-version", good.replace(b"@v1", b"@v2"), "does not begin with"
    yield "no-blank-line", head + b"\n" + tail.split(b"\n\n")[0] + b"\n", "no blank line"
    yield "no-final-newline", good[:-1], "does not end in a newline"
    yield "trailing-bytes", good + b"x\n", "not a signature line"
    yield "no-extra", b"\n".join([lines[0], *lines[2:]]) + blank + tail, "a line `extra`"
    yield "no-index", b"\n".join([*lines[:2], *lines[3:]]) + blank + tail, "then a line `index`"
    yield "index-leading-zero", good.replace(b"index 30", b"index 030"), "leading zeros"
    yield "index-negative", good.replace(b"index 30", b"index -30"), "leading zeros"
    yield "index-oversized", good.replace(b"index 30", b"index " + b"9" * 5_000), "leading zeros"
    yield "index-beyond", changed(index=10**18), "has no leaf"
    yield "index-of-another", changed(index=31), "does not lead to the root"
    yield "proof-too-short", changed(proof=proof[:-1]), "shorter than the tree is high"
    yield "proof-too-long", changed(proof=(*proof, bytes(32))), "longer than the tree is high"
    yield "proof-64-hashes", changed(proof=(bytes(32),) * 64), "has 64 hashes, 63 at most"
    yield "proof-empty", changed(proof=()), "shorter than the tree is high"
    yield "proof-turned", changed(proof=proof[::-1]), "does not lead to the root"
    yield "proof-hash-short", changed(proof=(proof[0][:31], *proof[1:])), "where 32 are needed"
    first = base64.b64encode(proof[0]).decode()
    yield "proof-bits-set", good.replace(first.encode(), _loose(first).encode()), "unused bits"
    yield "proof-spaces", good.replace(first.encode(), first.encode() + b" "), "not base64"
    other = checkpoint.sign(Checkpoint(LOG_SIGNER.name, 40, bytes(32)), LOG_SIGNER)
    yield "other-tree", changed(checkpoint=other), "does not lead to the root"
    smaller = checkpoint.sign(Checkpoint(LOG_SIGNER.name, 30, bytes(32)), LOG_SIGNER)
    yield "smaller-tree", changed(checkpoint=smaller), "a tree of size 30 has no leaf 30"
    yield "other-entry", changed(entry=entries()[29]), "does not lead to the root"
    yield "not-ascii", good.replace(b"index ", "index é".encode()), "not ASCII"
    yield "oversized", good + b"x" * 300_000, "at most 262144"
    yield (
        "by-another-key",
        changed(
            checkpoint=checkpoint.sign(Checkpoint(LOG_SIGNER.name, 40, bytes(32)), OTHER_SIGNER)
        ),
        "no known key",
    )


def _json_changes(good: bytes, array: str) -> Iterator[Case]:
    """Yield what is wrong with any canonical JSON object."""
    yield "empty", b"", "zero-length"
    yield "crlf", good + b"\r\n", "canonical"
    yield "trailing-newline", good + b"\n", "canonical"
    yield "trailing-bytes", good + b"x", "unexpected content after document"
    yield "cut", good[:-1], "unexpected end of data"
    yield "space", good.replace(b":", b": ", 1), "canonical"
    yield "bom", b"\xef\xbb\xbf" + good, "byte order mark"
    yield "not-utf8", good[:5] + b"\xff" + good[5:], "not valid UTF-8"
    yield "array", b"[" + good + b"]", array
    yield "deep", b"[" * 20_000 + b"]" * 20_000, "depth limit exceeded"


def _envelopes() -> Iterator[Case]:
    statement = parse_entry(entries()[30]).statement
    good = statement.envelope
    envelope = orjson.loads(good)
    one, two = envelope["signatures"]

    def changed(**parts: Any) -> bytes:
        return orjson.dumps(envelope | parts)

    yield from _json_changes(good, "exactly the members")
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
    yield "sig-bits-set", changed(signatures=[one | {"sig": _loose(one["sig"])}]), "unused bits"
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

    yield from _json_changes(good, "a statement is a JSON object")
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

    yield from _json_changes(good, "exactly the members")
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


def _vkeys() -> Iterator[Case]:
    name, ident, encoded = VKEY.text.split("+", 2)
    typed = base64.b64decode(encoded)
    witness = base64.b64encode(b"\x04" + typed[1:]).decode()
    for label, text, reason in (
        ("empty", "", "in one line"),
        ("no-id", f"{name}+{encoded}", "in one line"),
        ("upper-case-id", f"{name}+{ident.upper()}+{encoded}", "in one line"),
        ("wrong-id", f"{name}+00000000+{encoded}", "a typo?"),
        ("other-name", f"x{name}+{ident}+{encoded}", "a typo?"),
        ("space-in-name", f"a b+{ident}+{encoded}", "in one line"),
        ("plus-in-name", f"a+b+{ident}+{encoded}", "in one line"),
        ("newline", f"{VKEY.text}\n", "in one line"),
        ("crlf", f"{VKEY.text}\r\n", "in one line"),
        ("other-type", f"{name}+{ident}+{witness}", "not of type 01"),
        ("short-key", f"{name}+{ident}+{base64.b64encode(typed[:32]).decode()}", "32 bytes"),
        ("long-key", f"{name}+{ident}+{base64.b64encode(typed + b'x').decode()}", "32 bytes"),
        ("base64-bits-set", f"{name}+{ident}+AQB=", "unused bits"),
        ("base64-url", f"{name}+{ident}+_-8=", "in one line"),
        ("base64-no-padding", f"{name}+{ident}+AQ", "not base64"),
        ("oversized", f"{name}+{ident}+{'A' * 10_000}", "32 bytes"),
        ("not-utf8", f"\udcff+{ident}+{encoded}", "not UTF-8"),
    ):
        yield label, text.encode("utf-8", "surrogateescape"), reason


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

    yield from _json_changes(good, "canonical")
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


def _evidence() -> Iterator[Case]:
    (good,) = seeds("evidence")
    found = orjson.loads(good)

    def changed(**parts: Any) -> bytes:
        return orjson.dumps(found | parts)

    proof = found["proof"]
    yield "empty", b"", "zero-length"
    yield "array", b"[" + good + b"]", "is a JSON object"
    yield "trailing-bytes", good + b"x", "unexpected content"
    yield "no-shown", orjson.dumps({"seen": found["seen"]}), "no text `shown`"
    yield "number", changed(seen=1), "no text `seen`"
    yield "crlf", changed(seen=found["seen"].replace("\n", "\r\n")), "no blank line"
    yield "twice-the-same", changed(seen=found["shown"]), "prove nothing"
    yield (
        "by-another-key",
        changed(
            seen=checkpoint.sign(Checkpoint(LOG_SIGNER.name, 1, bytes(32)), OTHER_SIGNER).decode()
        ),
        "no known key",
    )
    yield (
        "no-proof",
        orjson.dumps({k: v for k, v in found.items() if k != "proof"}),
        ("holds no proof"),
    )
    yield (
        "no-prefix",
        orjson.dumps({k: v for k, v in found.items() if k != "prefix"}),
        ("no text `prefix`"),
    )
    yield "proof-text", changed(proof=proof[0]), "a list of 63 hashes"
    yield "proof-64-hashes", changed(proof=proof * 64), "a list of 63 hashes"
    yield "proof-number", changed(proof=[1]), "is base64 text"
    yield "proof-short-hash", changed(proof=["AAAA"]), "where 32 are needed"
    yield "proof-too-short", changed(proof=[]), "too short"
    yield "proof-too-long", changed(proof=proof * 2), "too long"
    yield "proof-of-another-tree", changed(proof=[found["prefix"]]), "no common history"
    yield "prefix-bits-set", changed(prefix=_loose(found["prefix"])), "unused bits"
    old = Checkpoint(LOG_SIGNER.name, 1, base64.b64decode(found["prefix"]))
    yield (
        "no-contradiction",
        changed(seen=checkpoint.sign(old, LOG_SIGNER).decode()),
        ("do not contradict"),
    )
    yield "oversized", good + b" " * 300_000, "at most 262144"


def _page_evidence() -> Iterator[Case]:
    (good,) = seeds("page-evidence")
    found = orjson.loads(good)

    def changed(**parts: Any) -> bytes:
        made = {k: v for k, v in (found | parts).items() if v is not None}
        return orjson.dumps(made, option=orjson.OPT_SORT_KEYS)

    def note_of(name: str) -> bytes:
        return base64.b64decode(found[name])

    proof = found["proof"]
    other = checkpoint.sign(Checkpoint(LOG_SIGNER.name, 1, bytes(32)), OTHER_SIGNER)
    crlf = note_of("seen").replace(b"\n", b"\r\n")
    yield from _json_changes(good, "no `kind`")
    yield "duplicate-key", good.replace(b'"at":', b'"at":"","at":'), "not canonical"
    yield "other-kind", changed(kind="mingzhang.evidence.v2"), "no `kind`"
    yield "unknown-member", changed(odd="x"), "no member odd"
    yield "no-detail", changed(detail=None), "has the texts"
    yield "float", changed(index=1.5), "a float"
    yield "index-negative", changed(index=-1), "no integer from 0"
    yield "seen-no-padding", changed(seen=found["seen"][:-1]), "base64"
    yield "seen-number", changed(seen=1), "no base64 text"
    yield "root-short", changed(root="AAAA"), "where 32 are needed"
    yield "root-bits-set", changed(root=_loose(found["root"])), "unused bits"
    yield "proof-text", changed(proof=proof[0]), "no list of at most"
    yield "proof-65-hashes", changed(proof=proof * 65), "no list of at most"
    yield "proof-short-hash", changed(proof=["AAAA"]), "where 32 are needed"
    yield "proof-too-short", changed(proof=[]), "does not belong to the newer tree"
    yield "proof-too-long", changed(proof=proof * 2), "does not belong to the newer tree"
    yield "proof-of-another-tree", changed(proof=[found["root"]]), "not belong to the newer tree"
    yield "no-proof", changed(proof=None), "no proof between the two"
    yield "no-kept", changed(kept=None), "is signed"
    yield "twice-the-same", changed(kept=found["seen"]), "of the same tree"
    yield "note-crlf", changed(seen=base64.b64encode(crlf).decode()), "seen is not the log's"
    yield (
        "by-another-key",
        changed(kept=base64.b64encode(other).decode()),
        "kept is not the log's: ",
    )
    yield "oversized", changed(detail="x" * 600_000), "at most 524288"


def _policies() -> Iterator[Case]:
    (good,) = seeds("policy")
    lines = good.split(b"\n")
    first = next(line for line in lines if line.startswith(b"witness w1 "))
    key = first.split()[2]
    yield "empty", b"", "last line does not end in a newline"
    yield "no-final-newline", good[:-1], "does not end in a newline"
    yield "crlf", good.replace(b"\n", b"\r\n"), "control character"
    yield "nul", good.replace(b"quorum", b"\0quorum"), "control character"
    yield "trailing-bytes", good + b"x", "does not end in a newline"
    yield "trailing-line", good + b"x\n", "it is none of"
    yield "bom", b"\xef\xbb\xbf" + good, "it is none of"
    yield "no-quorum", good.replace(b"quorum g\n", b""), "no quorum line"
    yield "two-quorums", good + b"quorum w1\n", "exactly one quorum line"
    yield "quorum-unknown", good.replace(b"quorum g", b"quorum h"), "not defined by a line before"
    yield "quorum-first", b"quorum g\n" + good, "not defined by a line before"
    yield "name-twice", good.replace(b"witness w2", b"witness w1"), "defined already"
    yield "key-twice", good.replace(b"quorum g", b"witness w4 " + key + b"\nquorum g"), "already"
    yield "name-none", good.replace(b"witness w1", b"witness none"), "no cosignature is needed"
    yield "in-two-groups", good.replace(b"quorum", b"group h 1 w1\nquorum"), "count twice"
    yield "member-twice", good.replace(b"2 w1 w2 w3", b"2 w1 w1 w3"), "count twice"
    yield "threshold-0", good.replace(b"group g 2", b"group g 0"), "nor a number from 1"
    yield "threshold-leading-zero", good.replace(b"group g 2", b"group g 02"), "nor a number from 1"
    yield "threshold-plus", good.replace(b"group g 2", b"group g +2"), "nor a number from 1"
    yield "threshold-too-large", good.replace(b"group g 2", b"group g 4"), "can never be"
    yield "threshold-oversized", good.replace(b"group g 2", b"group g 9999999"), "from 1"
    yield "key-bits-set", good.replace(key, _loose_key(key)), "unused bits"
    yield "key-no-padding", good.replace(key, key[:-1]), "base64"
    yield "key-wrong-id", good.replace(key, _other_id(key)), "a typo?"
    yield "log-key-for-witness", good.replace(key, VKEY.text.encode()), "which cosigners have"
    yield "extra-field", good.replace(b"quorum g", b"quorum g g"), "it is none of"
    yield "unknown-line", good + b"trust me\n", "it is none of"
    yield "oversized", good + b"#" * 262_144 + b"\n", "at most 262144"


def _loose_key(key: bytes) -> bytes:
    """Return a verifier key whose base64 has bytes short of a group, with an unused bit set."""
    name, ident, _ = key.decode().split("+", 2)
    return f"{name}+{ident}+BAB=".encode()


def _other_id(key: bytes) -> bytes:
    name, ident, public = key.decode().split("+", 2)
    return f"{name}+{int(ident, 16) ^ 1:08x}+{public}".encode()


def _requests() -> Iterator[Case]:
    good = good_request()
    head, told = good.split(b"\n\n", 1)
    lines = head.split(b"\n")
    one = lines[1]

    def with_proof(*proof: bytes) -> bytes:
        return b"\n".join([lines[0], *proof]) + b"\n\n" + told

    yield "empty", b"", "no blank line"
    yield "crlf", good.replace(b"\n", b"\r\n"), "no blank line"
    yield "no-blank-line", good.replace(b"\n\n", b"\n", 1), "base64"
    yield "old-leading-zero", good.replace(b"old 5", b"old 05"), "without leading zeros"
    yield "old-plus", good.replace(b"old 5", b"old +5"), "without leading zeros"
    yield "old-negative", good.replace(b"old 5", b"old -5"), "without leading zeros"
    yield "old-oversized", good.replace(b"old 5", b"old " + b"9" * 19), "without leading zeros"
    yield "old-two-spaces", good.replace(b"old 5", b"old  5"), "without leading zeros"
    yield "old-upper-case", good.replace(b"old 5", b"OLD 5"), "without leading zeros"
    yield "old-above-size", good.replace(b"old 5", b"old 12"), "400 old size 12"
    yield "old-of-another", good.replace(b"old 5", b"old 4"), "409 5"
    yield "not-ascii", b"\xff" + good, "not ASCII"
    yield "proof-64-hashes", with_proof(*[one] * 64), "64 hashes, 63 at most"
    yield "proof-bits-set", with_proof(_loose(one.decode()).encode(), *lines[2:]), "unused bits"
    yield "proof-no-padding", with_proof(one[:-1], *lines[2:]), "base64"
    yield "proof-short-hash", with_proof(b"AAAA", *lines[2:]), "where 32 are needed"
    yield "proof-too-short", with_proof(*lines[1:-1]), "422 "
    yield "proof-too-long", with_proof(*lines[1:], one), "422 "
    yield "proof-of-another-tree", with_proof(*_proof_of_another()), "422 "
    yield "other-tree", head + b"\n\n" + Tree("other").note(11), "422 "
    yield "other-log", head + b"\n\n" + Tree(signer=OTHER_SIGNER).note(11), "404 "
    yield "no-final-newline", good[:-1], "400 the note does not end in a newline"
    yield "trailing-bytes", good + b"x", "400 the note does not end in a newline"
    yield "unsigned", good.rpartition(b"\n\n")[0] + b"\n\n", "400 "
    yield "size-leading-zero", head + b"\n\n" + _signed_text(b"\n11\n", b"\n011\n"), "400 "
    many = b"".join(_line(Signer(f"w{n}.example", key_of(f"w{n}")), "text\n") for n in range(100))
    yield "101-signatures", good + many, "400 the note has 101 signatures"
    yield "oversized", good + b"x" * 16_384, "at most 16384"


def _proof_of_another() -> list[bytes]:
    return Tree("other").request(5, 11).split(b"\n\n")[0].split(b"\n")[1:]


def _signed_text(old: bytes, new: bytes) -> bytes:
    text = Tree().checkpoint(11).body().encode()
    return LOG.sign(text.replace(old, new).decode())


def _cosignatures() -> Iterator[Case]:
    (good,) = seeds("cosignatures")
    encoded = good.split()[2]
    yield "empty", b"", "end in a newline each"
    yield "no-final-newline", good[:-1], "end in a newline each"
    yield "trailing-newline", good + b"\n", "not a signature line"
    yield "trailing-bytes", good + b"x", "end in a newline each"
    yield "crlf", good.replace(b"\n", b"\r\n"), "not a signature line"
    yield "not-utf8", b"\xff" + good, "not UTF-8"
    yield "hyphen-for-dash", good.replace("— ".encode(), b"- "), "not a signature line"
    yield "base64-no-padding", good.replace(encoded, encoded[:-2]), "base64"
    yield "base64-bits-set", good.replace(encoded, b"AAAAAAB="), "unused bits"
    yield "short-signature", good.replace(encoded, b"AAAA"), "4-byte key id and a signature"
    yield "101-lines", good.splitlines(keepends=True)[0] * 101, "101 signature lines"


def _tokens() -> Iterator[Case]:
    def status(number: int) -> bytes:
        return bytes.fromhex("300530030201") + bytes([number])

    yield "empty", b"", "no time-stamp response in DER"
    yield "text", b"<html>", "no time-stamp response in DER"
    yield "rejected", status(2), "granted no token: rejected"
    yield "waiting", status(3), "granted no token: waiting"
    yield "with-changes", status(1), "granted no token: granted with changes"
    yield "unknown-status", status(99), "granted no token: status 99"
    yield "nothing-granted", status(0), "does not hold"
    yield "trailing-bytes", status(0) + b"\0", "no time-stamp response in DER"
    yield "long-length", bytes.fromhex("308200053003020100"), "no time-stamp response in DER"
    yield "indefinite-length", bytes.fromhex("308030030201000000"), "no time-stamp response in DER"
    yield "cut", status(0)[:-1], "no time-stamp response in DER"
    yield "oversized", bytes(66_000), "at most 65536"


def _bundle_zips() -> Iterator[Case]:
    (good,) = seeds("bundle-zip")
    found = bundles.small()
    own = bundles.own_receipts(found)
    (state,) = (each for each in found if each.startswith(manifest.STATES))
    (text,) = (each for each in found if each.startswith(manifest.DISCLOSED))

    def changed(parts: Mapping[str, bytes | None], *, listed: bool = True) -> bytes:
        made = {name: data for name, data in {**found, **parts}.items() if data is not None}
        return bundles.packed(bundles.listed(made) if listed else made)

    def said(**parts: Any) -> bytes:
        told = canonical.dumps(canonical.loads(found[manifest.NAME]) | parts)
        return bundles.packed({**found, manifest.NAME: told})

    def opening(**parts: Any) -> bytes:
        (told,) = canonical.loads(found[manifest.OPENINGS])
        return changed({manifest.OPENINGS: canonical.dumps([told | parts])})

    def proof(**parts: Any) -> bytes:
        return changed({state: canonical.dumps(canonical.loads(found[state]) | parts)})

    yield "empty", b"", "its end is missing"
    yield "cut", good[:-1], "its end is"
    yield "trailing-byte", good + b"x", "end is damaged"
    yield "leading-byte", b"x" + good, "does not end where"
    yield "compressed", zipped(dict(found)), "is compressed"
    yield "twice", good.replace(b"report.zh.html", b"witness.policy"), "twice"
    yield "path-out", good.replace(b"report.zh.html", b"../rt.zh.html/"), "no path inside"
    yield "backslash", good.replace(b"report.zh.html", b"report\\zh.html"), "no path inside"
    yield "overlapping", overlapping(), "overlap"
    yield "no-manifest", changed({manifest.NAME: None}, listed=False), "no whole bundle"
    yield (
        "manifest-newline",
        changed({manifest.NAME: found[manifest.NAME] + b"\n"}, listed=False),
        ("manifest.json: "),
    )
    yield (
        "manifest-duplicate-key",
        changed(
            {manifest.NAME: found[manifest.NAME].replace(b'"kind":', b'"kind":"paper","kind":')},
            listed=False,
        ),
        "manifest.json: ",
    )
    yield "manifest-other-format", said(format="mingzhang.bundle.v2"), "its format is"
    yield "manifest-unsorted", said(streams=["member/m-2", "actor/a"]), "in order"
    yield "manifest-size-zero", said(size=0), "size is a log size"
    yield "manifest-other-size", said(size=99), "names another checkpoint"
    yield "manifest-other-root", said(root="ab" * 32), "names another checkpoint"
    yield "manifest-empty-stream", said(streams=["member/m-9"]), "no entry of member/m-9"
    yield "file-missing", changed({manifest.POLICY: None}, listed=False), "it is missing"
    yield "file-added", changed({"note.txt": b"x"}, listed=False), "it was added later"
    yield "file-altered", changed({"report.zh.html": b"x"}, listed=False), "it was altered"
    yield (
        "checkpoint-crlf",
        changed({manifest.CHECKPOINT: found[manifest.CHECKPOINT].replace(b"\n", b"\r\n")}),
        "checkpoint: ",
    )
    yield (
        "checkpoint-unsigned",
        changed(
            {
                manifest.CHECKPOINT: OTHER_SIGNER.sign(
                    good_checkpoint().split(b"\n\n")[0].decode() + "\n"
                )
            }
        ),
        "checkpoint: ",
    )
    yield "policy-no-quorum", changed({manifest.POLICY: b"\n"}), "no quorum line"
    yield "other-key", changed({manifest.VKEY: OTHER_SIGNER.vkey.text.encode()}), "another key"
    yield "receipt-of-another", changed({own[0]: found[own[1]]}), "under another's name"
    yield "receipt-cut", changed({own[0]: found[own[0]][:99]}), "no blank line"
    yield (
        "receipt-other-checkpoint",
        changed({own[0]: found[own[0]].rpartition("— ".encode())[0]}),
        "all receipts share one",
    )
    yield "receipt-altered", bundles.packed(bundles.altered_entry(dict(found))), "to the root"
    yield "entry-left-out", changed({own[1]: None}), "is left out"
    yield "entries-left-out-at-the-end", changed({own[-1]: None}), "entries are left out"
    yield "no-founding", changed({receipt_name(0): None}), "the registration of the key"
    yield "text-swapped", changed({text: b"x"}), "is not to these bytes"
    yield "text-missing", changed({text: None}), "the text or file is missing"
    yield "openings-no-list", changed({manifest.OPENINGS: b"{}"}), "no list of openings"
    yield "openings-not-json", changed({manifest.OPENINGS: b"["}), "disclosed.json: "
    yield "opening-more", opening(more="x"), "exactly the members"
    yield "opening-number", opening(kind=1), "are text"
    yield "opening-salt-short", opening(salt="ab"), "64 lower-case"
    yield "opening-salt-upper", opening(salt=bundles.SALT.hex().upper()), "64 lower-case"
    yield (
        "opening-of-no-entry",
        opening(commitment=commit(bundles.SALT, found["report.zh.html"]), file="report.zh.html"),
        "no entry of the bundle commits to it",
    )
    yield "state-index-of-another", proof(index=1), "no leaf 1"
    yield "state-proof-too-long", proof(hashes=["A" * 43 + "="]), "longer than the tree is high"
    yield "state-other-tree", proof(tree="ranking"), state
    yield "state-no-tree", proof(tree="x"), state
    yield (
        "state-receipt-of-another",
        proof(receipt=found[own[0]].decode().split("\n")),
        "the receipt is of member.enrolled",
    )
    yield "stamp-no-place", changed({"timestamps/x.tsr": b""}), "lies in timestamps/"
    yield "stamp-no-kind", changed({"timestamps/3/x": b""}), "neither checkpoint"
    yield "stamp-alone", changed({"timestamps/3/consistency": b""}), "checkpoint is missing"
    joined = {"timestamps/5/checkpoint": found[manifest.CHECKPOINT]}
    for name, data, reason in (
        ("empty", b"", "consistency: "),
        ("elsewhere", b"old 5\n\n" + good_checkpoint(), "does not lead to"),
        ("other-size", b"old 4\n\n" + found[manifest.CHECKPOINT], "of another size"),
    ):
        yield f"stamp-{name}", changed(joined | {"timestamps/5/consistency": data}), reason


def _csvs() -> Iterator[Case]:
    yield "empty", b"", "0 bytes of text/csv"
    yield "neither-encoding", b"a,b\n\xff\xff\xff\n", "neither UTF-8 nor GB 18030"
    yield "nul", b"a,b\n\0,1\n", "neither UTF-8 nor GB 18030"
    yield "unclosed-quote", b'a,"b\n1,2\n', "no CSV table"
    yield "text-after-quote", b'a,"b"c\n', "no CSV table"
    yield "huge-cell", b'a\n"' + b"x" * 20_000 + b'"\n', "no CSV table"


def _xlsxs() -> Iterator[Case]:
    good = workbook(["a", 1])
    yield "empty", b"", "0 bytes of"
    yield "text", b"not a workbook", "its end is missing"
    yield "cut", good[: len(good) // 2], "its end is missing"
    yield "trailing-bytes", good + b"x" * 70_000, "its end is missing"
    yield "only-a-zip", zipped({"a.txt": b"a"}), "no Excel workbook"
    yield "overlapping", overlapping(), "overlap"
    yield "many-names", many_names(1_001), "names"
    yield "parent-folder", repacked(good, {"../x.xml": b"<a/>"}), "no path inside the archive"
    yield "bomb", repacked(good, {"xl/b.xml": bytes(70 * 1024 * 1024)}), "once it is inflated"


if __name__ == "__main__":
    write()
