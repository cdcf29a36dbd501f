"""Warnings at quarter ends: they advise, people decide (A36)."""

from __future__ import annotations

from collections.abc import Sequence

from ledger.rules.book import CATEGORY_DEBITS, GLOBAL_DEBITS
from ledger.rules.period import MONTHS, Periods
from ledger.rules.rulebook import FollowUp, Version
from ledger.rules.scoring import Score

QUARTER_DEBITS, PERIOD_DEBITS = "quarter_debits", "period_debits"
GLOBAL_DEBIT, RUNNING_MERIT, PACE = "global_debit", "merit", "pace"
FIGURES = (QUARTER_DEBITS, PERIOD_DEBITS, GLOBAL_DEBIT, RUNNING_MERIT, PACE)


def lights(version: Version, periods: Periods, score: Score, quarter: int) -> tuple[str, ...]:
    """Return the lights that are on at the end of `quarter` (from 1), the last one the gravest.

    `score` is read through that quarter's end (A28), so its figures are running totals. Debits are
    those of merit after item caps and before category floors; `global_debit` is the largest one
    entry. `pace` is in percent of the target's share of the months gone.
    """
    if score.daily is None:
        return ()
    debits = [each for each in score.entries if each.side in {CATEGORY_DEBITS, GLOBAL_DEBITS}]
    figures = {
        QUARTER_DEBITS: sum(
            each.after_item_cap() for each in debits if periods.place(each.date).quarter == quarter
        ),
        PERIOD_DEBITS: sum(each.after_item_cap() for each in debits),
        GLOBAL_DEBIT: max(
            (each.after_item_cap() for each in debits if each.side == GLOBAL_DEBITS), default=0
        ),
        RUNNING_MERIT: score.daily,
    }
    expected = (version.merit.target or 0) * 3 * quarter
    found = []
    for light in version.lights:
        for figure, at_least, below in light.conditions:
            if figure == PACE:
                # daily / (target × months / 12) < percent / 100, without a division
                on = below is not None and score.daily * MONTHS * 100 < expected * below
            else:
                value = figures[figure]
                on = (at_least is not None and value >= at_least) or (
                    below is not None and value < below
                )
            if on:
                found.append(light.light)
                break
    return tuple(found)


def follow_ups(version: Version, quarters: Sequence[Sequence[str]]) -> tuple[FollowUp, ...]:
    """Return what is advised after the lights of past quarters, the oldest first."""
    return tuple(
        each
        for each in version.follow_ups
        if len(quarters) >= each.quarters
        and all(each.light in lit for lit in quarters[-each.quarters :])
    )
