"""Finds out what happened where an entry does not hash to the leaf in its tile.

The signed root is the judge: if it covers the tile's leaf, the entry is not the one that was
recorded; if it covers the entry's own hash, the tile is wrong. Only a failed verification comes
here, so all level-0 tiles may be searched for where the entry belongs.
"""

from __future__ import annotations

from ledger.entry import parse_entry
from ledger.errors import FormatError, NotFoundError, ProofError
from ledger.log.checkpoint import Checkpoint
from ledger.log.merkle import inclusion_proof, leaf_hash, verify_inclusion
from ledger.log.tiles import (
    TILE_WIDTH,
    entry_tiles_for_size,
    node_from_tiles,
    split_hashes,
    tile_path,
)
from ledger.verify import chunk
from ledger.verify.report import Failure
from ledger.verify.source import Source


def leaf_failure(source: Source, signed: Checkpoint, index: int) -> Failure:
    """Return what is wrong with entry `index`, whose bytes do not hash to its tile's leaf."""
    n, offset = divmod(index, TILE_WIDTH)
    width = min(TILE_WIDTH, signed.size - n * TILE_WIDTH)
    raw = chunk.read(source, n, width)
    entries, _ = chunk.split(raw.bundle, raw.bundle_width)
    leaves = split_hashes(raw.hashes)
    data = entries[offset] if offset < len(entries) else None
    ident, stream = _named(data)
    if data is None:
        reason = f"it is missing: {tile_path('entries', n, raw.bundle_width)} ends before it"
        return Failure("entry-missing", reason, index)
    own = leaf_hash(data)
    proved = _covers(source, signed, index, leaves[offset])
    if not proved and _covers(source, signed, index, own):
        path = tile_path(0, n, width)
        reason = f"hash {offset} of {path} is not this entry's, which the signed root covers"
        return Failure("tile", reason, index, ident, stream)
    place = _place_of(source, signed, own)
    if place is not None and _is_entry(source, signed, place, leaves[offset]):
        reason = f"it and entry {place} stand in each other's place: they were swapped"
        return Failure("entries-swapped", reason, index, ident, stream)
    if place == index + 1:
        reason = "it is missing: the entry after it stands in its place"
        return Failure("entry-missing", reason, index)
    if place is not None:
        return Failure("entry-moved", f"it is entry {place} of the tree", index, ident, stream)
    judge = "the signed root covers the tile's hash" if proved else "the signed root covers neither"
    reason = f"its bytes were changed: they do not hash to the leaf in the tree ({judge})"
    return Failure("entry-changed", reason, index, ident, stream)


def _covers(source: Source, signed: Checkpoint, index: int, leaf: bytes) -> bool:
    def get(node: tuple[int, int]) -> bytes:
        return node_from_tiles(node, signed.size, source.tile)

    try:
        proof = inclusion_proof(index, signed.size, get)
        verify_inclusion(leaf, index, signed.size, proof, signed.root)
    except (ProofError, FormatError, NotFoundError):
        return False
    return True


def _leaves(source: Source, n: int, width: int) -> list[bytes]:
    try:
        return split_hashes(source.tile(0, n, width))
    except (FormatError, NotFoundError):
        return [b""] * width


def _place_of(source: Source, signed: Checkpoint, leaf: bytes) -> int | None:
    for n, width in entry_tiles_for_size(signed.size):
        leaves = _leaves(source, n, width)
        if leaf in leaves:
            return n * TILE_WIDTH + leaves.index(leaf)
    return None


def _is_entry(source: Source, signed: Checkpoint, index: int, leaf: bytes) -> bool:
    n, offset = divmod(index, TILE_WIDTH)
    raw = chunk.read(source, n, min(TILE_WIDTH, signed.size - n * TILE_WIDTH))
    entries, _ = chunk.split(raw.bundle, raw.bundle_width)
    return offset < len(entries) and leaf_hash(entries[offset]) == leaf


def _named(data: bytes | None) -> tuple[str | None, str | None]:
    try:
        entry = parse_entry(data or b"")
    except FormatError:
        return None, None
    return entry.statement.id, entry.stream
