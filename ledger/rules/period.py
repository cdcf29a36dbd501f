"""Yearly periods that start on any day of the year, and the months and quarters in them (A9).

Days are YYYY-MM-DD, compared as text. Months, quarters and years are counted from the period's
start: with a start of 15 July the first month ends on 14 August.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import NamedTuple

MONTHS, QUARTERS = 12, 4


class Period(NamedTuple):
    """A period's first and last day, both in it."""

    first: str
    last: str

    @property
    def days(self) -> int:
        """How many days it has."""
        return (date.fromisoformat(self.last) - date.fromisoformat(self.first)).days + 1


class Place(NamedTuple):
    """Where a day lies: its period, the month and the quarter in it from 1."""

    period: Period
    month: int
    quarter: int


class Periods:
    """The periods that start on `start` (MM-DD, a day up to the 28th) of each year."""

    __slots__ = ("_periods", "_places", "start")

    def __init__(self, start: str = "01-01") -> None:
        self.start = start
        self._places: dict[str, Place] = {}
        # One object a period, so that the engine's loop can compare by identity.
        self._periods: dict[str, Period] = {}

    def place(self, day: str) -> Place:
        """Return where `day` lies; raises ValueError where it is no day of the calendar."""
        known = self._places.get(day)
        if known is None:
            known = self._places[day] = self._place(day)
        return known

    def of(self, day: str) -> Period:
        """Return the period of `day`."""
        return self.place(day).period

    def before(self, period: Period) -> Period:
        """Return the period that ends the day before `period` begins."""
        return self.of(preceding(period.first))

    def month_end(self, period: Period, month: int) -> str:
        """Return the last day of the period's month from 1."""
        first = date.fromisoformat(period.first)
        months = first.month - 1 + month
        after = first.replace(year=first.year + months // MONTHS, month=months % MONTHS + 1)
        return (after - timedelta(days=1)).isoformat()

    def quarter_end(self, period: Period, quarter: int) -> str:
        """Return the last day of the period's quarter from 1."""
        return self.month_end(period, 3 * quarter)

    def _place(self, day: str) -> Place:
        at = date.fromisoformat(day)
        start = date(at.year, int(self.start[:2]), int(self.start[3:]))
        first = start if at >= start else start.replace(year=at.year - 1)
        last = first.replace(year=first.year + 1) - timedelta(days=1)
        months = (at.year - first.year) * MONTHS + at.month - first.month - (at.day < first.day)
        period = Period(first.isoformat(), last.isoformat())
        period = self._periods.setdefault(period.first, period)
        return Place(period, months + 1, months // 3 + 1)


def following(day: str) -> str:
    """Return the day after `day`."""
    return (date.fromisoformat(day) + timedelta(days=1)).isoformat()


def preceding(day: str) -> str:
    """Return the day before `day`."""
    return (date.fromisoformat(day) - timedelta(days=1)).isoformat()
