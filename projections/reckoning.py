"""A member's figures by month, from what counts of the member's acts: the engine, run over rows.

Tables are running totals (A28): that of a month, a quarter or a year has the acts from the year's
first day to its own last. So a year is a list of segments, each holding from one month until
another; most years have few. What is imported is no act of an item and passes no cap: a whole past
year's balance is that year's figure, and carries over (A20); an opening balance stands on top of
the base.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Annotated, NamedTuple

from ledger.domain.account import CREDIT
from ledger.domain.policy import version_of
from ledger.errors import Refused
from ledger.rules.book import (
    CATEGORY_DEBITS,
    CREDITS,
    GLOBAL_DEBITS,
    SERVICE_CREDITS,
    SERVICE_DEBITS,
    Book,
)
from ledger.rules.components import annual_of, base_of, daily_of
from ledger.rules.member import Member
from ledger.rules.period import MONTHS, Period
from ledger.rules.rulebook import EXEMPT, MERIT, SERVICE, WEIGHTED3, Version
from ledger.rules.scoring import UNQUALIFIED
from ledger.rules.stages import Attribution, Entry, attribute, path_in, regimes
from projections.acts import ActRow, entry_of
from projections.columns import DATE, POINTS, Note
from projections.frame import Frame

RANKED, EXEMPTED, SUSPENDED, SHORT = "ranked", "exempt", "suspended", "short"
NO_MERIT, UNTYPED, ELSEWHERE, ABSENT, GONE = "no_merit", "untyped", "elsewhere", "absent", "left"
NOT_REVIEWED = "not_reviewed"
APART = frozenset({EXEMPTED, SUSPENDED, SHORT, NO_MERIT, UNTYPED, NOT_REVIEWED})
"""Listed beside the ranking, with the reason (A21, A23, A25, A27); others are not here at all."""


class ScoreRow(NamedTuple):
    """A member's figures under a rulebook in the tables of some months of a year.

    Debits are positive; where the member's type has no such account there is no figure.
    """

    member: Annotated[str, Note("The member's id.")]
    rulebook: Annotated[str, Note("The rulebook's id.")]
    year: Annotated[str, Note("First day of the rulebook's year.", kind=DATE)]
    from_month: Annotated[int, Note("First month, from 1, whose table has this row.", "month")]
    until_month: Annotated[int, Note("First month whose table has it no longer.", "month")]
    unit: Annotated[str, Note("The member's unit on those months' last days.")]
    member_type: Annotated[str, Note("The member's type on those days.")]
    standing: Annotated[str, Note("What the type is: full, probationary or exempt.")]
    place: Annotated[str, Note("ranked, or why the member is not.")]
    version: Annotated[str, Note("The version whose base, bands and weights hold.")]
    base_total: Annotated[int | None, Note("The full base.", POINTS)]
    credit: Annotated[int | None, Note("Credits counted.", POINTS)]
    category_debit: Annotated[int | None, Note("Debits counted within categories.", POINTS)]
    global_debit: Annotated[int | None, Note("Debits counted beside them.", POINTS)]
    lifted: Annotated[int | None, Note("What the score's floor added.", POINTS)]
    cut: Annotated[int | None, Note("What the score's ceiling took.", POINTS)]
    daily: Annotated[int | None, Note("Base, credits and debits together.", POINTS)]
    review: Annotated[int | None, Note("The democratic review, once it is closed.", POINTS)]
    annual: Annotated[int | None, Note("The figure of the year, once it can be known.", POINTS)]
    service: Annotated[int | None, Note("Service points earned.", POINTS)]
    band: Annotated[str | None, Note("The band of the daily figure.")]
    grade: Annotated[str | None, Note("The band of the year's figure.")]
    imported: Annotated[bool, Note("Whether something imported is in it.")]
    veto: Annotated[
        str | None, Note("The vetoes, by name, that make band and grade unqualified (A35).")
    ]


class Position(NamedTuple):
    """Where a member stands on a day: unit, type, what the type is, and whether it is ranked."""

    unit: str
    member_type: str
    standing: str
    place: str
    accounts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Reckoned:
    """A member's acts under one rulebook, attributed by the engine.

    `entries` are those that it could price; `unfit` are ids of acts that the rules in force do not
    fit: they count nothing.
    """

    book: Book
    member: Member
    entries: tuple[Entry, ...]
    found: dict[Period, Attribution]
    unfit: tuple[str, ...]
    imports: tuple[ActRow, ...]


def reckon(frame: Frame, member: Member, acts: Iterable[ActRow], book: Book) -> Reckoned:
    """Attribute what counts of a member's acts under a rulebook."""
    entries, imports = [], []
    version, fixed = None, frozenset[str]()
    for act in acts:
        if act.counts and act.rulebook == book.id:
            if act.account is None:
                if act.version != version:
                    version, fixed = act.version, fixed_items(frame, book.id, act.version)
                entries.append(entry_of(act, fixed=act.item in fixed))
            else:
                imports.append(act)
    entries, unfit, found = _attributed(frame, book, member, entries)
    return Reckoned(book, member, tuple(entries), found, unfit, tuple(imports))


