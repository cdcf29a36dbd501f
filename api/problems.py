"""Errors as HTTP answers them: RFC 9457 problems, whoever raised them.

A problem has `type` (`urn:mingzhang:problem:<code>`, stable), `title`, `status`, `detail` (what is
wrong and what to do) and `request_id`; a refusal and a conflict also `rule` and, signed by the
service, `refusal`. Nothing that a caller
sent is repeated, apart from what the error's own message quotes, and no stack trace goes out.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import orjson
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from ledger.errors import (
    BusyError,
    ConflictError,
    ErasedError,
    MingzhangError,
    OutcomeUnknownError,
    Refused,
)
from ledger.signing import encode_base64

MEDIA_TYPE = "application/problem+json"
TYPE_PREFIX = "urn:mingzhang:problem:"

_TITLES = {
    "malformed": "Not exactly the format",
    "proof-failed": "A proof does not hold",
    "refused": "A rule does not allow this statement",
    "conflict": "The log holds something else already",
    "not-found": "Nothing is recorded under that name",
    "busy": "Busy: nothing was recorded, try again",
    "outcome-unknown": "It may be recorded: send the same statement again",
    "stopped": "The ledger records nothing more until somebody looks at it",
    "erased": "It was erased",
    "closed": "Not open here",
    "unauthorized": "A token is needed",
    "founding-not-allowed": "Founding over HTTP is not allowed here",
    "too-large": "Too large",
    "media-type": "Content type not accepted",
    "too-slow": "The request did not arrive in time",
    "no-such-path": "Nothing is served there",
    "wrong-method": "Not by this method",
    "invalid-request": "The request is not valid",
    "internal": "An error of the server",
}

_FRAMEWORK = {
    404: ("no-such-path", "nothing is served at this path: see /openapi.json"),
    405: ("wrong-method", "this path takes other methods: see the Allow header"),
}

SCHEMA: dict[str, Any] = {
    "title": "Problem",
    "description": "RFC 9457 problem details",
    "type": "object",
    "required": ["type", "title", "status", "detail", "request_id"],
    "properties": {
        "type": {"type": "string", "description": f"{TYPE_PREFIX}<code>, stable"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "What is wrong and what to do"},
        "request_id": {"type": "string"},
        "rule": {"type": "string", "description": "Name of the rule that refused"},
        "refusal": {
            "type": "string",
            "contentEncoding": "base64",
            "description": "The refusal as the service signed it: a DSSE envelope",
        },
        "erased": {
            "type": "object",
            "description": "What is left of a document: its kind, when, and by which statement",
            "additionalProperties": {"type": "string"},
        },
        "errors": {
            "type": "array",
            "description": "Each part of the request that is not valid",
            "items": {
                "type": "object",
                "required": ["where", "message"],
                "properties": {"where": {"type": "string"}, "message": {"type": "string"}},
            },
        },
    },
}


class TooLargeError(MingzhangError):
    """A body or batch is larger than is read."""

    code = "too-large"
    status = 413


class MediaTypeError(MingzhangError):
    """A body comes as something that is not read here."""

    code = "media-type"
    status = 415


class SlowBodyError(MingzhangError):
    """A body did not arrive in time."""

    code = "too-slow"
    status = 408


def of_error(error: MingzhangError, request_id: str) -> dict[str, Any]:
    """Return the problem that an error is answered with."""
    detail = error.message
    if isinstance(error, BusyError) and error.__cause__ is not None:
        # The driver's words name hosts and roles: they are for the log, not for callers.
        detail = "the database does not answer: try again in a moment"
    extra: dict[str, Any] = {}
    if isinstance(error, Refused | ConflictError):
        extra["rule"] = error.rule
    if isinstance(error, ErasedError):
        extra["erased"] = error.stub
    if error.refusal is not None:
        extra["refusal"] = encode_base64(error.refusal)
    return of(error.code, error.status, detail, request_id, **extra)


def of(code: str, status: int, detail: str, request_id: str, **extra: Any) -> dict[str, Any]:
    """Return a problem; `code` is its stable name, `extra` its further members."""
    return {
        "type": TYPE_PREFIX + code,
        "title": _TITLES[code],
        "status": status,
        "detail": detail,
        "request_id": request_id,
        **extra,
    }


def answer(problem: dict[str, Any], headers: dict[str, str] | None = None) -> Response:
    """Return the response that carries a problem; it is never cached."""
    return Response(
        orjson.dumps(problem),
        problem["status"],
        {"Cache-Control": "no-store"} | (headers or {}),
        MEDIA_TYPE,
    )


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return how OpenAPI describes the problems of a route; 500 and 503 can always come."""
    schema = {"$ref": "#/components/schemas/Problem"}
    return {
        status: {
            "description": HTTPStatus(status).phrase,
            "content": {MEDIA_TYPE: {"schema": schema}},
        }
        for status in sorted({*statuses, 500, 503})
    }


def install(app: FastAPI) -> None:
    """Have every error of `app` and of its framework answered with a problem."""
    app.add_exception_handler(MingzhangError, _on_error)
    app.add_exception_handler(HTTPException, _on_http)
    app.add_exception_handler(RequestValidationError, _on_invalid)


def _on_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, MingzhangError)  # noqa: S101 - it is installed for this class
    headers = {}
    if isinstance(error, BusyError | OutcomeUnknownError):
        headers["Retry-After"] = str(getattr(error, "retry_after_s", 1))
    if isinstance(error, TooLargeError | MediaTypeError | SlowBodyError):
        # The rest of the body is not read, so nothing that follows it can be understood.
        headers["Connection"] = "close"
    if error.status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    return answer(of_error(error, _request_id(request)), headers)


def _on_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101
    code, detail = _FRAMEWORK.get(error.status_code, ("invalid-request", str(error.detail)))
    problem = of(code, error.status_code, detail, _request_id(request))
    return answer(problem, dict(error.headers or {}))


def _on_invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101
    errors = [
        {"where": "/".join(str(step) for step in each["loc"]), "message": _words(each["msg"])}
        for each in error.errors()
    ]
    detail = "; ".join(f"{each['where']}: {each['message']}" for each in errors)
    return answer(of("invalid-request", 422, detail, _request_id(request), errors=errors))


def _words(message: str) -> str:
    """Return a validation message without the name of the exception that carried it."""
    return message.removeprefix("Value error, ")


def _request_id(request: Request) -> str:
    return str(request.scope.get("request_id", ""))
