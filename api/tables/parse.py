"""Reads one table in a process of its own, under limits of memory and time.

`python -m api.tables.parse xlsx|csv` takes the file on standard input and answers one JSON value:
`{"rows": [[number, [cell, …]], …]}` or `{"error": "…"}`. What a stranger's file does to a parser
ends with this process.
"""

from __future__ import annotations

import contextlib
import csv
import io
import re
import resource
import sys
import warnings
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, time
from typing import Any
from xml.parsers import expat

import orjson

from ledger.errors import FormatError

MEMORY_BYTES_MAX = 768 * 1024 * 1024
CPU_S_MAX = 20
ROWS_MAX = 10_001
CELLS_MAX = 64
CELL_CHARS_MAX = 4_000
BLANK_ROWS_MAX = 1_000
_QUOTED = re.compile(r"'+[=+\-@\t\r＝＋－＠]").match

Row = tuple[int, Sequence[str]]


def main() -> None:
    """Limit this process, read, answer."""
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_S_MAX, CPU_S_MAX))
    _limit_memory()
    data = sys.stdin.buffer.read()
    answer: dict[str, Any]
    try:
        read = read_xlsx if sys.argv[1] == "xlsx" else read_csv
        answer = {"rows": list(_bounded(read(data)))}
    except FormatError as error:
        answer = {"error": error.message}
    except MemoryError:
        answer = {"error": "it needs more memory than a table may take"}
    except Exception as error:  # noqa: BLE001 - a file that a parser stumbles over is just no table
        answer = {"error": f"it cannot be read as a table ({type(error).__name__})"}
    sys.stdout.buffer.write(orjson.dumps(answer))


def _limit_memory() -> None:
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES_MAX, MEMORY_BYTES_MAX))


def read_xlsx(data: bytes) -> Iterator[Row]:
    """Yield the rows of a workbook's first sheet. Raises FormatError.

    The archive was judged before (`ledger.archive`); here every XML part must be free of a
    document type, which entities are declared in, before the library sees it.
    """
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for name in archive.namelist():
            if name.endswith((".xml", ".rels")):
                _refuse_doctype(archive.read(name))
    # It takes long to import, and reading CSV needs nothing of it.
    from openpyxl import load_workbook  # noqa: PLC0415

    with warnings.catch_warnings():
        # Drawings and styles that the library leaves out are of no interest here.
        warnings.simplefilter("ignore")
        book = load_workbook(io.BytesIO(data), read_only=True, data_only=False, keep_links=False)
        sheet = book.worksheets[0]
        # The size that a file states may be anything.
        sheet.reset_dimensions()
        for number, cells in enumerate(sheet.iter_rows(), start=1):
            yield number, [_cell(number, each) for each in cells]


def _refuse_doctype(part: bytes) -> None:
    def refuse(*_: object) -> None:
        raise FormatError("the workbook declares a document type: it may hold an entity bomb")

    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = refuse
    parser.EntityDeclHandler = refuse
    parser.Parse(part, True)


def _cell(number: int, cell: Any) -> str:
    value = cell.value
    if value is None:
        return ""
    place = f"row {number}, cell {cell.coordinate}"
    if cell.data_type == "f":
        raise FormatError(f"{place}: a formula; put its value there")
    if cell.data_type == "e":
        raise FormatError(f"{place}: an error of the spreadsheet ({value})")
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def read_csv(data: bytes) -> Iterator[Row]:
    """Yield the rows of a CSV file in UTF-8 or GB 18030. Raises FormatError."""
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            text = data.decode(encoding)
            break
        except UnicodeDecodeError:
            continue
    else:
        raise FormatError("it is neither UTF-8 nor GB 18030 text")
    csv.field_size_limit(CELL_CHARS_MAX * 4)
    try:
        for number, cells in enumerate(csv.reader(io.StringIO(text), strict=True), start=1):
            yield number, [each[1:] if _QUOTED(each) else each for each in cells]
    except csv.Error as error:
        raise FormatError(f"it is no CSV table: {error}") from None


def _bounded(rows: Iterable[Row]) -> Iterator[Row]:
    blank = found = 0
    for number, cells in rows:
        filled = len(cells)
        while filled and not cells[filled - 1]:
            filled -= 1
        if not filled:
            blank += 1
            continue
        if blank > BLANK_ROWS_MAX:
            raise FormatError(f"row {number} stands after {blank} empty rows: is it meant?")
        blank = 0
        found += 1
        if found > ROWS_MAX:
            raise FormatError(f"more than {ROWS_MAX - 1} rows: import it in parts")
        if filled > CELLS_MAX:
            raise FormatError(f"row {number} has {filled} cells, at most {CELLS_MAX} are read")
        if any(len(each) > CELL_CHARS_MAX for each in cells):
            raise FormatError(f"row {number}: a cell has more than {CELL_CHARS_MAX} characters")
        yield number, cells[:filled]


if __name__ == "__main__":
    main()
