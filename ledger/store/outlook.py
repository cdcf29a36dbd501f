"""What the rules say about a signed state: the world of decisions, for whoever asks questions.

A second copy beside the sequencer's own, which nobody else may touch. It follows the log when it is
asked; accounts are read as they are needed, and again only where they have grown.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from ledger.domain.account import Account
from ledger.domain.account_fold import evolve_account
from ledger.domain.event import Event
from ledger.domain.world import LAST, SIZE, World
from ledger.entry import parse_entry
from ledger.store.reader import STREAM_PAGE_MAX, Reader
from ledger.store.tip import ACCOUNTS_MAX, PAGE_ENTRIES

_SPAN = PAGE_ENTRIES * 50


class Outlook:
    """Gives the world as of a signed size, to one asker at a time."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._world = World()
        self._size = 0
        self._accounts: dict[str, Account] = {}
        self._lock = threading.Lock()

    @contextmanager
    def now(self) -> Iterator[World]:
        """Hold the world at the newest signed size. Raises BusyError."""
        with self._lock:
            self._follow(self._reader.size())
            yield self._world

    @property
    def size(self) -> int:
        """The log size of the world that was held last."""
        return self._size

    @contextmanager
    def then(self, size: int) -> Iterator[World]:
        """Hold the world at a signed size: quick behind the last one, anew before it.

        Raises BusyError.
        """
        with self._lock:
            if size < self._size:
                self._world, self._size, self._accounts = World(), 0, {}
            self._follow(size)
            yield self._world

    def account(self, member: str) -> Account:
        """Return a member's account in the world that is held, and put it there."""
        stream = f"member/{member}"
        if len(self._accounts) > ACCOUNTS_MAX:
            self._accounts.clear()
        account = self._accounts.get(stream) or Account()
        while True:
            page = self._reader.stream(stream, account.version, STREAM_PAGE_MAX)
            within = [each for each in page if each[0] < self._size]
            for index, data in within:
                account = evolve_account(account, Event.of(parse_entry(data), index))
            if len(within) < STREAM_PAGE_MAX:
                break
        self._accounts[stream] = self._world.accounts[stream] = account
        return account

    def _follow(self, size: int) -> None:
        # An account in the world would be moved by what is not about points alone.
        self._world.accounts.forget()
        for start in range(self._size, size, _SPAN):
            stop = min(size, start + _SPAN)
            for index, data in self._reader.structural(start, stop):
                self._world.evolve(Event.of(parse_entry(data), index))
        if size > self._size:
            self._world.positions[SIZE] = size
            self._world.instants[LAST] = parse_entry(self._reader.entry(size - 1)).recorded_at
        self._size = size
