"""The organisation itself: what the founding entry fixes (stream `ledger/root`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from ledger.domain.event import Event

STREAM = "ledger/root"
RECOVERED = "ledger.recovered"
ADOPTED = "witnesses.adopted"
OUTAGE = "outage.recorded"
ROOT_UNIT = "root"


@dataclass(frozen=True, slots=True)
class Recovery:
    """A history that others had seen up to `from_size`, given up when the ledger was put back.

    It went on from `to_size` entries with the entry at `index`, `ledger.recovered`; `cause` is
    backup, rollback or clone.
    """

    index: int
    from_size: int
    to_size: int
    cause: str

    def __str__(self) -> str:
        return (
            f"a history of {self.from_size} entries was signed before; it was given up and the "
            f"ledger went on from {self.to_size} ({self.cause})"
        )


@dataclass(frozen=True, slots=True)
class Organisation:
    """Time zone for dates, founding threshold, and the founding actors in their listed order.

    `policy` is the SHA-256, in hex, of the policy of witnesses that an entry adopted last, ""
    before the first one.
    """

    version: int
    time_zone: str
    threshold: int
    founders: tuple[str, ...]
    recoveries: tuple[Recovery, ...] = ()
    policy: str = ""

    @property
    def given_up(self) -> int:
        """The largest size of a history that was given up, 0 without."""
        return max((each.from_size for each in self.recoveries), default=0)


def recovery_of(index: int, body: Mapping[str, Any]) -> Recovery:
    """Return what the entry `ledger.recovered` at `index` says."""
    return Recovery(index, body["from_size"], body["to_size"], body["cause"])


def evolve(organisation: Organisation | None, event: Event) -> Organisation:
    """Fold an event of `ledger/root`."""
    body = event.proposal.body
    if organisation is not None:
        recoveries, policy = organisation.recoveries, organisation.policy
        if event.proposal.type == RECOVERED:
            recoveries = (*recoveries, recovery_of(event.index, body))
        elif event.proposal.type == ADOPTED:
            policy = body["policy"]
        return replace(organisation, version=event.seq, recoveries=recoveries, policy=policy)
    founders = dict.fromkeys(key["actor"] for key in body["keys"])
    return Organisation(event.seq, body["time_zone"], body["threshold"], tuple(founders))
