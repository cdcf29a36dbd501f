"""A recorded entry as a domain event of the eventsourcing library: the base of all events.

An event is an entry and nothing else: its exact bytes, parsed. `mutate` folds it with the pure
`evolve` of its aggregate, so the library's own projector gives any aggregate at any version.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from ledger.domain import actor, fund, member, organisation, period, rulebook, unit
from ledger.domain.event import Event
from ledger.entry import Entry, parse_instant

# A stored event of one stream does not tell its index in the log, and no fold of one asks for it.
NO_INDEX = -1
_EVOLVE: dict[str, Callable[[Any, Event], Any]] = {
    "actor": actor.evolve,
    "fund": fund.evolve,
    "ledger": organisation.evolve,
    "member": member.evolve,
    "period": period.evolve,
    "rulebook": rulebook.evolve,
    "unit": unit.evolve,
}


@dataclass(frozen=True, slots=True)
class Recorded:
    """A recorded entry; the base of all events. `topic` is the statement type."""

    entry: Entry
    topic: ClassVar[str]

    @property
    def originator_id(self) -> str:
        """The stream, such as `member/m-1`."""
        return self.entry.stream

    @property
    def originator_version(self) -> int:
        """The position in the stream, from 1."""
        return self.entry.seq

    @property
    def timestamp(self) -> datetime:
        """When it was recorded, aware, in UTC."""
        return parse_instant(self.entry.recorded_at, micros=True)

    @property
    def body(self) -> dict[str, Any]:
        """The statement's body, which must not be changed."""
        return self.entry.statement.body

    def mutate(self, aggregate: Any) -> Any:
        """Return the aggregate of this stream after this event; None is the one before all."""
        kind = self.entry.stream.partition("/")[0]
        return _EVOLVE[kind](aggregate, Event.of(self.entry, NO_INDEX))
