"""Request bodies under limits: type, size, time, and the memory of all of them together."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from starlette.requests import Request

from api.problems import MediaTypeError, SlowBodyError, TooLargeError
from ledger.errors import BusyError

BODY_WAIT_S = 30.0
ENVELOPES_BYTES_MAX = 16 * 1024 * 1024
BATCHES_BYTES_MAX = 48 * 1024 * 1024
DOCUMENTS_BYTES_MAX = 64 * 1024 * 1024
_PARAMETERS = re.compile(r'\s*(?:;\s*charset="?utf-8"?\s*)?', re.IGNORECASE).fullmatch


def media_type(request: Request, accepted: tuple[str, ...]) -> str:
    """Return which of `accepted` a body comes as. Raises MediaTypeError for anything else.

    UTF-8 may be named; another charset, other parameters or a compressed body are refused.
    """
    encoding = request.headers.get("content-encoding", "identity")
    if encoding != "identity":
        raise MediaTypeError("a compressed body is not read: send it without Content-Encoding")
    given = request.headers.get("content-type", "")
    name, _, _ = given.partition(";")
    kind = name.strip().lower()
    if kind not in accepted or not _PARAMETERS(given[len(name) :]):
        raise MediaTypeError(f"the content type must be {' or '.join(accepted)}, in UTF-8")
    return kind


class BodyBudget:
    """Reads bodies whole, while all that are held at one time stay under `bytes_max`."""

    def __init__(self, bytes_max: int) -> None:
        self._left = bytes_max

    @asynccontextmanager
    async def read(
        self, request: Request, limit: int, wait_s: float | None = None
    ) -> AsyncIterator[bytes]:
        """Read a body of at most `limit` bytes and hold its share of the budget.

        Raises TooLargeError, SlowBodyError after `wait_s` (BODY_WAIT_S if not given), or BusyError
        when the budget is used up.
        """
        wait_s = BODY_WAIT_S if wait_s is None else wait_s
        declared = request.headers.get("content-length", "0")
        if declared.isdigit() and int(declared) > limit:
            raise _too_large(limit)
        body = bytearray()
        try:
            try:
                async with asyncio.timeout(wait_s):
                    async for chunk in request.stream():
                        if len(body) + len(chunk) > limit:
                            raise _too_large(limit)
                        if len(chunk) > self._left:
                            raise BusyError("too many large requests at once: try again", 5)
                        self._left -= len(chunk)
                        body += chunk
            except TimeoutError:
                raise SlowBodyError(
                    f"the body did not arrive within {wait_s:.0f} s: send it again"
                ) from None
            yield bytes(body)
        finally:
            self._left += len(body)


@dataclass(frozen=True, slots=True)
class Bodies:
    """Budgets of a process: large batches, however many and slow, leave room for single ones."""

    envelopes: BodyBudget = field(default_factory=lambda: BodyBudget(ENVELOPES_BYTES_MAX))
    batches: BodyBudget = field(default_factory=lambda: BodyBudget(BATCHES_BYTES_MAX))
    documents: BodyBudget = field(default_factory=lambda: BodyBudget(DOCUMENTS_BYTES_MAX))


def bodies_of(request: Request) -> Bodies:
    """Return the budgets of the process that a request came to."""
    found = request.app.state.bodies
    assert isinstance(found, Bodies)  # noqa: S101 - create_app puts it there
    return found


def _too_large(limit: int) -> TooLargeError:
    return TooLargeError(f"the body is larger than {limit} bytes, the most that is read here")
