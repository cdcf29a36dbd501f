"""What the analytics look at: one row an entry, folded from the log."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from ledger.domain.account import (
    CHECK,
    CLAIM_STEP,
    EFFECTIVE,
    REJECTED,
    RETURNED,
    REVERSAL,
    REVERSED,
    REVIEW,
    UPPER,
    Account,
    PointsEntry,
)
from ledger.domain.days import days_between
from ledger.domain.eligibility import acting
from ledger.domain.points import worth_now
from ledger.domain.policy import figure, version_of
from ledger.domain.way import case_of
from ledger.rules.rulebook import Item
from ledger.verify.checks.finding import Check, Ending, Finding, Moment

APPROVED, REFUSED, OPEN = "approved", "refused", "open"


class Act(NamedTuple):
    """An entry for an act, as the analytics see it.

    `group` is the member's unit on the act's date, `branch` the unit with the committee that
    decides there; `actor` is the member's own. `scorers` are all who proposed or decided, without
    the member. `price` is hundredths per unit of the item, signed, `worth` what the
    whole entry counts before caps, 0 unless it is effective; `place` where a figure lies in
    the item's range, 0 to 1, None for a fixed item. An entry that was ever returned or rejected is
    `refused`.
    """

    index: int  # type: ignore[assignment]  # hides tuple.index
    member: str
    actor: str | None
    group: str
    branch: str
    act_type: str
    category: str
    kind: str
    act_date: str
    claimed_on: str
    late: bool
    outcome: str
    price: int
    worth: int
    place: float | None
    scorers: tuple[str, ...]
    evidence: tuple[str, ...] = ()


class Acts(Check):
    """Collects the acts of a log, to be folded by `ledger.verify.checks.fold.Fold`."""

    def __init__(self, first: str, last: str) -> None:
        self._first, self._last = first, last
        self._came_in: dict[str, dict[str, int]] = {}
        self.found: list[Act] = []

    def see(self, moment: Moment) -> Iterable[Finding]:
        """Note where each entry came in."""
        if moment.before is None and moment.after is not None:
            self._came_in.setdefault(moment.member, {})[moment.after.id] = moment.event.index
        return ()

    def finish(self, ending: Ending) -> Iterable[Finding]:
        """Turn the entries whose acts lie in the days asked for into rows."""
        for member, came_in in self._came_in.items():
            account = ending.account(member)
            for entry in account.entries.values():
                if entry.kind != REVERSAL and self._first <= entry.act_date <= self._last:
                    self._add(ending, member, account, entry, came_in[entry.id])
        self.found.sort(key=lambda each: each.index)
        return ()

    def _add(
        self, ending: Ending, member: str, account: Account, entry: PointsEntry, index: int
    ) -> None:
        world = ending.world
        version = version_of(world, entry.rulebook, entry.version)
        item = version.items.get(entry.item) if version is not None else None
        known = world.members.get(member)
        if item is None or known is None or (entry.reverses or "") in account.entries:
            return  # an import names no act, and a replacement is the act of what it replaces
        case = case_of(world, member, entry, ending.today)
        worth = worth_now(world, entry)
        signed = acting(world, entry.keys_of(CLAIM_STEP, CHECK, REVIEW, UPPER))
        claimed_on = world.today(entry.claimed_at)
        late = days_between(entry.act_date, claimed_on) > figure(world, entry, "claim_window_days")
        self.found.append(
            Act(
                index=index,
                member=member,
                actor=known.actor,
                group=case.unit,
                branch=case.seat,
                act_type=item.act_type,
                category=item.category,
                kind=entry.kind,
                act_date=entry.act_date,
                claimed_on=claimed_on,
                late=late,
                outcome=_outcome(entry),
                price=worth * 100 // entry.quantity,
                worth=worth if entry.state in EFFECTIVE else 0,
                place=_place(item, entry),
                scorers=tuple(name for name in signed if name != known.actor),
                evidence=entry.evidence,
            )
        )


def _outcome(entry: PointsEntry) -> str:
    if entry.returns or entry.state in (REJECTED, RETURNED):
        return REFUSED
    return APPROVED if entry.state in EFFECTIVE or entry.state == REVERSED else OPEN


def _place(item: Item, entry: PointsEntry) -> float | None:
    if item.points is not None or item.max == item.min or entry.points is None:
        return None
    return (entry.points - item.min) / (item.max - item.min)
