"""What an act is priced by: the nearest unit's rulebook, in the version of the act's date.

A2: of the unit's rulebooks the nearest one's counts, in the version that was in force on the act
date; inside its units and dates a pilot wins (A3). Unit and member type are those of the act date
(A4), base and bands those of the period's first day (A16). When an act was claimed, reviewed or
shown plays no part: a version is known before the first day on which it prices anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ledger.domain.history import History, parent_on
from ledger.domain.rights import UNIT_DEPTH_MAX
from ledger.domain.rulebook import Erratum, Rulebook
from ledger.domain.world import World
from ledger.errors import Refused
from ledger.rules.book import Book, Rule
from ledger.rules.member import Member, Spell
from ledger.rules.rulebook import Item, Version


def path_on(world: World, unit: str, day: str) -> tuple[str, ...]:
    """Return a unit and those above it as they stood on `day`, the unit first, the root last."""
    found: list[str] = []
    at: str | None = unit
    while at is not None and len(found) < UNIT_DEPTH_MAX:
        parents = world.parents.get(at)
        if parents is None:
            break
        found.append(at)
        at = parent_on(parents, day)
    return tuple(found)


def books_on(world: World, unit: str, day: str) -> tuple[Book, ...]:
    """Return the rulebooks of the nearest unit that has one in force on `day` (A2).

    Usually one; a unit with several has a table for each (A21).
    """
    path = path_on(world, unit, day)
    for at in path:
        here = []
        for ident in world.scopes.get(at) or ():
            known = world.rulebooks.get(ident)
            version = known.book.version_on(day, path) if known and known.book else None
            if known and known.book and version:
                units = version.pilot.units if version.pilot else {version.unit}
                if at in units:
                    here.append(known.book)
        if here:
            return tuple(here)
    return ()


def price(world: World, unit: str, act_date: str, rulebook: str, version: str) -> Version:
    """Return the version that prices an act of `act_date` in `unit`, as `rulebook` `version`.

    Raises Refused, with the reason, for one that is not published, out of its units or dates, or
    not that of the nearest unit.
    """
    known = world.rulebooks.get(rulebook)
    named = f"{rulebook} {version}"
    if known is None or known.book is None or not _is_known(known, version):
        raise Refused("version-published", f"{named} is not published in this log")
    path = path_on(world, unit, act_date)
    found = known.book.version_on(act_date, path)
    if found is None or found.version != version:
        raise _why_not(known, version, path, act_date)
    if known.book not in books_on(world, unit, act_date):
        near = ", ".join(book.id for book in books_on(world, unit, act_date))
        raise Refused(
            "rulebook-nearest", f"acts in {unit} on {act_date} are priced by the nearer {near}"
        )
    return found


def item_for(version: Version, code: str, kind: str, member_type: str) -> Item:
    """Return the item of that code, which must be of that kind and apply to the type (A4, A25)."""
    item = version.items.get(code)
    if item is None:
        raise Refused("item-known", f"version {version.version} has no item {code}")
    if item.kind != kind:
        raise Refused("item-kind", f"{code} is a {item.kind}, this is a {kind}")
    known = version.member_types.get(member_type)
    if known is None or item.account not in known.accounts:
        raise Refused(
            "item-applies", f"a member of type {member_type} has no {item.account} account"
        )
    if item.applies_to and member_type not in item.applies_to:
        raise Refused("item-applies", f"{code} is not for members of type {member_type}")
    return item


def right_figure(world: World, ident: str, act: Mapping[str, Any]) -> Erratum:
    """Return the erratum that a correction cites for an act (B15).

    Raises Refused where there is none, or it is about another version, item or other days.
    """
    known = world.rulebooks.get(act["rulebook"])
    erratum = known.errata.get(ident) if known else None
    if erratum is None:
        raise Refused("erratum-known", f"{ident} is no erratum of {act['rulebook']}")
    named = (act["version"], act["item"])
    if (
        named != (erratum.version, erratum.item)
        or not erratum.first <= act["act_date"] <= erratum.last
    ):
        raise Refused(
            "erratum-applies",
            f"the erratum is about {erratum.item} of version {erratum.version} from "
            f"{erratum.first} to {erratum.last}",
        )
    return erratum


def righted(rule: Rule, erratum: Erratum) -> Rule:
    """Return an item's rule with the figure of an erratum in place of the wrong one (B15)."""
    if erratum.field == "points":
        return rule._replace(points=erratum.value)
    if erratum.field == "min":
        return rule._replace(min=erratum.value)
    return rule._replace(max=erratum.value)


def right_points(world: World, rulebook: str, ident: str, points: int | None) -> int | None:
    """Return the points a unit of an entry that cites an erratum, `points` those it was given."""
    known = world.rulebooks.get(rulebook)
    erratum = known.errata.get(ident) if known is not None else None
    return erratum.value if erratum is not None and erratum.field == "points" else points


def scored_member(world: World, ident: str) -> Member | None:
    """Return a member as the scoring engine sees one: its stays, rulebooks and absences by day.

    A stay is cut where another rulebook becomes the nearest: those are segments (A27).
    """
    history = world.histories.get(ident)
    if history is None:
        return None
    spells = spells_of(world, history)
    away = (history.exempt, history.suspended, history.left)
    return Member(ident, spells, *away, history.vetoes)


def spells_of(world: World, history: History) -> tuple[Spell, ...]:
    """Return a member's stays as spells, cut where another rulebook or unit above comes."""
    edges = _edges(world)
    ends = [each.start for each in history.stays[1:]] + ["~"]
    spells: list[Spell] = []
    for stay, end in zip(history.stays, ends, strict=True):
        for day in sorted({stay.start, *(d for d in edges if stay.start < d < end)}):
            books = books_on(world, stay.unit, day)
            rulebook = books[0].id if books else ""
            path = path_on(world, stay.unit, day)
            spell = Spell(day, stay.member_type, path, rulebook)
            if not spells or spells[-1][1:] != spell[1:]:
                spells.append(spell)
    return tuple(spells)


def _edges(world: World) -> set[str]:
    """Return the days on which another rulebook, or another unit above, may begin to count."""
    days: set[str] = set()
    for ident in world.rulebooks:
        known = world.rulebooks.get(ident)
        if known is not None and known.book is not None:
            days.update(known.book.boundaries())
    for ident in world.units:
        days.update(day for day, _ in (world.parents.get(ident) or ())[1:])
    return days


def _is_known(known: Rulebook, version: str) -> bool:
    return known.find(version) is not None or version in known.trials


def _why_not(known: Rulebook, version: str, path: tuple[str, ...], act_date: str) -> Refused:
    named = f"{known.id} {version}"
    published = known.find(version)
    if published is None:
        pilot = known.trials[version].version.pilot
        assert pilot is not None  # noqa: S101 - a trial's version always has one
        if pilot.units.isdisjoint(path):
            where = ", ".join(sorted(pilot.units))
            return Refused("pilot-units", f"{named} is a pilot in {where}, not in {path[0]}")
        return Refused(
            "pilot-dates",
            f"{named} was tried from {pilot.first} to {pilot.last}, not on {act_date}",
        )
    if known.unit not in path:
        return Refused("rulebook-scope", f"{known.id} does not apply to unit {path[0]}")
    return Refused("version-in-force", f"{named} was not in force on {act_date} in {path[0]}")
