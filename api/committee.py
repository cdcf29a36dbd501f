"""`/v1/committee`: what the discipline committee and intake ask, each by a token of their own."""

from __future__ import annotations

import asyncio
from dataclasses import fields
from datetime import UTC, datetime
from typing import Annotated, Any, TypeVar

import orjson
from fastapi import APIRouter, Depends, Path, Query
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.requests import Request
from starlette.responses import Response

from api import problems, shown
from api.access import ClosedError, committee_member
from api.answers import JsonBytes
from api.boards import activity_json
from api.bodies import Bodies, bodies_of, media_type
from api.rights import need_office
from api.service import Service, ServiceOf
from api.tables.writer import write_table
from api.views import AsOfQuery, AsOfText
from api.views import wanted as prefix
from ledger.entry import format_instant
from ledger.errors import FormatError, NotFoundError
from ledger.store.media import XLSX
from ledger.store.register import ACCESS_PAGE_MAX, PURPOSE_MAX, Filed, Register
from projections.asof import Wanted as AsOfWanted
from projections.finding import (
    HEADER,
    PAGE_MAX,
    Page,
    Wanted,
    debits_after,
    table_rows,
)
from projections.views import Views

JSON = "application/json"
FILED_BYTES_MAX = 256 * 1024
_UNCACHED = {"Cache-Control": "no-store"}
_ID = r"^[a-z0-9-]{1,64}$"
_DAY = r"^\d{4}-\d\d-\d\d$"

M = TypeVar("M", bound=BaseModel)
router = APIRouter(prefix="/v1/committee", tags=["committee"])
UnitId = Annotated[str, Path(pattern=_ID, description="A unit's id")]
DisputeId = Annotated[str, Path(pattern=_ID, description="A dispute's id")]


class XlsxBytes(Response):
    """An Excel table."""

    media_type = XLSX


class Question(BaseModel):
    """Any conditions, all of which an entry must meet; dates are inclusive, amounts hundredths."""

    model_config = ConfigDict(extra="forbid")

    scorer: str | None = Field(None, pattern=_ID, description="proposed, checked or reviewed it")
    reviewer: str | None = Field(None, pattern=_ID, description="or signed it on the short path")
    unit: str | None = Field(None, pattern=_ID, description="with its sub-units")
    member: str | None = Field(None, pattern=_ID)
    rulebook: str | None = Field(None, pattern=_ID)
    item: str | None = Field(None, max_length=64)
    act_type: str | None = Field(None, max_length=64)
    kind: str | None = Field(None, pattern="^(credit|debit|reversal)$")
    origin: str | None = Field(None, pattern="^(claim|direct|import|correction)$")
    state: str | None = Field(None, pattern="^[a-z]{1,32}$")
    act_from: str | None = Field(None, pattern=_DAY)
    act_to: str | None = Field(None, pattern=_DAY)
    recorded_from: str | None = Field(None, pattern=_DAY)
    recorded_to: str | None = Field(None, pattern=_DAY)
    amount_min: int | None = Field(None, ge=-(2**53), le=2**53)
    amount_max: int | None = Field(None, ge=-(2**53), le=2**53)
    reversed: bool | None = None
    as_of: AsOfText = None

    def wanted(self) -> Wanted:
        """Return the conditions. Raises FormatError for a day that there is not."""
        given = {each.name: getattr(self, each.name) for each in fields(Wanted)}
        for name in ("act_from", "act_to", "recorded_from", "recorded_to"):
            _real(given[name])
        return Wanted(**given)

    def position(self) -> AsOfWanted | None:
        """Return the prefix of the log that is asked for. Raises FormatError."""
        return prefix(self.as_of)


class PageQuestion(Question):
    """A question with which page of the answer."""

    limit: int = Field(100, ge=1, le=PAGE_MAX)
    after: int | None = Field(None, ge=0, le=2**53)


