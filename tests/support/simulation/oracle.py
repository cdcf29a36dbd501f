"""What must hold after every round (`faults.md`, "Oracle"), seen from outside the ledger."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache, lru_cache

from ledger.domain.account import Account
from ledger.domain.decide import decide
from ledger.domain.event import Event, Proposal
from ledger.domain.world import World
from ledger.entry import NO_HASH, Statement, format_instant, parse_entry
from ledger.errors import (
    BusyError,
    ConflictError,
    MingzhangError,
    OutcomeUnknownError,
    Refused,
    StoppedError,
)
from ledger.log import receipt
from ledger.log.checkpoint import Checkpoint, open_checkpoint
from ledger.log.merkle import Edge, leaf_hash, verify_inclusion
from ledger.signing import pae, verify
from ledger.store.port import Row, Stored
from tests.support.simulation.machine import VKEY, SimulatedClock
from tests.support.simulation.server import Server
from tests.support.simulation.statements import founded, parsed

opened = lru_cache(maxsize=100_000)(open_checkpoint)
verified = lru_cache(maxsize=100_000)(verify)
entry_of = lru_cache(maxsize=10_000)(parse_entry)

AHEAD_S = 600.0


@dataclass(frozen=True)
class State:
    """The log at one size, as an outsider computes it; `heads` by stream, `used` by id."""

    world: World
    heads: dict[str, tuple[int, str]]
    used: dict[str, bytes]
    edge: Edge
    recorded_at: str


class Oracle:
    """Keeps every answer and every signed checkpoint that anybody saw, and judges each round."""

    def __init__(self, server: Server, clock: SimulatedClock) -> None:
        self._server = server
        self._clock = clock
        self._states = list(_founded())
        self._founded = len(self._states)
        self._generation = server.generation
        self.receipts: dict[str, bytes] = {}
        self.notes: dict[int, bytes] = {}
        self._unproved: set[int] = set()
        self.put_back = False
        self.stopped_for_good = False

    # -- what is seen --------------------------------------------------------------------------

    def saw(self, note: bytes) -> Checkpoint:
        """Take in a signed checkpoint from anywhere."""
        checkpoint = opened(note, VKEY)
        known = self.notes.get(checkpoint.size)
        assert known is not None or not self.put_back, (
            f"size {checkpoint.size} was signed on a database that was put back"
        )
        assert known is None or known == note, f"two notes of size {checkpoint.size} were signed"
        if known is None:
            self.notes[checkpoint.size] = note
            self._unproved.add(checkpoint.size)
        return checkpoint

    def signing(self, message: bytes, *, stopped: bool, looked_s: float, now_s: float) -> None:
        """Judge a signature that is about to be made by a process that last looked then."""
        size = int(message.split(b"\n")[1])
        assert not stopped, f"size {size} is signed by a sequencer that has stopped"
        newest = self._server.newest_note()
        behind = newest is not None and newest[0] > size
        assert not (behind and now_s - looked_s > 1.0), (
            f"size {size} is signed after a pause, {newest and newest[0]} is recorded already"
        )

    def answered(self, envelope: bytes, outcome: bytes | MingzhangError, since: int) -> None:
        """Judge one answer of a round that began when the log had `since` entries."""
        if isinstance(outcome, bytes):
            self._acknowledged(parsed(envelope), outcome)
        elif isinstance(outcome, (Refused, ConflictError)):
            self._refused(parsed(envelope), outcome, since)
        else:
            kinds = (OutcomeUnknownError, StoppedError, BusyError)
            assert isinstance(outcome, kinds), f"{type(outcome).__name__}: {outcome.message}"

    def _acknowledged(self, statement: Statement, data: bytes) -> None:
        first = self.receipts.setdefault(statement.id, data)
        assert first == data, f"{statement.id} got two different receipts"
        found = receipt.parse(data)
        checkpoint = self.saw(found.checkpoint)
        verify_inclusion(
            leaf_hash(found.entry), found.index, checkpoint.size, found.proof, checkpoint.root
        )
        entry = entry_of(found.entry)
        assert entry.statement.payload == statement.payload, "the receipt is of something else"
        there = self._server.stored[found.index : found.index + 1]
        assert there, f"{statement.id} has a receipt and is not there"
        assert there[0].state == found.entry, f"entry {found.index} is not what was acknowledged"

    def _refused(self, statement: Statement, error: Refused | ConflictError, since: int) -> None:
        """A refusal must be right at some moment of the round that gave it."""
        moved = self._generation != self._server.generation
        if moved or self.put_back or self._server.damaged_at is not None:
            return
        if error.rule == "signed-ahead":
            limit = format_instant(self._clock.now())
            assert statement.signed_at > limit, "it was not signed ahead"
            return
        if error.rule == "signature":
            return
        self.follow()
        assert any(self._refuses(state, statement, error.rule) for state in self._states[since:]), (
            f"{statement.type} {statement.id} was refused ({error.rule}) where nothing refuses it"
        )

    def _refuses(self, state: State, statement: Statement, rule: str) -> bool:
        used = state.used.get(statement.id)
        if used is not None:
            return rule == "id-reused" and used != statement.payload
        if rule == "after":
            head = state.heads.get(statement.stream, (0, NO_HASH))[1]
            return statement.after is not None and statement.after != head
        try:
            decide(
                state.world, Proposal.of(statement), format_instant(self._clock.now(), micros=True)
            )
        except Refused as error:
            return error.rule == rule
        return False

    # -- after a round -------------------------------------------------------------------------

    def check(self) -> None:
        """Follow the log to its end and hold every new checkpoint against it."""
        newest = self._server.newest_note()
        if self.put_back or self.stopped_for_good:
            return
        if newest is not None:
            self.saw(newest[1])
        self.follow()
        for size in sorted(self._unproved):
            root = opened(self.notes[size], VKEY).root
            assert size < len(self._states), (
                f"size {size} was signed, the log has {len(self._states) - 1} entries"
            )
            assert self._states[size].edge.root() == root, (
                f"size {size} was signed for another tree"
            )
        self._unproved.clear()

    def check_damaged(self, damaged_at: int) -> None:
        """Nothing was ever signed over an entry that was damaged."""
        over = [size for size in self.notes if size > damaged_at]
        assert not over, f"entry {damaged_at} was damaged, and size {over[0]} was signed over it"

    def check_end(self) -> None:
        """Every receipt has the first signed note, by size, that covers its entry."""
        self.check()
        for size, note in self._server.notes.items():
            assert self.saw(note).size == size
        sizes = sorted(self.notes)
        for ident, data in self.receipts.items():
            found = receipt.parse(data)
            assert self._server.ids.get(ident) == found.index, f"{ident} is not there any more"
            first = next(size for size in sizes if size > found.index)
            assert opened(found.checkpoint, VKEY).size == first, (
                f"{ident} at {found.index} has not the first note, of size {first}"
            )
        self.check()

    def follow(self) -> None:
        """Compute the state at every size up to the server's head, checking each entry."""
        if self._generation != self._server.generation:
            # A failover may have taken entries back: everything is computed, and proved, again.
            self._generation = self._server.generation
            del self._states[self._founded :]
            self._unproved = set(self.notes)
        for index in range(len(self._states) - 1, len(self._server.rows)):
            row, stored = self._server.rows[index], self._server.stored[index]
            self._states.append(_next(self._states[-1], index, row, stored))
            limit = format_instant(replace(self._clock, skew_s=AHEAD_S).now(), micros=True)
            assert self._states[-1].recorded_at <= limit, f"entry {index} was recorded ahead"


