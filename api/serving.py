"""Runs the application on a socket with uvicorn."""

from __future__ import annotations

import asyncio
import socket
import uuid
from http import HTTPStatus

import orjson
import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from api import problems

HEAD_BYTES_MAX = 64 * 1024
HEAD_WAIT_S = 10.0
KEEP_ALIVE_S = 15
GRACE_S = 10


def run(app: FastAPI, listener: socket.socket) -> None:
    """Serve until SIGTERM or SIGINT; requests under way get GRACE_S to finish."""
    config = uvicorn.Config(
        app,
        http=BoundedProtocol,
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=GRACE_S,
    )
    uvicorn.Server(config).run(sockets=[listener])


def url_of(listener: socket.socket) -> str:
    """Return the http URL of a listening socket."""
    address = listener.getsockname()
    shown = f"[{address[0]}]" if ":" in address[0] else address[0]
    return f"http://{shown}:{address[1]}"


class BoundedProtocol(HttpToolsProtocol):
    """HTTP/1.1 whose request heads are bounded in bytes and in time, which httptools leaves open.

    What does not get as far as the application is answered with a problem too.
    """

    _head_bytes = 0
    _head_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for a first request."""
        super().connection_made(transport)
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the timer."""
        self._head_done()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        """Begin to wait for a request's head."""
        super().on_message_begin()
        self._await_head()

    def on_headers_complete(self) -> None:
        """Hand a request on whose head is there."""
        self._head_done()
        super().on_headers_complete()

    def data_received(self, data: bytes) -> None:
        """Take bytes; refuse a head that does not end."""
        self._head_bytes += len(data)
        super().data_received(data)
        if self._head_timer is not None and self._head_bytes > HEAD_BYTES_MAX:
            self._refuse(431, f"the request's head is longer than {HEAD_BYTES_MAX} bytes")

    def send_400_response(self, msg: str) -> None:
        """Answer what cannot be parsed."""
        self._refuse(400, "this is not HTTP/1.1 as it is read here")

    def _await_head(self) -> None:
        self._head_done()
        self._head_timer = self.loop.call_later(HEAD_WAIT_S, self._head_late)

    def _head_done(self) -> None:
        self._head_bytes = 0
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _head_late(self) -> None:
        self._head_timer = None
        if not self.transport.is_closing():
            self._refuse(408, f"the request's head did not arrive within {HEAD_WAIT_S:.0f} s")

    def _refuse(self, status: int, detail: str) -> None:
        self._head_done()
        code = {400: "malformed", 408: "too-slow", 431: "too-large"}[status]
        body = orjson.dumps(problems.of(code, status, detail, uuid.uuid4().hex))
        head = (
            f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\n"
            f"Content-Type: {problems.MEDIA_TYPE}\r\nContent-Length: {len(body)}\r\n"
            "Connection: close\r\n\r\n"
        )
        cycle: RequestResponseCycle | None = self.cycle
        if cycle is None or cycle.response_complete:
            self.transport.write(head.encode() + body)
        # Else an earlier answer is under way on this connection, and nothing may be mixed into it.
        self.transport.close()
