from __future__ import annotations

import hashlib
from collections.abc import Callable

import pytest

from ledger.log.merkle import root_of
from ledger.verify.report import FaultError
from ledger.verify.source import FolderSource
from ledger.verify.tree import Tree

SIZE = 256 * 256 + 256 * 3 + 17
LEAVES = [hashlib.sha256(b"%d" % index).digest() for index in range(SIZE)]
ROWS = [LEAVES]
for _ in range(2):
    below = ROWS[-1]
    ROWS.append([root_of(below[at : at + 256]) for at in range(0, len(below) // 256 * 256, 256)])

Change = Callable[[tuple[int, int, int], bytes], bytes]


class Tiles(FolderSource):
    """The right tiles of the upper levels, but for what `change` makes of them."""

    def __init__(self, change: Change) -> None:
        super().__init__("nowhere")
        self.asked: list[tuple[int, int, int]] = []
        self._change = change

    def tile(self, level: int, n: int, width: int = 256) -> bytes:
        self.asked.append((level, n, width))
        data = b"".join(ROWS[level][n * 256 : n * 256 + width])
        return self._change((level, n, width), data)


def grown(source: Tiles) -> Tree:
    tree = Tree(source)
    for at in range(0, SIZE, 256):
        tree.add(b"".join(LEAVES[at : at + 256]))
    tree.finish()
    return tree


def test_every_upper_tile_full_or_partial_is_compared_and_the_root_is_right() -> None:
    source = Tiles(lambda tile, data: data)
    assert grown(source).root() == root_of(LEAVES)
    assert source.asked == [(1, 0, 256), (1, 1, 3), (2, 0, 1)]


@pytest.mark.parametrize(
    ("changed", "hash_at", "first_entry"),
    [((1, 0, 256), 9, 9 * 256), ((1, 1, 3), 2, 65_536 + 2 * 256), ((2, 0, 1), 0, 0)],
)
def test_a_wrong_hash_of_an_upper_tile_is_named_with_the_first_entry_below_it(
    changed: tuple[int, int, int], hash_at: int, first_entry: int
) -> None:
    def change(tile: tuple[int, int, int], data: bytes) -> bytes:
        if tile != changed:
            return data
        return data[: hash_at * 32] + bytes(32) + data[(hash_at + 1) * 32 :]

    with pytest.raises(FaultError) as caught:
        grown(Tiles(change))
    failure = caught.value.failure
    assert (failure.kind, failure.index) == ("tile", first_entry)
    assert f"hash {hash_at} of tile/{changed[0]}/" in failure.reason


@pytest.mark.parametrize("count", [0, 1, 100, 256])
def test_the_root_of_a_prefix_that_ends_in_the_next_bundle_is_known(count: int) -> None:
    tree = Tree(Tiles(lambda tile, data: data))
    for at in range(0, 256 * 5, 256):
        tree.add(b"".join(LEAVES[at : at + 256]))
    following = b"".join(LEAVES[256 * 5 : 256 * 6])
    assert tree.root_with(following, count) == root_of(LEAVES[: 256 * 5 + count])
