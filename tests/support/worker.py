"""A process that appends from many threads until it is told to end, or killed.

Run as `python -m tests.support.worker FILE` with `processes.Orders` as JSON in the file. It says
`ready` on standard output, then obeys lines on standard input: `quit` closes the ledger; `stop WHEN
STEP` makes the process stop itself (SIGSTOP) before or after its next run of a sequencer's step, or
`in anchor`: where it has begun to write its note to the file that it shares with the others.

Everything is written to a journal, unbuffered, before it is counted: `S` a statement that is about
to be sent, `R` the receipt that was given for one, `E` an error.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg

from ledger.entry import parse_envelope
from ledger.errors import BusyError, MingzhangError, OutcomeUnknownError, StoppedError
from ledger.log.merkle import inclusion_proof
from ledger.log.receipt import BatchEncoder
from ledger.store import sequencer
from ledger.store.batch import Batch, Pending, first_receipt
from ledger.store.ledger import Ledger
from ledger.store.port import Row, Stored
from ledger.store.sequencer import Sequencer
from ledger.store.table import EntryTable
from tests.support.processes import RECORD, Orders, award_now


class Journal:
    """An append-only file of records that survives the death of its process."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)

    def write(self, kind: bytes, ident: str, data: bytes) -> None:
        os.write(self._file, RECORD.pack(kind, ident.encode(), len(data)) + data)


class StopSwitch:
    """Stops the whole process before or after a step of the sequencer, once when armed."""

    def __init__(self) -> None:
        self.at: tuple[str, str] | None = None
        sequencer.STEPS[:] = [(name, self._around(name, step)) for name, step in sequencer.STEPS]
        pwrite = os.pwrite

        def stopped_pwrite(file: int, data: bytes, offset: int) -> int:
            self._stop_if(("in", "anchor"))
            return pwrite(file, data, offset)

        # The anchor writes bytes only; the type of os.pwrite takes any buffer.
        os.pwrite = stopped_pwrite  # type: ignore[assignment]

    def _around(
        self, name: str, step: Callable[[Sequencer, Batch], None]
    ) -> Callable[[Sequencer, Batch], None]:
        def run(each: Sequencer, batch: Batch) -> None:
            self._stop_if(("before", name))
            step(each, batch)
            self._stop_if(("after", name))

        return run

    def _stop_if(self, here: tuple[str, str]) -> None:
        if self.at == here:
            self.at = None
            # Sent to the process, it could be another thread's to take, and this one would go on.
            signal.pthread_kill(threading.get_ident(), signal.SIGSTOP)


class Callers:
    """Threads that append awards, after the statements that are to be sent again."""

    def __init__(self, ledger: Ledger, orders: Orders) -> None:
        self._ledger = ledger
        self._orders = orders
        self._journal = Journal(Path(orders.journal))
        self._again = deque(parse_envelope(each.encode()).envelope for each in orders.again)
        self.stop = threading.Event()
        self._threads = [
            threading.Thread(target=self._run, args=(number,), daemon=True)
            for number in range(orders.threads)
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def join(self) -> None:
        for thread in self._threads:
            thread.join()

    def _run(self, number: int) -> None:
        sent = 0
        while not self.stop.is_set() and sent != self._orders.each:
            sent += 1
            try:
                envelope = self._again.popleft()
            except IndexError:
                envelope = award_now(f"m-{1 + number % 4}")
            if not self._send(parse_envelope(envelope).id, envelope):
                return

    def _send(self, ident: str, envelope: bytes) -> bool:
        """Send until there is an answer; False where nothing more can be sent."""
        self._journal.write(b"S", ident, envelope)
        while True:
            try:
                receipt = self._ledger.append(envelope)
            except (BusyError, OutcomeUnknownError) as error:
                self._journal.write(b"E", ident, error.code.encode())
                if self.stop.wait(0.05):
                    return False
            except MingzhangError as error:
                self._journal.write(b"E", ident, f"{error.code}: {error.message}".encode())
                return not isinstance(error, StoppedError)
            else:
                self._journal.write(b"R", ident, receipt)
                return True


def _commit_later(table: type[EntryTable]) -> None:
    """Planted: a batch is committed with the next one, although its receipts are given now."""
    append = table.append

    def late(
        self: EntryTable, rows: list[Row], expected: bytes, note: bytes | None
    ) -> list[Stored] | None:
        connection: psycopg.Connection[Any] = self._connection
        connection.execute("COMMIT; BEGIN")
        append(self, rows, expected, note)
        return self.read(rows[0].index, rows[-1].index + 1)

    table.append = late  # type: ignore[assignment, method-assign]


def _newest_note(kind: type[Sequencer]) -> None:
    """Planted: who asks again gets a receipt under the newest note instead of the first."""

    def newest(self: Sequencer, each: Pending, index: int, data: bytes) -> bytes:
        newest = self.head.signed
        assert newest is not None
        return first_receipt(self._store, index, data, *newest)

    kind._first_receipt = newest  # type: ignore[method-assign]


def _receipt_first(kind: type[Sequencer]) -> None:
    """Planted: callers are answered with a well-signed receipt before anything is committed."""
    commit = kind._commit

    def early(self: Sequencer, batch: Batch) -> None:
        if batch.rows:
            nodes: dict[Any, bytes] = {}
            edge = self.head.tip.edge.extend(batch.leaves, nodes)
            note = self.head.note_of(edge)
            encode = BatchEncoder(note)
            for each, row in zip(batch.accepted, batch.rows, strict=True):
                path = inclusion_proof(row.index, edge.size, nodes.__getitem__)
                each.settle(encode(row.state, row.index, path))
        commit(self, batch)

    kind._commit = early  # type: ignore[method-assign]
    sequencer.STEPS[1] = ("commit", early)


PLANTED: dict[str, Callable[[], None]] = {
    "commit later": lambda: _commit_later(EntryTable),
    "newest note": lambda: _newest_note(Sequencer),
    "receipt first": lambda: _receipt_first(Sequencer),
}


def main() -> None:
    orders = Orders.read(Path(sys.argv[1]))
    if orders.planted is not None:
        PLANTED[orders.planted]()
    switch = StopSwitch()
    ledger = Ledger.open(Path(orders.data), url=orders.url)
    callers = Callers(ledger, orders)
    callers.start()
    print("ready", flush=True)
    if orders.each >= 0:
        callers.join()
        print("done", flush=True)
    for line in sys.stdin:
        if line.strip() == "quit":
            break
        _, when, step = line.split()
        switch.at = (when, step)
    callers.stop.set()
    callers.join()
    ledger.close()


if __name__ == "__main__":
    main()
