"""Days of the calendar in the organisation's time zone."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from ledger.errors import Refused


def zone_date(time_zone: str, instant: str) -> str:
    """Return the date (YYYY-MM-DD) of an RFC 3339 UTC instant in an IANA time zone.

    Raises Refused for an instant whose date lies outside the years 1 to 9999 there.
    """
    # Offsets are whole seconds: the entries of a batch, or of one second, share one answer.
    return _date_of_second(time_zone, instant[:19])


@lru_cache(maxsize=256)
def _date_of_second(time_zone: str, second: str) -> str:
    utc = datetime.fromisoformat(second).replace(tzinfo=UTC)
    try:
        return utc.astimezone(ZoneInfo(time_zone)).date().isoformat()
    except OverflowError:
        raise Refused("recorded-at", f"{second} has no date in the zone {time_zone}") from None


def day_end(time_zone: str, day: str) -> datetime:
    """Return the instant at which a day is over in an IANA time zone, in UTC."""
    after = date.fromisoformat(day) + timedelta(days=1)
    midnight = datetime(after.year, after.month, after.day, tzinfo=ZoneInfo(time_zone))
    return midnight.astimezone(UTC)


def dates(first: str, last: str) -> Iterator[str]:
    """Yield the days from `first` to `last`, both included."""
    day = date.fromisoformat(first)
    while day.isoformat() <= last:
        yield day.isoformat()
        day += timedelta(days=1)


def real_date(text: str, what: str) -> str:
    """Return `text` if it is a date of the calendar, else raise Refused."""
    try:
        date.fromisoformat(text)
    except ValueError:
        raise Refused("real-date", f"{what} {text} is no date of the calendar") from None
    return text


def days_between(first: str, last: str) -> int:
    """Return how many days there are from `first` to `last`, the first not counted."""
    return (date.fromisoformat(last) - date.fromisoformat(first)).days
