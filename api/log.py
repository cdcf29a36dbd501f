"""The log as C2SP tlog-tiles serves it, below `/log`: checkpoint, hash tiles, entry bundles.

Beside them stand the timestamps, under the names that an export gives them.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path
from starlette.responses import Response

from api import problems
from api.answers import IMMUTABLE, NO_CACHE, Number, TextBytes, TileBytes
from api.service import ServiceOf
from ledger.errors import FormatError, NotFoundError
from ledger.log.tiles import parse_tile_path
from ledger.store.publish import timestamp_index

router = APIRouter(prefix="/log", tags=["log"])

TilePath = Annotated[
    str, Path(description="`<N>` or `<N>.p/<W>`, N in groups of three digits: `x001/x234/067`")
]
Level = Annotated[str, Path(description="`0` to `7`, or `entries`")]


@router.get("/checkpoint", response_class=TextBytes, responses=problems.documented(404))
def get_checkpoint(service: ServiceOf) -> Response:
    """Return the newest signed checkpoint."""
    return TextBytes(service.ledger.checkpoint(), headers=NO_CACHE)


@router.get(
    "/tile/{level}/{path:path}",
    response_class=TileBytes,
    responses=problems.documented(404, 422),
)
def get_tile(level: Level, path: TilePath, service: ServiceOf) -> Response:
    """Return a tile of hashes, or at level `entries` a bundle of entries."""
    try:
        parsed, n, width = parse_tile_path(f"tile/{level}/{path}")
    except FormatError as error:
        raise NotFoundError(error.message) from None
    if parsed == "entries":
        data = service.ledger.entry_tile(n, width)
    else:
        data = service.ledger.tile(parsed, n, width)
    return TileBytes(data, headers=IMMUTABLE)


@router.get("/timestamps/index", response_class=TextBytes, responses=problems.documented())
def get_timestamps(service: ServiceOf) -> Response:
    """Return which tokens are kept, a line `<size> <tsa>` each."""
    return TextBytes(timestamp_index(service.ledger), headers=NO_CACHE)


@router.get(
    "/timestamps/{size}/{name}",
    response_class=TileBytes,
    responses=problems.documented(404, 422),
)
def get_timestamp(size: Number, name: str, service: ServiceOf) -> Response:
    """Return a TSA's token, `<tsa>.tsr`, or the `checkpoint` that the tokens of a size stamp."""
    ledger = service.ledger
    if name == "checkpoint":
        tsas = [tsa for found, tsa in ledger.timestamps(ledger.size()) if found == size]
        if not tsas:
            raise NotFoundError(f"the checkpoint of size {size} has no timestamp")
        return TextBytes(ledger.timestamp(size, tsas[0])[0], headers=IMMUTABLE)
    if not name.endswith(".tsr"):
        raise NotFoundError(f"there is no {name[:100]!r} beside a stamped checkpoint")
    return TileBytes(ledger.timestamp(size, name.removesuffix(".tsr"))[1], headers=IMMUTABLE)
