"""Asks time-stamping authorities for tokens on a checkpoint, and keeps the good ones.

Several are asked at the same time, each within a time limit over the whole answer, so that a slow
or dead one stalls nobody. A token is checked before it is kept: one that does not hold is refused
with its reason, and the next run asks again.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import httpx
import psycopg

from ledger.errors import BusyError, FormatError, MingzhangError, NotFoundError, ProofError
from ledger.log.checkpoint import open_checkpoint
from ledger.log.note import VerifierKey
from ledger.log.timestamp import TOKEN_SIZE_MAX, Stamp, Trust, check_token, query, stamped_note
from ledger.store.sql import query as sql

if TYPE_CHECKING:
    from psycopg_pool import ConnectionPool

TIMEOUT_S = 20.0
SKEW_MAX = timedelta(minutes=10)
"""A token's time lies so near to our own clock, or one of the two is wrong."""

_HEADERS = {"Content-Type": "application/timestamp-query", "Accept": "application/timestamp-reply"}
_OTHERS = re.compile(r"[^a-z0-9.]+")


@dataclass(frozen=True, slots=True)
class Asked:
    """What came of asking one TSA: its file name, and a token with what it says, or why not."""

    tsa: str
    token: bytes = b""
    stamp: Stamp | None = None
    reason: str = ""


def tsa_name(url: str) -> str:
    """Return the name of a TSA in file names: host, port and path. Raises FormatError."""
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL as error:
        raise FormatError(f"{url[:200]!r} is no URL: {error}") from None
    if parsed.scheme not in ("http", "https") or not parsed.host:
        raise FormatError(f"a TSA has an http or https URL, {url[:200]!r} is none")
    port = f"-{parsed.port}" if parsed.port else ""
    name = _OTHERS.sub("-", f"{parsed.host}{port}{parsed.path}".lower()).strip("-.")[:100]
    if not name:
        raise FormatError(f"no file can be named after the TSA {url[:200]!r}")
    return name


def ask(
    stamped: bytes, urls: Sequence[str], trust: Trust, timeout_s: float = TIMEOUT_S
) -> list[Asked]:
    """Ask every TSA for a token on `stamped` at the same time; return what came, in order."""
    names = [tsa_name(each) for each in urls]

    async def run() -> list[Asked]:
        async with httpx.AsyncClient(timeout=timeout_s, follow_redirects=False) as client:
            asking = [
                _ask_one(client, name, url, stamped, trust, timeout_s)
                for name, url in zip(names, urls, strict=True)
            ]
            return await asyncio.gather(*asking)

    return asyncio.run(run())


async def _ask_one(
    client: httpx.AsyncClient, name: str, url: str, stamped: bytes, trust: Trust, timeout_s: float
) -> Asked:
    asked = query(stamped)
    try:
        # One limit over all of it: a server that sends a byte now and then is not waited for.
        async with asyncio.timeout(timeout_s):
            token = await _post(client, url, asked.data)
        stamp = check_token(token, stamped, trust, asked.nonce)
        apart = abs(datetime.now(UTC) - stamp.at)
        if apart > SKEW_MAX:
            raise ProofError(
                f"its time {stamp.at:%Y-%m-%dT%H:%M:%SZ} is {apart} away from this machine's clock"
            )
    except TimeoutError:
        return Asked(name, reason=f"no answer within {timeout_s:g} s")
    except httpx.HTTPError as error:
        return Asked(name, reason=f"no answer: {str(error) or type(error).__name__}")
    except MingzhangError as error:
        return Asked(name, reason=error.message)
    return Asked(name, token, stamp)


async def _post(client: httpx.AsyncClient, url: str, data: bytes) -> bytes:
    async with client.stream("POST", url, content=data, headers=_HEADERS) as answer:
        if answer.status_code != httpx.codes.OK:
            raise FormatError(f"it answered with status {answer.status_code}")
        body = bytearray()
        async for part in answer.aiter_bytes():
            body += part
            if len(body) > TOKEN_SIZE_MAX:
                raise FormatError(f"its answer is larger than {TOKEN_SIZE_MAX} bytes")
        return bytes(body)


class Timestamps:
    """The tokens of a ledger, over `pool`; every call may raise BusyError."""

    def __init__(self, pool: ConnectionPool[Any], vkey: VerifierKey) -> None:
        self._pool = pool
        self._vkey = vkey

    def note(self, size: int | None = None) -> tuple[int, bytes]:
        """Return size and bytes to stamp of a recorded checkpoint, the newest if not told.

        Raises NotFoundError where there is none of that size.
        """
        if size is None:
            rows = self._rows("newest_note", ())
        else:
            rows = [(size, *row) for row in self._rows("note_at", (size,))]
        if not rows:
            which = "the log is empty" if size is None else f"no checkpoint of size {size} is kept"
            raise NotFoundError(f"{which}: there is nothing to stamp")
        found, data = rows[0]
        stamped = stamped_note(data, self._vkey)
        if open_checkpoint(stamped, self._vkey).size != found:
            raise ProofError(f"the note kept for size {found} is of another size")
        return found, stamped

    def kept(self, size: int) -> set[str]:
        """Return the names of the TSAs whose token on a size is kept."""
        return {tsa for found, tsa in self._rows("timestamps", (size,)) if found == size}

    def stamp(
        self, size: int | None, urls: Sequence[str], trust: Trust, timeout_s: float = TIMEOUT_S
    ) -> tuple[int, list[Asked]]:
        """Ask the TSAs that have not stamped a checkpoint yet, and keep their good tokens.

        Returns the checkpoint's size and what came of each that was asked.
        """
        found, stamped = self.note(size)
        kept = self.kept(found)
        missing = [each for each in urls if tsa_name(each) not in kept]
        asked = ask(stamped, missing, trust, timeout_s) if missing else []
        for each in asked:
            if each.stamp is not None:
                self._run("put_timestamp", (found, each.tsa, each.token))
        return found, asked

    def _rows(self, name: str, params: Sequence[Any]) -> list[Any]:
        try:
            with self._pool.connection() as connection:
                cursor = connection.cursor(binary=True)
                rows: list[Any] = cursor.execute(sql(name).encode(), params).fetchall()
                return rows
        except psycopg.OperationalError as error:
            raise BusyError(f"the database does not answer: {error}") from error

    def _run(self, name: str, params: Sequence[Any]) -> None:
        try:
            with self._pool.connection() as connection:
                connection.execute(sql(name).encode(), params)
        except psycopg.OperationalError as error:
            raise BusyError(f"the database does not answer: {error}") from error
