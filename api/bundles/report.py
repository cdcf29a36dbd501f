"""What a bundle's report says, in one language: the same content for the page and for the paper.

Numbers are written as everywhere (`projections.render`). Of people only ids are known here; those
of other members are masked.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from api.bundles import pictures
from api.bundles.gather import Gathering
from api.web import figures
from api.web.register import Known, Published
from api.web.show import grouped
from api.web.words import Lang, Words
from ledger.domain.account import name_of
from ledger.entry import Entry, parse_instant
from ledger.log.note import parse as parse_note
from ledger.rules import rulebook
from ledger.rules.rulebook import MERIT, Version
from projections.reckoning import ScoreRow
from projections.render import points, points_total
from projections.statements import Line, MemberStatement

LANGUAGES: tuple[Lang, ...] = ("zh", "en")

_OTHER = re.compile(r"\bmember/([a-z0-9-]{1,64})")


class Table(NamedTuple):
    """A table: the columns' names with widths in tenths of the whole, figures' columns, rows."""

    names: tuple[str, ...]
    tenths: tuple[int, ...]
    right: tuple[int, ...]
    rows: tuple[tuple[str, ...], ...]


class Picture(NamedTuple):
    """A drawing in SVG and how high it is for its width."""

    svg: str
    height: float


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a report, in the order in which it is read."""

    heading: str
    texts: tuple[str, ...] = ()
    pairs: tuple[tuple[str, str], ...] = ()
    picture: Picture | None = None
    table: Table | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """A report: `answer` is its first line, `made_at` the last entry's instant (RFC 3339)."""

    lang: Lang
    title: str
    answer: str
    log: str
    made_at: str
    sections: tuple[Section, ...] = field(default=())


