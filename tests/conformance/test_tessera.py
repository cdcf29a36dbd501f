"""A real log of another implementation (Tessera): checkpoints, tiles and entry bundles."""

from __future__ import annotations

import pytest

from ledger.errors import ProofError
from ledger.log.checkpoint import Checkpoint, open_checkpoint
from ledger.log.merkle import (
    Edge,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    verify_consistency,
    verify_inclusion,
)
from ledger.log.note import VerifierKey
from ledger.log.tiles import node_from_tiles, split_hashes
from ledger.verify.source import open_source
from tests.conformance.vectors import VECTORS, needs_vectors

pytestmark = needs_vectors

SIZE = 15
# The published key of that log; its id, and every signature below, confirm it.
KEY = VerifierKey.parse(
    "example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx"
)
SOURCE = open_source(str(VECTORS / "tessera-log"))


def signed(size: int) -> Checkpoint:
    data = (VECTORS / "tessera-log" / f"checkpoint.{size}").read_bytes()
    return open_checkpoint(data, KEY)


@pytest.mark.parametrize("size", range(SIZE + 1))
def test_a_signed_checkpoint_is_read_and_verified(size: int) -> None:
    assert (signed(size).origin, signed(size).size) == (KEY.name, size)


def test_the_newest_checkpoint_is_that_of_the_whole_log() -> None:
    assert open_checkpoint(SOURCE.checkpoint(), KEY) == signed(SIZE)


@pytest.mark.parametrize("size", range(1, SIZE + 1))
def test_the_entries_give_the_tile_and_the_signed_root(size: int) -> None:
    leaves = [leaf_hash(each) for each in SOURCE.entries(0, size)]
    assert leaves == split_hashes(SOURCE.tile(0, 0, size))
    assert Edge.empty().extend(leaves).root() == signed(size).root


def test_the_tree_of_no_entries_has_the_signed_root() -> None:
    assert Edge.empty().root() == signed(0).root


def test_proofs_from_the_tiles_lead_to_the_signed_roots() -> None:
    for size in range(1, SIZE + 1):

        def get(node: tuple[int, int], size: int = size) -> bytes:
            return node_from_tiles(node, size, SOURCE.tile)

        root = signed(size).root
        for index, data in enumerate(SOURCE.entries(0, size)):
            proof = inclusion_proof(index, size, get)
            verify_inclusion(leaf_hash(data), index, size, proof, root)
        for old in range(1, size + 1):
            proof = consistency_proof(old, size, get)
            verify_consistency(old, size, proof, signed(old).root, root)


def test_another_logs_key_does_not_open_a_checkpoint() -> None:
    other = VerifierKey(KEY.name, bytes(31) + b"\x05")
    with pytest.raises(ProofError, match="no known key signed"):
        open_checkpoint(SOURCE.checkpoint(), other)
