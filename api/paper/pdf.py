"""Writes A4 pages: black on white, Chinese and English, the same bytes for the same input.

The fonts come with the package (`fonts/`, each with its licence) and only the characters used are
embedded. All lengths are in millimetres, sizes of type in points.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib import resources
from io import BytesIO
from pathlib import Path
from typing import Literal

from fpdf import FPDF
from fpdf.enums import PathPaintRule
from fpdf.fonts import TTFFont

from api.paper.qr import QUIET_MODULES, Symbol
from api.paper.wrap import wrap

Align = Literal["L", "R"]

PAGE_MM = 210.0
PAGE_HEIGHT_MM = 297.0
MARGIN_MM = 18.0
WIDTH_MM = PAGE_MM - 2 * MARGIN_MM
"""How wide text can be."""
BODY_PT, SMALL_PT, HEAD_PT, TITLE_PT = 10.5, 8.5, 13.0, 20.0
_FOOT_MM = 16.0
_LEADING = 1.45
_PT_MM = 25.4 / 72
_GAP_MM = 2.0
_MISSING = "〓"
"""What printers set where they lack a character."""
_FONTS = {
    "text": "DejaVuSans.ttf",
    "digits": "DejaVuSansMono.ttf",
    "han": "DroidSansFallbackFull.ttf",
}


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table: its heading, how wide it is, and on which side its cells are."""

    title: str
    width_mm: float
    align: Align = "L"


class Paper:
    """A document that is written from top to bottom; `bytes()` ends it.

    `title` is the document's name in its properties, `foot` stands at the foot of each page beside
    the page's number, and `made_at`, from the log, is the only date in the file.
    """

    def __init__(self, title: str, foot: str, made_at: datetime) -> None:
        self._pdf = _Pages(foot)
        self._pdf.set_title(title)
        self._pdf.set_creation_date(made_at)
        self._pdf.add_page()

    @property
    def room_mm(self) -> float:
        """How much height the page has left."""
        return PAGE_HEIGHT_MM - _FOOT_MM - self._pdf.y

    def keep(self, height_mm: float) -> None:
        """Begin a new page unless the page has that much height left."""
        if self.room_mm < height_mm:
            self._pdf.add_page()

    def sink(self, height_mm: float) -> None:
        """Go down to where that much height is left, on a new page if there is less."""
        self.keep(height_mm)
        self._pdf.y = PAGE_HEIGHT_MM - _FOOT_MM - height_mm

    def space(self, height_mm: float) -> None:
        """Leave some height empty."""
        self._pdf.y += height_mm

    def rule(self) -> None:
        """Draw a line over the width of the text."""
        self._line(self._pdf.y)
        self._pdf.y += _GAP_MM

    def title(self, text: str) -> None:
        """Write the title of the document."""
        self.text(text, TITLE_PT)
        self.space(_GAP_MM)

    def heading(self, text: str) -> None:
        """Write a heading, which never stands alone at a page's end."""
        self.keep(4 * _line_mm(HEAD_PT))
        self.space(_GAP_MM)
        self.text(text, HEAD_PT)

    def text(self, text: str, size_pt: float = BODY_PT, *, mono: bool = False) -> None:
        """Write a paragraph; it may go on on the next page."""
        for line in self._lines(text, WIDTH_MM, size_pt, mono=mono):
            self.keep(_line_mm(size_pt))
            self._put(line, MARGIN_MM, self._pdf.y, WIDTH_MM, size_pt, mono=mono)
            self._pdf.y += _line_mm(size_pt)

    def text_mm(self, parts: Iterable[tuple[str, float]]) -> float:
        """Return how high paragraphs are: text and size."""
        return sum(
            len(self._lines(text, WIDTH_MM, size_pt)) * _line_mm(size_pt) for text, size_pt in parts
        )

    def pairs(self, rows: Iterable[tuple[str, str]], label_mm: float = 42.0) -> None:
        """Write labels with their values beside them, without any lines."""
        for label, value in rows:
            self._row((label, value), (label_mm, WIDTH_MM - label_mm), ("L", "L"), BODY_PT)

    def table(self, columns: Sequence[Column], rows: Iterable[Sequence[str]]) -> None:
        """Write a table, its heading again on every page; a row is never cut."""
        widths = [each.width_mm for each in columns]
        sides: list[Align] = [each.align for each in columns]
        titles = [each.title for each in columns]

        def head() -> None:
            self._row(titles, widths, sides, SMALL_PT)
            self._line(self._pdf.y, 0.35)

        self.keep(4 * _line_mm(BODY_PT))
        head()
        for row in rows:
            self._row(row, widths, sides, BODY_PT, head)
            self._line(self._pdf.y)
        self.space(_GAP_MM)

    def beside(
        self, symbol: Symbol, side_mm: float, parts: Sequence[tuple[str, float, bool]]
    ) -> None:
        """Write paragraphs to the right of a QR symbol: text, size, whether in fixed width."""
        left, height = self._beside_width(symbol, side_mm), self.beside_mm(symbol, side_mm, parts)
        self.keep(height)
        top = self._pdf.y
        quiet = _quiet_mm(symbol, side_mm)
        self._draw(symbol, MARGIN_MM + quiet, top + quiet, side_mm)
        y = top
        for text, size_pt, mono in parts:
            for line in self._lines(text, WIDTH_MM - left, size_pt, mono=mono):
                self._put(line, MARGIN_MM + left, y, WIDTH_MM - left, size_pt, mono=mono)
                y += _line_mm(size_pt)
        self._pdf.y = top + height

    def beside_mm(
        self, symbol: Symbol, side_mm: float, parts: Sequence[tuple[str, float, bool]]
    ) -> float:
        """Return how high `beside` is."""
        width = WIDTH_MM - self._beside_width(symbol, side_mm)
        written = sum(
            len(self._lines(text, width, size_pt, mono=mono)) * _line_mm(size_pt)
            for text, size_pt, mono in parts
        )
        return max(written, side_mm + 2 * _quiet_mm(symbol, side_mm))

    def svg(self, drawing: str, width_mm: float, height_mm: float) -> None:
        """Put an SVG drawing on the page, all of it on one."""
        self.keep(height_mm)
        picture = BytesIO(drawing.encode())
        self._pdf.image(picture, MARGIN_MM, self._pdf.y, width_mm, height_mm)
        self._pdf.y += height_mm + _GAP_MM

    def bytes(self) -> bytes:
        """End the document and return the file."""
        return bytes(self._pdf.output())

    def _row(
        self,
        cells: Sequence[str],
        widths: Sequence[float],
        sides: Sequence[Align],
        size_pt: float,
        head: Callable[[], None] | None = None,
    ) -> None:
        found = [
            self._lines(cell, width - _GAP_MM, size_pt)
            for cell, width in zip(cells, widths, strict=True)
        ]
        height = max(map(len, found)) * _line_mm(size_pt) + 1.0
        if self.room_mm < height:
            self._pdf.add_page()
            if head is not None:
                head()
        x, top = MARGIN_MM, self._pdf.y + 0.5
        for lines, width, side in zip(found, widths, sides, strict=True):
            for place, line in enumerate(lines):
                y = top + place * _line_mm(size_pt)
                self._put(line, x, y, width - _GAP_MM, size_pt, side)
            x += width
        self._pdf.y += height

    def _lines(
        self, text: str, width_mm: float, size_pt: float, *, mono: bool = False
    ) -> list[str]:
        self._pdf.set_font("digits" if mono else "text", size=size_pt)
        return wrap(self._pdf.settable(text), width_mm, self._pdf.get_string_width)

    def _put(
        self,
        line: str,
        x: float,
        y: float,
        width_mm: float,
        size_pt: float,
        side: Align = "L",
        *,
        mono: bool = False,
    ) -> None:
        self._pdf.set_font("digits" if mono else "text", size=size_pt)
        back = self._pdf.y
        self._pdf.set_xy(x, y)
        # A line that ends in the fallback font would leave it to the next one.
        with self._pdf.local_context():
            self._pdf.cell(width_mm, _line_mm(size_pt), line, align=side)
        self._pdf.set_y(back)

    def _line(self, y: float, width_mm: float = 0.15) -> None:
        self._pdf.set_line_width(width_mm)
        self._pdf.line(MARGIN_MM, y, PAGE_MM - MARGIN_MM, y)

    def _draw(self, symbol: Symbol, x: float, y: float, side_mm: float) -> None:
        """Draw a symbol as one filled path: modules that touch have no seam between them."""
        module = side_mm / symbol.modules
        with self._pdf.new_path() as path:
            path.style.paint_rule = PathPaintRule.FILL_NONZERO
            path.style.fill_color = "#000000"
            for column, row, length in symbol.runs():
                path.rectangle(x + column * module, y + row * module, length * module, module)

    @staticmethod
    def _beside_width(symbol: Symbol, side_mm: float) -> float:
        return side_mm + 2 * _quiet_mm(symbol, side_mm) + _GAP_MM


