"""The way in for callers: a bounded queue, and the one thread that sequences.

Callers are threads or coroutines; each hands in an envelope and gets a receipt or an error. The
thread gathers what waits into batches (group commit), so that many callers share one commit.
"""

from __future__ import annotations

import asyncio
import itertools
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future

from ledger.errors import BusyError, MingzhangError, OutcomeUnknownError, StoppedError
from ledger.store.admission import HELP_FROM_STATEMENTS
from ledger.store.batch import Pending
from ledger.store.sequencer import Sequencer

# One below what PostgreSQL gathers of a COPY before it writes index entries (1,000 rows): up to
# there, a process that is paused within its COPY holds nothing that others wait for.
BATCH_ENTRIES_MAX = 999
BATCH_BYTES_MAX = 4 * 1024 * 1024
QUEUE_ENTRIES_MAX = 10_000
CHUNK_ENTRIES = 32
GATHER_S = 0.001
IDLE_FLUSH_S = 0.02
IDLE_S = 1.0

Outcome = bytes | MingzhangError


class AppendQueue:
    """Runs a sequencer's rounds in a thread of its own until closed."""

    def __init__(self, sequencer: Sequencer, entries_max: int = QUEUE_ENTRIES_MAX) -> None:
        self._sequencer = sequencer
        self._entries_max = entries_max
        self._waiting: deque[Pending] = deque()
        self._wake = threading.Condition()
        self._closed = False
        self._mail: _Mail | None = None
        self._admitted: deque[Pending] = deque()
        self._admitting: deque[_Chunk] = deque()
        self._helped = sequencer.helpers > 0
        self._threads = [threading.Thread(target=self._run, name="sequencer", daemon=True)]
        self._threads += [
            threading.Thread(
                target=self._run_admission, args=(helper,), name=f"admission-{helper}", daemon=True
            )
            for helper in range(sequencer.helpers)
        ]
        for thread in self._threads:
            thread.start()

    def put(self, pending: Sequence[Pending]) -> None:
        """Queue statements. Raises BusyError (nothing of them is queued) or StoppedError."""
        with self._wake:
            if self._closed:
                raise StoppedError("the ledger is closing: send it to another process or later")
            if len(self._waiting) + len(self._admitted) + len(pending) > self._entries_max:
                raise BusyError(
                    f"{len(self._waiting)} statements are waiting already: try again in a second"
                )
            self._waiting.extend(pending)
            self._wake.notify_all()

    def append(self, envelope: bytes, timeout_s: float) -> bytes:
        """Queue one envelope and wait for its receipt. Raises MingzhangError."""
        return raised(self.append_batch([envelope], timeout_s)[0])

    def append_batch(self, envelopes: Sequence[bytes], timeout_s: float) -> list[Outcome]:
        """Queue envelopes together and wait for each outcome, in their order."""
        if not envelopes:
            return []
        future: Future[list[Outcome]] = Future()
        self.put(_gathered(envelopes, future.set_result))
        try:
            return future.result(timeout_s)
        except TimeoutError:
            raise _unknown(timeout_s) from None

    async def append_batch_async(
        self, envelopes: Sequence[bytes], timeout_s: float
    ) -> list[Outcome]:
        """Queue envelopes together and await each outcome, in their order."""
        if not envelopes:
            return []
        loop = asyncio.get_running_loop()
        future: asyncio.Future[list[Outcome]] = loop.create_future()

        def deliver(outcomes: list[Outcome]) -> None:
            if not future.done():
                future.set_result(outcomes)

        if self._mail is None or self._mail.loop is not loop:
            self._mail = _Mail(loop)
        mail = self._mail
        self.put(_gathered(envelopes, lambda outcomes: mail.post(deliver, outcomes)))
        try:
            async with asyncio.timeout(timeout_s):
                return await future
        except TimeoutError:
            raise _unknown(timeout_s) from None

    def close(self) -> None:
        """Finish what is queued, record the newest note and end the thread."""
        with self._wake:
            self._closed = True
            self._wake.notify_all()
        for thread in self._threads:
            thread.join()

    def _run(self) -> None:
        """Run rounds: of what was admitted by the other thread, or of raw statements."""
        gathered = 1
        while True:
            batch = self._next(gathered)
            if batch is None:
                self._sequencer.flush()
                if self._closed and not self._busy():
                    return
                continue
            gathered = len(batch)
            self._sequencer.run(batch)

    def _run_admission(self, helper: int) -> None:
        """Have chunks admitted by one helper process, while the sequencer commits others.

        Chunks are handed on in the order in which they were taken, so a caller's statements
        stay in theirs.
        """
        while True:
            with self._wake:
                self._wake.wait_for(
                    lambda: len(self._waiting) >= HELP_FROM_STATEMENTS or self._closed
                )
                if self._closed:
                    return
                chunk = _Chunk(_take(self._waiting, CHUNK_ENTRIES))
                self._admitting.append(chunk)
            try:
                self._sequencer.admit(chunk.pending, helper)
            except Exception as error:  # noqa: BLE001 - whoever waits for this chunk is told
                for each in chunk.pending:
                    each.settle(MingzhangError(f"reading it failed, it is not recorded: {error!r}"))
            with self._wake:
                chunk.done = True
                while self._admitting and self._admitting[0].done:
                    self._admitted.extend(self._admitting.popleft().pending)
                self._wake.notify_all()

    def _next(self, expected: int) -> list[Pending] | None:
        """Return the next batch, or None after a moment without any.

        Callers that were answered together come back together, so as many as last time are
        waited for, for a millisecond at most; a single caller never waits.
        """
        with self._wake:
            if not self._ready() and not self._closed:
                self._wake.wait_for(
                    lambda: self._ready() or self._closed,
                    IDLE_FLUSH_S if self._sequencer.unkept else IDLE_S,
                )
            if self._closed:
                self._wake.wait_for(lambda: not self._admitting)
            if self._admitted:
                return _take(self._admitted)
            if not self._waiting or self._admitting:
                return None
            if 1 < expected < BATCH_ENTRIES_MAX and len(self._waiting) < expected:
                self._wake.wait_for(lambda: len(self._waiting) >= expected, GATHER_S)
            return _take(self._waiting)

    def _ready(self) -> bool:
        """Whether there is a batch for the sequencing thread now."""
        if self._admitted:
            return True
        if self._helped and (self._admitting or len(self._waiting) >= HELP_FROM_STATEMENTS):
            return False
        return bool(self._waiting)

    def _busy(self) -> bool:
        return bool(self._waiting or self._admitted or self._admitting)


