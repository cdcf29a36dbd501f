"""`make bench` measures, on a small scale."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from ops.bench.report import Row

PARTS = ("whole", "scoring", "proofs", "--rounds", "1", "--entries", "600", "--proof-size", "12000")


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_it_prints_ratios_and_leaves_nothing_behind(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "ops.bench", *PARTS],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    for measured in ("whole log of 600 entries", "runner", "replay", "scored", "at 12,000 entries"):
        assert measured in done.stdout
    assert not (tmp_path / "var/bench").exists()


def test_a_target_is_a_floor_or_where_it_says_so_a_ceiling() -> None:
    assert Row("", "", "", 7.0, 7.0).met is True
    assert Row("", "", "", 7.0, 6.9).met is False
    assert Row("", "", "", 3.0, 2.9, at_most=True).met is True
    assert Row("", "", "", 3.0, 3.0, at_most=True).met is False
    assert Row("", "", "").met is None
