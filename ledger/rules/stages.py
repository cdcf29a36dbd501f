"""What each entry was worth, and what every stage let through: the rulebook's text as one pass.

A10: credits pass the exclusive group, the item's cap, the period caps, the category's cap and
the total cap, debits the item's cap and the category's floor, each on what the one before let
through. A11: every bucket fills by act date, then statement id. As that order is the same in all
stages, one pass over the sorted entries equals one pass a stage; only the exclusive groups are
settled before it, because the highest of a deed may come last (A12).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from ledger.errors import Refused
from ledger.rules.book import CATEGORY_DEBITS, CREDITS, Book, Path, Rule, Table
from ledger.rules.member import FOREVER, Member
from ledger.rules.period import Period, following

STAGES = (
    "exclusive_group", "item_cap", "period_cap", "category_cap", "total_cap", "category_floor"
)  # fmt: skip
"""In the order in which they clip."""


class Entry(NamedTuple):
    """One effective entry: what was done, never what it is worth.

    `id` is that of the statement that brought it in, in lower case; ids are unique, so entries in
    their natural order are in that of rule A11. `quantity` is in hundredths, `points` (hundredths
    a unit) is what the reviewers signed for a range or assessed item. With `right` the points
    stand as given, in place of the item's figures: an erratum found those wrong (B15).
    """

    date: str
    id: str
    code: str
    quantity: int = 100
    points: int | None = None
    activity: str | None = None
    deed: str | None = None
    right: bool = False


class Scored(NamedTuple):
    """What became of one entry; debits have negative `worth` and `counted` (A14).

    `clipped` lists (stage, amount) for every stage that clipped something, amounts positive.
    """

    id: str
    date: str
    code: str
    account: str
    side: int
    worth: int
    counted: int
    clipped: tuple[tuple[str, int], ...]

    def after_item_cap(self) -> int:
        """Return the amount, positive, that the item's cap let through."""
        return abs(self.worth) - sum(by for stage, by in self.clipped if stage == "item_cap")


class Attribution(NamedTuple):
    """A period's entries in order, and their counted sums by side, all positive.

    `months` are the same sums of what was done in each month from 1 that has entries.
    """

    sums: list[int]
    entries: list[Scored]
    months: dict[int, list[int]]


class Regime(NamedTuple):
    """From `start`: the rules that price the member's acts, or why there are none."""

    start: str
    table: Table
    why: str


def worth_of(rule: Rule, code: str, quantity: int, points: int | None) -> int:
    """Return the value of one entry before any cap, positive hundredths (A5, A6).

    Raises Refused for a quantity that is no multiple of the item's step, points that a fixed item
    does not take or that lie outside a range, and a result that is not whole hundredths.
    """
    if quantity <= 0 or quantity % rule.step:
        raise Refused(
            "quantity-step",
            f"{code}: quantity {_figure(quantity)} is no multiple of {_figure(rule.step)}",
        )
    if rule.points is not None:
        if points is not None:
            raise Refused("points-fixed", f"{code} has fixed points: leave `points` out")
        points = rule.points
    elif points is None or not rule.min <= points <= rule.max:
        given = "none" if points is None else _figure(points)
        raise Refused(
            "points-range",
            f"{code} takes {_figure(rule.min)} to {_figure(rule.max)} points a unit, not {given}",
        )
    worth, rest = divmod(points * quantity, 100)
    if rest:
        raise Refused(
            "points-whole",
            f"{code}: {_figure(points)} times {_figure(quantity)} is not whole hundredths",
        )
    return worth


def whole_hours(quantity: int, min_minutes: int) -> int:
    """Return the hours that count of a sum of hours, both in hundredths (A7).

    Whole hours, plus one where the rest is `min_minutes` or more.
    """
    hours, rest = divmod(quantity, 100)
    return (hours + (rest * 60 >= min_minutes * 100)) * 100


def regimes(book: Book, member: Member) -> list[Regime]:
    """Return which rules price the member's acts from which day on (A2, A3, A4, A23)."""
    days = {each.start for each in member.spells} | set(book.boundaries())
    for away in member.exempt:
        days |= {away.first, following(away.last) if away.last < FOREVER else FOREVER}
    if member.left < FOREVER:
        days.add(following(member.left))
    return [_regime(book, member, day) for day in sorted(days)]


