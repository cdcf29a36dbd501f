"""Where a member was on which day, and who lay above a unit on which day.

Prices and scores go by the day of an act, decisions by the position in the log (A4). These folds
keep what the days need; the aggregates `Member` and `Unit` hold only how things stand now. Days
are YYYY-MM-DD in the organisation's zone; a change holds from its day on.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

from ledger.domain.event import Event
from ledger.rules.member import FOREVER, Days, Veto
from ledger.rules.period import following


class Stay(NamedTuple):
    """From `start` until the next stay: a unit, and a type there."""

    start: str
    unit: str
    member_type: str


@dataclass(frozen=True, slots=True)
class History:
    """A member's stays in the order of their days, and the days on which it was away.

    `exempt` and `suspended` hold first and last days, both in them; `left` is the last day of a
    member who is gone. `vetoes` are those that stand, in the order of their confirmation.
    """

    stays: tuple[Stay, ...]
    exempt: tuple[Days, ...] = ()
    suspended: tuple[Days, ...] = ()
    left: str = FOREVER
    vetoes: tuple[Veto, ...] = ()

    def on(self, day: str) -> Stay | None:
        """Return the stay of `day`, None before the first and after leaving."""
        if day > self.left:
            return None
        return next((each for each in reversed(self.stays) if each.start <= day), None)

    def exempt_on(self, day: str) -> bool:
        """Tell whether the member was exempt on `day`: acts of it are refused (A23)."""
        return any(each.first <= day <= each.last for each in self.exempt)


Parents = tuple[tuple[str, str | None], ...]
"""The units above a unit, each from its day on, oldest first."""


def evolve(history: History | None, event: Event, today: str) -> History:
    """Fold an event of `member/<id>` recorded on the zone date `today`, other than points."""
    kind, body = event.proposal.type, event.proposal.body
    if history is None:
        start = body.get("date", today)
        return History((Stay(start, body["unit"], body["member_type"]),))
    now = history.stays[-1]
    if kind == "member.transferred":
        member_type = body.get("member_type", now.member_type)
        # Acts of the day of recording may stand already: they stay those of the old unit.
        return moved(history, Stay(body.get("date", following(today)), body["unit"], member_type))
    if kind == "member.typed":
        return moved(history, Stay(body["date"], now.unit, body["member_type"]))
    if kind == "member.exempted":
        away = Days(body["from"], body.get("until", FOREVER))
        return replace(history, exempt=(*history.exempt, away))
    if kind == "member.suspended":
        return replace(history, suspended=(*history.suspended, Days(body["date"])))
    if kind == "member.reinstated":
        *before, last = history.suspended
        return replace(history, suspended=(*before, Days(last.first, body["date"])))
    if kind == "member.left":
        return replace(history, left=body["date"])
    if kind == "veto.confirmed":
        named = (body["rulebook"], body["version"], body["veto"], body["decided_on"])
        veto = Veto(event.proposal.id, *named)
        return replace(history, vetoes=(*history.vetoes, veto))
    if kind == "veto.lifted":
        stand = tuple(each for each in history.vetoes if each.id != body["veto"])
        return replace(history, vetoes=stand)
    if kind == "member.merged":
        return replace(history, left=today)
    return history


def parents_after(parents: Parents, event: Event, today: str) -> Parents:
    """Fold the opening or a move of a unit, recorded on the zone date `today`.

    What a unit is opened under holds for all days before a move.
    """
    if event.proposal.type == "unit.opened":
        return (("", event.proposal.body.get("parent")),)
    if event.proposal.type == "unit.moved":
        return (*parents, (today, event.proposal.body["parent"]))
    return parents


def parent_on(parents: Parents, day: str) -> str | None:
    """Return the unit above on `day`."""
    return next((parent for start, parent in reversed(parents) if start <= day), None)


def moved(history: History, stay: Stay) -> History:
    """Return the history with a stay from its day on, in place of what was to come."""
    return replace(history, stays=(*(s for s in history.stays if s.start < stay.start), stay))


def taken_over(history: History, closed: History) -> History:
    """Return the history of an id that goes on, with the vetoes of the closed one (B14, A35)."""
    known = {each.of for each in history.vetoes}
    others = tuple(each for each in closed.vetoes if each.of not in known)
    return replace(history, vetoes=(*history.vetoes, *others))
