"""The working-day calendar, and where a term of working or natural days ends (rule A34).

A calendar is what `calendar.published` says, a year at a time: holidays on which nobody works,
and workdays at weekends on which everybody does. Days that no list names are working days from
Monday to Friday. Days are YYYY-MM-DD in the organisation's zone; a term ends at 24:00 of the day
that these functions return, so what is recorded on that day is in time.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

TERM_DAYS_MAX = 3660
"""Longer terms are a mistake: it bounds the walk over the days."""


@dataclass(frozen=True, slots=True)
class Calendar:
    """Days that differ from Monday to Friday; both sets hold YYYY-MM-DD."""

    holidays: frozenset[str] = frozenset()
    workdays: frozenset[str] = frozenset()

    def with_year(self, year: int, holidays: Iterable[str], workdays: Iterable[str]) -> Calendar:
        """Return the calendar after a year was published; its lists replace those of that year."""
        prefix = f"{year:04d}-"
        return Calendar(
            frozenset(d for d in self.holidays if not d.startswith(prefix)) | frozenset(holidays),
            frozenset(d for d in self.workdays if not d.startswith(prefix)) | frozenset(workdays),
        )

    def without(self, days: frozenset[str]) -> Calendar:
        """Return the calendar in which nobody works on `days` either."""
        return Calendar(self.holidays | days, self.workdays - days) if days else self

    def is_working(self, day: str) -> bool:
        """Tell whether `day` is a working day."""
        if day in self.workdays:
            return True
        return day not in self.holidays and date.fromisoformat(day).weekday() < 5


def working_term_end(calendar: Calendar, event: str, days: int) -> str:
    """Return the last day of a term of `days` working days after the day of its event (A34)."""
    _bounded(days)
    at = date.fromisoformat(event)
    limit = at + timedelta(days=TERM_DAYS_MAX)
    left = days
    while left:
        at += timedelta(days=1)
        if at > limit:
            raise ValueError(f"{days} working days after {event} end more than ten years later")
        left -= calendar.is_working(at.isoformat())
    return at.isoformat()


def natural_term_end(event: str, days: int) -> str:
    """Return the last day of a term of `days` natural days after the day of its event."""
    _bounded(days)
    return (date.fromisoformat(event) + timedelta(days=days)).isoformat()


def term_end(opening: Calendar, later: Calendar, event: str, days: int) -> str:
    """Return a working-day term's end after a later calendar came: it can only move later (A34).

    `opening` is the calendar at the term's opening, `later` the one in force now.
    """
    return max(working_term_end(opening, event, days), working_term_end(later, event, days))


def _bounded(days: int) -> None:
    if not 1 <= days <= TERM_DAYS_MAX:
        raise ValueError(f"a term of {days} days: it has 1 to {TERM_DAYS_MAX}")
