"""`/v1/documents`: texts and files that the log's commitments stand for."""

from __future__ import annotations

import asyncio
import re
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Depends, Header, Path
from starlette.requests import Request
from starlette.responses import Response

from api import problems
from api.access import check_token
from api.answers import JsonBytes
from api.bodies import Bodies, bodies_of, media_type
from api.limits import SALT_HEADER
from api.service import Service, ServiceOf
from ledger.errors import FormatError
from ledger.store.documents import Documents
from ledger.store.media import FILE_BYTES_MAX, MEDIA_TYPES

UPLOAD_WAIT_S = 120.0

router = APIRouter(prefix="/v1", tags=["documents"])

_UNCACHED = {"Cache-Control": "no-store"}
_HEX64 = re.compile(r"[0-9a-f]{64}").fullmatch
Commitment = Annotated[
    str, Path(pattern="^[0-9a-f]{64}$", description="SHA-256(salt ‖ bytes), lower-case hex")
]
Salt = Annotated[
    str | None,
    Header(
        alias=SALT_HEADER,
        description="The uploader's own salt (64 hex digits); without it one is made here",
    ),
]
_BODY: dict[str, Any] = {
    "required": True,
    "content": {each: {"schema": {"type": "string"}} for each in MEDIA_TYPES},
}
_BYTES: dict[str, Any] = {
    "description": f"The bytes as they were handed in, the salt in the header {SALT_HEADER}",
    "content": {each: {"schema": {"type": "string"}} for each in MEDIA_TYPES},
}


def _open(request: Request, service: Service) -> Documents:
    """Return the store, for a request that may use it."""
    check_token(request, service.documents_token)
    assert service.documents is not None  # noqa: S101 - open_service opens both together
    return service.documents


@router.post(
    "/documents",
    response_class=JsonBytes,
    responses=problems.documented(400, 401, 403, 408, 409, 413, 415, 422),
    openapi_extra={"requestBody": _BODY},
)
async def post_document(
    request: Request,
    service: ServiceOf,
    bodies: Annotated[Bodies, Depends(bodies_of)],
    salt: Salt = None,
) -> Response:
    """Keep a text or file, and answer its commitment and salt.

    The bytes must be what the content type says; pictures are measured, archives are judged
    before anything in them is inflated. With a salt of the uploader's own the same request again
    has the same answer.
    """
    store = _open(request, service)
    if salt is not None and _HEX64(salt) is None:
        raise FormatError(f"{SALT_HEADER} must be 64 lower-case hex digits")
    kind = media_type(request, MEDIA_TYPES)
    async with bodies.documents.read(request, FILE_BYTES_MAX, UPLOAD_WAIT_S) as body:
        given = bytes.fromhex(salt) if salt is not None else None
        commitment, kept = await asyncio.to_thread(store.put, body, kind, given)
    answer = {"commitment": commitment, "salt": kept.hex(), "kind": kind}
    return JsonBytes(orjson.dumps(answer), headers=_UNCACHED)


@router.get(
    "/documents/{commitment}",
    response_class=Response,
    responses={200: _BYTES, **problems.documented(401, 403, 404, 410, 422)},
)
def get_document(request: Request, commitment: Commitment, service: ServiceOf) -> Response:
    """Return a text or file; 410 with the stub (`erased`) where it was erased."""
    found = _open(request, service).get(commitment)
    headers = {
        SALT_HEADER: found.salt.hex(),
        "Content-Disposition": "attachment",
        **_UNCACHED,
    }
    # UTF-8 is checked for text when it is handed in; a table may be in another encoding.
    return Response(found.data, headers=headers, media_type=found.kind)
