"""`GET /v1/committee/bundles/{entry}`: what an entry rests on, to be checked without the server."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from api import problems
from api.access import committee_member
from api.boards import AsOfQuery
from api.entries import StatementId
from api.rights import need_office
from api.service import ServiceOf
from api.views import views_of
from api.web.standalone import verify_page
from projections.asof import Wanted
from projections.questions import hearing
from projections.questions.ground import Grounds

router = APIRouter(prefix="/v1/committee", tags=["committee"])


class ZipBytes(Response):
    """A ZIP archive."""

    media_type = "application/zip"


@router.get(
    "/bundles/{entry}",
    response_class=ZipBytes,
    responses=problems.documented(400, 401, 403, 404, 422),
)
def get_bundle(
    request: Request, entry: StatementId, asked: Annotated[AsOfQuery, Query()], service: ServiceOf
) -> Response:
    """Return the bundle of an entry for a hearing, with the evidence that is kept, as a ZIP."""
    who = committee_member(request, service.committee)
    need_office(service, who)
    views_of(service)
    assert service.grounds is not None  # noqa: S101 - it comes with the views
    data = bundle(service.ledger.vkey, service.grounds, entry, asked.wanted(), who)
    headers = {"Content-Disposition": f'attachment; filename="{entry}.zip"'}
    return ZipBytes(data, headers=headers | {"Cache-Control": "no-store"})


def bundle(vkey: str, grounds: Grounds, entry: str, wanted: Wanted | None, who: str = "") -> bytes:
    """Return an entry's bundle; where `who` asks with a token, the look is written down."""
    with grounds.at(wanted) as ground:
        data = hearing.bundle(ground, entry, vkey, verify_page().encode())
        if who:
            ground.cases.looked(ground.entry(entry)[0], who, "bundle")
        return data
