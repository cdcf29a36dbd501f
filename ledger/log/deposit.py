"""Deposits: a witness's word that a statement was shown to it, and when (cheat 8).

A C2SP signed note whose text is three lines, and whose signature is a cosignature of type 04:

    mingzhang deposit v1
    <origin of the log that the statement is meant for>
    <lower-case hex SHA-256 of the statement's payload>

The second line is the size in a checkpoint and the third its root, of 32 bytes in base64; 64 hex
digits are base64 of 48, so no deposit can be taken for a checkpoint. The witness keeps nothing and
sees no more than any reader of the log would: who holds the note can show that the statement was
there, and the log, seen later by witnesses, that it was not put in.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from ledger.errors import FormatError, ProofError
from ledger.log import note
from ledger.log.cosignature import Cosigner, CosignerKey, find_cosignatures

TITLE = "mingzhang deposit v1"
_HEX64 = re.compile(r"[0-9a-f]{64}").fullmatch


@dataclass(frozen=True, slots=True)
class Deposit:
    """A deposit that holds: log origin, the payload's hex SHA-256, POSIX time, the witness."""

    log: str
    statement: str
    time: int
    witness: str


def sign(cosigner: Cosigner, log: str, statement: str, time: int) -> bytes:
    """Return the note of a deposit made at the POSIX time `time`."""
    text = f"{TITLE}\n{log}\n{statement}\n"
    return f"{text}\n{cosigner.line(text, time)}\n".encode()


def verify(data: bytes, keys: Iterable[CosignerKey]) -> Deposit:
    """Read a deposit and check that one of the witnesses `keys` signed it.

    The oldest of several signatures counts. Raises FormatError, or ProofError where nobody known
    signed, or a signature does not hold.
    """
    parsed = note.parse(data)
    lines = parsed.text.split("\n")
    if len(lines) != 4 or lines[0] != TITLE or not lines[1] or _HEX64(lines[2]) is None:
        raise FormatError(f"no deposit: its lines are `{TITLE}`, a log's origin, a hex SHA-256")
    found = find_cosignatures(parsed.text, parsed.signatures, keys)
    if not found:
        raise ProofError("no witness of the policy signed the deposit")
    first = min(found, key=lambda each: each.time)
    return Deposit(lines[1], lines[2], first.time, first.name)
