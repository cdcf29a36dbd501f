"""A certificate of a member's standing: the figures of each year, how they come about, the root."""

from __future__ import annotations

from collections.abc import Mapping

from api.paper.check import WORDS, Anchor, both, write_check
from api.paper.locator import locator_of
from api.paper.notice import named
from api.paper.pdf import SMALL_PT, Paper
from api.web import figures, show
from api.web.models import FigureView
from api.web.register import Known
from ledger.entry import parse_instant
from projections.statements import MemberStatement


def certificate_pdf(
    found: MemberStatement, known: Known, names: Mapping[str, str], anchor: Anchor
) -> bytes:
    """Return the certificate of a member as of the statement's position."""
    member, as_of = found.member.id, found.as_of
    made_at = parse_instant(as_of.recorded_at, micros=True)
    recorded = show.moment(WORDS[0], as_of.recorded_at, known.zone, made_at).text
    foot = f"{both('paper_locator')} {locator_of(anchor.size)}"
    paper = Paper(f"{both('certificate_title')} {member}", foot, made_at)
    paper.title(both("certificate_title"))
    unit = dict.fromkeys(filter(None, (found.unit.name_zh, found.unit.name_en)))
    paper.pairs(
        [
            (both("member"), named(member, names)),
            (both("unit"), " ".join(unit)),
            (both("state"), both(f"status_{found.member.status}")),
            (both("notice_states"), both("notice_size", as_of.size, recorded)),
        ]
    )
    paper.heading(both("certificate_figures"))
    chinese, english = (figures.views(words, found.figures, known) for words in WORDS)
    if not chinese:
        paper.text(both("certificate_none"))
    for zh, en in zip(chinese, english, strict=True):
        _write_figure(paper, zh, en)
    if as_of.parked:
        paper.text(both("certificate_parked"))
    paper.space(2)
    for words in WORDS:
        paper.text(words("certificate_limits", f"{anchor.url}/record/{member}"), SMALL_PT)
    write_check(paper, anchor)
    return paper.bytes()


def _write_figure(paper: Paper, zh: FigureView, en: FigureView) -> None:
    paper.keep(40)
    title = zh.rulebook if zh.rulebook == en.rulebook else f"{zh.rulebook} · {en.rulebook}"
    paper.text(f"{zh.year} · {title}")
    pairs = [
        (f"{left.label} {right.label}", left.amount)
        for left, right in zip(zh.parts, en.parts, strict=True)
    ]
    if zh.kind not in {each.label for each in zh.parts}:
        pairs.insert(0, (f"{zh.kind} {en.kind}", zh.amount))
    paper.pairs(pairs, label_mm=100)
    for left, right in zip(zh.notes, en.notes, strict=True):
        paper.text(f"{left} · {right}", SMALL_PT)
    paper.space(2)
