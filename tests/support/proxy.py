"""A proxy between the ledger and PostgreSQL that lets a commit happen and loses its answer."""

from __future__ import annotations

import contextlib
import re
import socket
import struct
import threading
from collections.abc import Callable

from psycopg.conninfo import conninfo_to_dict, make_conninfo

# What a client sends holds an entry: a batch is being appended on this connection.
APPENDING = b'"envelope":'
# ReadyForQuery, outside a transaction: the server has done everything and answered.
_READY = re.compile(rb"Z\x00\x00\x00\x05I\Z")
CUTS = ("close", "reset", "half-close", "black hole")


class Proxy:
    """Listens on 127.0.0.1 for one server; `url` reaches the server through it."""

    def __init__(self, server_url: str) -> None:
        given = conninfo_to_dict(server_url)
        self._server = f"{given['host']}/.s.PGSQL.{given['port']}"
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = make_conninfo(
            server_url,
            host="127.0.0.1",
            port=self._listener.getsockname()[1],
            sslmode="disable",
            gssencmode="disable",
        )
        self._lock = threading.Lock()
        self._cut: tuple[int, str] | None = None
        self._links: list[_Link] = []
        self.reply_bytes = 0
        self.cuts = 0
        self._accepting = threading.Thread(target=self._accept, daemon=True)
        self._accepting.start()

    def cut(self, after_bytes: int, how: str) -> None:
        """Lose the next append's reply after so many bytes, once the server has given all of it."""
        assert how in CUTS
        with self._lock:
            self._cut = (after_bytes, how)

    def heal(self) -> None:
        """End every connection that was left in a black hole."""
        for link in self._links:
            if link.dead:
                link.close()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._accepting.join()
        for link in self._links:
            link.close()

    def lost(self, reply: bytes) -> tuple[int, str] | None:
        """Say what becomes of an append's whole reply: where it is cut, and how."""
        with self._lock:
            self.reply_bytes = len(reply)
            cut, self._cut = self._cut, None
            self.cuts += cut is not None
        return cut

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self._links.append(_Link(client, self._server, self.lost))


class _Link:
    """One connection through the proxy: two threads that carry bytes."""

    def __init__(
        self, client: socket.socket, path: str, lost: Callable[[bytes], tuple[int, str] | None]
    ) -> None:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._client = client
        self._server = socket.socket(socket.AF_UNIX)
        self._server.connect(path)
        self._lost = lost
        self._appending = False
        self.dead = False
        self._up = threading.Thread(target=self._carry_up, daemon=True)
        self._up.start()
        threading.Thread(target=self._carry_down, daemon=True).start()

    def close(self) -> None:
        for each in (self._client, self._server):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def _carry_up(self) -> None:
        with contextlib.suppress(OSError):
            while data := self._client.recv(65_536):
                self._appending = self._appending or APPENDING in data
                self._server.sendall(data)
            self._server.shutdown(socket.SHUT_WR)

    def _carry_down(self) -> None:
        reply = b""
        with contextlib.suppress(OSError):
            while data := self._server.recv(65_536):
                if not self._appending:
                    self._client.sendall(data)
                    continue
                reply += data
                if _READY.search(reply):
                    self._appending = False
                    whole, reply = reply, b""
                    if self._end(whole):
                        return
            self._client.shutdown(socket.SHUT_WR)

    def _end(self, reply: bytes) -> bool:
        """Hand on an append's reply, or lose it; True when the connection is cut."""
        cut = self._lost(reply)
        if cut is None:
            self._client.sendall(reply)
            return False
        after, how = cut
        self._client.sendall(reply[:after])
        self.dead = True
        if how == "reset":
            # A socket that another thread still reads from is not really closed.
            self._client.shutdown(socket.SHUT_RD)
            self._up.join()
            self._client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self._client.close()
            self._server.close()
        elif how == "close":
            self.close()
        elif how == "half-close":
            self._client.shutdown(socket.SHUT_WR)
        return True
