"""Writes tables as Excel and CSV; what would be a formula elsewhere is written as text."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell

from ledger.store.media import XLSX

_FORMULA = re.compile(r"'*[=+\-@\t\r＝＋－＠]").match


def write_table(header: Sequence[str], rows: Iterable[Sequence[str]], media_type: str) -> bytes:
    """Return the file of a table; every cell is text, so that none is ever computed."""
    if media_type == XLSX:
        return _xlsx(header, rows)
    text = io.StringIO()
    out = csv.writer(text, lineterminator="\r\n")
    for row in (header, *rows):
        # A CSV file has no types: an apostrophe is what spreadsheets take for "this is text".
        out.writerow([f"'{each}" if _FORMULA(each) else each for each in row])
    # With a byte order mark Excel reads UTF-8 as such.
    return text.getvalue().encode("utf-8-sig")


def _xlsx(header: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    book = Workbook(write_only=True)
    sheet = book.create_sheet("table")
    sheet.freeze_panes = "A2"
    for row in (header, *rows):
        cells = []
        for each in row:
            cell = WriteOnlyCell(sheet, value=each)
            cell.data_type = "s"
            cell.number_format = "@"
            cells.append(cell)
        sheet.append(cells)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()
