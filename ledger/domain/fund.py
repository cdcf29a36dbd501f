"""A reward fund and the wallets that redeem from it (stream `fund/<id>`).

What was endowed is in stock or redeemed: `endowed = redeemed + stock` after every entry. Points are
hundredths. A wallet's earnings are the service account's; redeeming never touches merit (A17).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import NamedTuple

from ledger.domain.event import Event

ENDOWED, REDEEMED = "fund.endowed", "fund.redeemed"


class Move(NamedTuple):
    """An endowment, or what a member redeemed; reversed at most once."""

    kind: str
    points: int
    member: str | None
    reversed: bool = False


@dataclass(frozen=True, slots=True)
class Fund:
    """A unit's fund: three balances that are kept apart, and its moves by statement id."""

    id: str
    version: int
    unit: str
    endowed: int = 0
    redeemed: int = 0
    stock: int = 0
    moves: dict[str, Move] = field(default_factory=dict)

    @property
    def balanced(self) -> bool:
        """Whether the fund's invariant holds."""
        return self.endowed == self.redeemed + self.stock


def evolve(fund: Fund | None, event: Event) -> Fund:
    """Fold an event of `fund/<id>`."""
    proposal = event.proposal
    kind, body = proposal.type, proposal.body
    if fund is None:
        return Fund(proposal.stream.partition("/")[2], event.seq, body["unit"])
    if kind == "fund.reversed":
        move = fund.moves[body["reverses"]]
        moves = {**fund.moves, body["reverses"]: move._replace(reversed=True)}
        return _moved(fund, event.seq, moves, move.kind, -move.points)
    move = Move(kind, body["points"], body.get("member"))
    return _moved(fund, event.seq, {**fund.moves, proposal.id: move}, kind, move.points)


def _moved(fund: Fund, seq: int, moves: dict[str, Move], kind: str, points: int) -> Fund:
    if kind == ENDOWED:
        return replace(
            fund,
            version=seq,
            moves=moves,
            endowed=fund.endowed + points,
            stock=fund.stock + points,
        )
    return replace(
        fund,
        version=seq,
        moves=moves,
        redeemed=fund.redeemed + points,
        stock=fund.stock - points,
    )


def renamed(fund: Fund, closed: str, kept: str) -> Fund:
    """Return the fund with a closed id's redemptions under the id that goes on (B14)."""
    moves = {
        ident: move._replace(member=kept) if move.member == closed else move
        for ident, move in fund.moves.items()
    }
    return replace(fund, moves=moves)


Spent = tuple[tuple[str, str, int], ...]
"""A member's redemptions that stand, from all funds: statement id, zone date, points."""


def spent_after(spent: Spent, event: Event, move: Move, today: str) -> Spent:
    """Fold a redemption recorded on the zone date `today`, or the reversal of one."""
    body = event.proposal.body
    if event.proposal.type == REDEEMED:
        return (*spent, (event.proposal.id, today, move.points))
    return tuple(each for each in spent if each[0] != body["reverses"])
