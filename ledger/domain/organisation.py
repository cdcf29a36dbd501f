"""The organisation itself: what the founding entry fixes (stream `ledger/root`)."""

from __future__ import annotations

from dataclasses import dataclass

from ledger.domain.event import Event

STREAM = "ledger/root"
ROOT_UNIT = "root"


@dataclass(frozen=True, slots=True)
class Organisation:
    """Time zone for dates, founding threshold, and the founding actors in their listed order."""

    version: int
    time_zone: str
    threshold: int
    founders: tuple[str, ...]


def evolve(organisation: Organisation | None, event: Event) -> Organisation:
    """Fold an event of `ledger/root`."""
    del organisation
    body = event.proposal.body
    founders = dict.fromkeys(key["actor"] for key in body["keys"])
    return Organisation(event.seq, body["time_zone"], body["threshold"], tuple(founders))
