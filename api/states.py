"""`GET /v1/states/{period}/{tree}/{as_of}/{member}`: the proof of a sealed balance or rank."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path
from starlette.responses import Response

from api import problems
from api.access import check_rankings
from api.answers import IMMUTABLE, JsonBytes, Number
from api.service import ServiceOf
from api.views import Ident, views_of
from ledger.state import RANKING
from projections.commitments import prove_sealed

router = APIRouter(prefix="/v1", tags=["proofs"])

Tree = Annotated[str, Path(pattern=r"^(members|ranking)$")]


@router.get(
    "/states/{period}/{tree}/{as_of}/{member}",
    response_class=JsonBytes,
    responses=problems.documented(403, 404, 422, 503),
)
def get_state_proof(
    period: Ident, tree: Tree, as_of: Number, member: Ident, service: ServiceOf
) -> Response:
    """Prove a member's sealed balance or rank.

    Or, of the `members` tree, that it has no such member. The file holds the receipt of the
    `state.sealed`, and `mingzhang verify state` checks it. Ranks only where the ledger's
    configuration turns rankings on.
    """
    if tree == RANKING:
        check_rankings(service.publish_rankings)
    found = prove_sealed(service.ledger, views_of(service).state, period, tree, as_of, member)
    return JsonBytes(found.data(), headers=IMMUTABLE)
