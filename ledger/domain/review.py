"""Decides the democratic review of a year, and the committee's vote on a tie (A19, A21, A24).

There are as many sheets for a member as voters were present, each with the receipt that its voter
keeps, so that no sheet can be made up or lost unseen (cheat 22). A sheet without a score is not
valid. Sheets stand in the order of their receipts, which says nothing of who filled them in.
"""

from __future__ import annotations

from ledger.domain.closing import find, governing
from ledger.domain.days import real_date
from ledger.domain.event import Proposal
from ledger.domain.period import SEALED, YEAR, Period, Review
from ledger.domain.pricing import path_on, scored_member
from ledger.domain.rights import need_pair, quorum, signers
from ledger.domain.world import World
from ledger.errors import Refused
from ledger.rules.member import counts_in_denominator


def opened(world: World, proposal: Proposal, ident: str, today: str) -> None:
    """Raise Refused unless a yearly period under a rulebook with a review gets its one meeting."""
    period = _unsealed(world, ident)
    need_pair(world, signers(world, proposal), "secretary", "committee", period.unit, today)
    version = governing(world, period)
    if period.kind != YEAR or version is None or not version.annual.has_review:
        raise Refused("review-kind", f"{ident} is no year under a rulebook with a review")
    if period.review is not None:
        raise Refused("review-once", f"the review of {ident} is open already")
    held_on = real_date(proposal.body["held_on"], "held_on")
    if held_on > today:
        raise Refused("review-held", f"the meeting of {held_on} has not been held yet")
    present = proposal.body["present"]
    if present != sorted(set(present)):
        raise Refused("review-present", "list each voter present once, in the order of their ids")
    for member in present:
        _need_here(world, period, member, held_on)


def recorded(world: World, proposal: Proposal, ident: str, today: str) -> None:
    """Raise Refused unless there is one sheet for every voter present, for a member once."""
    period = _unsealed(world, ident)
    signed = signers(world, proposal)
    need_pair(world, signed, "secretary", "committee", period.unit, today)
    review = _open_review(period)
    member, sheets = proposal.body["member"], proposal.body["sheets"]
    _need_here(world, period, member, review.held_on)
    for actor in signed:
        if world.linked.get(actor) == member:
            raise Refused("no-self-review", f"{actor} is member {member}: others sign this record")
    if member in review.figures:
        raise Refused("review-once", f"the sheets for {member} are recorded already")
    if len(sheets) != len(review.present):
        raise Refused(
            "review-sheets",
            f"{len(sheets)} sheets for {member}, but {len(review.present)} voters were present",
        )
    receipts = [each["receipt"] for each in sheets]
    if receipts != sorted(set(receipts)):
        raise Refused("review-receipts", "a receipt a sheet, each once, sheets in their order")


def closed(world: World, proposal: Proposal, ident: str, today: str) -> None:
    """Raise Refused unless the review names how many members were reviewed, at least one (A21)."""
    period = _unsealed(world, ident)
    need_pair(world, signers(world, proposal), "secretary", "committee", period.unit, today)
    count = len(_open_review(period).figures)
    if proposal.body["count"] != count or count == 0:
        raise Refused("review-count", f"{count} members have been reviewed so far")


def voted(world: World, proposal: Proposal, ident: str, today: str) -> None:
    """Raise Refused unless half of the committee chose among the tied, within the seats (A24, B1).

    Who is tied has no part. The seats are never more than the quota, whose N follows from where
    members stood on the last day. That the tied and the seats left of it are those of the ranking
    is for replay to recompute: a decision reads no ranking.
    """
    period = _unsealed(world, ident)
    signed = signers(world, proposal)
    body = proposal.body
    version = governing(world, period)
    quota = version.quota if version else None
    if period.kind != YEAR or quota is None or quota.grade != body["grade"]:
        raise Refused("vote-grade", f"{ident} has no quota for the grade {body['grade']}")
    if version is not None and version.annual.has_review and not period.reviewed:
        raise Refused("review-open", "the vote is on figures after the review is closed")
    if body["grade"] in period.votes:
        raise Refused("vote-once", f"the vote on {body['grade']} is recorded already")
    tied, chosen = set(body["tied"]), set(body["chosen"])
    if not chosen <= tied:
        raise Refused("vote-among-tied", "the vote is among the candidates that are tied")
    if body["seats"] >= len(tied):
        raise Refused("vote-needed", "there is a place for everyone who is tied: no vote is needed")
    if len(chosen) > body["seats"]:
        raise Refused(
            "quota", f"{len(chosen)} were chosen, but only {body['seats']} places are left"
        )
    for member in tied:
        _need_here(world, period, member, period.end)
    limit = _full_members(world, period) * quota.numerator // quota.denominator
    if body["seats"] > limit:
        raise Refused("quota", f"{body['seats']} places are more than the quota's {limit}")
    recused = frozenset(m.actor for t in tied if (m := world.members.get(t)) and m.actor)
    quorum(world, signed, period.unit, today, recused)


def _full_members(world: World, period: Period) -> int:
    """Return N, the full members taking part in the unit: the quota's denominator (A24)."""
    known = world.rulebooks.get(period.rulebook)
    assert known is not None  # noqa: S101 - it has the quota
    assert known.book is not None  # noqa: S101
    days, count = known.book.periods.of(period.start), 0
    for ident in world.histories:
        history = world.histories.get(ident)
        stay = history.on(days.last) if history is not None else None
        if stay is None or period.unit not in path_on(world, stay.unit, days.last):
            continue
        member = scored_member(world, ident)
        count += member is not None and counts_in_denominator(known.book, member, days)
    return count


def _unsealed(world: World, ident: str) -> Period:
    period = find(world, ident)
    if period.state == SEALED:
        raise Refused("period-state", f"period {ident} is sealed: nothing of it is decided after")
    return period


def _open_review(period: Period) -> Review:
    review = period.review
    if review is None or review.closed:
        state = "not opened" if review is None else "closed"
        raise Refused("review-state", f"the review of {period.id} is {state}")
    return review


def _need_here(world: World, period: Period, member: str, day: str) -> None:
    history = world.histories.get(member)
    stay = history.on(day) if history else None
    if stay is None or period.unit not in path_on(world, stay.unit, day):
        raise Refused("member-unit", f"member {member} was not in {period.unit} on {day}")
