"""Rankings and statements as plain text, Chinese and English together.

The text depends on the answer alone, so the same answer gives the same bytes wherever it comes
from: a test, and anyone with the exported log, compares them.
"""

from __future__ import annotations

from collections.abc import Sequence
from unicodedata import combining, east_asian_width

from ledger.domain.member import ACTIVE, LEFT, SUSPENDED
from projections.fold import AsOf
from projections.rankings import Ranking
from projections.roster import UnitRow
from projections.statements import MemberStatement, Step

MINUS = "−"
PARKED_SHOWN = 5
_GAP = "  "
_STATUS = {ACTIVE: "在册 active", SUSPENDED: "暂停 suspended", LEFT: "离开 left"}
_TYPE = {
    "points.awarded": "加分 award",
    "points.deducted": "扣分 deduction",
    "points.corrected": "更正 correction",
}


def points(hundredths: int, *, signed: bool = True) -> str:
    """Write signed hundredths as points: `+2`, `−0.5`, `0`; without `signed`, no plus sign."""
    whole, part = divmod(abs(hundredths), 100)
    text = f"{whole}.{part:02d}".rstrip("0").rstrip(".") if part else str(whole)
    if hundredths < 0:
        return MINUS + text
    return f"+{text}" if signed and hundredths else text


def ranking_text(ranking: Ranking) -> str:
    """Return a ranking as a table, one line a member."""
    period = ranking.period
    days = f"{period.text} ({period.first} – {period.last})"
    head = [
        f"积分排行 Ranking · {_unit(ranking.units[ranking.unit])} · {days}",
        "按记录计分, 按行为日期归期 Points as recorded, by the date of the act",
        *_as_of(ranking.as_of),
        "",
    ]
    if not ranking.standings:
        return _lines([*head, "没有成员 No members"])
    rows = [
        (str(each.rank), each.member, _unit(ranking.units[each.unit]), points_total(each.score))
        for each in ranking.standings
    ]
    names = ("名次 Rank", "成员 Member", "单位 Unit", "积分 Points")
    return _lines([*head, *_table(names, rows, right=(0, 3))])


def statement_text(statement: MemberStatement) -> str:
    """Return a member's statement as a table, one line a step, in order of recording."""
    member = statement.member
    standing = f"{member.member_type} · {_STATUS[member.status]}"
    head = [
        f"积分明细 Statement · {member.id} · {_unit(statement.unit)} · {standing}",
        f"余额 Balance {points_total(statement.balance)} · 按记录计分 Points as recorded",
        *_as_of(statement.as_of),
        "",
    ]
    if not statement.steps:
        return _lines([*head, "没有记录 No entries"])
    indexes = {each.entry.id: each.entry.log_index for each in statement.steps}
    rows = [_step(each, indexes) for each in statement.steps]
    names = (
        "序号 Index",
        "次序 Seq",
        "记录时间 Recorded",
        "类型 Type",
        "条目 Item",
        "细则 Rulebook",
        "行为日期 Act",
        "积分 Points",
        "变动 Change",
        "余额 Balance",
        "更正 Correction",
        "编号 Statement id",
    )
    return _lines([*head, *_table(names, rows, right=(0, 1, 7, 8, 9))])


def points_total(hundredths: int) -> str:
    """Write a score or a balance, which carries a sign only below zero."""
    return points(hundredths, signed=False)


def width(text: str) -> int:
    """Return how many columns of a terminal `text` takes: two for a wide character."""
    if text.isascii():
        return len(text)
    return sum(
        0 if combining(each) else 2 if east_asian_width(each) in "WF" else 1 for each in text
    )


def _step(step: Step, indexes: dict[str, int]) -> tuple[str, ...]:
    entry, item = step.entry, step.item
    links = []
    if entry.reverses:
        verb = "替换 replaces" if entry.act_date else "冲销 reverses"
        links.append(f"{verb} {indexes[entry.reverses]}")
    if entry.reversed_by:
        links.append(f"被冲销 reversed by {indexes[entry.reversed_by]}")
    names = [item.name_zh, item.name_en] if item else []
    return (
        str(entry.log_index),
        str(entry.seq),
        entry.recorded_at,
        _TYPE[entry.type],
        " ".join(dict.fromkeys([entry.item or "–", *names])),
        f"{entry.rulebook} {entry.version}" if entry.rulebook else "–",
        entry.act_date or "–",
        points(entry.points) if entry.act_date else "–",
        points(entry.change),
        points_total(step.balance),
        ", ".join(links) or "–",
        entry.id,
    )


def _unit(unit: UnitRow) -> str:
    return " ".join(dict.fromkeys([unit.name_zh, unit.name_en])) + f" ({unit.id})"


def _as_of(as_of: AsOf) -> list[str]:
    lines = [f"截至 As of: 日志 log size {as_of.size} · {as_of.recorded_at or '–'}"]
    if as_of.parked:
        shown = ", ".join(as_of.parked[:PARKED_SHOWN])
        more = f" (+{len(as_of.parked) - PARKED_SHOWN})" if len(as_of.parked) > PARKED_SHOWN else ""
        lines.append(f"未计入 Not counted, entries that could not be folded: {shown}{more}")
    return lines


def _table(names: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[int]) -> list[str]:
    widths = [max(map(width, column)) for column in zip(names, *rows, strict=True)]
    lines = []
    for row in (names, *rows):
        cells = []
        for at, (cell, wide) in enumerate(zip(row, widths, strict=True)):
            blank = " " * (wide - width(cell))
            cells.append(blank + cell if at in right else cell + blank)
        lines.append(_GAP.join(cells).rstrip())
    return lines


def _lines(lines: Sequence[str]) -> str:
    return "\n".join(lines) + "\n"
