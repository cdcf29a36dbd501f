"""The kinds of tables: their columns, and what statement a row's values become.

Texts and files are `Text` until the importer has put commitments in their place.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from api.tables.cells import (
    CellError,
    choice,
    code,
    count,
    day,
    evidence,
    figure,
    file_or_commitment,
    hundredths,
    ident,
    opaque,
    score,
    several,
    statement_id,
    text_or_commitment,
    version,
)

Build = Callable[[Mapping[str, Any], bool], tuple[str, str, dict[str, Any]]]


def _shown(value: Any) -> str:
    if isinstance(value, int):
        return figure(value)
    if isinstance(value, list):
        return ";".join(
            f"{each['kind']}:{each['commitment']}" if isinstance(each, dict) else str(each)
            for each in value
        )
    return str(value)


@dataclass(frozen=True, slots=True)
class Column:
    """One column: names, how a cell is read (raises FormatError) and shown again, an example."""

    name: str
    zh: str
    read: Callable[[str], Any]
    example: str
    required: bool = True
    choices: tuple[str, ...] = ()
    show: Callable[[Any], str] = _shown

    @property
    def header(self) -> str:
        """What the header cell of a template says."""
        return f"{self.zh} {self.name}"


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of table; `build` turns a row's values into (type, stream, body)."""

    name: str
    zh: str
    columns: tuple[Column, ...]
    build: Build
    together: tuple[str, ...] = ()
    """Columns whose equal cells make rows parts of one statement."""

    def column(self, header: str) -> Column | None:
        """Return the column that a header cell names: in Chinese, in English, or both."""
        wanted = " ".join(unicodedata.normalize("NFKC", header).casefold().split())
        for each in self.columns:
            if wanted in (each.name, each.zh.casefold(), each.header.casefold()):
                return each
        return None


_SIGN = {"credit": "points.awarded", "debit": "points.deducted"}
_ACCOUNT = choice(merit="考评", service="服务")
_KIND = choice(credit="加分", debit="扣分")
_REVIEW = choice(normal="普通", dual="双重")
_PLACE = choice(committee="支委", upper="上级")
_CREDIT_DEBIT = ("加分 credit", "扣分 debit")


def _claim(values: Mapping[str, Any], direct: bool) -> tuple[str, str, dict[str, Any]]:
    body = {name: value for name, value in values.items() if name != "member"}
    body.setdefault("evidence", [])
    stream = f"member/{values['member']}"
    if not direct:
        return "points.claimed", stream, body
    statement_type = _SIGN[body.pop("kind")]
    if "points" not in body:
        raise CellError(_header_of(CLAIMS, "points"), "it is empty")
    return statement_type, stream, body


def _plain(statement_type: str) -> Build:
    """Return what builds statements of a type whose body has the table's columns, by name."""

    def build(values: Mapping[str, Any], _direct: bool) -> tuple[str, str, dict[str, Any]]:
        body = {name: value for name, value in values.items() if name != "member"}
        return statement_type, f"member/{values['member']}", body

    return build


def _committee(values: Mapping[str, Any], _direct: bool) -> tuple[str, str, dict[str, Any]]:
    body = {name: value for name, value in values.items() if name != "member"}
    body.setdefault("opened", [])
    return "points.reviewed", f"member/{values['member']}", body


def _review(values: Mapping[str, Any], _direct: bool) -> tuple[str, str, dict[str, Any]]:
    sheet = {name: values[name] for name in ("receipt", "score") if name in values}
    body = {"member": values["member"], "sheets": [sheet]}
    return "review.recorded", f"period/{values['period']}", body


def cells_of(
    kind: Kind, statement_type: str, stream: str, body: Mapping[str, Any]
) -> list[list[str]]:
    """Return the rows that give a recorded statement again; what is secret as commitments."""
    owner = stream.partition("/")[2]
    values = dict(body)
    if kind is CLAIMS:
        # Who claims without a word on it claims a credit.
        values.setdefault("kind", "credit")
    for sign, each in _SIGN.items():
        if statement_type == each:
            values["kind"] = sign
    if kind is REVIEW:
        values["period"] = owner
        parts = [values | sheet for sheet in body["sheets"]]
    else:
        values["member"] = owner
        parts = [values]
    return [[_cell(each, part.get(each.name)) for each in kind.columns] for part in parts]


def _cell(column: Column, value: Any) -> str:
    return "" if value is None else column.show(value)


def _header_of(kind: Kind, name: str) -> str:
    return next(each.header for each in kind.columns if each.name == name)


