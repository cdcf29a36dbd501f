"""What members, auditors and the committee ask: one catalogue for HTTP and the command line.

`GET /v1/ask/<name>` is open as the log is, `GET /v1/committee/ask/<name>` is for the tokens of the
committee. `mingzhang ask <name>` gives the same document from the same function.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import Response

from api import problems
from api.access import committee_member
from api.answers import NO_CACHE, JsonBytes
from api.rights import need_office
from api.service import ServiceOf
from api.views import AsOfText, views_of
from projections.asof import Wanted, parse_as_of
from projections.questions import auditors, committee, members, supposing
from projections.questions.ground import Answer, Ground, Grounds

ID, UUID = r"^[a-z0-9-]{1,64}$", r"^[0-9a-f-]{36}$"
PAGE, PAGE_MAX = 100, 1_000
_UNCACHED = {"Cache-Control": "no-store"}

EntryId = Annotated[
    str, Field(pattern=UUID, description="An entry: the id of the statement that brought it in")
]
MemberId = Annotated[str, Field(pattern=ID, description="A member's id")]
UnitId = Annotated[str, Field(pattern=ID, description="A unit's id; its sub-units count too")]
DisputeId = Annotated[str, Field(pattern=ID, description="A dispute's id")]


class Asked(BaseModel):
    """What every question takes beside its own parameters."""

    model_config = ConfigDict(extra="forbid")


class OfEntry(Asked):
    """About one entry."""

    entry: EntryId


class OfMember(Asked):
    """About one member."""

    member: MemberId


class OfDispute(Asked):
    """About one dispute."""

    dispute: DisputeId


class OfUnit(Asked):
    """About the entries of a unit, a page at a time."""

    unit: UnitId = "root"
    limit: int = Field(PAGE, ge=1, le=PAGE_MAX, description="So many of them at most")
    after: int | None = Field(None, ge=0, le=2**53, description="`after` of the page before")


class OfChanges(OfMember):
    """What changed since when."""

    since: str | None = Field(
        None, max_length=80, description="A log size or a day; else the end of the quarter before"
    )


class OfAct(Asked):
    """The act of an entry, or a kind of act."""

    entry: EntryId | None = None
    act_type: str | None = Field(None, max_length=64, description="Instead: a kind of act")
    unit: UnitId | None = None
    limit: int = Field(PAGE, ge=1, le=PAGE_MAX, description="So many of them at most")
    after: int | None = Field(None, ge=0, le=2**53, description="`after` of the page before")


class OfEntryOrDispute(Asked):
    """An entry or a dispute: one of the two."""

    entry: EntryId | None = None
    dispute: DisputeId | None = None


class OfNextBand(OfMember):
    """Whose figure, of which year."""

    period: str | None = Field(None, max_length=16, description="`2025`; else the current year")
    rulebook: str | None = Field(None, pattern=ID, description="Where there are several")


class OfPeriod(Asked):
    """One period, or all."""

    period: str | None = Field(None, pattern=ID, description="A period's id, such as school-2025")


class OfVersion(Asked):
    """Which change of a rulebook, on which table."""

    rulebook: str = Field(pattern=ID, description="A rulebook's id")
    version: str | None = Field(None, max_length=32, description="The newest one unless named")
    period: str | None = Field(None, max_length=16, description="`2025`, `2025-Q1` or `2025-03`")


class OfScope(Asked):
    """A unit."""

    unit: UnitId = "root"


class OfPairs(OfScope):
    """Pairs of scorer and member in a unit."""

    least: int = Field(3, ge=1, le=1_000_000, description="Only pairs with so many entries")
    limit: int = Field(PAGE, ge=1, le=PAGE_MAX, description="So many of them at most")


class OfViewers(OfMember):
    """Lines of the access log, newest first."""

    before: int | None = Field(None, ge=1, le=2**53, description="Lines before this number")
    limit: int = Field(PAGE, ge=1, le=PAGE_MAX, description="So many of them at most")


class OfOpenings(Asked):
    """Lines of the access log of confidential cases, newest first."""

    dispute: DisputeId | None = None
    before: int | None = Field(None, ge=1, le=2**53, description="Lines before this number")
    limit: int = Field(PAGE, ge=1, le=PAGE_MAX, description="So many of them at most")


@dataclass(frozen=True, slots=True)
class Question:
    """A question by its name; `confidential` ones are for the committee's tokens only."""

    name: str
    words: str
    model: type[Asked]
    answer: Callable[..., Answer]
    confidential: bool = False

    @property
    def help(self) -> str:
        """What the answer is, in the words of its function."""
        return inspect.getdoc(self.answer) or ""

    @property
    def path(self) -> str:
        """Where it is asked over HTTP."""
        return f"/v1/{'committee/' if self.confidential else ''}ask/{self.name}"


