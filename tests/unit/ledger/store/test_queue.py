"""The queue: bounded, answering everybody, and ending cleanly."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator, Sequence

import pytest

from ledger.errors import BusyError, MingzhangError, OutcomeUnknownError, Refused, StoppedError
from ledger.store.admission import Admission
from ledger.store.batch import Pending
from ledger.store.queue import AppendQueue
from ledger.store.sequencer import Sequencer
from tests.support.organisation import ORIGIN
from tests.support.simulation.machine import SIGNER, SimulatedAnchor, SimulatedClock, Time
from tests.support.simulation.statements import ADMISSION, founded, organisation, set_up
from tests.support.simulation.store import SimulatedStore


class Held(Sequencer):
    """A sequencer whose rounds wait until they are let go; it notes the sizes of its batches."""

    def __init__(self, admission: Admission = ADMISSION) -> None:
        self.gate = threading.Event()
        self.gate.set()
        self.entered = threading.Event()
        self.sizes: list[int] = []
        set_up()
        store = SimulatedStore(founded().clone())
        super().__init__(store, SIGNER, SimulatedAnchor(), SimulatedClock(Time()), admission)

    def run(self, pending: Sequence[Pending]) -> None:
        self.entered.set()
        assert self.gate.wait(30)
        self.sizes.append(len(pending))
        super().run(pending)


Open = Callable[..., AppendQueue]


@pytest.fixture
def held() -> Held:
    return Held()


@pytest.fixture
def open_queue(held: Held) -> Iterator[Open]:
    opened: list[AppendQueue] = []

    def open_one(sequencer: Sequencer = held, entries_max: int = 100) -> AppendQueue:
        opened.append(AppendQueue(sequencer, entries_max))
        return opened[-1]

    yield open_one
    held.gate.set()
    for each in opened:
        each.close()


def awards(count: int) -> list[bytes]:
    return [organisation().award("m-2") for _ in range(count)]


def in_thread(call: Callable[[], object]) -> threading.Thread:
    thread = threading.Thread(target=call)
    thread.start()
    return thread


def test_statements_that_wait_share_a_batch(held: Held, open_queue: Open) -> None:
    queue = open_queue()
    held.gate.clear()
    first = in_thread(lambda: queue.append(awards(1)[0], 30))
    assert held.entered.wait(30)
    future = in_thread(lambda: queue.append_batch(awards(20), 30))
    while len(queue._waiting) < 20:
        future.join(0.001)
    held.gate.set()
    first.join(30)
    future.join(30)
    assert held.sizes == [1, 20]


def test_a_full_queue_takes_nothing_of_a_batch(held: Held, open_queue: Open) -> None:
    queue = open_queue(entries_max=5)
    held.gate.clear()
    first = in_thread(lambda: queue.append(awards(1)[0], 30))
    assert held.entered.wait(30)
    for envelope in awards(4):
        queue.put([Pending(envelope, lambda _: None)])
    with pytest.raises(BusyError) as refused:
        queue.append_batch(awards(2), 30)
    assert refused.value.retry_after_s >= 1
    assert len(queue._waiting) == 4
    held.gate.set()
    first.join(30)


def test_no_answer_in_time_is_an_unknown_outcome(held: Held, open_queue: Open) -> None:
    queue = open_queue()
    held.gate.clear()
    with pytest.raises(OutcomeUnknownError, match="send the same statement again"):
        queue.append(awards(1)[0], 0.01)


def test_an_empty_batch_is_answered_at_once(open_queue: Open) -> None:
    queue = open_queue()
    assert queue.append_batch([], 30) == []
    assert asyncio.run(queue.append_batch_async([], 30)) == []


def test_coroutines_get_their_outcomes_in_order(open_queue: Open) -> None:
    queue = open_queue()
    wrong = b"no envelope"

    async def both() -> list[list[bytes | MingzhangError]]:
        return list(
            await asyncio.gather(
                queue.append_batch_async([*awards(2), wrong], 30),
                queue.append_batch_async([wrong, *awards(1)], 30),
            )
        )

    answers = asyncio.run(both())
    kinds = [[isinstance(each, bytes) for each in outcomes] for outcomes in answers]
    assert kinds == [[True, True, False], [False, True]]


def test_closing_finishes_what_waits_and_records_the_newest_note(held: Held) -> None:
    queue = AppendQueue(held)
    receipts = queue.append_batch(awards(3), 30)
    assert all(isinstance(each, bytes) for each in receipts)
    queue.close()
    assert not held.unkept
    with pytest.raises(StoppedError):
        queue.append(awards(1)[0], 30)


def test_helper_processes_admit_in_order_and_say_what_is_wrong() -> None:
    admission = Admission(ORIGIN, 2)
    queue = AppendQueue(Held(admission))
    try:
        bad = awards(1)[0].replace(b'"sig":"', b'"sig":"AAAA', 1)
        forged = organisation().award("m-2", signers=("nobody", "com-1"))
        outcomes = queue.append_batch([*awards(40), bad, forged, *awards(40)], 60)
        assert [isinstance(each, bytes) for each in outcomes] == [True] * 40 + [False] * 2 + [
            True
        ] * 40
        assert isinstance(outcomes[41], Refused)
        assert outcomes[41].rule == "key-known"
        # The helpers learnt the keys with the first batch.
        again = queue.append_batch(awards(40), 60)
        assert all(isinstance(each, bytes) for each in again)
    finally:
        queue.close()
        admission.close()


def test_a_helper_that_dies_takes_no_statement_with_it() -> None:
    admission = Admission(ORIGIN, 1)
    queue = AppendQueue(Held(admission))
    try:
        helper = admission._helpers[0]
        assert helper is not None
        helper._process.kill()
        helper._process.wait()
        outcomes = queue.append_batch(awards(40), 60)
        assert all(isinstance(each, bytes) for each in outcomes)
    finally:
        queue.close()
        admission.close()
