"""Material beside the project that tests read and never copy: conformance vectors, rulebooks."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

SHARED = Path(os.environ.get("MINGZHANG_SHARED", Path(__file__).resolve().parents[3] / "shared"))
VECTORS = SHARED / "vectors"
RULEBOOKS = SHARED / "rulebooks"

needs_vectors = pytest.mark.skipif(
    not VECTORS.is_dir(),
    reason=f"no conformance vectors in {VECTORS}: set MINGZHANG_SHARED to the folder above them",
)
needs_rulebooks = pytest.mark.skipif(
    not RULEBOOKS.is_dir(),
    reason=f"no sample rulebooks in {RULEBOOKS}: set MINGZHANG_SHARED to the folder above them",
)