class _Writer:
    """Writes the sections that reports share, in one language."""

    def __init__(self, lang: Lang, gathering: Gathering, member: str, zone: str) -> None:
        self.words, self.lang = Words(lang), lang
        self.gathering = gathering
        self.member = member
        self.zone = ZoneInfo(zone)

    def say(self, zh: str, en: str) -> str:
        """Return the text in the report's language."""
        return zh if self.lang == "zh" else en

    def mask(self, text: str) -> str:
        """Hide the ids of other members than the one that the report is about."""
        return _OTHER.sub(lambda found: found[0] if found[1] == self.member else "member/•••", text)

    def day(self, instant: str) -> str:
        """Write an instant in the organisation's time zone, to the minute."""
        return parse_instant(instant, micros=True).astimezone(self.zone).strftime("%Y-%m-%d %H:%M")

    # -- sections ----------------------------------------------------------------------------------

    def figures(self, statement: MemberStatement, known: Known) -> Iterable[Section]:
        """How each year's figure comes about: figures, the way of the score, the modules."""
        for each in figures.views(self.words, statement.figures, known):
            yield Section(
                self.say(f"{each.year} · {each.rulebook}", f"{each.year} · {each.rulebook}"),
                (f"{each.amount} · {each.kind}", *each.notes),
                tuple((part.label, part.amount) for part in each.parts),
            )
        for row in sorted(statement.figures, key=lambda each: (each.year, each.rulebook)):
            published = known.rulebooks.get((row.rulebook, row.version))
            if published is not None and row.daily is not None:
                yield from self._pictures(statement, row, published)

    def _pictures(
        self, statement: MemberStatement, row: ScoreRow, published: Published
    ) -> Iterable[Section]:
        version = rulebook.of_body(published.body)
        named = {each["code"]: each for each in published.body.get("categories", ())}
        counted = sorted(
            (line for line in statement.lines if _counts_in(line, row, version)),
            key=lambda line: (line.entry.act_date, line.entry.id),
        )
        value = row.base_total or 0
        steps = [pictures.Step(str(row.year), value)]
        rows = [(str(row.year), self.say("基础分", "Base"), "–", points_total(value))]
        sums: dict[str, int] = defaultdict(int)
        for line in counted:
            value += line.counted or 0
            steps.append(pictures.Step(line.entry.act_date, value))
            item = version.items.get(line.entry.item)
            module = named.get(item.category if item is not None else "", {})
            name = module.get("name_zh" if self.lang == "zh" else "name_en")
            sums[name or (item.category if item is not None else line.entry.rulebook)] += (
                line.counted or 0
            )
            rows.append(
                (
                    line.entry.act_date,
                    self._item(line),
                    points(line.counted or 0),
                    points_total(value),
                )
            )
        if row.lifted or row.cut:
            value += (row.lifted or 0) - (row.cut or 0)
            rows.append(
                (
                    "–",
                    self.say("总分的保底与封顶", "The score's floor and ceiling"),
                    points((row.lifted or 0) - (row.cut or 0)),
                    points_total(value),
                )
            )
        edges = [
            pictures.Edge(each.name_zh if self.lang == "zh" else each.code, each.min)
            for each in version.bands
        ]
        title = self.say(
            f"积分走势 {row.rulebook} {row.year[:4]}",
            f"The score's way, {row.rulebook} {row.year[:4]}",
        )
        last = max(statement.as_of.recorded_at[:10], steps[-1].day)
        last = min(last, max(following_year(str(row.year)), steps[-1].day))
        yield Section(
            title,
            (
                self.say(
                    "折线是每天的分，横线是等次的起点；下面的表是同样的数字。",
                    "The line is the score of each day, level lines are where bands begin; the "
                    "table has the same figures.",
                ),
            ),
            picture=Picture(pictures.way(steps, edges, last), pictures.WAY_HEIGHT / pictures.WIDTH),
            table=Table(
                (
                    self.say("行为日期", "Act"),
                    self.say("条目", "Item"),
                    self.say("计入", "Counted"),
                    self.say("累计", "Score"),
                ),
                (2, 5, 1, 2),
                (2, 3),
                tuple(rows),
            ),
        )
        if sums:
            found = [pictures.Bar(name, sums[name]) for name in sorted(sums)]
            title = self.say("各模块计入的分", "What each module counted")
            yield Section(
                title,
                picture=Picture(
                    pictures.bars(found),
                    (len(found) * pictures.BAR_HEIGHT + 8) / pictures.WIDTH,
                ),
                table=Table(
                    (self.say("模块", "Module"), self.say("计入", "Counted")),
                    (8, 2),
                    (1,),
                    tuple((each.name, points(each.value)) for each in found),
                ),
            )

    def _item(self, line: Line) -> str:
        names = line.names[0 if self.lang == "zh" else -1 :][:1]
        return " ".join(dict.fromkeys([line.entry.item or line.entry.origin, *names]))

    def entries(self, lines: Sequence[Line]) -> Section:
        """Every entry of a member with what counted and what clipped it."""
        rows = []
        for line in lines:
            notes = [
                f"{self.words.or_else(f'stage_{stage}', stage)} {points(-by)}"
                for stage, by in line.clipped
            ]
            if line.entry.half_stream:
                notes.append(self.mask(line.entry.half_stream))
            state = self.words.or_else(f"state_{line.entry.state}", line.entry.state)
            rows.append(
                (
                    str(line.entry.log_index),
                    line.entry.act_date or "–",
                    self._item(line),
                    points(line.worth),
                    points(line.counted) if line.counted is not None else "–",
                    "; ".join([state, *notes]),
                )
            )
        return Section(
            self.say("每一条记录", "Every entry"),
            () if rows else (self.words("no_entries"),),
            table=Table(
                (
                    self.say("序号", "Index"),
                    self.say("行为日期", "Act"),
                    self.say("条目", "Item"),
                    self.say("分值", "Worth"),
                    self.say("计入", "Counted"),
                    self.say("说明", "Notes"),
                ),
                (1, 2, 3, 1, 1, 2),
                (0, 3, 4),
                tuple(rows),
            )
            if rows
            else None,
        )

    def ways(self, lines: Sequence[Line]) -> Section:
        """Who did what with each entry, and when."""
        rows = [
            (
                str(line.entry.log_index),
                str(step.row.log_index),
                self.day(step.row.recorded_at),
                self.words.step(step.row.type),
                ", ".join(
                    f"{e.actor} ({', '.join(e.roles)})" if e.roles else e.actor
                    for e in step.signers
                ),
            )
            for line in lines
            for step in line.steps
        ]
        return Section(
            self.say("每一步是谁签的", "Who signed each step"),
            table=Table(
                (
                    self.say("记录", "Entry"),
                    self.say("位置", "Log"),
                    self.say("时间", "Recorded"),
                    self.say("步骤", "Step"),
                    self.say("签名", "Signed by"),
                ),
                (1, 1, 2, 2, 4),
                (0, 1),
                tuple(rows),
            )
            if rows
            else None,
        )

    def steps(self, found: Sequence[tuple[int, Entry]]) -> Section:
        """The statements of a case in order."""
        rows = [
            (
                str(index),
                self.day(entry.recorded_at),
                self.words.step(name_of(entry.statement.type, entry.statement.body)),
                entry.statement.actor,
                str(len(entry.statement.signatures)),
            )
            for index, entry in found
        ]
        return Section(
            self.say("案件的每一步", "Each step of the case"),
            table=Table(
                (
                    self.say("位置", "Log"),
                    self.say("时间", "Recorded"),
                    self.say("步骤", "Step"),
                    self.say("经办", "By"),
                    self.say("签名数", "Signatures"),
                ),
                (1, 3, 3, 2, 1),
                (0, 4),
                tuple(rows),
            ),
        )

    def texts(self) -> Iterable[Section]:
        """What is disclosed: texts as they are, files by name; and what is not there any more."""
        openings = self.gathering.openings
        texts = []
        for commitment in sorted(openings):
            about = openings[commitment]
            data = self.gathering.files[about["file"]]
            shown = (
                data.decode("utf-8", "replace")
                if about["kind"] == "text/plain"
                else f"{about['kind']}, {len(data)} bytes"
            )
            texts.append((f"{commitment[:16]}…", shown))
        for each in self.gathering.missing:
            why = (
                self.say("已按规定删除", "erased by order")
                if each.why == "erased"
                else self.say("这里没有保存", "not kept here")
            )
            texts.append((f"{each.commitment[:16]}…", why))
        if texts:
            yield Section(
                self.say("附上的文字和文件", "Texts and files disclosed"), pairs=tuple(texts)
            )

    def how(self) -> Section:
        """What the bundle is checked by, and what no check of it shows."""
        signed = self.gathering.head.checkpoint
        names = [
            each.name
            for each in parse_note(self.gathering.head.note).signatures
            if each.name != signed.origin
        ]
        pairs = [
            (self.say("账本", "Log"), signed.origin),
            (
                self.say("账页", "State"),
                self.say(f"第 {signed.size} 条为止", f"{signed.size} entries"),
            ),
            (self.say("根哈希", "Root"), grouped(signed.root)),
            (
                self.say("见证", "Witnesses"),
                ", ".join(dict.fromkeys(names)) or self.say("尚未见证", "none yet"),
            ),
        ]
        if self.gathering.unproved:
            pairs.append(
                (
                    self.say("证明不了的封存", "Seals that cannot be proved"),
                    "; ".join(self.gathering.unproved),
                )
            )
        texts = (
            self.say(
                "不联网就能核对整个包：在浏览器里打开包里的 verify.html，把这个 ZIP 文件拖进去；"
                "或者用命令 mingzhang verify bundle，它还核对时间戳。钥匙请照公示单上印的填。",
                "All of it is checked off line: open verify.html, which is in it, in a browser and "
                "drop the whole ZIP file there, or use the command mingzhang verify bundle, which "
                "checks the timestamps too. Take the key from the notice.",
            ),
            self.words("meaning"),
            self.say(
                "这份报告是给人看的；能证明的是收据，不是报告。",
                "This report is for reading; what proves anything are the receipts.",
            ),
        )
        return Section(self.say("怎样核对", "How to check it"), texts, tuple(pairs))

    def report(self, title: str, answer: str, sections: Iterable[Section]) -> Report:
        """Put a report together."""
        signed = self.gathering.head.checkpoint
        return Report(
            self.lang,
            title,
            answer,
            signed.origin,
            self.gathering.made_at,
            (*sections, *self.texts(), self.how()),
        )


