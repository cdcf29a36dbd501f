"""`POST /v1/statements`: signed statements in, receipts out."""

from __future__ import annotations

from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import Response

from api import problems
from api.answers import NdjsonBytes, TextBytes
from api.bodies import Bodies, bodies_of, media_type
from api.limits import BATCH_BYTES_MAX, BATCH_LINES_MAX, BATCH_TYPE
from api.problems import TooLargeError
from api.service import ServiceOf
from ledger.entry import ENTRY_SIZE_MAX
from ledger.errors import FormatError, MingzhangError
from ledger.store.queue import raised

ENVELOPE_TYPE = "application/json"

router = APIRouter(prefix="/v1", tags=["statements"])

_ENVELOPE_SCHEMA: dict[str, Any] = {
    "title": "Envelope",
    "description": (
        "A DSSE envelope in RFC 8785 form around one statement; its body is typed by "
        "`/v1/schemas/{type}`. An envelope that is not canonical to the byte is refused."
    ),
    "type": "object",
    "additionalProperties": False,
    "required": ["payload", "payloadType", "signatures"],
    "properties": {
        "payload": {"type": "string", "contentEncoding": "base64"},
        "payloadType": {"const": "application/vnd.mingzhang.statement.v1+json"},
        "signatures": {
            "type": "array",
            "minItems": 1,
            "maxItems": 16,
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["keyid", "sig"],
                "properties": {
                    "keyid": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
                    "sig": {"type": "string", "contentEncoding": "base64"},
                },
            },
        },
    },
}
_BODY: dict[str, Any] = {
    "required": True,
    "content": {
        ENVELOPE_TYPE: {"schema": _ENVELOPE_SCHEMA},
        BATCH_TYPE: {
            "schema": {
                "type": "string",
                "description": (
                    f"One envelope a line, at most {BATCH_LINES_MAX} lines and "
                    f"{BATCH_BYTES_MAX} bytes; they are recorded in order, each for itself"
                ),
            }
        },
    },
}
_ANSWER: dict[str, Any] = {
    "description": "Recorded, now or earlier: the receipt (C2SP tlog-proof), or a result a line",
    "content": {
        "text/plain": {"schema": {"type": "string"}},
        BATCH_TYPE: {
            "schema": {
                "type": "string",
                "description": (
                    'Line by line `{"line":1,"receipt":"…"}` or `{"line":2,"problem":{…}}`'
                ),
            }
        },
    },
}


@router.post(
    "/statements",
    response_class=TextBytes,
    responses={200: _ANSWER, **problems.documented(400, 403, 408, 409, 413, 415, 422)},
    openapi_extra={"requestBody": _BODY},
)
async def post_statements(
    request: Request, service: ServiceOf, bodies: Annotated[Bodies, Depends(bodies_of)]
) -> Response:
    """Record one statement, or a batch with a result a line.

    The answer to a statement that is already recorded is the same as the first one, to the byte:
    200 both times, since who repeats a request after a lost answer cannot tell which it was. A
    batch is not atomic: each line has an outcome of its own, in the order of the lines.
    """
    kind = media_type(request, (ENVELOPE_TYPE, BATCH_TYPE))
    if kind == ENVELOPE_TYPE:
        async with bodies.envelopes.read(request, ENTRY_SIZE_MAX) as body:
            return TextBytes(raised((await service.append([body]))[0]), headers=_UNCACHED)
    async with bodies.batches.read(request, BATCH_BYTES_MAX) as body:
        outcomes = await service.append(split_lines(body))
    request_id = str(request.scope["request_id"])
    lines = [_result(at, each, request_id) for at, each in enumerate(outcomes, start=1)]
    return NdjsonBytes(b"".join(lines), headers=_UNCACHED)


_UNCACHED = {"Cache-Control": "no-store"}


def split_lines(body: bytes) -> list[bytes]:
    """Split a batch. Raises FormatError for an empty one, TooLargeError for too many lines."""
    if not body.strip():
        raise FormatError("the batch is empty: one envelope a line is needed")
    if body.count(b"\n") + (not body.endswith(b"\n")) > BATCH_LINES_MAX:
        raise TooLargeError(f"a batch has at most {BATCH_LINES_MAX} lines: send it in parts")
    return body.removesuffix(b"\n").split(b"\n")


def _result(line: int, outcome: bytes | MingzhangError, request_id: str) -> bytes:
    result: dict[str, Any] = {"line": line}
    if isinstance(outcome, MingzhangError):
        result["problem"] = problems.of_error(outcome, request_id)
    else:
        result["receipt"] = outcome.decode()
    return orjson.dumps(result, option=orjson.OPT_APPEND_NEWLINE)
