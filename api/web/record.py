"""A member's own record: the entries of its stream, and what the read model says of each.

A row is what brought something in; statements about it are the steps of its way. Their bytes are
read from the log itself, whatever the read model holds, and go to the page to be checked there.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple
from urllib.parse import quote

from api.web import figures, show
from api.web.models import (
    EntryView,
    Field,
    LogView,
    Name,
    ObjectionView,
    RecordView,
    RuleView,
    ShownPoints,
    SignerView,
    StepView,
)
from api.web.register import Known
from api.web.words import Words
from ledger.domain import account as states
from ledger.domain.account import name_of
from ledger.domain.lapses import PUBLICITY
from ledger.domain.points import CORRECTED
from ledger.entry import Entry, parse_entry
from ledger.errors import NotFoundError
from ledger.signing import encode_base64
from ledger.store.reader import STREAM_PAGE_MAX, Reader
from projections.render import points, points_total
from projections.statements import Line, MemberStatement, Signer

PAGE_ENTRIES = 50
_NONE = Field("", "")

Numbered = tuple[int, Entry]
"""An entry with its index in the log."""


class Stream(NamedTuple):
    """A member's stream: its entries, and those of one page, from `start` to `stop`."""

    entries: list[Numbered]
    start: int
    stop: int

    @property
    def page(self) -> list[Numbered]:
        """The entries of the page, in order."""
        return self.entries[self.start : self.stop]

    @property
    def after(self) -> int:
        """The seq behind which the page begins."""
        return self.start


def read_stream(reader: Reader, member: str, before_seq: int | None) -> Stream:
    """Return a member's stream with the page below `before_seq`, or its newest.

    Raises NotFoundError if there is no such stream.
    """
    found: list[tuple[int, bytes]] = []
    while True:
        page = reader.stream(f"member/{member}", len(found), STREAM_PAGE_MAX)
        found += page
        if len(page) < STREAM_PAGE_MAX:
            break
    if not found:
        raise NotFoundError(f"no member {member!r} is recorded: ask for one by its id")
    entries = [(index, parse_entry(bytes(data))) for index, data in found]
    stop = len(entries) if before_seq is None else min(len(entries), max(before_seq - 1, 0))
    return Stream(entries, max(0, stop - PAGE_ENTRIES), stop)


def oldest_about(stream: Stream) -> int | None:
    """Return the seq of the oldest entry before the page that a step on it is about, if any."""
    seqs = {entry.statement.id: entry.seq for _, entry in stream.entries[: stream.start]}
    found = [seqs[about] for _, entry in stream.page if (about := _about(entry)) in seqs]
    return min(found, default=None)


def record_view(
    words: Words,
    stream: Stream,
    statement: MemberStatement,
    known: Known,
    log: LogView,
    contact: str,
    now: datetime,
    older: tuple[Line, ...] = (),
) -> RecordView:
    """Return the page of a record; `statement` has the lines of the stream's page.

    `older` are lines before it, whose steps are on the page: who signed those, and as what.
    """
    page = stream.page
    member = statement.member.id
    rows = _Rows(words, stream, statement, known, log, contact, now, older)
    return RecordView(
        member=member,
        unit=Name(statement.unit.name_zh, statement.unit.name_en),
        status=words(f"status_{statement.member.status}"),
        figures=figures.views(words, statement.figures, known),
        parked=bool(statement.as_of.parked),
        entries=tuple(rows.views()),
        older=f"/record/{member}?before={page[0][1].seq}" if stream.start else "",
        contact=contact,
        log=log,
        checked={
            "vkey": log.vkey,
            "member": member,
            # The chain begins on this page: nothing before it is left out.
            "complete": stream.start == 0,
            # The read model may be a moment behind the log, and the figures with it.
            "folded": statement.as_of.size,
            "entries": [[index, encode_base64(entry.data)] for index, entry in page],
            **known.proofs(page),
        },
    )


