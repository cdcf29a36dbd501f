"""The read side: entries, streams, proofs, receipts and tiles, up to the signed size only.

Any process may read, also one that appends nothing. What was committed but not signed yet is not
there for a reader.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import psycopg
from psycopg_pool import ConnectionPool

from ledger.errors import BusyError, MingzhangError, NotFoundError
from ledger.log import receipt
from ledger.log.merkle import (
    Edge,
    consistency_nodes,
    consistency_proof,
    inclusion_nodes,
    inclusion_proof,
    peak_nodes,
)
from ledger.log.note import SIGNATURES_MAX, with_signatures
from ledger.log.tiles import TILE_WIDTH, encode_entries
from ledger.store.sql import query
from ledger.store.tree import level_hashes, node_hashes

STREAM_PAGE_MAX = 1_000
RANGE_MAX = 10_000

Signed = tuple[int, bytes]
"""Size and note of a signed checkpoint."""


class Reader:
    """Answers reads from `pool`; `local` is the newest checkpoint that this process signed."""

    def __init__(
        self, pool: ConnectionPool[Any], local: Callable[[], Signed | None] = lambda: None
    ) -> None:
        self._pool = pool
        self._local = local

    def signed(self) -> Signed:
        """Return the newest signed checkpoint. Raises NotFoundError while there is none."""
        recorded = self._rows(query("newest_note"))
        known: list[Signed] = [(size, note) for size, note in recorded]
        local = self._local()
        if local is not None:
            known.append(local)
        if not known:
            raise NotFoundError("the log is empty: nothing is signed yet")
        return max(known, key=lambda each: each[0])

    def checkpoint(self) -> bytes:
        """Return the newest signed note, with the cosignatures that witnesses gave it so far.

        Raises NotFoundError while there is none.
        """
        return self.cosigned(*self.signed())

    def cosigned(self, size: int, note: bytes) -> bytes:
        """Return the note of `size` with the newest cosignature of each witness behind it."""
        lines = [line for (line,) in self._rows(query("newest_cosignatures"), (size,))]
        return with_signatures(note, lines[: SIGNATURES_MAX - 1])

    def note(self, size: int) -> bytes:
        """Return the signed note of exactly `size`. Raises NotFoundError, naming the next one."""
        found = self._rows(query("note_covering"), (size - 1,)) or [self.signed()]
        signed, note = found[0]
        if signed != size:
            raise NotFoundError(
                f"no checkpoint of size {size} was signed: there is one of size {signed}"
            )
        return bytes(note)

    def recorded(self) -> Signed | None:
        """Return the newest recorded checkpoint, which outlives this process."""
        found = self._rows(query("newest_note"))
        return (found[0][0], found[0][1]) if found else None

    def last_of_type(self, stream: str, statement_type: str) -> tuple[int, bytes] | None:
        """Return index and leaf bytes of the newest signed entry of a type in a stream."""
        found = self._rows(query("last_of_type"), (stream, statement_type, self.size()))
        return found[0] if found else None

    def any_but(self, statement_type: str, start: int, stop: int) -> bool:
        """Tell whether an entry of another type is among start ≤ index < stop."""
        return bool(self._rows(query("any_of_other_type"), (start, stop, statement_type))[0][0])

    def size(self) -> int:
        """Return the size of the newest signed checkpoint, 0 while there is none."""
        try:
            return self.signed()[0]
        except NotFoundError:
            return 0

    def entry(self, index: int) -> bytes:
        """Return the exact leaf bytes of an entry. Raises NotFoundError beyond the signed size."""
        found = self.entries(index, index + 1) if index >= 0 else []
        if not found:
            raise NotFoundError(f"no signed entry has index {index}")
        return found[0]

    def entries(self, start: int, stop: int) -> list[bytes]:
        """Return the leaf bytes of the signed entries start ≤ index < stop, RANGE_MAX at most."""
        stop = min(stop, self.size(), start + RANGE_MAX)
        return [state for state, _ in self._rows(query("read_entries"), (start, stop))]

    def stream(self, stream: str, after_seq: int = 0, limit: int = 100) -> list[tuple[int, bytes]]:
        """Return index and leaf bytes of a stream's signed entries after `after_seq`, in order."""
        limit = max(1, min(limit, STREAM_PAGE_MAX))
        return self._rows(query("stream_entries"), (stream, after_seq, self.size(), limit))

    def structural(self, start: int, stop: int) -> list[tuple[int, bytes]]:
        """Return index and bytes of the signed entries in a range that are not about points."""
        return self._rows(query("structural_entries"), (start, min(stop, self.size())))

    def typed(self, types: Sequence[str], start: int = 0) -> list[tuple[int, bytes]]:
        """Return index and leaf bytes of the signed entries of `types` from index `start` on.

        For the few types that a page needs whole, keys or rulebooks; none of them about points.
        """
        return self._rows(query("typed_entries"), (start, self.size(), list(types)))

    def inclusion_proof(self, size: int, index: int) -> list[bytes]:
        """Return the proof that entry `index` is in the tree of `size`, leaf to root.

        Raises NotFoundError where that is not within the signed log.
        """
        if not 0 <= index < size or size > self.size():
            raise NotFoundError(f"no signed tree of size {size} has an entry {index}")
        nodes = node_hashes(self._rows, inclusion_nodes(index, size))
        return inclusion_proof(index, size, nodes.__getitem__)

    def consistency_proof(self, old: int, new: int) -> list[bytes]:
        """Return the proof that the tree of `old` is a prefix of that of `new`.

        Raises NotFoundError where that is not within the signed log.
        """
        if not 0 < old <= new or new > self.size():
            raise NotFoundError(f"no signed trees of sizes {old} and {new}, the former from 1")
        nodes = node_hashes(self._rows, consistency_nodes(old, new))
        return consistency_proof(old, new, nodes.__getitem__)

    def root(self, size: int) -> bytes:
        """Return the root of the first `size` entries. Raises NotFoundError beyond the signed log.

        The size need not be one that a checkpoint was signed at: a later one continues it.
        """
        if not 0 < size <= self.size():
            raise NotFoundError(f"no signed tree has size {size}")
        peaks = peak_nodes(size)
        nodes = node_hashes(self._rows, peaks)
        return Edge(size, tuple(nodes[each] for each in peaks)).root()

    def find(self, statement_id: str) -> tuple[int, bytes]:
        """Return index and leaf bytes of a signed statement. Raises NotFoundError."""
        found = self._rows(query("find_ids"), ([statement_id],))
        if not found or found[0][1] >= self.size():
            raise NotFoundError(f"no signed entry holds a statement {statement_id}")
        _, index, data = found[0]
        return index, data

    def receipt(self, statement_id: str) -> bytes:
        """Return the receipt of a statement, the same bytes as it was answered with.

        Raises NotFoundError where no signed checkpoint covers such a statement, ProofError where
        what is stored no longer has the signed root.
        """
        found = self._rows(query("find_ids"), ([statement_id],))
        if found:
            _, index, data = found[0]
            covering = self._rows(query("note_covering"), (index,)) or [self.signed()]
            size, note = covering[0]
            if size > index:
                return receipt.proven(data, index, self.inclusion_proof(size, index), note)
        raise NotFoundError(f"no signed entry holds a statement {statement_id}")

    def tile(self, level: int, n: int, width: int = TILE_WIDTH) -> bytes:
        """Return `width` hashes of 32 bytes of tile `n` at `level`. Raises NotFoundError."""
        self._need_tile(level, n, width)
        if width == TILE_WIDTH:
            stored = self._rows(query("tile_data"), (level, n))
            if stored:
                return bytes(stored[0][0])
        start = n * TILE_WIDTH
        return b"".join(level_hashes(self._rows, level, start, start + width))

    def entry_tile(self, n: int, width: int = TILE_WIDTH) -> bytes:
        """Return the bundle of `width` entries from n · 256 on. Raises NotFoundError."""
        self._need_tile(0, n, width)
        start = n * TILE_WIDTH
        rows = self._rows(query("read_entries"), (start, start + width))
        return encode_entries([state for state, _ in rows])

    def timestamps(self, size: int) -> list[tuple[int, str]]:
        """Return size and TSA of every token on a checkpoint of `size` or smaller, in order."""
        return self._rows(query("timestamps"), (size,))

    def timestamp(self, size: int, tsa: str) -> tuple[bytes, bytes]:
        """Return the signed note of `size` and a TSA's token on it. Raises NotFoundError."""
        found = self._rows(query("timestamp"), (size, tsa))
        if not found:
            raise NotFoundError(f"no token of {tsa} on the checkpoint of size {size} is kept")
        note, token = found[0]
        return note, token

    def _need_tile(self, level: int, n: int, width: int) -> None:
        last = n * TILE_WIDTH + width
        if level < 0 or n < 0 or not 1 <= width <= TILE_WIDTH or level > 7:
            raise NotFoundError(f"there is no tile {level}/{n} of width {width}")
        if last > self.size() >> (8 * level):
            raise NotFoundError(f"the signed log does not reach tile {level}/{n} of width {width}")

    def _rows(self, sql: str, params: Sequence[Any] = ()) -> list[Any]:
        try:
            with self._pool.connection() as connection:
                cursor = connection.cursor(binary=True)
                rows: list[Any] = cursor.execute(sql.encode(), params).fetchall()
                return rows
        except psycopg.OperationalError as error:
            # A pool that is exhausted or a server that is away: nothing was changed by a read.
            raise BusyError(f"the database does not answer: {error}") from error
        except psycopg.Error as error:
            raise MingzhangError(
                f"the database cannot read what it holds: {str(error).strip()}. If a page is "
                "damaged, restore a backup; `mingzhang verify log` on an export shows the original"
            ) from error
