"""Inputs, good and broken, that the Python verifier and the browser's must judge alike.

A case is a kind and its arguments, all JSON (bytes as base64); what it comes to is `ok`, `format`
(not exactly the format) or `proof` (well formed, and does not hold).
"""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from ledger import canonical
from ledger.entry import parse_entry
from ledger.errors import FormatError, ProofError
from ledger.log import note
from ledger.log.checkpoint import Checkpoint, open_checkpoint, sign
from ledger.log.merkle import (
    inclusion_proof,
    leaf_hash,
    root_of,
    verify_consistency,
    verify_inclusion,
)
from ledger.log.note import VerifierKey
from ledger.log.receipt import Receipt, encode
from ledger.signing import PrivateKey, encode_base64, verify
from ledger.verify.bundle import verify_bundle
from ledger.verify.page_evidence import parse as parse_evidence
from ledger.verify.receipt import verify_receipt_file
from tests.conformance.vectors import VECTORS, cases
from tests.support import bundles
from tests.support.corpus import CORPUS
from tests.support.organisation import ORIGIN, Organisation, key_of
from tests.support.static_log import LOG_SIGNER, Recorder, small_log

L = 2**252 + 27742317777372353535851937790883648493
TESSERA = "example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx"
SMALL_ORDER = (
    "00" * 32,
    "01" + "00" * 31,
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "ec" + "ff" * 30 + "7f",
    "ed" + "ff" * 30 + "7f",
    "ee" + "ff" * 30 + "7f",
    "01" + "00" * 30 + "80",
)


class Case(NamedTuple):
    """A name for messages, the kind of check, and its arguments."""

    name: str
    kind: str
    args: dict[str, Any]


def outcome(case: Case) -> str:
    """Return what the Python side makes of a case."""
    try:
        held = _CHECKS[case.kind](case.args)
    except FormatError:
        return "format"
    except ProofError:
        return "proof"
    return "proof" if held is False else "ok"


def merkle_cases() -> Iterator[Case]:
    """Yield the vectors of transparency-dev/merkle."""
    for path in cases("merkle-inclusion") + cases("merkle-consistency"):
        given = json.loads(path.read_bytes())
        kind = "inclusion" if "leafHash" in given else "consistency"
        yield Case(f"{path.parent.name}/{path.stem}", kind, given)


def tessera_cases() -> Iterator[Case]:
    """Yield the checkpoints of a log of another implementation, good, and with a bit changed."""
    for size in range(16):
        data = (VECTORS / "tessera-log" / f"checkpoint.{size}").read_bytes()
        yield Case(f"tessera {size}", "checkpoint", {"data": b64(data), "vkey": TESSERA})
        changed = data.replace(b"\n%d\n" % size, b"\n%d\n" % (size + 1))
        yield Case(f"tessera {size} + 1", "checkpoint", {"data": b64(changed), "vkey": TESSERA})


def signature_cases() -> Iterator[Case]:
    """Yield signatures at which engines are known to differ."""
    key, message = key_of("signer"), b"message"
    good = key.sign(message)
    r, s = good[:32], int.from_bytes(good[32:], "little")
    yield _signature("good", key.public_key, message, good)
    yield _signature("another message", key.public_key, b"other", good)
    yield _signature("S + L", key.public_key, message, r + (s + L).to_bytes(32, "little"))
    yield _signature("S = L", key.public_key, message, r + L.to_bytes(32, "little"))
    yield _signature("63 bytes", key.public_key, message, good[:63])
    yield _signature("no point", b"\x02" + bytes(31), message, good)
    for each in SMALL_ORDER:
        small = bytes.fromhex(each)
        # With a small-order key, R = S·B and any S, some messages verify where nobody looks at A.
        yield _signature(f"A {each[:8]}", small, message, good)
        yield _signature(f"A and R {each[:8]}", small, message, small + bytes(32))
        yield _signature(f"R {each[:8]}", key.public_key, message, small + good[32:])
    for at in range(0, 64, 7):
        bad = bytearray(good)
        bad[at] ^= 1
        yield _signature(f"bit of byte {at}", key.public_key, message, bytes(bad))
    for number in range(8):
        other = PrivateKey.from_seed(bytes([number]) * 32)
        text = b"x" * number * 50
        yield _signature(f"key {number}", other.public_key, text, other.sign(text))