class _Rows:
    """Makes the rows of one page."""

    def __init__(
        self,
        words: Words,
        stream: Stream,
        statement: MemberStatement,
        known: Known,
        log: LogView,
        contact: str,
        now: datetime,
        older: tuple[Line, ...],
    ) -> None:
        self._words = words
        self._page = stream.page
        self._known = known
        self._log = log
        self._contact = contact
        self._now = now
        self._lines = {each.entry.id: each for each in statement.lines}
        lines = (*older, *statement.lines)
        self._roles = {step.row.id: step.signers for line in lines for step in line.steps}
        self._indexes = {entry.statement.id: index for index, entry in stream.entries}
        self._here = {index for index, _ in self._page}
        self._about: dict[str, list[Numbered]] = {}
        for index, entry in stream.entries:
            about = _about(entry)
            if about:
                self._about.setdefault(about, []).append((index, entry))

    def views(self) -> Iterable[EntryView]:
        """Yield the page's rows, the newest first; a step goes with its entry where it is here."""
        for index, entry in reversed(self._page):
            about = self._indexes.get(_about(entry))
            if about is None or about not in self._here:
                yield self._row(index, entry, about)

    def _row(self, index: int, entry: Entry, about: int | None) -> EntryView:
        words, statement = self._words, entry.statement
        act = _act(statement.type, statement.body)
        line = self._lines.get(statement.id) if act is not None else None
        code = _now(line.entry.item if line else None, act, "item")
        names = line.names if line else ()
        rule = self._rule(act, line, code.shown)
        name = rule.name if rule else Name(names[0], names[-1]) if names else Name("", "")
        imported = line is not None and line.entry.origin == states.IMPORT
        shown = self._points(line, act, statement.type)
        return EntryView(
            index=index,
            statement=statement.id,
            type=words.step(name_of(statement.type, statement.body)),
            recorded=show.moment(words, entry.recorded_at, self._known.zone, self._now),
            signers=self._signers(entry),
            act_date=_now(line.entry.act_date if line else None, act, "act_date"),
            clause=code,
            clause_name=name,
            version=self._version(line, act),
            points=shown,
            stood=_stood(line),
            state=words(f"state_{line.entry.state}") if line else "",
            pending=line is not None and line.entry.state in states.PENDING,
            until=_closing(line),
            marks=tuple(self._marks(line, imported=imported)) if line else (),
            way=self._way(statement.id) if act is not None else (),
            about=about,
            rule=rule,
            objection=self._objection(index, statement.id, code.shown, shown, line)
            if act is not None
            else None,
        )

    def _rule(self, act: dict[str, Any] | None, line: Line | None, code: str) -> RuleView | None:
        if act is None or not code:
            return None
        named = (line.entry.rulebook, line.entry.version) if line else None
        key = named or (act.get("rulebook", ""), act.get("version", ""))
        return show.rule_view(self._words, self._known.rulebooks.get(key), code)

    def _version(self, line: Line | None, act: dict[str, Any] | None) -> Field:
        if act is None:
            return _NONE
        signed = f"{act.get('rulebook', '')} {act.get('version', '')}".strip()
        now = f"{line.entry.rulebook} {line.entry.version}".strip() if line else signed
        return Field(now, signed)

    def _points(self, line: Line | None, act: dict[str, Any] | None, kind: str) -> ShownPoints:
        signed = _signed_points(kind, act) if act is not None else ""
        if line is None:
            return ShownPoints(Field(signed, signed), "")
        reversal = line.entry.kind == states.REVERSAL
        worth = "" if reversal else points(line.worth)
        return ShownPoints(Field(worth, signed), "" if reversal else self._counted(line))

    def _counted(self, line: Line) -> str:
        """Say what counts of an entry where that is not simply its worth."""
        words = self._words
        if line.would is not None:
            return words("would_count", points(line.would))
        if line.counted is None:
            return words("counts_nothing")
        if line.counted == line.worth:
            return ""
        why = [self._clip(line, stage, by) for stage, by in line.clipped]
        return ", ".join([words("counts", points_total(line.counted)), *why])

    def _clip(self, line: Line, stage: str, by: int) -> str:
        words = self._words
        book = self._known.rulebooks.get((line.entry.rulebook, line.entry.version))
        item = show.item_of(book, line.entry.item) if book is not None else None
        if stage == "item_cap" and item is not None and "cap" in item:
            per = words.or_else(f"per_{item['cap']['per']}", item["cap"]["per"])
            return words("capped", per, points_total(item["cap"]["points"]))
        return words("clipped", words.or_else(f"stage_{stage}", stage), points_total(by))

    def _marks(self, line: Line, *, imported: bool) -> Iterable[str]:
        words, entry = self._words, line.entry
        if imported:
            yield words("mark_imported")
        if line.unpriced:
            yield words("mark_unpriced")
        for each in line.adjusts:
            yield words("mark_adjusts", each)
        for shown in line.shown:
            if not shown.counted and shown.period not in line.adjusts:
                yield words("mark_late", shown.period)
        if entry.reverses:
            verb = "reverses" if entry.kind == states.REVERSAL else "replaces"
            yield words(verb, self._number(entry.reverses))
        if entry.reversed_by:
            yield words("reversed_by", self._number(entry.reversed_by))
        if entry.half_stream:
            yield words("mark_half", entry.half_stream.partition("/")[2])

    def _number(self, ident: str) -> object:
        return self._indexes.get(ident, ident[:8])

    def _way(self, ident: str) -> tuple[StepView, ...]:
        return tuple(
            StepView(
                index,
                self._words.step(name_of(entry.statement.type, entry.statement.body)),
                show.moment(self._words, entry.recorded_at, self._known.zone, self._now),
                self._signers(entry),
                index in self._here,
            )
            for index, entry in self._about.get(ident, ())
        )

    def _signers(self, entry: Entry) -> tuple[SignerView, ...]:
        """Return who signed, each once; a key that is nobody's known is shown by its id."""
        keys, told = self._known.keys, self._roles.get(entry.statement.id, ())
        roles = {each.actor: self._role_words(each) for each in told}
        names = (
            keys[each.keyid].actor if each.keyid in keys else each.keyid[:16]
            for each in entry.statement.signatures
        )
        return tuple(SignerView(each, roles.get(each, "")) for each in sorted(set(names)))

    def _role_words(self, signer: Signer) -> str:
        words = self._words
        return words("list_comma").join(words.or_else(f"role_{r}", r) for r in signer.roles)

    def _objection(
        self, index: int, statement: str, code: str, shown: ShownPoints, line: Line | None
    ) -> ObjectionView:
        words = self._words
        text = words(
            "objection",
            log=self._log.origin,
            index=index,
            statement=statement,
            clause=code or "–",
            points=shown.worth.shown or "–",
        )
        link = ""
        if self._contact.startswith("mailto:"):
            subject = quote(words("objection_subject", index))
            link = f"{self._contact}?subject={subject}&body={quote(text)}"
        until = _closing(line)
        if until:
            return ObjectionView(text, link, words("object_until", until))
        when = "object_after" if line and line.entry.state in _BEFORE else "object_no_deadline"
        return ObjectionView(text, link, words(when))


