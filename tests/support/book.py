"""Decisions without any store: statements are decided and folded one after another."""

from __future__ import annotations

from datetime import datetime, timedelta

from ledger.domain.account import Account, effective
from ledger.domain.decide import decide
from ledger.domain.event import Event, Proposal
from ledger.domain.world import World
from ledger.entry import format_instant, parse_envelope
from ledger.errors import Refused
from tests.support.organisation import START, Organisation


class Book:
    """A world that was founded by `organisation` and takes statements at `now`, the day after."""

    def __init__(self, organisation: Organisation, *, set_up: bool = True) -> None:
        self.organisation = organisation
        self.world = World()
        self.now: datetime = START
        self._seqs: dict[str, int] = {}
        self._size = 0
        if set_up:
            for envelope in organisation.set_up():
                self.take(envelope)
            self.now += timedelta(days=1)

    def take(self, envelope: bytes) -> str:
        """Decide and fold a statement and return its id. Raises Refused."""
        proposal = Proposal.of(parse_envelope(envelope))
        self._decide(proposal)
        seq = self._seqs.get(proposal.stream, 0) + 1
        self.world.evolve(Event(proposal, seq, self._size, self._instant))
        self._seqs[proposal.stream] = seq
        self._size += 1
        return proposal.id

    def refusal(self, envelope: bytes) -> str | None:
        """Return the rule that refuses a statement, None if it may be recorded."""
        try:
            self._decide(Proposal.of(parse_envelope(envelope)))
        except Refused as error:
            return error.rule
        return None

    def balance(self, member: str) -> int:
        """Return the points of a member's effective credits, before any cap."""
        accounts = self.world.accounts.get
        account = accounts(f"member/{member}") or Account()
        entries = account.entries.values()
        return sum(each.points or 0 for each in entries if effective(account, each, accounts))

    @property
    def _instant(self) -> str:
        return format_instant(self.now, micros=True)

    def _decide(self, proposal: Proposal) -> None:
        if self.world.accounts.get(proposal.stream) is None:
            self.world.accounts[proposal.stream] = Account()
        decide(self.world, proposal, self._instant)
