"""Tiles (C2SP tlog-tiles): the tree's hashes and the log's entries in files of 256.

A tile at level L holds the hashes of complete subtrees over 256^L leaves each; the rightmost one
of a level may be partial.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Iterator, Sequence
from typing import Literal

from ledger.errors import FormatError
from ledger.log.merkle import Node, root_of

TILE_HEIGHT = 8
TILE_WIDTH = 256
HASH_SIZE = 32
LEVEL_MAX = 7

Level = int | Literal["entries"]
Tile = tuple[int, int, int]
"""Level, index in the level, and width in hashes (1 to 256)."""

_PATH = re.compile(
    r"tile/(entries|[0-7])/((?:x[0-9]{3}/){0,6}[0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?", re.ASCII
).fullmatch
_LENGTH = struct.Struct("!H")


def tile_path(level: Level, n: int, width: int = TILE_WIDTH) -> str:
    """Return a tile's path below the log's prefix, such as `tile/0/x001/x234/067.p/5`."""
    groups = [f"{n % 1000:03d}"]
    while n >= 1000:
        n //= 1000
        groups.append(f"x{n % 1000:03d}")
    path = f"tile/{level}/{'/'.join(reversed(groups))}"
    return path if width == TILE_WIDTH else f"{path}.p/{width}"


def parse_tile_path(path: str) -> tuple[Level, int, int]:
    """Return level, index and width of a tile's path. Raises FormatError."""
    parts = _PATH(path)
    if parts is None:
        raise FormatError(f"{path[:80]!r} is no tile's path")
    level: Level = "entries" if parts[1] == "entries" else int(parts[1])
    n = int(parts[2].replace("x", "").replace("/", ""))
    width = int(parts[3]) if parts[3] else TILE_WIDTH
    if (width > TILE_WIDTH - 1 and parts[3]) or tile_path(level, n, width) != path:
        raise FormatError(f"{path[:80]!r} is not how that tile's path is written")
    return level, n, width


def tiles_for_size(size: int) -> Iterator[Tile]:
    """Yield every hash tile of a tree of `size`, the partial ones too, none of them empty."""
    level = 0
    while size >> (TILE_HEIGHT * level):
        for n, width in _row(size >> (TILE_HEIGHT * level)):
            yield level, n, width
        level += 1


def entry_tiles_for_size(size: int) -> Iterator[tuple[int, int]]:
    """Yield index and width of every entry bundle of a log of `size`."""
    return _row(size)


def tile_width(level: int, n: int, size: int) -> int:
    """Return how wide tile `n` of `level` is in a tree of `size`; 0 if it is not there."""
    return max(0, min(TILE_WIDTH, (size >> (TILE_HEIGHT * level)) - n * TILE_WIDTH))


def node_from_tiles(node: Node, size: int, fetch: Callable[[int, int, int], bytes]) -> bytes:
    """Return the hash of a complete node of a tree of `size` from its tile.

    `fetch` gives the bytes of a tile by level, index and width. Raises FormatError if they are
    not that wide.
    """
    level, height = divmod(node[0], TILE_HEIGHT)
    first = node[1] << height
    n, offset = divmod(first, TILE_WIDTH)
    width = tile_width(level, n, size)
    data = fetch(level, n, width)
    if len(data) != width * HASH_SIZE:
        raise FormatError(f"{tile_path(level, n, width)} has {len(data)} bytes, not {width} hashes")
    hashes = split_hashes(data)
    return root_of(hashes[offset : offset + (1 << height)])


def split_hashes(data: bytes) -> list[bytes]:
    """Return the 32-byte hashes that a tile's bytes are."""
    return [data[at : at + HASH_SIZE] for at in range(0, len(data), HASH_SIZE)]


def encode_entries(entries: Sequence[bytes]) -> bytes:
    """Return an entry bundle: each entry after its length as a big-endian uint16."""
    return b"".join([part for each in entries for part in (_LENGTH.pack(len(each)), each)])


def decode_entries(data: bytes) -> list[bytes]:
    """Return the entries of a bundle. Raises FormatError if it is cut short."""
    entries = []
    at = 0
    while at < len(data):
        if at + 2 > len(data):
            raise FormatError("the entry bundle ends within a length")
        (length,) = _LENGTH.unpack_from(data, at)
        at += 2 + length
        if at > len(data):
            raise FormatError("the entry bundle ends within an entry")
        entries.append(data[at - length : at])
    return entries


def _row(count: int) -> Iterator[tuple[int, int]]:
    full, width = divmod(count, TILE_WIDTH)
    for n in range(full):
        yield n, TILE_WIDTH
    if width:
        yield full, width
