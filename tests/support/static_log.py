"""Builds a static log in a folder, as `mingzhang export` leaves it, without any database.

A log can be built wrong on purpose: entries that no sequencer would record, bytes changed after
signing. Everything is derived from names and counters, so the same calls give the same files.
"""

from __future__ import annotations

import shutil
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

from ledger import schema
from ledger.domain.account import Account
from ledger.domain.account_fold import evolve_account
from ledger.domain.decide import decide, needs
from ledger.domain.event import Event, Proposal
from ledger.domain.world import World
from ledger.entry import (
    NO_HASH,
    Statement,
    entry_bytes,
    format_instant,
    parse_entry,
    parse_envelope,
)
from ledger.log import checkpoint
from ledger.log.checkpoint import Checkpoint
from ledger.log.merkle import Edge, leaf_hash, root_of
from ledger.log.note import Signer
from ledger.log.tiles import TILE_WIDTH, encode_entries, tile_path
from tests.support.organisation import ORIGIN, START, Organisation, key_of

LOG_SIGNER = Signer(ORIGIN, key_of("the log"))
OTHER_SIGNER = Signer(ORIGIN, key_of("another log key"))


class Recorder:
    """Gives statements their places, one after the other, as the sequencer does.

    `checked` statements are held against schema and rules first; one that is not checked is
    recorded whatever it says.
    """

    def __init__(self, start: datetime = START) -> None:
        self.now = start
        self.world = World()
        self.entries: list[bytes] = []
        self.size = 0
        self._heads: dict[str, tuple[int, str]] = {}
        # Enough of each stream to decide on its newest entries, in memory that does not grow.
        self._recent: defaultdict[str, deque[Event]] = defaultdict(lambda: deque(maxlen=100))

    def record(
        self, envelope: bytes, *, checked: bool = True, recorded_at: str | None = None
    ) -> bytes:
        """Record one statement and return its entry."""
        data = self.place(envelope, checked=checked, recorded_at=recorded_at)
        self.entries.append(data)
        return data

    def record_all(self, envelopes: Iterable[bytes]) -> None:
        """Record statements, all of them checked."""
        for each in envelopes:
            self.record(each)

    def place(
        self, envelope: bytes, *, checked: bool = True, recorded_at: str | None = None
    ) -> bytes:
        """Return the entry of a statement at the head, without keeping it."""
        statement = parse_envelope(envelope)
        at = recorded_at or format_instant(self.now, micros=True)
        if checked:
            self._decide(statement, at)
        seq, prev = self._heads.get(statement.stream, (0, NO_HASH))
        data = entry_bytes(statement.stream, seq + 1, prev, at, envelope)
        self._heads[statement.stream] = (seq + 1, leaf_hash(data).hex())
        self.size += 1
        self.now += timedelta(milliseconds=7)
        return data

    def _decide(self, statement: Statement, at: str) -> None:
        schema.validate(statement.type, statement.body)
        proposal = Proposal.of(statement)
        for stream in needs(proposal):
            account = Account()
            for event in self._recent[stream]:
                account = evolve_account(account, event)
            self.world.accounts[stream] = account
        decide(self.world, proposal, at)
        self.world.accounts.forget()
        seq, _ = self._heads.get(statement.stream, (0, NO_HASH))
        event = Event(proposal, seq + 1, self.size, at)
        self.world.evolve(event)
        self._recent[statement.stream].append(event)


def small_log(organisation: Organisation, awards: int = 12) -> Recorder:
    """Return a recorder with everything set up and `awards` awards, in turn to all members."""
    recorder = Recorder()
    recorder.record_all(organisation.set_up())
    recorder.now += timedelta(days=1)
    for number in range(awards):
        recorder.record(organisation.award(organisation.members[1 + number % 3]))
    return recorder


def year_of_awards(organisation: Organisation, size: int) -> Iterator[bytes]:
    """Yield `size` entries of a growing log: the set-up, then awards, now and then a correction."""
    recorder = Recorder()
    for each in organisation.set_up():
        yield recorder.place(each)
    recorder.now += timedelta(days=1)
    last: str | None = None
    while recorder.size < size:
        member = organisation.members[recorder.size % len(organisation.members)]
        people = ("rec-1", f"com-{1 + recorder.size % 2}")
        if last is not None and recorder.size % 50 == 0:
            # The latest award is of the member before in turn, so its stream is at hand.
            before = organisation.members[(recorder.size - 1) % len(organisation.members)]
            yield recorder.place(organisation.correction(before, last, 200, signers=people))
            last = None
            continue
        last = organisation.new_id()
        yield recorder.place(organisation.award(member, signers=people, ident=last))


def write_log(folder: Path, entries: Iterable[bytes], signer: Signer = LOG_SIGNER) -> Checkpoint:
    """Write a log's bundles, hash tiles and signed checkpoint; memory does not grow with it."""
    writer = _Writer(folder)
    for each in entries:
        writer.add(each)
    return writer.finish(signer)


def rewrite_log(folder: Path, entries: Iterable[bytes], signer: Signer = LOG_SIGNER) -> Checkpoint:
    """Write another log in the place of one."""
    shutil.rmtree(folder)
    return write_log(folder, entries, signer)


def with_new_chains(entries: Iterable[bytes]) -> Iterator[bytes]:
    """Yield entries with `seq` and `prev` made to fit again, as a forger with the log's key can."""
    heads: dict[str, tuple[int, str]] = {}
    for each in entries:
        entry = parse_entry(each)
        seq, prev = heads.get(entry.stream, (0, NO_HASH))
        data = entry_bytes(entry.stream, seq + 1, prev, entry.recorded_at, entry.statement.envelope)
        heads[entry.stream] = (seq + 1, leaf_hash(data).hex())
        yield data


class _Writer:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._edge = Edge.empty()
        self._bundle: list[bytes] = []
        self._rows: list[list[bytes]] = [[]]
        self._written: list[int] = [0]

    def add(self, data: bytes) -> None:
        self._bundle.append(data)
        leaf = leaf_hash(data)
        self._edge = self._edge.extend([leaf])
        self._push(0, leaf)

    def finish(self, signer: Signer) -> Checkpoint:
        for level, row in enumerate(self._rows):
            if row:
                self._write(level)
        signed = Checkpoint(signer.name, self._edge.size, self._edge.root())
        self._folder.mkdir(parents=True, exist_ok=True)
        (self._folder / "checkpoint").write_bytes(checkpoint.sign(signed, signer))
        return signed

    def _push(self, level: int, node: bytes) -> None:
        if level == len(self._rows):
            self._rows.append([])
            self._written.append(0)
        self._rows[level].append(node)
        if len(self._rows[level]) == TILE_WIDTH:
            root = root_of(self._rows[level])
            self._write(level)
            self._push(level + 1, root)

    def _write(self, level: int) -> None:
        row, n = self._rows[level], self._written[level]
        self._put(tile_path(level, n, len(row)), b"".join(row))
        if level == 0:
            self._put(tile_path("entries", n, len(row)), encode_entries(self._bundle))
            self._bundle = []
        self._rows[level] = []
        self._written[level] += 1

    def _put(self, path: str, data: bytes) -> None:
        file = self._folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
