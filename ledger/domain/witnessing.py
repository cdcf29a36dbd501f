"""Decides the entries about the log itself: cosignatures, a change of witnesses, a recovery (B21).

All stand in `ledger/root`. Of cosignatures only the form is judged here: which witnesses count is
a policy's matter, and everyone who has one can check the lines against the log's own tree.
"""

from __future__ import annotations

from ledger.domain.event import Proposal
from ledger.domain.organisation import ROOT_UNIT, STREAM
from ledger.domain.rights import holds, need, signers
from ledger.domain.witnessed import TIME_S_MAX, time_s
from ledger.domain.world import WITNESSED_COUNT, World
from ledger.errors import FormatError, Refused
from ledger.log.note import parse_signature

SERVICE = "service"
_COSIGNATURE_BYTES = frozenset({8 + 64, 8 + 2420})


def decide_witnessed(world: World, proposal: Proposal, ident: str, today: str) -> None:
    """Raise Refused unless the service actor alone records well-formed cosignature lines."""
    _need_root(proposal, ident)
    signed = signers(world, proposal)
    need(world, proposal.actor, SERVICE, ROOT_UNIT, today)
    if signed != (proposal.actor,):
        raise Refused("service-alone", "only the service's key signs what is witnessed")
    size = proposal.body["size"]
    if size > world.size:
        raise Refused("witnessed-size", f"of a tree of {size} entries; there are {world.size}")
    seen = set()
    for line in proposal.body["cosignatures"]:
        try:
            found = parse_signature(line)
        except FormatError as error:
            raise Refused("cosignature-form", error.message) from None
        if len(found.signature) not in _COSIGNATURE_BYTES:
            raise Refused("cosignature-form", f"the line of {found.name} is no cosignature")
        if time_s(found) > TIME_S_MAX:
            raise Refused("cosignature-form", f"the line of {found.name} has an impossible time")
        if (found.name, found.key_id) in seen:
            raise Refused("cosignature-once", f"{found.name} stands there twice")
        seen.add((found.name, found.key_id))


def witnessed_over(world: World, index: int) -> tuple[int, str] | None:
    """Return the first witnessed checkpoint that covers `index`: its size, and when it had quorum.

    None where none does yet. Witnessed sizes grow, so it is sought by halves.
    """
    low, high = 0, world.positions.get(WITNESSED_COUNT) or 0
    while low < high:
        middle = (low + high) // 2
        found = world.witnessed.get(str(middle))
        assert found is not None  # noqa: S101 - numbered without a gap
        if found[0] > index:
            high = middle
        else:
            low = middle + 1
    return world.witnessed.get(str(low))


def witnessed_at(world: World, index: int) -> str | None:
    """Return when the quorum was complete for the first witnessed checkpoint that covers `index`.

    None where none does yet.
    """
    covering = witnessed_over(world, index)
    return covering[1] if covering is not None else None


def decide_adoption(world: World, proposal: Proposal, ident: str, today: str) -> None:
    """Raise Refused unless a registrar over root, and a second one where there is, signs for it."""
    _need_root(proposal, ident)
    _need_registrars(world, proposal, today, "another policy of witnesses")


def decide_recovery(world: World, proposal: Proposal, ident: str, today: str) -> None:
    """Raise Refused unless a registrar over root, and a second one where there is, gives it up."""
    _need_root(proposal, ident)
    _need_registrars(world, proposal, today, "a recovery")


def _need_registrars(world: World, proposal: Proposal, today: str, what: str) -> None:
    signed = signers(world, proposal)
    need(world, proposal.actor, "registrar", ROOT_UNIT, today)
    standing = [a for a in world.registrars if holds(world, a, "registrar", ROOT_UNIT, today)]
    if len(standing) >= 2 and sum(name in standing for name in signed) < 2:
        raise Refused("two-registrars", f"two registrars over root must sign for {what}")


def _need_root(proposal: Proposal, ident: str) -> None:
    if ident != ROOT_UNIT:
        raise Refused("stream-kind", f"{proposal.type} belongs in {STREAM}")
