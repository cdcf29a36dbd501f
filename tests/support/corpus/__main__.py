"""Writes `tests/corpus` anew."""

from __future__ import annotations

from tests.support.corpus.made import write

if __name__ == "__main__":
    write()
