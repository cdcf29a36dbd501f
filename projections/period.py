"""Periods that a table is asked for: a year, a quarter or a month of a rulebook's year.

A rulebook's year may begin on any day; its months and quarters are counted from there (A9), and
named after the calendar year in which it begins. A table is a running total: it has the acts from
the year's first day to the period's last (A28).
"""

from __future__ import annotations

import re
from typing import NamedTuple

from ledger.domain.period import MONTH, QUARTER, YEAR
from ledger.errors import FormatError
from ledger.rules.period import MONTHS, Periods, following
from ledger.rules.period import Period as Days

_PERIOD = re.compile(r"(\d{4})(?:-(?:Q([1-4])|(0[1-9]|1[0-2])))?", re.ASCII).fullmatch


class Period(NamedTuple):
    """A period as it is written: the year in which its rulebook's year begins, its last month."""

    text: str
    year: int
    month: int

    @property
    def whole(self) -> bool:
        """Whether it is a year."""
        return len(self.text) == len("2025")

    @property
    def kind(self) -> str:
        """Which kind of period it is, as `period.opened` names them."""
        return YEAR if self.whole else QUARTER if "Q" in self.text else MONTH

    def term(self, periods: Periods) -> tuple[Days, str]:
        """Return the rulebook's year, and the last day of this period in it."""
        year = periods.of(f"{self.year:04d}-{periods.start}")
        return year, periods.month_end(year, self.month)

    def days(self, periods: Periods) -> tuple[str, str]:
        """Return the first and last day of this period alone."""
        year, last = self.term(periods)
        months = MONTHS if self.whole else 3 if "Q" in self.text else 1
        before = self.month - months
        return (following(periods.month_end(year, before)) if before else year.first), last


def parse_period(text: str) -> Period:
    """Read `2025`, `2025-Q1` or `2025-03`. Raises FormatError."""
    parts = _PERIOD(text)
    if parts is None or not "0001" <= parts[1] <= "9998":
        raise FormatError(
            f"{text[:40]!r} is no period: write a year (2025), a quarter (2025-Q1) or a month "
            "(2025-03)"
        )
    year, quarter, month = parts.groups()
    return Period(text, int(year), int(quarter) * 3 if quarter else int(month or MONTHS))
