"""The members' entries while a log is verified, in memory that does not grow with the log.

A direct award needs no account to be decided, so it is only put aside, packed. An account is folded
from what was put aside when a statement is decided on it, and kept as long as there is room; then
the one that rested longest goes to a temporary database, packed as a whole. Both are of this
process alone and are gone when it ends.
"""

from __future__ import annotations

import pickle
import sqlite3
from collections import OrderedDict, defaultdict
from types import TracebackType
from typing import Self

import orjson

from ledger.domain.account import Account
from ledger.domain.account_fold import evolve_account
from ledger.domain.event import Event, Proposal
from ledger.domain.world import World

WEIGHT_MAX = 8_000
"""Entries and later steps of all accounts in memory together, two or three kilobytes each."""
ASIDE_BYTES_MAX = 4 << 20

_SCHEMA = """
PRAGMA journal_mode = OFF;
PRAGMA synchronous = OFF;
PRAGMA cache_size = -8192;
CREATE TABLE account (stream BLOB PRIMARY KEY, packed BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE aside (
    stream BLOB, seq INTEGER, packed BLOB NOT NULL, PRIMARY KEY (stream, seq)
) WITHOUT ROWID;
"""


class Accounts:
    """Accounts by stream number (8 bytes), some of them in `World.accounts`."""

    def __init__(self, weight_max: int = WEIGHT_MAX) -> None:
        self._weight_max = weight_max
        self._loaded: OrderedDict[str, bytes] = OrderedDict()
        self._weights: dict[str, int] = {}
        self._weight = 0
        self._aside: dict[bytes, list[tuple[int, bytes]]] = defaultdict(list)
        self._aside_bytes = 0
        self._database = sqlite3.connect("", isolation_level=None)
        self._database.executescript(_SCHEMA)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._database.close()

    def put_aside(self, number: bytes, event: Event) -> None:
        """Keep an event of an account that is not loaded for when it will be."""
        if event.proposal.stream in self._weights:
            self._weights[event.proposal.stream] += 1
            self._weight += 1
            return
        packed = pack(event)
        self._aside[number].append((event.seq, packed))
        self._aside_bytes += len(packed)
        if self._aside_bytes > ASIDE_BYTES_MAX:
            self._spill()

    def load(self, world: World, stream: str, number: bytes) -> Account:
        """Make the account of a stream one of the world's, and return it."""
        known = world.accounts.get(stream)
        if known is not None:
            self._loaded.move_to_end(stream)
            return known
        account = self._stored(number)
        found = self._database.execute(
            "SELECT packed FROM aside WHERE stream = ? ORDER BY seq", (number,)
        ).fetchall()
        if found:
            self._database.execute("DELETE FROM aside WHERE stream = ?", (number,))
        waiting = self._aside.pop(number, [])
        self._aside_bytes -= sum(len(packed) for _, packed in waiting)
        for packed in (*(row[0] for row in found), *(packed for _, packed in waiting)):
            account = evolve_account(account, unpack(packed))
        world.accounts[stream] = account
        self._loaded[stream] = number
        self._weights[stream] = len(account.entries)
        self._weight += len(account.entries)
        return account

    def make_room(self, world: World, kept: tuple[str, ...]) -> None:
        """Put accounts away that rested longest, while there are too many entries in memory.

        `kept` are the streams that the statement at hand is decided on.
        """
        while self._weight > self._weight_max and len(self._loaded) > len(kept):
            stream, number = self._loaded.popitem(last=False)
            account = world.accounts.get(stream)
            assert account is not None  # noqa: S101 - what is loaded is in the world
            self._weight -= self._weights.pop(stream)
            self._database.execute(
                "INSERT OR REPLACE INTO account VALUES (?, ?)", (number, pickle.dumps(account))
            )
            world.accounts.drop(stream)

    def _stored(self, number: bytes) -> Account:
        row = self._database.execute(
            "SELECT packed FROM account WHERE stream = ?", (number,)
        ).fetchone()
        if row is None:
            return Account()
        # Packed by this process, in a file that only it can open.
        account = pickle.loads(row[0])  # noqa: S301
        assert isinstance(account, Account)  # noqa: S101
        return account

    def _spill(self) -> None:
        self._database.executemany(
            "INSERT INTO aside VALUES (?, ?, ?)",
            [
                (number, seq, packed)
                for number in sorted(self._aside)
                for seq, packed in self._aside[number]
            ],
        )
        self._aside.clear()
        self._aside_bytes = 0


def pack(event: Event) -> bytes:
    """Return an event as JSON."""
    return orjson.dumps((tuple(event.proposal), *event[1:]))


def unpack(packed: bytes) -> Event:
    """Return the event that `pack` packed."""
    (*proposal, keyids), *place = orjson.loads(packed)
    return Event(Proposal._make((*proposal, tuple(keyids))), *place)
