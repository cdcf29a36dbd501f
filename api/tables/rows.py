"""Reads a table's rows to drafts of statements, or says which cell of which row is wrong.

Nothing here reads files, signs or sends.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from api.tables.cells import CellError, Text
from api.tables.kinds import Column, Kind
from ledger import schema
from ledger.errors import FormatError

EXAMPLE = "示例 example"
"""The first cell of a template's example row, which an import passes over."""
ROWS_MAX = 10_000


class RowError(NamedTuple):
    """What is wrong with one cell; `row` counts from 1 with the header, as a screen shows it."""

    row: int
    column: str
    message: str

    def __str__(self) -> str:
        return f"row {self.row}{f', column {self.column}' if self.column else ''}: {self.message}"


class Draft(NamedTuple):
    """A statement that can be signed once its texts have commitments.

    `rows` are those that it comes from, nearly always one; `cells` theirs, in the kind's order.
    """

    rows: tuple[int, ...]
    cells: tuple[tuple[str, ...], ...]
    type: str
    stream: str
    body: dict[str, Any]


def drafts(
    kind: Kind, table: Sequence[tuple[int, Sequence[str]]], *, direct: bool = False
) -> tuple[list[Draft], list[RowError]]:
    """Read a table's rows, of which the first is its header; `direct` is the shorter path.

    Returns what can be signed and what is wrong, cell by cell. Raises FormatError where the
    header itself cannot be used.
    """
    if not table:
        raise FormatError("the table is empty: take a template (mingzhang template)")
    header = _header(kind, table[0][1])
    good: list[Draft] = []
    bad: list[RowError] = []
    plain_of: dict[int, tuple[str, ...]] = {}
    seen: dict[tuple[str, ...], int] = {}
    for number, cells in table[1:]:
        given = {
            column.name: unicodedata.normalize("NFC", cells[place].strip())
            for place, column in header.items()
            if place < len(cells)
        }
        if not any(given.values()) or EXAMPLE in given.values():
            continue
        stray = [place for place, each in enumerate(cells) if each.strip() and place not in header]
        if stray:
            bad.append(RowError(number, "", f"cell {stray[0] + 1} stands under no header"))
            continue
        plain = tuple(given.get(each.name, "") for each in kind.columns)
        plain_of[number] = plain
        values, errors = _values(kind, number, given)
        if not errors and plain in seen:
            errors = [RowError(number, "", f"the same as row {seen[plain]}: delete one of them")]
        seen.setdefault(plain, number)
        if not errors:
            try:
                statement_type, stream, body = kind.build(values, direct)
                _check_body(kind, statement_type, body)
            except CellError as error:
                errors = [RowError(number, error.column, error.message)]
            else:
                good.append(Draft((number,), (plain,), statement_type, stream, body))
        bad += errors
    if kind.together:
        good = _joined(kind, good, bad, plain_of)
    if not good and not bad:
        raise FormatError("the table has a header and no rows")
    return good, bad


def _joined(
    kind: Kind, good: list[Draft], bad: list[RowError], plain_of: Mapping[int, tuple[str, ...]]
) -> list[Draft]:
    """Join the sheets of one member; where one of them is wrong, all of them wait."""
    places = [at for at, each in enumerate(kind.columns) if each.name in kind.together]

    def key(cells: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(cells[at] for at in places)

    wrong = {key(plain_of[each.row]): each.row for each in bad if each.row in plain_of}
    joined: dict[tuple[str, ...], list[Draft]] = {}
    for each in good:
        at = key(each.cells[0])
        if at in wrong:
            bad.append(RowError(each.rows[0], "", f"it belongs together with row {wrong[at]}"))
        else:
            joined.setdefault(at, []).append(each)
    drafts = []
    for parts in joined.values():
        # In the order of their receipts, which says nothing of who filled them in.
        sheets = sorted(
            (sheet for each in parts for sheet in each.body["sheets"]),
            key=lambda sheet: str(sheet["receipt"]),
        )
        rows = tuple(each.rows[0] for each in parts)
        cells = tuple(each.cells[0] for each in parts)
        drafts.append(
            parts[0]._replace(rows=rows, cells=cells, body=parts[0].body | {"sheets": sheets})
        )
    return drafts


def _header(kind: Kind, cells: Sequence[str]) -> dict[int, Column]:
    """Return the column at each place. Raises FormatError."""
    found: dict[int, Column] = {}
    for place, cell in enumerate(cells):
        if not cell.strip():
            continue
        column = kind.column(cell)
        if column is None:
            known = ", ".join(each.header for each in kind.columns)
            raise FormatError(f"row 1: {cell.strip()[:40]!r} is no column of {kind.name}: {known}")
        if column in found.values():
            raise FormatError(f"row 1: the column {column.header} stands there twice")
        found[place] = column
    missing = [c.header for c in kind.columns if c.required and c not in found.values()]
    if missing:
        raise FormatError(f"row 1: these columns are missing: {', '.join(missing)}")
    return found


def _values(
    kind: Kind, number: int, given: Mapping[str, str]
) -> tuple[dict[str, Any], list[RowError]]:
    values: dict[str, Any] = {}
    errors = []
    for column in kind.columns:
        cell = given.get(column.name, "")
        if not cell:
            if column.required:
                errors.append(RowError(number, column.header, "it is empty"))
            continue
        try:
            values[column.name] = column.read(cell)
        except FormatError as error:
            errors.append(RowError(number, column.header, error.message))
    return values, errors


def _check_body(kind: Kind, statement_type: str, body: dict[str, Any]) -> None:
    """Raise the error of the cell that a body's schema does not allow."""
    if statement_type not in schema.schemas():
        raise CellError("", f"this ledger knows no statements {statement_type}")
    try:
        schema.validate(statement_type, with_commitments(body, lambda _: "0" * 64))
    except FormatError as error:
        parts = error.message.split(": ", 2)
        name = parts[1].partition("/")[2].partition("/")[0] if len(parts) > 2 else ""
        column = kind.column(name) if name else None
        raise CellError(column.header if column else "", parts[-1]) from None


def with_commitments(value: Any, commitment_of: Callable[[Text], str]) -> Any:
    """Return a body with a commitment in the place of each text or file."""
    if isinstance(value, Text):
        return commitment_of(value)
    if isinstance(value, dict):
        return {name: with_commitments(each, commitment_of) for name, each in value.items()}
    if isinstance(value, list):
        return [with_commitments(each, commitment_of) for each in value]
    return value
