"""The A4 notice of a period for the board: its published table, what is in publicity, the root."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from api.paper.check import WORDS, Anchor, both, write_check
from api.paper.locator import locator_of
from api.paper.pdf import SMALL_PT, Column, Paper
from api.web import show
from api.web.register import Known
from api.web.words import Words
from ledger.domain import period as periods
from ledger.domain.unit import Unit
from ledger.entry import parse_instant
from ledger.state import RankingLeaf
from projections.notices import Board, Notice, PeriodNotice
from projections.render import points, points_total


@dataclass(frozen=True, slots=True)
class Table:
    """A period's table of the later of its two sizes: published or sealed, and of which size."""

    state: str
    size: int
    places: Sequence[RankingLeaf]


def notice_pdf(
    found: PeriodNotice,
    table: Table | None,
    board: Board,
    known: Known,
    names: Mapping[str, str],
    anchor: Anchor,
) -> bytes:
    """Return the notice of a period; `names` are masked and by member id.

    Without a table, which is not published yet, it has the entries in publicity alone.
    """
    period = found.period
    unit = found.units[period.unit]
    book = show.newest_of(known, period.rulebook)
    title = show.title_of(book) if book is not None else None
    made_at = parse_instant(found.as_of.recorded_at, micros=True)
    recorded = show.moment(WORDS[0], found.as_of.recorded_at, known.zone, made_at).text
    foot = f"{both('paper_locator')} {locator_of(anchor.size)}"
    paper = Paper(f"{both('notice_title')} {unit.name_zh} {period.id}", foot, made_at)
    paper.title(both("notice_title"))
    paper.pairs(
        [
            (both("unit"), _unit_name(unit)),
            (both("notice_period"), f"{period.start} – {period.end} ({period.id})"),
            (both("rulebooks"), " ".join(title) if title is not None else period.rulebook),
            (both("notice_states"), both("notice_size", found.as_of.size, recorded)),
        ]
    )
    if table is not None:
        _write_table(paper, found, table, names)
    entries = [each for each in board.entries if _is_of(each, period)]
    if entries or table is None:
        paper.heading(both("notice_entries"))
    if entries:
        paper.table(_ENTRY_COLUMNS, _entry_rows(entries, known, names))
    elif table is None:
        paper.text(both("notice_nothing"))
    write_check(paper, anchor)
    return paper.bytes()


_TABLE_COLUMNS = (
    Column(both("rank"), 22, "R"),
    Column(both("member"), 72),
    Column(both("unit"), 50),
    Column(both("score"), 30, "R"),
)
_ENTRY_COLUMNS = (
    Column(both("notice_entry"), 16, "R"),
    Column(both("member"), 44),
    Column(both("act_date"), 24),
    Column(both("clause"), 48),
    Column(both("points"), 17, "R"),
    Column(both("notice_objections"), 25),
)


def named(member: str, names: Mapping[str, str]) -> str:
    """Return a member as a paper shows it: the masked name, if there is one, and the id."""
    return f"{names[member]} {member}" if member in names else member


def _write_table(paper: Paper, found: PeriodNotice, table: Table, names: Mapping[str, str]) -> None:
    sealed = table.state == periods.SEALED
    paper.heading(both("notice_ranking_sealed" if sealed else "notice_ranking"))
    for words in WORDS:
        paper.text(_about(words, table, found.until), SMALL_PT)
    if not table.places:
        paper.text(both("nobody_ranked"))
        return
    paper.table(
        _TABLE_COLUMNS,
        (
            (
                str(each.rank),
                named(each.member, names),
                found.units[each.unit].name_zh,
                points_total(each.score),
            )
            for each in table.places
        ),
    )


def _about(words: Words, table: Table, until: str | None) -> str:
    if until is None:
        return words("notice_ranking_size", table.size)
    return words("notice_ranking_until", table.size, until)


def _is_of(entry: Notice, period: periods.Period) -> bool:
    """Tell whether an entry of the unit's board is of the period: its rulebook, and its days."""
    return entry.rulebook == period.rulebook and period.start <= entry.act_date <= period.end


def _entry_rows(
    entries: Iterable[Notice], known: Known, names: Mapping[str, str]
) -> Iterable[Sequence[str]]:
    for each in entries:
        book = show.newest_of(known, each.rulebook)
        item = show.item_of(book, each.item) if book is not None else None
        clause = f"{item['name_zh']} {each.item}" if item is not None else each.item
        yield (
            str(each.log_index),
            named(each.member, names),
            each.act_date,
            clause,
            points(each.amount),
            each.until,
        )


def _unit_name(unit: Unit) -> str:
    return " ".join(dict.fromkeys(filter(None, (unit.name_zh, unit.name_en))))
