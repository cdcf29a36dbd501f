"""Cheats 19, 20, 21 and 25: evidence, corrections, imports and redemptions."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from ledger.domain.account import (
    APPEALED,
    CHECK,
    CLAIM,
    CORRECTION,
    DIRECT,
    EFFECTIVE,
    IMPORT,
    PENDING,
    REVERSAL,
    REVIEW,
    PointsEntry,
)
from ledger.domain.days import days_between
from ledger.domain.eligibility import acting
from ledger.domain.points import worth_now
from ledger.domain.policy import DEFAULTS, short_path
from ledger.domain.texts import ERASED
from ledger.domain.way import case_of
from ledger.rules.lint import points
from ledger.verify.checks.finding import Check, Ending, Finding, Moment, finding

REDEEMED_DAYS = 30
"""A redemption so shortly before a reversal is looked at."""
UNSIGNED_MIN = 3
"""So many redemptions without the receiver's signature by one who hands out are listed."""


class Evidence(Check):
    """Cheat 19: entries that count without evidence, and evidence erased before its terms end.

    That reviewers open every piece is refused at append. Pictures that are nearly the same are
    seen in the erasable store alone.
    """

    def see(self, moment: Moment) -> Iterable[Finding]:
        """Look at what became final and at what is erased."""
        entry, index = moment.became_final, moment.event.index
        if entry is not None and entry.origin in (CLAIM, DIRECT) and not entry.evidence:
            people = (moment.member, *acting(moment.world, entry.keys_of(REVIEW)), *moment.signed)
            yield finding(19, index, people, "the entry counts and names no evidence")
        if moment.type != ERASED:
            return
        account = moment.world.accounts.get(moment.event.proposal.stream)
        commitment = moment.event.proposal.body["commitment"]
        for held in account.entries.values() if account is not None else ():
            why = _still_open(moment, held) if commitment in held.evidence else None
            if why is not None:
                people = (moment.member, *moment.signed)
                yield finding(19, index, people, f"evidence is erased while {why} (B22)")


def _still_open(moment: Moment, entry: PointsEntry) -> str | None:
    if entry.state in PENDING or entry.state == APPEALED:
        return f"its entry is {entry.state}"
    settled = max(entry.final_at or "", entry.decided_at or "")
    if not settled:
        return None
    days = days_between(moment.world.today(settled), moment.today)
    return f"its appeal term runs, {days} days after" if days <= DEFAULTS["appeal_days"] else None


class Bypasses(Check):
    """Cheat 20: a correction that raises points and walked no path, nor was ordered (B11).

    In a unit of the short path a correction is a short one, as its claim would be.
    """

    def see(self, moment: Moment) -> Iterable[Finding]:
        """Look at each correction as it takes effect."""
        before, entry = moment.before, moment.after
        if entry is None or entry.origin != CORRECTION or entry.state not in EFFECTIVE:
            return
        if before is not None and before.state in EFFECTIVE:
            return
        account = moment.world.accounts.get(moment.event.proposal.stream)
        target = account.entries.get(entry.reverses or "") if account is not None else None
        new = 0 if entry.kind == REVERSAL else worth_now(moment.world, entry)
        old = worth_now(moment.world, target) if target is not None else 0
        walked = entry.keys_of(CHECK, REVIEW) or short_path(
            moment.world, case_of(moment.world, moment.member, entry, moment.today).unit
        )
        if new > old and not walked and entry.orders is None:
            reason = (
                f"a correction raises {points(old)} to {points(new)} without check, review or a "
                "decision that orders it"
            )
            yield finding(20, moment.event.index, (moment.member, *moment.signed), reason)


class Imports(Check):
    """Cheat 21: an import by one person, after the unit's start, or a second time."""

    def see(self, moment: Moment) -> Iterable[Finding]:
        """Look at each import."""
        entry = moment.after
        if moment.type != "points.imported" or entry is None:
            return
        world, account = moment.world, moment.world.accounts.get(moment.event.proposal.stream)
        member = world.members.get(moment.member)
        unit = world.units.get(member.unit) if member is not None else None
        wrong = []
        if len(moment.signed) < 2:
            wrong.append("one person signed it")
        if unit is not None and moment.today >= unit.start:
            wrong.append(f"{unit.id} started on {unit.start}")
        same = [
            each
            for each in (account.entries.values() if account is not None else ())
            if (each.origin, each.account, each.covers) == (IMPORT, entry.account, entry.covers)
        ]
        if len(same) > 1:
            wrong.append(f"{entry.account} of {entry.covers[0]} is imported {len(same)} times")
        if wrong:
            people = (moment.member, *moment.signed)
            yield finding(21, moment.event.index, people, f"an import: {'; '.join(wrong)}")


class _Handed(NamedTuple):
    day: str
    index: int  # type: ignore[assignment]  # hides tuple.index
    by: frozenset[str]


class Redemptions(Check):
    """Cheat 25: points redeemed and then reversed by the same people, and receivers never seen.

    The receiver signs, or two witnesses do on the slip (B20); else it is refused at append.
    """

    def __init__(self) -> None:
        self._handed: dict[str, list[_Handed]] = defaultdict(list)
        self._unsigned: dict[str, list[tuple[int, str]]] = defaultdict(list)

    def see(self, moment: Moment) -> Iterable[Finding]:
        """Note redemptions; hold each reversal against the member's."""
        if moment.type == "fund.redeemed":
            self._note(moment)
        elif moment.after is not None and moment.after.reverses is not None:
            entry, before = moment.after, moment.before
            if entry.state in EFFECTIVE and (before is None or before.state not in EFFECTIVE):
                yield from self._reversed(moment, entry)

    def _note(self, moment: Moment) -> None:
        member, index = moment.event.proposal.body["member"], moment.event.index
        known = moment.world.members.get(member)
        own = known.actor if known is not None else None
        handed = _Handed(moment.today, index, frozenset(moment.signed) - {own or ""})
        self._handed[member].append(handed)
        if own not in moment.signed:
            self._unsigned[moment.event.proposal.actor].append((index, member))

    def _reversed(self, moment: Moment, entry: PointsEntry) -> Iterator[Finding]:
        account = moment.world.accounts.get(moment.event.proposal.stream)
        target = account.entries.get(entry.reverses or "") if account is not None else None
        if target is None:
            return
        steps = (*target.steps, *entry.steps)
        took_part = acting(moment.world, [k for step in steps for k in step.keyids])
        for handed in self._handed.get(moment.member, ()):
            days = days_between(handed.day, moment.today)
            same = handed.by & set(took_part)
            if 0 <= days <= REDEEMED_DAYS and same:
                reason = (
                    f"points of {moment.member} are reversed {days} days after a redemption by "
                    "the same people"
                )
                people = (moment.member, *same)
                yield finding(25, moment.event.index, people, reason, (handed.index,))

    def finish(self, ending: Ending) -> Iterable[Finding]:
        """List who hands out again and again without a receiver's signature."""
        del ending
        for actor, found in sorted(self._unsigned.items()):
            if len(found) >= UNSIGNED_MIN:
                indexes = [index for index, _ in found]
                reason = f"{actor} handed out {len(found)} times without the receiver's signature"
                people = (actor, *(member for _, member in found))
                yield finding(25, indexes[-1], people, reason, indexes)
