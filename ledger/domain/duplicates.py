"""Decides the closing of a member's second id, and the moving of its entries (B14).

Two registrars close the id that was enrolled later into the older one; it never returns. Its
effective entries move as in B13: the reversal on the closed id's stream, then the replacement on
the other, straight to publicity and without effect before both are final. An entry for an act that
the other id has too is reversed only, so that one act counts once. Wallet, sheets and votes go by
the id that goes on from the merger on (`World`). What was pending ends and is claimed anew. An
imported balance is reversed only too: where the other id has none of that year, `points.imported`
brings it in by its own rules.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from ledger.domain.account import EFFECTIVE, ENDED, Account, PointsEntry
from ledger.domain.eligibility import Case, acting, refuse
from ledger.domain.event import Proposal
from ledger.domain.member import LEFT, Member, Merger
from ledger.domain.relations import related
from ledger.domain.rights import holds, signers
from ledger.domain.way import case_of, closing, need_closes
from ledger.domain.world import World
from ledger.errors import Refused

REGISTRARS = 2
_ACT = ("kind", "rulebook", "item", "act_date", "activity", "deed", "covers")
"""Two entries that agree in these are for one act."""
_MOVED = (*_ACT, "version", "points", "quantity", "erratum")


class Move(NamedTuple):
    """One half of a move: the closed id, the id that goes on, and the merger that orders it."""

    closed: str
    kept: str
    merger: Merger


def merged(world: World, proposal: Proposal, ident: str, today: str) -> None:
    """Raise Refused unless two registrars over both close the id that was enrolled later."""
    signed = signers(world, proposal)
    into = proposal.body["into"]
    if into == ident:
        raise Refused("merge-two", f"{ident} is one id: name the other one of the same person")
    closed, kept = _standing(world, ident), _standing(world, into)
    for actor in signed:
        if actor in (closed.actor, kept.actor):
            raise Refused("no-self-review", f"{actor} is that member and may not sign for it")
        if related(world, actor, ident) or related(world, actor, into):
            raise Refused("recused", f"{actor} is declared related to that member")
    over = [
        actor
        for actor in signed
        if all(holds(world, actor, "registrar", each.unit, today) for each in (closed, kept))
    ]
    if len(over) < REGISTRARS:
        raise Refused(
            "two-registrars", f"two registrars over {closed.unit} and {kept.unit} must sign"
        )
    if _enrolled(world, into) > _enrolled(world, ident):
        raise Refused("merge-older", f"{ident} was enrolled before {into}: close {into} into it")
    _need_keys_revoked(world, closed, kept)
    for name in world.periods:
        period = world.periods.get(name)
        review = period.review if period is not None else None
        if review is not None and not review.closed and {ident, into} <= set(review.present):
            raise Refused(
                "review-open", f"both ids voted in the review of {name}: merge after it is closed"
            )


def _standing(world: World, ident: str) -> Member:
    member = world.members.get(ident)
    if member is None:
        raise Refused("member-known", f"member {ident} is not enrolled")
    if member.status == LEFT:
        raise Refused("member-state", f"member {ident}: it stays closed")
    return member


def _enrolled(world: World, ident: str) -> str:
    history = world.histories.get(ident)
    return history.stays[0].start if history is not None else ""


def _need_keys_revoked(world: World, closed: Member, kept: Member) -> None:
    """Two actor ids of one person are two keys in a round of reviewers (cheat 13)."""
    if closed.actor is None or kept.actor in (None, closed.actor):
        return
    actor = world.actors.get(closed.actor)
    live = [key for key, each in actor.keys if each.revoked is None] if actor is not None else []
    if live:
        raise Refused(
            "keys-left",
            f"{len(live)} keys of {closed.actor} still count: revoke them first, the person goes "
            f"on as {kept.actor}",
        )


# -- the entries -------------------------------------------------------------------------------


def move_of(world: World, proposal: Proposal, ident: str) -> Move | None:
    """Return the move that a correction is a half of, None where no merger orders it."""
    body = proposal.body
    half = body.get("counterpart") or body.get("double")
    other = half["stream"].partition("/")[2] if half else None
    for closed, kept in ((ident, other), (other, ident)):
        known = world.members.get(closed) if closed is not None else None
        merger = known.merger if known is not None else None
        if closed is not None and merger is not None and merger.id == body.get("orders"):
            if kept is not None and kept != merger.into:
                raise Refused("half-stream", f"{closed} was closed into {merger.into}")
            return Move(closed, merger.into, merger)
    return None


def moved(world: World, proposal: Proposal, move: Move, today: str) -> None:
    """Raise Refused unless a half takes back or brings what the merger moves, to publicity.

    The reversal comes first, so that what the replacement brings can be compared with it.
    """
    body = proposal.body
    if body.get("path") == "full":
        raise Refused("orders-path", "an ordered correction goes to publicity: leave `path` out")
    if "closes" not in body:
        raise Refused("closes", "an ordered correction opens publicity: name the day it closes")
    old = world.accounts.get(f"member/{move.closed}") or Account()
    new = world.accounts.get(f"member/{move.kept}") or Account()
    if proposal.stream == f"member/{move.closed}":
        entry = old.entries[body["reverses"]]
        _takes_back(move, body, entry, new)
        case = case_of(world, move.closed, entry, today)
    else:
        entry = _brings(move, proposal, old)
        case = case_of(world, move.kept, entry, today)
    registrars = acting(world, move.merger.keyids)
    for actor in signers(world, proposal):
        if actor in registrars:
            raise Refused("orders-apart", f"{actor} decided: others carry the decision out")
        fresh = Case(world, move.kept, case.unit, today)
        wrong = [fresh.over(actor, role, "order") for role in ("secretary", "committee")]
        if all(wrong):
            refuse(wrong[0])
    need_closes(body, closing(world, entry, today))


def _takes_back(move: Move, body: dict[str, Any], entry: PointsEntry, new: Account) -> None:
    if "replacement" in body:
        raise Refused("half", f"what {move.closed} had is replaced on member/{move.kept}")
    twin = next((each for each in new.entries.values() if _one_act(each, entry)), None)
    named = body.get("double", {}).get("id")
    if named != (twin.id if twin is not None else None):
        said = f"{move.kept} has it as {twin.id}: name that as `double`" if twin is not None else (
            f"{move.kept} has no entry for this act: leave `double` out"
        )  # fmt: skip
        raise Refused("merge-double", said)
    if ("counterpart" in body) != (twin is None and entry.account is None):
        raise Refused(
            "merge-moves",
            f"an act that {move.kept} has not got moves there: name the replacement as "
            "`counterpart`; a double and an imported balance are reversed only",
        )


def _brings(move: Move, proposal: Proposal, old: Account) -> PointsEntry:
    """Return the entry of the closed id that a replacement brings, which it must equal."""
    body = proposal.body
    half = old.entries.get(body.get("counterpart", {}).get("id", ""))
    if half is None or half.reverses is None or half.counterpart is None:
        raise Refused("merge-order", f"record the reversal on member/{move.closed} first")
    entry, act = old.entries[half.reverses], body["replacement"]
    for name in _MOVED[1:]:
        default: Any = {"covers": [], "quantity": 100}.get(name)
        given = act.get(name, default)
        if (tuple(given) if name == "covers" else given) != getattr(entry, name):
            raise Refused("merge-moves", f"the entry moves as it was: {name} differs")
    if (act["type"] == "points.awarded") != (entry.kind == "credit"):
        raise Refused("merge-moves", "the entry moves as it was: credit stays credit")
    return entry


def _one_act(one: PointsEntry, other: PointsEntry) -> bool:
    """Tell whether an entry that has not ended is for the act of another."""
    if one.account is not None or other.account is not None:
        return (
            one.account == other.account and one.covers == other.covers and one.state in EFFECTIVE
        )
    return one.state not in ENDED and all(
        getattr(one, name) == getattr(other, name) for name in _ACT
    )
