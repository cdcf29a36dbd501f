"""The newest state that a sequencer knows: tree edge, stream heads and the world of decisions.

A tip only moves forward, over entries that were committed and whose bytes were read back.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ledger import schema
from ledger.domain.account import Account
from ledger.domain.account_fold import evolve_account
from ledger.domain.decide import decide, needs
from ledger.domain.event import Event, Proposal
from ledger.domain.world import LAST, SIZE, Table, World
from ledger.entry import Entry, parse_entry
from ledger.errors import ProofError, Refused
from ledger.log.merkle import Edge, leaf_hash
from ledger.store.admission import check_signatures
from ledger.store.port import Store, Stored

PAGE_ENTRIES = 2_000
ACCOUNTS_MAX = 2_000
"""Members whose entries are kept in memory, a few hundred entries each at most in practice."""
NO_LEAF = bytes(32)


class Tip:
    """Committed state at `edge.size`; `leaf` is the last leaf hash, `recorded_at` its instant."""

    def __init__(self, edge: Edge | None = None) -> None:
        self.edge = edge or Edge.empty()
        self.leaf = NO_LEAF
        self.recorded_at = ""
        self.world = World()
        self.heads: Table[tuple[int, bytes]] = Table()

    @property
    def size(self) -> int:
        """The number of entries that this tip covers."""
        return self.edge.size

    @property
    def place(self) -> tuple[int, bytes]:
        """Size and last leaf hash: what the head must be for this tip to be the newest."""
        return self.edge.size, self.leaf

    @classmethod
    def load(cls, store: Store, edge: Edge) -> tuple[Tip, dict[int, bytes]]:
        """Load the tip at `edge`, reading only the entries that decisions depend on.

        Returns it with the leaf hashes, by index, of the entries that were read: whether they are
        the signed tree's is for the caller to check.
        """
        tip = cls(edge)
        leaves: dict[int, bytes] = {}
        if edge.size == 0:
            return tip, leaves
        for start in range(0, edge.size, PAGE_ENTRIES * 50):
            stop = min(edge.size, start + PAGE_ENTRIES * 50)
            for index, data in store.structural(start, stop):
                tip.world.evolve(Event.of(parse_entry(data), index))
                leaves[index] = leaf_hash(data)
        tip.world.positions[SIZE] = edge.size
        last = store.read(edge.size - 1, edge.size)[0]
        tip.leaf = leaves[edge.size - 1] = leaf_hash(last.state)
        tip.recorded_at = parse_entry(last.state).recorded_at
        tip.world.instants[LAST] = tip.recorded_at
        return tip, leaves

    def follow(self, store: Store, stored: Sequence[Stored], origin: str | None) -> None:
        """Move over committed entries that another process appended, checking each.

        With `origin` each is judged as a verifier would, signatures and rules: nobody has signed
        them yet. Raises ProofError or FormatError for one that does not hold, and then this tip
        can no longer be used.
        """
        leaves = [checked_leaf(self.size + offset, each) for offset, each in enumerate(stored)]
        entries = [parse_entry(each.state) for each in stored]
        self.load_heads(store, [each.stream for each in entries])
        if origin is not None:
            self.load_accounts(store, [s for e in entries for s in needs(Proposal.of(e.statement))])
        for index, (leaf, entry) in enumerate(zip(leaves, entries, strict=True), self.size):
            self._check_chain(index, entry)
            event = Event.of(entry, index)
            if origin is not None:
                self._judge(event, entry, origin)
            self.world.evolve(event)
            self.heads[entry.stream] = (entry.seq, leaf)
            self.recorded_at = entry.recorded_at
        if leaves:
            self.edge = self.edge.extend(leaves)
            self.leaf = leaves[-1]

    def _check_chain(self, index: int, entry: Entry) -> None:
        seq, leaf = self.heads.get(entry.stream) or (0, NO_LEAF)
        if (entry.seq, entry.prev) != (seq + 1, leaf.hex()):
            raise ProofError(f"entry {index} does not continue {entry.stream} at {seq + 1}")
        if entry.recorded_at < self.recorded_at:
            raise ProofError(f"entry {index} was recorded before the one ahead of it")

    def _judge(self, event: Event, entry: Entry, origin: str) -> None:
        """Raise ProofError or FormatError for an entry that should never have been recorded."""
        statement = entry.statement
        schema.validate(statement.type, statement.body)
        try:
            decide(self.world, event.proposal, entry.recorded_at)
            sound = statement.log == origin and check_signatures(statement, self.public_key)
        except Refused as error:
            raise ProofError(f"entry {event.index} is against a rule: {error.message}") from None
        if not sound:
            raise ProofError(f"entry {event.index} is meant for the log {statement.log}")

    def public_key(self, ident: str) -> bytes | None:
        """Return the raw public key registered under a key id, revoked or not."""
        return self.world.public_key(ident)

    def load_heads(self, store: Store, streams: Iterable[str]) -> None:
        """Make the heads of `streams` known; an empty stream's is (0, 32 zero bytes)."""
        missing = [each for each in dict.fromkeys(streams) if self.heads.get(each) is None]
        if not missing:
            return
        found = store.stream_heads(missing, self.size) if self.size else {}
        for stream in missing:
            self.heads[stream] = found.get(stream, (0, NO_LEAF))

    def load_accounts(self, store: Store, streams: Iterable[str]) -> None:
        """Make the accounts of member `streams` known, with those that hold other halves (B13)."""
        if len(self.world.accounts) > ACCOUNTS_MAX:
            self.world.accounts.forget()
        waiting = list(dict.fromkeys(streams))
        seen = set(waiting)
        while waiting:
            stream = waiting.pop()
            account = self.world.accounts.get(stream)
            if account is None:
                account = self.world.accounts[stream] = account_of(
                    (index, parse_entry(data)) for index, data in store.stream(stream, self.size)
                )
            others = [each for each in account.counterparts() if each not in seen]
            seen.update(others)
            waiting += others


def account_of(entries: Iterable[tuple[int, Entry]]) -> Account:
    """Fold a member stream's entries into its account."""
    account = Account()
    for index, entry in entries:
        account = evolve_account(account, Event.of(entry, index))
    return account


def checked_leaf(index: int, stored: Stored) -> bytes:
    """Return the leaf hash recomputed from the bytes; raises ProofError if the store's differs."""
    leaf = leaf_hash(stored.state)
    if leaf != stored.leaf:
        raise ProofError(
            f"entry {index}: its bytes hash to {leaf.hex()[:16]}…, the database holds "
            f"{stored.leaf.hex()[:16]}…: one of the two was changed or damaged"
        )
    return leaf