def note_cases() -> Iterator[Case]:
    """Yield checkpoints that are not quite in the format."""
    body = Checkpoint(ORIGIN, 23, b"\x07" * 32).body()
    good = LOG_SIGNER.sign(body)
    line = good.decode().split("\n\n")[1]
    lines = {
        "good": good,
        "CRLF": good.replace(b"\n", b"\r\n"),
        "no final newline": good[:-1],
        "two final newlines": good + b"\n",
        "trailing bytes": good + b"x",
        "no signature": body.encode() + b"\n",
        "no blank line": good.replace(b"\n\n", b"\n"),
        "signed twice": good + line.encode(),
        "101 signatures": good + line.encode() * 100,
        "100 signatures": good + line.encode() * 99,
        "a bad one beside the good": good + _flipped(line).encode(),
        "an unknown one beside the good": good + "— someone AAAAAAAA\n".encode(),
        "a short one": good + "— someone AAAA\n".encode(),
        "hyphen": good.replace("—".encode(), b"-"),
        "non-canonical base64": good[:-4] + b"B==\n",
        "base64 without padding": good.replace(b"=\n", b"\n"),
        "url-safe base64": good.replace(b"+", b"-").replace(b"/", b"_"),
        "not UTF-8": b"\xff" + good,
        "BOM": b"\xef\xbb\xbf" + good,
        "NUL": b"\x00" + good,
        "empty": b"",
        "65537 bytes": good + b"x" * 65_537,
        "name with a plus": good.replace(f"— {ORIGIN}".encode(), f"— {ORIGIN}+".encode()),
    }
    for name, text in (
        ("leading zero", body.replace("\n23\n", "\n023\n")),
        ("negative", body.replace("\n23\n", "\n-1\n")),
        ("plus", body.replace("\n23\n", "\n+23\n")),
        ("space", body.replace("\n23\n", "\n 23\n")),
        ("other digits", body.replace("\n23\n", "\n２３\n")),
        ("no size", body.replace("\n23\n", "\n\n")),
        ("extension", body + "more\n"),
        ("short root", f"{ORIGIN}\n23\nAAAA\n"),
        ("other origin", body.replace(ORIGIN, "elsewhere.example/points")),
        ("no origin", body.removeprefix(ORIGIN)),
    ):
        lines[name] = LOG_SIGNER.sign(text)
    for name, data in lines.items():
        yield Case(name, "checkpoint", {"data": b64(data), "vkey": LOG_SIGNER.vkey.text})
    vkey = LOG_SIGNER.vkey.text
    for bad in (
        vkey + "\n",
        vkey.replace("+", " ", 1),
        vkey[:-4] + "AAAA",
        vkey.upper(),
        "",
        "a+b+c",
    ):
        yield Case(f"vkey {bad[:12]!r}", "checkpoint", {"data": b64(good), "vkey": bad})


def json_cases() -> Iterator[Case]:
    """Yield JSON texts, few of which are canonical in this project's sense."""
    deep = "[" * 16 + "]" * 16
    for text in (
        '{"a":1}',
        '{"a":1,"a":1}',
        '{"a":1,"b":2}',
        '{"b":2,"a":1}',
        '{"a": 1}',
        ' {"a":1}',
        '{"a":1}\n',
        '{"a":1.0}',
        '{"a":1e2}',
        '{"a":-0}',
        '{"a":0}',
        '{"a":01}',
        '{"a":null}',
        '{"a":9007199254740991}',
        '{"a":9007199254740992}',
        '{"a":-9007199254740991}',
        '{"a":-9007199254740992}',
        '{"a":9007199254740993}',
        '{"a":100000000000000000000000}',
        '{"A":1}',
        '{"a1_":1}',
        '{"1":1}',
        '{"":1}',
        '{"__proto__":1}',
        '{"constructor":1}',
        '{"é":1}',
        '{"a":"é"}',
        '{"a":"é"}',
        '{"a":"\\u00e9"}',
        '{"a":"\\n"}',
        '{"a":"\x7f"}',
        '{"a":"\x85"}',
        '{"a":"\\ud800"}',
        '{"a":"\U0001f600"}',
        '{"a":"\\ud83d\\ude00"}',
        '{"a":"\\/"}',
        '{"a":"/"}',
        '{"a":"\\""}',
        '{"a":"\\\\"}',
        "[]",
        "{}",
        '"a"',
        "true",
        "1",
        "NaN",
        '{"a":Infinity}',
        '{"a":[1,true,"x",{"b":[]}]}',
        "",
        "{",
        '{"a":1}}',
        "\ufeff{}",
        deep,
        f"[{deep}]",
        f'{{"a":{deep}}}',
        "[" * 5_000 + "]" * 5_000,
        "{'a':1}",
        "[1,]",
        "// x",
    ):
        yield Case(f"JSON {text[:24]!r}", "canonical", {"data": b64(text.encode("utf-8"))})
    yield Case("JSON not UTF-8", "canonical", {"data": b64(b'{"a":"\xff"}')})


