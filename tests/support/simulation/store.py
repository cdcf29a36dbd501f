"""One process's connection to the simulated database: a `port.Store` whose every call can fail."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

from ledger.log.merkle import Node
from ledger.store.port import Row, Stored, Unconfirmed
from tests.support.simulation.server import Server

T = TypeVar("T")
Effect = Callable[[], object]


class Network(Protocol):
    """Decides what becomes of each call; it may run other processes, or end this one."""

    def before(self, call: str, effect: Effect) -> None:
        """The call is on its way; raises to keep it from the server (or to let it come late)."""

    def after(self, call: str) -> None:
        """The server is done; raises to lose its answer."""


class Calm:
    """A network on which nothing happens."""

    def before(self, call: str, effect: Effect) -> None:
        pass

    def after(self, call: str) -> None:
        pass


class SimulatedStore:
    """Implements `port.Store` on a `Server`, over a network."""

    def __init__(self, server: Server, network: Network | None = None) -> None:
        self.server = server
        self.network = network or Calm()
        self._generation = server.generation

    def head(self) -> tuple[int, bytes]:
        return self._call("head", lambda: self.server.head)

    def append(self, rows: Sequence[Row], expected: bytes, note: bytes | None) -> list[Stored]:
        return self._call("append", lambda: self.server.commit(rows, expected, note))

    def read(self, start: int, stop: int) -> list[Stored]:
        return self._call("read", lambda: self.server.stored[start:stop])

    def find(self, ids: Sequence[str]) -> dict[str, tuple[int, bytes]]:
        server = self.server

        def found() -> dict[str, tuple[int, bytes]]:
            known = {ident: server.ids[ident] for ident in ids if ident in server.ids}
            return {ident: (index, server.stored[index].state) for ident, index in known.items()}

        return self._call("find", found)

    def stream_heads(self, streams: Sequence[str], size: int) -> dict[str, tuple[int, bytes]]:
        server = self.server

        def heads() -> dict[str, tuple[int, bytes]]:
            found = {}
            for stream in streams:
                below = [index for index in server.streams.get(stream, ()) if index < size]
                if below:
                    found[stream] = (server.rows[below[-1]].seq, server.stored[below[-1]].leaf)
            return found

        return self._call("stream_heads", heads)

    def stream(self, stream: str, size: int) -> list[tuple[int, bytes]]:
        server = self.server
        return self._call(
            "stream",
            lambda: [
                (index, server.stored[index].state)
                for index in server.streams.get(stream, ())
                if index < size
            ],
        )

    def structural(self, start: int, stop: int) -> list[tuple[int, bytes]]:
        server = self.server
        return self._call(
            "structural",
            lambda: [
                (index, server.stored[index].state)
                for index in range(start, min(stop, len(server.rows)))
                if not server.rows[index].type.startswith("points.")
            ],
        )

    def newest_note(self) -> tuple[int, bytes] | None:
        return self._call("newest_note", self.server.newest_note)

    def note_covering(self, index: int) -> tuple[int, bytes] | None:
        return self._call("note_covering", lambda: self.server.note_covering(index))

    def keep_note(self, size: int, note: bytes) -> None:
        self._call("keep_note", lambda: self.server.keep_note(size, note))

    def nodes(self, nodes: Sequence[Node]) -> dict[Node, bytes]:
        return self._call("nodes", lambda: self.server.nodes(nodes))

    def confirm(self) -> None:
        self._call("confirm", self.server.confirm)

    def recover(self) -> None:
        self._generation = self.server.generation
        self._call("recover", self.server.confirm)

    def _call(self, name: str, effect: Callable[[], T]) -> T:
        self.network.before(name, effect)
        if self._generation != self.server.generation:
            raise Unconfirmed("the connection is closed")
        result = effect()
        self.network.after(name)
        return result
