"""Proofs, from a log's own hash tiles, that two signed checkpoints are of one history.

The tree of the larger one must hold the root of the smaller one at its size (RFC 9162, section
2.1.4). What does not is a finding; where the two contradict each other by proof, it carries it.
"""

from __future__ import annotations

from ledger.errors import FormatError, NotFoundError, ProofError
from ledger.log.checkpoint import Checkpoint
from ledger.log.merkle import EMPTY_ROOT, Node, consistency_proof, verify_consistency
from ledger.log.tiles import node_from_tiles
from ledger.verify.report import Failure, FaultError
from ledger.verify.source import Source, root_at


class RewrittenError(FaultError):
    """Carries the proof that the larger tree has another root at the smaller one's size."""

    def __init__(self, failure: Failure, proof: list[bytes], prefix: bytes) -> None:
        super().__init__(failure)
        self.proof = proof
        self.prefix = prefix


def compare(source: Source, seen: Checkpoint, shown: Checkpoint) -> None:
    """Show that what was seen before and what is shown now are of one history, in any order.

    Raises FaultError.
    """
    if seen.size == shown.size:
        if seen.root != shown.root:
            reason = (
                f"two trees are signed for size {seen.size}: {seen.root.hex()} was seen before, "
                f"now {shown.root.hex()} is shown"
            )
            raise FaultError(Failure("split-view", reason))
        return
    old, new = sorted((seen, shown), key=lambda each: each.size)
    prove(source, old, new)


def prove(source: Source, old: Checkpoint, new: Checkpoint) -> None:
    """Prove from the tiles that `old` is a prefix of `new`. Raises FaultError."""
    if old.size == 0:
        if old.root != EMPTY_ROOT:
            raise FaultError(Failure("history", "a tree without entries has another root"))
        return

    def get(node: Node) -> bytes:
        return node_from_tiles(node, new.size, source.tile)

    try:
        proof = consistency_proof(old.size, new.size, get)
        prefix = root_at(source.tile, old.size, new.size)
        verify_consistency(old.size, new.size, proof, prefix, new.root)
    except NotFoundError as error:
        raise FaultError(Failure("file-missing", error.message)) from None
    except FormatError as error:
        raise FaultError(Failure("tile", error.message)) from None
    except ProofError:
        reason = (
            f"the hash tiles do not have the root signed at size {new.size}: tiles were "
            "changed, or another history was signed"
        )
        raise FaultError(Failure("checkpoint-root", reason)) from None
    if prefix != old.root:
        # Proved, not suspected: the new root contains another tree of the old size.
        reason = (
            f"the tree of size {new.size} begins with the root {prefix.hex()} at size "
            f"{old.size}, where {old.root.hex()} was signed: history was rewritten"
        )
        raise RewrittenError(Failure("history", reason), proof, prefix)
