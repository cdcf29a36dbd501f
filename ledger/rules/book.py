"""All versions of one rulebook: which of them prices an act, and which governs a period.

A book is built once and read by many members' scores; it keeps, for every version and member
type, a table of what the engine's loop needs of each item.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from ledger.errors import FormatError
from ledger.rules.period import Period, Periods, following
from ledger.rules.rulebook import CATEGORY, CREDIT, MERIT, Item, Version

Path = tuple[str, ...]
"""A unit and those above it, the unit first, the root last; empty: scope is not looked at."""


class Rule(NamedTuple):
    """What the loop over the entries needs of one item of one version, points in hundredths."""

    credit: bool
    points: int | None
    min: int
    max: int
    step: int
    min_minutes: int | None
    """Set for hour items of a rulebook that counts minutes (rule A7)."""
    cap_per: str | None
    cap: int
    group: str | None
    side: int
    """Where it is added up: see CREDITS and the names after it."""
    account: str
    category: tuple[str, str]
    category_cap: int | None
    total: tuple[str]
    """The account as a bucket: no item code can be equal to it."""
    period_caps: tuple[tuple[str, int], ...]
    total_cap: int | None
    needs_activity: bool


CREDITS, CATEGORY_DEBITS, GLOBAL_DEBITS, SERVICE_CREDITS, SERVICE_DEBITS = range(5)

Table = Mapping[str, Rule]


class Book:
    """The versions of one rulebook id, pilots among them."""

    __slots__ = ("_tables", "id", "periods", "pilots", "published")

    def __init__(self, ident: str, versions: Iterable[Version]) -> None:
        known = tuple(versions)
        self.id = ident
        self.published = tuple(
            sorted((v for v in known if v.pilot is None), key=lambda v: v.effective_from)
        )
        self.pilots = tuple(v for v in known if v.pilot is not None)
        starts = {each.period_start for each in known}
        if len(starts) != 1:
            raise FormatError(f"{ident}: all versions of a rulebook share one start of the period")
        if len({v.effective_from for v in self.published}) != len(self.published):
            raise FormatError(f"{ident}: two versions come into force on the same day")
        self.periods = Periods(starts.pop())
        self._tables: dict[tuple[int, str], Table] = {}

    def version_on(self, day: str, path: Path = ()) -> Version | None:
        """Return the version that prices an act of `day` in the unit `path[0]` (A2, A3).

        A pilot wins in its units and dates; before and after it, the latest published version
        whose unit is in the path. Claims, reviews and publicity play no part.
        """
        for pilot in reversed(self.pilots):
            where = pilot.pilot
            if where and where.first <= day <= where.last and not where.units.isdisjoint(path):
                return pilot
        for version in reversed(self.published):
            in_scope = not path or not version.unit or version.unit in path
            if version.effective_from <= day and in_scope:
                return version
        return None

    def governing(self, period: Period, path: Path = ()) -> Version | None:
        """Return the version whose base, floors, ceiling, weights, bands and quota hold (A16).

        It is the one in force on the period's first day, else the first one that comes in it.
        """
        found = self.version_on(period.first, path)
        if found is not None:
            return found
        for day in self.boundaries():
            if period.first < day <= period.last:
                found = self.version_on(day, path)
                if found is not None:
                    return found
        return None

    def boundaries(self) -> list[str]:
        """Return every day on which another version may begin to price acts, sorted."""
        days = {v.effective_from for v in self.published}
        for pilot in self.pilots:
            if pilot.pilot:
                days |= {pilot.pilot.first, following(pilot.pilot.last)}
        return sorted(days)

    def table(self, version: Version, member_type: str) -> Table:
        """Return the rules of `version` for members of `member_type`, by item code (A4, A25)."""
        key = (id(version), member_type)
        known = self._tables.get(key)
        if known is None:
            known = self._tables[key] = _table(version, member_type)
        return known


def nearest(books: Iterable[Book], path: Path, day: str) -> Sequence[Book]:
    """Return the rulebooks of the nearest unit of `path` that has one in force on `day` (A2).

    Usually that is one; a unit with several has a table for each (A21).
    """
    known = tuple(books)
    for depth in range(len(path)):
        here = []
        for book in known:
            version = book.version_on(day, path)
            if version is None:
                continue
            units = version.pilot.units if version.pilot else {version.unit}
            if path[depth] in units:
                here.append(book)
        if here:
            return here
    return ()


def _table(version: Version, member_type: str) -> Table:
    known = version.member_types.get(member_type)
    if known is None:
        return {}
    return {
        item.code: _rule(version, item)
        for item in version.items.values()
        if item.account in known.accounts
        and (not item.applies_to or member_type in item.applies_to)
    }


def _rule(version: Version, item: Item) -> Rule:
    credit, merit = item.kind == CREDIT, item.account == MERIT
    account = version.merit if merit else version.service
    if credit:
        side = CREDITS if merit else SERVICE_CREDITS
    elif merit:
        side = CATEGORY_DEBITS if item.scope == CATEGORY else GLOBAL_DEBITS
    else:
        side = SERVICE_DEBITS
    min_minutes = version.min_minutes if item.unit == "hour" else None
    per = item.cap.per if item.cap else None
    return Rule(
        credit=credit,
        points=item.points,
        min=item.min,
        max=item.max,
        step=item.step,
        min_minutes=min_minutes,
        cap_per=per,
        cap=item.cap.points if item.cap else 0,
        group=item.exclusive_group if credit else None,
        side=side,
        account=item.account,
        category=(item.account, item.category),
        category_cap=(account.category_caps or {}).get(item.category) if credit else None,
        total=(item.account,),
        period_caps=account.period_caps if credit else (),
        total_cap=account.credit_cap if credit else None,
        needs_activity=per == "activity" or min_minutes is not None,
    )
