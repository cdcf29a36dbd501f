"""The Merkle tree of RFC 6962 section 2.1 (RFC 9162 section 2.1): roots and proofs.

A node is (level, index): the complete subtree over the leaves index·2^level up to, not including,
(index+1)·2^level. Whatever a proof needs is folded from complete nodes, so trees never have to be
held whole: an edge of at most 64 hashes is enough to grow one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ledger.errors import ProofError

HASH_SIZE = 32
EMPTY_ROOT = hashlib.sha256(b"").digest()

Node = tuple[int, int]
Get = Callable[[Node], bytes]

_sha256 = hashlib.sha256


def leaf_hash(data: bytes) -> bytes:
    """Return SHA-256(00 ‖ data), the hash of a leaf."""
    return _sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return SHA-256(01 ‖ left ‖ right), the hash of an inner node."""
    return _sha256(b"\x01" + left + right).digest()


@dataclass(frozen=True, slots=True)
class Edge:
    """The right edge of a tree: `peaks` are its complete subtrees' hashes, largest first."""

    size: int
    peaks: tuple[bytes, ...]

    @classmethod
    def empty(cls) -> Edge:
        """Return the edge of the empty tree."""
        return cls(0, ())

    def root(self) -> bytes:
        """Return the tree's root hash, 32 bytes."""
        return _fold(self.peaks)

    def extend(self, leaves: Sequence[bytes], nodes: dict[Node, bytes] | None = None) -> Edge:
        """Return the edge after appending `leaves` (leaf hashes).

        With `nodes`, every complete node on the way is put in it: old peaks, leaves, and all
        new ones, so that the proofs of the new leaves at the new size need nothing else.
        """
        stack = list(self.peaks)
        index = self.size
        if nodes is not None:
            nodes.update(zip(peak_nodes(self.size), stack, strict=True))
        for leaf in leaves:
            node = leaf
            if nodes is not None:
                nodes[0, index] = node
            level, at = 0, index
            while at & 1:
                node = _sha256(b"\x01" + stack.pop() + node).digest()
                at >>= 1
                level += 1
                if nodes is not None:
                    nodes[level, at] = node
            stack.append(node)
            index += 1
        return Edge(index, tuple(stack))


def peak_nodes(size: int) -> list[Node]:
    """Return the complete subtrees of which a tree of `size` consists, largest first."""
    nodes = []
    start = 0
    for level in range(size.bit_length() - 1, -1, -1):
        if size >> level & 1:
            nodes.append((level, start >> level))
            start += 1 << level
    return nodes


def root_of(leaves: Sequence[bytes]) -> bytes:
    """Return the root over `leaves` (leaf hashes)."""
    if not leaves:
        return EMPTY_ROOT
    level = list(leaves)
    while len(level) > 1:
        odd = level[-1:] if len(level) & 1 else []
        pairs = zip(level[::2], level[1::2], strict=False)
        level = [_sha256(b"\x01" + left + right).digest() for left, right in pairs]
        level += odd
    return level[0]


def inclusion_nodes(index: int, size: int) -> list[Node]:
    """Return the complete nodes that `inclusion_proof` asks for."""
    asked: list[Node] = []
    inclusion_proof(index, size, _noting(asked))
    return asked


def consistency_nodes(old: int, new: int) -> list[Node]:
    """Return the complete nodes that `consistency_proof` asks for."""
    asked: list[Node] = []
    consistency_proof(old, new, _noting(asked))
    return asked


def inclusion_proof(index: int, size: int, get: Get) -> list[bytes]:
    """Return the audit path of leaf `index` in a tree of `size`, leaf to root.

    `get` gives the hashes of complete nodes. Raises ValueError unless 0 ≤ index < size.
    """
    if not 0 <= index < size:
        raise ValueError(f"a tree of size {size} has no leaf {index}")
    return _path(index, 0, index, size, get)


