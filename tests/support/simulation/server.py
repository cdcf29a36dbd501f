"""A simulated database: what the event table, its trigger and its notes do, and how they fail."""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Sequence
from dataclasses import dataclass, field

from ledger.log.merkle import Node, leaf_hash, root_of
from ledger.store.port import DuplicateId, Fenced, Row, Stored, Unconfirmed
from ledger.store.tip import NO_LEAF

_ENVELOPE_AT = len('{"envelope":{"payload":"')


@dataclass(frozen=True, slots=True)
class Commit:
    """One committed transaction: a batch with the note that it carried, or a note alone."""

    rows: tuple[Row, ...]
    stored: tuple[Stored, ...]
    note: tuple[int, bytes] | None


@dataclass
class Server:
    """Everything that is committed; `confirmed` commits are flushed by the standby, too.

    While `standby_away`, a commit's wait is cancelled: its rows are there and visible, its answer
    comes with a warning, and a failover takes them back. `damage` spoils the next stored row, in
    its bytes before ("bytes") or after ("heap") the leaf hash is derived from them.
    """

    commits: list[Commit] = field(default_factory=list)
    confirmed: int = 0
    standby_away: bool = False
    damage: str | None = None
    damaged_at: int | None = None
    generation: int = 0
    rows: list[Row] = field(default_factory=list)
    stored: list[Stored] = field(default_factory=list)
    ids: dict[str, int] = field(default_factory=dict)
    streams: dict[str, list[int]] = field(default_factory=dict)
    notes: dict[int, bytes] = field(default_factory=dict)
    sizes: list[int] = field(default_factory=list)

    @property
    def head(self) -> tuple[int, bytes]:
        return len(self.rows), self.stored[-1].leaf if self.stored else NO_LEAF

    def clone(self) -> Server:
        """Return a server of the same committed state."""
        return Server()._replayed(self.commits)

    def commit(
        self, rows: Sequence[Row], expected: bytes | None, note: bytes | None
    ) -> list[Stored]:
        """Commit a batch as the table's trigger would (`expected` None: without its fence)."""
        size, leaf = self.head
        if any(row.id in self.ids for row in rows):
            raise DuplicateId
        if expected is not None and (rows[0].index, expected) != (size, leaf):
            raise Fenced
        assert [row.index for row in rows] == list(
            range(rows[0].index, rows[0].index + len(rows))
        ), "a batch is contiguous"
        assert (note is None) == (rows[0].index == 0), "a batch carries the note that it extends"
        stored = [self._store(row) for row in rows]
        carried = None if note is None else (rows[0].index, note)
        self._commit(Commit(tuple(rows), tuple(stored), carried))
        return stored

    def keep_note(self, size: int, note: bytes) -> None:
        """Record a note alone, in increasing size."""
        known = self.notes.get(size)
        if known is None and self.sizes and self.sizes[-1] > size:
            raise Unconfirmed("a later note is recorded")
        if known is not None and known != note:
            raise Unconfirmed("another note of that size is recorded")
        if size > len(self.rows):
            raise Unconfirmed("a note beyond the head")
        if known is None:
            self._commit(Commit((), (), (size, note)))

    def confirm(self) -> None:
        """Wait for the standby."""
        if self.standby_away:
            raise Unconfirmed("canceling wait for synchronous replication")
        self.confirmed = len(self.commits)

    def fail_over(self) -> None:
        """Promote the standby: what it had not flushed is gone, and so is every connection."""
        self._reset(self.commits[: self.confirmed])
        self.standby_away = False

    def put_back(self, commits: int) -> None:
        """Restore a backup that was taken after so many commits."""
        self._reset(self.commits[:commits])

    def break_connections(self) -> None:
        """Restart the server."""
        self.generation += 1

    def note_covering(self, index: int) -> tuple[int, bytes] | None:
        place = bisect_right(self.sizes, index)
        if place == len(self.sizes):
            return None
        return self.sizes[place], self.notes[self.sizes[place]]

    def newest_note(self) -> tuple[int, bytes] | None:
        return (self.sizes[-1], self.notes[self.sizes[-1]]) if self.sizes else None

    def nodes(self, nodes: Sequence[Node]) -> dict[Node, bytes]:
        leaves = [each.leaf for each in self.stored]
        return {
            (level, at): root_of(leaves[at << level : (at + 1) << level]) for level, at in nodes
        }

    def _store(self, row: Row) -> Stored:
        state = leaf_of = row.state
        if self.damage is not None and self.damaged_at is None:
            middle = _ENVELOPE_AT + 40
            state = state[:middle] + bytes([state[middle] ^ 1]) + state[middle + 1 :]
            leaf_of = state if self.damage == "bytes" else leaf_of
            self.damaged_at = row.index
        return Stored(state, leaf_hash(leaf_of))

    def _commit(self, commit: Commit) -> None:
        self.commits.append(commit)
        self._apply(commit)
        if self.standby_away:
            raise Unconfirmed("canceling wait for synchronous replication")
        self.confirmed = len(self.commits)

    def _apply(self, commit: Commit) -> None:
        for row, stored in zip(commit.rows, commit.stored, strict=True):
            self.ids[row.id] = len(self.rows)
            self.streams.setdefault(row.stream, []).append(len(self.rows))
            self.rows.append(row)
            self.stored.append(stored)
        if commit.note is not None and commit.note[0] not in self.notes:
            self.notes[commit.note[0]] = commit.note[1]
            insort(self.sizes, commit.note[0])

    def _reset(self, commits: Sequence[Commit]) -> None:
        for each in (self.rows, self.stored, self.ids, self.streams, self.notes, self.sizes):
            each.clear()
        self.commits = []
        self.generation += 1
        self._replayed(commits)

    def _replayed(self, commits: Sequence[Commit]) -> Server:
        for each in commits:
            self._apply(each)
        self.commits = list(commits)
        self.confirmed = len(self.commits)
        if self.damaged_at is not None and self.damaged_at >= len(self.rows):
            self.damaged_at = None
        return self
