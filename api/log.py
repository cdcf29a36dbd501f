"""The log as C2SP tlog-tiles serves it, below `/log`: checkpoint, hash tiles, entry bundles."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path
from starlette.responses import Response

from api import problems
from api.answers import IMMUTABLE, NO_CACHE, TextBytes, TileBytes
from api.service import ServiceOf
from ledger.errors import FormatError, NotFoundError
from ledger.log.tiles import parse_tile_path

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