def _attributed(
    frame: Frame, book: Book, member: Member, entries: list[Entry]
) -> tuple[list[Entry], tuple[str, ...], dict[Period, Attribution]]:
    name = ("regimes", book.id, member.spells, member.exempt, member.left)
    rules = frame.kept.get(name)
    if rules is None:
        rules = frame.kept[name] = regimes(book, member)
    assert isinstance(rules, list)  # noqa: S101 - put there above
    try:
        return entries, (), attribute(book, member, entries, unknown_is_zero=True, rules=rules)
    except Refused:
        fit = [each for each in entries if _fits(book, member, each)]
        unfit = sorted({each.id for each in entries} - {each.id for each in fit})
        return fit, tuple(unfit), attribute(book, member, fit, unknown_is_zero=True)


def _fits(book: Book, member: Member, entry: Entry) -> bool:
    try:
        attribute(book, member, [entry], unknown_is_zero=True)
    except Refused:
        return False
    return True


def fixed_items(frame: Frame, rulebook: str, version: str) -> frozenset[str]:
    """Return the codes of a version's items with fixed points: their entries bring none."""
    name = ("fixed", rulebook, version)
    found = frame.kept.get(name)
    if found is None:
        known = version_of(frame.world, rulebook, version)
        items = known.items.values() if known is not None else ()
        found = frame.kept[name] = frozenset(i.code for i in items if i.points is not None)
    assert isinstance(found, frozenset)  # noqa: S101 - put there above
    return found


def segments(frame: Frame, reckoned: Reckoned, year: Period, first: int = 1) -> list[ScoreRow]:
    """Return the rows of a year, in order; none where the rulebook did not reach the member.

    Those that end before the month `first`, and do not border on it, are left out: what comes in
    that month changes neither their figures nor where they end.
    """
    book, member = reckoned.book, reckoned.member
    version = book.governing(year, path_in(book, member, year))
    if version is None:
        return []
    positions = _positions(frame, book, member, year)
    sums = _running(reckoned, year)
    if not sums and all(each.place in (ELSEWHERE, ABSENT, GONE) for each in positions):
        return []
    last = last_annual(frame, reckoned, year, version)
    vetoed = {book.periods.place(each.day).month for each in member.vetoed(book.id, year)}
    starts = [
        month
        for month in range(1, MONTHS + 1)
        if month == 1
        or month in sums
        or month in vetoed
        or positions[month - 1] != positions[month - 2]
    ]
    rows, now = [], Running((0, 0, 0, 0, 0), None, imported=False)
    for month, until in zip(starts, [*starts[1:], MONTHS + 1], strict=True):
        now = sums.get(month, now)
        if until < first:
            continue
        position = positions[month - 1]
        rows.append(_row(frame, reckoned, year, version, (month, until), position, now, last))
    return rows


