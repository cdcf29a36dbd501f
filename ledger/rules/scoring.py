"""The score of one member in one period: rulebook versions + types over time + effective entries.

    entries ──stages──▶ counted ──daily──▶ floor, ceiling ──annual──▶ band

`score` is a function of a set: the order in which entries were recorded cannot change it (A11).
Which entries are effective at a position of the log is the caller's matter (A29, A31, A32, A37);
so are the terms and people of an entry's way (A30, A33) and the units that a month, quarter or
year statement covers (A8).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ledger.errors import Refused
from ledger.rules.book import (
    CATEGORY_DEBITS,
    CREDITS,
    GLOBAL_DEBITS,
    SERVICE_CREDITS,
    SERVICE_DEBITS,
    Book,
)  # fmt: skip
from ledger.rules.components import annual_of, base_of, daily_of
from ledger.rules.member import Member
from ledger.rules.period import Period
from ledger.rules.rulebook import EXEMPT, MERIT, SERVICE, MemberType
from ledger.rules.stages import Attribution, Entry, Scored, attribute, path_in

UNQUALIFIED = "unqualified"


@dataclass(frozen=True, slots=True)
class Reading:
    """What is asked: a period, and what was decided in it apart from entries.

    `through` leaves out acts after that day (a quarter's table, A28). `review` is hundredths, and
    counts once `review_closed` (A21). `last_annual` is last period's figure as it stands at the
    position read (A20).
    """

    period: Period
    through: str | None = None
    review_closed: bool = False
    review: int | None = None
    last_annual: int | None = None
    unknown_is_zero: bool = False
    """What-if: an item that the rules lack is worth nothing and is listed (A37)."""


@dataclass(frozen=True, slots=True)
class Score:
    """A member's figures in a period, hundredths; None where there is no such figure.

    `merit` is the figure to rank and band by: daily while `provisional`, then annual (A21).
    `service` is what was earned in the period (A17). `band` is by `merit`, `grade` is what a veto
    makes of it (A35). Totals of debits are positive.
    """

    member: str
    rulebook: str
    version: str
    member_type: str
    standing: str
    base_total: int | None
    base: int | None
    credit: int | None
    category_debit: int | None
    global_debit: int | None
    lifted_to_floor: int | None
    cut_at_ceiling: int | None
    daily: int | None
    review: int | None
    annual: int | None
    provisional: bool
    merit: int | None
    service: int | None
    band: str | None
    grade: str | None
    entries: tuple[Scored, ...]
    unknown: tuple[str, ...]


def score(book: Book, member: Member, entries: Iterable[Entry], reading: Reading) -> Score:
    """Return the member's figures, and for each entry of the period what it counted and why.

    `entries` are all of the member's effective entries under this rulebook, also those of other
    periods: an activity's cap runs over them (A9). Raises Refused where an entry does not fit the
    rules that price it, which cannot be where it was admitted by the same rules.
    """
    period = reading.period
    if reading.through is not None:
        entries = [each for each in entries if each.date <= reading.through]
    found = attribute(book, member, entries, unknown_is_zero=reading.unknown_is_zero)
    attribution = found.get(period) or Attribution([0, 0, 0, 0, 0], [], {})
    version = book.governing(period, path_in(book, member, period))
    if version is None:
        raise Refused("rulebook-in-force", f"{book.id} has no version in force in {period.first}")
    kind = _last_type(book, member, period, reading.through)
    accounts = () if kind is None or kind.standing == EXEMPT else kind.accounts

    sums = attribution.sums
    daily = annual = merit = band = None
    has_review = version.annual.has_review
    if MERIT in accounts:
        daily = daily_of(
            version.merit,
            base_of(version.merit, reading.last_annual),
            sums[CATEGORY_DEBITS],
            sums[CREDITS],
            sums[GLOBAL_DEBITS],
        )
        if reading.review_closed or not has_review:
            annual = annual_of(version.annual, daily.daily, reading.review, reading.last_annual)
            merit = annual
        else:
            merit = daily.daily
        band = None if merit is None else version.band(merit)
    vetoed = member.vetoed(book.id, Period(period.first, reading.through or period.last))
    earned = sums[SERVICE_CREDITS] - sums[SERVICE_DEBITS]
    return Score(
        member=member.id,
        rulebook=book.id,
        version=version.version,
        member_type=kind.code if kind else "",
        standing=kind.standing if kind else EXEMPT,
        base_total=daily and daily.base_total,
        base=daily and daily.base,
        credit=daily and daily.credit,
        category_debit=daily and daily.category_debit,
        global_debit=daily and daily.global_debit,
        lifted_to_floor=daily and daily.lifted_to_floor,
        cut_at_ceiling=daily and daily.cut_at_ceiling,
        daily=daily and daily.daily,
        review=reading.review if reading.review_closed and daily else None,
        annual=annual,
        provisional=has_review and not reading.review_closed and daily is not None,
        merit=merit,
        service=earned if SERVICE in accounts else None,
        band=band,
        grade=UNQUALIFIED if vetoed and daily else band,
        entries=tuple(attribution.entries),
        unknown=tuple(sorted({each.code for each in attribution.entries if not each.account})),
    )


def _last_type(
    book: Book, member: Member, period: Period, through: str | None
) -> MemberType | None:
    """Return the type of the last day that the reading covers and the member was here (A26)."""
    day = min(period.last, through or period.last, member.left)
    spell = member.spell_on(day) or (member.spells[0] if member.spells else None)
    version = spell and (book.version_on(day, spell.path) or book.governing(period, spell.path))
    return version.member_types.get(spell.member_type) if spell and version else None
