"""Draws people by the hash of a checkpoint that nobody knew when the list was fixed (cheat 10).

The list stands in the statement that files the appeal; the checkpoint is the first one signed (or
witnessed) after it. Whoever has the log draws again and must find the same people.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

DRAW = b"mingzhang draw v1\n"


def drawn(root: bytes, case: str, pool: Iterable[str], count: int) -> tuple[str, ...]:
    """Return `count` of the pool, in the order of SHA-256(label ‖ root ‖ case ‖ 0A ‖ name)."""

    def ticket(name: str) -> bytes:
        return hashlib.sha256(DRAW + root + f"{case}\n{name}".encode()).digest()

    return tuple(sorted(sorted(set(pool), key=ticket)[:count]))