_BEFORE = frozenset({states.CLAIMED, states.CHECKED, states.REVIEWED, states.RETURNED})
"""Before these entries are in publicity nobody objects to them."""


def _stood(line: Line | None) -> str:
    if line is None or line.stood is None:
        return ""
    before, after = line.stood
    return f"{points_total(before)} → {points_total(after)}"


def _closing(line: Line | None) -> str:
    """Return the last day of an entry's publicity, empty where it is not in publicity."""
    if line is None or line.due is None or line.due.term != PUBLICITY:
        return ""
    return line.due.due


def _about(entry: Entry) -> str:
    """Return the entry that a statement is a step of, empty for what stands by itself."""
    statement = entry.statement
    found = statement.body.get("entry", "") if statement.type.startswith("points.") else ""
    return found if isinstance(found, str) else ""


def _act(kind: str, body: dict[str, Any]) -> dict[str, Any] | None:
    """Return the act that a statement brings in, empty for a bare reversal, None for no entry."""
    if kind == CORRECTED:
        found = body.get("replacement", {})
        assert isinstance(found, dict)  # noqa: S101 - the schema's type
        return found
    return body if kind in _ACTS else None


_ACTS = frozenset({"points.awarded", "points.deducted", "points.claimed", "points.imported"})


def _now(now: str | None, act: dict[str, Any] | None, name: str) -> Field:
    if act is None:
        return _NONE
    signed = str(act.get(name, ""))
    return Field(signed if now is None else now, signed)


def _signed_points(kind: str, act: dict[str, Any]) -> str:
    """Return the points that a statement itself names, as scripts write them too."""
    if "points" not in act:
        return ""
    debit = act.get("type", kind) == "points.deducted" or act.get("kind") == states.DEBIT
    return points(-act["points"] if debit else act["points"])