def record_of_tests() -> Recorder:
    """Return a small log with a correction in it."""
    organisation = Organisation()
    recorder = small_log(organisation, 4)
    last = parse_entry(recorder.entries[-1]).statement.id
    recorder.record(organisation.correction(organisation.members[1], last, 300))
    return recorder


def receipt_of(entries: list[bytes], index: int) -> bytes:
    """Return a receipt under a checkpoint of all `entries`."""
    leaves = [leaf_hash(each) for each in entries]

    def get(node: tuple[int, int]) -> bytes:
        level, at = node
        return root_of(leaves[at << level : (at + 1) << level])

    signed = sign(Checkpoint(ORIGIN, len(entries), root_of(leaves)), LOG_SIGNER)
    return encode(
        Receipt(entries[index], index, tuple(inclusion_proof(index, len(entries), get)), signed)
    )


def receipt_cases() -> Iterator[Case]:
    """Yield receipts and entries: good ones, broken ones, many with a byte changed at random."""
    entries = record_of_tests().entries
    for index in (0, 3, len(entries) - 1):
        good = receipt_of(entries, index)
        yield _receipt(f"receipt {index}", good)
        lines = good.split(b"\n")
        for name, changed in (
            ("CRLF", good.replace(b"\n", b"\r\n")),
            ("trailing byte", good + b"x"),
            ("other index", good.replace(b"index %d" % index, b"index %d" % (index + 1))),
            ("leading zero", good.replace(b"index ", b"index 0")),
            ("no index", good.replace(b"index ", b"")),
            ("a hash twice", b"\n".join([*lines[:4], lines[3], *lines[4:]])),
            ("a hash less", b"\n".join([*lines[:3], *lines[4:]])),
            ("64 hashes", b"\n".join([*lines[:3], *[lines[3]] * 64, *lines[4:]])),
            ("header only", lines[0] + b"\n"),
            ("other header", good.replace(b"@v1", b"@v2")),
            ("no blank line", good.replace(b"\n\n", b"\n", 1)),
            ("not ASCII", good.replace(b"extra ", "exträ ".encode())),
            ("empty", b""),
        ):
            yield _receipt(f"receipt {index} {name}", changed)
    entry = entries[-1]
    for name, changed in (
        ("good", entry),
        ("spaces", entry.replace(b'"v":1', b'"v": 1')),
        ("v 2", entry.replace(b'"v":1', b'"v":2')),
        ("v 1.0", entry.replace(b'"v":1', b'"v":1.0')),
        ("v twice", entry.replace(b'"v":1', b'"v":1,"v":1')),
        ("one more member", entry.replace(b'"v":1', b'"v":1,"w":1')),
        ("seq 0", entry.replace(b'"seq":', b'"seq":0')),
        ("seq a text", entry.replace(b'"seq":', b'"seq":"1",')),
        ("escaped", entry.replace(b'"stream":"m', b'"stream":"\\u006d')),
        ("upper-case prev", entry.replace(b'"prev":"', b'"prev":"A')),
        ("other stream", entry.replace(b'"stream":"member/', b'"stream":"member/x')),
        ("30 February", entry.replace(b'"recorded_at":"2026-01-05', b'"recorded_at":"2026-02-30')),
        (
            "hour 24",
            entry.replace(b'"recorded_at":"2026-01-05T01', b'"recorded_at":"2026-01-05T24'),
        ),
        ("year 0", entry.replace(b'"recorded_at":"2026', b'"recorded_at":"0000')),
        ("other payload type", entry.replace(b"statement.v1", b"statement.v2")),
        ("trailing newline", entry + b"\n"),
        ("array", b"[]"),
        ("65536 bytes", entry + b" " * 65_536),
    ):
        yield Case(f"entry {name}", "entry", {"data": b64(changed)})
    random_ = random.Random(20)
    for number in range(240):
        kind, data = random_.choice(
            (
                ("entry", random_.choice(entries)),
                ("receipt", receipt_of(entries, number % len(entries))),
            )
        )
        changed = _mutated(random_, data)
        args = {"data": b64(changed), "vkey": LOG_SIGNER.vkey.text}
        yield Case(f"mutation {number}", kind, args)


