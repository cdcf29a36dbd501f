"""A member's figures, and how they come about: base, credits, debits, review, year."""

from __future__ import annotations

from collections.abc import Iterable

from api.web import show
from api.web.models import FigurePart, FigureView
from api.web.register import Known
from api.web.words import Words
from projections.reckoning import RANKED, ScoreRow
from projections.render import points, points_total


def views(words: Words, rows: Iterable[ScoreRow], known: Known) -> tuple[FigureView, ...]:
    """Return figures, the newest year's first."""
    ordered = sorted(rows, key=lambda each: each.rulebook)
    ordered.sort(key=lambda each: each.year, reverse=True)
    return tuple(_view(words, each, known) for each in ordered)


def _view(words: Words, row: ScoreRow, known: Known) -> FigureView:
    book = known.rulebooks.get((row.rulebook, row.version))
    title = show.title_of(book).of(words.lang) if book is not None else row.rulebook
    amount, kind = _figure(row)
    notes = []
    if row.place != RANKED:
        notes.append(words("not_ranked", words.or_else(f"why_{row.place}", row.place)))
    if row.imported:
        notes.append(words("with_imports"))
    band = row.grade or row.band
    if band:
        notes.append(words("band", show.band_of(words, book, band)))
    return FigureView(
        year=row.year[:4] if row.year.endswith("-01-01") else words("year_from", row.year),
        rulebook=f"{title} {row.version}",
        amount=points_total(amount) if amount is not None else "–",
        kind=words(kind),
        parts=tuple(_parts(words, row)),
        notes=tuple(notes),
    )


def _figure(row: ScoreRow) -> tuple[int | None, str]:
    """Return the figure that stands for a year now, and the name of what it is."""
    if row.daily is None:
        return row.service, "figure_service" if row.service is not None else "figure_none"
    if row.annual is None:
        return row.daily, "figure_provisional"
    return row.annual, "figure_daily" if row.review is None else "figure_annual"


def _parts(words: Words, row: ScoreRow) -> Iterable[FigurePart]:
    if row.daily is not None:
        yield FigurePart(words("part_base"), points_total(row.base_total or 0))
        yield FigurePart(words("part_credit"), points(row.credit or 0))
        debits = (row.category_debit or 0) + (row.global_debit or 0)
        yield FigurePart(words("part_debit"), points(-debits))
        if row.lifted:
            yield FigurePart(words("part_lifted"), points(row.lifted))
        if row.cut:
            yield FigurePart(words("part_cut"), points(-row.cut))
        yield FigurePart(words("part_daily"), points_total(row.daily))
    if row.review is not None:
        yield FigurePart(words("part_review"), points_total(row.review))
    if row.annual is not None and (row.review is not None or row.annual != row.daily):
        yield FigurePart(words("part_annual"), points_total(row.annual))
    if row.service is not None:
        yield FigurePart(words("part_service"), points_total(row.service))
