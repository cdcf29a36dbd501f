"""What one round of the sequencer works on: callers' statements, the batch, and its answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from ledger.domain.world import Table, World
from ledger.errors import ConflictError, MingzhangError
from ledger.log import receipt
from ledger.log.merkle import Edge, Node, inclusion_nodes, inclusion_proof
from ledger.store.admission import Admitted
from ledger.store.port import Row, Store, Stored


class Pending:
    """One caller's statement; `answer` is called once, with a receipt or an error."""

    __slots__ = ("_answer", "admitted", "done", "envelope", "twin")

    def __init__(self, envelope: bytes, answer: Callable[[bytes | MingzhangError], None]) -> None:
        self.envelope = envelope
        self._answer = answer
        self.done = False
        self.admitted: Admitted | None = None
        self.twin: Pending | None = None

    @property
    def ident(self) -> str:
        """The statement's id, once it is admitted."""
        return self.admitted.statement.id if self.admitted is not None else ""

    def settle(self, outcome: bytes | MingzhangError) -> None:
        """Give the caller the outcome; only the first one counts."""
        if not self.done:
            self.done = True
            self._answer(outcome)


@dataclass(slots=True)
class Batch:
    """One round's work, filled by the steps in their order."""

    pending: list[Pending]
    world: World = field(default_factory=World)
    heads: Table[tuple[int, bytes]] = field(default_factory=Table)
    rows: list[Row] = field(default_factory=list)
    leaves: list[bytes] = field(default_factory=list)
    accepted: list[Pending] = field(default_factory=list)
    refused: list[tuple[Pending, MingzhangError]] = field(default_factory=list)
    recorded_at: str = ""
    signed_max: str = ""
    stored: list[Stored] | None = None
    nodes: dict[Node, bytes] = field(default_factory=dict)
    edge: Edge | None = None
    note: bytes = b""
    sent_s: float = 0.0


def first_receipt(store: Store, index: int, data: bytes, size: int, note: bytes) -> bytes:
    """Return the receipt of an entry under the note of `size`, which must cover its index.

    Raises ProofError where what is stored no longer has the signed root.
    """
    nodes = store.nodes(inclusion_nodes(index, size))
    return receipt.proven(data, index, inclusion_proof(index, size, nodes.__getitem__), note)


def same_payload(first: Pending, second: Pending) -> None:
    """Raise ConflictError if two admitted statements of one id say different things."""
    assert first.admitted is not None  # noqa: S101 - what was not admitted is settled
    assert second.admitted is not None  # noqa: S101
    if first.admitted.statement.payload != second.admitted.statement.payload:
        raise reused(second.ident)


def reused(ident: str) -> ConflictError:
    """Return the answer to a statement whose id the log knows with another content."""
    return ConflictError(
        "id-reused", f"statement id {ident} is already used for other content: sign with a new id"
    )
