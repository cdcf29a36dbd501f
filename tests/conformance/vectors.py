"""The conformance vectors' JSON files, and short names for them."""

from __future__ import annotations

from pathlib import Path

from tests.support.shared import VECTORS, needs_vectors

__all__ = ["VECTORS", "cases", "name_of", "needs_vectors"]


def cases(kind: str) -> list[Path]:
    """The JSON files of `merkle-inclusion` or `merkle-consistency`."""
    return sorted((VECTORS / kind).rglob("*.json"))


def name_of(case: Path) -> str:
    """A short name for a case, for the test's id."""
    return f"{case.parent.name}/{case.stem}"
