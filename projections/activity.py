"""Scorer activity: who took which steps in a unit, month by month, and how long they waited.

Hours are from the step before of the same entry to this one, whoever took that; the first step of
an entry waited for nobody. They show load and delay, and judge nobody.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from statistics import median
from typing import Any, NamedTuple

import psycopg

from ledger.domain.days import zone_date
from ledger.errors import FormatError
from projections.entries import ENTRY, HAND, NAME, ZONE
from projections.finding import covered_units
from projections.fold import AsOf, Rows
from projections.sql import query

_UTC = "UTC"


class Took(NamedTuple):
    """A signature under a step of an entry of a unit."""

    entry: str
    unit: str
    step: str
    actor: str
    statement: str
    recorded_at: str


class Active(NamedTuple):
    """How often an actor took a step in a unit in a month (YYYY-MM).

    `hours` is the median since the step before, to two decimals; None where there was none.
    """

    actor: str
    step: str
    unit: str
    month: str
    steps: int
    hours: float | None


@dataclass(frozen=True, slots=True)
class Activity:
    """The scorers of a unit and those below it in a month, at a position of the log."""

    as_of: AsOf
    unit: str
    month: str
    found: tuple[Active, ...]


def from_rows(rows: Rows, as_of: AsOf, units: Iterable[str], unit: str, month: str) -> Activity:
    """Return the activity in `units` (`unit` and below) from all rows of `entries.ENTRIES`.

    Raises FormatError for what is no month.
    """
    _bounds(month)
    covered, zone = frozenset(units), rows.get(NAME, ZONE)
    of = {each.id: each.unit for each in rows.all(ENTRY) if each.unit in covered}
    took = (
        Took(each.entry, of[each.entry], each.step, each.actor, each.statement, each.recorded_at)
        for each in rows.all(HAND)
        if each.entry in of
    )
    return Activity(as_of, unit, month, active(took, zone.value if zone else _UTC, month))


def from_database(
    connection: psycopg.Connection[Any], build: int, as_of: AsOf, unit: str, month: str
) -> Activity:
    """Return the activity from a build's tables.

    Raises FormatError for what is no month, NotFoundError for an unknown unit.
    """
    first, behind = _bounds(month)
    asked = {"size": as_of.size, "first": first, "behind": behind, "zone": ZONE}
    asked["units"] = covered_units(connection, build, as_of, unit)
    found = connection.execute(query("entries", "zone", build).encode(), asked).fetchone()
    took = connection.execute(query("entries", "took", build).encode(), asked)
    zone = found[0] if found is not None else _UTC
    return Activity(as_of, unit, month, active((Took(*each) for each in took), zone, month))


def active(took: Iterable[Took], zone: str, month: str) -> tuple[Active, ...]:
    """Count the steps of a month, given all the signatures under entries that have one in it."""
    ways: dict[str, list[Took]] = {}
    for each in took:
        ways.setdefault(each.entry, []).append(each)
    counts: dict[tuple[str, str, str], int] = {}
    waits: dict[tuple[str, str, str], list[float]] = {}
    for way in ways.values():
        way.sort(key=lambda each: (each.recorded_at, each.statement))
        before: str | None = None
        at, statement = None, ""
        for each in way:
            if each.statement != statement:
                before, at, statement = at, each.recorded_at, each.statement
            if zone_date(zone, each.recorded_at)[:7] != month:
                continue
            name = (each.actor, each.step, each.unit)
            counts[name] = counts.get(name, 0) + 1
            if before is not None:
                waits.setdefault(name, []).append(_hours(before, each.recorded_at))
    return tuple(
        Active(*name, month, counts[name], round(median(waits[name]), 2) if name in waits else None)
        for name in sorted(counts)
    )


def _hours(first: str, last: str) -> float:
    between = datetime.fromisoformat(last) - datetime.fromisoformat(first)
    return between / timedelta(hours=1)


def _bounds(month: str) -> tuple[str, str]:
    """Return instants around a month in any time zone. Raises FormatError."""
    try:
        first = date.fromisoformat(f"{month}-01")
    except ValueError:
        raise FormatError(f"{month[:40]!r} is no month: write 2025-03") from None
    behind = (first + timedelta(days=32)).replace(day=1)
    return f"{first - timedelta(days=1)}T", f"{behind + timedelta(days=1)}T"
