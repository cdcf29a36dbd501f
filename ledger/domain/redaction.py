"""Decides the erasure of a text or file behind a commitment: by whom, and when (rule B22).

The entry stays as it is; what goes is outside the log. So nobody can erase why points were given
while somebody may still object or appeal, or while a case about it is open.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from ledger.domain.account import ENDED, REVERSED, Account, PointsEntry
from ledger.domain.deadlines import term_end
from ledger.domain.dispute import UNDER_WAY, Dispute
from ledger.domain.event import Proposal
from ledger.domain.objections import kept_until
from ledger.domain.policy import DEFAULTS
from ledger.domain.rights import need_pair, signers
from ledger.domain.ruling import open_case
from ledger.domain.way import case_of
from ledger.domain.world import World
from ledger.errors import Refused


class Use(NamedTuple):
    """One statement or entry that stands on a commitment.

    `term_ends` is the last date of its last objection or appeal term, None while that is not
    fixed yet.
    """

    statement: str
    term_ends: str | None


def decide(world: World, proposal: Proposal, ident: str, today: str) -> None:
    """Raise Refused unless a registrar and a second person ordered it in time (B22).

    On a member's stream the second is of the committee; on a case's, after the case has ended, of
    `discipline`. Which entry a case is about is known to intake alone until a decision opens it:
    before that, intake's register says what is not to be erased.
    """
    signed = signers(world, proposal)
    commitment = proposal.body["commitment"]
    if proposal.stream.startswith("dispute/"):
        _of_case(world, signed, ident, commitment, today)
        return
    _of_member(world, signed, ident, today)
    case = open_case(world, proposal.stream)
    if case is not None:
        raise Refused("erasure-case", f"case {case} about an entry here is open: erase after it")
    account = world.accounts.get(proposal.stream) or Account()
    if commitment in account.erased:
        raise Refused("erased-once", f"{commitment[:16]}… was erased already")
    known = False
    for use in uses(world, ident, account, commitment, today):
        known = True
        _need_settled(use, today)
    if not known:
        raise Refused(
            "commitment-known", "this stream holds no such commitment: name the stream that does"
        )


def needs(proposal: Proposal) -> tuple[str, ...]:
    """Name the member's account; a case is known anyway."""
    return () if proposal.stream.startswith("dispute/") else (proposal.stream,)


def _of_member(world: World, signed: tuple[str, ...], ident: str, today: str) -> None:
    member = world.members.get(ident)
    if member is None:
        raise Refused("member-known", f"member {ident} is not enrolled")
    for actor in signed:
        if world.linked.get(actor) == ident:
            raise Refused("no-self-review", f"{actor} is member {ident} and may not sign for it")
    need_pair(world, signed, "registrar", "committee", member.unit, today)


def _of_case(
    world: World, signed: tuple[str, ...], ident: str, commitment: str, today: str
) -> None:
    dispute = world.disputes.get(ident)
    if dispute is None:
        raise Refused("dispute-known", f"dispute {ident} is not received")
    need_pair(world, signed, "registrar", "discipline", dispute.unit, today)
    if commitment in dispute.erased:
        raise Refused("erased-once", f"{commitment[:16]}… was erased already")
    if commitment not in dispute.texts:
        raise Refused(
            "commitment-known", "this stream holds no such commitment: name the stream that does"
        )
    if dispute.open or dispute.resumes in UNDER_WAY:
        raise Refused("erasure-case", f"case {ident} is {dispute.state}: erase after it has ended")
    _need_settled(Use(ident, _appeal_end(world, dispute)), today)


def _appeal_end(world: World, dispute: Dispute) -> str:
    """Return the last day on which what ended a case can be appealed (B18)."""
    last = world.today(dispute.parts[-1].recorded_at)
    return term_end(world, last, DEFAULTS["appeal_days"])


def uses(world: World, ident: str, account: Account, commitment: str, today: str) -> Iterator[Use]:
    """Yield what stands on a commitment in a member's account."""
    for entry in account.entries.values():
        if commitment in entry.texts:
            yield Use(entry.id, _settled_after(world, ident, account, entry, today))
    for held in account.others:
        if commitment in held.commitments:
            recorded = world.today(held.recorded_at)
            yield Use(held.statement, term_end(world, recorded, DEFAULTS["appeal_days"]))


def _settled_after(
    world: World, ident: str, account: Account, entry: PointsEntry, today: str
) -> str | None:
    """Return the last term of an entry and of all that corrects it, None while one is open."""
    ends = [kept_until(world, case_of(world, ident, entry, today), entry)]
    for each in entry.corrections:
        other = account.entries[each]
        if other.state not in ENDED - {REVERSED}:
            ends.append(_settled_after(world, ident, account, other, today))
    known = [end for end in ends if end is not None]
    return max(known) if len(known) == len(ends) else None


def _need_settled(use: Use, today: str) -> None:
    if use.term_ends is None:
        raise Refused(
            "erasure-term",
            f"{use.statement} is still on its way, or a case about it is open: erase after its "
            "last appeal term",
        )
    if today <= use.term_ends:
        raise Refused(
            "erasure-term",
            f"{use.statement} can be objected to or appealed until {use.term_ends}: erase after "
            "that day",
        )