def dossier(lang: Lang, gathering: Gathering, statement: MemberStatement, known: Known) -> Report:
    """Return the report of a member's dossier."""
    member = statement.member.id
    writer = _Writer(lang, gathering, member, known.zone)
    unit = statement.unit.name_zh if lang == "zh" else statement.unit.name_en
    status = writer.words(f"status_{statement.member.status}")
    count = len(statement.lines)
    return writer.report(
        writer.say(f"成员 {member} 的档案", f"Dossier of member {member}"),
        writer.say(
            f"{unit} · {status} · {count} 条记录",
            f"{unit} · {status} · {count} {'entry' if count == 1 else 'entries'}",
        ),
        (
            *writer.figures(statement, known),
            writer.entries(statement.lines),
            writer.ways(statement.lines),
        ),
    )


def hearing(
    lang: Lang,
    gathering: Gathering,
    about: str,
    case: Sequence[tuple[int, Entry]],
    target: Mapping[str, str],
    statement: MemberStatement | None,
    known: Known,
) -> Report:
    """Return the report for a hearing: the case, and the entry that it is about."""
    member = target.get("stream", "").partition("/")[2]
    writer = _Writer(lang, gathering, member, known.zone)
    sections = [writer.steps(case)] if case else []
    if statement is not None:
        lines = [
            line
            for line in statement.lines
            if target.get("entry") in (line.entry.id, line.entry.reverses, line.entry.reversed_by)
        ]
        sections += [writer.entries(lines), writer.ways(lines)]
    what = (
        f"{target['stream']} · {target['entry']}"
        if "entry" in target
        else f"period/{target.get('period', '')}"
    )
    return writer.report(
        writer.say(f"听证案卷 {about}", f"Papers for the hearing of {about}"), what, sections
    )


