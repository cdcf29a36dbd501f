"""Rankings and statements as plain text, Chinese and English together.

The text depends on the answer alone, so the same answer gives the same bytes wherever it comes
from: a test, and anyone with the exported log, compares them.
"""

from __future__ import annotations

from collections.abc import Sequence
from unicodedata import combining, east_asian_width

from ledger.domain import account as states
from ledger.domain.member import ACTIVE, LEFT, SUSPENDED
from ledger.domain.unit import Unit
from projections import reckoning
from projections.fold import AsOf
from projections.rankings import Ranking
from projections.reckoning import ScoreRow
from projections.statements import Line, MemberStatement, WayStep
from projections.whatif import Move, WhatIf

MINUS = "−"
PARKED_SHOWN = 5
_GAP = "  "
_STATUS = {ACTIVE: "在册 active", SUSPENDED: "暂停 suspended", LEFT: "离开 left"}
_ORIGIN = {
    states.CLAIM: "申报 claim",
    states.DIRECT: "直接记分 direct",
    states.IMPORT: "转入 import",
    states.CORRECTION: "更正 correction",
}
_KIND = {states.CREDIT: "加分 credit", states.DEBIT: "扣分 debit", states.REVERSAL: "冲销 reversal"}
_STATE = {
    states.CLAIMED: "已申报 claimed",
    states.CHECKED: "已初审 checked",
    states.REVIEWED: "已审定 reviewed",
    states.PUBLISHED: "公示中 published",
    states.OBJECTED: "有异议 objected",
    states.ACKNOWLEDGED: "异议受理 acknowledged",
    states.ORDERED: "责令更正 ordered",
    states.FINAL: "生效 final",
    states.FILED: "已备案 filed",
    states.APPEALED: "申诉中 appealed",
    states.RETURNED: "已退回 returned",
    states.REJECTED: "未通过 rejected",
    states.WITHDRAWN: "已撤回 withdrawn",
    states.REVERSED: "已冲销 reversed",
}
_STAGE = {
    "exclusive_group": "同一事项取最高 exclusive group",
    "item_cap": "条目封顶 item cap",
    "period_cap": "时段封顶 period cap",
    "category_cap": "模块封顶 category cap",
    "total_cap": "总分封顶 total cap",
    "category_floor": "模块保底 category floor",
}
_VETO = "否决 veto:"
_WHY = {
    reckoning.EXEMPTED: "免考 exempt",
    reckoning.SUSPENDED: "暂停 suspended",
    reckoning.SHORT: "在册不足半期 here less than half of the days",
    reckoning.NO_MERIT: "不参加评分 no merit account",
    reckoning.UNTYPED: "类别不在细则内 type not in the rulebook",
    reckoning.NOT_REVIEWED: "未评议 not reviewed",
}


def points(hundredths: int, *, signed: bool = True) -> str:
    """Write signed hundredths as points: `+2`, `−0.5`, `0`; without `signed`, no plus sign."""
    whole, part = divmod(abs(hundredths), 100)
    text = f"{whole}.{part:02d}".rstrip("0").rstrip(".") if part else str(whole)
    if hundredths < 0:
        return MINUS + text
    return f"+{text}" if signed and hundredths else text


def ranking_text(ranking: Ranking) -> str:
    """Return a ranking as a table, one line a member; then who is not ranked, and the quota."""
    days = f"{ranking.period.text} ({ranking.days.first} – {ranking.days.last})"
    only = [each for each in (ranking.asked.member_type, ranking.asked.category) if each]
    of = [_unit(ranking.units[ranking.unit]), days, ranking.rulebook, *only]
    head = [
        " · ".join(["积分排行 Ranking", *of]),
        *(["暂定，按日常分 Provisional, by the daily score"] if ranking.provisional else []),
        *position_lines(ranking.as_of),
        "",
    ]
    if not ranking.standings and not ranking.asides:
        return text_of([*head, "没有成员 No members"])
    rows = [
        (
            str(each.rank),
            each.member,
            _unit(ranking.units[each.unit]),
            points_total(each.score),
            each.member_type,
            (each.band or "–") + (f" · {_VETO} {each.veto}" if each.veto else ""),
        )
        for each in ranking.standings
    ]
    names = ("名次 Rank", "成员 Member", "单位 Unit", "积分 Points", "类别 Type", "等次 Band")
    lines = table(names, rows, right=(0, 3)) if rows else []
    if ranking.asides:
        aside = [(e.member, _unit(ranking.units[e.unit]), _WHY[e.why]) for e in ranking.asides]
        titles = ("不排名 Not ranked", "单位 Unit", "原因 Reason")
        lines += ["", *table(titles, aside, right=())]
    if ranking.excellent is not None:
        found = ranking.excellent
        lines += ["", f"优秀 Excellent: {', '.join(found.members) or '–'}"]
        lines[-1] += f" · 名额 quota {found.limit}, 参评正式党员 full members {ranking.full}"
        if found.tied:
            lines[-1] += f" · 同分待表决 tied for {found.seats}: {', '.join(found.tied)}"
    return text_of([*head, *lines])