@cache
def _founded() -> list[State]:
    """The states of the founded log, from which every run begins."""
    server = founded()
    states = [State(World(), {}, {}, Edge.empty(), "")]
    for index, (row, stored) in enumerate(zip(server.rows, server.stored, strict=True)):
        states.append(_next(states[-1], index, row, stored))
    return states


def _next(state: State, index: int, row: Row, stored: Stored) -> State:
    """Return the state after an entry, which must continue `state` in every way."""
    entry = entry_of(stored.state)
    statement = entry.statement
    assert row.index == index, f"entry {index} is missing, {row.index} is in its place"
    assert stored.leaf == leaf_hash(stored.state), f"entry {index} has another leaf hash"
    seq, prev = state.heads.get(entry.stream, (0, NO_HASH))
    assert (entry.seq, entry.prev) == (seq + 1, prev), f"entry {index} breaks its stream"
    assert (row.stream, row.seq, row.id) == (entry.stream, entry.seq, statement.id)
    assert entry.recorded_at >= state.recorded_at, f"recorded_at falls at entry {index}"
    assert statement.id not in state.used, f"{statement.id} is there twice"
    assert statement.after in (None, prev), f"entry {index} was signed on another head"
    world = state.world.overlay()
    world.accounts[entry.stream] = state.world.accounts.get(entry.stream) or Account()
    try:
        decide(world, Proposal.of(statement), entry.recorded_at)
    except Refused as error:
        raise AssertionError(f"entry {index} is against a rule: {error.message}") from None
    world.evolve(Event.of(entry, index))
    for each in statement.signatures:
        public_key = world.public_key(each.keyid)
        assert public_key is not None
        assert verified(public_key, pae(statement.payload), each.sig), "a bad signature"
    return State(
        world,
        state.heads | {entry.stream: (entry.seq, stored.leaf.hex())},
        state.used | {statement.id: statement.payload},
        state.edge.extend([stored.leaf]),
        entry.recorded_at,
    )
