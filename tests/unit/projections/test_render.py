from __future__ import annotations

import pytest

from projections import rankings, statements
from projections.dossier import STATEMENTS
from projections.fold import AsOf, ReadModel, Rows
from projections.period import parse_period
from projections.render import points, ranking_text, statement_text, width
from projections.scores import RANKINGS
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
    rows = model.rows()
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
    journal.suspend("m-20")
    as_of = AsOf(len(journal.entries), WHEN)
    rows = folded(journal, RANKINGS)
    found = rankings.from_rows(rows, as_of, "root", parse_period("2025-Q2"))
    assert ranking_text(found) == (
        "积分排行 Ranking · 全体 Root (root) · 2025-Q2 (2025-01-01 – 2025-06-30) · rules\n"
        "截至 As of: 日志 log size 11 · 2025-06-01T00:00:00.000000Z\n"
        "\n"
        "名次 Rank  成员 Member  单位 Unit         积分 Points  类别 Type  等次 Band\n"
        "        1  m-1          东村 East (east)         1.75  ordinary   –\n"
        "\n"
        "不排名 Not ranked  单位 Unit         原因 Reason\n"
        "m-20               全体 Root (root)  暂停 suspended\n"
    )


def test_columns_line_up_whatever_the_width_of_the_characters() -> None:
    journal = village()
    rows = folded(journal, STATEMENTS)
    text = statement_text(statements.from_rows(rows, AsOf(10, WHEN), "m-1"))
    table = text.split("\n\n")[1].splitlines()
    last = [line.rindex("  ") + 2 for line in table]
    assert len({width(line[:at]) for line, at in zip(table, last, strict=True)}) == 1


def cells(lines: list[str]) -> list[str]:
    return [" | ".join(each.strip() for each in line.split("  ") if each.strip()) for line in lines]


def test_a_statement_shows_every_entry_with_its_links_and_its_way() -> None:
    journal = village()
    rows = folded(journal, STATEMENTS)
    text = statement_text(statements.from_rows(rows, AsOf(10, WHEN), "m-1"))
    head, entries, way = text.split("\n\n")
    figures = ["日常 daily 1.75", "基础 base 0", "加分 credits +2.25", "扣分 debits −0.5"]
    assert head.splitlines()[:2] == [
        "积分明细 Statement · m-1 · 东村 East (east) · ordinary · 在册 active",
        " · ".join(["rules 1.0.0 · 2025-01-01", *figures]),
    ]
    award, debit = "C-1 志愿服务 Volunteering | rules 1.0.0", "D-1 无故缺席 Absence | rules 1.0.0"
    direct, final = "直接记分 direct", "生效 final"
    gone = "– | 已冲销 reversed | 被冲销 reversed by"
    replaced, back = "更正 correction, 加分 credit", "更正 correction, 冲销 reversal"
    shown = [line.rpartition(" | ")[0] for line in cells(entries.splitlines()[1:])]
    assert shown == [
        f"5 | {direct}, 加分 credit | {award} | 2025-01-05 | +2.5 | {gone} 7",
        f"6 | {direct}, 扣分 debit | {debit} | 2025-02-01 | −0.5 | −0.5 | {final} | –",
        f"7 | {replaced} | {award} | 2025-01-06 | +2.25 | +2.25 | {final} | 替换 replaces 5",
        f"8 | {direct}, 加分 credit | {award} | 2025-02-02 | +1 | {gone} 9",
        f"9 | {back} | {award} | 2025-02-02 | 0 | – | {final} | 冲销 reverses 8",
    ]
    steps = cells(way.splitlines()[1:])
    assert [each.split(" | ")[:2] for each in steps] == [[str(n)] * 2 for n in range(5, 10)]
    assert all(f"{'a' * 64}, {'b' * 64}" in each for each in steps), "keys that nobody registered"


def test_empty_answers_say_so() -> None:
    journal = Journal()
    journal.unit("root")
    journal.rulebook()
    rows = folded(journal, RANKINGS)
    empty = rankings.from_rows(rows, AsOf(1, WHEN), "root", parse_period("2025"))
    assert "没有成员 No members" in ranking_text(empty)
    journal.enrol("m-1", "root")
    rows = folded(journal, STATEMENTS)
    assert "没有记录 No entries" in statement_text(statements.from_rows(rows, AsOf(2, WHEN), "m-1"))
