"""Checkpoints (C2SP tlog-checkpoint): a log's origin, size and root, in a signed note.

This log's own are stricter than the format: no extension lines, since none is ever written here.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from ledger.errors import FormatError, ProofError
from ledger.log import note
from ledger.log.note import Signer, VerifierKey
from ledger.signing import decode_base64, encode_base64

SIZE_MAX = 2**63 - 1
_SIZE = re.compile(r"0|[1-9][0-9]{0,18}", re.ASCII).fullmatch


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Origin (the log's name), size in entries, and the 32-byte root of the tree."""

    origin: str
    size: int
    root: bytes

    def body(self) -> str:
        """Return the text that is signed."""
        return f"{self.origin}\n{self.size}\n{encode_base64(self.root)}\n"


def parse_body(text: str) -> Checkpoint:
    """Read a checkpoint's text. Raises FormatError for anything but three exact lines."""
    lines = text.split("\n")
    if len(lines) != 4 or lines[3]:
        kind = "an extension line" if len(lines) > 4 else "too few lines"
        raise FormatError(f"a checkpoint has three lines, origin, size and root; this has {kind}")
    return _parse_lines(lines[:3])


def parse_any_body(text: str) -> Checkpoint:
    """Read the checkpoint's text of any log, with extension lines or without. Raises FormatError.

    What the extension lines say is not looked at.
    """
    lines = text.split("\n")
    if len(lines) < 4 or lines[-1]:
        raise FormatError("a checkpoint has three lines, origin, size and root, each with its end")
    if not all(lines[:-1]):
        raise FormatError("an extension line of a checkpoint is not empty")
    return _parse_lines(lines[:3])


def _parse_lines(lines: Sequence[str]) -> Checkpoint:
    origin, size, root = lines
    if not origin:
        raise FormatError("the checkpoint names no origin")
    if _SIZE(size) is None or int(size) > SIZE_MAX:
        raise FormatError(
            f"the checkpoint's size {size[:30]!r} is no decimal without leading zeros"
        )
    return Checkpoint(origin, int(size), decode_base64(root, 32))


def sign(checkpoint: Checkpoint, signer: Signer) -> bytes:
    """Return the signed note of `checkpoint`; the same input gives the same bytes."""
    return signer.sign(checkpoint.body())


def open_checkpoint(data: bytes, vkey: VerifierKey) -> Checkpoint:
    """Read and verify a log's checkpoint. Raises FormatError or ProofError."""
    opened = parse_body(note.verify(data, [vkey]).text)
    if opened.origin != vkey.name:
        raise ProofError(f"the checkpoint is of {opened.origin}, the key of {vkey.name}")
    return opened
