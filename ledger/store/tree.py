"""Tree hashes out of the database: stored tile roots where there are some, leaf hashes below.

Full tiles are written behind the signing (`Tiler`) and can be derived at any time; what is not
stored yet is computed here from the level below, so a lag is never seen.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ledger.log.merkle import Node, root_of
from ledger.log.tiles import TILE_HEIGHT, TILE_WIDTH
from ledger.store.sql import query

Rows = Callable[[str, Sequence[Any]], list[Any]]
"""Runs a query with parameters and returns all rows."""


def level_hashes(rows: Rows, level: int, start: int, stop: int) -> list[bytes]:
    """Return the hashes start ≤ i < stop of complete subtrees at tile `level` (256^level leaves).

    The caller makes sure that the tree is that large.
    """
    if level == 0:
        return [leaf for (leaf,) in rows(query("leaf_hashes"), (start, stop))]
    known = dict(rows(query("tile_roots"), (level - 1, start, stop)))
    return [
        known[n]
        if n in known
        else root_of(level_hashes(rows, level - 1, n * TILE_WIDTH, (n + 1) * TILE_WIDTH))
        for n in range(start, stop)
    ]


def node_hashes(rows: Rows, nodes: Sequence[Node]) -> dict[Node, bytes]:
    """Return the hashes of complete subtrees, with one query for each tile that they lie in."""
    tiles: dict[tuple[int, int], list[tuple[Node, int, int]]] = {}
    for node in nodes:
        tile_level, height = divmod(node[0], TILE_HEIGHT)
        start = node[1] << height
        group = tiles.setdefault((tile_level, start // TILE_WIDTH), [])
        group.append((node, start, start + (1 << height)))
    found: dict[Node, bytes] = {}
    for (tile_level, _), group in tiles.items():
        first = min(start for _, start, _ in group)
        hashes = level_hashes(rows, tile_level, first, max(stop for _, _, stop in group))
        for node, start, stop in group:
            found[node] = root_of(hashes[start - first : stop - first])
    return found
