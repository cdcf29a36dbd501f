"""Which table is asked for: a unit with those below it, a rulebook in force there, and its days.

A unit with several rulebooks has a table for each.
"""

from __future__ import annotations

from typing import NamedTuple

from ledger.domain.pricing import books_on
from ledger.domain.unit import Unit
from ledger.errors import FormatError, NotFoundError
from ledger.rules.book import Book
from ledger.rules.period import Period as Days
from ledger.rules.rulebook import Version
from projections.frame import Frame
from projections.period import Period


class Asked(NamedTuple):
    """A table: without `rulebook` that of the unit's only one; of one member type; of one module.

    A module's table has what its items counted, credits less debits, without any base.
    """

    unit: str
    period: Period
    rulebook: str | None = None
    member_type: str | None = None
    category: str | None = None


class Scope(NamedTuple):
    """What a table is of, once its rulebook is known."""

    asked: Asked
    book: Book
    year: Days
    last: str
    units: dict[str, Unit]
    version: Version | None


def rulebooks(frame: Frame, unit: str, period: Period) -> list[str]:
    """Return the rulebooks of a unit and its sub-units at the end of a period (A21).

    Raises NotFoundError for an unknown unit.
    """
    if frame.unit(unit) is None:
        raise NotFoundError(f"no unit {unit!r} is recorded: ask for one by its id, such as `root`")
    name = ("rulebooks", unit, period)
    found = frame.kept.get(name)
    if found is None:
        ids = set()
        for book in frame.books():
            _, last = period.term(book.periods)
            if any(book in books_on(frame.world, u, last) for u in frame.covered(unit, last)):
                ids.add(book.id)
        found = frame.kept[name] = sorted(ids)
    assert isinstance(found, list)  # noqa: S101 - put there above
    return found


def scope_of(frame: Frame, asked: Asked) -> Scope:
    """Return what a table is of. Raises NotFoundError, or FormatError where it must say more."""
    ids = rulebooks(frame, asked.unit, asked.period)
    if asked.rulebook is None and len(ids) > 1:
        listed = ", ".join(ids)
        raise FormatError(f"{asked.unit} has a table for each of {listed}: say which rulebook")
    if asked.rulebook is None and not ids:
        raise NotFoundError(
            f"no rulebook is in force in {asked.unit} at the end of {asked.period.text}"
        )
    book = frame.book(asked.rulebook or ids[0])
    if book is None:
        raise NotFoundError(f"no rulebook {asked.rulebook!r} is published in this log")
    year, last = asked.period.term(book.periods)
    units = frame.covered(asked.unit, last)
    version = None
    for unit in units:
        version = version or book.governing(year, frame.path(unit, year.first))
    return Scope(asked, book, year, last, units, version)
