"""The whole year of the demo: the branches of the short path and the school, in order of time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from random import Random

from ledger.signing import PrivateKey
from ops.demo.follow import Follower
from ops.demo.script import SEED, Script
from ops.demo.sign import Pen, Planned, Signing
from ops.demo.way import Way


class Year:
    """Every statement of one year, signed with `keys` (by actor, the service actor's among them).

    After `statements` has come to its end, `way` names the entries that the demo tells of.
    """

    def __init__(self, year_number: int, keys: Mapping[str, PrivateKey]) -> None:
        self._ordinary = Signing(year_number, keys)
        self._follower = Follower()
        self.way = Way(Pen(keys, Random(SEED + year_number)), self._follower)
        self.script = Script(self.way, year_number)

    def statements(self) -> Iterator[Planned]:
        """Yield them in the order of recording."""
        waiting = iter(self._ordinary.statements())
        held = next(waiting, None)
        for morning, say in self.script.days():
            while held is not None and held.when < morning:
                yield self._followed(held)
                held = next(waiting, None)
            yield from say()
        while held is not None:
            yield self._followed(held)
            held = next(waiting, None)

    def _followed(self, planned: Planned) -> Planned:
        self._follower.follow(planned)
        return planned
