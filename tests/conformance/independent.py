"""A reader of this project's logs that shares no code with it.

Written from the public texts alone: RFC 6962 (hashes, proofs), C2SP signed-note, tlog-checkpoint,
tlog-tiles and tlog-proof, DSSE v1. It needs the standard library and `cryptography` for Ed25519.
"""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


def sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


@dataclass
class Head:
    origin: str
    size: int
    root: bytes


def open_note(note: bytes, vkey: str) -> str:
    """Verify a signed note and return its text."""
    name, key_hash, encoded = vkey.split("+", 2)
    typed = base64.b64decode(encoded)
    assert typed[0] == 1, "Ed25519"
    assert sha256(name.encode() + b"\n" + typed)[:4].hex() == key_hash
    text, _, signatures = note.decode().rpartition("\n\n")
    text += "\n"
    for line in signatures.splitlines():
        dash, signer, blob = line.split(" ")
        assert dash == "\u2014"
        raw = base64.b64decode(blob)
        if signer == name and raw[:4].hex() == key_hash:
            Ed25519PublicKey.from_public_bytes(typed[1:]).verify(raw[4:], text.encode())
            return text
    raise ValueError("not signed by this key")


def open_head(note: bytes, vkey: str) -> Head:
    origin, size, root = open_note(note, vkey).splitlines()
    return Head(origin, int(size), base64.b64decode(root))


def number_path(n: int) -> str:
    parts = [f"{n % 1000:03}"]
    while n := n // 1000:
        parts.append(f"x{n % 1000:03}")
    return "/".join(reversed(parts))


def read_tile(log: Path, level: str, n: int, width: int) -> bytes:
    suffix = "" if width == 256 else f".p/{width}"
    return (log / "tile" / level / (number_path(n) + suffix)).read_bytes()


def read_entries(log: Path, size: int) -> list[bytes]:
    entries = []
    for start in range(0, size, 256):
        width = min(256, size - start)
        data = read_tile(log, "entries", start // 256, width)
        while data:
            length = int.from_bytes(data[:2], "big")
            entries.append(data[2 : 2 + length])
            data = data[2 + length :]
    return entries


def tree_root(leaves: list[bytes]) -> bytes:
    """MTH of RFC 6962 over leaf hashes."""
    if len(leaves) <= 1:
        return leaves[0] if leaves else sha256(b"")
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return sha256(b"\x01" + tree_root(leaves[:k]) + tree_root(leaves[k:]))


def check_hash_tiles(log: Path, leaves: list[bytes]) -> int:
    """Compare every hash tile of the tree, and return how many there are."""
    count, level, row = 0, 0, leaves
    while row:
        for start in range(0, len(row), 256):
            hashes = row[start : start + 256]
            assert read_tile(log, str(level), start // 256, len(hashes)) == b"".join(hashes)
            count += 1
        full = len(row) // 256 * 256
        row = [tree_root(row[start : start + 256]) for start in range(0, full, 256)]
        level += 1
    return count


def root_from_path(leaf: bytes, index: int, size: int, path: list[bytes]) -> bytes:
    """The root that an audit path leads to (RFC 6962 section 2.1.1, read from the top)."""
    if size == 1:
        assert not path
        return leaf
    k = 1
    while k * 2 < size:
        k *= 2
    if index < k:
        return sha256(b"\x01" + root_from_path(leaf, index, k, path[:-1]) + path[-1])
    return sha256(b"\x01" + path[-1] + root_from_path(leaf, index - k, size - k, path[:-1]))


def open_receipt(data: bytes, vkey: str) -> tuple[Head, int, bytes]:
    """Verify a tlog-proof and return the head, the index and the entry in its extra line."""
    proof, _, note = data.partition(b"\n\n")
    header, extra, index_line, *hashes = proof.decode().split("\n")
    assert header == "c2sp.org/tlog-proof@v1"
    entry = base64.b64decode(extra.removeprefix("extra "))
    index = int(index_line.removeprefix("index "))
    head = open_head(note, vkey)
    path = [base64.b64decode(line) for line in hashes]
    assert root_from_path(sha256(b"\x00" + entry), index, head.size, path) == head.root
    return head, index, entry


def statement(entry: bytes) -> tuple[dict[str, Any], bytes, list[dict[str, str]]]:
    """Return an entry's statement, the bytes that are signed for it, and the signatures."""
    envelope = json.loads(entry)["envelope"]
    payload = base64.b64decode(envelope["payload"])
    kind = envelope["payloadType"].encode()
    pae = b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)
    return json.loads(payload), pae, envelope["signatures"]


def check_signatures(entries: list[bytes]) -> int:
    """Verify every signature with the keys registered before it; return how many there are."""
    keys: dict[str, bytes] = {}
    count = 0
    for entry in entries:
        said, signed, signatures = statement(entry)
        new = said["body"]["keys"] if said["type"] == "ledger.founded" else []
        if said["type"] == "key.registered":
            new = [said["body"]]
        for each in new:
            raw = base64.b64decode(each["public_key"])
            keys[sha256(raw).hex()] = raw
        for each in signatures:
            public_key = Ed25519PublicKey.from_public_bytes(keys[each["keyid"]])
            public_key.verify(base64.b64decode(each["sig"]), signed)
            count += 1
    return count


def check_chains(entries: list[bytes]) -> int:
    """Check each stream's numbering and hash chain; return how many streams there are."""
    heads: dict[str, tuple[int, str]] = {}
    for data in entries:
        entry = json.loads(data)
        seq, prev = heads.get(entry["stream"], (0, "0" * 64))
        assert (entry["seq"], entry["prev"]) == (seq + 1, prev)
        heads[entry["stream"]] = (seq + 1, sha256(b"\x00" + data).hex())
    return len(heads)
