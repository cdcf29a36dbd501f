"""The newest state that a sequencer knows: tree edge, stream heads and the world of decisions.

A tip only moves forward, over entries that were committed and whose bytes were read back.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ledger.domain.event import Event
from ledger.domain.member import Account, evolve_account
from ledger.domain.world import Table, World
from ledger.entry import Entry, parse_entry
from ledger.errors import ProofError
from ledger.log.merkle import Edge, leaf_hash
from ledger.store.port import Store, Stored

PAGE_ENTRIES = 2_000
ACCOUNTS_MAX = 10_000
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

    @classmethod
    def load(cls, store: Store, edge: Edge) -> Tip:
        """Load the tip at `edge`, reading only the entries that decisions depend on."""
        tip = cls(edge)
        if edge.size == 0:
            return tip
        for start in range(0, edge.size, PAGE_ENTRIES * 50):
            stop = min(edge.size, start + PAGE_ENTRIES * 50)
            for index, data in store.structural(start, stop):
                tip.world.evolve(Event.of(parse_entry(data), index))
        last = store.read(edge.size - 1, edge.size)[0]
        tip.leaf = leaf_hash(last.state)
        tip.recorded_at = parse_entry(last.state).recorded_at
        return tip

    def follow(self, stored: Sequence[Stored]) -> None:
        """Move over committed entries that another process appended, checking each.

        Raises ProofError if an entry is not what its leaf hash says or breaks its stream's chain.
        """
        leaves = []
        for offset, each in enumerate(stored):
            index = self.size + offset
            leaf = checked_leaf(index, each)
            entry = parse_entry(each.state)
            self.heads[entry.stream] = (entry.seq, leaf)
            self.world.evolve(Event.of(entry, index))
            self.recorded_at = entry.recorded_at
            leaves.append(leaf)
        if leaves:
            self.edge = self.edge.extend(leaves)
            self.leaf = leaves[-1]

    def load_heads(self, store: Store, streams: Iterable[str]) -> None:
        """Make the heads of `streams` known; an empty stream's is (0, 32 zero bytes)."""
        missing = [each for each in dict.fromkeys(streams) if self.heads.get(each) is None]
        if not missing:
            return
        found = store.stream_heads(missing, self.size) if self.size else {}
        for stream in missing:
            self.heads[stream] = found.get(stream, (0, NO_LEAF))

    def load_accounts(self, store: Store, streams: Iterable[str]) -> None:
        """Make the accounts of member `streams` known, which corrections are decided on."""
        if len(self.world.accounts) > ACCOUNTS_MAX:
            self.world.accounts.forget()
        for stream in dict.fromkeys(streams):
            if self.world.accounts.get(stream) is None:
                self.world.accounts[stream] = account_of(
                    (index, parse_entry(data)) for index, data in store.stream(stream, self.size)
                )


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
