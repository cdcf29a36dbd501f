"""The organisation itself: what the founding entry fixes (stream `ledger/root`)."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ledger.domain.event import Event

STREAM = "ledger/root"
RECOVERED = "ledger.recovered"
ADOPTED = "witnesses.adopted"
OUTAGE = "outage.recorded"
ROOT_UNIT = "root"


@dataclass(frozen=True, slots=True)
class Organisation:
    """Time zone for dates, founding threshold, and the founding actors in their listed order.

    `given_up` is the largest size of a history that others had seen and that was given up when the
    ledger had to be put back to an older state (`ledger.recovered`).
    """

    version: int
    time_zone: str
    threshold: int
    founders: tuple[str, ...]
    given_up: int = 0


def evolve(organisation: Organisation | None, event: Event) -> Organisation:
    """Fold an event of `ledger/root`."""
    body = event.proposal.body
    if organisation is not None:
        given_up = body["from_size"] if event.proposal.type == RECOVERED else 0
        return replace(
            organisation, version=event.seq, given_up=max(organisation.given_up, given_up)
        )
    founders = dict.fromkeys(key["actor"] for key in body["keys"])
    return Organisation(event.seq, body["time_zone"], body["threshold"], tuple(founders))
