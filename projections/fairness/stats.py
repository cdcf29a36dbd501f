"""The statistical tests, all of scipy, behind typed names: the one module that imports it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy import stats

RESAMPLES = 9_999
SEED = 20_260_101
"""Fixed, so that two auditors get the same figures."""


def ranks_differ(one: Sequence[float], other: Sequence[float], alternative: str) -> float:
    """Return the p of a Mann–Whitney U test, ties corrected: is `one` greater, less, or other?"""
    if len(set(one) | set(other)) < 2:
        return 1.0
    return float(stats.mannwhitneyu(one, other, alternative=alternative).pvalue)


def shares_differ(yes: int, no: int, others_yes: int, others_no: int, alternative: str) -> float:
    """Return the p of Fisher's exact test on a table of two by two."""
    table = [[yes, no], [others_yes, others_no]]
    return float(stats.fisher_exact(table, alternative=alternative).pvalue)


def too_many(hits: int, of: int, share: float) -> float:
    """Return the p of an exact binomial test that more than `share` hit."""
    return float(stats.binomtest(hits, of, share, alternative="greater").pvalue)


def below_zero(differences: Sequence[float]) -> float:
    """Return the p of Wilcoxon's signed-rank test that differences lie below zero."""
    if not any(differences):
        return 1.0
    return float(stats.wilcoxon(differences, alternative="less").pvalue)


def too_even(leaders: Sequence[int], members: int) -> float:
    """Return the p of a Monte Carlo test that `leaders` alternate more evenly than by chance.

    `leaders` are numbers below `members`, one a period; the figure is their entropy, and by chance
    means that in each period any member may lead.
    """
    draw = np.random.default_rng(SEED)

    def drawn(size: Any) -> Any:
        return draw.integers(0, members, size)

    found = stats.monte_carlo_test(
        np.asarray(leaders),
        drawn,
        lambda sample, axis: _entropy(sample, axis, members),
        vectorized=True,
        n_resamples=RESAMPLES,
        alternative="greater",
    )
    return float(found.pvalue)


def entropy_bits(leaders: Sequence[int], members: int) -> float:
    """Return the entropy, in bits, of who led."""
    return float(_entropy(np.asarray(leaders), -1, members))


def _entropy(sample: Any, axis: int, members: int) -> Any:
    counts = np.stack([np.sum(sample == each, axis=axis) for each in range(members)])
    return stats.entropy(counts, base=2, axis=0)


def false_discovery(p_values: Sequence[float]) -> list[float]:
    """Return the p values adjusted by Benjamini and Hochberg, in their order."""
    if not p_values:
        return []
    return [float(each) for each in stats.false_discovery_control(p_values, method="bh")]
