"""Decides what may be done with a rulebook: talks, pilot, publication, errata (issue 4, A2, A3).

Nothing is retroactive: a pilot is ordered and a version published before the first day on which
it prices an act. Whoever is priced by a document could have read it before they acted.
"""

from __future__ import annotations

from typing import Any

from ledger.domain.days import days_between, real_date
from ledger.domain.deadlines import natural_end
from ledger.domain.event import Proposal
from ledger.domain.rights import covers, need, need_above, need_pair, signers
from ledger.domain.rulebook import Draft, Rulebook, Trial, whole
from ledger.domain.world import World
from ledger.errors import FormatError, Refused
from ledger.rules import rulebook as rules
from ledger.rules.book import Book
from ledger.rules.rulebook import Version

PILOT_DAYS_MAX = 184
"""The longest pilot, both days counted: half a year. One extension can at most double it."""
ITEMS_MAX = 1_000
"""Items of a version, those of its parts included."""


def drafted(world: World, proposal: Proposal, ident: str, today: str) -> None:
    """Raise Refused unless a whole document gets a number that names no other (A3)."""
    body = proposal.body
    known = world.rulebooks.get(ident)
    _by_pair(world, proposal, known, body["unit"], today)
    version = _document(known, ident, body)
    real_date(version.effective_from, "effective_from")
    _new_number(known, ident, body["version"])


def revised(world: World, proposal: Proposal, ident: str, today: str) -> None:
    """Raise Refused unless the revision names a draft that is neither published nor revised."""
    drafted(world, proposal, ident, today)
    known, draft = _draft(world, ident, proposal.body["revises"])
    revises = proposal.body["revises"]
    if known.find(revises) is not None:
        raise Refused("draft-open", f"{revises} is published: draft its successor instead")
    if draft.revised_by is not None:
        raise Refused("draft-open", f"{revises} is revised already, by {draft.revised_by}")


def part(world: World, proposal: Proposal, ident: str, today: str) -> None:
    """Raise Refused unless a secretary sends items of a document that does not fit one entry."""
    body = proposal.body
    known = world.rulebooks.get(ident)
    signers(world, proposal)
    _need_unit(world, known, ident, body["unit"])
    need(world, proposal.actor, "secretary", body["unit"], today)
    _new_number(known, ident, body["version"])


def consulted(world: World, proposal: Proposal, ident: str, today: str) -> None:
    """Raise Refused unless a draft is laid open for days that are still to come."""
    body = proposal.body
    known, draft = _draft(world, ident, body["version"])
    signers(world, proposal)
    need(world, proposal.actor, "secretary", known.unit, today)
    if draft.consulted is not None or known.find(body["version"]) is not None:
        raise Refused("consulted-once", f"{body['version']} was laid open or published already")
    if not today <= real_date(body["from"], "from") <= real_date(body["until"], "until"):
        raise Refused("consulted-days", f"talks run from {today} or later to a day not before")


def piloted(world: World, proposal: Proposal, ident: str, today: str) -> None:
    """Raise Refused unless a draft is tried after its talks, from a coming day, for a while.

    A pilot lasts at most PILOT_DAYS_MAX (cheat 15), in units of the rulebook, and no two pilots of
    a rulebook meet in a unit on a day.
    """
    body = proposal.body
    known, draft = _draft(world, ident, body["version"])
    _by_pair(world, proposal, known, known.unit, today)
    if body["version"] in known.trials:
        raise Refused("pilot-once", f"{body['version']} was tried already: extend it, or revise it")
    first, last = real_date(body["from"], "from"), real_date(body["until"], "until")
    if draft.consulted is None or draft.consulted[1] >= first:
        raise Refused("consulted-first", f"{body['version']} is tried after its consultation only")
    if first <= today:
        raise Refused("not-retroactive", f"a pilot from {first} must be recorded before that day")
    length = days_between(first, last) + 1
    if not 1 <= length <= PILOT_DAYS_MAX:
        raise Refused("pilot-length", f"a pilot lasts 1 to {PILOT_DAYS_MAX} days, not {length}")
    for unit in body["units"]:
        if world.units.get(unit) is None or not covers(world, known.unit, unit):
            raise Refused(
                "pilot-units", f"{unit} does not lie in {known.unit}, where {ident} holds"
            )
    _need_free(world, known, body["version"], frozenset(body["units"]), first, last)
    _sound(ident, known, rules.of_body(draft.document, rules.Pilot(frozenset(), first, last)))


def extended(world: World, proposal: Proposal, ident: str, today: str) -> None:
    """Raise Refused unless the unit above lengthens a running pilot, once (cheat 15)."""
    body = proposal.body
    known = world.rulebooks.get(ident)
    trial = known.trials.get(body["version"]) if known else None
    if known is None or trial is None or trial.version.pilot is None:
        raise Refused("pilot-known", f"{ident} {body['version']} is no pilot")
    need_above(world, signers(world, proposal), known.unit, today)
    pilot = trial.version.pilot
    if trial.extended:
        raise Refused("pilot-extended", "a pilot is extended once: revise it, or publish it")
    if today > pilot.last:
        raise Refused(
            "pilot-over", f"the pilot ended on {pilot.last}: nothing is extended after it"
        )
    last = real_date(body["until"], "until")
    most = natural_end(pilot.last, days_between(pilot.first, pilot.last) + 1)
    if not pilot.last < last <= most:
        raise Refused(
            "pilot-length", f"the pilot can run until {most} at most, and longer than now"
        )
    _need_free(world, known, body["version"], pilot.units, pilot.first, last)


