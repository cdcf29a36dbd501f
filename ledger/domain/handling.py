"""Decides how a dispute is taken in and handled, up to its hearing (B2, B8, B9, B19, B22).

What is enforced here, where filer and target are commitments: intake receives, tells and records
for others; people of role `discipline` over the case's unit accept, check and hear, and none of
them is the person who received it; a task that nobody took in two terms passes to the unit above.
That a handler is not the filer cannot be seen in the log: `ledger.verify.cases` shows it on a
disclosed bundle.
"""

from __future__ import annotations

from ledger.domain.days import real_date
from ledger.domain.dispute import UNDER_WAY, WAY, Dispute, name_of
from ledger.domain.eligibility import acting
from ledger.domain.event import Proposal
from ledger.domain.rights import holds, holds_at, path, signers
from ledger.domain.world import World
from ledger.errors import Refused

DISCIPLINE, INTAKE = "discipline", "intake"
PASSES_MAX = 2


def filed(world: World, proposal: Proposal, ident: str, today: str) -> None:
    """Refuse the filer's own statement: in the log it would name filer and target for good (B9)."""
    del world, proposal, ident, today
    raise Refused(
        "confidential", "a dispute is handed to intake, which records a commitment to it: not here"
    )


def received(world: World, proposal: Proposal, ident: str, today: str) -> None:
    """Raise Refused unless intake receives a case that is new, for an open unit (B9)."""
    signed = signers(world, proposal)
    if world.disputes.get(ident) is not None:
        raise Refused("dispute-once", f"dispute {ident} is received already: take another id")
    unit = world.units.get(proposal.body["unit"])
    if unit is None or unit.closed is not None:
        raise Refused("unit-known", f"{proposal.body['unit']} is no open unit")
    for actor in signed:
        _need(world, actor, INTAKE, unit.id, today)


def acknowledged(world: World, proposal: Proposal, ident: str, today: str) -> None:
    """Raise Refused unless intake acknowledges; a named filer gets the receipt and all terms."""
    _by_intake(world, proposal, ident, today)


def notified(world: World, proposal: Proposal, ident: str, today: str) -> None:
    """Raise Refused unless intake records that those concerned were told."""
    _by_intake(world, proposal, ident, today)


def withdrawn(world: World, proposal: Proposal, ident: str, today: str) -> None:
    """Raise Refused unless intake records that the filer withdrew, before the decision (B8)."""
    _by_intake(world, proposal, ident, today)


def continued(world: World, proposal: Proposal, ident: str, today: str) -> None:
    """Raise Refused unless the body goes on with a withdrawn case that it had accepted (B8)."""
    dispute = _by_body(world, proposal, ident, today)
    if dispute.resumes not in UNDER_WAY:
        raise Refused("dispute-accepted", "it was withdrawn before it was accepted: it has ended")


def accepted(world: World, proposal: Proposal, ident: str, today: str) -> None:
    """Raise Refused unless the body accepts: who may decide is fixed by this (B22)."""
    _by_body(world, proposal, ident, today)


def transferred(world: World, proposal: Proposal, ident: str, today: str) -> None:
    """Raise Refused unless the body hands the case to another unit, or the one above takes it."""
    dispute = find(world, ident, proposal)
    signed = signers(world, proposal)
    unit = proposal.body["unit"]
    known = world.units.get(unit)
    if known is None or known.closed is not None or unit == dispute.unit:
        raise Refused("unit-known", f"{unit} is no other open unit")
    taken_over = unit in path(world, dispute.unit)[1:]
    for actor in signed:
        if not (taken_over and holds(world, actor, DISCIPLINE, unit, today)):
            _by(world, dispute, actor, today)


def declined(world: World, proposal: Proposal, ident: str, today: str) -> None:
    """Raise Refused unless the body does not accept the case, with a reason."""
    _by_body(world, proposal, ident, today)


def checked(world: World, proposal: Proposal, ident: str, today: str) -> None:
    """Raise Refused unless the body records a talk or a check, holds the case or closes it."""
    dispute = _by_body(world, proposal, ident, today)
    if proposal.body["step"] == "closed" and len(signers(world, proposal)) < 2:
        raise Refused("four-eyes", f"{proposal.actor} alone signed: two people close {dispute.id}")


def evidenced(world: World, proposal: Proposal, ident: str, today: str) -> None:
    """Raise Refused unless intake or the body adds evidence."""
    dispute = find(world, ident, proposal)
    for actor in signers(world, proposal):
        if not holds(world, actor, INTAKE, dispute.unit, today) and actor not in dispute.drawn:
            _by(world, dispute, actor, today)


def heard(world: World, proposal: Proposal, ident: str, today: str) -> None:
    """Raise Refused unless the body records a hearing that was held, with its bundle."""
    _by_body(world, proposal, ident, today)
    if real_date(proposal.body["held_on"], "held_on") > today:
        raise Refused("hearing-held", f"the hearing of {proposal.body['held_on']} is yet to come")


def announced(world: World, proposal: Proposal, ident: str, today: str) -> None:
    """Raise Refused unless the body announces a decision, in a unit on the case's own path."""
    dispute = _by_body(world, proposal, ident, today)
    scope = proposal.body["scope"]
    if scope != "parties" and scope not in path(world, dispute.unit):
        raise Refused("announce-scope", f"{scope} is neither `parties` nor a unit above the case's")


# -- who -----------------------------------------------------------------------------------------


def find(world: World, ident: str, proposal: Proposal) -> Dispute:
    """Return the case, in a state from which the statement leads on."""
    dispute = world.disputes.get(ident)
    if dispute is None:
        raise Refused("dispute-known", f"dispute {ident} is not received")
    name = name_of(proposal.type, proposal.body)
    if dispute.state not in WAY.get(name, {}):
        before = ", ".join(sorted(WAY.get(name, {})))
        raise Refused("dispute-state", f"the case is {dispute.state}: {name} follows on {before}")
    return dispute


def above(world: World, dispute: Dispute) -> tuple[str, ...]:
    """Return the units above the case's; at the top the root itself (B19)."""
    return path(world, dispute.unit)[1:] or (dispute.unit,)


def _need(world: World, actor: str, role: str, unit: str, today: str) -> None:
    if not holds(world, actor, role, unit, today):
        raise Refused(
            f"needs-{role}", f"{actor} is no {role} over unit {unit}: a person with it must sign"
        )


def _by_intake(world: World, proposal: Proposal, ident: str, today: str) -> Dispute:
    dispute = find(world, ident, proposal)
    for actor in signers(world, proposal):
        _need(world, actor, INTAKE, dispute.unit, today)
    return dispute


def _by_body(world: World, proposal: Proposal, ident: str, today: str) -> Dispute:
    dispute = find(world, ident, proposal)
    for actor in signers(world, proposal):
        _by(world, dispute, actor, today)
    return dispute


def _by(world: World, dispute: Dispute, actor: str, today: str) -> None:
    """Raise Refused unless the actor is of the body that has the case, and did not receive it."""
    if actor in acting(world, dispute.keys_of("dispute.received")):
        raise Refused("received-apart", f"{actor} received the case: another must handle it")
    if dispute.lapses >= PASSES_MAX and any(
        holds_at(world, actor, role, above(world, dispute), today) for role in (DISCIPLINE, "upper")
    ):
        return
    _need(world, actor, DISCIPLINE, dispute.unit, today)
