"""The HTTP application of a witness (C2SP tlog-witness)."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Depends, FastAPI, Request
from starlette.responses import Response

from api import problems
from api.answers import NO_CACHE
from api.bodies import BodyBudget
from api.gate import Gate
from api.witness.service import Witness
from ledger.entry import ENTRY_SIZE_MAX
from ledger.log.witness import REQUEST_SIZE_MAX, TEXT_TYPE, Rejected

BODIES_BYTES_MAX = 4 * 1024 * 1024
BODY_WAIT_S = 10.0
ENVELOPE_BYTES_MAX = ENTRY_SIZE_MAX

router = APIRouter()


def create_witness_app(witness: Witness) -> FastAPI:
    """Return the application that answers from `witness`."""
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False)
    app.state.witness = witness
    app.state.bodies = BodyBudget(BODIES_BYTES_MAX)
    app.include_router(router)
    problems.install(app)
    app.add_middleware(Gate)
    return app


def _witness(request: Request) -> Witness:
    found = request.app.state.witness
    assert isinstance(found, Witness)  # noqa: S101 - create_witness_app puts it there
    return found


WitnessOf = Annotated[Witness, Depends(_witness)]


@router.post("/add-checkpoint")
async def add_checkpoint(request: Request, witness: WitnessOf) -> Response:
    """Cosign a checkpoint that extends the kept one."""
    bodies: BodyBudget = request.app.state.bodies
    async with bodies.read(request, REQUEST_SIZE_MAX, BODY_WAIT_S) as body:
        # It waits for the disk: the other requests go on meanwhile.
        outcome = await asyncio.to_thread(witness.add, body)
    if isinstance(outcome, Rejected):
        # Starlette would add a charset to a text type of ours, and clients compare it whole.
        return Response(outcome.body, outcome.status, {"Content-Type": outcome.media_type})
    return Response(outcome, 200, {"Content-Type": TEXT_TYPE})


@router.post("/deposit")
async def deposit(request: Request, witness: WitnessOf) -> Response:
    """Sign, with the time, that a statement for a known log was shown; its envelope is the body."""
    bodies: BodyBudget = request.app.state.bodies
    async with bodies.read(request, ENVELOPE_BYTES_MAX, BODY_WAIT_S) as body:
        outcome = await asyncio.to_thread(witness.deposit, body)
    return Response(outcome, 200, {"Content-Type": TEXT_TYPE})


@router.get("/{origin_hash}/checkpoint")
def get_checkpoint(origin_hash: str, witness: WitnessOf) -> Response:
    """Return the newest cosigned checkpoint of the log whose origin has that SHA-256, in hex."""
    return Response(witness.checkpoint(origin_hash), 200, NO_CACHE | {"Content-Type": TEXT_TYPE})


@router.get("/healthz")
async def get_health() -> Response:
    """Answer that the process lives; nothing else is looked at."""
    return Response(b'{"status":"ok"}', 200, {"Content-Type": "application/json"})
