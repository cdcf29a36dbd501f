"""The tree against a reference written from the definitions of RFC 6962 section 2.1, recursive."""

from __future__ import annotations

import hashlib
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.errors import ProofError
from ledger.log import merkle
from ledger.log.merkle import Edge, Node

SIZE_MAX = 1_000


def leaf(index: int) -> bytes:
    return hashlib.sha256(b"\x00" + str(index).encode()).digest()


@cache
def mth(start: int, stop: int) -> bytes:
    """MTH(D[start:stop])."""
    if start == stop:
        return hashlib.sha256(b"").digest()
    if stop - start == 1:
        return leaf(start)
    middle = start + _split(stop - start)
    return hashlib.sha256(b"\x01" + mth(start, middle) + mth(middle, stop)).digest()


def path(m: int, start: int, stop: int) -> list[bytes]:
    """PATH(m, D[start:stop])."""
    if stop - start == 1:
        return []
    k = _split(stop - start)
    if m < k:
        return [*path(m, start, start + k), mth(start + k, stop)]
    return [*path(m - k, start + k, stop), mth(start, start + k)]


def subproof(m: int, start: int, stop: int, known: bool) -> list[bytes]:
    """SUBPROOF(m, D[start:stop], known); PROOF(m, D[n]) = SUBPROOF(m, D[n], true)."""
    if m == stop - start:
        return [] if known else [mth(start, stop)]
    k = _split(stop - start)
    if m <= k:
        return [*subproof(m, start, start + k, known), mth(start + k, stop)]
    return [*subproof(m - k, start + k, stop, False), mth(start, start + k)]


def _split(n: int) -> int:
    """The largest power of two below n."""
    return 1 << ((n - 1).bit_length() - 1)


def get(node: Node) -> bytes:
    level, index = node
    return mth(index << level, (index + 1) << level)


def test_every_tree_to_1000_has_the_root_of_the_definition() -> None:
    leaves = [leaf(index) for index in range(SIZE_MAX)]
    edge = Edge.empty()
    assert edge.root() == mth(0, 0)
    for size in range(1, SIZE_MAX + 1):
        edge = edge.extend([leaves[size - 1]])
        assert edge.root() == merkle.root_of(leaves[:size]) == mth(0, size), size


