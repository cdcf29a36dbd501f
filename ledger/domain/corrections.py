"""Decides corrections: a reversal with its replacement, both or neither (B11, B12, B13, A32).

On one member it is one statement. It walks the way of a claim (`path: full`) unless a decision on
that entry, signed by others, orders it; then it goes straight to publicity. What raises points
always walks. Where the short path is allowed, a recorder and a committee member correct at once.
Over two members it is two statements that name each other, the reversal on one stream and the
replacement on the other, and neither has effect before both are final.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from ledger.domain import policy
from ledger.domain.account import (
    EFFECTIVE,
    ENDED,
    KIND,
    ORDERED,
    REVERSAL,
    REVERSED,
    Account,
    Half,
    PointsEntry,
)
from ledger.domain.acts import brought
from ledger.domain.duplicates import move_of, moved
from ledger.domain.eligibility import Case, acting, refuse
from ledger.domain.errata import need_right
from ledger.domain.event import Proposal
from ledger.domain.member import ACTIVE, Member
from ledger.domain.points import (
    counts,
    covered_once,
    direct_act,
    need_direct_review,
    need_late_reason,
    need_short_path,
    priced_act,
    worth_now,
)
from ledger.domain.rights import signers
from ledger.domain.ruling import ordering
from ledger.domain.way import case_of, closing, need_closes, proposed_correction
from ledger.domain.world import World
from ledger.errors import Refused


class _Change(NamedTuple):
    """What a correction does: the entry that it takes back and the act that it brings."""

    target: PointsEntry | None
    act: dict[str, Any] | None
    kind: str
    direct: bool


def needs(proposal: Proposal) -> tuple[str, ...]:
    """Name the member's account, and the one with the other half or the double (B13, B14)."""
    half = proposal.body.get("counterpart") or proposal.body.get("double")
    return (proposal.stream, half["stream"]) if half else (proposal.stream,)


def corrected(world: World, proposal: Proposal, ident: str, today: str) -> None:
    """Raise Refused unless the last link of a chain is corrected on a path that its case allows."""
    member = world.members.get(ident)
    if member is None:
        raise Refused("member-known", f"member {ident} is not enrolled")
    account = world.accounts.get(proposal.stream) or Account()
    body = proposal.body
    target = _target(world, account, body)
    _need_half(world, proposal, ident)
    raw = body.get("replacement")
    direct = "orders" not in body and body.get("path") != "full"
    act = None if raw is None else direct_act(raw) if direct else dict(raw)
    change = _Change(target, act, KIND[raw["type"]] if raw is not None else REVERSAL, direct)
    worth = _replaced(world, ident, account, change, today)
    if act is not None and act.get("erratum") is not None:
        need_right(world, ident, account, target, brought(proposal.id, change.kind, act))
    move = move_of(world, proposal, ident) if "orders" in body else None
    if "double" in body and move is None:
        raise Refused("orders-known", "a double is taken back by order of a merger of two ids")
    if move is not None:
        moved(world, proposal, move, today)
    elif direct:
        _at_once(world, proposal, member, change, today)
    elif "orders" in body:
        _ordered(world, proposal, ident, change, worth, today)
    else:
        _walks(world, proposal, ident, member, change, today)


def _target(world: World, account: Account, body: dict[str, Any]) -> PointsEntry | None:
    """Return what is taken back, the chain's last link; None for a half that only brings (B13)."""
    ident = body.get("reverses")
    if ident is None:
        if "counterpart" not in body or "replacement" not in body:
            raise Refused(
                "reverses-needed", "a correction names what it reverses, or its other half"
            )
        return None
    target = account.entries.get(ident)
    if target is None:
        raise Refused("reverses-known", f"{ident} is no points entry of this member")
    for each in target.corrections:
        other = account.entries[each]
        if other.state not in ENDED and not _stuck(world, other):
            rule = "reverses-last" if other.state in EFFECTIVE else "correction-open"
            raise Refused(rule, f"{ident} is corrected by {each} already: correct the last link")
    if target.kind == REVERSAL:
        if target.state not in EFFECTIVE:
            raise Refused(
                "reverses-last", f"the reversal {ident} is {target.state}: let it end first"
            )
        if "replacement" not in body:
            raise Refused(
                "reversal-stays", "a reversal is never reversed: reinstate by a new replacement"
            )
        return target
    if target.state == REVERSED:
        raise Refused("reverses-last", f"{ident} is reversed already: correct the last link")
    if not (counts(world, account, target) or target.state == ORDERED):
        raise Refused(
            "reverses-effective",
            f"{ident} is {target.state} and does not count: withdraw or object to it instead",
        )
    return target


def _stuck(world: World, half: PointsEntry) -> bool:
    """Tell whether the other half of a correction over two members ended without effect."""
    if half.counterpart is None:
        return False
    other = world.accounts.get(half.counterpart.stream)
    found = other.entries.get(half.counterpart.id) if other is not None else None
    return found is not None and found.state in ENDED - {REVERSED}