def paper(lang: Lang, gathering: Gathering, value: Mapping[str, Any], known: Known) -> Report:
    """Return the report of an auditor's working paper; members' ids are as the paper has them."""
    writer = _Writer(lang, gathering, "", known.zone)
    say, query = writer.say, value["query"]
    pairs = (
        (say("编制", "Prepared by"), str(value.get("preparer") or "–")),
        (say("复核", "Reviewed by"), str(value.get("reviewer") or "–")),
        (say("程序", "Procedure"), str(value.get("procedure") or "–")),
        (say("查询", "Query"), say(f"第 {query['index']} 条", f"entry {query['index']}")),
        (say("种子", "Seed"), str(value.get("seed"))),
        (say("总体", "Population"), str(value["population"]["entries"])),
    )
    rows = tuple(
        (
            str(each["index"]),
            str(each["member"]),
            str(each["item"] or "–"),
            str(each["act_date"]),
            points(each["points"]),
            ", ".join(each["risks"]) or "–",
        )
        for each in value["result"]
    )
    table = Table(
        (
            say("位置", "Log"),
            say("成员", "Member"),
            say("条目", "Item"),
            say("行为日期", "Act"),
            say("分值", "Points"),
            say("风险", "Risks"),
        ),
        (1, 2, 2, 2, 1, 2),
        (0, 4),
        rows,
    )
    return writer.report(
        f"{value['title']} · {value['index_number']}",
        say(f"抽中 {len(rows)} 条", f"{len(rows)} entries drawn"),
        (
            Section(say("底稿", "Working paper"), pairs=pairs),
            Section(say("抽中的记录", "Entries drawn"), table=table),
        ),
    )


def _counts_in(line: Line, row: ScoreRow, version: Version) -> bool:
    """Tell whether an entry counts on merit under a figure's rulebook in its year."""
    entry = line.entry
    if not line.counted or entry.rulebook != row.rulebook:
        return False
    if not str(row.year) <= entry.act_date <= following_year(str(row.year)):
        return False
    if entry.account is not None:
        return entry.account == MERIT
    item = version.items.get(entry.item)
    return item is None or item.account == MERIT


def following_year(first: str) -> str:
    """Return the last day of the year that begins on `first`, both YYYY-MM-DD."""
    day = date.fromisoformat(first)
    return (day.replace(year=day.year + 1) - timedelta(1)).isoformat()