class CasesQuestion(AsOfQuery):
    """Which disputes: the open ones, or all."""

    every: bool = False


class ActivityQuestion(AsOfQuery):
    """Which month of recording."""

    month: str = Field(max_length=16, description="such as `2025-03`")


class AccessQuestion(BaseModel):
    """Which lines of the access log, newest first."""

    model_config = ConfigDict(extra="forbid")

    dispute: str | None = Field(None, pattern=_ID)
    before: int | None = Field(None, ge=1, le=2**53)
    limit: int = Field(100, ge=1, le=ACCESS_PAGE_MAX)


class Opening(BaseModel):
    """What a confidential case is opened for."""

    model_config = ConfigDict(extra="forbid")

    purpose: str = Field(min_length=1, max_length=PURPOSE_MAX)


class Filing(BaseModel):
    """What a filer handed in: an envelope, or an anonymous report with the target read from it."""

    model_config = ConfigDict(extra="forbid")

    envelope: str = Field(max_length=FILED_BYTES_MAX)
    member: str | None = Field(None, pattern=_ID)
    target: dict[str, str] | None = None


def _real(day: str | None) -> None:
    try:
        datetime.strptime(day or "2000-01-01", "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        raise FormatError(f"{day} is no day of the calendar") from None


def _open(request: Request, service: Service) -> tuple[str, Views, Register]:
    """Return who asks, and what is asked, for a request that may."""
    actor = committee_member(request, service.committee)
    need_office(service, actor)
    if service.views is None or service.cases is None:
        raise ClosedError("this process has no read models")
    return actor, service.views, service.cases


def _looking(request: Request, service: Service, question: Question) -> Views:
    """Return what is asked, after a look at one member's record was written down."""
    actor, views, register = _open(request, service)
    if question.member is not None:
        register.looked(question.member, actor, "entries")
    return views


def _json(value: Any) -> Response:
    return JsonBytes(orjson.dumps(value), headers=_UNCACHED)


def _now() -> str:
    return format_instant(datetime.now(UTC))


@router.get(
    "/entries", response_class=JsonBytes, responses=problems.documented(400, 401, 403, 404, 422)
)
def get_entries(
    request: Request, question: Annotated[PageQuestion, Query()], service: ServiceOf
) -> Response:
    """Return entries that meet all conditions, newest first, with who took which step.

    `after` of the answer is `after` of the next page: a page that found few of many may hold fewer
    than `limit` and still go on. `as_of` is the position that it holds for.
    """
    views = _looking(request, service, question)
    asked = (question.wanted(), question.limit, question.after, question.position())
    return _json(shown.page(views.entries(*asked)))


@router.get(
    "/entries.xlsx",
    response_class=XlsxBytes,
    responses=problems.documented(400, 401, 403, 404, 422),
)
def get_entries_table(
    request: Request, question: Annotated[Question, Query()], service: ServiceOf
) -> Response:
    """Return all entries that meet the conditions as an Excel table, every cell text."""
    views = _looking(request, service, question)
    page = views.all_entries(question.wanted(), question.position())
    name = f"entries-{page.as_of.size}.xlsx"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', **_UNCACHED}
    return XlsxBytes(write_table(HEADER, table_rows(page), XLSX), headers=headers)


@router.get(
    "/activity/{unit}",
    response_class=JsonBytes,
    responses=problems.documented(400, 401, 403, 404, 422),
)
def get_activity(
    request: Request,
    unit: UnitId,
    question: Annotated[ActivityQuestion, Query()],
    service: ServiceOf,
) -> Response:
    """Return who took which steps in a unit and those below it in a month.

    `hours` is the median since the step before of the same entry, null where there was none.
    """
    _, views, _ = _open(request, service)
    return _json(activity_json(views.activity(unit, question.month, question.wanted())))


@router.get(
    "/disputes", response_class=JsonBytes, responses=problems.documented(400, 401, 403, 404, 422)
)
def get_disputes(
    request: Request, question: Annotated[CasesQuestion, Query()], service: ServiceOf
) -> Response:
    """Return disputes with the term that runs, what is near or passed first.

    With `as_of` they are looked at on the day on which that position was recorded.
    """
    _, views, _ = _open(request, service)
    position = question.wanted()
    when = _now() if position is None else None
    return _json(shown.cases(views.disputes(when, position, every=question.every)))


@router.get(
    "/disputes/{ident}",
    response_class=JsonBytes,
    responses=problems.documented(400, 401, 403, 404, 422),
)
def get_dispute(
    request: Request, ident: DisputeId, question: Annotated[AsOfQuery, Query()], service: ServiceOf
) -> Response:
    """Return a dispute as the log tells it, with its steps: neither filer nor target."""
    _, views, _ = _open(request, service)
    position = question.wanted()
    when = _now() if position is None else None
    return _json(shown.case_file(views.dispute(ident, when, position)))


@router.post(
    "/disputes/{ident}/open",
    response_class=JsonBytes,
    responses=problems.documented(400, 401, 403, 404, 408, 413, 415, 422),
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {JSON: {"schema": Opening.model_json_schema()}},
        }
    },
)
async def open_case(
    request: Request,
    ident: DisputeId,
    service: ServiceOf,
    bodies: Annotated[Bodies, Depends(bodies_of)],
) -> Response:
    """Open a confidential case: who did so and what for is written down first.

    `retaliation` lists debits on the filer soon after filing, where the filer is a known member.
    """
    actor, views, register = _open(request, service)
    need_office(service, actor, case=ident)
    given = await _body(request, bodies, Opening)
    found = await asyncio.to_thread(register.open, ident, actor, given.purpose)
    debits = await asyncio.to_thread(debits_on, views, found)
    return _json(shown.filed(found, debits))