def test_every_tree_to_1000_proves_its_first_middle_and_last_leaf() -> None:
    for size in range(1, SIZE_MAX + 1):
        for index in {0, size // 2, size // 3, size - 1}:
            proof = merkle.inclusion_proof(index, size, get)
            assert proof == path(index, 0, size), (index, size)
            merkle.verify_inclusion(leaf(index), index, size, proof, mth(0, size))


def test_every_leaf_of_every_small_tree_is_proved() -> None:
    for size in range(1, 70):
        for index in range(size):
            assert merkle.inclusion_proof(index, size, get) == path(index, 0, size)


def test_every_tree_to_1000_is_proved_to_extend_older_ones() -> None:
    for new in range(1, SIZE_MAX + 1):
        for old in {1, max(1, new // 2), max(1, new - 1), max(1, new * 2 // 3), new}:
            proof = merkle.consistency_proof(old, new, get)
            assert proof == subproof(old, 0, new, True), (old, new)
            merkle.verify_consistency(old, new, proof, mth(0, old), mth(0, new))


def test_every_pair_of_small_trees_is_proved_consistent() -> None:
    for new in range(1, 70):
        for old in range(1, new + 1):
            assert merkle.consistency_proof(old, new, get) == subproof(old, 0, new, True)


@st.composite
def leaf_of_tree(draw: st.DrawFn) -> tuple[int, int]:
    size = draw(st.integers(1, SIZE_MAX))
    return draw(st.integers(0, size - 1)), size


@given(leaf_of_tree(), st.data())
@settings(max_examples=300, deadline=None)
def test_an_inclusion_proof_that_was_changed_anywhere_fails(
    place: tuple[int, int], data: st.DataObject
) -> None:
    index, size = place
    good = path(index, 0, size)
    changed = data.draw(st.sampled_from(list(_changes(good, data))))
    with pytest.raises(ProofError):
        merkle.verify_inclusion(leaf(index), index, size, changed, mth(0, size))


@given(leaf_of_tree())
@settings(max_examples=200, deadline=None)
def test_an_inclusion_proof_holds_for_its_own_leaf_only(place: tuple[int, int]) -> None:
    index, size = place
    proof = path(index, 0, size)
    with pytest.raises(ProofError):
        merkle.verify_inclusion(leaf(index + 1), index, size, proof, mth(0, size))
    for other in {index - 1, index + 1, size}:
        with pytest.raises(ProofError):
            merkle.verify_inclusion(leaf(index), other, size, proof, mth(0, size))


@given(leaf_of_tree(), st.data())
@settings(max_examples=300, deadline=None)
def test_a_consistency_proof_that_was_changed_anywhere_fails(
    place: tuple[int, int], data: st.DataObject
) -> None:
    old, new = place[0] + 1, place[1]
    good = subproof(old, 0, new, True)
    changed = data.draw(st.sampled_from(list(_changes(good, data))))
    with pytest.raises(ProofError):
        merkle.verify_consistency(old, new, changed, mth(0, old), mth(0, new))


@given(leaf_of_tree())
@settings(max_examples=100, deadline=None)
def test_a_tree_that_rewrote_one_old_leaf_is_not_consistent(place: tuple[int, int]) -> None:
    old, new = place[0] + 1, place[1]
    proof = subproof(old, 0, new, True)
    forged = merkle.root_of([b"\x07" * 32, *(leaf(index) for index in range(1, old))])
    with pytest.raises(ProofError):
        merkle.verify_consistency(old, new, proof, forged, mth(0, new))


@given(st.integers(0, SIZE_MAX), st.integers(0, 300))
@settings(max_examples=100, deadline=None)
def test_an_edge_extended_in_one_step_gives_every_node_for_the_new_proofs(
    old: int, added: int
) -> None:
    nodes: dict[Node, bytes] = {}
    edge = Edge.empty().extend([leaf(index) for index in range(old)])
    edge = edge.extend([leaf(index) for index in range(old, old + added)], nodes)
    assert edge.root() == mth(0, old + added)
    assert all(found == get(node) for node, found in nodes.items())
    for index in range(old, old + added, 37):
        assert merkle.inclusion_proof(index, old + added, nodes.__getitem__) == path(
            index, 0, old + added
        )


def test_a_proof_asks_for_complete_nodes_of_its_tree_only() -> None:
    for size in range(1, 200):
        asked = merkle.inclusion_nodes(size // 2, size) + merkle.consistency_nodes(
            max(1, size // 2), size
        )
        assert all((index + 1) << level <= size for level, index in asked)


def test_no_proof_is_made_outside_the_tree() -> None:
    for index, size in ((0, 0), (5, 5), (-1, 5)):
        with pytest.raises(ValueError, match="has no leaf"):
            merkle.inclusion_proof(index, size, get)
    for old, new in ((0, 5), (6, 5), (-1, 5)):
        with pytest.raises(ValueError, match="no consistency proof"):
            merkle.consistency_proof(old, new, get)


def _changes(good: list[bytes], data: st.DataObject) -> list[list[bytes]]:
    """Every way of adding, leaving out, doubling or changing one hash that is worth a try."""
    changes = [[*good, b"\x01" * 32], [b"\x01" * 32, *good]]
    if good:
        at = data.draw(st.integers(0, len(good) - 1))
        flipped = bytes([good[at][0] ^ 1]) + good[at][1:]
        changes += [
            [*good[:at], *good[at + 1 :]],
            [*good[: at + 1], *good[at:]],
            [*good[:at], flipped, *good[at + 1 :]],
        ]
    return changes
