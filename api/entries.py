"""What is recorded: entries, streams, receipts, and the schemas of statements."""

from __future__ import annotations

from typing import Annotated

import orjson
from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from api import problems
from api.answers import (
    IMMUTABLE,
    NO_CACHE,
    JsonBytes,
    NdjsonBytes,
    Number,
    SchemaBytes,
    TextBytes,
)
from api.service import ServiceOf
from ledger.canonical import INTEGER_MAX
from ledger.entry import STREAM_KINDS
from ledger.errors import NotFoundError
from ledger.schema import schemas
from ledger.store.reader import STREAM_PAGE_MAX

router = APIRouter(prefix="/v1", tags=["entries"])

_UUID = r"^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$"
StreamKind = Annotated[str, Path(pattern=f"^(?:{'|'.join(STREAM_KINDS)})$")]
StreamId = Annotated[str, Path(pattern=r"^[a-z0-9-]{1,64}$")]
StatementId = Annotated[str, Path(pattern=_UUID, description="A statement's UUIDv7")]


class StreamPage(BaseModel):
    """Which part of a stream: what follows a `seq`, so many entries at most."""

    model_config = ConfigDict(extra="forbid")

    after_seq: int = Field(0, ge=0, le=INTEGER_MAX)
    limit: int = Field(100, ge=1, le=STREAM_PAGE_MAX)


@router.get("/entries/{index}", response_class=JsonBytes, responses=problems.documented(404, 422))
def get_entry(index: Number, service: ServiceOf) -> Response:
    """Return an entry's exact leaf bytes: SHA-256(00 ‖ these) is its leaf hash."""
    return JsonBytes(service.ledger.entry(index), headers=IMMUTABLE)


@router.get(
    "/streams/{kind}/{ident}",
    response_class=NdjsonBytes,
    responses={
        200: {
            "description": (
                'A line an entry: `{"index":…,"entry":{…}}`, the entry byte for byte; a `Link` '
                "with `rel=next` where the page is full"
            )
        },
        **problems.documented(404, 422),
    },
)
def get_stream(
    kind: StreamKind, ident: StreamId, page: Annotated[StreamPage, Query()], service: ServiceOf
) -> Response:
    """Return the signed entries of a stream, in order."""
    stream = f"{kind}/{ident}"
    found = service.ledger.stream(stream, page.after_seq, page.limit)
    if not found and page.after_seq == 0:
        raise NotFoundError(f"no signed entry is in the stream {stream}")
    headers = dict(NO_CACHE)
    if len(found) == page.limit:
        # A stream counts its entries from 1 without gaps.
        last = page.after_seq + len(found)
        headers["Link"] = f'</v1/streams/{stream}?after_seq={last}&limit={page.limit}>; rel="next"'
    lines = [b'{"index":%d,"entry":%b}\n' % each for each in found]
    return NdjsonBytes(b"".join(lines), headers=headers)


@router.get(
    "/receipts/{statement_id}", response_class=TextBytes, responses=problems.documented(404, 422)
)
def get_receipt(statement_id: StatementId, service: ServiceOf) -> Response:
    """Return the receipt of a statement, the same bytes as it was answered with."""
    return TextBytes(service.ledger.receipt(statement_id), headers=IMMUTABLE)


@router.get(
    "/schemas/{statement_type}",
    response_class=SchemaBytes,
    responses=problems.documented(404, 422),
)
async def get_schema(statement_type: str) -> Response:
    """Return the JSON Schema (2020-12) that bodies of a statement type are held to."""
    schema = schemas().get(statement_type)
    if schema is None:
        raise NotFoundError("no such statement type is known to this ledger")
    return SchemaBytes(orjson.dumps(schema), headers={"Cache-Control": "public, max-age=300"})
