"""What a check sees of the log, entry by entry, and what it says about it.

A finding flags and explains, it never judges: what looks like a cheat may have a good reason, and
people decide. So each names the entries, the people and the figures that it rests on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from ledger.domain.account import EFFECTIVE, REVERSAL, Account, PointsEntry
from ledger.domain.event import Event
from ledger.domain.world import World

_SHOWN = 8


def _left(values: Sequence[object]) -> str:
    return f" and {len(values) - _SHOWN} more" if len(values) > _SHOWN else ""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to look at. `cheat` is its number in `ledger.verify.checks.catalogue`.

    `index` is the log index at which it shows, `entries` those that it rests on, `people` are ids
    of actors and members, each once and sorted.
    """

    cheat: int
    index: int
    people: tuple[str, ...]
    reason: str
    entries: tuple[int, ...] = ()

    def __str__(self) -> str:
        people = (", ".join(self.people[:_SHOWN]) or "–") + _left(self.people)
        more = [each for each in self.entries if each != self.index]
        shown = ", ".join(map(str, more[:_SHOWN]))
        rest = f" (with {shown}{_left(more)})" if more else ""
        return f"cheat {self.cheat:>2}  entry {self.index}{rest}: {people}: {self.reason}"


def finding(
    cheat: int, index: int, people: Iterable[str], reason: str, entries: Iterable[int] = ()
) -> Finding:
    """Return a finding with its people and entries sorted, each once."""
    return Finding(
        cheat, index, tuple(sorted(set(people))), reason, tuple(sorted({index, *entries}))
    )


@dataclass(frozen=True, slots=True)
class Moment:
    """One entry of the log, just folded.

    `world` is the state with it, of which the account of the entry's own stream is loaded; `today`
    its zone date; `signed` the distinct actors behind its keys. `before` and `after` are the points
    entry that the statement brings in or names, None where it names none.
    """

    world: World
    event: Event
    today: str
    signed: tuple[str, ...]
    before: PointsEntry | None = None
    after: PointsEntry | None = None

    @property
    def type(self) -> str:
        """The statement's type."""
        return self.event.proposal.type

    @property
    def member(self) -> str:
        """The id of the stream, which is a member's for points."""
        return self.event.proposal.stream.partition("/")[2]

    @property
    def became_final(self) -> PointsEntry | None:
        """The points entry that counts from here on, if there is one; no reversal counts."""
        after, before = self.after, self.before
        if after is None or after.kind == REVERSAL or after.state not in EFFECTIVE:
            return None
        return None if before is not None and before.state in EFFECTIVE else after


@dataclass(frozen=True, slots=True)
class Ending:
    """The end of the log: the state after its last entry, its day, and any member's account."""

    world: World
    today: str
    account: Callable[[str], Account]


class Check:
    """A fold over the log that collects what it finds; each check overrides what it needs."""

    def see(self, moment: Moment) -> Iterable[Finding]:
        """Fold an entry and return what shows with it."""
        del moment
        return ()

    def finish(self, ending: Ending) -> Iterable[Finding]:
        """Return what shows only over the whole log."""
        del ending
        return ()
