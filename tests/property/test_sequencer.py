"""The sequencer against a simple model, and the simulated store against PostgreSQL."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, multiple, rule

from ledger.entry import parse_entry, parse_envelope
from ledger.errors import ConflictError, MingzhangError, Refused
from ledger.log import receipt
from ledger.store.batch import Pending
from ledger.store.port import Store
from ledger.store.postgres import open_database
from ledger.store.sequencer import Sequencer
from ledger.store.table import EntryTable
from tests.support.simulation.machine import SIGNER, VKEY, SimulatedAnchor, SimulatedClock, Time
from tests.support.simulation.statements import (
    ADMISSION,
    founded,
    organisation,
    pool,
    set_up,
    set_up_on,
)
from tests.support.simulation.store import SimulatedStore

Outcome = bytes | MingzhangError
MEMBERS = ("m-2", "m-3", "m-4")
members = st.sampled_from(MEMBERS)


def run(sequencer: Sequencer, envelopes: list[bytes]) -> list[Outcome]:
    """Run one round and return every answer, in the order of the statements."""
    answers: dict[int, Outcome] = {}

    def taking(place: int) -> Pending:
        return Pending(envelopes[place], lambda outcome: answers.update({place: outcome}))

    sequencer.run([taking(place) for place in range(len(envelopes))])
    return [answers[place] for place in range(len(envelopes))]


class SequencerMachine(RuleBasedStateMachine):
    """Two processes on one store; the model is a list of payloads and the suspended members."""

    sent = Bundle("sent")

    def __init__(self) -> None:
        super().__init__()
        set_up()
        self.server = founded().clone()
        self.time = Time()
        self.anchor = SimulatedAnchor()
        self.processes = [self.start(), self.start()]
        self.log = [parse_entry(each.state).statement.payload for each in self.server.stored]
        self.receipts: dict[bytes, bytes] = {}
        self.suspended: set[str] = set()

    def start(self) -> Sequencer:
        clock = SimulatedClock(self.time)
        store = SimulatedStore(self.server)
        return Sequencer(store, SIGNER, self.anchor, clock, ADMISSION)

    def recorded(self, envelope: bytes, outcome: Outcome) -> None:
        assert isinstance(outcome, bytes), outcome
        payload = parse_envelope(envelope).payload
        if payload not in self.log:
            self.log.append(payload)
        assert self.receipts.setdefault(payload, outcome) == outcome
        found = receipt.parse(outcome)
        receipt.verify_receipt(found, VKEY)
        assert found.index == self.log.index(payload)

    @rule(target=sent, process=st.integers(0, 1), wanted=st.lists(members, min_size=1, max_size=4))
    def append_awards(self, process: int, wanted: list[str]) -> object:
        envelopes = [organisation().award(member) for member in wanted]
        outcomes = run(self.processes[process], envelopes)
        kept = []
        for member, envelope, outcome in zip(wanted, envelopes, outcomes, strict=True):
            if member in self.suspended:
                assert isinstance(outcome, Refused)
                assert outcome.rule == "member-state"
            else:
                self.recorded(envelope, outcome)
                kept.append(envelope)
        return multiple(*kept)

    @rule(process=st.integers(0, 1), again=st.lists(sent, min_size=1, max_size=3))
    def the_same_statement_has_its_first_receipt(self, process: int, again: list[bytes]) -> None:
        for envelope, outcome in zip(again, run(self.processes[process], again), strict=True):
            self.recorded(envelope, outcome)

    @rule(process=st.integers(0, 1), used=sent)
    def the_same_id_for_other_content_is_a_conflict(self, process: int, used: bytes) -> None:
        statement = parse_envelope(used)
        member = statement.stream.partition("/")[2]
        other = organisation().award(member, 4321, ident=statement.id)
        (outcome,) = run(self.processes[process], [other])
        assert isinstance(outcome, ConflictError), outcome
        assert outcome.rule == "id-reused"

    @rule(target=sent, process=st.integers(0, 1), member=members, fresh=st.booleans())
    def a_statement_is_recorded_on_the_head_that_it_names(
        self, process: int, member: str, fresh: bool
    ) -> object:
        seen = self.server.streams[f"member/{member}"]
        after = self.server.stored[seen[-1] if fresh else seen[0]].leaf.hex()
        right = fresh or len(seen) == 1
        envelope = organisation().award(member, after=after)
        (outcome,) = run(self.processes[process], [envelope])
        if right and member not in self.suspended:
            self.recorded(envelope, outcome)
            return envelope
        assert isinstance(outcome, Refused if right else ConflictError)
        return multiple()

    @rule(target=sent, process=st.integers(0, 1), member=members)
    def suspend_or_reinstate(self, process: int, member: str) -> bytes:
        kind = "member.reinstated" if member in self.suspended else "member.suspended"
        self.suspended ^= {member}
        envelope = organisation().statement(
            kind, f"member/{member}", "reg-1", {"date": "2026-01-05", "reason": "ab" * 32}
        )
        (outcome,) = run(self.processes[process], [envelope])
        self.recorded(envelope, outcome)
        return envelope

    @rule(process=st.integers(0, 1))
    def restart(self, process: int) -> None:
        self.processes[process] = self.start()

    @rule(process=st.integers(0, 1))
    def flush(self, process: int) -> None:
        self.processes[process].flush()

    @rule(seconds=st.sampled_from([0.001, 2.0, 3600.0]))
    def wait(self, seconds: float) -> None:
        self.time.pass_(seconds)

    @invariant()
    def the_log_is_what_the_model_says(self) -> None:
        stored = [parse_entry(each.state).statement.payload for each in self.server.stored]
        assert stored == self.log
        assert all(each.stopped is None for each in self.processes)


TestSequencer = SequencerMachine.TestCase
TestSequencer.settings = settings(max_examples=60, stateful_step_count=20, deadline=None)


class Side:
    """Two processes on one store, each with an anchor of its own."""

    def __init__(self, stores: list[Store]) -> None:
        self.time = Time()
        self.stores = stores
        self.anchors = [SimulatedAnchor() for _ in stores]
        self.sequencers = [self.start(n) for n in range(len(stores))]

    def start(self, process: int) -> Sequencer:
        clock = SimulatedClock(self.time)
        return Sequencer(self.stores[process], SIGNER, self.anchors[process], clock, ADMISSION)

    def restart(self, process: int) -> None:
        self.sequencers[process] = self.start(process)


@pytest.fixture
def tables(tmp_path: Path, database_url: str) -> Iterator[list[Store]]:
    database = open_database(tmp_path / "data", database_url)
    tables = [EntryTable(database.connect) for _ in range(2)]
    yield list(tables)
    for each in tables:
        each.close()
    database.close()


@pytest.mark.parametrize("seed", range(3))
def test_the_simulated_store_and_postgres_give_the_same_bytes(
    seed: int, tables: list[Store]
) -> None:
    set_up_on(tables[0])
    server = founded().clone()
    simulated = Side([SimulatedStore(server), SimulatedStore(server)])
    real = Side(tables)
    draw = random.Random(seed)
    unsent = list(pool())
    draw.shuffle(unsent)
    sent: list[bytes] = []
    while unsent:
        seconds, process = draw.choice((0.001, 1.0, 30.0)), draw.randrange(2)
        batch = [unsent.pop() for _ in range(min(len(unsent), draw.choice((1, 1, 2, 5))))]
        batch += draw.sample(sent, min(len(sent), draw.choice((0, 1, 2))))
        sent += batch
        for side in (simulated, real):
            side.time.pass_(seconds)
        answers = [
            [_comparable(each) for each in run(side.sequencers[process], batch)]
            for side in (simulated, real)
        ]
        assert answers[0] == answers[1]
        kind = draw.random()
        for side in (simulated, real):
            if kind < 0.2:
                side.sequencers[process].flush()
            elif kind < 0.35:
                side.restart(process)
    size = len(server.rows)
    assert size > len(set_up()) + 20
    assert tables[0].head() == server.head
    assert tables[0].read(0, size) == server.stored
    for index in range(size):
        assert tables[0].note_covering(index) == server.note_covering(index)


def _comparable(outcome: Outcome) -> object:
    if isinstance(outcome, bytes):
        return outcome
    return type(outcome), getattr(outcome, "rule", None), outcome.message
