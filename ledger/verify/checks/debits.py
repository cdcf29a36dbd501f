"""Cheat 5: debits that cost nothing, and the choice between scopes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from ledger.domain.account import CLAIM_STEP, DEBIT, effective
from ledger.domain.eligibility import acting
from ledger.domain.policy import version_of
from ledger.domain.pricing import scored_member
from ledger.domain.redeeming import scored
from ledger.rules.stages import Scored, attribute
from ledger.verify.checks.finding import Check, Ending, Finding, Moment, finding


class _Debit(NamedTuple):
    index: int  # type: ignore[assignment]  # hides tuple.index
    proposers: tuple[str, ...]


class Swallowed(Check):
    """Lists debits of which the category's floor let nothing through, and mixed scopes.

    A debit under a floor already at zero, or one that a scorer puts under a category for some and
    on the whole score for others, though the act is the same.
    """

    def __init__(self) -> None:
        self._debits: dict[str, dict[str, _Debit]] = defaultdict(dict)
        self._scopes: dict[tuple[str, str], dict[str, list[tuple[int, str]]]] = defaultdict(dict)

    def see(self, moment: Moment) -> Iterable[Finding]:
        """Note the debits that count, and the scope of each by scorer and act type."""
        entry = moment.became_final
        if entry is None or entry.kind != DEBIT or not entry.item:
            return ()
        proposers = acting(moment.world, entry.keys_of(CLAIM_STEP))
        self._debits[moment.member][entry.id] = _Debit(moment.event.index, proposers)
        version = version_of(moment.world, entry.rulebook, entry.version)
        item = version.items.get(entry.item) if version is not None else None
        for actor in proposers if item is not None else ():
            assert item is not None  # noqa: S101 - the loop is empty without one
            by_scope = self._scopes[actor, item.act_type]
            by_scope.setdefault(item.scope, []).append((moment.event.index, moment.member))
        return ()

    def finish(self, ending: Ending) -> Iterable[Finding]:
        """Score the members with debits, and compare the scopes that a scorer chose."""
        for member, debits in sorted(self._debits.items()):
            for each in _scored(ending, member):
                debit = debits.get(each.id)
                if (
                    debit is not None
                    and each.counted == 0
                    and "category_floor" in dict(each.clipped)
                ):
                    reason = (
                        f"the debit {each.code} of {each.date} took nothing: its category's floor "
                        "was reached already"
                    )
                    yield finding(5, debit.index, (member, *debit.proposers), reason)
        for (actor, act_type), scopes in sorted(self._scopes.items()):
            if len(scopes) > 1:
                counts = ", ".join(f"{len(found)} {name}" for name, found in sorted(scopes.items()))
                flat = [each for found in scopes.values() for each in found]
                reason = f"{actor} debited {act_type} under several scopes: {counts}"
                people = (actor, *(member for _, member in flat))
                indexes = [index for index, _ in flat]
                yield finding(5, max(indexes), people, reason, indexes)


def _scored(ending: Ending, ident: str) -> Iterator[Scored]:
    world, account = ending.world, ending.account(ident)
    member = scored_member(world, ident)
    entries = [
        each
        for each in account.entries.values()
        if each.item and effective(account, each, world.accounts.get)
    ]
    for rulebook in sorted({each.rulebook for each in entries}):
        known = world.rulebooks.get(rulebook)
        if known is None or known.book is None or member is None:
            continue
        mine = (scored(world, each) for each in entries if each.rulebook == rulebook)
        for found in attribute(known.book, member, mine).values():
            yield from found.entries