def _need_half(world: World, proposal: Proposal, ident: str) -> None:
    """Raise Refused unless the other half, where it is recorded already, names this one (B13).

    One half takes back and the other brings; both on one stream would be one statement.
    """
    raw = proposal.body.get("counterpart")
    if raw is None:
        return
    body, half = proposal.body, Half(raw["stream"], raw["id"])
    if ("reverses" in body) == ("replacement" in body):
        raise Refused("half", "one half reverses on one stream, the other replaces on the other")
    name = half.stream.partition("/")[2]
    if half.stream == proposal.stream or world.members.get(name) is None:
        raise Refused("half-stream", f"the other half lies on another member's stream than {ident}")
    other = world.accounts.get(half.stream)
    found = other.entries.get(half.id) if other is not None else None
    if found is None:
        return
    if found.counterpart != Half(proposal.stream, proposal.id):
        raise Refused("half-names", f"{half.id} does not name this statement as its other half")
    if (found.reverses is None) == ("reverses" not in body):
        raise Refused("half", "one half reverses on one stream, the other replaces on the other")


def _replaced(
    world: World, ident: str, account: Account, change: _Change, today: str
) -> int | None:
    """Return what the replacement is worth, signed, by the price of its act's date (A32)."""
    if change.act is None:
        return None
    priced = priced_act(world, ident, change.act, change.kind, today, direct=change.direct)
    besides = change.target.id if change.target is not None else None
    covered_once(account, change.act, besides)
    return priced.worth if change.kind == "credit" else -priced.worth


def _raises(world: World, change: _Change, worth: int | None) -> bool:
    """Tell whether the member has more points after the correction."""
    before = 0
    if change.target is not None and change.target.kind != REVERSAL:
        before = worth_now(world, change.target)
    return (worth or 0) > before


def _at_once(world: World, proposal: Proposal, member: Member, change: _Change, today: str) -> None:
    """The short path: a recorder and a committee member, where the unit's policy allows it."""
    body = proposal.body
    if "closes" in body:
        raise Refused("closes", "a short correction has no publicity: leave `closes` out")
    if change.target is None and member.status != ACTIVE:
        # What was recorded stays correctable after leaving; only a new act would be refused (B17).
        raise Refused("member-state", f"member {member.id} is {member.status} and takes no points")
    signed = signers(world, proposal)
    case = _case(world, member.id, member, change, today)
    need_short_path(case, signed)
    if change.act is not None and change.target is None:
        priced = priced_act(world, member.id, change.act, change.kind, today, direct=True)
        need_direct_review(case, signed, change.act, priced)


def _walks(
    world: World,
    proposal: Proposal,
    ident: str,
    member: Member,
    change: _Change,
    today: str,
) -> None:
    """The full path: proposed like a claim, then checked, reviewed and shown like one (B11)."""
    body = proposal.body
    if "closes" in body:
        raise Refused("closes", "publicity is opened after the review: leave `closes` out")
    case = _case(world, ident, member, change, today)
    proposed_correction(case, signers(world, proposal))
    if change.act is not None:
        version = policy.version_of(world, change.act["rulebook"], change.act["version"])
        assert version is not None  # noqa: S101 - it priced the act
        first = change.target.claimed_at if change.target is not None else None
        need_late_reason(change.act, version, world.today(first) if first else today)


def _case(world: World, ident: str, member: Member, change: _Change, today: str) -> Case:
    if change.target is not None:
        old = case_of(world, ident, change.target, today)
        return Case(world, ident, old.unit, today)
    return Case(world, ident, member.unit, today)


def _ordered(
    world: World,
    proposal: Proposal,
    ident: str,
    change: _Change,
    worth: int | None,
    today: str,
) -> None:
    """Carry out a decision on this entry, signed by others: straight to publicity (B10, B11).

    A decision that raises points is carried out by a correction that walks: it has no `orders`.
    """
    body, target = proposal.body, change.target
    if target is None:
        raise Refused("orders-known", f"{body['orders']} orders no correction of this entry")
    ruling = ordering(world, proposal.stream, target.id, body["orders"])
    if ruling is None and target.order != body["orders"]:
        raise Refused("orders-known", f"{body['orders']} orders no correction of this entry")
    if _raises(world, change, worth):
        raise Refused("raise-walks", "what raises points walks the full path: leave `orders` out")
    if body.get("path") == "full":
        raise Refused("orders-path", "an ordered correction goes to publicity: leave `path` out")
    outcome = target.order_kind if ruling is None else ruling.outcome
    if outcome == "reversed" and change.act is not None:
        raise Refused("orders-outcome", "the decision reversed the entry: there is no replacement")
    if "closes" not in body:
        raise Refused("closes", "an ordered correction opens publicity: name the day it closes")
    signed = signers(world, proposal)
    case = case_of(world, ident, target, today)
    deciders = {
        name
        for step in target.steps
        if step.id == target.order
        for name in acting(world, step.keyids)
    } | set(acting(world, ruling.keyids if ruling is not None else ()))
    for actor in signed:
        if actor in deciders:
            raise Refused("orders-apart", f"{actor} decided: others carry the decision out")
        fresh = Case(world, ident, case.unit, today)
        wrong = [fresh.over(actor, role, "order") for role in ("secretary", "committee")]
        if all(wrong):
            refuse(wrong[0])
    need_closes(body, closing(world, target, today))
