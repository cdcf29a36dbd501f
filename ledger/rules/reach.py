"""The most that items and caps can give, so that lint sees caps that nothing reaches (A38).

Only an item of month, quarter or year units without a cap has an end of its own; occurrences,
hours and households do not, and None stands for "without end". Amounts are hundredths.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from ledger.rules.rulebook import CREDIT, EXEMPT, MERIT, Item, Version

_MONTHS = {"month": 1, "quarter": 3, "year": 12}
_YEAR = "year"

Most = int | None


class Reach:
    """What one version can give to a member of any type."""

    def __init__(self, version: Version) -> None:
        self._version = version
        self._types = [t for t in version.member_types.values() if t.standing != EXEMPT]

    def item_in_bucket(self, item: Item) -> Most:
        """Return what an item can give in a bucket of its own cap, before that cap."""
        return None if item.cap is None else _uncapped(item, item.cap.per)

    def category(self, account: str, category: str) -> Most:
        """Return what the credits of a category can give in a period, before its cap."""
        most = self._for_any_type(
            lambda mine: _sum(_item_in(each, _YEAR) for each in mine if each.category == category),
            account,
        )
        return _least(most, self._by_periods(account))

    def credits_in(self, account: str, per: str) -> Most:
        """Return what all credits of an account can give in a month or a quarter."""
        return self._for_any_type(lambda mine: _sum(_item_in(each, per) for each in mine), account)

    def total(self, account: str) -> Most:
        """Return what all credits of an account can give in a period, before the total cap."""
        return self._for_any_type(lambda mine: self._total(account, mine), account)

    def score(self) -> Most:
        """Return the highest score before the ceiling."""
        merit = self._version.merit
        if merit.carry_over is not None:
            return None
        most = _least(self.total(MERIT), merit.credit_cap)
        return None if most is None else merit.base + most

    def _total(self, account: str, mine: list[Item]) -> Most:
        caps = self._version.merit if account == MERIT else self._version.service
        by_category = _sum(
            _least(
                _sum(_item_in(each, _YEAR) for each in mine if each.category == category),
                (caps.category_caps or {}).get(category),
            )
            for category in {each.category for each in mine}
        )
        return _least(by_category, self._by_periods(account))

    def _by_periods(self, account: str) -> Most:
        """Return what the caps of months or quarters leave for a whole period."""
        caps = self._version.merit if account == MERIT else self._version.service
        return _least(*(cap.points * (12 // _MONTHS[cap.per]) for cap in caps.period_caps))

    def _for_any_type(self, most_of: Callable[[list[Item]], Most], account: str) -> Most:
        found = [
            most_of(
                [
                    item
                    for item in self._version.items.values()
                    if item.kind == CREDIT
                    and item.account == account
                    and (not item.applies_to or kind.code in item.applies_to)
                ]
            )
            for kind in self._types
            if account in kind.accounts
        ]
        if None in found:
            return None
        return max((each for each in found if each is not None), default=0)


def _uncapped(item: Item, per: str) -> Most:
    """Return what an item gives in a span of `per`: a unit lies in one span, the last day's."""
    if item.unit not in _MONTHS or per not in _MONTHS:
        return None
    return item.max * max(_MONTHS[per] // _MONTHS[item.unit], 1)


def _item_in(item: Item, per: str) -> Most:
    """Return what an item gives in a span of `per`, its own cap applied."""
    most = _uncapped(item, per)
    if item.cap is None or item.cap.per not in _MONTHS:
        return most
    spans = max(_MONTHS[per] // _MONTHS[item.cap.per], 1)
    return _least(most, item.cap.points * spans)


def _least(*amounts: Most) -> Most:
    return min((each for each in amounts if each is not None), default=None)


def _sum(amounts: Iterable[Most]) -> Most:
    total = 0
    for each in amounts:
        if each is None:
            return None
        total += each
    return total
