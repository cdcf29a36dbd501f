"""What is open over HTTP, and to whom: documents, rankings, the committee's questions."""

from __future__ import annotations

import hashlib
import hmac
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from starlette.requests import Request

from ledger.entry import is_id
from ledger.errors import MingzhangError, StartRefusedError
from ledger.store.ledger import CONFIG_FILE

SETTING = "documents_token_sha256"
RANKINGS_SETTING = "publish_rankings"
_HEX64 = re.compile(r"[0-9a-f]{64}").fullmatch


COMMITTEE = "committee"


class ClosedError(MingzhangError):
    """What is asked for is not open over HTTP here."""

    code: ClassVar[str] = "closed"
    status = 403


class UnauthorizedError(MingzhangError):
    """A request came without the bearer token, or with another one."""

    code: ClassVar[str] = "unauthorized"
    status = 401


def read_token_digest(data_dir: Path) -> bytes | None:
    """Return the SHA-256 of the token that a ledger's configuration names, None without one.

    Raises StartRefusedError if that is no digest.
    """
    path = data_dir / CONFIG_FILE
    given = _setting(path, SETTING)
    if given is None:
        return None
    if not isinstance(given, str) or _HEX64(given) is None:
        raise StartRefusedError(
            f"`{SETTING}` in {path} must be the SHA-256 of the token in 64 lower-case hex digits: "
            "printf %s TOKEN | sha256sum"
        )
    return bytes.fromhex(given)


def read_publish_rankings(data_dir: Path) -> bool:
    """Tell whether a ledger's configuration turns rankings on over HTTP; they are off by default.

    Raises StartRefusedError for anything but true or false.
    """
    path = data_dir / CONFIG_FILE
    given = _setting(path, RANKINGS_SETTING)
    if given is not None and not isinstance(given, bool):
        raise StartRefusedError(f"`{RANKINGS_SETTING}` in {path} must be true or false")
    return bool(given)


def _setting(path: Path, name: str) -> object:
    try:
        return tomllib.loads(path.read_text()).get(name)
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise StartRefusedError(f"cannot read {path}: {error}") from None


def check_rankings(published: bool) -> None:
    """Raise ClosedError unless rankings are turned on."""
    if not published:
        raise ClosedError(
            f"rankings are not published here: turn them on with `{RANKINGS_SETTING} = true` in "
            f"{CONFIG_FILE}, or ask on the ledger's own machine with `mingzhang ranking`"
        )


def check_token(request: Request, digest: bytes | None) -> None:
    """Raise ClosedError or UnauthorizedError unless the request carries the right bearer token."""
    if digest is None:
        raise ClosedError(
            f"documents are not open over HTTP here: name a token's digest as `{SETTING}` in "
            f"{CONFIG_FILE}, or work on the ledger's own machine with --data"
        )
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    given = hashlib.sha256(token.strip().encode()).digest()
    if scheme.lower() != "bearer" or not hmac.compare_digest(given, digest):
        raise UnauthorizedError("this needs the header `Authorization: Bearer TOKEN`")


def read_committee(data_dir: Path) -> dict[str, bytes]:
    """Return the SHA-256 of each committee member's token, by actor, that the configuration names.

    That is a table `[committee]` with a line `actor = "digest"` for each: who opens a confidential
    case is written down by this name. Raises StartRefusedError if it is anything else.
    """
    path = data_dir / CONFIG_FILE
    try:
        given = tomllib.loads(path.read_text()).get(COMMITTEE, {})
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise StartRefusedError(f"cannot read {path}: {error}") from None
    named = given.items() if isinstance(given, dict) else [("", given)]
    for actor, digest in named:
        if not is_id(actor) or not isinstance(digest, str) or _HEX64(digest) is None:
            raise StartRefusedError(
                f"`[{COMMITTEE}]` in {path} must name actors, each with the SHA-256 of a token of "
                "their own in 64 lower-case hex digits: printf %s TOKEN | sha256sum"
            )
    return {actor: bytes.fromhex(digest) for actor, digest in named}


def committee_member(request: Request, tokens: Mapping[str, bytes]) -> str:
    """Return the actor whose bearer token a request carries.

    Raises ClosedError where the configuration names nobody, UnauthorizedError for another token.
    """
    if not tokens:
        raise ClosedError(
            f"the committee's questions are not open over HTTP here: name its members under "
            f"`[{COMMITTEE}]` in {CONFIG_FILE}, or work on the ledger's own machine with --data"
        )
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    given = hashlib.sha256(token.strip().encode()).digest()
    found = None
    for actor, digest in tokens.items():
        if hmac.compare_digest(given, digest):
            found = actor
    if scheme.lower() != "bearer" or found is None:
        raise UnauthorizedError("this needs the header `Authorization: Bearer TOKEN`")
    return found
