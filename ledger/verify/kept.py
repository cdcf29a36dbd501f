"""The members' accounts of a monitor: their events stand in its place, for good.

So a monitor that was killed knows every account at once, and nothing has to be written back when
one leaves the memory.
"""

from __future__ import annotations

from collections import OrderedDict

from ledger.domain.account import Account
from ledger.domain.account_fold import evolve_account
from ledger.domain.event import Event
from ledger.domain.world import World
from ledger.verify.accounts import WEIGHT_MAX, pack, unpack
from ledger.verify.place import Place


class KeptAccounts:
    """Accounts by stream number (8 bytes), some of them in `World.accounts`.

    What it writes belongs in the transaction of the step that checks the entries.
    """

    def __init__(self, place: Place, weight_max: int = WEIGHT_MAX) -> None:
        self._place = place
        self._weight_max = weight_max
        self._weights: OrderedDict[str, int] = OrderedDict()

    def put_aside(self, number: bytes, event: Event) -> None:
        """Keep an event of the stream of that number."""
        self._place.put_event(number, event.seq, pack(event))
        stream = event.proposal.stream
        if stream in self._weights:
            self._weights[stream] += 1

    def load(self, world: World, stream: str, number: bytes) -> Account:
        """Make the account of a stream one of the world's, and return it."""
        known = world.accounts.get(stream)
        if known is not None:
            self._weights.move_to_end(stream)
            return known
        account, weight = Account(), 0
        for packed in self._place.events(number):
            account = evolve_account(account, unpack(packed))
            weight += 1
        world.accounts[stream] = account
        self._weights[stream] = weight
        return account

    def make_room(self, world: World, kept: tuple[str, ...]) -> None:
        """Let go of accounts that rested longest, while there are too many events in memory."""
        while sum(self._weights.values()) > self._weight_max and len(self._weights) > len(kept):
            stream, _ = self._weights.popitem(last=False)
            world.accounts.drop(stream)
