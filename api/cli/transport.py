"""Where commands hand things in: at the ledger on this machine, or at a serving process."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn, Protocol

import httpx
import orjson

from api.cli import console
from api.cli.submit import TIMEOUT_S, Item, Outcome, append_here, post_there
from api.limits import BATCH_TYPE, SALT_HEADER
from ledger.commitment import commit
from ledger.errors import FormatError, MingzhangError, NotFoundError
from ledger.store.documents import Documents
from ledger.store.ledger import Ledger, read_origin
from ledger.store.trial import try_statements

TOKEN_VARIABLE = "MINGZHANG_DOCUMENTS_TOKEN"  # noqa: S105 - the variable's name, no token


class Transport(Protocol):
    """What an import, a commitment or an erasure needs of a ledger."""

    def put(self, data: bytes, media_type: str, salt: bytes) -> None:
        """Keep a text or file."""

    def trial(self, envelopes: Sequence[bytes]) -> list[str | None]:
        """Return for each envelope why it would be refused, None where it would not."""

    def append(self, items: Sequence[Item]) -> list[Outcome]:
        """Record statements."""

    def receipt(self, statement_id: str) -> bytes | None:
        """Return the receipt of a recorded statement, None where there is none."""


@contextmanager
def transport(data: Path | None, url: str | None) -> Iterator[Transport]:
    """Open the ledger of the folder `data`, or the serving process at `url`."""
    data = console.ledger_at(data, url)
    if data is not None:
        with Ledger.open(data) as ledger:
            documents = Documents(ledger.database.pool(0, 2))
            try:
                yield _Here(ledger, documents)
            finally:
                documents.close()
    else:
        assert url is not None  # noqa: S101 - one of the two is given
        token = os.environ.get(TOKEN_VARIABLE)
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        with httpx.Client(base_url=url.rstrip("/"), timeout=TIMEOUT_S, headers=headers) as client:
            yield _There(client)


def origin_of(log: str | None, data: Path | None, url: str | None) -> str:
    """Return the log that a statement is for: as given, or that of the data folder.

    Raises CommandError.
    """
    folder = console.ledger_at(data, url)
    if log is not None:
        return log
    if folder is None:
        raise console.CommandError("give --log, the log's origin, together with --url")
    return read_origin(folder)


class _Here:
    def __init__(self, ledger: Ledger, documents: Documents) -> None:
        self._ledger = ledger
        self._documents = documents

    def put(self, data: bytes, media_type: str, salt: bytes) -> None:
        self._documents.put(data, media_type, salt)

    def trial(self, envelopes: Sequence[bytes]) -> list[str | None]:
        found = try_statements(self._ledger, envelopes, datetime.now(UTC))
        return [None if each is None else _reason(each) for each in found]

    def append(self, items: Sequence[Item]) -> list[Outcome]:
        return append_here(self._ledger, items)

    def receipt(self, statement_id: str) -> bytes | None:
        try:
            return self._ledger.receipt(statement_id)
        except NotFoundError:
            return None


class _There:
    def __init__(self, client: httpx.Client) -> None:
        self._client = client

    def put(self, data: bytes, media_type: str, salt: bytes) -> None:
        answer = self._ask(
            "POST",
            "/v1/documents",
            content=data,
            headers={"Content-Type": media_type, SALT_HEADER: salt.hex()},
        )
        if answer.status_code != httpx.codes.OK:
            self._complain(answer)
        if answer.json().get("commitment") != commit(salt, data):
            raise FormatError("the server answered with another commitment: do not trust it")

    def trial(self, envelopes: Sequence[bytes]) -> list[str | None]:
        body = b"\n".join(envelopes) + b"\n"
        headers = {"Content-Type": BATCH_TYPE}
        answer = self._ask("POST", "/v1/trials", content=body, headers=headers)
        if answer.status_code != httpx.codes.OK:
            self._complain(answer)
        lines = [orjson.loads(line) for line in answer.content.splitlines()]
        return [line["problem"]["detail"] if "problem" in line else None for line in lines]

    def append(self, items: Sequence[Item]) -> list[Outcome]:
        return post_there(self._client, items)

    def receipt(self, statement_id: str) -> bytes | None:
        answer = self._ask("GET", f"/v1/receipts/{statement_id}")
        return answer.content if answer.status_code == httpx.codes.OK else None

    def _ask(self, method: str, path: str, **given: Any) -> httpx.Response:
        try:
            return self._client.request(method, path, **given)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise console.CommandError(f"no answer from {self._client.base_url}: {error}") from None

    def _complain(self, answer: httpx.Response) -> NoReturn:
        try:
            detail = answer.json()["detail"]
        except (ValueError, LookupError, TypeError):
            detail = f"answered {answer.status_code}"
        hint = f" (the token is taken from {TOKEN_VARIABLE})" if answer.status_code == 401 else ""
        raise console.CommandError(f"{self._client.base_url}: {detail}{hint}")


def _reason(error: MingzhangError) -> str:
    rule = getattr(error, "rule", None)
    return f"{error.message}{f' [{rule}]' if rule else ''}"
