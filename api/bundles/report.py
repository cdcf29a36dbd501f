"""What a bundle's report is: the same content for the page and for the paper, in one language."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from api.web.words import Lang

LANGUAGES: tuple[Lang, ...] = ("zh", "en")


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
