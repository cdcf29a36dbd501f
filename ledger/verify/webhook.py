"""Sends a monitor's queued reports to a webhook, oldest first, each until it is confirmed.

A report is confirmed by any 2xx status. The receiver may get one twice (its answer was lost), so
each carries the header `Idempotency-Key`. What cannot be sent now stays queued.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import httpx

from ledger.errors import FormatError
from ledger.verify.place import Place

TIMEOUT_S = 10.0
TRIES = 3
WAIT_S = 1.0
SENT_MAX = 100
"""Reports sent in one go, so that a long queue does not hold up the next look."""


def check_url(url: str) -> None:
    """Raise FormatError unless `url` is one that reports can be sent to."""
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL as error:
        raise FormatError(f"{url[:200]!r} is no URL: {error}") from None
    if parsed.scheme not in ("http", "https") or not parsed.host:
        raise FormatError(f"a webhook is an http or https URL, {url[:200]!r} is none")


def deliver(place: Place, url: str, wait: Callable[[float], None] = time.sleep) -> str | None:
    """Send what is queued; return why it could not all be sent, None if it could."""
    with httpx.Client(timeout=TIMEOUT_S, follow_redirects=False) as client:
        for number, body in place.posts(SENT_MAX):
            why = _send(client, url, number, body, wait)
            if why is not None:
                return why
            place.posted(number)
    return None


def _send(
    client: httpx.Client, url: str, number: int, body: str, wait: Callable[[float], None]
) -> str | None:
    headers = {"Content-Type": "application/json", "Idempotency-Key": f"mingzhang-{number}"}
    why: str | None = None
    for left in reversed(range(TRIES)):
        try:
            answer = client.post(url, content=body.encode(), headers=headers)
        except httpx.HTTPError as error:
            why = str(error) or type(error).__name__
        else:
            if answer.is_success:
                return None
            why = f"it answered with status {answer.status_code}"
        if left:
            wait(WAIT_S * 4 ** (TRIES - 1 - left))
    return why
