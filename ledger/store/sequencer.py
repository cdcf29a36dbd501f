"""The sequencer: takes admitted statements, records them at the head, signs, and answers.

It is a loop of named steps (`STEPS`) over injected ports. One thread runs it in each process and
any number of processes may: the append is a compare-and-swap on (size, last leaf hash), and who
loses follows the winner and decides again.

What a crash after each step leaves, and who heals it:

    admit      nothing outside memory.
    decide     nothing outside memory: decisions are made on an overlay.
    commit     entries without a signed note of their size. The next start, or the next process
               that appends, signs that size first, to the same bytes.
    read_back  the same.
    check      the same; on a mismatch signing stops for good, and start-up finds it again.
    sign       a note that nobody has seen. Ed25519 is deterministic: it is made again.
    anchor     an anchor ahead of the recorded notes, on the same history: start-up compares.
    answer     callers without an answer: the same statement sent again gets the same receipt.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import NoReturn

from ledger.domain.decide import decide
from ledger.domain.event import Event
from ledger.domain.points import CORRECTED
from ledger.domain.world import Table, World
from ledger.entry import ENTRY_SIZE_MAX, entry_bytes, format_instant, parse_entry, parse_instant
from ledger.errors import (
    ConflictError,
    FormatError,
    MingzhangError,
    OutcomeUnknownError,
    ProofError,
    Refused,
    StoppedError,
)
from ledger.log import checkpoint, receipt
from ledger.log.checkpoint import Checkpoint
from ledger.log.merkle import Edge, Node, inclusion_nodes, inclusion_proof, leaf_hash
from ledger.log.note import Signer
from ledger.store.admission import Admission, Admitted, check_signatures
from ledger.store.port import (
    Anchor,
    Clock,
    DuplicateId,
    Fenced,
    Row,
    Store,
    Stored,
    Unconfirmed,
)
from ledger.store.start import start_tip
from ledger.store.tip import NO_LEAF, PAGE_ENTRIES, Tip, checked_leaf

CLOCK_JUMP_MAX_S = 600.0
SIGNED_AHEAD_MAX = timedelta(minutes=10)
ATTEMPTS_MAX = 1_000
RECOVERIES_MAX = 5
PAUSE_SUSPECT_S = 0.25


class Pending:
    """One caller's statement; `answer` is called once, with a receipt or an error."""

    __slots__ = ("_answer", "admitted", "done", "envelope", "twin")

    def __init__(
        self, envelope: bytes, answer: Callable[[bytes | MingzhangError], None]
    ) -> None:
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
    recorded_at: str = ""
    stored: list[Stored] | None = None
    nodes: dict[Node, bytes] = field(default_factory=dict)
    edge: Edge | None = None
    root: bytes = b""
    note: bytes = b""
    committed_s: float = 0.0


