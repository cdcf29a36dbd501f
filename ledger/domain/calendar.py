"""The working-day calendar and its history, and where a term that opened once ends (A34).

`calendar.published` on `unit/root` replaces a year of it. Every calendar that was ever in force is
kept with the instant from which it counted, because a term's end is computed with the calendar at
its opening, and a later calendar replaces it only where it gives a later end. So an edited
calendar can lengthen a running term and never cut it short, and replay finds the same day.
"""

from __future__ import annotations

from dataclasses import dataclass

from ledger.domain.event import Event
from ledger.rules.calendar import Calendar

PUBLISHED = "calendar.published"


@dataclass(frozen=True, slots=True)
class Calendars:
    """Calendars with the `recorded_at` from which each counts, oldest first."""

    changes: tuple[tuple[str, Calendar], ...] = (("", Calendar()),)

    def at(self, instant: str) -> Calendar:
        """Return the calendar in force at an instant."""
        return next(each for since, each in reversed(self.changes) if since <= instant)

    def from_on(self, instant: str) -> tuple[Calendar, ...]:
        """Return the calendar in force at an instant and every later one."""
        return (self.at(instant), *(each for since, each in self.changes if since > instant))


def evolve(calendars: Calendars | None, event: Event) -> Calendars:
    """Fold a `calendar.published`."""
    known = calendars or Calendars()
    body = event.proposal.body
    after = known.changes[-1][1].with_year(body["year"], body["holidays"], body["workdays"])
    return Calendars((*known.changes, (event.recorded_at, after)))
