"""Commitments in statements, and the statement that erases what one stands for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

ERASED = "text.erased"
# Members of statement bodies that hold a commitment, alone or in a list.
_MEMBERS = frozenset(
    {
        "commitment",
        "documents",
        "reason",
        "late_reason",
        "sheet",
        "filer",
        "filled",
        "goes_on",
        "leave",
        "opened",
    }
)


class Held(NamedTuple):
    """A statement about no entry, its RFC 3339 `recorded_at`, and the commitments that it holds."""

    statement: str
    recorded_at: str
    commitments: tuple[str, ...]


def commitments(body: Any) -> Iterator[str]:
    """Yield the commitments in a statement's body, which its schema allows."""
    if isinstance(body, list):
        for each in body:
            yield from commitments(each)
    elif isinstance(body, dict):
        for name, value in body.items():
            if name in _MEMBERS and isinstance(value, str):
                yield value
            elif name in _MEMBERS and isinstance(value, list):
                yield from (each for each in value if isinstance(each, str))
            if isinstance(value, dict | list):
                yield from commitments(value)
