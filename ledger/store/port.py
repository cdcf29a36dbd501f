"""What the sequencer asks of a store, a clock and an anchor.

The sequencer is a loop of named steps over these ports, so that the same code runs on PostgreSQL,
under injected faults, and in a seeded simulator.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple, Protocol

from ledger.log.merkle import Node
from ledger.log.submission import Answer, Prove


class Row(NamedTuple):
    """One entry to store; `state` are its leaf bytes."""

    index: int  # type: ignore[assignment]  # hides tuple.index
    stream: str
    seq: int
    type: str
    id: str
    state: bytes


class Stored(NamedTuple):
    """One stored entry: its bytes, and the leaf hash that the store holds beside them."""

    state: bytes
    leaf: bytes


class Fenced(Exception):  # noqa: N818 - a name for an outcome, it is no error of anyone's
    """The head moved since the batch was built: somebody else appended."""


class DuplicateId(Exception):  # noqa: N818
    """A statement id of the batch is already in the log."""


class Unconfirmed(Exception):  # noqa: N818
    """The commit's outcome is not known: the answer was lost, or came with a warning."""


class Store(Protocol):
    """The event table with its head and notes. Every call may raise Unconfirmed on a lost link."""

    def head(self) -> tuple[int, bytes]:
        """Return the committed size and the last leaf hash (32 zero bytes when empty)."""

    def append(
        self, rows: Sequence[Row], expected: bytes, note: bytes | None
    ) -> list[Stored] | None:
        """Commit a batch at the head, together with the note of the size that it extends.

        Returns what the store holds now, where it can say so in the same trip, else None.

        `expected` is the leaf hash before the first row. Raises Fenced, DuplicateId or
        Unconfirmed; on the first two nothing was stored.
        """

    def read(self, start: int, stop: int) -> list[Stored]:
        """Return the committed entries start ≤ index < stop."""

    def find(self, ids: Sequence[str]) -> dict[str, tuple[int, bytes]]:
        """Return index and leaf bytes of the committed statements among `ids`."""

    def stream_heads(self, streams: Sequence[str], size: int) -> dict[str, tuple[int, bytes]]:
        """Return seq and leaf hash of the last entry below `size` in each non-empty stream."""

    def stream(self, stream: str, size: int) -> list[tuple[int, bytes]]:
        """Return index and bytes of a stream's entries below `size`."""

    def structural(self, start: int, stop: int) -> list[tuple[int, bytes]]:
        """Return index and bytes of the entries in the range that are not points."""

    def newest_note(self) -> tuple[int, bytes] | None:
        """Return the recorded note of the largest size."""

    def note_covering(self, index: int) -> tuple[int, bytes] | None:
        """Return the recorded note of the smallest size above `index`."""

    def keep_note(self, size: int, note: bytes) -> None:
        """Record a note; the same one twice is fine."""

    def nodes(self, nodes: Sequence[Node]) -> dict[Node, bytes]:
        """Return the hashes of complete subtrees, from stored tiles and leaf hashes."""

    def confirm(self) -> None:
        """Make sure that all that was read here is committed for good, standbys included.

        Raises Unconfirmed: a wait for a standby that was cancelled leaves its rows visible, and a
        failover may still take them back.
        """

    def recover(self) -> None:
        """Reconnect, then confirm. Raises Unconfirmed."""


class Anchor(Protocol):
    """The newest signed note kept outside the database."""

    def newest(self) -> tuple[int, bytes] | None:
        """Return size and note."""

    def advance(self, size: int, note: bytes) -> None:
        """Keep a note, unless a newer one is kept already. Raises OSError."""

    def sync(self) -> None:
        """Make what was kept outlive a power cut. Raises OSError."""


class Witnesses(Protocol):
    """Others who remember this log's newest checkpoint."""

    def ask(self, signed: bytes, prove: Prove) -> Sequence[Answer]:
        """Bring a signed note to all of them, and return what each answers within its time."""


class Clock(Protocol):
    """Time, which only tests and the demo replace."""

    def now(self) -> datetime:
        """Return the wall clock's time, aware, in UTC."""

    def monotonic_s(self) -> float:
        """Return seconds that never go back, from any start."""


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        """Return the wall clock's time in UTC."""
        return datetime.now(UTC)

    def monotonic_s(self) -> float:
        """Return the monotonic clock's seconds."""
        return time.monotonic()
