"""`GET /v1/committee/bundles/{entry}`: the papers of an entry, to be checked without the server."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from api import problems
from api.access import committee_member
from api.bundles import make
from api.entries import StatementId
from api.questions import ID
from api.rights import need_office
from api.service import ServiceOf
from api.views import views_of
from ledger.archive import write_stored
from ledger.errors import NotFoundError

router = APIRouter(prefix="/v1/committee", tags=["committee"])

Size = Annotated[
    int | None,
    Query(
        ge=1,
        description="The size of the checkpoint that all receipts are under; by default the newest "
        "that has its witnesses' quorum.",
    ),
]

Case = Annotated[
    str | None,
    Query(
        pattern=ID,
        description="The dispute about the entry that it is for, where another unit than the "
        "member's handles it.",
    ),
]


class ZipBytes(Response):
    """A ZIP archive."""

    media_type = "application/zip"


@router.get(
    "/bundles/{entry}",
    response_class=ZipBytes,
    responses=problems.documented(400, 401, 403, 404, 422),
)
def get_bundle(
    request: Request,
    entry: StatementId,
    service: ServiceOf,
    case: Case = None,
    size: Size = None,
) -> Response:
    """Return the bundle of an entry for a hearing, as `mingzhang bundle hearing` writes it.

    It holds texts and files, so it goes to an office over the member's unit, or over the unit that
    handles a case about the entry. The look is written down before it is given.
    """
    who = committee_member(request, service.committee)
    need_office(service, who, case=case)
    views_of(service)
    assert service.cases is not None  # noqa: S101 - it comes with the views
    assert service.grounds is not None  # noqa: S101 - it comes with the views
    assert service.bundles is not None  # noqa: S101 - it comes with the views
    with service.grounds.at(None) as ground:
        member, _ = ground.entry(entry)
        if case is None:
            need_office(service, who, member=member)
        elif service.cases.open(case, who, "the hearing's papers").target.get("entry") != entry:
            raise NotFoundError(f"dispute {case} is not about the entry {entry}")
        data = write_stored(make.hearing_bundle(service.bundles, entry, None, size))
        ground.cases.looked(member, who, "bundle")
    headers = {"Content-Disposition": f'attachment; filename="{entry}.zip"'}
    return ZipBytes(data, headers=headers | {"Cache-Control": "no-store"})
