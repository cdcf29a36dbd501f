"""What each of the three reports says: a member's dossier, a hearing's papers, a working paper."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from api.bundles import score
from api.bundles.gather import Gathering
from api.bundles.report import Report, Section, Table
from api.bundles.writer import Writer
from api.web.register import Known
from api.web.words import Lang
from ledger.entry import Entry
from projections.render import points
from projections.statements import MemberStatement


def dossier(lang: Lang, gathering: Gathering, statement: MemberStatement, known: Known) -> Report:
    """Return the report of a member's dossier."""
    member = statement.member.id
    writer = Writer(lang, gathering, member, known.zone)
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
            *score.sections(writer, statement, known),
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
    writer = Writer(lang, gathering, member, known.zone)
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
    writer = Writer(lang, gathering, "", known.zone)
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
