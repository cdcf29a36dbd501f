"""Follows the demo's statements in memory, so that those of the full path can say what they must.

A publicity names the day on which it closes, a group check the review that follows, a table the
size of the log: all of it is worked out by the ledger's own rules on the state so far.
"""

from __future__ import annotations

from collections import Counter

from ledger.domain.account import Account, PointsEntry
from ledger.domain.event import Event
from ledger.domain.world import World
from ledger.entry import format_instant
from ops.demo import school
from ops.demo.sign import Planned


class Follower:
    """The state after every statement that was handed to `follow`; it decides nothing."""

    def __init__(self) -> None:
        self.world = World()
        self._seqs: Counter[str] = Counter()
        for each in school.members():
            self.world.accounts[f"member/{each.id}"] = Account()

    def follow(self, planned: Planned) -> None:
        """Fold one more statement, as recorded at its instant."""
        stream, at = planned.stream, format_instant(planned.when, micros=True)
        self._seqs[stream] += 1
        event = Event(planned.proposal, self._seqs[stream], self.world.size, at)
        self.world.evolve(event)

    def account(self, member: str) -> Account:
        """Return the entries of a member of the school."""
        return self.world.accounts.get(f"member/{member}") or Account()

    def entry(self, member: str, ident: str) -> PointsEntry:
        """Return one of them."""
        return self.account(member).entries[ident]
