"""The outermost layer of every request: its id, limits, headers of the answer, and its log line.

It is plain ASGI, so that bodies stream through it untouched.
"""

from __future__ import annotations

import re
import time
import uuid
from typing import Any

import structlog
from starlette.datastructures import MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api import problems

HEADERS_BYTES_MAX = 16 * 1024
TARGET_BYTES_MAX = 2 * 1024
CLIENT_GONE = 499
"""Logged where the caller went away before its answer; it never goes over the wire."""

_SANE_ID = re.compile(r"[A-Za-z0-9._-]{1,64}").fullmatch
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_SECURITY = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}
_logger = structlog.stdlib.get_logger("mingzhang.http")


class Gate:
    """ASGI middleware; answers what no handler did with a problem of status 500."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request through."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started_s = time.perf_counter()
        request_id = _request_id(scope)
        scope["request_id"] = request_id
        status = 0

        async def send_marked(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers["X-Request-ID"] = request_id
                for name, value in _SECURITY.items():
                    # A page has a policy of its own, which allows its script and style.
                    headers.setdefault(name, value)
            await send(message)

        with structlog.contextvars.bound_contextvars(request_id=request_id):
            try:
                refusal = _oversized(scope, request_id)
                app = problems.answer(refusal, _CLOSE) if refusal else self._app
                await app(scope, receive, send_marked)
            except ClientDisconnect:
                status = status or CLIENT_GONE
            except Exception as error:
                _logger.error("unexpected error", exc_info=error)
                if status == 0:
                    detail = "the server failed; its log has the details under this request id"
                    answer = problems.answer(problems.of("internal", 500, detail, request_id))
                    await answer(scope, receive, send_marked)
            finally:
                _logger.info(
                    "request",
                    method=scope["method"] if scope["method"] in _METHODS else "other",
                    route=getattr(scope.get("route"), "path", None),
                    status=status,
                    duration_ms=round((time.perf_counter() - started_s) * 1000, 2),
                )


_CLOSE = {"Connection": "close"}


def _request_id(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name == b"x-request-id":
            given = value.decode("latin-1")
            if _SANE_ID(given):
                return str(given)
    return uuid.uuid4().hex


def _oversized(scope: Scope, request_id: str) -> dict[str, Any] | None:
    """Return the problem of a request line or of headers that are longer than is read."""
    target = len(scope.get("raw_path") or scope["path"]) + len(scope["query_string"])
    if target > TARGET_BYTES_MAX:
        return problems.of(
            "too-large", 414, f"the address is longer than {TARGET_BYTES_MAX} bytes", request_id
        )
    if sum(len(name) + len(value) for name, value in scope["headers"]) > HEADERS_BYTES_MAX:
        return problems.of(
            "too-large", 431, f"the headers are longer than {HEADERS_BYTES_MAX} bytes", request_id
        )
    return None