QUESTIONS = (
    Question("changes", "我的记录有什么变化", OfChanges, members.changes),
    Question("same-act", "同样的事别人得多少分", OfAct, members.same_act),
    Question("rule-before-use", "先公布后适用", OfEntry, members.rule_before_use),
    Question("sealed", "我的条目在封存的日志里吗", OfEntry, members.sealed),
    Question("objection", "异议到了哪一步", OfEntryOrDispute, members.objection),
    Question("next-band", "离上一档还差多少", OfNextBand, supposing.next_band),
    Question("personal-data", "更正与删除个人信息", OfMember, members.personal_data),
    Question("published", "公布的与账上算的是否一致", OfPeriod, auditors.published),
    Question("unevidenced", "没有佐证或缺文件的条目", OfUnit, auditors.unevidenced),
    Question("late", "补录按支部", OfUnit, auditors.late),
    Question("out-of-rule", "超出细则范围或时间", OfUnit, auditors.out_of_rule),
    Question("self-approved", "自批自审或未回避", OfUnit, auditors.self_approved),
    Question("reversals", "全部冲销", OfUnit, auditors.reversals),
    Question("samples", "抽样查询与种子", Asked, auditors.samples),
    Question("rule-moves", "哪次细则修改动了名次", OfVersion, supposing.rule_moves),
    Question("revoked-keys", "已撤销密钥的签名", Asked, auditors.revoked_keys),
    Question("publicity", "公示是否满期", OfUnit, auditors.publicity),
    Question("chain", "审批链与时间", OfEntry, committee.chain),
    Question("corrections", "一件事的全部更正", OfEntry, committee.corrections),
    Question("evidence", "佐证原件与摘要", OfEntry, committee.evidence, confidential=True),
    Question("comparable", "同类情形与结果", OfAct, committee.comparable, confidential=True),
    Question("relations", "已申报与漏报的关系", OfScope, committee.relations, confidential=True),
    Question("seen", "当事人何时能看到什么", OfEntry, committee.seen),
    Question("may-not-sit", "谁须回避", OfEntryOrDispute, committee.may_not_sit, confidential=True),
    Question("effect", "若冲销的影响", OfEntry, supposing.effect, confidential=True),
    Question("pairs", "同一对人的重复往来", OfPairs, committee.pairs, confidential=True),
    Question("decision", "决定与公布范围", OfDispute, committee.decision),
    Question("viewers", "谁看过我的记录", OfViewers, committee.viewers, confidential=True),
    Question("openings", "谁打开过案卷", OfOpenings, committee.openings, confidential=True),
)
"""Every question of this catalogue; the read models' own are in `views` and `boards`."""


def ask(
    grounds: Grounds, question: Question, given: Asked, wanted: Wanted | None, who: str = ""
) -> Answer:
    """Return a question's answer with the position that it holds for.

    Where `who` asks with a committee token, a look at one member's record is written down first.
    Raises what the question's function raises.
    """
    with grounds.at(wanted) as ground:
        parameters = {name: getattr(given, name) for name in type(given).model_fields}
        found = question.answer(ground, **parameters)
        if who and isinstance(found.get("member"), str):
            ground.cases.looked(found["member"], who, question.name)
        return {"question": question.name, "as_of": ground.position(), **found}


router = APIRouter(prefix="/v1", tags=["questions"])


def _route(question: Question) -> None:
    # The command line reads `as_of` itself, since it may name a checkpoint's file there.
    fields: dict[str, Any] = {"__annotations__": {"as_of": AsOfText}, "as_of": None}
    over_http = type(question.model.__name__, (question.model,), fields | {"__doc__": ""})

    def endpoint(request: Request, asked: Any, service: ServiceOf) -> Response:
        who = ""
        if question.confidential:
            who = committee_member(request, service.committee)
            need_office(service, who)
        views_of(service)
        assert service.grounds is not None  # noqa: S101 - it comes with the views
        wanted = parse_as_of(asked.as_of) if asked.as_of is not None else None
        given = question.model(**asked.model_dump(exclude={"as_of"}))
        found = ask(service.grounds, question, given, wanted, who)
        headers = _UNCACHED if question.confidential else NO_CACHE
        return JsonBytes(orjson.dumps(found), headers=headers)

    plain = inspect.signature(endpoint, eval_str=True).parameters
    # inspect reads it from any function; only the type of functions does not know it.
    endpoint.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [
            plain["request"],
            plain["asked"].replace(annotation=Annotated[over_http, Query()]),
            plain["service"],
        ]
    )
    endpoint.__name__ = f"ask_{question.name.replace('-', '_')}"
    endpoint.__doc__ = question.help
    statuses = (400, 401, 403, 404, 422, 503) if question.confidential else (400, 404, 422, 503)
    router.add_api_route(
        question.path.removeprefix("/v1"),
        endpoint,
        response_class=JsonBytes,
        responses=problems.documented(*statuses),
        summary=f"{question.words} {question.name}",
    )


for _each in QUESTIONS:
    _route(_each)

__all__ = ["QUESTIONS", "Asked", "Ground", "Question", "ask", "router"]
