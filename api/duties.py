"""What waits for whom, and where an entry is: `/v1/tasks` and `/v1/way`."""

from __future__ import annotations

from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from api import problems
from api.answers import NO_CACHE, JsonBytes
from api.desk import TASKS_MAX, Desk, Tasks, Whereabouts
from api.entries import StatementId
from api.service import Service, ServiceOf
from api.views import AsOfQuery, AsOfText, position, wanted
from ledger.domain.duty import Duty

router = APIRouter(prefix="/v1", tags=["way"])


class TasksOf(BaseModel):
    """Whose tasks, and how many at most."""

    model_config = ConfigDict(extra="forbid")

    actor: str = Field(pattern=r"^[a-z0-9-]{1,64}$")
    limit: int = Field(TASKS_MAX, ge=1, le=TASKS_MAX)
    as_of: AsOfText = None


@router.get("/tasks", response_class=JsonBytes, responses=problems.documented(400, 404, 422, 503))
def get_tasks(asked: Annotated[TasksOf, Query()], service: ServiceOf) -> Response:
    """Return the steps that wait for an actor: first those whose turn it is, soonest first.

    `people` are all who may take the step by the rules, `turn` whose turn it is, `due` the last
    day of its term. With `as_of` they are those of the day on which that position was recorded.
    """
    found = _desk(service).tasks(asked.actor, asked.limit, wanted(asked.as_of))
    return JsonBytes(orjson.dumps(shown_tasks(asked.actor, found)), headers=NO_CACHE)


@router.get(
    "/way/{statement_id}",
    response_class=JsonBytes,
    responses=problems.documented(400, 404, 422, 503),
)
def get_way(
    statement_id: StatementId, asked: Annotated[AsOfQuery, Query()], service: ServiceOf
) -> Response:
    """Return where an entry is, named by the statement that brought it in.

    Its state, every step with the people who took it, the last day of the term that runs, and
    what it waits for.
    """
    found = _desk(service).where(statement_id, asked.wanted())
    return JsonBytes(orjson.dumps(shown_way(found)), headers=NO_CACHE)


def shown_tasks(actor: str, found: Tasks) -> dict[str, Any]:
    """Return an actor's tasks as JSON; `more` says that not all entries were looked at."""
    return {
        **position(found.as_of),
        "actor": actor,
        "tasks": [shown_duty(each) for each in found.duties],
        "more": found.more,
    }


def shown_duty(duty: Duty) -> dict[str, Any]:
    """Return a step that waits as JSON."""
    return duty._asdict()


def shown_way(found: Whereabouts) -> dict[str, Any]:
    """Return where an entry is as JSON; points and quantity are hundredths."""
    entry = found.entry
    return {
        **position(found.as_of),
        "entry": entry.id,
        "member": found.member,
        "today": found.today,
        "state": entry.state,
        "kind": entry.kind,
        "rulebook": entry.rulebook,
        "version": entry.version,
        "item": entry.item,
        "points": entry.points,
        "quantity": entry.quantity,
        "act_date": entry.act_date,
        "due": found.due,
        "lapses": entry.lapses,
        "reverses": entry.reverses,
        "reversed_by": entry.reversed_by,
        "steps": [each._asdict() for each in found.steps],
        "waits": [shown_duty(each) for each in found.waits],
    }


def _desk(service: Service) -> Desk:
    assert service.desk is not None  # noqa: S101 - open_service always makes one
    return service.desk
