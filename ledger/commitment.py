"""Salted commitments: what the log holds in the place of reasons, evidence and names.

A commitment is SHA-256(salt ‖ bytes) with a random 32-byte salt a record: without the salt nobody
can tell what it is of, nor that two are of the same bytes.
"""

from __future__ import annotations

import hashlib
import os
import re

from ledger.errors import FormatError, ProofError

SALT_SIZE = 32
is_commitment = re.compile(r"[0-9a-f]{64}").fullmatch


def new_salt() -> bytes:
    """Return 32 bytes of the system's randomness."""
    return os.urandom(SALT_SIZE)


def commit(salt: bytes, data: bytes) -> str:
    """Return the commitment to `data`, lower-case hex. Raises FormatError for a wrong salt."""
    if len(salt) != SALT_SIZE:
        raise FormatError(f"a salt has {SALT_SIZE} bytes, this one {len(salt)}")
    return hashlib.sha256(salt + data).hexdigest()


def check_opening(commitment: str, salt: bytes, data: bytes) -> None:
    """Raise ProofError unless `commitment` is the one to `data` with `salt`."""
    if commit(salt, data) != commitment:
        raise ProofError(
            f"the commitment {commitment[:16]}… is not to these bytes with this salt: one of the "
            "three was changed"
        )


def parse_commitment(text: str) -> bytes:
    """Return the 32 bytes of a commitment. Raises FormatError."""
    if is_commitment(text) is None:
        raise FormatError("a commitment is 64 lower-case hex digits")
    return bytes.fromhex(text)
