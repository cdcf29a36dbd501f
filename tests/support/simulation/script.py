"""Step faults: a run in which every point can be told to fail, or to kill the process.

A point is a moment before or after a step of the sequencer or a call to its store. Points are
counted over the whole run, restarts included, so that a second fault can hit the recovery from
the first.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from ledger.errors import MingzhangError, StartRefusedError, StoppedError
from ledger.log.note import Signer
from ledger.store.batch import Batch, Pending
from ledger.store.port import Unconfirmed
from ledger.store.sequencer import Sequencer, Step
from tests.support.organisation import ORIGIN
from tests.support.simulation.machine import SimulatedAnchor, SimulatedClock, Time, WatchedKey
from tests.support.simulation.oracle import Oracle
from tests.support.simulation.run import Build, Crash, build_real, uncaught
from tests.support.simulation.statements import founded, organisation, set_up
from tests.support.simulation.store import Effect, SimulatedStore

ERROR, CRASH = "error", "crash"
LIVES_MAX = 6


class StepError(Exception):
    """A step failed, for a reason that nobody foresaw."""


@dataclass
class Script:
    """Plays one batch under `faults` (kind by point) and judges the outcome.

    `points` are the points that were passed; `recovering` tells at which of them a recovery ran,
    and `settled` how many there were when every statement of the batch had its answer.
    """

    faults: Mapping[int, str] = field(default_factory=dict)
    build: Build = build_real
    points: list[str] = field(default_factory=list)
    recovering: list[bool] = field(default_factory=list)
    settled: int = 0

    def __post_init__(self) -> None:
        self.server = founded().clone()
        self.time = Time()
        self.anchor = SimulatedAnchor()
        self.oracle = Oracle(self.server, SimulatedClock(self.time))
        self.sequencer: Sequencer | None = None
        self._recovery = False
        self._recovery_failed = False

    def play(self) -> None:
        """Append a batch until every statement has a definite answer, then the same once more."""
        batch = list(_batch())
        self._append(batch)
        self.settled = len(self.points)
        size = len(self.server.rows)
        self._append(batch)
        assert len(self.server.rows) == size, "a statement was recorded a second time"
        self._append([_another()])
        while self.server.newest_note() != self.anchor.newest():
            self._flush()
        self.oracle.check_end()
        assert len(self.oracle.receipts) == 4

    def before(self, call: str, effect: Effect) -> None:
        """A call is on its way to the store."""
        del effect
        self._recovery = self._recovery or call == "recover"
        self._pass(f"before {call}", Unconfirmed)

    def after(self, call: str) -> None:
        """The store has answered a call."""
        self._pass(f"after {call}", Unconfirmed)

    def _append(self, batch: Sequence[bytes]) -> None:
        waiting = list(batch)
        for _ in range(LIVES_MAX):
            if self.sequencer is None and not self._start():
                continue
            waiting = self._round(waiting)
            self.oracle.check()
            if not waiting:
                return
        raise AssertionError(f"after {LIVES_MAX} lives {len(waiting)} statements have no answer")

    def _round(self, batch: Sequence[bytes]) -> list[bytes]:
        """Run one round; return the statements that are left without a definite answer."""
        assert self.sequencer is not None
        answers: list[tuple[int, bytes | MingzhangError]] = []

        def taking(place: int) -> Callable[[bytes | MingzhangError], None]:
            return lambda outcome: answers.append((place, outcome))

        since, stays, died = len(self.server.rows), set(range(len(batch))), False
        try:
            self.sequencer.run([Pending(each, taking(n)) for n, each in enumerate(batch)])
            assert len(answers) == len(batch), "a caller got no answer"
        except Crash:
            died = True
        for place, outcome in answers:
            self.oracle.answered(batch[place], outcome, since)
            if not isinstance(outcome, StoppedError):
                stays.discard(place)
        stopped = not died and self.sequencer.stopped is not None
        assert stopped or died or not self._recovery_failed, "it went on after a failed recovery"
        if stopped or died:
            self.sequencer, self._recovery_failed = None, False
        self._recovery = False
        return [batch[place] for place in sorted(stays)]

    def _flush(self) -> None:
        if self.sequencer is None and not self._start():
            return
        assert self.sequencer is not None
        try:
            self.sequencer.flush()
        except Crash:
            self.sequencer = None
        else:
            if self.sequencer.stopped is not None:
                self.sequencer, self._recovery_failed = None, False

    def _start(self) -> bool:
        store = SimulatedStore(self.server, self)
        signer = Signer(ORIGIN, WatchedKey(self._watch))
        try:
            self.sequencer = self.build(store, signer, self.anchor, SimulatedClock(self.time))
        except Crash:
            return False
        except StartRefusedError as error:
            if not isinstance(error.__cause__, Unconfirmed):
                raise AssertionError(f"a start was refused: {error.message}") from error
            return False
        steps = self.sequencer._steps
        self.sequencer._steps = [(name, self._faulty(name, step)) for name, step in steps]
        return True

    def _faulty(self, name: str, step: Step) -> Step:
        def run(sequencer: Sequencer, batch: Batch) -> None:
            self._recovery = False
            self._pass(f"before {name}", StepError)
            step(sequencer, batch)
            self._pass(f"after {name}", StepError)

        return run

    def _pass(self, point: str, error: type[Exception]) -> None:
        fault = self.faults.get(len(self.points))
        self.points.append(point)
        self.recovering.append(self._recovery)
        if fault == CRASH:
            raise Crash
        if fault == ERROR:
            self._recovery_failed = self._recovery_failed or self._recovery
            raise error(f"a fault {point}")

    def _watch(self, message: bytes) -> None:
        stopped = self.sequencer is not None and self.sequencer.stopped is not None
        with uncaught():
            self.oracle.signing(message, stopped=stopped, looked_s=0.0, now_s=0.0)


def _batch() -> tuple[bytes, ...]:
    """Three awards of two members, one of them twice, and one that must be refused."""
    if not _BATCH:
        set_up()
        made = organisation()
        awards = [made.award(member, 111) for member in ("m-2", "m-3", "m-2")]
        unknown = made.award("m-2", signers=("nobody", "com-1"))
        _BATCH.extend([awards[0], unknown, *awards[1:], awards[0]])
    return tuple(_BATCH)


def _another() -> bytes:
    if not _ANOTHER:
        _ANOTHER.append(organisation().award("m-4", 222))
    return _ANOTHER[0]


_BATCH: list[bytes] = []
_ANOTHER: list[bytes] = []
