"""Terms of an entry's states: when each ends, what lapses, and what may lengthen it (B2, B4, B7).

Every state before final has a term. What lapses is signed once by the service actor, and is a pure
function of log and calendar, so that replay finds the same day (B21): publicity ends and the entry
is final, a returned claim that nobody revised is withdrawn, and any other task passes on, first to
the next eligible person, then to the unit above. Silence never approves.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from ledger.domain import policy
from ledger.domain.account import (
    ACKNOWLEDGED,
    APPEALED,
    CHECKED,
    CLAIMED,
    OBJECTED,
    ORDERED,
    PENDING,
    PUBLISHED,
    RETURNED,
    REVIEWED,
    Account,
    PointsEntry,
)
from ledger.domain.days import days_between, real_date
from ledger.domain.deadlines import NOW, natural_end, outage_days, pushed, term_end, working_end
from ledger.domain.eligibility import refuse
from ledger.domain.event import Proposal
from ledger.domain.member import LEFT
from ledger.domain.organisation import ROOT_UNIT
from ledger.domain.policy import figure
from ledger.domain.rights import holds, signers
from ledger.domain.way import case_of, found
from ledger.domain.witnessing import witnessed_at
from ledger.domain.world import WITNESSES_FROM, World
from ledger.errors import Refused
from ledger.rules.member import FOREVER

PUBLICITY, RETURN = "publicity", "returned"
PASSES_MAX = 2
"""So often a task passes on: to the next person, then to the unit above, where it stays."""

TERM = {
    CLAIMED: "first_review",
    CHECKED: "first_review",
    REVIEWED: "first_review",
    RETURNED: RETURN,
    PUBLISHED: PUBLICITY,
    OBJECTED: "objection_ack",
    ACKNOWLEDGED: "reconsideration",
    ORDERED: "reconsideration",
    APPEALED: "appeal",
}
"""The term that runs in each state; a final entry has none (B2)."""

_DAYS = {
    "first_review": "first_review_days",
    "reconsideration": "first_review_days",
    "appeal": "second_review_days",
    "objection_ack": "objection_ack_working_days",
    PUBLICITY: "publicity_working_days",
}
_WORKING = frozenset({"objection_ack", PUBLICITY})


class Due(NamedTuple):
    """A term of an entry and its last day; on the day after it has lapsed."""

    entry: str
    term: str
    due: str


def due_term(world: World, member: str, entry: PointsEntry) -> Due | None:
    """Return the term that runs for an entry, None where none runs (any more).

    A term that passed on twice stays with the unit above. What was pending on the day on which the
    member left is closed (B17), but for corrections that a decision orders; a publicity that had
    ended before still makes its entry final. Nothing that waits goes on under a closed id (B14).
    """
    term = TERM.get(entry.state)
    known = world.members.get(member)
    if term is None or entry.lapses >= PASSES_MAX:
        return None
    left = known is not None and known.status == LEFT
    gone = left and entry.state in PENDING and entry.orders is None
    if gone and known is not None and (term != PUBLICITY or known.merger is not None):
        return None
    due = end_of(world, entry, term)
    if entry.until is not None and entry.extended_at is not None:
        due = max(due, pushed(world, world.today(entry.extended_at), entry.until))
    if gone and due >= _last_day(world, member):
        return None
    return Due(entry.id, term, due)


def _last_day(world: World, member: str) -> str:
    history = world.histories.get(member)
    assert history is not None  # noqa: S101 - every enrolled member has one
    return history.left


def end_of(world: World, entry: PointsEntry, term: str) -> str:
    """Return the last day of a term that the entry opened, extensions apart (A34, B2, B21)."""
    day = world.today(entry.opened_at)
    if term == RETURN:
        return term_end(world, day, policy.RETURNED_DAYS)
    days = figure(world, entry, _DAYS[term])
    if term not in _WORKING:
        return term_end(world, day, days)
    if term == PUBLICITY and entry.rest is not None:
        days = entry.rest
    elif term == PUBLICITY:
        begun = publicity_begun(world, entry)
        if begun is None:
            return FOREVER
        day = world.today(begun)
    end = working_end(world, entry.opened_at, day, days) if days else day
    # What the notice says stands, also against a calendar of the same instant.
    return end if entry.closes is None or term != PUBLICITY else max(end, entry.closes)


def publicity_begun(world: World, entry: PointsEntry) -> str | None:
    """Return when a publicity began: at the cosignature that completed the quorum over it (B21).

    None while no witnessed checkpoint covers the entry that opened it: what nobody outside has
    seen is not public. Where the log had no witnesses yet it begins with that entry.
    """
    first, opened = world.positions.get(WITNESSES_FROM), entry.opened_index
    if first is None or opened is None or opened <= first:
        return entry.opened_at
    seen = witnessed_at(world, opened)
    return max(seen, entry.opened_at) if seen is not None else None


def _length(world: World, entry: PointsEntry, term: str) -> int:
    """Return how many natural days a term has without the outages in it."""
    opened, end = world.today(entry.opened_at), end_of(world, entry, term)
    down = sum(opened < day <= end for day in outage_days(world))
    return days_between(opened, end) - down


def due_terms(world: World, member: str, account: Account, today: str) -> Iterator[Due]:
    """Yield the terms of a member's entries that have lapsed by `today` without a record of it."""
    for entry in account.entries.values():
        due = due_term(world, member, entry)
        if due is not None and today > due.due:
            yield due


def lapsed(world: World, proposal: Proposal, ident: str, today: str) -> None:
    """Raise Refused unless the service actor records a term that has run out, and its day (B21)."""
    signed = signers(world, proposal)
    if len(signed) != 1 or not holds(world, proposal.actor, "service", ROOT_UNIT, today):
        raise Refused("service-lapses", "lapses are signed by the service actor, alone")
    _, _, entry = found(world, proposal, today)
    body = proposal.body
    due = due_term(world, ident, entry)
    if due is None or due.term != body["term"]:
        raise Refused(
            "term-runs", f"no term {body['term']} runs for this entry: it is {entry.state}"
        )
    if due.due != body["due"]:
        raise Refused("term-due", f"the term's last day is {due.due}, not {body['due']}")
    if today <= due.due:
        raise Refused("term-over", f"the term runs to the end of {due.due}, today is {today}")


def extended(world: World, proposal: Proposal, ident: str, today: str) -> None:
    """Raise Refused unless the unit above lengthens a running term, once, by its length (B7).

    Never publicity, which is in no line of the table. For a vacancy a term may also pause once, by
    at most 15 working days (B4).
    """
    signed = signers(world, proposal)
    _, _, entry = found(world, proposal, today)
    case = case_of(world, ident, entry, today)
    for actor in signed:
        refuse(case.upper(actor, "extension"))
    body = proposal.body
    until, due = real_date(body["until"], "until"), due_term(world, ident, entry)
    if due is None or today > due.due:
        raise Refused("term-over", "the term is over: it is extended before its end or not at all")
    if body.get("vacancy"):
        if entry.paused:
            raise Refused("paused-once", "this term was paused for a vacancy already")
        last = working_end(world, NOW, due.due, policy.VACANCY_WORKING_DAYS_MAX)
    else:
        if entry.extended:
            raise Refused("extended-once", "this term was extended already")
        last = natural_end(due.due, _length(world, entry, due.term))
    if not due.due < until <= last:
        raise Refused("extended-length", f"the new end lies after {due.due} and not after {last}")
