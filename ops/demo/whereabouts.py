"""Where each member of the cast is at an instant of the year: branch, type, and whether active."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from ops.demo import cast
from ops.demo.cast import TIME_ZONE, Change, Member

_ZONE = ZoneInfo(TIME_ZONE)


class Place(NamedTuple):
    """The branch's unit and the member type that a member has there."""

    branch: str
    member_type: str


class Whereabouts:
    """The cast under the changes of one year."""

    def __init__(self, year: int) -> None:
        self._members = {each.id: each for each in cast.build().members}
        self._changes: dict[str, list[Change]] = {}
        for change in cast.changes(year):
            self._changes.setdefault(change.member, []).append(change)

    def at(self, ident: str, when: datetime) -> Place | None:
        """Return where a member is, None while suspended and after leaving."""
        member = self._members[ident]
        branch, member_type, active = member.branch, member.member_type, True
        for change in self._changes.get(ident, ()):
            if _holds_from(change) > when:
                break
            active = change.kind in {"member.reinstated", "member.transferred"}
            member_type = change.member_type or member_type
            if change.unit is not None:
                branch = cast.branch_of(change.unit).unit.id
        return Place(branch, member_type) if active else None

    def present(self, branch: str, member_types: Collection[str], when: datetime) -> list[Member]:
        """Return the active members of a branch who are of one of the types, by id."""
        found = []
        for ident, member in self._members.items():
            place = self.at(ident, when)
            if place and place.branch == branch and place.member_type in member_types:
                found.append(member)
        return found

    def stays(self, ident: str, since: datetime, until: datetime) -> bool:
        """Tell whether a member is active in the same place at both instants."""
        place = self.at(ident, since)
        return place is not None and place == self.at(ident, until)


def _holds_from(change: Change) -> datetime:
    """Return when a change takes effect: a transfer on the day after it was recorded (A27)."""
    if change.kind != "member.transferred":
        return change.when
    next_day = change.when.astimezone(_ZONE).date() + timedelta(days=1)
    return datetime.combine(next_day, time(), _ZONE)
