"""Known bugs, planted one at a time: the simulator must find each of them."""

from __future__ import annotations

import pytest

from tests.support.simulation.planted import PLANTED
from tests.support.simulation.run import Run, Violation, build_real

SEEDS_MAX = 2_000


def first_seed_that_fails(name: str) -> int | None:
    """Return the first seed that shows the bug, by a check of the oracle and nothing else."""
    for seed in range(SEEDS_MAX):
        try:
            Run(seed, PLANTED[name]).play()
        except (AssertionError, Violation):
            return seed
    return None


@pytest.mark.parametrize("name", PLANTED)
def test_the_simulator_finds_the_planted_bug(name: str) -> None:
    seed = first_seed_that_fails(name)
    assert seed is not None, f"{SEEDS_MAX} seeds did not find it"
    # It is the bug that fails there, and not the run.
    Run(seed, build_real).play()
