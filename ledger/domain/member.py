"""Where a member belongs (stream `member/<id>`); the member's entries are in `account`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

from ledger.domain.event import Event

ACTIVE, SUSPENDED, LEFT = "active", "suspended", "left"
MERGED = "member.merged"
_STATUS = {
    "member.suspended": SUSPENDED,
    "member.reinstated": ACTIVE,
    "member.left": LEFT,
}
_SIGN = {"points.awarded": 1, "points.deducted": -1}


class Merger(NamedTuple):
    """The statement that closed an id: the id that goes on, and the keys that signed (B14)."""

    into: str
    id: str
    keyids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Member:
    """Where a member belongs; `actor` is the one actor id of the same person, if any.

    `merger` is set where this id was closed as the second one of a person.
    """

    id: str
    version: int
    unit: str
    member_type: str
    actor: str | None
    status: str
    merger: Merger | None = None


class Posting(NamedTuple):
    """One effective or reversed points entry: signed hundredths and the act's date."""

    points: int
    act_date: str
    effective: bool


def evolve(member: Member | None, event: Event) -> Member:
    """Fold an event of `member/<id>` that says where a member belongs."""
    proposal = event.proposal
    body = proposal.body
    if member is None:
        ident = proposal.stream.partition("/")[2]
        actor = body.get("actor")
        return Member(ident, event.seq, body["unit"], body["member_type"], actor, ACTIVE)
    if proposal.type == "member.linked":
        return replace(member, version=event.seq, actor=body["actor"])
    if proposal.type == "member.transferred":
        return replace(
            member,
            version=event.seq,
            unit=body["unit"],
            member_type=body.get("member_type", member.member_type),
        )
    if proposal.type == "member.typed":
        return replace(member, version=event.seq, member_type=body["member_type"])
    if proposal.type == MERGED:
        merger = Merger(body["into"], proposal.id, proposal.keyids)
        return replace(member, version=event.seq, status=LEFT, merger=merger)
    return replace(member, version=event.seq, status=_STATUS.get(proposal.type, member.status))


def posting(statement_type: str, body: dict[str, object]) -> Posting:
    """Read the effective posting of an award, a deduction or a replacement."""
    points, act_date = body["points"], body["act_date"]
    assert isinstance(points, int)  # noqa: S101 - the schema's types
    assert isinstance(act_date, str)  # noqa: S101
    return Posting(_SIGN[statement_type] * points, act_date, effective=True)