class _Chunk:
    """Statements that a helper process is admitting, and whether it is done."""

    __slots__ = ("done", "pending")

    def __init__(self, pending: list[Pending]) -> None:
        self.pending = pending
        self.done = False


def _take(waiting: deque[Pending], entries_max: int = BATCH_ENTRIES_MAX) -> list[Pending]:
    """Take the next batch, of at most `entries_max` statements and BATCH_BYTES_MAX bytes."""
    batch: list[Pending] = []
    batch_bytes = 0
    while waiting and len(batch) < entries_max:
        batch_bytes += len(waiting[0].envelope)
        if batch and batch_bytes > BATCH_BYTES_MAX:
            break
        batch.append(waiting.popleft())
    return batch


def raised(outcome: Outcome) -> bytes:
    """Return a receipt, or raise the error that stands in its place."""
    if isinstance(outcome, MingzhangError):
        raise outcome
    return outcome


def _gathered(
    envelopes: Sequence[bytes], deliver: Callable[[list[Outcome]], None]
) -> list[Pending]:
    """Make pendings whose outcomes are delivered together when the last one is known."""
    outcomes: list[Outcome] = [b""] * len(envelopes)
    # Admission threads and the sequencing thread settle at once: counting must be atomic.
    settled = itertools.count(1)

    def settle(place: int, outcome: Outcome) -> None:
        outcomes[place] = outcome
        if next(settled) == len(outcomes):
            deliver(outcomes)

    def settler(place: int) -> Callable[[Outcome], None]:
        return lambda outcome: settle(place, outcome)

    return [Pending(envelope, settler(place)) for place, envelope in enumerate(envelopes)]


def _unknown(timeout_s: float) -> OutcomeUnknownError:
    return OutcomeUnknownError(
        f"no answer within {timeout_s:g} s; it may be recorded: send the same statement again"
    )


class _Mail:
    """Carries outcomes into an event loop, one wake-up for all that come close together."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self._box: deque[tuple[Callable[[list[Outcome]], None], list[Outcome]]] = deque()
        self._called = False
        self._lock = threading.Lock()

    def post(self, deliver: Callable[[list[Outcome]], None], outcomes: list[Outcome]) -> None:
        with self._lock:
            self._box.append((deliver, outcomes))
            call, self._called = not self._called, True
        if call:
            try:
                self.loop.call_soon_threadsafe(self._empty)
            except RuntimeError:
                # The loop is closed: nobody waits there any more.
                self._box.clear()

    def _empty(self) -> None:
        with self._lock:
            box, self._box = self._box, deque()
            self._called = False
        for deliver, outcomes in box:
            deliver(outcomes)
