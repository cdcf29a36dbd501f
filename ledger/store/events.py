"""Recorded entries as domain events of the eventsourcing library, one class a statement type.

Whoever writes a projection with the library dispatches on these classes.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ledger.domain.account_fold import evolve_account
from ledger.domain.event import Event
from ledger.store.dispute_events import DISPUTE_EVENTS
from ledger.store.frame_events import FRAME_EVENTS
from ledger.store.recorded import NO_INDEX, Recorded
from ledger.store.way_events import WAY_EVENTS


class LedgerFounded(Recorded):
    """The log began: time zone, threshold, founders and their keys."""

    topic = "ledger.founded"


class LedgerRecovered(Recorded):
    """The ledger went on from an older state, and a history that others saw was given up."""

    topic = "ledger.recovered"


class CheckpointWitnessed(Recorded):
    """A checkpoint's cosignatures met their quorum."""

    topic = "checkpoint.witnessed"


class WitnessesAdopted(Recorded):
    """Another policy says from here on which witnesses count."""

    topic = "witnesses.adopted"


class OutageRecorded(Recorded):
    """The service was down: days that count in no term."""

    topic = "outage.recorded"


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


class TextErased(Recorded):
    """A text or file behind a commitment was erased."""

    topic = "text.erased"


_ALL: tuple[type[Recorded], ...] = (
    LedgerFounded,
    LedgerRecovered,
    CheckpointWitnessed,
    WitnessesAdopted,
    OutageRecorded,
    KeyRegistered,
    KeyRevoked,
    RoleGranted,
    RoleRevoked,
    UnitOpened,
    UnitMoved,
    MemberEnrolled,
    MemberLinked,
    MemberTransferred,
    MemberSuspended,
    MemberReinstated,
    MemberLeft,
    TextErased,
    *WAY_EVENTS,
    *FRAME_EVENTS,
    *DISPUTE_EVENTS,
)
EVENTS: dict[str, type[Recorded]] = {each.topic: each for each in _ALL}
"""Every event class by its topic: what a database row may name, and nothing else."""


def project_account(account: Any, events: Iterable[Recorded]) -> Any:
    """Fold a member's stream into the member's `Account`: a projector for the repository.

    Returns None for a stream without entries.
    """
    for event in events:
        account = evolve_account(account, Event.of(event.entry, NO_INDEX))
    return account
