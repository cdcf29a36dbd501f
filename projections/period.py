"""Periods that a ranking is asked for: a year, a quarter or a month of act dates."""

from __future__ import annotations

import re
from calendar import monthrange
from typing import NamedTuple

from ledger.errors import FormatError

_PERIOD = re.compile(r"(\d{4})(?:-(?:Q([1-4])|(0[1-9]|1[0-2])))?", re.ASCII).fullmatch


class Period(NamedTuple):
    """A period as it is written, and its first and last day, YYYY-MM-DD, both inside it."""

    text: str
    first: str
    last: str


def parse_period(text: str) -> Period:
    """Read `2025`, `2025-Q1` or `2025-03`. Raises FormatError."""
    parts = _PERIOD(text)
    if parts is None or parts[1] == "0000":
        raise FormatError(
            f"{text[:40]!r} is no period: write a year (2025), a quarter (2025-Q1) or a month "
            "(2025-03)"
        )
    year, quarter, month = parts.groups()
    if quarter:
        first, last = int(quarter) * 3 - 2, int(quarter) * 3
    elif month:
        first = last = int(month)
    else:
        first, last = 1, 12
    days = monthrange(int(year), last)[1]
    return Period(text, f"{year}-{first:02d}-01", f"{year}-{last:02d}-{days:02d}")


def periods_of(day: str) -> tuple[str, str, str]:
    """Return the month, quarter and year of a day, YYYY-MM-DD."""
    year, month = day[:4], day[5:7]
    return f"{year}-{month}", f"{year}-Q{(int(month) + 2) // 3}", year
