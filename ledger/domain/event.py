"""What decide and evolve work on: a proposal before it is recorded, an event afterwards."""

from __future__ import annotations

from typing import Any, NamedTuple

from ledger.entry import Entry, Statement


class Proposal(NamedTuple):
    """The parts of a statement that decisions depend on; `keyids` are its signatures' keys."""

    type: str
    id: str
    log: str
    stream: str
    actor: str
    body: dict[str, Any]
    keyids: tuple[str, ...]

    @classmethod
    def of(cls, statement: Statement) -> Proposal:
        """Take the parts from a parsed statement."""
        return cls(
            statement.type,
            statement.id,
            statement.log,
            statement.stream,
            statement.actor,
            statement.body,
            tuple([each.keyid for each in statement.signatures]),
        )


class Event(NamedTuple):
    """A recorded proposal: position in its stream (from 1) and in the log (from 0)."""

    proposal: Proposal
    seq: int
    index: int  # type: ignore[assignment]  # hides tuple.index
    recorded_at: str

    @classmethod
    def of(cls, entry: Entry, index: int) -> Event:
        """Take the event from a parsed entry at `index`."""
        return cls(Proposal.of(entry.statement), entry.seq, index, entry.recorded_at)