def attribute(
    book: Book,
    member: Member,
    entries: Iterable[Entry],
    *,
    unknown_is_zero: bool = False,
    rules: list[Regime] | None = None,
) -> dict[Period, Attribution]:
    """Say of every effective entry what it was worth, what counted and what clipped it.

    The result has every period in which an act lies; activities run over periods (A9). With
    `unknown_is_zero` an item that the rules do not have is worth nothing, else it is refused.
    `rules` are the `regimes` of the member, for a caller that keeps them.
    """
    ordered = sorted(entries)
    rules = regimes(book, member) if rules is None else rules
    losers = _losers(book, rules, ordered)
    found: dict[Period, Attribution] = {}
    # Acts come by date, so the buckets of one period are done with when the next begins; those of
    # activities run on.
    filled: dict[object, int] = {}
    activities: dict[object, int] = {}
    hours: dict[tuple[str, str | None], int] = {}
    rooms: Mapping[str, int] = {}
    period: Period | None = None
    table, why, coming = _NO_RULES, _BEFORE, iter((*rules, _END))
    until = next(coming)
    place_of, new = book.periods.place, tuple.__new__
    for day, ident, code, quantity, given, activity, deed, right in ordered:
        while day >= until.start:
            _, table, why = until
            until = next(coming)
        rule = table.get(code)
        if rule is None:
            if not unknown_is_zero:
                raise Refused("item-applies", f"{code} on {day}: {why or _NO_ITEM}")
            rule = _UNKNOWN
        if right:
            rule = _righted(rule, given)
        (
            credit, points, _, _, step, min_minutes, cap_per, cap, group, side, account, category,
            category_cap, total, period_caps, total_cap, needs_activity,
        ) = rule  # fmt: skip
        here, month, quarter = place_of(day)
        if here is not period:
            period, filled, rooms = here, {}, _category_rooms(book, member, here)
            found[here] = Attribution([0, 0, 0, 0, 0], [], {})
            sums, scored, months = found[here]

        # Value: points times quantity (A5, A6); added-up hours, by what they raise the sum (A7).
        if needs_activity and activity is None:
            raise Refused("activity-given", f"{code} counts by activity: name the activity")
        if quantity == step == 100 and given is None and points is not None and not min_minutes:
            worth = points
        elif rule is _UNKNOWN:
            worth = 0
        else:
            worth = worth_of(rule, code, quantity, given)
            if min_minutes:
                before = hours.get((code, activity), 0)
                hours[code, activity] = before + quantity
                rise = whole_hours(before + quantity, min_minutes)
                rise -= whole_hours(before, min_minutes)
                worth = rise * (given if points is None else points) // 100  # type: ignore[operator]
        left = worth
        clipped: tuple[tuple[str, int], ...] = ()

        # Exclusive group: of one deed only the highest (A12).
        if group is not None:
            if deed is None:
                raise Refused("deed-given", f"{code} counts once for a deed: name the deed")
            if ident in losers:
                clipped, left = (("exclusive_group", left),), 0

        # Item cap: as much as the entry's own version still lets into the item's bucket (A9, A13).
        if cap_per is not None and left:
            if cap_per == "activity":
                taken = _fill(activities, (code, activity), cap, left)
            elif cap_per == "year":
                taken = _fill(filled, code, cap, left)
            else:
                in_period = quarter if cap_per == "quarter" else -month
                taken = _fill(filled, (code, in_period), cap, left)
            if taken != left:
                clipped += (("item_cap", left - taken),)
                left = taken

        if credit:
            # Period caps: all credits of an account in a month or a quarter.
            if period_caps and left:
                taken = left
                for per, most in period_caps:
                    in_period = quarter if per == "quarter" else -month
                    taken = _fill(filled, (total, in_period), most, taken)
                if taken != left:
                    clipped += (("period_cap", left - taken),)
                    left = taken
            # Category cap: an account's credits in a category.
            if category_cap is not None and left:
                taken = _fill(filled, category, category_cap, left)
                if taken != left:
                    clipped += (("category_cap", left - taken),)
                    left = taken
            # Total cap: all credits of an account.
            if total_cap is not None and left:
                taken = _fill(filled, total, total_cap, left)
                if taken != left:
                    clipped += (("total_cap", left - taken),)
                    left = taken
            counted = left
        else:
            # Category floor: debits fill what lies between the category's base and it (A14).
            if side == CATEGORY_DEBITS and left:
                taken = _fill(filled, category, rooms.get(category[1], 0), left)
                if taken != left:
                    clipped += (("category_floor", left - taken),)
                    left = taken
            worth, counted = -worth, -left

        sums[side] += left
        if month not in months:
            months[month] = [0, 0, 0, 0, 0]
        months[month][side] += left
        # What Scored(…) does, at a third of the time.
        scored.append(new(Scored, (ident, day, code, account, side, worth, counted, clipped)))
    return found


