"""Sections on how a member's figures come about: the score's way, and what each module counted."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from api.bundles import pictures
from api.bundles.report import Picture, Section, Table
from api.bundles.writer import Writer
from api.web import figures
from api.web.register import Known, Published
from ledger.rules import rulebook
from ledger.rules.period import Period, Periods
from ledger.rules.rulebook import MERIT, Version
from projections.reckoning import ScoreRow
from projections.render import points, points_total
from projections.statements import Line, MemberStatement


def sections(writer: Writer, statement: MemberStatement, known: Known) -> Iterable[Section]:
    """Yield each year's figures, then of each its score's way and what each module counted."""
    for each in figures.views(writer.words, statement.figures, known):
        yield Section(
            f"{each.year} · {each.rulebook}",
            (f"{each.amount} · {each.kind}", *each.notes),
            tuple((part.label, part.amount) for part in each.parts),
        )
    for row in sorted(statement.figures, key=lambda each: (each.year, each.rulebook)):
        published = known.rulebooks.get((row.rulebook, row.version))
        if published is None or row.daily is None:
            continue
        year = Periods(row.year[len("YYYY-") :]).of(row.year)
        version = rulebook.of_body(published.body)
        counted = sorted(
            (line for line in statement.lines if _counts_in(line, row, year, version)),
            key=lambda line: (line.entry.act_date, line.entry.id),
        )
        yield _way(writer, row, year, version, counted, statement.as_of.recorded_at[:10])
        if counted:
            yield _modules(writer, published, version, counted)


def _way(
    writer: Writer,
    row: ScoreRow,
    year: Period,
    version: Version,
    counted: Sequence[Line],
    today: str,
) -> Section:
    say = writer.say
    value = row.base_total or 0
    steps = [pictures.Step(row.year, value)]
    rows = [(row.year, say("基础分", "Base"), "–", points_total(value))]
    for line in counted:
        worth = line.counted or 0
        value += worth
        steps.append(pictures.Step(line.entry.act_date, value))
        rows.append((line.entry.act_date, writer.item(line), points(worth), points_total(value)))
    if row.lifted or row.cut:
        by = (row.lifted or 0) - (row.cut or 0)
        value += by
        name = say("总分的保底与封顶", "The score's floor and ceiling")
        rows.append(("–", name, points(by), points_total(value)))
    edges = [
        pictures.Edge(each.name_zh if writer.lang == "zh" else each.code, each.min)
        for each in version.bands
    ]
    last = min(max(today, steps[-1].day), max(year.last, steps[-1].day))
    return Section(
        say(
            f"积分走势 {row.rulebook} {row.year[:4]}",
            f"The score's way, {row.rulebook} {row.year[:4]}",
        ),
        (
            say(
                "折线是每天的分，横线是等次的起点；下面的表是同样的数字。",
                "The line is the score of each day, level lines are where bands begin; the "
                "table has the same figures.",
            ),
        ),
        picture=Picture(pictures.way(steps, edges, last), pictures.WAY_HEIGHT / pictures.WIDTH),
        table=Table(
            (
                say("行为日期", "Act"),
                say("条目", "Item"),
                say("计入", "Counted"),
                say("累计", "Score"),
            ),
            (2, 5, 1, 2),
            (2, 3),
            tuple(rows),
        ),
    )


def _modules(
    writer: Writer, published: Published, version: Version, counted: Sequence[Line]
) -> Section:
    say = writer.say
    named = {each["code"]: each for each in published.body.get("categories", ())}
    sums: dict[str, int] = defaultdict(int)
    for line in counted:
        item = version.items.get(line.entry.item)
        module = named.get(item.category if item is not None else "", {})
        name = module.get("name_zh" if writer.lang == "zh" else "name_en")
        name = name or (item.category if item is not None else line.entry.rulebook)
        sums[name] += line.counted or 0
    bars = [pictures.Bar(name, sums[name]) for name in sorted(sums)]
    return Section(
        say("各模块计入的分", "What each module counted"),
        picture=Picture(
            pictures.bars(bars), (len(bars) * pictures.BAR_HEIGHT + 8) / pictures.WIDTH
        ),
        table=Table(
            (say("模块", "Module"), say("计入", "Counted")),
            (8, 2),
            (1,),
            tuple((each.name, points(each.value)) for each in bars),
        ),
    )


def _counts_in(line: Line, row: ScoreRow, year: Period, version: Version) -> bool:
    """Tell whether an entry counts on merit under a figure's rulebook in its year."""
    entry = line.entry
    if not line.counted or entry.rulebook != row.rulebook:
        return False
    if not year.first <= entry.act_date <= year.last:
        return False
    if entry.account is not None:
        return entry.account == MERIT
    item = version.items.get(entry.item)
    return item is None or item.account == MERIT
