"""What must hold after every fault (`faults.md`, "Oracle"), checked from outside the ledger.

The oracle looks at the database as its superuser does, keeps its own copy of the log, and never
asks the code that it judges: only the pure functions of `ledger.log` and `ledger.entry` are used.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator

import psycopg

from ledger.entry import NO_HASH, Statement, parse_entry, parse_envelope
from ledger.log.checkpoint import Checkpoint, open_checkpoint
from ledger.log.merkle import Edge, Node, leaf_hash, peak_nodes, verify_inclusion
from ledger.log.note import VerifierKey
from ledger.log.receipt import parse
from ledger.signing import decode_base64, keyid, pae, verify
from tests.support.processes import Answers

PAGE = 5_000


class Oracle:
    """Follows one log over any number of rounds; every assertion names what does not hold."""

    def __init__(self, url: str, vkey: VerifierKey) -> None:
        self._connection = psycopg.connect(url, autocommit=True)
        self._vkey = vkey
        self._edge = Edge.empty()
        self._nodes: dict[Node, bytes] = {}
        self._states: list[bytes] = []
        self._index_of: dict[str, int] = {}
        self._heads: dict[str, tuple[int, str]] = {}
        self._recorded_at = ""
        self._opened: dict[bytes, Checkpoint] = {}
        self._unproved: set[bytes] = set()
        self._recorded_sizes: list[int] = []
        self._recorded: dict[int, bytes] = {}
        self._receipts: dict[str, bytes] = {}
        self._uncovered: list[tuple[int, bytes, str]] = []

    @property
    def size(self) -> int:
        """The number of entries that were seen."""
        return len(self._states)

    @property
    def acknowledged(self) -> int:
        """The number of statements with a receipt."""
        return len(self._receipts)

    def close(self) -> None:
        self._connection.close()

    # -- what an outside observer sees ---------------------------------------------------------

    def watch(self) -> None:
        """Look at the recorded notes, as an observer does at any moment."""
        newest = self._recorded_sizes[-1] if self._recorded_sizes else 0
        rows = self._connection.execute(
            "SELECT size, note FROM mingzhang.checkpoint WHERE size >= %s ORDER BY size", (newest,)
        ).fetchall()
        assert not newest or rows, f"the note of size {newest} is gone"
        for size, note in rows:
            seen = self._recorded.get(size)
            assert seen is None or seen == note, f"the note of size {size} was replaced"
            if seen is None:
                assert size > newest, f"a note of size {size} came after one of {newest}"
                self._recorded[size] = note
                self._recorded_sizes.append(size)
                assert self.see(note).size == size

    def see(self, note: bytes) -> Checkpoint:
        """Take in a signed note from anywhere; it is held against the log at the next check."""
        if note not in self._opened:
            self._opened[note] = open_checkpoint(note, self._vkey)
            self._unproved.add(note)
        return self._opened[note]

    def acknowledge(self, answers: Answers, allowed: Iterable[str] = ()) -> None:
        """Take in what a process answered; errors are fine if their code is in `allowed`."""
        unexpected = [error for _, error in answers.errors if error not in allowed]
        assert not unexpected, f"{len(unexpected)} errors, such as {unexpected[0]}"
        for ident, receipt in answers.receipts:
            self.acknowledged_once(answers.sent[ident], receipt)

    def acknowledged_once(self, envelope: bytes, receipt: bytes) -> None:
        """Take in one receipt: the same one for the same statement, whoever gives it."""
        sent = parse_envelope(envelope)
        first = self._receipts.setdefault(sent.id, receipt)
        assert first == receipt, f"{sent.id} got two different receipts"
        opened = parse(receipt)
        statement = parse_entry(opened.entry).statement
        assert statement.payload == sent.payload, f"the receipt of {sent.id} is of something else"
        checkpoint = self.see(opened.checkpoint)
        leaf = leaf_hash(opened.entry)
        verify_inclusion(leaf, opened.index, checkpoint.size, opened.proof, checkpoint.root)
        self._uncovered.append((opened.index, opened.checkpoint, sent.id))

    def size_now(self) -> int:
        """Return the committed size."""
        row = self._connection.execute("SELECT size FROM mingzhang.head").fetchone()
        assert row is not None
        return int(row[0])

    def all_is_noted(self) -> bool:
        """Tell whether the note of the committed size is recorded."""
        self.watch()
        return self._recorded_sizes[-1:] == [self.size_now()]

    def first_note_covering(self, index: int) -> bytes | None:
        """Return the smallest recorded note above an index, among those that were watched."""
        place = bisect_right(self._recorded_sizes, index)
        sizes = self._recorded_sizes[place : place + 1]
        return self._recorded[sizes[0]] if sizes else None

    # -- after a round -------------------------------------------------------------------------

    def check(self) -> None:
        """Follow the log to its head, and hold every note and receipt against it."""
        self.watch()
        self._follow()
        for note in self._unproved:
            checkpoint = self._opened[note]
            assert checkpoint.size <= self.size, (
                f"size {checkpoint.size} was signed, {self.size} entries are there"
            )
            assert checkpoint.root == self._root_at(checkpoint.size), (
                f"the note of size {checkpoint.size} was signed for another history"
            )
        self._unproved.clear()
        self._check_receipts()

    def check_whole(self) -> None:
        """Read everything again: nothing that was seen has changed, and every signature holds."""
        self.check()
        assert not self._uncovered, "a receipt's note is not recorded, and the ledger is closed"
        keys: dict[str, bytes] = {}
        for index, (state, seen) in enumerate(zip(self._all(), self._states, strict=True)):
            assert state == seen, f"entry {index} has changed"
            statement = parse_entry(state).statement
            keys |= _new_keys(statement)
            message = pae(statement.payload)
            for each in statement.signatures:
                assert verify(keys[each.keyid], message, each.sig), f"a signature of entry {index}"

    def _follow(self) -> None:
        row = self._connection.execute("SELECT size, leaf FROM mingzhang.head").fetchone()
        assert row is not None
        size, head = row
        assert size >= self.size, f"the log went back from {self.size} to {size} entries"
        leaves: list[bytes] = []
        for index, state, leaf in self._rows(self.size, size):
            assert index == self.size, f"entry {self.size} is missing, {index} follows"
            assert leaf == leaf_hash(state), f"entry {index} has another leaf hash"
            self._take(index, state, leaf.hex())
            leaves.append(leaf)
        assert self.size == size, f"{size} entries are promised, {self.size} are there"
        self._edge = self._edge.extend(leaves, self._nodes)
        assert not leaves or leaves[-1] == head, "the head is not the last entry's leaf hash"

    def _take(self, index: int, state: bytes, leaf: str) -> None:
        entry = parse_entry(state)
        seq, prev = self._heads.get(entry.stream, (0, NO_HASH))
        assert (entry.seq, entry.prev) == (seq + 1, prev), f"entry {index} breaks its stream"
        assert entry.recorded_at >= self._recorded_at, f"recorded_at falls at entry {index}"
        assert entry.statement.id not in self._index_of, f"{entry.statement.id} is there twice"
        self._heads[entry.stream] = (entry.seq, leaf)
        self._recorded_at = entry.recorded_at
        self._index_of[entry.statement.id] = index
        self._states.append(state)

    def _check_receipts(self) -> None:
        left = []
        for index, note, ident in self._uncovered:
            opened = self._receipts[ident]
            assert self._index_of.get(ident) == index, f"{ident} has a receipt and is not there"
            assert parse(opened).entry == self._states[index], f"{ident} is there with other bytes"
            first = self.first_note_covering(index)
            if first is None:
                # Its note is not recorded yet: whoever appends next records it.
                left.append((index, note, ident))
            else:
                assert first == note, (
                    f"the receipt of entry {index} has another note than the first that covers it"
                )
        self._uncovered = left

    def _root_at(self, size: int) -> bytes:
        return Edge(size, tuple(self._nodes[node] for node in peak_nodes(size))).root()

    def _rows(self, start: int, stop: int) -> Iterator[tuple[int, bytes, bytes]]:
        for page in range(start, stop, PAGE):
            yield from self._connection.execute(
                "SELECT index, state, leaf FROM mingzhang.entry WHERE index >= %s AND index < %s "
                "ORDER BY index",
                (page, min(stop, page + PAGE)),
                binary=True,
            )

    def _all(self) -> Iterator[bytes]:
        for _, state, _ in self._rows(0, self.size):
            yield state


def _new_keys(statement: Statement) -> dict[str, bytes]:
    """Return the keys by key id that an entry brings in (`formats.md`, section 1)."""
    if statement.type == "ledger.founded":
        listed = statement.body["keys"]
    elif statement.type == "key.registered":
        listed = [statement.body]
    else:
        return {}
    raw = [decode_base64(each["public_key"]) for each in listed]
    return {keyid(each): each for each in raw}
