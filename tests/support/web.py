"""The HTTP application in this process, over a ledger that answers as a test says."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, cast

import httpx

from api.app import create_app
from api.service import Service
from ledger.errors import MingzhangError, NotFoundError
from ledger.store.ledger import Ledger

Outcome = bytes | MingzhangError


class FakeLedger:
    """Answers what a test says; it stands for no database, only for what the ledger raises."""

    def __init__(self, answer: Callable[[bytes], Outcome] = lambda envelope: b"receipt") -> None:
        self.answer = answer
        self.taken: list[bytes] = []
        self.length = 1

    def size(self) -> int:
        return self.length

    def entry(self, index: int) -> bytes:
        outcome = self.answer(b"%d" % index)
        if isinstance(outcome, MingzhangError):
            raise outcome
        return outcome

    def stream(self, stream: str, after_seq: int, limit: int) -> list[tuple[int, bytes]]:
        raise NotFoundError("no such stream")

    async def append_batch_async(self, envelopes: Sequence[bytes]) -> list[Outcome]:
        self.taken += envelopes
        return [self.answer(each) for each in envelopes]


def app_of(ledger: FakeLedger, founders: frozenset[str] = frozenset()) -> Any:
    """Return the application over `ledger`."""
    return create_app(Service(cast("Ledger", ledger), founders))


def ask(app: Any, method: str, path: str, **given: Any) -> httpx.Response:
    """Send one request to it, without a socket."""

    async def run() -> httpx.Response:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://ledger") as client:
            return await client.request(method, path, **given)

    return asyncio.run(run())
