"""Decides corrections to the right price of an erratum: for past acts, and nobody's loss (B15).

The upper body names a figure that was wrong (`rulebook.erratum`). It prices nothing by itself: a
correction that cites it replaces an entry by the same act at the right figure, on the path that
every correction walks, and only where the member's total in no period and account falls, caps and
all. Whoever would lose keeps the points; the right figure then holds forward, by a new version.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ledger.domain.account import Account, PointsEntry, effective
from ledger.domain.pricing import scored_member
from ledger.domain.redeeming import scored
from ledger.domain.world import World
from ledger.errors import Refused
from ledger.rules.book import (
    CATEGORY_DEBITS,
    CREDITS,
    GLOBAL_DEBITS,
    SERVICE_CREDITS,
    SERVICE_DEBITS,
)
from ledger.rules.stages import Entry, attribute

_SAME = ("rulebook", "version", "item", "act_date", "quantity", "activity", "deed", "covers")


def need_right(
    world: World, ident: str, account: Account, target: PointsEntry | None, new: PointsEntry
) -> None:
    """Raise Refused unless `new` is the act of `target` again and no total of the member falls."""
    if target is None or any(getattr(target, name) != getattr(new, name) for name in _SAME):
        raise Refused(
            "erratum-act", "an erratum changes the price of one recorded act: repeat the act as is"
        )
    here = [
        each
        for each in account.entries.values()
        if each.rulebook == new.rulebook
        and each.account is None
        and effective(account, each, world.accounts.get)
    ]
    before = _totals(world, ident, new.rulebook, (scored(world, each) for each in here))
    rest = [scored(world, each) for each in here if each.id != target.id]
    after = _totals(world, ident, new.rulebook, [*rest, scored(world, new)])
    for named, total in before.items():
        if after.get(named, 0) < total:
            raise Refused(
                "erratum-falls",
                f"by the right price the member's {named[1]} total would fall by "
                f"{total - after.get(named, 0)} hundredths: past acts keep theirs",
            )


def _totals(
    world: World, ident: str, rulebook: str, entries: Iterable[Entry]
) -> dict[tuple[str, str], int]:
    """Return what counts by (last day of the period, account), base and clipping apart."""
    known, member = world.rulebooks.get(rulebook), scored_member(world, ident)
    assert known is not None  # noqa: S101 - it priced the act
    assert known.book is not None  # noqa: S101
    assert member is not None  # noqa: S101 - an enrolled member
    found: dict[Any, int] = {}
    for period, each in attribute(known.book, member, entries).items():
        sums = each.sums
        found[period.last, "merit"] = sums[CREDITS] - sums[CATEGORY_DEBITS] - sums[GLOBAL_DEBITS]
        found[period.last, "service"] = sums[SERVICE_CREDITS] - sums[SERVICE_DEBITS]
    return found
