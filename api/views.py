"""`GET /v1/rankings/{unit}` and `GET /v1/members/{id}/statement`: the read models' answers.

Both take `as_of` and say which log position they hold for. Points are signed hundredths.
"""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from api import problems
from api.access import check_rankings
from api.answers import NO_CACHE, JsonBytes
from api.service import Service, ServiceOf
from ledger.errors import BusyError, FormatError
from projections.asof import Wanted, parse_as_of
from projections.fold import AsOf
from projections.rankings import Ranking, Standing
from projections.statements import Line, MemberStatement
from projections.views import Views

PAGE_PLACES, PAGE_PLACES_MAX = 100, 1_000
AS_OF_MAX = 1_800

router = APIRouter(prefix="/v1", tags=["answers"])

Ident = Annotated[str, Path(pattern=r"^[a-z0-9-]{1,64}$")]
AsOfText = Annotated[
    str | None,
    Field(
        max_length=AS_OF_MAX,
        description=(
            "A log size, a day of recording, or a signed checkpoint in base64url; without it, all "
            "that is folded"
        ),
    ),
]


class AsOfQuery(BaseModel):
    """Which position of the log."""

    model_config = ConfigDict(extra="forbid")

    as_of: AsOfText = None

    def wanted(self) -> Wanted | None:
        """Return the prefix that is asked for. Raises FormatError."""
        return wanted(self.as_of)


class RankingQuery(BaseModel):
    """Which table, and which part of it: `after` is the `next` of the page before."""

    model_config = ConfigDict(extra="forbid")

    period: str = Field(max_length=16, description="`2025`, `2025-Q1` or `2025-03`")
    rulebook: str | None = Field(None, pattern=r"^[a-z0-9-]{1,64}$")
    type: str | None = Field(None, max_length=64, description="Only members of this type")
    category: str | None = Field(None, max_length=64, description="Only what this module counted")
    limit: int = Field(PAGE_PLACES, ge=1, le=PAGE_PLACES_MAX)
    after: str | None = Field(None, max_length=400)
    as_of: AsOfText = None


class StatementQuery(BaseModel):
    """Which part of a statement: entries behind a place in the member's stream."""

    model_config = ConfigDict(extra="forbid")

    after: int = Field(0, ge=0, le=2**53 - 1)
    limit: int = Field(PAGE_PLACES, ge=1, le=PAGE_PLACES_MAX)
    as_of: AsOfText = None


@router.get(
    "/rankings/{unit}",
    response_class=JsonBytes,
    responses=problems.documented(400, 403, 404, 422, 503),
)
def get_ranking(
    unit: Ident, page: Annotated[RankingQuery, Query()], service: ServiceOf
) -> Response:
    """Return a page of the ranking of a unit with its sub-units.

    Only where the ledger's configuration turns them on. The first page also has who is not ranked,
    and why. `provisional` tables are by the daily figure, until the democratic review is closed.
    """
    check_rankings(service.publish_rankings)
    only = {"rulebook": page.rulebook, "member_type": page.type, "category": page.category}
    after = _cursor(page.after) if page.after is not None else None
    found = views_of(service).ranking_page(
        unit, page.period, page.limit, after, wanted(page.as_of), **only
    )
    return _answer(ranking_json(found, page.limit))


@router.get(
    "/members/{ident}/statement",
    response_class=JsonBytes,
    responses=problems.documented(400, 404, 422, 503),
)
def get_statement(
    ident: Ident, page: Annotated[StatementQuery, Query()], service: ServiceOf
) -> Response:
    """Return a member's figures and a page of entries.

    Each with its worth, what it counts, what clipped it, and the whole of its way.
    """
    found = views_of(service).statement(
        ident, wanted(page.as_of), after=page.after, limit=page.limit
    )
    return _answer(statement_json(found))


def views_of(service: Service) -> Views:
    """Return what answers from read models. Raises BusyError where this process has none."""
    if service.views is None:
        raise BusyError("this process answers nothing from read models")
    return service.views


def ranking_json(found: Ranking, limit: int) -> dict[str, Any]:
    """Return a page as JSON's types."""
    last = found.standings[-1] if len(found.standings) == limit else None
    excellent = found.excellent
    return {
        **position(found.as_of),
        "unit": found.unit,
        "rulebook": found.rulebook,
        "period": found.period.text,
        "member_type": found.asked.member_type,
        "category": found.asked.category,
        "first": found.days.first,
        "last": found.days.last,
        "provisional": found.provisional,
        "standings": [each._asdict() for each in found.standings],
        "not_ranked": [each._asdict() for each in found.asides],
        "full_members": found.full,
        "excellent": excellent
        and {
            "limit": excellent.limit,
            "members": list(excellent.members),
            "tied": list(excellent.tied),
            "seats": excellent.seats,
        },
        "next": _text_of(last) if last is not None else None,
    }


def statement_json(found: MemberStatement) -> dict[str, Any]:
    """Return a page of a statement as JSON's types."""
    member = found.member
    return {
        **position(found.as_of),
        "member": member.id,
        "unit": member.unit,
        "member_type": member.member_type,
        "status": member.status,
        "figures": [each._asdict() for each in found.figures],
        "entries": [_line_json(each) for each in found.lines],
        "next": found.lines[-1].entry.seq if found.more else None,
    }


def _line_json(line: Line) -> dict[str, Any]:
    entry = line.entry._asdict()
    del entry["whole"]
    return entry | {
        "names": list(line.names),
        "worth": line.worth,
        "counted": line.counted,
        "would_count": line.would,
        "clipped": [{"stage": stage, "by": by} for stage, by in line.clipped],
        "unpriced": line.unpriced,
        "due": line.due and {"term": line.due.term, "last_day": line.due.due},
        "adjusts": list(line.adjusts),
        "shown": [each._asdict() for each in line.shown],
        "steps": [
            step.row._asdict()
            | {"signers": [{"actor": s.actor, "roles": list(s.roles)} for s in step.signers]}
            for step in line.steps
        ],
    }


def position(as_of: AsOf) -> dict[str, Any]:
    """Return which position of the log an answer holds for, as every answer says it."""
    return {
        "as_of": {
            "size": as_of.size,
            "recorded_at": as_of.recorded_at,
            "not_counted": list(as_of.parked),
        }
    }


def _answer(value: dict[str, Any]) -> Response:
    return JsonBytes(orjson.dumps(value), headers=NO_CACHE)


def wanted(text: str | None) -> Wanted | None:
    """Return the prefix that a question asks for. Raises FormatError."""
    return parse_as_of(text) if text is not None else None


def _text_of(last: Standing) -> str:
    """Return the cursor behind a place: where the next page goes on."""
    return urlsafe_b64encode(orjson.dumps(list(last[:5]))).decode().rstrip("=")


def _cursor(text: str) -> Standing:
    """Read a cursor. Raises FormatError."""
    try:
        value = orjson.loads(urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        position, rank, member, unit, score = value
        kinds = [(position, int), (rank, int), (member, str), (unit, str), (score, int)]
        if any(type(each) is not kind for each, kind in kinds) or abs(score) >= 2**62:
            raise ValueError
    except ValueError:
        raise FormatError("`after` is not the `next` of a page: begin without it") from None
    return Standing(position, rank, member, unit, score)
