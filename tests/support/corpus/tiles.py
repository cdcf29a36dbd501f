"""Broken files of a static log and receipts."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from ledger.log import checkpoint, receipt
from ledger.log.checkpoint import Checkpoint
from ledger.log.tiles import encode_entries
from tests.support.corpus.changes import Case, Makers, loose_base64
from tests.support.parsers import (
    entries,
    good_receipt,
)
from tests.support.static_log import LOG_SIGNER, OTHER_SIGNER


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
    yield (
        "proof-bits-set",
        good.replace(first.encode(), loose_base64(first).encode()),
        "unused bits",
    )
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


MAKERS: Makers = {
    "tile-path": _tile_paths,
    "tile": _tiles,
    "bundle": _bundles,
    "receipt": _receipts,
}
