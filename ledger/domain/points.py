"""Decides points statements: who may sign them, under which rule version, and what they reverse."""

from __future__ import annotations

from typing import Any

from ledger.domain.event import Proposal
from ledger.domain.member import ACTIVE, Account, Member
from ledger.domain.rights import covers, holds, real_date, signers
from ledger.domain.world import World
from ledger.errors import Refused

_KIND = {"points.awarded": "credit", "points.deducted": "debit"}
CORRECTED = "points.corrected"


def decide(
    world: World, proposal: Proposal, ident: str, today: str, *, check_reversal: bool
) -> None:
    """Raise Refused unless two distinct people with the roles signed, and the rule fits.

    Both are actors over the member's unit, a recorder and a committee member, and neither is the
    member, compared through the member's linked actor.
    """
    member, signed = signed_by_others(world, proposal, ident)
    need_pair(world, signed, "recorder", "committee", member.unit, today)
    body = proposal.body
    if proposal.type == CORRECTED:
        if check_reversal:
            account = world.accounts.get(proposal.stream)
            check_reverses(account or Account(), body["reverses"])
        replacement = body.get("replacement")
        if replacement is not None:
            _priced(world, replacement["type"], replacement, member.unit, today)
        return
    if member.status != ACTIVE:
        raise Refused("member-state", f"member {ident} is {member.status} and takes no points")
    _priced(world, proposal.type, body, member.unit, today)


def signed_by_others(
    world: World, proposal: Proposal, ident: str
) -> tuple[Member, tuple[str, ...]]:
    """Return member `ident` and the actors who signed; raise Refused if one of them is the member.

    They are compared through the member's linked actor.
    """
    signed = signers(world, proposal)
    member = world.members.get(ident)
    if member is None:
        raise Refused("member-known", f"member {ident} is not enrolled")
    for actor in signed:
        if world.linked.get(actor) == ident:
            raise Refused("no-self-review", f"{actor} is member {ident} and may not sign for it")
    return member, signed


def need_pair(
    world: World, signed: tuple[str, ...], first: str, second: str, unit: str, today: str
) -> None:
    """Raise Refused unless two distinct actors signed, one with each role over `unit`."""
    having = [a for a in signed if holds(world, a, first, unit, today)]
    seconding = [a for a in signed if holds(world, a, second, unit, today)]
    for role, people in ((first, having), (second, seconding)):
        if not people:
            raise Refused(f"needs-{role}", f"no {role} over unit {unit} signed this statement")
    if len({*having, *seconding}) < 2:
        raise Refused(
            "four-eyes", f"{having[0]} signed as {first} and as {second}: two people must sign"
        )


def check_reverses(account: Account, target: str) -> None:
    """Raise Refused unless `target` is an effective posting (only the last link, rule B12)."""
    posting = account.postings.get(target)
    if posting is None:
        raise Refused("reverses-known", f"{target} is no points entry of this member")
    if not posting.effective:
        raise Refused("reverses-last", f"{target} is reversed already: correct the last link")


def _priced(world: World, statement_type: str, body: dict[str, Any], unit: str, today: str) -> None:
    act_date = real_date(body["act_date"], "act_date")
    if act_date > today:
        raise Refused("act-past", f"an act of {act_date} has not happened yet on {today}")
    rulebook = world.rulebooks.get(body["rulebook"])
    version = rulebook and rulebook.find(body["version"])
    if rulebook is None or version is None:
        raise Refused(
            "version-published",
            f"{body['rulebook']} {body['version']} is not published in this log",
        )
    if rulebook.in_force(act_date) is not version:
        raise Refused(
            "version-in-force",
            f"{body['rulebook']} {body['version']} was not in force on {act_date}",
        )
    if version.unit != unit and not covers(world, version.unit, unit):
        raise Refused("rulebook-scope", f"{body['rulebook']} does not apply to unit {unit}")
    kind = version.kinds.get(body["item"])
    if kind is None:
        raise Refused("item-known", f"{body['rulebook']} {body['version']} has no {body['item']}")
    if kind != _KIND[statement_type]:
        raise Refused("item-kind", f"{body['item']} is a {kind}, this is {statement_type}")
