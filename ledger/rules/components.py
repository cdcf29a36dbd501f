"""From counted entries to daily, from daily to annual: the components and the one rounding each.

All figures are integer hundredths, weights whole percents. A figure is rounded once, half to even,
where a rule says so (A18, A19, A20) and nowhere else.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from ledger.rules.rulebook import ADDITIVE, DAILY, WEIGHTED, WEIGHTED3, Account, Annual

SHEET_MAX = 100_00
"""A review sheet gives 0 to 100.00."""


class Daily(NamedTuple):
    """The merit arithmetic of a period before its yearly components (A10, A15)."""

    base_total: int
    category_debit: int
    credit: int
    global_debit: int
    lifted_to_floor: int
    cut_at_ceiling: int
    daily: int

    @property
    def base(self) -> int:
        """The full base less category debits."""
        return self.base_total - self.category_debit


class Wallet(NamedTuple):
    """The service account (A17): it may fall below 0 by a reversal, redeemable never does."""

    earned: int
    redeemed: int
    lapsed: int

    @property
    def balance(self) -> int:
        """What was earned less what was redeemed and what lapsed."""
        return self.earned - self.redeemed - self.lapsed

    @property
    def redeemable(self) -> int:
        """What can still be redeemed."""
        return max(self.balance, 0)


def half_even(numerator: int, denominator: int) -> int:
    """Return the quotient rounded to a whole number, half to even; the denominator is positive."""
    quotient, rest = divmod(numerator, denominator)
    if 2 * rest > denominator or (2 * rest == denominator and quotient % 2):
        quotient += 1
    return quotient


def review_of(sheets: Sequence[int]) -> int | None:
    """Return the democratic review of the valid sheets, None for who was not reviewed (A19)."""
    if any(not 0 <= sheet <= SHEET_MAX for sheet in sheets):
        raise ValueError("a valid sheet gives 0 to 100.00")
    return half_even(sum(sheets), len(sheets)) if sheets else None


def base_of(account: Account, last_annual: int | None) -> int:
    """Return the full base: the rulebook's, or the carried share of last period's annual (A20).

    It is never pro rata (A16).
    """
    if account.carry_over is None:
        return account.base
    return half_even(account.carry_over * (last_annual or 0), 100)


def daily_of(account: Account, base: int, category_debit: int, credit: int, debit: int) -> Daily:
    """Return base − category debits + credits − global debits, then floor, then ceiling (A10).

    Floor and ceiling clip no entry: they are lines of their own (A15).
    """
    total = base - category_debit + credit - debit
    lifted = 0 if account.floor is None else max(account.floor - total, 0)
    total += lifted
    cut = 0 if account.ceiling is None else max(total - account.ceiling, 0)
    return Daily(base, category_debit, credit, debit, lifted, cut, total - cut)


def annual_of(
    annual: Annual, daily: int, review: int | None, last_annual: int | None
) -> int | None:
    """Return the yearly figure, rounded once; None where there is no review (A18, A19, A20)."""
    if annual.kind == DAILY:
        return daily
    if review is None:
        return None
    if annual.kind == WEIGHTED:
        return half_even(annual.daily * daily + annual.review * review, 100)
    if annual.kind == ADDITIVE:
        return half_even(100 * min(daily, annual.daily_max) + annual.review * review, 100)
    if annual.kind == WEIGHTED3:
        last = annual.last * (last_annual or 0)
        return half_even(last + annual.daily * daily + annual.review * review, 100)
    raise ValueError(f"no way to an annual figure is called {annual.kind}")
