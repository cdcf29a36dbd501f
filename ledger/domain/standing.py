"""Decides exemptions, changes of type, transfers by date, and leaving (A23, A26, A27, B17).

None of them reaches back over what was decided: not before the last seal, and not over an act that
is already claimed or counted, whose price would change under it.
"""

from __future__ import annotations

from ledger.domain.account import ENDED, REVERSAL
from ledger.domain.closing import last_seal
from ledger.domain.days import real_date
from ledger.domain.event import Proposal
from ledger.domain.history import History
from ledger.domain.member import LEFT, Member
from ledger.domain.pricing import books_on, path_on
from ledger.domain.rights import need_pair, signers
from ledger.domain.world import World
from ledger.errors import Refused
from ledger.rules.member import FOREVER


def needs(proposal: Proposal) -> tuple[str, ...]:
    """Name the account that a change of type or unit is decided on: the member's own."""
    return (proposal.stream,)


def exempted(world: World, proposal: Proposal, ident: str, today: str) -> None:
    """Raise Refused unless an exemption begins on a coming day (A23).

    Acts during it are refused, so it never lies over one that is recorded.
    """
    member = _by_two(world, proposal, ident, today)
    body = proposal.body
    first = real_date(body["from"], "from")
    last = real_date(body["until"], "until") if "until" in body else FOREVER
    if first <= today:
        raise Refused("not-retroactive", f"an exemption from {first} is recorded before that day")
    if last < first:
        raise Refused("exempt-days", f"an exemption until {last} would end before it begins")
    history = _history(world, ident)
    if any(first <= each.last and each.first <= last for each in history.exempt):
        raise Refused("exempt-once", f"member {member.id} is exempt in some of these days already")


def typed(world: World, proposal: Proposal, ident: str, today: str) -> None:
    """Raise Refused unless the type is one of the unit's rulebook and its day touches nothing.

    It takes effect on its date, not before the last seal (A26).
    """
    member = _by_two(world, proposal, ident, today)
    body = proposal.body
    day = real_date(body["date"], "date")
    if body["member_type"] == member.member_type:
        raise Refused("member-typed", f"member {ident} is of type {member.member_type} already")
    path = path_on(world, member.unit, day)
    for book in books_on(world, member.unit, day):
        version = book.version_on(day, path)
        if version is not None and body["member_type"] not in version.member_types:
            raise Refused(
                "type-known", f"{book.id} {version.version} has no type {body['member_type']}"
            )
    touches_nothing(world, proposal.stream, member, day)


def touches_nothing(world: World, stream: str, member: Member, day: str) -> None:
    """Raise Refused if a change from `day` on would reach over a seal, a change or an act."""
    seal = last_seal(world, member.unit)
    if seal is not None and day < seal.day:
        raise Refused("before-seal", f"{seal.period} was sealed on {seal.day}: begin on that day")
    now = _history(world, member.id).stays[-1]
    if day <= now.start:
        raise Refused("member-order", f"the member's last change holds from {now.start}")
    account = world.accounts.get(stream)
    for entry in account.entries.values() if account is not None else ():
        prices = entry.kind != REVERSAL and entry.account is None
        if prices and entry.state not in ENDED and entry.act_date >= day:
            raise Refused(
                "acts-recorded",
                f"an act of {entry.act_date} is recorded under type {now.member_type} in "
                f"{now.unit}: begin after it, or correct it first",
            )


def left(world: World, ident: str) -> None:
    """Raise Refused while a leaving member's own keys still count (B17)."""
    member = world.members.get(ident)
    actor = world.actors.get(member.actor) if member is not None and member.actor else None
    live = [key for key, each in actor.keys if each.revoked is None] if actor else []
    if actor is not None and live:
        raise Refused(
            "keys-left",
            f"{len(live)} keys of {actor.id} still count: revoke them first, cause left",
        )


def _by_two(world: World, proposal: Proposal, ident: str, today: str) -> Member:
    signed = signers(world, proposal)
    member = world.members.get(ident)
    if member is None:
        raise Refused("member-known", f"member {ident} is not enrolled")
    if member.status == LEFT:
        raise Refused("member-state", f"member {ident}: it stays closed")
    for actor in signed:
        if world.linked.get(actor) == ident:
            raise Refused("no-self-review", f"{actor} is member {ident} and may not sign for it")
    need_pair(world, signed, "registrar", "committee", member.unit, today)
    return member


def _history(world: World, ident: str) -> History:
    history = world.histories.get(ident)
    assert history is not None  # noqa: S101 - every enrolled member has one
    return history