class _Pages(FPDF):
    """The sheets: margins, fonts and the foot of each page."""

    def __init__(self, foot: str) -> None:
        super().__init__("portrait", "mm", "A4")
        self.set_margins(MARGIN_MM, MARGIN_MM)
        self.set_auto_page_break(auto=False)
        self.c_margin = 0
        self.set_producer("Mingzhang")
        for name, file in _FONTS.items():
            self.add_font(name, fname=_font(file))
        self.set_fallback_fonts(["han"], exact_match=False)
        self._known = {
            code for font in self.fonts.values() if isinstance(font, TTFFont) for code in font.cmap
        }
        self._foot = self.settable(foot)

    def settable(self, text: str) -> str:
        """Return text with every character that no font has as 〓."""
        return "".join(
            each if ord(each) in self._known or each == "\n" else _MISSING for each in text
        )

    def footer(self) -> None:
        """Write the foot of a page: what the document is, and which page of how many."""
        self.set_y(-_FOOT_MM + 3)
        self.set_font("text", size=SMALL_PT)
        with self.local_context():
            self.cell(WIDTH_MM, 5, self._foot)
        self.set_x(MARGIN_MM)
        pages = f"第 {self.page_no()} 页，共 {{nb}} 页 · page {self.page_no()} of {{nb}}"
        self.cell(WIDTH_MM, 5, pages, align="R")


def _line_mm(size_pt: float) -> float:
    return size_pt * _PT_MM * _LEADING


def _quiet_mm(symbol: Symbol, side_mm: float) -> float:
    return QUIET_MODULES * side_mm / symbol.modules


def _font(file: str) -> Path:
    # By its path, which the PDF library asks for: a package that is installed is a folder.
    return Path(str(resources.files("api.paper") / "fonts" / file))