def evidence_cases() -> Iterator[Case]:
    """Yield files of evidence."""
    good = {
        "at": "2026-01-05T09:00:00+08:00",
        "detail": "x",
        "kind": "mingzhang.evidence.v1",
        "reason": "history",
        "vkey": LOG_SIGNER.vkey.text,
        "seen": b64(b"note"),
        "proof": [b64(b"\x01" * 32)],
        "root": b64(b"\x02" * 32),
        "index": 3,
    }
    for name, changed in (
        ("good", {}),
        ("other kind", {"kind": "x"}),
        ("odd member", {"odd": 1}),
        ("short root", {"root": "AAAA"}),
        ("short hash", {"proof": ["AAAA"]}),
        ("65 hashes", {"proof": [b64(b"\x01" * 32)] * 65}),
        ("proof a text", {"proof": "x"}),
        ("index below 0", {"index": -1}),
        ("index a text", {"index": "1"}),
        ("seen no base64", {"seen": "A"}),
        ("seen a number", {"seen": 12345678}),
        ("detail a number", {"detail": 1}),
    ):
        data = canonical.dumps({**good, **changed})
        yield Case(f"evidence {name}", "evidence", {"data": b64(data)})
    yield Case("evidence spaced", "evidence", {"data": b64(canonical.dumps(good) + b" ")})


def b64(data: bytes) -> str:
    """Return base64."""
    return encode_base64(data)


def _data(args: dict[str, Any]) -> bytes:
    return base64.b64decode(args["data"])


def _hashes(texts: list[str] | None) -> list[bytes]:
    return [base64.b64decode(each) for each in texts or []]


def _inclusion(given: dict[str, Any]) -> None:
    leaf, root = base64.b64decode(given["leafHash"] or ""), base64.b64decode(given["root"] or "")
    verify_inclusion(leaf, given["leafIdx"], given["treeSize"], _hashes(given["proof"]), root)


def _consistency(given: dict[str, Any]) -> None:
    roots = [base64.b64decode(given[name] or "") for name in ("root1", "root2")]
    verify_consistency(given["size1"], given["size2"], _hashes(given["proof"]), *roots)


def _signed(given: dict[str, Any]) -> bool:
    return verify(*(base64.b64decode(given[name]) for name in ("key", "message", "signature")))


def bundle_cases() -> Iterator[Case]:
    """Yield bundles: two good ones, those tampered with, another key's, and the corpus."""
    found = {"good": bundles.packed(), "small": bundles.packed(bundles.small())}
    found |= {
        name: bundles.packed(tamper(dict(bundles.files())))
        for name, tamper in bundles.TAMPERED.items()
    }
    found["other key"] = bundles.packed(bundles.other_key())
    found |= {each.name: each.read_bytes() for each in sorted((CORPUS / "bundle-zip").iterdir())}
    for name, data in found.items():
        yield Case(name, "bundle", {"data": b64(data), "vkey": LOG_SIGNER.vkey.text})


def _bundle(given: dict[str, Any]) -> bool:
    return not verify_bundle(_data(given), VerifierKey.parse(given["vkey"])).faults


_CHECKS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "inclusion": _inclusion,
    "consistency": _consistency,
    "signature": _signed,
    "checkpoint": lambda given: open_checkpoint(_data(given), VerifierKey.parse(given["vkey"])),
    "canonical": lambda given: canonical.loads(_data(given)),
    "entry": lambda given: parse_entry(_data(given)),
    "receipt": lambda given: verify_receipt_file(_data(given), VerifierKey.parse(given["vkey"])),
    "bundle": _bundle,
    "evidence": lambda given: parse_evidence(_data(given)),
}


def _signature(name: str, key: bytes, message: bytes, signature: bytes) -> Case:
    args = {"key": b64(key), "message": b64(message), "signature": b64(signature)}
    return Case(f"signature, {name}", "signature", args)


def _receipt(name: str, data: bytes) -> Case:
    return Case(name, "receipt", {"data": b64(data), "vkey": LOG_SIGNER.vkey.text})


def _flipped(line: str) -> str:
    """Return a signature line with another signature by the same key id."""
    raw = bytearray(note.parse(f"x\n\n{line}".encode()).signatures[0].signature)
    raw[0] ^= 1
    return f"— {LOG_SIGNER.name} {encode_base64(LOG_SIGNER.vkey.key_id + bytes(raw))}\n"


def _mutated(random_: random.Random, data: bytes) -> bytes:
    at = random_.randrange(len(data))
    how = random_.randrange(4)
    if how == 0:
        return data[:at] + bytes([data[at] ^ (1 << random_.randrange(8))]) + data[at + 1 :]
    if how == 1:
        return data[:at] + data[at + 1 :]
    if how == 2:
        return data[:at] + data[at : at + 1] + data[at:]
    return data[:at]
