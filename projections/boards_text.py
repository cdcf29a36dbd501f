"""Notice board, rule usage, activity, funds, roster and erasures as plain text."""

from __future__ import annotations

from collections.abc import Sequence

from projections.activity import Activity
from projections.fold import AsOf
from projections.funds import Funds, FundSheet
from projections.notices import Board
from projections.reconciliation import Reconciliation
from projections.redactions import Redactions
from projections.render import points, points_total, position_lines, table, text_of
from projections.usage import Usage


def board_text(board: Board) -> str:
    """Return a notice board: published tables, then entries, each with its last day."""
    tables = [
        (each.until, each.period, each.unit, each.rulebook, f"{each.start} – {each.end}")
        for each in board.tables
    ]
    entries = [
        (
            each.until,
            each.member,
            each.unit,
            f"{each.rulebook} {each.item}".strip(),
            each.act_date,
            points(each.amount),
            each.entry,
        )
        for each in board.entries
    ]
    names = ("截止 Until", "期间 Period", "单位 Unit", "细则 Rulebook", "日期 Days")
    lines = [*_part("公示的排行 Tables", names, tables), ""] if tables else []
    heads = ("截止 Until", "成员 Member", "单位 Unit", "条目 Item", "行为日期 Act", "分值 Worth")
    lines += _part("公示的记录 Entries", (*heads, "编号 Entry"), entries, (5,))
    return _whole(f"公示栏 Notice board · {board.unit}", board.as_of, lines)


def usage_text(usage: Usage) -> str:
    """Return how items were used, a line an item and unit."""
    rows = [
        (
            each.item,
            each.unit,
            str(each.entries),
            points(each.worth),
            points(each.counted),
            points_total(each.clipped),
        )
        for each in usage.items
    ]
    names = ("条目 Item", "单位 Unit", "次数 Entries", "分值 Worth", "计入 Counted", "封顶 Clipped")
    days = f"{usage.asked.period.text} ({usage.days.first} – {usage.days.last})"
    title = f"细则使用 Rule usage · {usage.asked.unit} · {days} · {usage.rulebook}"
    return _whole(title, usage.as_of, _part("", names, rows, (2, 3, 4, 5)))


def activity_text(activity: Activity) -> str:
    """Return who took which steps, and the median of the hours that they waited."""
    rows = [
        (
            each.actor,
            each.step,
            each.unit,
            str(each.steps),
            f"{each.hours:.2f}" if each.hours is not None else "–",
        )
        for each in activity.found
    ]
    names = ("经办 Actor", "步骤 Step", "单位 Unit", "次数 Steps", "间隔中位小时 Median hours")
    title = f"经办活动 Scorer activity · {activity.unit} · {activity.month}"
    return _whole(title, activity.as_of, _part("", names, rows, (3, 4)))


def funds_text(funds: Funds) -> str:
    """Return every fund with its balances."""
    rows = [
        (each.id, each.unit, *map(points_total, (each.endowed, each.redeemed, each.stock)))
        for each in funds.funds
    ]
    names = ("基金 Fund", "单位 Unit", "注入 Endowed", "兑换 Redeemed", "结余 Stock")
    return _whole("红色基金 Reward funds", funds.as_of, _part("", names, rows, (2, 3, 4)))


def fund_text(sheet: FundSheet) -> str:
    """Return a fund with its moves."""
    fund = sheet.fund
    rows = [
        (
            str(each.log_index),
            each.recorded_at,
            "注入 endowed" if each.member is None else "兑换 redeemed",
            each.member or "–",
            points_total(each.points),
            "已冲销 reversed" if each.reversed else "",
        )
        for each in sheet.moves
    ]
    names = ("位置 Log", "记录时间 Recorded", "变动 Move", "成员 Member", "分值 Points", "")
    title = (
        f"红色基金 Reward fund · {fund.id} · {fund.unit} · 注入 endowed "
        f"{points_total(fund.endowed)} = 兑换 redeemed {points_total(fund.redeemed)} + 结余 stock "
        f"{points_total(fund.stock)}"
    )
    return _whole(title, sheet.as_of, _part("", names, rows, (0, 4)))


def reconciliation_text(found: Reconciliation) -> str:
    """Return how the roster comes out, unit by unit."""
    rows = [
        (
            each.unit,
            *map(str, (each.roster, each.scored, each.exempt, each.aside, each.elsewhere)),
            "相符 balanced" if each.balanced else f"不符 WRONG: {', '.join(each.unexplained)}",
        )
        for each in found.units
    ]
    heads = ("单位 Unit", "名册 Roster", "计分 Scored", "免考 Exempt", "不排名 Aside")
    names = (*heads, "他规 Elsewhere", "核对 Result")
    title = f"名册核对 Roster · {found.asked.unit} · {found.day} · {found.rulebook}"
    lines = _part("", names, rows, (1, 2, 3, 4, 5))
    return _whole(title, found.as_of, [*lines, "", _confirmed(found)])


def _confirmed(found: Reconciliation) -> str:
    """Return what the unit above says of the total."""
    if found.agrees is None:
        return f"合计 Total {found.total} · 上级未核定 not signed by the unit above"
    said = "相符 the same" if found.agrees else "不符 WRONG"
    return f"合计 Total {found.total} · 上级核定 signed by the unit above {found.confirmed}: {said}"


def redactions_text(found: Redactions) -> str:
    """Return every erasure, newest first."""
    rows = [
        (str(e.log_index), e.recorded_at, e.stream, e.cause, e.actors, e.commitment)
        for e in found.found
    ]
    heads = ("位置 Log", "记录时间 Recorded", "对象 About", "原因 Cause", "决定人 Ordered by")
    lines = _part("", (*heads, "承诺值 Commitment"), rows, (0,))
    return _whole("已删除 Erasures", found.as_of, lines)


def _part(
    title: str, names: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[int] = ()
) -> list[str]:
    head = [title] if title else []
    return [*head, *(table(names, rows, right) if rows else ["没有 None"])]


def _whole(title: str, as_of: AsOf, lines: Sequence[str]) -> str:
    return text_of([title, *position_lines(as_of), "", *lines])
