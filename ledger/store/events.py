"""Recorded entries as domain events of the eventsourcing library, one class a statement type.

Whoever writes a projection with the library dispatches on these classes. An event is an entry and
nothing else: its exact bytes, parsed. `mutate` folds it with the pure `evolve` of its aggregate,
so the library's own projector gives any aggregate at any version.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from ledger.domain import actor, member, organisation, rulebook, unit
from ledger.domain.event import Event
from ledger.domain.member import Account
from ledger.entry import Entry, parse_instant

# A stored event of one stream does not tell its index in the log, and no fold of one asks for it.
_NO_INDEX = -1
_EVOLVE: dict[str, Callable[[Any, Event], Any]] = {
    "actor": actor.evolve,
    "ledger": organisation.evolve,
    "member": member.evolve,
    "rulebook": rulebook.evolve,
    "unit": unit.evolve,
}


@dataclass(frozen=True, slots=True)
class Recorded:
    """A recorded entry; the base of all events. `topic` is the statement type."""

    entry: Entry
    topic: ClassVar[str]

    @property
    def originator_id(self) -> str:
        """The stream, such as `member/m-1`."""
        return self.entry.stream

    @property
    def originator_version(self) -> int:
        """The position in the stream, from 1."""
        return self.entry.seq

    @property
    def timestamp(self) -> datetime:
        """When it was recorded, aware, in UTC."""
        return parse_instant(self.entry.recorded_at, micros=True)

    @property
    def body(self) -> dict[str, Any]:
        """The statement's body, which must not be changed."""
        return self.entry.statement.body

    def mutate(self, aggregate: Any) -> Any:
        """Return the aggregate of this stream after this event; None is the one before all."""
        kind = self.entry.stream.partition("/")[0]
        return _EVOLVE[kind](aggregate, Event.of(self.entry, _NO_INDEX))


class LedgerFounded(Recorded):
    """The log began: time zone, threshold, founders and their keys."""

    topic = "ledger.founded"


class KeyRegistered(Recorded):
    """A key counts from here on."""

    topic = "key.registered"


class KeyRevoked(Recorded):
    """A key counts no longer."""

    topic = "key.revoked"


class RoleGranted(Recorded):
    """An actor holds a role over a unit."""

    topic = "role.granted"


class RoleRevoked(Recorded):
    """An actor no longer holds a role over a unit."""

    topic = "role.revoked"


class UnitOpened(Recorded):
    """A unit was opened."""

    topic = "unit.opened"


class UnitMoved(Recorded):
    """A unit stands under another one."""

    topic = "unit.moved"


class RulebookPublished(Recorded):
    """A version of a rulebook was published."""

    topic = "rulebook.published"


class MemberEnrolled(Recorded):
    """A member was enrolled in a unit."""

    topic = "member.enrolled"


class MemberLinked(Recorded):
    """A member's actor id became known."""

    topic = "member.linked"


class MemberTransferred(Recorded):
    """A member belongs to another unit."""

    topic = "member.transferred"


class MemberSuspended(Recorded):
    """A member was suspended."""

    topic = "member.suspended"


class MemberReinstated(Recorded):
    """A suspended member is active again."""

    topic = "member.reinstated"


class MemberLeft(Recorded):
    """A member left."""

    topic = "member.left"


class PointsAwarded(Recorded):
    """Points were awarded."""

    topic = "points.awarded"


class PointsDeducted(Recorded):
    """Points were deducted."""

    topic = "points.deducted"


class PointsCorrected(Recorded):
    """A points entry was reversed, with or without a replacement."""

    topic = "points.corrected"


class TextErased(Recorded):
    """A text or file behind a commitment was erased."""

    topic = "text.erased"


EVENTS: dict[str, type[Recorded]] = {
    each.topic: each
    for each in (
        LedgerFounded,
        KeyRegistered,
        KeyRevoked,
        RoleGranted,
        RoleRevoked,
        UnitOpened,
        UnitMoved,
        RulebookPublished,
        MemberEnrolled,
        MemberLinked,
        MemberTransferred,
        MemberSuspended,
        MemberReinstated,
        MemberLeft,
        PointsAwarded,
        PointsDeducted,
        PointsCorrected,
        TextErased,
    )
}
"""Every event class by its topic: what a database row may name, and nothing else."""


def project_account(account: Any, events: Iterable[Recorded]) -> Any:
    """Fold a member's stream into the member's `Account`: a projector for the repository.

    Returns None for a stream without entries.
    """
    for event in events:
        account = member.evolve_account(account or Account(), Event.of(event.entry, _NO_INDEX))
    return account
