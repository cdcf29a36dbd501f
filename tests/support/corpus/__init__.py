"""Broken inputs of every parser, and in `reasons.json` what is said of each.

`python -m tests.support.corpus` writes the files anew; the files are what the tests read. Each is
made from a good input by one change, so the reason must name just that.
"""

from __future__ import annotations

from pathlib import Path

CORPUS = Path(__file__).parents[2] / "corpus"
REASONS = "reasons.json"
