"""Runs fuzz targets one after the other: `python -m tests.fuzz.run SECONDS [PARSER …]`.

What each has learnt stays in `var/fuzz`, so that the next run goes on from there. An input that
is a finding is kept beside it; put it into `tests/support/corpus` with the fix.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.support.parsers import PARSERS

ROOT = Path(__file__).parents[2]


def run(parser: str, seconds: int, learnt: Path) -> subprocess.CompletedProcess[str]:
    """Run one target for so long; status 0 if nothing was found."""
    learnt.mkdir(parents=True, exist_ok=True)
    words = [f"-max_total_time={seconds}", f"-artifact_prefix={learnt}/{parser}-"]
    return subprocess.run(
        [sys.executable, "-m", "tests.fuzz.target", parser, *words, str(learnt / parser)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )


def main(seconds: int, parsers: list[str]) -> int:
    """Run the targets; return how many found something."""
    found = 0
    for parser in parsers or PARSERS:
        done = run(parser, seconds, ROOT / "var" / "fuzz")
        found += done.returncode != 0
        lines = done.stderr.splitlines()
        sys.stdout.write(f"{parser}: {lines[-1] if lines else 'no answer'}\n")
        if done.returncode:
            sys.stdout.write(done.stderr)
    return found


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), sys.argv[2:]))
