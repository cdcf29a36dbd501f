"""Small rulebooks in canonical form, and members and entries to score with them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ledger.rules.book import Book
from ledger.rules.member import Member, Spell, Veto
from ledger.rules.period import Period
from ledger.rules.rulebook import Pilot, Version, of_body
from ledger.rules.scoring import Reading, Score, score
from ledger.rules.stages import Entry

YEAR = Period("2026-01-01", "2026-12-31")
TYPES = [
    {"code": "ordinary", "name_zh": "普通"},
    {"code": "probationary", "name_zh": "预备", "standing": "probationary"},
    {"code": "exempt", "name_zh": "不计分", "standing": "exempt"},
]


def item(code: str, points: int | tuple[int, int] = 100, **more: Any) -> dict[str, Any]:
    """Return an item, a credit in category C unless `more` says otherwise."""
    low, high = (points, points) if isinstance(points, int) else points
    value = {"points": low} if low == high else {"min": low, "max": high}
    names = {"name_zh": "条目", "name_en": "Item", "act_type": "act.done"}
    base = {"code": code, "category": "C", "kind": "credit", "unit": "occurrence"}
    return base | names | value | more


def debit(code: str, points: int = 100, **more: Any) -> dict[str, Any]:
    """Return a debit in category B."""
    return item(code, points, **({"category": "B", "kind": "debit"} | more))


def body(*items: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Return a rulebook's canonical form."""
    head = {
        "unit": "",
        "version": "1.0.0",
        "effective_from": "2020-01-01",
        "title_zh": "细则",
        "title_en": "Rulebook",
        "member_types": TYPES,
        "items": list(items),
    }
    return head | more


def version(*items: dict[str, Any], pilot: Pilot | None = None, **more: Any) -> Version:
    """Return a version for the engine."""
    return of_body(body(*items, **more), pilot)


def book(*versions: Version) -> Book:
    """Return the rulebook of these versions."""
    return Book("rb", versions)


def entry(day: str, ident: str, code: str, **more: Any) -> Entry:
    """Return an entry of 2026; `day` is MM-DD."""
    return Entry(day if len(day) == 10 else f"2026-{day}", ident, code, **more)


def member(kind: str = "ordinary", start: str = "2020-01-01", **more: Any) -> Member:
    """Return a member of one type since `start`."""
    return Member("m-1", (Spell(start, kind, (), "rb"),), **more)


def vetoed(day: str = "2026-06-01") -> dict[str, Any]:
    """Return what makes a member one with a veto by the decision of a day."""
    return {"vetoes": (Veto("s-1", "rb", "1.0.0", "V-1", day),)}


def scored(
    rules: Book | Version,
    entries: Iterable[Entry],
    who: Member | None = None,
    period: Period = YEAR,
    **reading: Any,
) -> Score:
    """Score a member's entries in a period."""
    rules = rules if isinstance(rules, Book) else book(rules)
    return score(rules, who or member(), entries, Reading(period, **reading))


def counted(found: Score) -> dict[str, int]:
    """Return what each entry counted, by id."""
    return {each.id: each.counted for each in found.entries}


def clipped(found: Score) -> dict[str, dict[str, int]]:
    """Return what clipped each entry, by id; those that lost nothing are left out."""
    return {each.id: dict(each.clipped) for each in found.entries if each.clipped}
