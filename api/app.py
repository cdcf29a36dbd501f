"""The HTTP application: `create_app` puts the routers together."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import metadata
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from api import (
    boards,
    committee,
    documents,
    duties,
    entries,
    health,
    hearing,
    log,
    problems,
    proofs,
    questions,
    statements,
    states,
    trials,
    views,
    witnesses,
)
from api.bodies import Bodies
from api.gate import Gate
from api.service import Service
from api.web import pages

_DESCRIPTION = (
    "Signed statements in, receipts and proofs out. Nothing is served beyond the newest signed "
    "checkpoint. Every error is an RFC 9457 problem. Reads may be cached as their headers say."
)


def create_app(service: Service) -> FastAPI:
    """Return the application that answers from `service`, which its opener closes."""

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        service.start()
        yield

    app = FastAPI(
        title="Mingzhang",
        version=metadata.version("mingzhang"),
        description=_DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        lifespan=lifespan,
    )
    app.state.service = service
    app.state.bodies = Bodies()
    for each in (
        statements,
        trials,
        documents,
        committee,
        entries,
        duties,
        views,
        boards,
        questions,
        hearing,
        states,
        proofs,
        log,
        witnesses,
        health,
        pages,
    ):
        app.include_router(each.router)
    problems.install(app)
    app.add_middleware(Gate)
    app.openapi = lambda: _openapi(app)  # type: ignore[method-assign]
    return app


def _openapi(app: FastAPI) -> dict[str, Any]:
    """Describe the application, with the one shape that all its problems have."""
    if not app.openapi_schema:
        document = get_openapi(
            title=app.title,
            version=app.version,
            description=app.description,
            routes=app.routes,
        )
        components = document.setdefault("components", {})
        components["schemas"] = {"Problem": problems.SCHEMA}
        app.openapi_schema = document
    return app.openapi_schema