def consistency_proof(old: int, new: int, get: Get) -> list[bytes]:
    """Return the proof that the tree of `old` leaves is a prefix of that of `new`.

    Raises ValueError unless 0 < old ≤ new.
    """
    if not 0 < old <= new:
        raise ValueError(f"no consistency proof from size {old} to {new}")
    if old == new:
        return []
    # The largest complete subtree at the old tree's edge is where both trees still agree.
    level = (old & -old).bit_length() - 1
    at = (old >> level) - 1
    proof = _path(old - 1, level, at, new, get)
    return proof if at == 0 else [get((level, at)), *proof]


def _path(leaf: int, level: int, at: int, size: int, get: Get) -> list[bytes]:
    """Return the siblings on the way from node (level, at), over `leaf`, to the root."""
    path: list[bytes] = []
    # At `level` the last node, which may be incomplete, has this index.
    last = (size - 1) >> level
    while last > 0:
        sibling = at ^ 1
        if sibling < last or (sibling == last and size & ((1 << level) - 1) == 0):
            path.append(get((level, sibling)))
        elif sibling == last:
            path.append(_partial(level, sibling, size, get))
        at >>= 1
        last >>= 1
        level += 1
    return path


def _partial(level: int, at: int, size: int, get: Get) -> bytes:
    """Return the hash of the incomplete node (level, at) that ends at `size`."""
    start = at << level
    nodes = [(n, i + (start >> n)) for n, i in peak_nodes(size - start)]
    return _fold([get(node) for node in nodes])


def _fold(peaks: Sequence[bytes]) -> bytes:
    if not peaks:
        return EMPTY_ROOT
    root = peaks[-1]
    for peak in reversed(peaks[:-1]):
        root = node_hash(peak, root)
    return root


def _noting(asked: list[Node]) -> Get:
    def get(node: Node) -> bytes:
        asked.append(node)
        return b""

    return get


def verify_inclusion(
    leaf_hash: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes
) -> None:
    """Check an audit path (RFC 9162 section 2.1.3.2). Raises ProofError if it does not hold."""
    if not 0 <= index < size:
        raise ProofError(f"a tree of size {size} has no leaf {index}")
    if len(leaf_hash) != HASH_SIZE:
        raise ProofError(f"a leaf hash has {HASH_SIZE} bytes, this one {len(leaf_hash)}")
    at, last, node = index, size - 1, leaf_hash
    for sibling in proof:
        if last == 0:
            raise ProofError("the inclusion proof is longer than the tree is high")
        if at & 1 or at == last:
            node = node_hash(sibling, node)
            while not at & 1 and at:
                at >>= 1
                last >>= 1
        else:
            node = node_hash(node, sibling)
        at >>= 1
        last >>= 1
    if last:
        raise ProofError("the inclusion proof is shorter than the tree is high")
    if node != root:
        raise ProofError(f"the inclusion proof of leaf {index} does not lead to the root")


def verify_consistency(
    old: int, new: int, proof: Sequence[bytes], old_root: bytes, new_root: bytes
) -> None:
    """Check a consistency proof (RFC 9162 section 2.1.4.2). Raises ProofError.

    A proof from size 0 says nothing and is rejected.
    """
    if not 0 < old <= new:
        raise ProofError(f"no consistency proof leads from size {old} to {new}")
    if old == new:
        if proof:
            raise ProofError("a consistency proof between equal sizes is empty")
        if old_root != new_root:
            raise ProofError(f"two different roots are given for size {old}")
        return
    path = list(proof)
    if old & (old - 1) == 0:
        path.insert(0, old_root)
    if not path:
        raise ProofError("the consistency proof is empty")
    at, last = old - 1, new - 1
    while at & 1:
        at >>= 1
        last >>= 1
    first = second = path[0]
    for sibling in path[1:]:
        if last == 0:
            raise ProofError("the consistency proof is too long")
        if at & 1 or at == last:
            first, second = node_hash(sibling, first), node_hash(sibling, second)
            while not at & 1 and at:
                at >>= 1
                last >>= 1
        else:
            second = node_hash(second, sibling)
        at >>= 1
        last >>= 1
    if last:
        raise ProofError("the consistency proof is too short")
    if first != old_root or second != new_root:
        raise ProofError(f"the trees of sizes {old} and {new} have no common history")