_MEMBER = Column("member", "党员编号", ident, "m-1")
_ENTRY = Column("entry", "申报编号", statement_id, "0198c3a0-0000-7000-8000-000000000000")
_FILLED = Column("filled", "补位事由", text_or_commitment, "支委仅一人可审", required=False)

CLAIMS = Kind(
    "claims",
    "积分申报",
    (
        _MEMBER,
        Column("kind", "加减", _KIND, "加分 credit", choices=_CREDIT_DEBIT),
        Column("rulebook", "细则", ident, "rules"),
        Column("version", "版本", version, "1.0.0"),
        Column("item", "条目", code, "C-1"),
        Column("quantity", "数量", hundredths, "1", required=False),
        Column("points", "积分", hundredths, "2.50", required=False),
        Column("act_date", "行为日期", day, "2026-03-31"),
        Column("activity", "活动", ident, "clean-up-3", required=False),
        Column("deed", "事迹", ident, "deed-7", required=False),
        Column("covers", "覆盖时段末日", several(day), "2026-01-31;2026-02-28", required=False),
        Column("reason", "事由", text_or_commitment, "参加三月环境整治"),
        Column("evidence", "佐证", evidence, "photo:IMG_1.jpg", required=False),
        Column("late_reason", "补录事由", text_or_commitment, "当时住院", required=False),
    ),
    _claim,
)
MEMBERS = Kind(
    "members",
    "党员名册",
    (
        _MEMBER,
        Column("unit", "单位", ident, "east"),
        Column("member_type", "类型", code, "ordinary"),
        Column("actor", "签名人", ident, "m-1-phone", required=False),
        Column("date", "入册日期", day, "2026-01-05", required=False),
    ),
    _plain("member.enrolled"),
)
EXEMPTIONS = Kind(
    "exemptions",
    "免考名单",
    (
        _MEMBER,
        Column("from", "首日", day, "2026-07-01"),
        Column("until", "末日", day, "2026-12-31", required=False),
        Column("cause", "原因", code, "illness"),
    ),
    _plain("member.exempted"),
)
CHECKS = Kind(
    "checks",
    "小组初审",
    (
        _MEMBER,
        _ENTRY,
        Column("review", "审定方式", _REVIEW, "普通 normal", choices=("普通 normal", "双重 dual")),
        Column("reviewers", "审定人数", count, "2", show=str),
        _FILLED,
    ),
    _plain("points.checked"),
)
COMMITTEE = Kind(
    "committee",
    "支委审定",
    (
        _MEMBER,
        _ENTRY,
        Column("place", "席位", _PLACE, "支委 committee", choices=("支委 committee", "上级 upper")),
        Column("points", "积分", hundredths, "2.50", required=False),
        Column("opened", "已阅佐证", several(opaque), "ab" * 32, required=False),
        _FILLED,
    ),
    _committee,
)
REVIEW = Kind(
    "review",
    "民主评议",
    (
        Column("period", "考评期", ident, "2026"),
        _MEMBER,
        Column("receipt", "回执", opaque, "ab" * 32),
        Column("score", "分数", score, "90.5", required=False),
    ),
    _review,
    together=("period", "member"),
)
OPENING = Kind(
    "opening",
    "期初结转",
    (
        _MEMBER,
        Column("rulebook", "细则", ident, "rules"),
        Column("account", "账户", _ACCOUNT, "考评 merit", choices=("考评 merit", "服务 service")),
        Column("kind", "加减", _KIND, "加分 credit", choices=_CREDIT_DEBIT),
        Column("points", "积分", hundredths, "85.00"),
        Column("period", "年度首日", day, "2025-01-01"),
        Column("act_date", "行为日期", day, "2025-12-31"),
        Column("sheet", "原台账", file_or_commitment, "2025.xlsx"),
        Column("reason", "事由", text_or_commitment, "2025年度结转"),
        Column("closes", "公示截止", day, "2026-01-16"),
    ),
    _plain("points.imported"),
)
TYPES = MappingProxyType(
    {
        "points.claimed": CLAIMS,
        "points.awarded": CLAIMS,
        "points.deducted": CLAIMS,
        "member.enrolled": MEMBERS,
        "member.exempted": EXEMPTIONS,
        "points.checked": CHECKS,
        "points.reviewed": COMMITTEE,
        "review.recorded": REVIEW,
        "points.imported": OPENING,
    }
)
"""Which table a recorded statement belongs in."""
KINDS = MappingProxyType(
    {each.name: each for each in (CLAIMS, CHECKS, COMMITTEE, MEMBERS, EXEMPTIONS, REVIEW, OPENING)}
)