def statement_text(statement: MemberStatement) -> str:
    """Return a member's statement: figures, a line an entry, and the way of each."""
    member = statement.member
    standing = f"{member.member_type} · {_STATUS[member.status]}"
    head = [
        f"积分明细 Statement · {member.id} · {_unit(statement.unit)} · {standing}",
        *(_figures(each) for each in statement.figures),
        *position_lines(statement.as_of),
        "",
    ]
    if not statement.lines:
        return text_of([*head, "没有记录 No entries"])
    indexes = {each.entry.id: each.entry.log_index for each in statement.lines}
    names = (
        "序号 Index",
        "来源 Origin",
        "条目 Item",
        "细则 Rulebook",
        "行为日期 Act",
        "分值 Worth",
        "计入 Counted",
        "状态 State",
        "说明 Notes",
        "编号 Entry",
    )
    lines = table(names, [_line(each, indexes) for each in statement.lines], right=(0, 5, 6))
    steps = [
        (str(line.entry.log_index), *_step(step)) for line in statement.lines for step in line.steps
    ]
    way = ("序号 Index", "位置 Log", "记录时间 Recorded", "经过 Step", "签署 Signed by")
    if statement.more:
        lines += ["", f"续 More: --after {statement.lines[-1].entry.seq}"]
    return text_of([*head, *lines, "", *table(way, steps, right=(0, 1))])


def _figures(row: ScoreRow) -> str:
    parts = [f"{row.rulebook} {row.version} · {row.year}"]
    if row.daily is not None:
        parts.append(f"日常 daily {points_total(row.daily)}")
        parts.append(f"基础 base {points_total(row.base_total or 0)}")
        parts.append(f"加分 credits {points(row.credit or 0)}")
        debits = (row.category_debit or 0) + (row.global_debit or 0)
        parts.append(f"扣分 debits {points(-debits)}")
        if row.lifted:
            parts.append(f"保底补 lifted to floor {points(row.lifted)}")
        if row.cut:
            parts.append(f"封顶扣 cut at ceiling {points(-row.cut)}")
    if row.review is not None:
        parts.append(f"评议 review {points_total(row.review)}")
    if row.annual is not None and row.annual != row.daily:
        parts.append(f"年度 annual {points_total(row.annual)}")
    if row.service is not None:
        parts.append(f"服务分 service {points_total(row.service)}")
    if row.place != reckoning.RANKED:
        parts.append(_WHY.get(row.place, row.place))
    if row.veto:
        parts.append(f"等次 grade {row.grade} · {_VETO} {row.veto}")
    if row.imported:
        parts.append("含转入 with imports")
    return " · ".join(parts)


def what_if_text(answer: WhatIf) -> str:
    """Return who would move under another version, one line a member, and what counts 0."""
    days = f"{answer.period.text} ({answer.days.first} – {answer.days.last})"
    old = ", ".join(answer.replaces) or "–"
    counts = [f"成员 members {answer.members}", f"条目 entries {answer.entries}"]
    counts.append(f"变动 would move {len(answer.moves)}")
    head = [
        f"试算 What if · {answer.rulebook} {old} → {answer.version} · {answer.unit} · {days}",
        " · ".join(counts),
        *position_lines(answer.as_of),
        "",
    ]
    lines = ["没有变动 Nobody would move"]
    if answer.moves:
        names = ("成员 Member", "单位 Unit", "现在 Now", "试算 Then", "变动 Change")
        titles = (*names, "名次 Rank", "原因 Because of")
        lines = table(titles, [_move(each) for each in answer.moves], right=(2, 3, 4))
    if answer.missing:
        rows = [
            (
                each.item,
                str(each.entries),
                "新版没有 the version lacks it" if each.lacking else "不合新版 does not fit it",
            )
            for each in answer.missing
        ]
        lines += ["", *table(("计 0 Counts 0", "条目 Entries", "原因 Why"), rows, right=(1,))]
    return text_of([*head, *lines])


