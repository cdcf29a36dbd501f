"""Known bugs, each planted into the real sequencer by a subclass, another step or another port.

A fault test that finds no planted bug proves nothing. None of this can be switched on in
production: there are no flags, only what the constructors take.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime

from ledger.errors import (
    FormatError,
    MingzhangError,
    ProofError,
    StartRefusedError,
    StoppedError,
)
from ledger.log import receipt
from ledger.log.merkle import inclusion_proof
from ledger.log.note import Signer
from ledger.store.batch import Batch, Pending, first_receipt
from ledger.store.head import Head
from ledger.store.port import Anchor, Clock, Fenced, Row, Store, Stored, Unconfirmed
from ledger.store.sequencer import STEPS, Sequencer, Step
from tests.support.simulation.run import Build
from tests.support.simulation.statements import ADMISSION
from tests.support.simulation.store import SimulatedStore

# -- other steps -----------------------------------------------------------------------------------


def _with_steps(**changed: Sequence[Step]) -> Build:
    """The real sequencer with some steps replaced by others, in their place."""

    def build(store: Store, signer: Signer, anchor: Anchor, clock: Clock) -> Sequencer:
        steps = [(name, step) for name, real in STEPS for step in changed.get(name, [real])]
        return Sequencer(store, signer, anchor, clock, ADMISSION, steps)

    return build


_REAL = dict(STEPS)


def _answer_early(sequencer: Sequencer, batch: Batch) -> None:
    if not batch.rows:
        return
    edge = sequencer.head.tip.edge.extend(batch.leaves, batch.nodes)
    encode = receipt.BatchEncoder(sequencer.head.note_of(edge))
    for each, row in zip(batch.accepted, batch.rows, strict=True):
        path = inclusion_proof(row.index, edge.size, batch.nodes.__getitem__)
        each.settle(encode(row.state, row.index, path))


def _check_nothing(sequencer: Sequencer, batch: Batch) -> None:
    if batch.rows:
        batch.edge = sequencer.head.tip.edge.extend(batch.leaves, batch.nodes)


def _trust_stored_leaf(sequencer: Sequencer, batch: Batch) -> None:
    if batch.stored is not None:
        leaves = [each.leaf for each in batch.stored]
        if leaves == batch.leaves:
            batch.edge = sequencer.head.tip.edge.extend(leaves, batch.nodes)


def _merge_early(_: Sequencer, batch: Batch) -> None:
    batch.world.merge()
    batch.heads.merge()


def _refuse_stale(sequencer: Sequencer, batch: Batch) -> None:
    sequencer._decide_all(batch)
    sequencer._refuse(batch)


def _refuse_unlooked(sequencer: Sequencer, batch: Batch) -> None:
    sequencer._decide_all(batch)
    if batch.refused and sequencer._store.head() != sequencer.head.tip.place:
        raise Fenced
    for each, error in batch.refused:
        each.settle(error)


def _refuse_early(sequencer: Sequencer, batch: Batch) -> None:
    sequencer._decide_all(batch)
    if batch.refused:
        if sequencer._store.head() != sequencer.head.tip.place:
            raise Fenced
        sequencer._refuse(batch)


def _sign_whatever(sequencer: Sequencer, batch: Batch) -> None:
    if batch.edge is not None:
        batch.note = sequencer.head.note_of(batch.edge)


# -- other ports -----------------------------------------------------------------------------------


class _UnfencedStore(SimulatedStore):
    def append(self, rows: Sequence[Row], expected: bytes, note: bytes | None) -> list[Stored]:
        return self._call("append", lambda: self.server.commit(rows, None, note))


class _UnconfirmedStore(SimulatedStore):
    def confirm(self) -> None:
        pass


def _unfenced(store: Store, signer: Signer, anchor: Anchor, clock: Clock) -> Sequencer:
    assert isinstance(store, SimulatedStore)
    unfenced = _UnfencedStore(store.server, store.network)
    return Sequencer(unfenced, signer, anchor, clock, ADMISSION)


def _unconfirmed(store: Store, signer: Signer, anchor: Anchor, clock: Clock) -> Sequencer:
    assert isinstance(store, SimulatedStore)
    unconfirmed = _UnconfirmedStore(store.server, store.network)
    return Sequencer(unconfirmed, signer, anchor, clock, ADMISSION)


class _BlindAnchor:
    def __init__(self, anchor: Anchor) -> None:
        self.advance, self.sync = anchor.advance, anchor.sync

    def newest(self) -> None:
        return None


def _anchorless(store: Store, signer: Signer, anchor: Anchor, clock: Clock) -> Sequencer:
    return Sequencer(store, signer, _BlindAnchor(anchor), clock, ADMISSION)


# -- other sequencers ------------------------------------------------------------------------------


def _with(kind: type[Sequencer]) -> Build:
    def build(store: Store, signer: Signer, anchor: Anchor, clock: Clock) -> Sequencer:
        return kind(store, signer, anchor, clock, ADMISSION)

    return build


class _StaleEdgeHead(Head):
    def follow(self) -> None:
        before = self.tip.edge
        super().follow()
        if self.tip.edge.size != before.size:
            # Half of the edge is left from before, and so is what it is compared with.
            peaks = (*before.peaks[:1], *self.tip.edge.peaks[1:-1], before.peaks[-1])
            self.tip.edge = type(before)(self.tip.edge.size, peaks[: len(self.tip.edge.peaks)])
            self._signed_root = self.tip.edge.root()


class _StaleEdge(Sequencer):
    def __init__(
        self, store: Store, signer: Signer, anchor: Anchor, clock: Clock, *_: object
    ) -> None:
        super().__init__(store, signer, anchor, clock, ADMISSION)
        try:
            self.head = _StaleEdgeHead(store, signer, anchor, clock)
        except (FormatError, ProofError, Unconfirmed) as error:
            raise StartRefusedError(str(error)) from error


class _NewReceipt(Sequencer):
    def _first_receipt(
        self, each: Pending, index: int, data: bytes
    ) -> bytes | MingzhangError | None:
        first = super()._first_receipt(each, index, data)
        signed = self.head.signed
        if not isinstance(first, bytes) or signed is None or signed[0] <= index:
            return first
        return first_receipt(self._store, index, data, *signed)


class _FallingTime(Sequencer):
    def _decide_all(self, batch: Batch) -> None:
        self.head.tip.recorded_at = ""
        super()._decide_all(batch)


class _EternalClock(Sequencer):
    def _now(self) -> datetime:
        return self._clock.now()


class _GoesOn(Sequencer):
    def _recover(self, waiting: Sequence[Pending] = ()) -> None:
        with suppress(StoppedError):
            super()._recover(waiting)


PLANTED: dict[str, Build] = {
    "acknowledge before the commit": _with_steps(commit=[_answer_early, _REAL["commit"]]),
    "append without the fence": _unfenced,
    "sign without reading back": _with_steps(read_back=[], check=[_check_nothing]),
    "trust the stored leaf hash": _with_steps(check=[_trust_stored_leaf]),
    "ignore the anchor": _anchorless,
    "reuse a stale edge after following": _with(_StaleEdge),
    "answer a repeated id with a new receipt": _with(_NewReceipt),
    "refuse from a stale cache": _with_steps(decide=[_refuse_stale]),
    "refuse without looking for the id": _with_steps(decide=[_refuse_unlooked]),
    "refuse on what is not committed yet": _with_steps(decide=[_refuse_early]),
    "sign a smaller size after a pause": _with_steps(sign=[_sign_whatever]),
    "let recorded_at fall": _with(_FallingTime),
    "record through a jump of the clock": _with(_EternalClock),
    "go on after a failed recovery": _with(_GoesOn),
    "merge the overlay before the commit": _with_steps(commit=[_merge_early, _REAL["commit"]]),
    "sign what a failover may take back": _unconfirmed,
}
