"""Which cosignatures the newest checkpoint has, and whether its quorum is met."""

from __future__ import annotations

from typing import Any

import orjson
from fastapi import APIRouter
from starlette.responses import Response

from api import problems
from api.answers import NO_CACHE, JsonBytes
from api.service import ServiceOf
from ledger.log.checkpoint import parse_body
from ledger.log.note import parse
from ledger.log.policy import NONE, Policy, judge
from ledger.log.submission import Answer
from ledger.signing import encode_base64
from ledger.store.ledger import Ledger

router = APIRouter(prefix="/v1", tags=["log"])


@router.get("/witnesses", response_class=JsonBytes, responses=problems.documented(404))
def get_witnesses(service: ServiceOf) -> Response:
    """Return the newest recorded checkpoint, what each witness said of it, and the quorum.

    `quorum` is `met`, `pending` or, where none is asked for, `none`; times are POSIX seconds.
    `witnessed` is the newest checkpoint whose quorum is met, as a note with its cosignatures.
    """
    answers = service.witnessing.last_answers() if service.witnessing is not None else {}
    return JsonBytes(orjson.dumps(status(service.ledger, answers)), headers=NO_CACHE)


def status(ledger: Ledger, answers: dict[str, Answer]) -> dict[str, Any]:
    """Return what `/v1/witnesses` shows. Raises NotFoundError while nothing is signed."""
    size, note = ledger.recorded() or ledger.signed()
    policy = ledger.policy or Policy((), (), (), NONE)
    verdict = judge(policy, ledger.cosignatures.of(size))
    times = dict(verdict.counted)
    last = ledger.cosignatures.last()
    witnesses = []
    for each in policy.witnesses:
        known = last.get((each.key.name, each.key.key_id))
        answer = answers.get(each.name)
        shown: dict[str, Any] = {"name": each.name, "vkey": each.key.text}
        shown["state"] = "cosigned" if each.name in times else _state(answer)
        if known is not None:
            shown |= {"cosigned_size": known[0], "cosigned_at": known[1]}
        if answer is not None and answer.reason and each.name not in times:
            shown["reason"] = answer.reason
        witnesses.append(shown)
    asked = policy.quorum != NONE
    found: dict[str, Any] = {
        "origin": ledger.origin,
        "size": size,
        "root": encode_base64(parse_body(parse(note).text).root),
        "quorum": ("met" if verdict.met else "pending") if asked else "none",
        "witnesses": witnesses,
    }
    if verdict.completed_at is not None:
        found["completed_at"] = verdict.completed_at
    witnessed = ledger.cosignatures.witnessed(policy) if asked else None
    if witnessed is not None:
        found["witnessed"] = {
            "size": witnessed.size,
            "completed_at": witnessed.verdict.completed_at,
            "checkpoint": ledger.cosigned(witnessed.size, witnessed.note).decode(),
        }
    return found


def _state(answer: Answer | None) -> str:
    if answer is None:
        return "waiting"
    return "contradicts" if answer.contradicts else str(answer.kind)
