"""The committee's questions about entries: any conditions together, page by page.

A page goes on behind a log index that the page before came to (newest first), so a page costs the
same however far down it lies and entries that come meanwhile move none. It looks at a bounded
number of entries: where few of them meet all conditions, it holds fewer than were asked for, and
still says where to go on.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import chain, repeat
from typing import Any, NamedTuple

import psycopg

from ledger.errors import FormatError, NotFoundError
from projections import walks
from projections.entries import REVIEWING, SCORING, EntryRow
from projections.fold import AsOf
from projections.sql import query

PAGE_MAX = 1_000
LOOKS = ((500, False), (2_000, True))
"""How deep a page looks: first a little, where most find enough, then once more and gathering."""
RETALIATION_DAYS = 90
"""A debit on a filer within so many days of filing is flagged: it may have a cause of its own."""
EXPORT_MAX = 100_000
"""An Excel sheet of more rows is of no use to anybody; ask for less, or take the open table."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Conditions, all of which an entry must meet; None asks nothing.

    `scorer` proposed, checked or reviewed it, `reviewer` reviewed it, or signed the one statement
    that decided it at once; `unit` covers its sub-units.
    Dates are inclusive, amounts signed hundredths before caps.
    """

    scorer: str | None = None
    reviewer: str | None = None
    unit: str | None = None
    member: str | None = None
    rulebook: str | None = None
    item: str | None = None
    act_type: str | None = None
    kind: str | None = None
    origin: str | None = None
    state: str | None = None
    act_from: str | None = None
    act_to: str | None = None
    recorded_from: str | None = None
    recorded_to: str | None = None
    amount_min: int | None = None
    amount_max: int | None = None
    reversed: bool | None = None


class Hand(NamedTuple):
    """Who signed which step of an entry, and when."""

    step: str
    actor: str
    recorded_at: str


class Found(NamedTuple):
    """An entry with the people of its steps, in order."""

    entry: EntryRow
    hands: tuple[Hand, ...]


@dataclass(frozen=True, slots=True)
class Page:
    """Entries, newest first; `after` is what the next page goes on behind, None at the end.

    Everything from there on, that log index included, was looked at, however few were found.
    """

    as_of: AsOf
    found: tuple[Found, ...]
    after: int | None


def page_from_database(
    connection: psycopg.Connection[Any],
    build: int,
    as_of: AsOf,
    wanted: Wanted,
    limit: int,
    after: int | None = None,
    *,
    newest: bool = False,
    patient: bool = False,
) -> Page:
    """Return the next entries that meet the conditions, `limit` at most, behind log index `after`.

    With `patient` it looks on until the page is full or the log's beginning is reached, however
    long that takes. Raises NotFoundError for an unknown unit.
    """
    limit = max(1, min(limit, PAGE_MAX))
    asked: dict[str, Any] = {
        "gathered_max": walks.GATHERED_MAX,
        "size": as_of.size,
        "first": 0,
        # What lies behind the position had not come in yet.
        "behind": as_of.size if after is None else min(after, as_of.size),
        "scoring": list(SCORING),
        "reviewing": list(REVIEWING),
    }
    parts = [query("entries", "if_now" if newest else "if_then", build)]
    for name in Wanted.__dataclass_fields__:
        value = getattr(wanted, name)
        if value is not None:
            asked[name] = value
            parts.append(_condition(build, name))
    if wanted.unit is not None:
        asked["units"] = covered_units(connection, build, as_of, wanted.unit)
    _narrow(connection, build, asked)
    conditions = "\n    AND ".join(parts)
    rows: list[EntryRow] = []
    end: int | None = None
    for look, gathering in chain(LOOKS, repeat(LOOKS[-1])) if patient else LOOKS:
        depth = max(look, limit + 1)
        given = asked | {"depth": depth, "limit": limit + 1 - len(rows)}
        gathered = walks.gathering(build, asked, newest=newest) if gathering else ""
        page = (
            query("entries", "page", build)
            .replace("{walks}", walks.walks(build, asked, newest=newest))
            .replace("{gathered}", gathered)
            .replace("{conditions}", conditions)
        )
        # Never prepared: a plan for any values would not know which of them are rare.
        found = connection.execute(page.encode(), given, prepare=False).fetchall()
        end = found[0][0]
        rows += [EntryRow(*each[1:]) for each in found if each[1] is not None]
        if end is None or len(rows) >= limit:
            break
        asked["behind"] = end
    if len(rows) > limit:
        rows = rows[:limit]
        end = rows[-1].log_index
    hands = _hands(connection, build, as_of, [each.id for each in rows])
    shown = tuple(Found(each, tuple(hands.get(each.id, ()))) for each in rows)
    return Page(as_of, shown, end)


def _condition(build: int, name: str) -> str:
    """Return the condition on an entry `e` that a field of Wanted sets."""
    if name not in walks.HANDS:
        return query("entries", f"if_{name}", build)
    of_hand = query("entries", f"hand_{name}", build)
    return query("entries", "if_hand", build).replace("{condition}", of_hand)


def _narrow(connection: psycopg.Connection[Any], build: int, asked: dict[str, Any]) -> None:
    """Set `first` and `behind` to where the days of recording lie: those never fall in a log."""
    if "recorded_from" in asked:
        text = query("entries", "recorded_first", build)
        found = connection.execute(text.encode(), asked).fetchone()
        asked["first"] = found[0] if found else asked["size"]
    if "recorded_to" in asked:
        text = query("entries", "recorded_last", build)
        found = connection.execute(text.encode(), asked).fetchone()
        asked["behind"] = min(asked["behind"], found[0] + 1 if found else 0)


def _hands(
    connection: psycopg.Connection[Any], build: int, as_of: AsOf, idents: list[str]
) -> dict[str, list[Hand]]:
    hands: dict[str, list[Hand]] = {}
    asked = {"size": as_of.size, "entries": idents}
    for ident, *hand in connection.execute(query("entries", "hands", build).encode(), asked):
        hands.setdefault(ident, []).append(Hand(*hand))
    return hands


def covered_units(
    connection: psycopg.Connection[Any], build: int, as_of: AsOf, unit: str
) -> list[str]:
    """Return a unit and every unit below it. Raises NotFoundError for an unknown one."""
    asked = {"unit": unit, "size": as_of.size}
    found = connection.execute(query("entries", "covered_units", build).encode(), asked)
    units = [ident for (ident,) in found]
    if not units:
        raise NotFoundError(f"no unit {unit!r} is recorded: ask for one by its id, such as `root`")
    return units


def all_from_database(
    connection: psycopg.Connection[Any],
    build: int,
    as_of: AsOf,
    wanted: Wanted,
    *,
    newest: bool = False,
) -> Page:
    """Return every entry that meets the conditions, from one snapshot.

    Raises FormatError for more than EXPORT_MAX of them.
    """
    found: list[Found] = []
    after: int | None = None
    while True:
        page = page_from_database(connection, build, as_of, wanted, PAGE_MAX, after, newest=newest)
        found += page.found
        after = page.after
        if after is None:
            return replace(page, found=tuple(found))
        if len(found) >= EXPORT_MAX:
            raise FormatError(
                f"more than {EXPORT_MAX} entries: narrow the question, or export the read model "
                "with `mingzhang table entries`"
            )


def debits_after(member: str, day: str) -> Wanted:
    """Return the question for debits on a member within RETALIATION_DAYS of a day."""
    last = (date.fromisoformat(day) + timedelta(RETALIATION_DAYS)).isoformat()
    return Wanted(member=member, kind="debit", recorded_from=day, recorded_to=last)


HEADER = (
    "statement", "member 成员", "unit 单位", "kind 类别", "origin 来源", "rulebook 细则",
    "version 版本", "item 条目", "act type 行为类型", "act date 行为日期", "recorded 记录日期",
    "state 状态", "points 分值", "reversed 已冲销", "steps 经手",
)  # fmt: skip
"""The columns of a table of entries, for a spreadsheet."""


def table_rows(page: Page) -> Iterator[tuple[str, ...]]:
    """Yield the cells of each entry, all of them text."""
    for entry, hands in page.found:
        steps = "; ".join(f"{each.step} {each.actor} {each.recorded_at[:19]}Z" for each in hands)
        yield (
            entry.id,
            entry.member,
            entry.unit,
            entry.kind,
            entry.origin,
            entry.rulebook,
            entry.version,
            entry.item,
            entry.act_type,
            entry.act_date,
            entry.recorded_on,
            entry.state,
            _figure(entry.amount),
            "yes 是" if entry.reversed else "no 否",
            steps,
        )


def _figure(hundredths: int) -> str:
    sign = "-" if hundredths < 0 else ""
    return f"{sign}{abs(hundredths) // 100}.{abs(hundredths) % 100:02d}"