def published(world: World, proposal: Proposal, ident: str, today: str) -> None:
    """Raise Refused unless the version is known before the first day on which it counts (A2).

    A draft is published as it was drafted, only its first day may be another, and after its talks.
    """
    body = proposal.body
    known = world.rulebooks.get(ident)
    _by_pair(world, proposal, known, body["unit"], today)
    if real_date(body["effective_from"], "effective_from") <= today:
        raise Refused(
            "not-retroactive",
            f"a version from {body['effective_from']} must be recorded before that day, and today "
            f"is {today}",
        )
    version = _document(known, ident, body)
    if known is None:
        return
    if known.find(body["version"]) is not None:
        raise Refused("version-once", f"version {body['version']} of {ident} is published already")
    if known.versions and known.versions[-1].effective_from >= version.effective_from:
        raise Refused(
            "version-order", f"a later version begins after {known.versions[-1].effective_from}"
        )
    draft = known.drafts.get(body["version"])
    if draft is None:
        return
    if draft.consulted is not None and draft.consulted[1] >= today:
        raise Refused("consulted-first", f"its consultation runs until {draft.consulted[1]}")
    if draft.revised_by is not None:
        raise Refused("draft-open", f"it was revised: publish {draft.revised_by}")
    same = {**draft.document, "effective_from": body["effective_from"]}
    if whole(known.parts, body) != same:
        raise Refused(
            "published-as-drafted",
            f"it is not the draft {body['version']}: revise that under a number of its own first",
        )


def erratum(world: World, proposal: Proposal, ident: str, today: str) -> None:
    """Raise Refused unless the upper body names a figure that a published item has (B15)."""
    body = proposal.body
    known = world.rulebooks.get(ident)
    version = known.find(body["version"]) if known else None
    if known is None or version is None:
        raise Refused("version-published", f"{ident} {body['version']} is not published")
    need_above(world, signers(world, proposal), known.unit, today)
    item = version.items.get(body["item"])
    if item is None:
        raise Refused("item-known", f"{ident} {body['version']} has no item {body['item']}")
    fixed = item.points is not None
    if (body["field"] == "points") != fixed:
        names = "points" if fixed else "min or max"
        raise Refused("erratum-field", f"{item.code} has {names}, not {body['field']}")
    if getattr(item, body["field"]) == body["value"]:
        raise Refused("erratum-field", f"{item.code} has that figure already")
    first, last = real_date(body["from"], "from"), real_date(body["until"], "until")
    if not version.effective_from <= first <= last <= today:
        raise Refused(
            "erratum-days",
            "an erratum is for days that are past and on which the version was in force; what is "
            "to come needs a new version",
        )


def _by_pair(
    world: World, proposal: Proposal, known: Rulebook | None, unit: str, today: str
) -> None:
    signed = signers(world, proposal)
    _need_unit(world, known, proposal.stream.partition("/")[2], unit)
    need_pair(world, signed, "secretary", "committee", unit, today)


def _need_unit(world: World, known: Rulebook | None, ident: str, unit: str) -> None:
    if world.units.get(unit) is None:
        raise Refused("unit-known", f"unit {unit} is not opened")
    if known is not None and known.unit != unit:
        raise Refused("rulebook-unit", f"{ident} applies to {known.unit}")


def _draft(world: World, ident: str, version: str) -> tuple[Rulebook, Draft]:
    known = world.rulebooks.get(ident)
    draft = known.drafts.get(version) if known else None
    if known is None or draft is None:
        raise Refused("draft-known", f"{ident} has no draft {version}")
    return known, draft


def _new_number(known: Rulebook | None, ident: str, version: str) -> None:
    if known is not None and (version in known.drafts or known.find(version) is not None):
        raise Refused("version-once", f"{ident} {version} names a document already: take another")


def _document(known: Rulebook | None, ident: str, body: dict[str, Any]) -> Version:
    """Return the version of a body with its parts, or raise Refused for what is wrong with it."""
    try:
        document = whole(known.parts if known else {}, body)
        codes = [item["code"] for item in document["items"]]
        if len(set(codes)) != len(codes):
            raise Refused("item-once", "an item's code stands twice in this rulebook")
        if len(codes) > ITEMS_MAX:
            raise Refused("item-count", f"{len(codes)} items; a rulebook has at most {ITEMS_MAX}")
        for item in document["items"]:
            if "points" not in item and item["min"] > item["max"]:
                raise Refused("item-range", f"item {item['code']}: min is above max")
        version = rules.of_body(document)
    except FormatError as error:
        raise Refused("rulebook-sound", error.message) from None
    _sound(ident, known, version)
    return version


def _sound(ident: str, known: Rulebook | None, version: Version) -> None:
    """All documents of one rulebook share the start of the period."""
    try:
        Book(ident, (*(known.versions if known else ()), *_tried(known), version))
    except FormatError as error:
        if known is None or known.find(version.version) is None:
            rule = "version-order" if "same day" in error.message else "rulebook-sound"
            raise Refused(rule, error.message) from None


def _tried(known: Rulebook | None) -> tuple[Version, ...]:
    return tuple(each.version for each in known.trials.values()) if known else ()


def _need_free(
    world: World, known: Rulebook, version: str, units: frozenset[str], first: str, last: str
) -> None:
    others = [each for name, each in known.trials.items() if name != version]
    for other in others:
        if _meets(world, other, units, first, last):
            raise Refused(
                "pilot-overlap",
                f"version {other.version.version} is tried in one of these units in those days",
            )


def _meets(world: World, trial: Trial, units: frozenset[str], first: str, last: str) -> bool:
    pilot = trial.version.pilot
    if pilot is None or last < pilot.first or first > pilot.last:
        return False
    return any(covers(world, a, b) or covers(world, b, a) for a in units for b in pilot.units)
