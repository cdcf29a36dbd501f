"""Checks the draws of people: the root that a `dispute.drawn` names is the tree's at its size.

That the people follow from that root is decided at append already (`ledger.domain.ruling`); the
tree is what only a verifier of the whole log has beside the entries. Which checkpoint was the first
one signed after the appeal is for whoever kept the notes, the witnesses above all: the statement
can only name one of the thousand sizes after it.
"""

from __future__ import annotations

from typing import NamedTuple

from ledger.verify.report import Failure, FaultError
from ledger.verify.source import Source
from ledger.verify.tree import root_for


class Draw(NamedTuple):
    """What the entry `index` says: the root, lower-case hex, of the tree of `size`."""

    index: int  # type: ignore[assignment]  # hides tuple.index
    statement: str
    stream: str
    size: int
    root: str


def check_draw(source: Source, draw: Draw, signed_size: int) -> None:
    """Raise FaultError unless the tree over the first `size` entries has the root of the draw."""
    root = root_for(source, draw.size, signed_size, draw.index).hex()
    if root != draw.root:
        reason = (
            f"people were drawn by the root {draw.root[:16]}… of size {draw.size}, where the tree "
            f"has {root[:16]}…: the draw was made up"
        )
        raise FaultError(Failure("draw", reason, draw.index, draw.statement, draw.stream))
