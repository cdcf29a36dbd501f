"""Every parser of bytes from strangers, by name: what the corpus and the fuzz targets feed.

Each takes bytes, and whatever they are returns or raises a MingzhangError, nothing else. `seeds`
are good inputs, from which a fuzzer starts.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import orjson

from api.authoring.reader import load as load_rulebook
from api.tables.parse import read_csv
from ledger import canonical, keyfile, refusal, schema
from ledger.entry import parse_entry, parse_envelope
from ledger.errors import ProofError
from ledger.log import checkpoint, note, policy, receipt, witness
from ledger.log.cosignature import parse_lines
from ledger.log.merkle import Edge, inclusion_proof, leaf_hash, root_of
from ledger.log.note import VerifierKey
from ledger.log.tiles import decode_entries, encode_entries, parse_tile_path, tile_path
from ledger.log.timestamp import Trust, check_token, query
from ledger.signing import PrivateKey, Signature, encode_base64, join_envelope
from ledger.sm2 import Sm2PrivateKey
from ledger.store.media import CSV, XLSX, check_media
from ledger.verify.bundle import verify_bundle
from ledger.verify.evidence import verify_evidence
from ledger.verify.page_evidence import verify_page_evidence
from ledger.verify.receipt import verify_receipt_file
from ledger.verify.source import FolderSource
from tests.support import bundles
from tests.support.archives import workbook
from tests.support.organisation import START, Organisation, key_of
from tests.support.sm2 import EXAMPLE
from tests.support.static_log import LOG_SIGNER, small_log
from tests.support.tsa import Tsa
from tests.support.witnesses import LOG, Tree, cosigner

VKEY = LOG_SIGNER.vkey
SERVICE = key_of("the service")
RULEBOOK = Path(__file__).parents[2] / "ops" / "demo" / "rulebooks" / "community.yaml"


@cache
def entries() -> list[bytes]:
    """The entries of a small log: 40 of them."""
    return small_log(Organisation(), 20).entries


@cache
def good_receipt() -> bytes:
    """The receipt of entry 30."""
    leaves = [leaf_hash(each) for each in entries()]
    nodes: dict[tuple[int, int], bytes] = {}
    edge = Edge.empty().extend(leaves, nodes)
    signed = checkpoint.Checkpoint(LOG_SIGNER.name, edge.size, edge.root())
    proof = inclusion_proof(30, edge.size, nodes.__getitem__)
    told = checkpoint.sign(signed, LOG_SIGNER)
    return receipt.encode(receipt.Receipt(entries()[30], 30, tuple(proof), told))


def good_checkpoint() -> bytes:
    """The checkpoint of the small log."""
    return receipt.parse(good_receipt()).checkpoint


@cache
def good_refusal() -> bytes:
    """A refusal that the service signed."""
    return refusal.make(
        SERVICE, log=LOG_SIGNER.name, statement="ab" * 32, rule="key-known", now=START, size=40
    )


@cache
def good_evidence() -> bytes:
    """Two checkpoints of the log's key over sizes 1 and 2 that contradict, with the proof."""
    leaves = [leaf_hash(b"a"), leaf_hash(b"b")]
    old = checkpoint.Checkpoint(LOG_SIGNER.name, 1, leaf_hash(b"x"))
    new = checkpoint.Checkpoint(LOG_SIGNER.name, 2, root_of(leaves))
    return orjson.dumps(
        {
            "seen": checkpoint.sign(old, LOG_SIGNER).decode(),
            "shown": checkpoint.sign(new, LOG_SIGNER).decode(),
            "proof": [encode_base64(leaves[1])],
            "prefix": encode_base64(leaves[0]),
        }
    )


HEAD = Tree().checkpoint(5)
"""What the witness that reads requests has kept of its one log."""


@cache
def good_request() -> bytes:
    """An `add-checkpoint` request from the size 5 to 11."""
    return Tree().request(5, 11)


@cache
def good_policy() -> bytes:
    """A policy of one log and three witnesses, of whom two are enough."""
    lines = [f"log {LOG.vkey.text} https://log.example/", "# a comment", ""]
    lines += [f"witness w{n} {cosigner(n).vkey.text}" for n in (1, 2, 3)]
    return "\n".join([*lines, "group g 2 w1 w2 w3", "quorum g", ""]).encode()


@cache
def good_page_evidence() -> bytes:
    """What a browser saves where the log's key signed another tree of size 1 before that of 2."""
    found = orjson.loads(good_evidence())
    return canonical.dumps(
        {
            "at": "2026-01-05T09:00:00+08:00",
            "detail": "the tree of size 2 has another past at size 1",
            "kept": encode_base64(found["seen"].encode()),
            "kind": "mingzhang.evidence.v1",
            "proof": found["proof"],
            "reason": "history",
            "root": found["prefix"],
            "seen": encode_base64(found["shown"].encode()),
            "vkey": VKEY.text,
        }
    )


def good_lines() -> bytes:
    """What two witnesses answer."""
    text = HEAD.body()
    return "".join(f"{cosigner(n).line(text, 1_700_000_000)}\n" for n in (1, 2)).encode()