class Running(NamedTuple):
    """What a year's acts came to by the end of a month: sums by side, and an imported figure."""

    sums: Sequence[int]
    annual: int | None
    imported: bool


def _running(reckoned: Reckoned, year: Period) -> dict[int, Running]:
    """Return the running totals of a year at the end of every month that has acts."""
    place = reckoned.book.periods.place
    found = reckoned.found.get(year)
    by_month = found.months if found is not None else {}
    whole: dict[int, list[int]] = {}
    if any(each.deed is not None for each in reckoned.entries):
        # A later deed may outdo an earlier one (A12): a month's end does not know of it yet.
        whole = {month: _sums_through(reckoned, year, month) for month in by_month}
    imports: dict[int, list[ActRow]] = {}
    for act in reckoned.imports:
        at = place(str(act.act_date))
        if at.period == year:
            imports.setdefault(at.month, []).append(act)
    total, annual, imported = [0, 0, 0, 0, 0], None, False
    brought, rows = [0, 0, 0, 0, 0], {}
    for month in sorted({*by_month, *imports}):
        for side, amount in enumerate(by_month.get(month, ())):
            total[side] += amount
        for act in imports.get(month, ()):
            imported, amount = True, (act.points or 0) * act.quantity // 100
            signed = amount if act.kind == CREDIT else -amount
            if act.account == MERIT and str(act.act_date) == year.last:
                annual = (annual or 0) + signed
            elif act.account == MERIT:
                brought[CREDITS if act.kind == CREDIT else GLOBAL_DEBITS] += amount
            else:
                brought[SERVICE_CREDITS if act.kind == CREDIT else SERVICE_DEBITS] += amount
        sums = whole.get(month, total) if month in whole or not whole else total
        rows[month] = Running(
            tuple(a + b for a, b in zip(sums, brought, strict=True)), annual, imported
        )
    return rows


def _sums_through(reckoned: Reckoned, year: Period, month: int) -> list[int]:
    end = reckoned.book.periods.month_end(year, month)
    entries = [each for each in reckoned.entries if each.date <= end]
    found = attribute(reckoned.book, reckoned.member, entries, unknown_is_zero=True)
    return found[year].sums if year in found else [0, 0, 0, 0, 0]


def last_annual(
    frame: Frame, reckoned: Reckoned, year: Period, version: Version | None = None
) -> int | None:
    """Return the last period's annual figure as it stands, where this one's rules read it (A20)."""
    book = reckoned.book
    version = version or book.governing(year, path_in(book, reckoned.member, year))
    if version is None or (version.merit.carry_over is None and version.annual.kind != WEIGHTED3):
        return None
    before = book.periods.before(year)
    rows = segments(frame, reckoned, before)
    if rows:
        return rows[-1].annual
    sums = _running(reckoned, before)
    return sums[max(sums)].annual if sums else None


def _row(
    frame: Frame,
    reckoned: Reckoned,
    year: Period,
    version: Version,
    months: tuple[int, int],
    position: Position,
    now: Running,
    last: int | None,
) -> ScoreRow:
    member, sums = reckoned.member, now.sums
    daily = review = annual = None
    if MERIT in position.accounts:
        daily = daily_of(
            version.merit,
            base_of(version.merit, last),
            sums[CATEGORY_DEBITS],
            sums[CREDITS],
            sums[GLOBAL_DEBITS],
        )
        if now.annual is not None:
            # A whole past year from paper: its figure is what the sheet says, base and all.
            daily, annual = daily._replace(daily=now.annual), now.annual
        elif not version.annual.has_review:
            annual = daily.daily
        elif months[1] > MONTHS:
            review, closed = review_of(frame, reckoned.book.id, member, year)
            if closed:
                annual = annual_of(version.annual, daily.daily, review, last)
            else:
                review = None
    veto = _veto(frame, reckoned.book, member, year, months[0]) if daily is not None else None
    earned = sums[SERVICE_CREDITS] - sums[SERVICE_DEBITS]
    return ScoreRow(
        member=member.id,
        rulebook=reckoned.book.id,
        year=year.first,
        from_month=months[0],
        until_month=months[1],
        unit=position.unit,
        member_type=position.member_type,
        standing=position.standing,
        place=position.place,
        version=version.version,
        base_total=daily and daily.base_total,
        credit=daily and daily.credit,
        category_debit=daily and daily.category_debit,
        global_debit=daily and daily.global_debit,
        lifted=daily and daily.lifted_to_floor,
        cut=daily and daily.cut_at_ceiling,
        daily=daily and daily.daily,
        review=review,
        annual=annual,
        service=earned if SERVICE in position.accounts else None,
        band=_band(version, daily and daily.daily, veto),
        grade=_band(version, annual, veto),
        imported=now.imported,
        veto=veto,
    )


