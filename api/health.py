"""Whether the process lives, and whether it can record."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from api import problems
from api.answers import JsonBytes
from api.service import ServiceOf
from ledger.errors import StoppedError

router = APIRouter(tags=["health"])
_UNCACHED = {"Cache-Control": "no-store"}


@router.get("/healthz", response_class=JsonBytes, responses=problems.documented())
async def get_health() -> Response:
    """Answer that the process lives; nothing else is looked at."""
    return JsonBytes(b'{"status":"ok"}', headers=_UNCACHED)


@router.get("/readyz", response_class=JsonBytes, responses=problems.documented())
def get_ready(service: ServiceOf) -> Response:
    """Answer 200 while the database answers and the sequencer has not stopped, else 503."""
    service.ledger.check_ready()
    try:
        if service.runner is not None:
            service.runner.check()
    except StoppedError:
        # Recording goes on without the read models, which can be rebuilt at any time.
        return JsonBytes(b'{"status":"ready","read_models":"stopped"}', headers=_UNCACHED)
    return JsonBytes(b'{"status":"ready","read_models":"following"}', headers=_UNCACHED)
