"""A member and the member's points entries (stream `member/<id>`)."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import NamedTuple

from ledger.domain.event import Event

ACTIVE, SUSPENDED, LEFT = "active", "suspended", "left"
_STATUS = {"member.suspended": SUSPENDED, "member.reinstated": ACTIVE, "member.left": LEFT}
_SIGN = {"points.awarded": 1, "points.deducted": -1}


@dataclass(frozen=True, slots=True)
class Member:
    """Where a member belongs; `actor` is the one actor id of the same person, if any."""

    id: str
    version: int
    unit: str
    member_type: str
    actor: str | None
    status: str


class Posting(NamedTuple):
    """One effective or reversed points entry: signed hundredths and the act's date."""

    points: int
    act_date: str
    effective: bool


@dataclass(frozen=True, slots=True)
class Account:
    """A member's postings by statement id, in the order of recording.

    A correction with a replacement stands under its own id; one without has none. So only the
    last link of a chain of corrections is effective (rule B12).
    """

    version: int = 0
    postings: dict[str, Posting] = field(default_factory=dict)

    @property
    def balance(self) -> int:
        """The sum of the effective postings, in hundredths."""
        return sum(each.points for each in self.postings.values() if each.effective)


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
    return replace(member, version=event.seq, status=_STATUS.get(proposal.type, member.status))


def evolve_account(account: Account, event: Event) -> Account:
    """Fold an event of `member/<id>` into the member's postings."""
    proposal = event.proposal
    body = proposal.body
    if not proposal.type.startswith("points."):
        return replace(account, version=event.seq)
    postings = dict(account.postings)
    if proposal.type == "points.corrected":
        reversed_one = postings.get(body["reverses"])
        if reversed_one is not None:
            postings[body["reverses"]] = reversed_one._replace(effective=False)
        replacement = body.get("replacement")
        if replacement is not None:
            postings[proposal.id] = posting(replacement["type"], replacement)
    else:
        postings[proposal.id] = posting(proposal.type, body)
    return Account(event.seq, postings)


def posting(statement_type: str, body: dict[str, object]) -> Posting:
    """Read the effective posting of an award, a deduction or a replacement."""
    points, act_date = body["points"], body["act_date"]
    assert isinstance(points, int)  # noqa: S101 - the schema's types
    assert isinstance(act_date, str)  # noqa: S101
    return Posting(_SIGN[statement_type] * points, act_date, effective=True)
