"""Receipts (C2SP tlog-proof@v1): an entry, its inclusion proof and a checkpoint, in one text file.

The file is `c2sp.org/tlog-proof@v1`, a line `extra` with the entry in base64, a line `index`, one
base64 hash a line from leaf to root, a blank line, and the checkpoint verbatim.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Sequence
from dataclasses import dataclass

from ledger.errors import FormatError
from ledger.log import note
from ledger.log.checkpoint import Checkpoint, open_checkpoint, parse_body
from ledger.log.merkle import leaf_hash, verify_inclusion
from ledger.log.note import VerifierKey
from ledger.signing import decode_base64

HEADER = b"c2sp.org/tlog-proof@v1\n"
PROOF_MAX = 63
RECEIPT_SIZE_MAX = 256 * 1024
_INDEX = re.compile(r"0|[1-9][0-9]{0,18}", re.ASCII).fullmatch


@dataclass(frozen=True, slots=True)
class Receipt:
    """Entry bytes, the index (from 0), the proof's hashes, and the signed note."""

    entry: bytes
    index: int
    proof: tuple[bytes, ...]
    checkpoint: bytes


class BatchEncoder:
    """Encodes receipts under one checkpoint, writing a hash that they share only once."""

    def __init__(self, checkpoint: bytes) -> None:
        self._tail = b"\n" + checkpoint
        self._lines: dict[bytes, bytes] = {}

    def __call__(self, entry: bytes, index: int, proof: Sequence[bytes]) -> bytes:
        """Return the bytes of one receipt."""
        parts = [HEADER, b"extra ", binascii.b2a_base64(entry), b"index %d\n" % index]
        for each in proof:
            line = self._lines.get(each)
            if line is None:
                line = self._lines[each] = binascii.b2a_base64(each)
            parts.append(line)
        parts.append(self._tail)
        return b"".join(parts)


def encode(receipt: Receipt) -> bytes:
    """Return the bytes of a receipt."""
    return BatchEncoder(receipt.checkpoint)(receipt.entry, receipt.index, receipt.proof)


def proven(entry: bytes, index: int, proof: Sequence[bytes], checkpoint: bytes) -> bytes:
    """Return the bytes of a receipt after checking that `proof` leads to the checkpoint's root.

    The log's own side: a stored hash that was damaged or changed must not go out as a proof. The
    checkpoint's signature is not verified. Raises ProofError or FormatError.
    """
    signed = parse_body(note.parse(checkpoint).text)
    verify_inclusion(leaf_hash(entry), index, signed.size, proof, signed.root)
    return BatchEncoder(checkpoint)(entry, index, proof)


def parse(data: bytes) -> Receipt:
    """Read a receipt; nothing of it is verified. Raises FormatError."""
    if len(data) > RECEIPT_SIZE_MAX:
        raise FormatError(f"a receipt of {len(data)} bytes, at most {RECEIPT_SIZE_MAX} are read")
    if not data.startswith(HEADER):
        raise FormatError("not a receipt: it does not begin with c2sp.org/tlog-proof@v1")
    head, blank, checkpoint = data[len(HEADER) :].partition(b"\n\n")
    if not blank:
        raise FormatError("the receipt has no blank line with a checkpoint after it")
    try:
        lines = head.decode("ascii").split("\n")
    except UnicodeDecodeError:
        raise FormatError("the receipt's proof is not ASCII") from None
    if len(lines) < 2 or not lines[0].startswith("extra ") or not lines[1].startswith("index "):
        raise FormatError("a receipt has a line `extra`, then a line `index`")
    index = lines[1].removeprefix("index ")
    if _INDEX(index) is None:
        raise FormatError(f"the receipt's index {index[:30]!r} is no decimal without leading zeros")
    if len(lines) - 2 > PROOF_MAX:
        raise FormatError(f"the receipt's proof has {len(lines) - 2} hashes, {PROOF_MAX} at most")
    proof = tuple(decode_base64(line, 32) for line in lines[2:])
    entry = decode_base64(lines[0].removeprefix("extra "))
    return Receipt(entry, int(index), proof, checkpoint)


def verify_receipt(receipt: Receipt, vkey: VerifierKey) -> Checkpoint:
    """Check a receipt against the log's key and return its checkpoint.

    Raises FormatError or ProofError. What the entry says is not looked at here.
    """
    checkpoint = open_checkpoint(receipt.checkpoint, vkey)
    verify_inclusion(
        leaf_hash(receipt.entry), receipt.index, checkpoint.size, receipt.proof, checkpoint.root
    )
    return checkpoint
