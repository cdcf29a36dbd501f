"""Worked cases: an author's dry run of rulebook files, without a log (`mingzhang rulebook score`).

A file of cases is a list. Each has `id`, `rulebook` (the name of a file in the folder, without its
ending; every version of that rulebook in the folder applies, by act date), `member_type`, and
`entries`: {id, code, date, qty (default 1), points (range and assessed items), activity, deed,
reversed}. It may have `why` and `expected` and `counted` (for people), `review` (0–100: the review
is closed, and this is its result) and `last_annual` (last period's figure). The period is that of
the entries. Where an activity or a deed is missing, it is the entry's own id (A9).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from api.authoring.fields import Fields, Report
from api.authoring.reader import Authored, load
from api.authoring.source import AuthoringError, Mapping, Sequence, read_yaml
from ledger.errors import FormatError, Refused
from ledger.rules.book import Book
from ledger.rules.member import Member, Spell
from ledger.rules.scoring import Reading, Score, score
from ledger.rules.stages import Entry, Scored

_DATE = r"[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
_TOTALS = (
    "base_total", "base", "credit", "category_debit", "global_debit", "lifted_to_floor",
    "cut_at_ceiling", "daily", "review", "annual", "provisional", "merit", "service", "band",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Case:
    """One member's entries; `order` has all ids as written, also those of reversed entries."""

    id: str
    line: int
    rulebook: str
    member_type: str
    review: int | None
    last_annual: int | None
    entries: tuple[Entry, ...]
    order: tuple[str, ...]


def read_cases(path: Path) -> list[Case]:
    """Read a file of cases. Raises AuthoringError with a line for every problem."""
    raw = read_yaml(path)
    if not isinstance(raw, Sequence):
        raise AuthoringError(f"{path.name}:1: cases: a file of cases is a list")
    report = Report()
    cases = []
    for value, line in zip(raw, raw.lines, strict=True):
        if isinstance(value, Mapping):
            cases.append(_case(Fields(report, value, f"case {value.get('id', '?')}")))
        else:
            raise AuthoringError(f"{path.name}:{line}: cases: a case is a mapping")
    if report.problems:
        lines = (f"{path.name}:{p.line}: {p.code}: {p.reason}" for p in sorted(report.problems))
        raise AuthoringError("\n".join(lines))
    return cases


def books_of(folder: Path, skip: Path | None = None) -> dict[str, Book]:
    """Return the rulebooks of a folder's YAML files, by each file's name without its ending.

    Files that hold a list (cases) are passed over, and `skip`. Raises AuthoringError.
    """
    if not folder.is_dir():
        raise AuthoringError(f"{folder}: rulebooks: is no folder")
    versions: dict[str, list[Authored]] = {}
    names: dict[str, str] = {}
    for path in sorted((*folder.glob("*.yaml"), *folder.glob("*.yml"))):
        is_cases = isinstance(read_yaml(path), Sequence)
        if is_cases or (skip is not None and path.resolve() == skip.resolve()):
            continue
        authored = load(path)
        versions.setdefault(authored.id, []).append(authored)
        names[path.stem] = authored.id
    try:
        books = {
            ident: Book(ident, (v.version() for v in all_)) for ident, all_ in versions.items()
        }
    except FormatError as error:
        raise AuthoringError(f"{folder}: rulebooks: {error.message}") from None
    return {name: books[ident] for name, ident in names.items()}


def work_out(cases: Iterable[Case], books: dict[str, Book], name: str) -> list[dict[str, Any]]:
    """Return the result of each case; `name` is the file's, for messages. Raises AuthoringError."""
    return [_result(case, _score(case, books, name)) for case in cases]


def _score(case: Case, books: dict[str, Book], name: str) -> Score | None:
    place = f"{name}:{case.line}: case {case.id}"
    book = books.get(case.rulebook)
    if book is None:
        known = ", ".join(sorted(books)) or "none"
        raise AuthoringError(f"{place}: no rulebook file {case.rulebook!r}; there are: {known}")
    try:
        periods = sorted({book.periods.of(each.date) for each in case.entries})
    except ValueError as error:
        raise AuthoringError(f"{place}: {error}") from None
    if len(periods) > 1:
        raise AuthoringError(f"{place}: its entries lie in more than one period")
    if not periods:
        return None
    types = {code for version in book.published for code in version.member_types}
    if case.member_type not in types:
        known = ", ".join(sorted(types))
        raise AuthoringError(f"{place}: no member type {case.member_type!r}; there are: {known}")
    member = Member(case.id, (Spell(periods[0].first, case.member_type),))
    reading = Reading(
        periods[0],
        review_closed=case.review is not None,
        review=case.review,
        last_annual=case.last_annual,
    )
    try:
        return score(book, member, case.entries, reading)
    except Refused as error:
        raise AuthoringError(f"{place}: {error.rule}: {error.message}") from None


def _case(raw: Fields) -> Case:
    raw.note("why")
    raw.take("expected")
    raw.take("counted")
    entries: list[Entry] = []
    order: list[str] = []
    for each in raw.each("entries", "entry"):
        each.what = f"{raw.what} entry {each.raw.get('id', '?')}"
        ident = each.text("id", needed=True) or "?"
        lower = ident.lower()
        quantity = each.hundredths("qty")
        entry = Entry(
            date=each.matching("date", _DATE, "date, YYYY-MM-DD", needed=True) or "",
            id=lower,
            code=each.code("code", needed=True) or "?",
            quantity=100 if quantity is None else quantity,
            points=each.hundredths("points", least=0),
            activity=each.text("activity") or lower,
            deed=each.text("deed") or lower,
        )
        if lower in {known.lower() for known in order}:
            each.fail("id", "code-twice", f"entry {ident} stands twice")
        order.append(ident)
        if not each.boolean("reversed"):
            entries.append(entry)
        each.done()
    case = Case(
        id=raw.text("id", needed=True) or "?",
        line=raw.raw.line,
        rulebook=raw.text("rulebook", needed=True) or "?",
        member_type=raw.code("member_type", needed=True) or "?",
        review=raw.hundredths("review", least=0),
        last_annual=raw.hundredths("last_annual", least=0),
        entries=tuple(entries),
        order=tuple(order),
    )
    if case.review is not None and case.review > 100_00:
        raw.fail("review", "points", "a review is 0 to 100")
    raw.done()
    return case


def _result(case: Case, found: Score | None) -> dict[str, Any]:
    scored = {each.id: each for each in found.entries} if found else {}
    return {
        "id": case.id,
        "totals": {name: getattr(found, name, None) for name in _TOTALS},
        "entries": [_entry(ident, scored.get(ident.lower())) for ident in case.order],
    }


def _entry(ident: str, scored: Scored | None) -> dict[str, Any]:
    """Return one entry's line; a reversed entry counts as if it had never been (A32)."""
    if scored is None:
        return {"id": ident, "worth": 0, "counted": 0, "clipped": []}
    return {
        "id": ident,
        "worth": scored.worth,
        "counted": scored.counted,
        "clipped": [{"stage": stage, "by": by} for stage, by in scored.clipped],
    }
