"""Notice board, rule usage, roster, funds and erasures over HTTP, each with its log position.

Points are signed hundredths. Scorer activity is among the committee's questions.
"""

from __future__ import annotations

from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Query
from pydantic import Field
from starlette.responses import Response

from api import problems
from api.answers import NO_CACHE, JsonBytes
from api.service import ServiceOf
from api.views import AsOfQuery, Ident, position, views_of
from projections.activity import Activity
from projections.funds import Funds, FundSheet
from projections.notices import Board
from projections.reconciliation import Reconciliation
from projections.redactions import Redactions
from projections.usage import Usage

router = APIRouter(prefix="/v1", tags=["answers"])


class TableQuery(AsOfQuery):
    """Which period, and which rulebook where the unit has several."""

    period: str = Field(max_length=16, description="`2025`, `2025-Q1` or `2025-03`")
    rulebook: str | None = Field(None, pattern=r"^[a-z0-9-]{1,64}$")


@router.get(
    "/notices/{unit}", response_class=JsonBytes, responses=problems.documented(400, 404, 422, 503)
)
def get_notices(unit: Ident, asked: Annotated[AsOfQuery, Query()], service: ServiceOf) -> Response:
    """Return what is in publicity in a unit and those below it, what ends first first.

    Tables of periods and entries; anybody may object until the end of the day `until`.
    """
    return _answer(board_json(views_of(service).board(unit, asked.wanted())))


@router.get(
    "/usage/{unit}", response_class=JsonBytes, responses=problems.documented(400, 404, 422, 503)
)
def get_usage(unit: Ident, asked: Annotated[TableQuery, Query()], service: ServiceOf) -> Response:
    """Return how a rulebook's items were used in a period's own days, by item and unit."""
    found = views_of(service).usage(unit, asked.period, asked.wanted(), asked.rulebook)
    return _answer(usage_json(found))


@router.get(
    "/rosters/{unit}", response_class=JsonBytes, responses=problems.documented(400, 404, 422, 503)
)
def get_roster(unit: Ident, asked: Annotated[TableQuery, Query()], service: ServiceOf) -> Response:
    """Return whether exempt + scored + not taking part is the roster, unit by unit."""
    found = views_of(service).reconciliation(unit, asked.period, asked.wanted(), asked.rulebook)
    return _answer(reconciliation_json(found))


@router.get("/funds", response_class=JsonBytes, responses=problems.documented(400, 404, 422, 503))
def get_funds(asked: Annotated[AsOfQuery, Query()], service: ServiceOf) -> Response:
    """Return every reward fund: endowed = redeemed + stock."""
    return _answer(funds_json(views_of(service).funds(asked.wanted())))


@router.get(
    "/funds/{ident}", response_class=JsonBytes, responses=problems.documented(400, 404, 422, 503)
)
def get_fund(ident: Ident, asked: Annotated[AsOfQuery, Query()], service: ServiceOf) -> Response:
    """Return a reward fund with its moves; one that was taken back says so."""
    return _answer(fund_json(views_of(service).fund(ident, asked.wanted())))


@router.get(
    "/redactions", response_class=JsonBytes, responses=problems.documented(400, 404, 422, 503)
)
def get_redactions(asked: Annotated[AsOfQuery, Query()], service: ServiceOf) -> Response:
    """Return what was erased, by whom and why, newest first; the entries themselves stay."""
    return _answer(redactions_json(views_of(service).redactions(asked.wanted())))


def board_json(found: Board) -> dict[str, Any]:
    """Return a notice board as JSON's types."""
    return {
        **position(found.as_of),
        "unit": found.unit,
        "tables": [each._asdict() for each in found.tables],
        "entries": [each._asdict() for each in found.entries],
    }


def usage_json(found: Usage) -> dict[str, Any]:
    """Return the use of items as JSON's types."""
    return {
        **position(found.as_of),
        "unit": found.asked.unit,
        "rulebook": found.rulebook,
        "period": found.asked.period.text,
        "first": found.days.first,
        "last": found.days.last,
        "items": [each._asdict() for each in found.items],
    }


def reconciliation_json(found: Reconciliation) -> dict[str, Any]:
    """Return how a roster comes out as JSON's types."""
    return {
        **position(found.as_of),
        "unit": found.asked.unit,
        "rulebook": found.rulebook,
        "period": found.asked.period.text,
        "day": found.day,
        "total": found.total,
        "confirmed": found.confirmed,
        "balanced": found.balanced,
        "units": [each._asdict() | {"balanced": each.balanced} for each in found.units],
    }


def activity_json(found: Activity) -> dict[str, Any]:
    """Return the activity of scorers as JSON's types; hours with two decimals."""
    return {
        **position(found.as_of),
        "unit": found.unit,
        "month": found.month,
        "activity": [each._asdict() for each in found.found],
    }


def funds_json(found: Funds) -> dict[str, Any]:
    """Return every fund as JSON's types."""
    return {**position(found.as_of), "funds": [each._asdict() for each in found.funds]}


def fund_json(found: FundSheet) -> dict[str, Any]:
    """Return a fund with its moves as JSON's types."""
    moves = [each._asdict() for each in found.moves]
    return {**position(found.as_of), **found.fund._asdict(), "moves": moves}


def redactions_json(found: Redactions) -> dict[str, Any]:
    """Return erasures as JSON's types."""
    erased = [each._asdict() | {"actors": each.actors.split()} for each in found.found]
    return {**position(found.as_of), "erased": erased}


def _answer(value: dict[str, Any]) -> Response:
    return JsonBytes(orjson.dumps(value), headers=NO_CACHE)