@cache
def _stamped() -> tuple[bytes, Trust]:
    """A token on the good checkpoint by a TSA of our own, and who vouches for it."""
    with tempfile.TemporaryDirectory() as folder:
        tsa = Tsa(Path(folder) / "tsa")
        return tsa.reply(query(good_checkpoint()).data), Trust.load(tsa.roots)


@contextmanager
def _file(data: bytes, name: str, mode: int = 0o600) -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        path.chmod(mode)
        yield path


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


def _bundle(data: bytes) -> None:
    for each in decode_entries(data):
        parse_entry(each)


def _statement(data: bytes) -> None:
    parse_envelope(join_envelope(data, [Signature("ab" * 32, bytes(64))]))


def _body(data: bytes) -> None:
    statement = parse_envelope(data)
    schema.validate(statement.type, statement.body)


def _tile(data: bytes) -> None:
    with _file(data, f"log/{tile_path(0, 0, 3)}") as path:
        FolderSource(str(path.parents[3])).tile(0, 0, 3)


def _keyfile(data: bytes) -> None:
    with _file(data, "key") as path:
        keyfile.load_any(path)


def _rulebook(data: bytes) -> None:
    with _file(data, "rulebook.yaml") as path:
        load_rulebook(path)


def _csv(data: bytes) -> None:
    check_media(data, CSV)
    for _ in read_csv(data):
        pass


def _request(data: bytes) -> None:
    kept = witness.Kept(HEAD.size, HEAD.root)
    found = witness.decide(witness.parse_request(data), {LOG.name: [LOG.vkey]}, kept)
    if isinstance(found, witness.Rejected):
        raise ProofError(f"{found.status} {found.body.decode()}")


def _page_evidence(data: bytes) -> None:
    report = verify_page_evidence(data, VKEY)
    if not report.fork:
        raise ProofError("; ".join(report.findings))


def _bundle_zip(data: bytes) -> None:
    report = verify_bundle(data, VKEY)
    if report.faults:
        raise ProofError("; ".join(str(each)[:300] for each in report.faults[:3]))


PARSERS: dict[str, Callable[[bytes], Any]] = {
    "note": lambda data: note.verify(data, [VKEY]),
    "checkpoint": lambda data: checkpoint.open_checkpoint(data, VKEY),
    "tile-path": lambda data: parse_tile_path(_text(data)),
    "tile": _tile,
    "bundle": _bundle,
    "receipt": lambda data: verify_receipt_file(data, VKEY),
    "envelope": _body,
    "statement": _statement,
    "entry": parse_entry,
    "canonical": canonical.loads,
    "vkey": lambda data: VerifierKey.parse(_text(data)),
    "keyfile": _keyfile,
    "rulebook": _rulebook,
    "refusal": lambda data: refusal.verify_refusal(data, SERVICE.public_key),
    "evidence": lambda data: verify_evidence(data, VKEY),
    "page-evidence": _page_evidence,
    "policy": policy.parse,
    "add-checkpoint": _request,
    "cosignatures": parse_lines,
    "token": lambda data: check_token(data, good_checkpoint(), _stamped()[1]),
    "bundle-zip": _bundle_zip,
    "csv": _csv,
    "xlsx": lambda data: check_media(data, XLSX),
}


def _pem(key: PrivateKey | Sm2PrivateKey) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        keyfile.save(Path(folder) / "key", key, None)
        return (Path(folder) / "key").read_bytes()


def seeds(name: str) -> list[bytes]:
    """Return good inputs of a parser."""
    found = [parse_entry(each).statement for each in entries()]
    some: dict[str, Callable[[], list[bytes]]] = {
        "note": lambda: [good_checkpoint()],
        "checkpoint": lambda: [good_checkpoint()],
        "tile-path": lambda: [b"tile/0/x001/x234/067", b"tile/entries/000.p/5", b"tile/7/000"],
        "tile": lambda: [bytes(96)],
        "bundle": lambda: [encode_entries(entries()[:3])],
        "receipt": lambda: [good_receipt()],
        "envelope": lambda: [each.envelope for each in found],
        "statement": lambda: [each.payload for each in found],
        "entry": lambda: list(entries()),
        "canonical": lambda: [orjson.dumps({"a": [1, "é", True]}), b'{"a":-1,"b":{"c":""}}'],
        "vkey": lambda: [VKEY.text.encode()],
        "keyfile": lambda: [_pem(key_of("x")), _pem(EXAMPLE)],
        "rulebook": lambda: [RULEBOOK.read_bytes()],
        "refusal": lambda: [good_refusal()],
        "evidence": lambda: [good_evidence()],
        "page-evidence": lambda: [good_page_evidence()],
        "policy": lambda: [good_policy()],
        "add-checkpoint": lambda: [good_request()],
        "cosignatures": lambda: [good_lines()],
        "token": lambda: [_stamped()[0]],
        "bundle-zip": lambda: [bundles.packed(bundles.small())],
        "csv": lambda: ['会员,分\nm-1,"2,5"\n'.encode(), "积分\n1\n".encode("gb18030")],
        "xlsx": lambda: [workbook(["a", 1], ["b", 2])],
    }
    return some[name]()
