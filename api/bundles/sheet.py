"""Writes a report as A4 pages, the same content as the page has."""

from __future__ import annotations

from api.bundles.report import Report, Section, Table
from api.paper.pdf import WIDTH_MM, Column, Paper
from ledger.entry import parse_instant

_PICTURE_MM = 120.0


def write(report: Report) -> bytes:
    """Return the PDF's bytes."""
    made_at = parse_instant(report.made_at, micros=True)
    paper = Paper(report.title, f"{report.title} · {report.log}", made_at)
    paper.title(report.title)
    paper.text(report.answer)
    for each in report.sections:
        _section(paper, each)
    return paper.bytes()


def _section(paper: Paper, section: Section) -> None:
    paper.heading(section.heading)
    for text in section.texts:
        paper.text(text)
    paper.pairs(section.pairs)
    if section.picture is not None:
        paper.svg(section.picture.svg, _PICTURE_MM, _PICTURE_MM * section.picture.height)
    if section.table is not None:
        paper.table(_columns(section.table), section.table.rows)


def _columns(table: Table) -> list[Column]:
    return [
        Column(name, WIDTH_MM * tenths / 10, "R" if at in table.right else "L")
        for at, (name, tenths) in enumerate(zip(table.names, table.tenths, strict=True))
    ]
