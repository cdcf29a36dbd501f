"""Fault 24: the real sequencer in a simulated world; a run is a seed.

`MINGZHANG_SEEDS=100000` plays as many; a seed that fails is named and becomes a test of its own.
"""

from __future__ import annotations

import os

import pytest

from tests.support.simulation.run import Run

SEEDS = int(os.environ.get("MINGZHANG_SEEDS", "2000"))
CHUNK = 100


@pytest.mark.parametrize("start", range(0, SEEDS, CHUNK))
def test_no_seed_breaks_what_must_hold(start: int) -> None:
    for seed in range(start, min(SEEDS, start + CHUNK)):
        try:
            Run(seed).play()
        except BaseException:
            print(f"failing seed: {seed}")
            raise