def _move(move: Move) -> tuple[str, ...]:
    figures = [points_total(e) if e is not None else "–" for e in (move.before, move.after)]
    ranks = [str(e) if e is not None else "–" for e in (move.rank_before, move.rank_after)]
    causes = [
        f"{each.item} {points_total(each.before)} → {points_total(each.after)}"
        for each in move.causes
    ]
    change = (move.after or 0) - (move.before or 0)
    return (
        move.member,
        move.unit,
        *figures,
        points(change),
        " → ".join(ranks),
        "; ".join(causes) or "–",
    )


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


def _line(line: Line, indexes: dict[str, int]) -> tuple[str, ...]:
    entry = line.entry
    notes = [f"{_STAGE[stage]} {points(-by)}" for stage, by in line.clipped]
    if line.would is not None:
        notes.append(f"待定 pending, would count {points(line.would)}")
    if line.unpriced:
        notes.append("细则未定价 not priced by the rules in force")
    if line.due is not None:
        notes.append(f"{line.due.term} 截止 until {line.due.due}")
    if line.adjusts:
        notes.append(f"封存后调整 adjusts after the seal {', '.join(line.adjusts)}")
    for each in line.shown:
        said = "已列入 in" if each.counted else "未列入 not in"
        notes.append(f"{said} {each.period} (log size {each.as_of}, {each.state})")
    if entry.reverses:
        verb = "冲销 reverses" if entry.kind == states.REVERSAL else "替换 replaces"
        notes.append(f"{verb} {indexes.get(entry.reverses, entry.reverses)}")
    if entry.half_stream:
        notes.append(f"另一半 other half {entry.half_stream}")
    if entry.reversed_by:
        notes.append(f"被冲销 reversed by {indexes.get(entry.reversed_by, entry.reversed_by)}")
    return (
        str(entry.log_index),
        f"{_ORIGIN[entry.origin]}, {_KIND[entry.kind]}",
        " ".join(dict.fromkeys([entry.item or "–", *line.names])),
        f"{entry.rulebook} {entry.version}".strip() or "–",
        entry.act_date or "–",
        points(line.worth),
        points(line.counted) if line.counted is not None else "–",
        _STATE[entry.state],
        "; ".join(notes) or "–",
        entry.id,
    )


def _step(step: WayStep) -> tuple[str, ...]:
    signed = (
        f"{each.actor} ({', '.join(each.roles)})" if each.roles else each.actor
        for each in step.signers
    )
    return (
        str(step.row.log_index),
        step.row.recorded_at,
        step.row.type,
        ", ".join(signed),
    )


def _unit(unit: Unit) -> str:
    return " ".join(dict.fromkeys([unit.name_zh, unit.name_en])) + f" ({unit.id})"


def position_lines(as_of: AsOf) -> list[str]:
    """Say which position of the log an answer holds for, and what is missing in it."""
    lines = [f"截至 As of: 日志 log size {as_of.size} · {as_of.recorded_at or '–'}"]
    if as_of.parked:
        shown = ", ".join(as_of.parked[:PARKED_SHOWN])
        more = f" (+{len(as_of.parked) - PARKED_SHOWN})" if len(as_of.parked) > PARKED_SHOWN else ""
        lines.append(f"未计入 Not counted, entries that could not be folded: {shown}{more}")
    return lines


def table(names: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[int]) -> list[str]:
    """Lay out rows below their names; the columns `right` are set to the right."""
    widths = [max(map(width, column)) for column in zip(names, *rows, strict=True)]
    lines = []
    for row in (names, *rows):
        cells = []
        for at, (cell, wide) in enumerate(zip(row, widths, strict=True)):
            blank = " " * (wide - width(cell))
            cells.append(blank + cell if at in right else cell + blank)
        lines.append(_GAP.join(cells).rstrip())
    return lines


def text_of(lines: Sequence[str]) -> str:
    """Join lines, each with its end."""
    return "\n".join(lines) + "\n"
