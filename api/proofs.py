"""Proofs, addressed by path alone, so that no cache can mix them up."""

from __future__ import annotations

from collections.abc import Sequence

import orjson
from fastapi import APIRouter
from starlette.responses import Response

from api import problems
from api.answers import IMMUTABLE, JsonBytes, Number
from api.service import ServiceOf
from ledger.signing import encode_base64

router = APIRouter(prefix="/v1/proofs", tags=["proofs"])


@router.get(
    "/inclusion/{size}/{index}",
    response_class=JsonBytes,
    responses=problems.documented(404, 422),
)
def get_inclusion(size: Number, index: Number, service: ServiceOf) -> Response:
    """Prove that entry `index` is in the tree of `size` (RFC 9162 section 2.1.3).

    `hashes` are base64, from the leaf to the root.
    """
    hashes = service.ledger.inclusion_proof(size, index)
    return _proof({"size": size, "index": index}, hashes)


@router.get(
    "/consistency/{old}/{new}",
    response_class=JsonBytes,
    responses=problems.documented(404, 422),
)
def get_consistency(old: Number, new: Number, service: ServiceOf) -> Response:
    """Prove that the tree of size `old` is a prefix of that of `new` (RFC 9162 section 2.1.4)."""
    hashes = service.ledger.consistency_proof(old, new)
    return _proof({"old": old, "new": new}, hashes)


def _proof(about: dict[str, int], hashes: Sequence[bytes]) -> Response:
    proof = about | {"hashes": [encode_base64(each) for each in hashes]}
    return JsonBytes(orjson.dumps(proof), headers=IMMUTABLE)
