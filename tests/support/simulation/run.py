"""One simulated run: some processes on one database, with everything drawn from a seed."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress

from ledger.errors import MingzhangError, StartRefusedError
from ledger.log.note import Signer
from ledger.store.batch import Batch, Pending
from ledger.store.port import Anchor, Clock, DuplicateId, Fenced, Store, Unconfirmed
from ledger.store.sequencer import Sequencer, Step
from tests.support.organisation import ORIGIN
from tests.support.simulation.machine import (
    SimulatedAnchor,
    SimulatedClock,
    Time,
    WatchedKey,
)
from tests.support.simulation.oracle import Oracle
from tests.support.simulation.statements import ADMISSION, founded, organisation, parsed, pool
from tests.support.simulation.store import Calm, Effect, SimulatedStore

_USUAL = {
    "round": 70,
    "flush": 10,
    "restart": 4,
    "standby": 3,
    "failover": 2,
    "reconnect": 2,
    "clock": 1,
    "power": 2,
    "damage": 1,
}
_THEMES = {
    "mixed": {},
    "standby": {"standby": 30, "failover": 15},
    "pauses": {"flush": 20},
    "damage": {"damage": 20},
    "time": {"clock": 20},
}

Build = Callable[[Store, Signer, Anchor, Clock], Sequencer]


class Crash(BaseException):
    """The process dies here; no `except Exception` sees it."""


class Violation(BaseException):
    """Something that must hold does not; the sequencer must not catch it as a failed call."""


@contextmanager
def uncaught() -> Iterator[None]:
    """Carry a failed assertion through the sequencer that runs around it."""
    try:
        yield
    except AssertionError as error:
        raise Violation(str(error)) from error


def build_real(store: Store, signer: Signer, anchor: Anchor, clock: Clock) -> Sequencer:
    """The sequencer as it is in production."""
    return Sequencer(store, signer, anchor, clock, ADMISSION)


class Process:
    """A process of the run: its clock, and its sequencer while it lives."""

    def __init__(self, run: Run, name: str, skew_s: float) -> None:
        self.run = run
        self.name = name
        self._skew_s = skew_s
        self.clock = SimulatedClock(run.time, skew_s)
        self.sequencer: Sequencer | None = None
        self.looked_s = run.time.seconds
        self.busy = False

    def start(self, network: bool = True) -> None:
        """Start, or be refused; a refusal is right only where the database does not answer."""
        store = SimulatedStore(self.run.server, Weather(self) if network else Calm())
        signer = Signer(ORIGIN, WatchedKey(self._watch))
        # Whoever starts it again has set its clock right.
        self.clock.skew_s = self._skew_s
        self.busy, self.sequencer = True, None
        try:
            self.sequencer = self.run.build(store, signer, self.run.anchor, self.clock)
            steps = self.sequencer._steps
            self.sequencer._steps = [(name, self._interrupted(step)) for name, step in steps]
        except Crash:
            pass
        except StartRefusedError as error:
            lost = isinstance(error.__cause__, Unconfirmed)
            if not (lost or self.run.put_back or self.run.server.damaged_at is not None):
                raise AssertionError(f"a start was refused: {error.message}") from error
        finally:
            self.busy = False
        self._look()

    def round(self, envelopes: Sequence[bytes]) -> None:
        """Append, and have the oracle judge each answer; without one nothing is known."""
        assert self.sequencer is not None
        since = len(self.run.server.rows)
        answers: list[tuple[bytes, bytes | MingzhangError]] = []

        def taking(envelope: bytes) -> Callable[[bytes | MingzhangError], None]:
            return lambda outcome: answers.append((envelope, outcome))

        self.busy = True
        try:
            self.sequencer.run([Pending(each, taking(each)) for each in envelopes])
            assert len(answers) == len(envelopes), "a caller got no answer"
        except Crash:
            self.sequencer = None
        finally:
            self.busy = False
        for envelope, outcome in answers:
            self.run.oracle.answered(envelope, outcome, since)
        self._look()

    def flush(self) -> None:
        """What the idle thread does."""
        assert self.sequencer is not None
        self.busy = True
        try:
            self.sequencer.flush()
        except Crash:
            self.sequencer = None
        finally:
            self.busy = False

    def _interrupted(self, step: Step) -> Step:
        def run(sequencer: Sequencer, batch: Batch) -> None:
            self.run.moment()
            step(sequencer, batch)

        return run

    def _look(self) -> None:
        """A reader asks this process for its newest checkpoint."""
        if self.sequencer is not None and self.sequencer.signed is not None:
            self.run.oracle.saw(self.sequencer.signed[1])

    def _watch(self, message: bytes) -> None:
        stopped = self.sequencer is not None and self.sequencer.stopped is not None
        with uncaught():
            self.run.oracle.signing(
                message, stopped=stopped, looked_s=self.looked_s, now_s=self.run.time.seconds
            )


class Weather:
    """The network of one process: calls and answers are lost or late, others run in between."""

    def __init__(self, process: Process) -> None:
        self._process = process

    def before(self, call: str, effect: Effect) -> None:
        run = self._process.run
        run.moment()
        if run.happens(run.loss):
            if call == "append" and run.happens(0.5):
                run.late.append(effect)
            raise Unconfirmed("the call was lost")

    def after(self, call: str) -> None:
        run = self._process.run
        if call in ("newest_note", "append"):
            self._process.looked_s = run.time.seconds
        run.moment()
        if run.happens(run.loss):
            raise Unconfirmed("the answer was lost")


class Run:
    """Plays one seed."""

    def __init__(self, seed: int, build: Build = build_real) -> None:
        self.random = random.Random(seed)
        self.build = build
        self.server = founded().clone()
        self.time = Time()
        self.anchor = SimulatedAnchor()
        self.oracle = Oracle(self.server, SimulatedClock(self.time))
        self.late: list[Effect] = []
        self.put_back = False
        draw = self.random
        self.theme = draw.choice(("mixed", *_THEMES))
        self.loss = draw.choice((0.0, 0.02, 0.05, 0.2))
        self.meddling = draw.choice((0.2, 0.4) if self.theme == "pauses" else (0.0, 0.02, 0.1))
        self.crash = draw.choice((0.0, 0.005, 0.02))
        self.processes = [
            Process(self, f"process {n}", draw.choice((0.0, -200.0, 90.0)))
            for n in range(draw.choice((1, 2, 2, 3)))
        ]
        self._unsent = list(pool())
        draw.shuffle(self._unsent)
        self._sent: list[bytes] = []
        self._calm = False

    def happens(self, chance: float) -> bool:
        return not self._calm and self.random.random() < chance

    def play(self) -> None:
        """Play some rounds with faults, then calm down and settle every account.

        Raises AssertionError or Violation where something does not hold.
        """
        for _ in range(self.random.randint(4, 14)):
            self._act()
            if self.server.damaged_at is not None:
                self._end_damaged(self.server.damaged_at)
                return
            self.oracle.check()
        if self.happens(0.15):
            self._end_put_back()
        else:
            self._end_calm()

    def moment(self) -> None:
        """Something may happen between any two things that a process does."""
        if self.happens(self.crash):
            raise Crash
        if self.happens(self.meddling):
            self.time.pass_(self.random.choice((0.01, 0.1, 2.0, 70.0)))
        if self.late and self.happens(0.3):
            self._deliver_late()
        others = [each for each in self.processes if not each.busy and each.sequencer is not None]
        nested = sum(each.busy for each in self.processes) > 1
        if others and not nested and self.happens(self.meddling):
            other = self.random.choice(others)
            with uncaught():
                other.round(self._draw())
                if other.sequencer is not None and self.happens(0.5):
                    other.flush()

    def _act(self) -> None:
        draw, process = self.random, self.random.choice(self.processes)
        stopped = process.sequencer is None or process.sequencer.stopped is not None
        if process.sequencer is None or (stopped and draw.random() < 0.5):
            process.start()
            return
        names, weights = zip(*(_USUAL | _THEMES[self.theme]).items(), strict=True)
        kind = draw.choices(names, weights)[0]
        if kind == "round":
            process.round(self._draw())
        elif kind == "flush":
            process.flush()
        elif kind == "restart":
            process.start()
        elif kind == "standby":
            self.server.standby_away = not self.server.standby_away
        elif kind == "failover":
            self.late.clear()
            self.server.fail_over()
        elif kind == "reconnect":
            self.late.clear()
            self.server.break_connections()
        elif kind == "clock":
            process.clock.skew_s += draw.choice((-90_000.0, 90_000.0, 700.0))
        elif kind == "power":
            self._cut_power()
        elif kind == "damage" and self.server.damage is None:
            self.server.damage = draw.choice(("bytes", "heap"))
        self.time.pass_(draw.choice((0.001, 0.001, 1.0, 30.0)))

    def _draw(self) -> list[bytes]:
        """Statements for a round: new ones, ones that were sent before, and copies."""
        draw, drawn = self.random, []
        for _ in range(draw.choice((1, 1, 2, 3, 6))):
            chance = draw.random()
            if self._sent and chance < 0.25:
                drawn.append(draw.choice(self._sent))
            elif chance < 0.35:
                drawn.append(self._on_a_head())
            elif self._unsent:
                drawn.append(self._unsent.pop())
        if drawn and draw.random() < 0.1:
            drawn.append(draw.choice(drawn))
        self._sent += drawn
        return drawn

    def _on_a_head(self) -> bytes:
        """An award with `after`: the head as it is now, or as it was a while ago."""
        member = self.random.choice(organisation().members)
        indexes = self.server.streams[f"member/{member}"]
        seen = self.random.choice((indexes[-1], indexes[-1], indexes[0]))
        return organisation().award(member, 900, after=self.server.stored[seen].leaf.hex())

    def _deliver_late(self) -> None:
        # Nobody waits for this answer any more.
        with suppress(Fenced, DuplicateId, Unconfirmed):
            self.late.pop()()

    def _cut_power(self) -> None:
        """Everything on the machine ends; what the anchor had not synced yet is lost."""
        self.late.clear()
        for each in self.processes:
            each.sequencer = None
        self.anchor.cut_power()
        self.server.break_connections()

    # -- how a run ends ------------------------------------------------------------------------

    def _end_calm(self) -> None:
        """Without faults everything is answered, and what was acknowledged is still there."""
        self._calm = True
        self.server.standby_away, self.server.damage = False, None
        while self.late:
            self._deliver_late()
        self.oracle.check()
        last = Process(self, "the last process", 0.0)
        last.start(network=False)
        assert last.sequencer is not None
        last.round(self._sent)
        last.flush()
        assert last.sequencer.stopped is None, last.sequencer.stopped
        missing = self.oracle.receipts.keys() - {parsed(each).id for each in self._sent}
        assert not missing, f"{len(missing)} receipts are for what nobody sent"
        self.oracle.check_end()

    def _end_put_back(self) -> None:
        """An old backup is restored: nobody signs on it anything that was not signed before."""
        anchored = self.anchor.newest()
        self.late.clear()
        self.server.standby_away = False
        self.server.put_back(self.random.randrange(1, len(self.server.commits) + 1))
        if anchored is None or len(self.server.rows) >= anchored[0]:
            return
        self.oracle.put_back = self.put_back = True
        self._calm = True
        for each in self.processes:
            if each.sequencer is not None:
                each.round(self._draw())
            each.start()
            assert each.sequencer is None, "a start on an old backup was not refused"

    def _end_damaged(self, damaged_at: int) -> None:
        """An entry was damaged on its way in: it is never signed over, by whoever comes next."""
        self.oracle.stopped_for_good = True
        self.server.standby_away = False
        for each in self.processes:
            each.start()
            if each.sequencer is not None:
                each.round(self._draw())
        self.oracle.check_damaged(damaged_at)
