from __future__ import annotations

import pytest

from projections import rankings, statements
from projections.fold import AsOf, ReadModel, Rows
from projections.period import parse_period
from projections.rankings import RANKINGS
from projections.render import points, ranking_text, statement_text, width
from projections.statements import STATEMENTS
from tests.support.journal import Journal

WHEN = "2025-06-01T00:00:00.000000Z"


def village() -> Journal:
    journal = Journal()
    journal.unit("root", name_zh="全体")
    journal.unit("east", "root", "东村")
    journal.rulebook()
    journal.enrol("m-1", "east")
    journal.enrol("m-20", "root")
    first = journal.award("m-1", 250, "2025-01-05")
    journal.deduct("m-1", 50, "2025-02-01")
    journal.correct("m-1", first, 225, "2025-01-06")
    pardoned = journal.award("m-1", 100, "2025-02-02")
    journal.correct("m-1", pardoned)
    return journal


def folded(journal: Journal, model: ReadModel) -> Rows:
    rows = Rows(model.tables)
    model.fold_all(journal.events(), rows)
    return rows


@pytest.mark.parametrize(
    ("hundredths", "text"),
    [
        (200, "+2"),
        (-50, "−0.5"),
        (225, "+2.25"),
        (5, "+0.05"),
        (-1000, "−10"),
        (0, "0"),
        (100_000, "+1000"),
    ],
)
def test_points_have_a_sign_and_decimals_only_where_there_are_some(
    hundredths: int, text: str
) -> None:
    assert points(hundredths) == text


def test_a_ranking_reads_in_both_languages() -> None:
    journal = village()
    as_of = AsOf(len(journal.entries), WHEN)
    rows = folded(journal, RANKINGS)
    found = rankings.from_rows(rows, as_of, "root", parse_period("2025-Q1"))
    assert ranking_text(found) == (
        "积分排行 Ranking · 全体 Root (root) · 2025-Q1 (2025-01-01 – 2025-03-31)\n"
        "按记录计分, 按行为日期归期 Points as recorded, by the date of the act\n"
        "截至 As of: 日志 log size 10 · 2025-06-01T00:00:00.000000Z\n"
        "\n"
        "名次 Rank  成员 Member  单位 Unit         积分 Points\n"
        "        1  m-1          东村 East (east)         1.75\n"
        "        2  m-20         全体 Root (root)            0\n"
    )


def test_columns_line_up_whatever_the_width_of_the_characters() -> None:
    journal = village()
    rows = folded(journal, STATEMENTS)
    text = statement_text(statements.from_rows(rows, AsOf(10, WHEN), "m-1"))
    table = text.splitlines()[4:]
    last = [line.rindex("  ") + 2 for line in table]
    assert len({width(line[:at]) for line, at in zip(table, last, strict=True)}) == 1


def test_a_statement_shows_every_step_with_its_links() -> None:
    journal = village()
    rows = folded(journal, STATEMENTS)
    text = statement_text(statements.from_rows(rows, AsOf(10, WHEN), "m-1"))
    assert text.startswith("积分明细 Statement · m-1 · 东村 East (east) · ordinary · 在册 active\n")
    assert "余额 Balance 1.75 ·" in text
    shown = []
    for line in text.splitlines()[5:]:
        cells = [cell.strip() for cell in line.split("  ") if cell.strip()]
        # Without the recording times and the statements' ids.
        shown.append(" | ".join((*cells[:2], *cells[3:11])))
    award, debit = "C-1 志愿服务 Volunteering | rules 1.0.0", "D-1 无故缺席 Absence | rules 1.0.0"
    assert shown == [
        f"5 | 2 | 加分 award | {award} | 2025-01-05 | +2.5 | +2.5 | 2.5 | 被冲销 reversed by 7",
        f"6 | 3 | 扣分 deduction | {debit} | 2025-02-01 | −0.5 | −0.5 | 2 | –",
        f"7 | 4 | 更正 correction | {award} | 2025-01-06 | +2.25 | −0.25 | 1.75 | 替换 replaces 5",
        f"8 | 5 | 加分 award | {award} | 2025-02-02 | +1 | +1 | 2.75 | 被冲销 reversed by 9",
        "9 | 6 | 更正 correction | – | – | – | – | −1 | 1.75 | 冲销 reverses 8",
    ]


def test_empty_answers_say_so() -> None:
    journal = Journal()
    journal.unit("root")
    rows = folded(journal, RANKINGS)
    empty = rankings.from_rows(rows, AsOf(1, WHEN), "root", parse_period("2025"))
    assert "没有成员 No members" in ranking_text(empty)
    journal.enrol("m-1", "root")
    rows = folded(journal, STATEMENTS)
    assert "没有记录 No entries" in statement_text(statements.from_rows(rows, AsOf(2, WHEN), "m-1"))