_NO_RULES: Mapping[str, Rule] = {}
_END = Regime("~", {}, "")
"""Starts after every date, as text."""
_BEFORE = "the member was not enrolled yet, or no version of the rulebook was in force"
_NO_ITEM = "the version in force has no such item for the member's type"
_UNKNOWN = Rule(
    credit=True, points=0, min=0, max=0, step=1, min_minutes=None, cap_per=None, cap=0, group=None,
    side=CREDITS, account="", category=("", ""), category_cap=None, total=("",), period_caps=(),
    total_cap=None, needs_activity=False,
)  # fmt: skip


def _righted(rule: Rule, points: int | None) -> Rule:
    """Return the rule with `points` a unit in place of its own figures (B15)."""
    return rule._replace(points=None, min=points or 0, max=points or 0)


def _fill(filled: dict[object, int], bucket: object, cap: int, amount: int) -> int:
    """Return how much of `amount` the bucket still takes, and put it there (A13)."""
    used = filled.get(bucket, 0)
    room = cap - used
    if amount > room:
        amount = max(room, 0)
    filled[bucket] = used + amount
    return amount


def _regime(book: Book, member: Member, day: str) -> Regime:
    spell = member.spell_on(day)
    if spell is None:
        return Regime(day, {}, "the member was not enrolled, or had left")
    if any(away.first <= day <= away.last for away in member.exempt):
        return Regime(day, {}, "the member was exempt (A23)")
    version = book.version_on(day, spell.path)
    if version is None or spell.rulebook not in {"", book.id}:
        return Regime(day, {}, f"{book.id} was not in force for the member's unit")
    why = f"{book.id} {version.version} has no such item for a member of type {spell.member_type}"
    return Regime(day, book.table(version, spell.member_type), why)


def _losers(book: Book, rules: list[Regime], ordered: list[Entry]) -> set[str]:
    """Return the ids of entries that a higher or earlier one of the same deed outdoes (A12)."""
    best: dict[tuple[Period, str, str], tuple[int, str]] = {}
    losers: set[str] = set()
    for entry in ordered:
        if entry.deed is None:
            continue
        table = next((each.table for each in reversed(rules) if each.start <= entry.date), {})
        rule = table.get(entry.code)
        if rule is None or rule.group is None:
            continue
        priced = _righted(rule, entry.points) if entry.right else rule
        worth = worth_of(priced, entry.code, entry.quantity, entry.points)
        key = (book.periods.of(entry.date), rule.group, entry.deed)
        highest = best.get(key)
        if highest is None or worth > highest[0]:
            if highest is not None:
                losers.add(highest[1])
            best[key] = (worth, entry.id)
        else:
            losers.add(entry.id)
    return losers


def _category_rooms(book: Book, member: Member, period: Period) -> Mapping[str, int]:
    """Return by category how much its debits can take away in a period (A14, A16)."""
    version = book.governing(period, path_in(book, member, period))
    if version is None:
        return {}
    return {name: base - floor for name, (base, floor) in (version.merit.bases or {}).items()}


def path_in(book: Book, member: Member, period: Period) -> Path:
    """Return the member's unit under the rulebook on the period's first day, or on its first there.

    A member who came from another rulebook in the period has a segment of its own here (A27).
    """
    for spell, end in zip(
        member.spells, [*(each.start for each in member.spells[1:]), FOREVER], strict=True
    ):
        here = spell.start <= min(member.left, period.last) and end > period.first
        if here and spell.rulebook in {"", book.id}:
            return spell.path
    first = member.spell_on(period.first)
    return first.path if first else ()


def _figure(hundredths: int) -> str:
    return f"{hundredths // 100}.{hundredths % 100:02d}"
