"""A member as the engine sees one: type, unit and exemptions over time, and what was decided.

Days are YYYY-MM-DD and inclusive. Who the person is plays no part.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from ledger.rules.book import Book, Path
from ledger.rules.period import Period, following
from ledger.rules.rulebook import EXEMPT, FULL, MERIT, PROBATIONARY, MemberType

FOREVER = "9999-12-31"


class Spell(NamedTuple):
    """From `start` until the next spell: a type, a unit with those above it, a rulebook."""

    start: str
    member_type: str
    path: Path = ()
    rulebook: str = ""


class Days(NamedTuple):
    """From `first` to `last`, both in it."""

    first: str
    last: str = FOREVER


class Veto(NamedTuple):
    """A veto of a rulebook's version, by statement `id`; `day` is the decision's (A35)."""

    id: str
    rulebook: str
    version: str
    code: str
    day: str

    @property
    def of(self) -> tuple[str, str, str]:
        """What is confirmed at most once: a veto of a rulebook by the decision of a day."""
        return self.rulebook, self.code, self.day


@dataclass(frozen=True, slots=True)
class Member:
    """Spells in order of their start; `left` is the last day of a member who is gone."""

    id: str
    spells: tuple[Spell, ...]
    exempt: tuple[Days, ...] = ()
    suspended: tuple[Days, ...] = ()
    left: str = FOREVER
    vetoes: tuple[Veto, ...] = ()

    def spell_on(self, day: str) -> Spell | None:
        """Return the spell of `day`, None before the first and after leaving."""
        if day > self.left:
            return None
        return next((each for each in reversed(self.spells) if each.start <= day), None)

    def days_under(self, rulebook: str, period: Period) -> int:
        """Return on how many of the period's days the member was in that rulebook's unit."""
        ends = [each.start for each in self.spells[1:]] + [following(min(self.left, period.last))]
        total = 0
        for spell, end in zip(self.spells, ends, strict=True):
            first = max(spell.start, period.first)
            after = min(end, following(min(self.left, period.last)))
            if spell.rulebook == rulebook and first < after:
                total += (date.fromisoformat(after) - date.fromisoformat(first)).days
        return total

    def vetoed(self, rulebook: str, period: Period) -> tuple[Veto, ...]:
        """Return the vetoes of a rulebook whose decisions lie in a period (A35)."""
        return tuple(
            each
            for each in self.vetoes
            if each.rulebook == rulebook and period.first <= each.day <= period.last
        )

    def segments(self, period: Period) -> tuple[str, ...]:
        """Return the rulebook ids of a period in order, each once (A27).

        One means one account that runs on, whatever the units; two are two statements, each
        whole under its rules and never added.
        """
        found: dict[str, None] = {}
        for spell, end in zip(
            self.spells, [*(each.start for each in self.spells[1:]), FOREVER], strict=True
        ):
            if spell.start <= min(self.left, period.last) and end > period.first:
                found[spell.rulebook] = None
        return tuple(found)


def type_on(book: Book, member: Member, day: str) -> MemberType | None:
    """Return the member's type on `day` as the version then in force describes it."""
    spell = member.spell_on(day)
    version = spell and book.version_on(day, spell.path)
    return version.member_types.get(spell.member_type) if spell and version else None


def takes_part(book: Book, member: Member, period: Period) -> bool:
    """Tell whether the member takes part in the period's ranking (A23, A25, A26, A27).

    On the last day: of a full or probationary type that has merit, neither exempt nor suspended,
    and in this rulebook's unit; and in the rulebook's unit on at least half of the days.
    """
    spell, kind = member.spell_on(period.last), type_on(book, member, period.last)
    if spell is None or kind is None or spell.rulebook != book.id:
        return False
    if kind.standing == EXEMPT or MERIT not in kind.accounts:
        return False
    away = (*member.exempt, *member.suspended)
    if any(days.first <= period.last <= days.last for days in away):
        return False
    return 2 * member.days_under(book.id, period) >= period.days


def counts_in_denominator(book: Book, member: Member, period: Period) -> bool:
    """Tell whether the member is one of the N of the quota: full, and taking part (A24)."""
    kind = type_on(book, member, period.last)
    return kind is not None and kind.standing == FULL and takes_part(book, member, period)


def is_probationary(book: Book, member: Member, period: Period) -> bool:
    """Tell whether the member is probationary on the period's last day (A26)."""
    kind = type_on(book, member, period.last)
    return kind is not None and kind.standing == PROBATIONARY
