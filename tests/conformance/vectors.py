"""Where the public test vectors of other logs lie; they are read from there, never copied."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

VECTORS = Path(
    os.environ.get(
        "MINGZHANG_VECTORS", Path(__file__).resolve().parents[2].parent / "shared" / "vectors"
    )
)

needs_vectors = pytest.mark.skipif(
    not VECTORS.is_dir(),
    reason=f"no conformance vectors in {VECTORS}: set MINGZHANG_VECTORS to their folder",
)


def cases(kind: str) -> list[Path]:
    """The JSON files of `merkle-inclusion` or `merkle-consistency`."""
    return sorted((VECTORS / kind).rglob("*.json"))


def name_of(case: Path) -> str:
    """A short name for a case, for the test's id."""
    return f"{case.parent.name}/{case.stem}"
