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

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import NoReturn

from ledger.domain.decide import decide, needs
from ledger.domain.event import Event
from ledger.domain.world import Table
from ledger.entry import ENTRY_SIZE_MAX, entry_bytes, format_instant, parse_entry
from ledger.errors import (
    ConflictError,
    FormatError,
    MingzhangError,
    OutcomeUnknownError,
    ProofError,
    Refused,
    StartRefusedError,
    StoppedError,
)
from ledger.log import receipt
from ledger.log.merkle import inclusion_proof, leaf_hash
from ledger.log.note import Signer
from ledger.store.admission import Admission, Admitted, check_signatures
from ledger.store.batch import Batch, Pending, first_receipt, reused, same_payload
from ledger.store.head import LOOKS_MAX, Head
from ledger.store.port import (
    Anchor,
    Clock,
    DuplicateId,
    Fenced,
    Row,
    Store,
    Unconfirmed,
    Witnesses,
)
from ledger.store.tip import NO_LEAF, checked_leaf

CLOCK_JUMP_MAX_S = 600.0
SIGNED_AHEAD_MAX = timedelta(minutes=10)
ATTEMPTS_MAX = 1_000
RECOVERIES_MAX = 5


class Sequencer:
    """Owns the head; only the one thread that runs rounds may call anything here.

    `signed` may be looked at by readers in the same process at any time, for it is replaced as a
    whole.
    """

    def __init__(
        self,
        store: Store,
        signer: Signer,
        anchor: Anchor,
        clock: Clock,
        admission: Admission,
        steps: Sequence[tuple[str, Step]] | None = None,
        witnesses: Witnesses | None = None,
        given_up: int = 0,
    ) -> None:
        self.origin = signer.name
        self._steps = STEPS if steps is None else steps
        self._store = store
        self._anchor = anchor
        self._clock = clock
        self._admission = admission
        self._wall = clock.now()
        self._monotonic_s = clock.monotonic_s()
        self.stopped: str | None = None
        try:
            self.head = Head(store, signer, anchor, clock, witnesses, given_up)
        except (FormatError, ProofError) as error:
            raise StartRefusedError(f"nothing may be signed here: {error.message}") from error
        except Unconfirmed as error:
            raise StartRefusedError(f"the database does not answer: {error}") from error

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
                    # Each recovery held, so the log is sound and the next batch may try again.
                    raise OutcomeUnknownError(
                        f"the database failed {recoveries} times in a row: send it again later"
                    )
            raise OutcomeUnknownError("others kept winning the head: send it again")
        except MingzhangError as error:
            self._fail(pending, error)
        except Exception as error:  # noqa: BLE001 - callers wait for an answer, whatever broke
            self.stopped = f"the sequencer failed: {error!r}"
            self._fail(pending, StoppedError(f"nothing more is signed: {self.stopped}"))

    @property
    def unkept(self) -> bool:
        """Whether the newest signed note is in memory and in the anchor only."""
        return self.head.unkept

    @property
    def signed(self) -> tuple[int, bytes] | None:
        """Size and note of the newest checkpoint that this process signed."""
        return self.head.signed

    def halt(self, reason: str) -> None:
        """Sign nothing more after the round under way; any thread may call this."""
        if self.stopped is None:
            self.stopped = reason

    def flush(self) -> None:
        """Record the newest note, when nothing was appended for a while that would carry it."""
        if self.stopped is not None or self.head.signed is None or not self.head.unkept:
            return
        try:
            try:
                self._store.keep_note(*self.head.signed)
                self.head.kept_size = self.head.signed[0]
                self._anchor.sync()
            except OSError as error:
                self._stop(f"the anchor cannot be kept: {error}")
            except Unconfirmed:
                self._recover()
        except StoppedError:
            # Who appends next is told; here nobody waits.
            return

    def _attempt(self, waiting: list[Pending]) -> bool:
        """Run the steps once; return whether it took a recovery."""
        try:
            self._run_steps(waiting)
        except StoppedError:
            raise
        except (ProofError, FormatError) as error:
            self._stop(f"a check before signing failed: {error.message}")
        except OSError as error:
            # A sync that failed once may report success when it is tried again.
            self._stop(f"the anchor cannot be kept: {error}")
        except Exception:  # noqa: BLE001 - whatever broke, only the committed state counts now
            self._recover(waiting)
            return True
        return False

    def _run_steps(self, waiting: list[Pending]) -> None:
        batch = Batch(waiting)
        try:
            for _, step in self._steps:
                step(self, batch)
        except Fenced:
            self.head.follow()
        except DuplicateId:
            self.head.follow()
            self._answer_known(waiting)

    # -- the steps -----------------------------------------------------------------------------

    def admit(self, pending: Sequence[Pending], helper: int | None = None) -> None:
        """Parse and verify, here or in a helper process.

        With a helper it may run in another thread than the rounds, ahead of them.
        """
        envelopes = [each.envelope for each in pending]
        results = self._admission.admit(envelopes, self.head.tip.public_key, helper)
        for each, result in zip(pending, results, strict=True):
            if isinstance(result, MingzhangError):
                each.settle(result)
            else:
                each.admitted = result

    def _decide(self, batch: Batch) -> None:
        """Decide every statement on an overlay; refuse only what a fresh look refuses too.

        Where anything is to be committed, its fence is that look and refusals wait for it: they
        may rest on what the same batch records. Otherwise the head is compared here.
        """
        self._decide_all(batch)
        if batch.refused and not batch.rows:
            if self._store.head() != self.head.tip.place:
                raise Fenced
            self._refuse(batch)

    def _decide_all(self, batch: Batch) -> None:
        tip = self.head.tip
        now = self._now()
        batch.recorded_at = max(format_instant(now, micros=True), tip.recorded_at)
        batch.signed_max = format_instant(now + SIGNED_AHEAD_MAX)
        batch.world, batch.heads = tip.world.overlay(), Table(tip.heads)
        proposals = [each.admitted.proposal for each in batch.pending if each.admitted is not None]
        tip.load_heads(self._store, [each.stream for each in proposals])
        read = [stream for each in proposals for stream in needs(each)]
        if read:
            tip.load_accounts(self._store, read)
        first: dict[str, Pending] = {}
        for each in batch.pending:
            assert each.admitted is not None  # noqa: S101 - what was not admitted is settled
            each.twin = None
            twin = first.get(each.ident)
            try:
                if twin is None:
                    self._place(batch, each, each.admitted)
                    first[each.ident] = each
                else:
                    same_payload(twin, each)
                    each.twin = twin
            except MingzhangError as error:
                batch.refused.append((each, error))
            except Exception as error:
                each.settle(MingzhangError(f"deciding it failed, it is not recorded: {error!r}"))
                # The overlay may be half changed: the others are decided again without it.
                raise Fenced from error

    def _refuse(self, batch: Batch) -> None:
        """Answer what was refused: a statement that is recorded all the same has its receipt."""
        known = self._store.find([each.ident for each, _ in batch.refused])
        for each, error in batch.refused:
            found = known.get(each.ident)
            outcome = self._first_receipt(each, *found) if found else error
            if outcome is not None:
                each.settle(outcome)

    def _place(self, batch: Batch, each: Pending, admitted: Admitted) -> None:
        """Decide one statement and give it its place in the batch."""
        statement, proposal = admitted.statement, admitted.proposal
        if statement.signed_at > batch.signed_max:
            raise Refused(
                "signed-ahead",
                f"signed_at {statement.signed_at} is more than 10 minutes ahead of the ledger's "
                "clock: set the signer's clock right",
            )
        seq, before = batch.heads.get(proposal.stream) or (0, NO_LEAF)
        prev = before.hex()
        if statement.after is not None and statement.after != prev:
            raise ConflictError(
                "after",
                f"the head of {proposal.stream} is {prev}, the signer saw {statement.after}: "
                "look at what came in between and sign again",
            )
        decide(batch.world, proposal, batch.recorded_at)
        if not admitted.verified and not check_signatures(statement, batch.world.public_key):
            raise Refused("key-known", "a signature is by a key that this log does not know")
        data = entry_bytes(proposal.stream, seq + 1, prev, batch.recorded_at, statement.envelope)
        if len(data) > ENTRY_SIZE_MAX:
            raise FormatError(
                f"the entry would have {len(data)} bytes, at most {ENTRY_SIZE_MAX} are allowed"
            )
        index = self.head.tip.size + len(batch.rows)
        leaf = leaf_hash(data)
        batch.world.evolve(Event(proposal, seq + 1, index, batch.recorded_at))
        batch.heads[proposal.stream] = (seq + 1, leaf)
        batch.rows.append(Row(index, proposal.stream, seq + 1, proposal.type, statement.id, data))
        batch.leaves.append(leaf)
        batch.accepted.append(each)

    def _commit(self, batch: Batch) -> None:
        if batch.rows:
            head = self.head
            note = head.signed[1] if head.signed is not None else None
            # Taken before: a pause may fall between the commit and its answer.
            batch.sent_s = self._clock.monotonic_s()
            batch.stored = self._store.append(batch.rows, head.tip.leaf, note)
            head.kept_size = head.tip.size

    def _read_back(self, batch: Batch) -> None:
        if batch.rows and batch.stored is None:
            batch.stored = self._store.read(batch.rows[0].index, batch.rows[-1].index + 1)

    def _check(self, batch: Batch) -> None:
        """The second path: leaves recomputed from the bytes read back extend the signed tree."""
        if batch.stored is None:
            return
        if len(batch.stored) != len(batch.rows):
            raise ProofError(
                f"{len(batch.stored)} of {len(batch.rows)} committed entries read back"
            )
        leaves = []
        for row, stored, decided in zip(batch.rows, batch.stored, batch.leaves, strict=True):
            leaf = checked_leaf(row.index, stored)
            if leaf != decided:
                raise ProofError(f"entry {row.index} was read back other than it was written")
            leaves.append(leaf)
        self.head.check_edge()
        batch.edge = self.head.tip.edge.extend(leaves, batch.nodes)

    def _sign(self, batch: Batch) -> None:
        if batch.edge is None:
            return
        # Whoever was paused looks at the notes first, and signs nothing behind the newest.
        looked_s = batch.sent_s
        for _ in range(LOOKS_MAX):
            if not self.head.paused_since(looked_s):
                break
            looked_s = self._clock.monotonic_s()
            newest = self._store.newest_note()
            if newest is not None and newest[0] > batch.edge.size:
                raise Unconfirmed("a later note is recorded already")
        else:
            raise Unconfirmed("the database is too slow for a fresh look at its notes")
        batch.note = self.head.note_of(batch.edge)

    def _keep_anchor(self, batch: Batch) -> None:
        if batch.edge is not None:
            self._anchor.advance(batch.edge.size, batch.note)

    def _answer(self, batch: Batch) -> None:
        if batch.edge is None:
            return
        batch.world.merge()
        batch.heads.merge()
        self.head.advance(batch.edge, batch.leaves[-1], batch.recorded_at, batch.note)
        encode = receipt.BatchEncoder(batch.note)
        given: dict[str, bytes] = {}
        for each, row in zip(batch.accepted, batch.rows, strict=True):
            path = inclusion_proof(row.index, batch.edge.size, batch.nodes.__getitem__)
            given[row.id] = encode(row.state, row.index, path)
            each.settle(given[row.id])
        for each in batch.pending:
            if each.twin is not None:
                each.settle(given[each.ident])
        if batch.refused:
            self._refuse(batch)

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
            outcome = self._first_receipt(each, *found) if found else None
            if outcome is not None:
                each.settle(outcome)

    def _first_receipt(
        self, each: Pending, index: int, data: bytes
    ) -> bytes | MingzhangError | None:
        """Return the receipt that the statement at `index` was first answered with.

        None while no signed note covers it: whoever recorded it may not have confirmed it yet.
        """
        assert each.admitted is not None  # noqa: S101 - what was not admitted is settled
        covering = self._store.note_covering(index) or self.head.signed
        if covering is None or covering[0] <= index:
            return None
        if parse_entry(data).statement.payload != each.admitted.statement.payload:
            return reused(each.ident)
        try:
            return first_receipt(self._store, index, data, *covering)
        except ProofError as error:
            # Damage under an old entry concerns who asks for it; nothing new rests on it.
            return error

    # -- when something is wrong ---------------------------------------------------------------

    def _recover(self, waiting: Sequence[Pending] = ()) -> None:
        """Read the committed state again, and answer those of `waiting` that are in it.

        A recovery that fails is final: nothing goes on.
        """
        try:
            self.head.recover()
            self._answer_known(waiting)
        except StoppedError:
            raise
        except Exception as error:  # noqa: BLE001
            self._stop(f"recovery failed: {error!r}")

    def _stop(self, reason: str) -> NoReturn:
        self.stopped = reason
        raise StoppedError(f"nothing more is signed: {reason}")

    def _need_running(self) -> None:
        if self.stopped is not None:
            raise StoppedError(f"nothing more is signed: {self.stopped}")

    def _now(self) -> datetime:
        """Return the wall clock's time; stop where it jumped against the monotonic clock."""
        now = self._clock.now()
        drift_s = (now - self._wall).total_seconds()
        drift_s -= self._clock.monotonic_s() - self._monotonic_s
        if abs(drift_s) > CLOCK_JUMP_MAX_S:
            self._stop(
                f"the wall clock jumped by {drift_s:.0f} s, and recorded_at can never fall: set "
                "the clock right and start again"
            )
        return now


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
