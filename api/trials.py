"""`POST /v1/trials`: what the log would say to statements, without recording any."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import Response

from api import problems
from api.access import check_token
from api.answers import NdjsonBytes
from api.bodies import Bodies, bodies_of, media_type
from api.limits import BATCH_BYTES_MAX, BATCH_TYPE
from api.service import ServiceOf
from api.statements import split_lines
from ledger.store.trial import try_statements

router = APIRouter(prefix="/v1", tags=["statements"])

_BODY: dict[str, Any] = {
    "required": True,
    "content": {BATCH_TYPE: {"schema": {"type": "string", "description": "One envelope a line"}}},
}


@router.post(
    "/trials",
    response_class=NdjsonBytes,
    responses=problems.documented(400, 401, 403, 408, 413, 415, 422),
    openapi_extra={"requestBody": _BODY},
)
async def post_trial(
    request: Request, service: ServiceOf, bodies: Annotated[Bodies, Depends(bodies_of)]
) -> Response:
    """Answer line by line `{"line":1}`, or with the `problem` that would be the answer.

    Nothing is recorded. It reads all that decisions depend on, so it needs the documents' token.
    """
    check_token(request, service.documents_token)
    media_type(request, (BATCH_TYPE,))
    async with bodies.batches.read(request, BATCH_BYTES_MAX) as body:
        lines = split_lines(body)
    now = datetime.now(UTC)
    found = await asyncio.to_thread(try_statements, service.ledger, lines, now)
    request_id = str(request.scope["request_id"])
    answers: list[dict[str, Any]] = []
    for line, error in enumerate(found, start=1):
        problem = {} if error is None else {"problem": problems.of_error(error, request_id)}
        answers.append({"line": line, **problem})
    done = b"".join(orjson.dumps(each, option=orjson.OPT_APPEND_NEWLINE) for each in answers)
    return NdjsonBytes(done, headers={"Cache-Control": "no-store"})
