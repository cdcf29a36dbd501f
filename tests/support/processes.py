"""Real processes that append to one database, for tests that kill, pause and count them."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil

from ledger.entry import new_id
from ledger.log.note import VerifierKey
from ledger.store.ledger import VKEY_FILE, Ledger, Options, initialise
from ledger.store.publish import export
from ledger.verify.whole import verify_log
from tests.support.clock import SteadyClock
from tests.support.organisation import ORIGIN, Organisation

PROJECT = Path(__file__).parents[2]
RECORD = struct.Struct("!c36sI")


@dataclass(frozen=True)
class Orders:
    """What a worker does: `threads` callers, `each` appends a thread (-1: until told to end).

    `again` are envelopes to send first, `planted` is a bug of `worker.PLANTED` to switch on.
    """

    data: str
    journal: str
    url: str | None
    threads: int = 64
    each: int = -1
    again: list[str] = field(default_factory=list)
    planted: str | None = None

    @classmethod
    def read(cls, path: Path) -> Orders:
        return cls(**json.loads(path.read_text()))


@dataclass
class Answers:
    """What a journal holds: statements sent, receipts in their order, errors; by statement id."""

    sent: dict[str, bytes] = field(default_factory=dict)
    receipts: list[tuple[str, bytes]] = field(default_factory=list)
    errors: list[tuple[str, str]] = field(default_factory=list)

    @property
    def unanswered(self) -> list[bytes]:
        answered = {ident for ident, _ in self.receipts}
        return [envelope for ident, envelope in self.sent.items() if ident not in answered]


class Worker:
    """One process of `tests.support.worker`; its orders go through a file beside its journal."""

    def __init__(self, orders: Orders) -> None:
        self._journal = Path(orders.journal)
        self._read = 0
        self.answers = Answers()
        self._errors = self._journal.with_suffix(".stderr").open("w+")
        written = self._journal.with_suffix(".orders")
        written.write_text(json.dumps(asdict(orders)))
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.worker", str(written)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
            cwd=PROJECT,
        )

    @property
    def pid(self) -> int:
        return self._process.pid

    def await_ready(self) -> None:
        """Wait until the ledger is open and the callers run."""
        self._await_line("ready")

    def await_done(self) -> None:
        """Wait until every thread has appended as often as it was told to."""
        self._await_line("done")

    def tell(self, line: str) -> None:
        """Send an order."""
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def signal(self, number: signal.Signals) -> None:
        """Send the process a signal."""
        self._process.send_signal(number)

    def kill(self) -> Answers:
        """Kill the process (SIGKILL) and return what it had answered."""
        self._process.kill()
        self._process.wait()
        return self._close()

    def quit(self) -> Answers:
        """Have the process end in order, and return what it had answered."""
        self.tell("quit")
        status = self._process.wait(60)
        answers = self._close()
        assert status == 0, self.said()
        return answers

    def read(self) -> Answers:
        """Return everything that is in the journal by now; a record cut by a kill is left out."""
        if self._journal.exists():
            with self._journal.open("rb") as file:
                file.seek(self._read)
                data = file.read()
            self._read += sum(self._take(*each) for each in _records(data))
        return self.answers

    def await_receipts(self, more: int) -> None:
        """Wait until the process has been given `more` further receipts."""
        wanted = len(self.read().receipts) + more
        await_that(
            lambda: len(self.read().receipts) >= wanted or self._ended(),
            unmet=lambda: (
                f"{wanted - len(self.answers.receipts)} receipts are missing; the last "
                f"errors: {self.answers.errors[-3:]}"
            ),
        )
        assert not self._ended(), self.said()

    def await_stopped(self) -> None:
        """Wait until the process has stopped itself."""
        process = psutil.Process(self.pid)
        await_that(lambda: self._ended() or process.status() == psutil.STATUS_STOPPED)
        assert not self._ended(), self.said()

    def said(self) -> str:
        """Return what the process wrote to standard error."""
        if self._errors.closed:
            return self._journal.with_suffix(".stderr").read_text()
        self._errors.seek(0)
        return self._errors.read()

    def _await_line(self, wanted: str) -> None:
        assert self._process.stdout is not None
        assert self._process.stdout.readline().strip() == wanted, self.said()

    def _ended(self) -> bool:
        return self._process.poll() is not None

    def _close(self) -> Answers:
        for pipe in (self._process.stdin, self._process.stdout, self._errors):
            if pipe is not None:
                with contextlib.suppress(BrokenPipeError):
                    pipe.close()
        return self.read()

    def _take(self, kind: bytes, ident: str, data: bytes) -> int:
        if kind == b"S":
            self.answers.sent[ident] = data
        elif kind == b"R":
            self.answers.receipts.append((ident, data))
        else:
            self.answers.errors.append((ident, data.decode()))
        return RECORD.size + len(data)


def _records(data: bytes) -> Iterator[tuple[bytes, str, bytes]]:
    at = 0
    while at + RECORD.size <= len(data):
        kind, ident, size = RECORD.unpack_from(data, at)
        at += RECORD.size
        if at + size > len(data):
            return
        yield kind, ident.decode(), data[at : at + size]
        at += size


class Workers:
    """Starts workers on one ledger; `close` kills those that still live."""

    def __init__(self, folder: Path, data: Path, url: str | None) -> None:
        self._folder, self._data, self._url = folder, data, url
        self._started: list[Worker] = []

    def start(
        self,
        *,
        threads: int = 64,
        each: int = -1,
        again: list[bytes] | None = None,
        planted: str | None = None,
    ) -> Worker:
        """Start a process; see `Orders`."""
        journal = self._folder / f"journal-{len(self._started)}"
        orders = Orders(
            data=str(self._data),
            journal=str(journal),
            url=self._url,
            threads=threads,
            each=each,
            again=[one.decode() for one in again or []],
            planted=planted,
        )
        worker = Worker(orders)
        self._started.append(worker)
        return worker

    def close(self) -> None:
        for worker in self._started:
            worker.kill()


def await_that(
    condition: Callable[[], bool],
    timeout_s: float = 60.0,
    unmet: Callable[[], str] = lambda: "waited in vain",
) -> None:
    """Wait until a condition holds, looking often. Fails after `timeout_s` with what is unmet."""
    deadline_s = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline_s, unmet()
        time.sleep(0.002)


def found(data: Path, url: str | None) -> VerifierKey:
    """Make a ledger with an organisation in it since yesterday, and return the log's key."""
    vkey = initialise(data, ORIGIN)
    yesterday = datetime.now(UTC) - timedelta(days=1)
    with Ledger.open(data, url=url, clock=SteadyClock(yesterday)) as ledger:
        for envelope in Organisation(start=yesterday).set_up():
            ledger.append(envelope)
    return VerifierKey.parse(vkey)


def verify_export(data: Path, url: str | None, folder: Path) -> int:
    """Export the log and run the product's own verifier on it; return how many entries it has."""
    vkey = VerifierKey.parse((data / VKEY_FILE).read_text().strip())
    with Ledger.open(data, url=url, options=Options(append=False)) as ledger:
        export(ledger, folder, vkey)
    report = verify_log(str(folder), vkey)
    assert report.ok, report.lines()
    return report.entries


def award_now(member: str = "m-1") -> bytes:
    """Return a new award, signed now, whose id no other process can make."""
    now = datetime.now(UTC)
    return Organisation(start=now - timedelta(days=1)).award(
        member, ident=new_id(now, os.urandom(10))
    )


def rounds(at_ci: int) -> int:
    """Return how many rounds a fault test runs: MINGZHANG_ROUNDS, for nights, or `at_ci`."""
    return int(os.environ.get("MINGZHANG_ROUNDS", at_ci))
