"""Kinds of answers, by media type, and how long each may be cached."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Path
from pydantic import BeforeValidator
from starlette.responses import Response

from ledger.canonical import INTEGER_MAX

IMMUTABLE = {"Cache-Control": "public, max-age=31536000, immutable"}
"""For what is the same for ever once it exists: entries, receipts, proofs, tiles."""
NO_CACHE = {"Cache-Control": "no-cache"}
"""For what grows: a cache asks again each time."""


class JsonBytes(Response):
    """JSON that is ready as bytes."""

    media_type = "application/json"


class NdjsonBytes(Response):
    """One JSON value a line."""

    media_type = "application/x-ndjson"


class SchemaBytes(Response):
    """A JSON Schema."""

    media_type = "application/schema+json"


class TextBytes(Response):
    """A receipt or a checkpoint; UTF-8 is named, as C2SP asks."""

    media_type = "text/plain"


class TileBytes(Response):
    """A tile, as C2SP tlog-tiles names its type."""

    media_type = "application/octet-stream"


def _decimal(value: Any) -> Any:
    """Accept one spelling of a number only, so that one proof has one address."""
    if isinstance(value, str):
        if not (value.isascii() and value.isdigit()) or (value[0] == "0" and value != "0"):
            raise ValueError("a decimal without sign or leading zeros is needed")
        if len(value) > len(str(INTEGER_MAX)):
            raise ValueError("the number is too large")
    return value


Number = Annotated[int, BeforeValidator(_decimal), Path(ge=0, le=INTEGER_MAX)]
"""A size or index in a path: an integer from 0, written in one way."""