class Sequencer:
    """Owns the tip; only the one thread that runs rounds may call anything here.

    `signed` is (size, note) of the newest signed checkpoint; readers in the same process may look
    at it at any time, for it is replaced as a whole.
    """

    def __init__(
        self,
        store: Store,
        signer: Signer,
        anchor: Anchor,
        clock: Clock,
        admission: Admission,
        steps: Sequence[tuple[str, Step]] | None = None,
    ) -> None:
        self.origin = signer.name
        self._steps = STEPS if steps is None else steps
        self._store = store
        self._signer = signer
        self._anchor = anchor
        self._clock = clock
        self._admission = admission
        self._wall = clock.now()
        self._monotonic_s = clock.monotonic_s()
        self._kept_size = 0
        self.stopped: str | None = None
        self.tip = Tip()
        self.signed: tuple[int, bytes] | None = None
        self._signed_root: bytes | None = None
        self._start()

    # -- one round -----------------------------------------------------------------------------

    @property
    def helpers(self) -> int:
        """The number of helper processes that verify signatures."""
        return self._admission.helpers

    def run(self, pending: Sequence[Pending]) -> None:
        """Record what can be recorded of `pending` and answer every one of them."""
        try:
            self._need_running()
            self.admit([each for each in pending if each.admitted is None and not each.done])
            recoveries = 0
            for _ in range(ATTEMPTS_MAX):
                waiting = [each for each in pending if not each.done]
                if not waiting:
                    return
                recoveries += self._attempt(waiting)
                if recoveries > RECOVERIES_MAX:
                    self._stop("the same batch failed again after each recovery")
            self._fail(pending, OutcomeUnknownError("others kept winning the head: send it again"))
        except MingzhangError as error:
            self._fail(pending, error)

    @property
    def unkept(self) -> bool:
        """Whether the newest signed note is in memory and in the anchor only."""
        return self.signed is not None and self.signed[0] > self._kept_size

    def flush(self) -> None:
        """Record the newest note, when nothing was appended for a while that would carry it."""
        if self.stopped is None and self.signed is not None and self.unkept:
            try:
                self._store.keep_note(*self.signed)
                self._kept_size = self.signed[0]
            except Unconfirmed:
                with contextlib.suppress(StoppedError):
                    self._recover()

    def _attempt(self, waiting: list[Pending]) -> bool:
        """Run the steps once; return whether it took a recovery."""
        batch = Batch(waiting)
        try:
            for _, step in self._steps:
                step(self, batch)
        except Fenced:
            self._follow()
        except DuplicateId:
            self._follow()
            self._answer_known(waiting)
        except StoppedError:
            raise
        except (ProofError, FormatError) as error:
            self._stop(f"a check before signing failed: {error.message}")
        except Exception:  # noqa: BLE001 - whatever broke, only the committed state counts now
            self._recover()
            self._answer_known(waiting)
            return True
        return False

    # -- the steps -----------------------------------------------------------------------------

    def admit(self, pending: Sequence[Pending], helper: int | None = None) -> None:
        """Parse and verify, here or in a helper process.

        With a helper it may run in another thread than the rounds, ahead of them.
        """
        envelopes = [each.envelope for each in pending]
        results = self._admission.admit(envelopes, self._public_key, helper)
        latest = self._clock.now() + SIGNED_AHEAD_MAX
        for each, result in zip(pending, results, strict=True):
            if isinstance(result, MingzhangError):
                each.settle(result)
            elif parse_instant(result.statement.signed_at) > latest:
                each.settle(
                    Refused(
                        "signed-ahead",
                        f"signed_at {result.statement.signed_at} is more than 10 minutes ahead of "
                        "the ledger's clock: set the signer's clock right",
                    )
                )
            else:
                each.admitted = result

    def _decide(self, batch: Batch) -> None:
        """Decide every statement on an overlay; refuse only what a fresh look refuses too."""
        refused = self._decide_all(batch)
        if not refused:
            return
        if self._store.head() != (self.tip.size, self.tip.leaf):
            raise Fenced
        known = self._store.find([each.ident for each, _ in refused])
        for each, error in refused:
            found = known.get(each.ident)
            each.settle(self._first_receipt(each, *found) if found else error)

    def _decide_all(self, batch: Batch) -> list[tuple[Pending, MingzhangError]]:
        tip = self.tip
        batch.recorded_at = max(format_instant(self._clock.now(), micros=True), tip.recorded_at)
        batch.world, batch.heads = tip.world.overlay(), Table(tip.heads)
        proposals = [each.admitted.proposal for each in batch.pending if each.admitted is not None]
        tip.load_heads(self._store, [each.stream for each in proposals])
        corrected = [each.stream for each in proposals if each.type == CORRECTED]
        if corrected:
            tip.load_accounts(self._store, corrected)
        refused: list[tuple[Pending, MingzhangError]] = []
        first: dict[str, Pending] = {}
        for each in batch.pending:
            assert each.admitted is not None  # noqa: S101 - what was not admitted is settled
            each.twin = first.get(each.ident)
            try:
                if each.twin is None:
                    self._place(batch, each, each.admitted)
                    first[each.ident] = each
                else:
                    _same_payload(each.twin, each)
            except MingzhangError as error:
                refused.append((each, error))
        return refused

    def _place(self, batch: Batch, each: Pending, admitted: Admitted) -> None:
        """Decide one statement and give it its place in the batch."""
        statement, proposal = admitted.statement, admitted.proposal
        seq, before = batch.heads.get(proposal.stream) or (0, NO_LEAF)
        prev = before.hex()
        if statement.after is not None and statement.after != prev:
            raise ConflictError(
                "after",
                f"the head of {proposal.stream} is {prev}, the signer saw {statement.after}: "
                "look at what came in between and sign again",
            )
        decide(batch.world, proposal, batch.recorded_at)
        if not admitted.verified and not check_signatures(
            statement, lambda ident: _public_key(batch.world, ident)
        ):
            raise Refused("key-known", "a signature is by a key that this log does not know")
        data = entry_bytes(proposal.stream, seq + 1, prev, batch.recorded_at, statement.envelope)
        if len(data) > ENTRY_SIZE_MAX:
            raise FormatError(
                f"the entry would have {len(data)} bytes, at most {ENTRY_SIZE_MAX} are allowed"
            )
        index = self.tip.size + len(batch.rows)
        leaf = leaf_hash(data)
        batch.world.evolve(Event(proposal, seq + 1, index, batch.recorded_at))
        batch.heads[proposal.stream] = (seq + 1, leaf)
        batch.rows.append(Row(index, proposal.stream, seq + 1, proposal.type, statement.id, data))
        batch.leaves.append(leaf)
        batch.accepted.append(each)

    def _commit(self, batch: Batch) -> None:
        if batch.rows:
            note = self.signed[1] if self.signed is not None else None
            batch.stored = self._store.append(batch.rows, self.tip.leaf, note)
            self._kept_size = self.tip.size
            batch.committed_s = self._clock.monotonic_s()

    def _read_back(self, batch: Batch) -> None:
        if batch.rows and batch.stored is None:
            batch.stored = self._store.read(batch.rows[0].index, batch.rows[-1].index + 1)

    def _check(self, batch: Batch) -> None:
        """The second path: leaves recomputed from the bytes read back extend the signed tree."""
        if batch.stored is None:
            return
        if len(batch.stored) != len(batch.rows):
            raise ProofError(f"{len(batch.stored)} of {len(batch.rows)} committed entries read back")
        leaves = []
        for row, stored, decided in zip(batch.rows, batch.stored, batch.leaves, strict=True):
            leaf = checked_leaf(row.index, stored)
            if leaf != decided:
                raise ProofError(f"entry {row.index} was read back other than it was written")
            leaves.append(leaf)
        self._check_edge()
        batch.edge = self.tip.edge.extend(leaves, batch.nodes)

    def _sign(self, batch: Batch) -> None:
        if batch.edge is None:
            return
        if self._clock.monotonic_s() - batch.committed_s > PAUSE_SUSPECT_S:
            # Whoever was paused looks at the notes first, and signs nothing behind the newest.
            newest = self._store.newest_note()
            if newest is not None and newest[0] > batch.edge.size:
                raise Unconfirmed
        batch.root = batch.edge.root()
        batch.note = self._signed_note(batch.edge.size, batch.root)

    def _keep_anchor(self, batch: Batch) -> None:
        if batch.edge is not None:
            self._anchor.advance(batch.edge.size, batch.note)

    def _answer(self, batch: Batch) -> None:
        if batch.edge is None:
            return
        batch.world.merge()
        batch.heads.merge()
        self.tip.edge, self.tip.leaf = batch.edge, batch.leaves[-1]
        self.tip.recorded_at = batch.recorded_at
        self._signed_root = batch.root
        self.signed = (batch.edge.size, batch.note)
        encode = receipt.BatchEncoder(batch.note)
        given: dict[str, bytes] = {}
        for each, row in zip(batch.accepted, batch.rows, strict=True):
            path = inclusion_proof(row.index, batch.edge.size, batch.nodes.__getitem__)
            given[row.id] = encode(row.state, row.index, path)
            each.settle(given[row.id])
        for each in batch.pending:
            if each.twin is not None:
                each.settle(given[each.ident])

    # -- answers -------------------------------------------------------------------------------

    def _fail(self, pending: Sequence[Pending], error: MingzhangError) -> None:
        for each in pending:
            each.settle(error)

    def _answer_known(self, waiting: Sequence[Pending]) -> None:
        """Answer what is already recorded with its first receipt."""
        rest = [each for each in waiting if not each.done]
        known = self._store.find([each.ident for each in rest])
        for each in rest:
            found = known.get(each.ident)
            if found is not None:
                each.settle(self._first_receipt(each, *found))

    def _first_receipt(self, each: Pending, index: int, data: bytes) -> bytes | MingzhangError:
        assert each.admitted is not None  # noqa: S101 - what was not admitted is settled
        if parse_entry(data).statement.payload != each.admitted.statement.payload:
            return _reused(each.ident)
        covering = self._store.note_covering(index) or self.signed
        if covering is None or covering[0] <= index:
            return OutcomeUnknownError("no signed checkpoint covers that entry yet: ask again")
        return first_receipt(self._store, index, data, *covering)

    # -- the head ------------------------------------------------------------------------------

    def _start(self) -> None:
        self.tip, self._kept_size = start_tip(self._store, self._anchor, self._signer.vkey)
        self._follow()

    def _follow(self) -> None:
        """Move to the committed head and sign it, so that its end has its note."""
        size, leaf = self._store.head()
        if size < self.tip.size:
            self._stop(f"the database has {size} entries, {self.tip.size} were seen: it went back")
        try:
            self._check_edge()
            while self.tip.size < size:
                stop = min(size, self.tip.size + PAGE_ENTRIES)
                page = self._store.read(self.tip.size, stop)
                if len(page) != stop - self.tip.size:
                    self._stop(f"entries are missing from {self.tip.size} on")
                self.tip.follow(page)
                self._signed_root = None
        except (ProofError, FormatError) as error:
            self._stop(f"an entry does not hold: {error.message}")
        if leaf != self.tip.leaf:
            self._stop("the head's leaf hash is not the last entry's: history was changed")
        if size and (self.signed is None or self.signed[0] != size):
            newest = self._store.newest_note()
            self._kept_size = newest[0] if newest else 0
            root = self.tip.edge.root()
            note = self._signed_note(size, root)
            if newest is not None and newest[0] == size and newest[1] != note:
                self._stop(f"another note of size {size} is recorded than this history has")
            self._anchor.advance(size, note)
            self._signed_root = root
            self.signed = (size, note)

    def _check_edge(self) -> None:
        """The cached edge must still hash to the root that was signed last."""
        if self._signed_root is not None and self.tip.edge.root() != self._signed_root:
            raise ProofError("the tree's edge in memory no longer has the root signed last")

    def _signed_note(self, size: int, root: bytes) -> bytes:
        return checkpoint.sign(Checkpoint(self.origin, size, root), self._signer)

    def _recover(self) -> None:
        """Read the committed state again. A recovery that fails is final: nothing goes on."""
        try:
            self._store.recover()
            self._follow()
        except StoppedError:
            raise
        except Exception as error:  # noqa: BLE001
            self._stop(f"recovery failed: {error}")

    def _stop(self, reason: str) -> NoReturn:
        self.stopped = reason
        raise StoppedError(f"nothing more is signed: {reason}")

    def _need_running(self) -> None:
        if self.stopped is not None:
            raise StoppedError(f"nothing more is signed: {self.stopped}")
        wall_s = (self._clock.now() - self._wall).total_seconds()
        drift_s = wall_s - (self._clock.monotonic_s() - self._monotonic_s)
        if abs(drift_s) > CLOCK_JUMP_MAX_S:
            self._stop(
                f"the wall clock jumped by {drift_s:.0f} s, and recorded_at can never fall: set "
                "the clock right and start again"
            )

    def _public_key(self, ident: str) -> bytes | None:
        return _public_key(self.tip.world, ident)


Step = Callable[[Sequencer, Batch], None]
STEPS: list[tuple[str, Step]] = [
    ("decide", Sequencer._decide),
    ("commit", Sequencer._commit),
    ("read_back", Sequencer._read_back),
    ("check", Sequencer._check),
    ("sign", Sequencer._sign),
    ("anchor", Sequencer._keep_anchor),
    ("answer", Sequencer._answer),
]


def first_receipt(store: Store, index: int, data: bytes, size: int, note: bytes) -> bytes:
    """Return the receipt of an entry under the note of `size`, which must cover its index."""
    nodes = store.nodes(inclusion_nodes(index, size))
    path = inclusion_proof(index, size, nodes.__getitem__)
    return receipt.BatchEncoder(note)(data, index, path)


def _public_key(world: World, ident: str) -> bytes | None:
    key = world.keys.get(ident)
    return key.public_key if key is not None else None


def _same_payload(first: Pending, second: Pending) -> None:
    assert first.admitted is not None and second.admitted is not None  # noqa: S101
    if first.admitted.statement.payload != second.admitted.statement.payload:
        raise _reused(second.ident)


def _reused(ident: str) -> ConflictError:
    return ConflictError(
        "id-reused", f"statement id {ident} is already used for other content: sign with a new id"
    )