@router.post(
    "/disputes/{ident}/filed",
    response_class=JsonBytes,
    responses=problems.documented(400, 401, 403, 408, 409, 413, 415, 422),
    openapi_extra={
        "requestBody": {"required": True, "content": {JSON: {"schema": Filing.model_json_schema()}}}
    },
)
async def file_case(
    request: Request,
    ident: DisputeId,
    service: ServiceOf,
    bodies: Annotated[Bodies, Depends(bodies_of)],
) -> Response:
    """Keep what was filed, and answer the commitments that `dispute.received` carries."""
    _, _, register = _open(request, service)
    given = await _body(request, bodies, Filing)
    kept = (ident, given.envelope.encode(), given.member, given.target)
    filer, target = await asyncio.to_thread(register.file, *kept)
    return _json({"filer": filer, "target": target})


@router.get("/access", response_class=JsonBytes, responses=problems.documented(401, 403, 422))
def get_access(
    request: Request, question: Annotated[AccessQuestion, Query()], service: ServiceOf
) -> Response:
    """Return who opened confidential cases, when and what for, newest first."""
    _, _, register = _open(request, service)
    lines = register.accesses(question.dispute, question.before, question.limit)
    return _json({"accesses": [shown.access(each) for each in lines]})


def debits_on(views: Views, found: Filed) -> Page | None:
    """Return debits on the filer soon after the case was received; None for an unknown member."""
    if found.member is None:
        return None
    try:
        file = views.dispute(found.dispute, _now())
    except NotFoundError:
        # It is not in the log yet: the day on which it was handed in will do.
        day = found.stored_at.astimezone(UTC).date().isoformat()
    else:
        day = file.received_on
    return views.all_entries(debits_after(found.member, day))


async def _body(request: Request, bodies: Bodies, model: type[M]) -> M:
    media_type(request, (JSON,))
    async with bodies.envelopes.read(request, FILED_BYTES_MAX) as body:
        try:
            return model.model_validate_json(body)
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(str(each) for each in first["loc"]) or "the body"
            raise FormatError(f"{place}: {first['msg']}") from None
