"""The tree over the entries, grown bundle by bundle and compared with the upper hash tiles.

Level 0 is compared where the entries are hashed (`chunk`); here each full tile's root goes up one
level, so at most one tile's hashes a level are in memory.
"""

from __future__ import annotations

from dataclasses import dataclass

from ledger.errors import FormatError, NotFoundError
from ledger.log.merkle import Edge, root_of
from ledger.log.tiles import (
    HASH_SIZE,
    TILE_HEIGHT,
    TILE_WIDTH,
    split_hashes,
    tile_path,
)
from ledger.verify.report import Failure, FaultError
from ledger.verify.source import Source, root_at


@dataclass(frozen=True, slots=True)
class TreeState:
    """All that a tree must remember: its peaks, and by level the hashes of its last tile, joined.

    `full` is the number of full bundles, `peaks` those over their roots, `rest` the leaves after
    them; `rows[0]` belongs to level 1.
    """

    full: int = 0
    peaks: bytes = b""
    rest: bytes = b""
    rows: tuple[bytes, ...] = ()


class Tree:
    """The tree of the leaves added so far.

    Only the last bundle may be less than full; when it has grown it is added again, whole.
    """

    def __init__(self, source: Source, state: TreeState = TreeState()) -> None:
        self._source = source
        # The edge over the roots of full bundles, and the leaves after them.
        self._full = Edge(state.full, tuple(split_hashes(state.peaks)))
        self._rest = split_hashes(state.rest)
        self._rows = [split_hashes(row) for row in state.rows]
        self._compared = [state.full >> (TILE_HEIGHT * (row + 1)) for row in range(len(self._rows))]

    @property
    def state(self) -> TreeState:
        """What another tree goes on from, over the same log."""
        rows = tuple(b"".join(row) for row in self._rows)
        return TreeState(self._full.size, b"".join(self._full.peaks), b"".join(self._rest), rows)

    def add(self, leaves: bytes) -> None:
        """Add a bundle's leaf hashes, joined. Raises FaultError at a wrong upper tile."""
        hashes = split_hashes(leaves)
        if len(hashes) < TILE_WIDTH:
            self._rest = hashes
            return
        root = root_of(hashes)
        self._rest = []
        self._full = self._full.extend([root])
        self._push(0, root)

    def root(self) -> bytes:
        """Return the root over all leaves added."""
        return self._root(self._full, self._rest)

    def root_with(self, leaves: bytes, count: int) -> bytes:
        """Return the root with the first `count` of a bundle's leaves that are not added yet."""
        return self._root(self._full, split_hashes(leaves[: count * HASH_SIZE]))

    def finish(self) -> None:
        """Compare the partial tiles above level 0. Raises FaultError."""
        for row in range(len(self._rows)):
            if self._rows[row]:
                self._compare(row)

    def _root(self, full: Edge, rest: list[bytes]) -> bytes:
        edge = Edge.empty().extend(rest)
        return Edge(full.size * TILE_WIDTH + edge.size, full.peaks + edge.peaks).root()

    def _push(self, row: int, root: bytes) -> None:
        if row == len(self._rows):
            self._rows.append([])
            self._compared.append(0)
        hashes = self._rows[row]
        hashes.append(root)
        if len(hashes) == TILE_WIDTH:
            self._compare(row)
            self._compared[row] += 1
            self._rows[row] = []
            self._push(row + 1, root_of(hashes))

    def _compare(self, row: int) -> None:
        """Compare the hashes of a row, of level `row` + 1, with their tile."""
        level, n, hashes = row + 1, self._compared[row], self._rows[row]
        first = n * TILE_WIDTH << (TILE_HEIGHT * level)
        path = tile_path(level, n, len(hashes))
        try:
            found = split_hashes(self._source.tile(level, n, len(hashes)))
        except NotFoundError as error:
            raise FaultError(Failure("file-missing", error.message, first)) from None
        except FormatError as error:
            raise FaultError(Failure("tile", error.message, first)) from None
        for at, (own, other) in enumerate(zip(hashes, found, strict=True)):
            if own != other:
                raise FaultError(
                    Failure(
                        "tile",
                        f"hash {at} of {path} is not the root of the entries below it, which "
                        "begin here",
                        (n * TILE_WIDTH + at) << (TILE_HEIGHT * level),
                    )
                )


def root_for(source: Source, size: int, signed_size: int, index: int) -> bytes:
    """Return the root over the first `size` entries, from the tiles of a tree of `signed_size`.

    Raises FaultError in the name of entry `index`, which asks for it.
    """
    try:
        return root_at(source.tile, size, signed_size)
    except NotFoundError as error:
        raise FaultError(Failure("file-missing", error.message, index)) from None
    except FormatError as error:
        raise FaultError(Failure("tile", error.message, index)) from None