def _band(version: Version, figure: int | None, veto: str | None) -> str | None:
    if veto is not None:
        return UNQUALIFIED
    return version.band(figure) if figure is not None else None


def _veto(frame: Frame, book: Book, member: Member, year: Period, month: int) -> str | None:
    """Return the names of a year's vetoes up to a month; earlier tables know nothing of them."""
    names = []
    for each in member.vetoed(book.id, year):
        if book.periods.place(each.day).month <= month:
            version = version_of(frame.world, each.rulebook, each.version)
            rule = version.vetoes.get(each.code) if version is not None else None
            name = dict.fromkeys([rule.name_zh, rule.name_en]) if rule is not None else ()
            names.append(" ".join([*name, f"({each.code}, {each.day})"]))
    return "; ".join(names) or None


def review_of(frame: Frame, rulebook: str, member: Member, year: Period) -> tuple[int | None, bool]:
    """Return a member's review in a year, and whether the review is closed (A19, A21)."""
    spell = member.spell_on(min(year.last, member.left))
    opened = frame.year_of(rulebook, year.first, spell.path) if spell is not None else None
    if opened is None or opened.review is None:
        return None, False
    return opened.review.figures.get(member.id), opened.review.closed


def _positions(frame: Frame, book: Book, member: Member, year: Period) -> tuple[Position, ...]:
    """Return where a member stands at each month's end; members with one history share them."""
    away = member.exempt, member.suspended, member.left
    name = ("positions", book.id, year.first, member.spells, *away)
    found = frame.kept.get(name)
    if found is None:
        ends = (book.periods.month_end(year, month) for month in range(1, MONTHS + 1))
        found = frame.kept[name] = tuple(
            position_on(book, member, Period(year.first, end)) for end in ends
        )
    assert isinstance(found, tuple)  # noqa: S101 - put there above
    return found


def position_on(book: Book, member: Member, period: Period) -> Position:
    """Return where a member stands on a period's last day (A23, A25, A26, A27)."""
    spell = member.spell_on(period.last)
    if spell is None:
        return Position("", "", "", GONE if period.last > member.left else ABSENT, (MERIT, SERVICE))
    unit = spell.path[0] if spell.path else ""
    version = book.version_on(period.last, spell.path)
    if spell.rulebook != book.id or version is None:
        return Position(unit, spell.member_type, "", ELSEWHERE, (MERIT, SERVICE))
    kind = version.member_types.get(spell.member_type)
    if kind is None:
        return Position(unit, spell.member_type, "", UNTYPED, ())
    here = (unit, kind.code, kind.standing)
    if kind.standing == EXEMPT or any(d.first <= period.last <= d.last for d in member.exempt):
        return Position(*here, EXEMPTED, () if kind.standing == EXEMPT else kind.accounts)
    if MERIT not in kind.accounts:
        return Position(*here, NO_MERIT, kind.accounts)
    if any(d.first <= period.last <= d.last for d in member.suspended):
        return Position(*here, SUSPENDED, kind.accounts)
    if 2 * member.days_under(book.id, period) < period.days:
        return Position(*here, SHORT, kind.accounts)
    return Position(*here, RANKED, kind.accounts)
