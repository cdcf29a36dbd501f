"""Writes the sections that bundles' reports share: entries, who signed, texts, how to check it all.

Numbers are written as everywhere (`projections.render`). Of people only ids are known here; those
of other members are masked.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from zoneinfo import ZoneInfo

from api.bundles.gather import Gathering
from api.bundles.report import Report, Section, Table
from api.web.show import grouped
from api.web.words import Lang, Words
from ledger.domain.account import name_of
from ledger.entry import Entry, parse_instant
from ledger.log.note import parse as parse_note
from projections.render import points
from projections.statements import Line

_OTHER = re.compile(r"\bmember/([a-z0-9-]{1,64})")


class Writer:
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

    def item(self, line: Line) -> str:
        """Name an entry's item by code and name, or by where the entry came from."""
        names = line.names[0 if self.lang == "zh" else -1 :][:1]
        return " ".join(dict.fromkeys([line.entry.item or line.entry.origin, *names]))

    # -- sections ----------------------------------------------------------------------------------

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
                    self.item(line),
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
