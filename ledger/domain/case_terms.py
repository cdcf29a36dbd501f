"""Terms of disputes: when each ends, what lapses, and what lengthens it (B2, B7, B21).

A lapse leaves the case where it is and passes the task on: first to the next person of the body,
then to the unit above, where it stays. Silence never decides.
"""

from __future__ import annotations

from typing import NamedTuple

from ledger.domain.days import days_between, real_date
from ledger.domain.deadlines import natural_end, working_end
from ledger.domain.dispute import (
    ACKNOWLEDGED,
    APPEALED,
    DRAWN,
    RECEIVED,
    UNDER_WAY,
    Dispute,
)
from ledger.domain.event import Proposal
from ledger.domain.handling import DISCIPLINE, PASSES_MAX, above, find
from ledger.domain.organisation import ROOT_UNIT
from ledger.domain.policy import DEFAULTS
from ledger.domain.rights import holds, holds_at, signers
from ledger.domain.world import World
from ledger.errors import Refused

TERM = {
    RECEIVED: "acknowledgement",
    ACKNOWLEDGED: "acceptance",
    **dict.fromkeys(UNDER_WAY, "decision"),
    APPEALED: "reexamination",
    DRAWN: "reexamination",
}
"""The term that runs in each open state; the decision's runs from acceptance, held or not."""
_DAYS = {
    "acknowledgement": DEFAULTS["objection_ack_working_days"],
    "acceptance": DEFAULTS["first_review_days"],
    "decision": DEFAULTS["second_review_days"],
    "reexamination": DEFAULTS["second_review_days"],
}


class Due(NamedTuple):
    """A term of a case and its last day."""

    term: str
    due: str


def due_term(world: World, dispute: Dispute) -> Due | None:
    """Return the term that runs, None where none runs (any more)."""
    term = TERM.get(dispute.state)
    if term is None or dispute.lapses >= PASSES_MAX:
        return None
    due = _end(world, dispute, term)
    return Due(term, due if dispute.until is None else max(due, dispute.until))


def _end(world: World, dispute: Dispute, term: str) -> str:
    day = world.today(dispute.term_at)
    if term == "acknowledgement":
        return working_end(world, dispute.term_at, day, _DAYS[term])
    return natural_end(day, _DAYS[term])


def lapsed(world: World, proposal: Proposal, ident: str, today: str) -> None:
    """Raise Refused unless the service actor records a term that has run out, and its day (B21)."""
    signed = signers(world, proposal)
    if len(signed) != 1 or not holds(world, proposal.actor, "service", ROOT_UNIT, today):
        raise Refused("service-lapses", "lapses are signed by the service actor, alone")
    dispute, body = find(world, ident, proposal), proposal.body
    due = due_term(world, dispute)
    if due is None or due.term != body["term"]:
        raise Refused("term-runs", f"no term {body['term']} runs: the case is {dispute.state}")
    if due.due != body["due"]:
        raise Refused("term-due", f"the term's last day is {due.due}, not {body['due']}")
    if today <= due.due:
        raise Refused("term-over", f"the term runs to the end of {due.due}, today is {today}")


def extended(world: World, proposal: Proposal, ident: str, today: str) -> None:
    """Raise Refused unless the unit above lengthens a running term, once, by its length (B7)."""
    dispute = find(world, ident, proposal)
    for actor in signers(world, proposal):
        units = above(world, dispute)
        if not any(holds_at(world, actor, role, units, today) for role in (DISCIPLINE, "upper")):
            raise Refused("needs-upper", f"{actor} is not of the unit above {dispute.unit}")
    until, due = real_date(proposal.body["until"], "until"), due_term(world, dispute)
    if due is None or today > due.due:
        raise Refused("term-over", "the term is over: it is extended before its end or not at all")
    if dispute.extended:
        raise Refused("extended-once", "this term was extended already")
    length = days_between(world.today(dispute.term_at), _end(world, dispute, due.term))
    last = natural_end(due.due, length)
    if not due.due < until <= last:
        raise Refused("extended-length", f"the new end lies after {due.due} and not after {last}")
