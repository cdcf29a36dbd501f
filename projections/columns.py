"""What the columns of read models hold: their type in the database, a note, and a unit.

Each is written once, beside the field of the row that it describes. The tables, their comments in
the database and the notes that go with an exported table all come from there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

TEXT, UUID, DATE, BIGINT, BOOLEAN = "text", "uuid", "date", "bigint", "boolean"
POINTS = "1/100 point 百分之一分"
"""The unit of every amount of points."""

_KINDS = {str: TEXT, int: BIGINT, bool: BOOLEAN}


@dataclass(frozen=True, slots=True)
class Note:
    """Says of a row's field what it holds; `kind` only where a str is a uuid or a date."""

    text: str
    unit: str | None = None
    kind: str | None = None


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table: `kind` is its type in PostgreSQL, SQLite and Parquet alike."""

    name: str
    kind: str
    nullable: bool
    note: str
    unit: str | None


Id = Annotated[str, Note("Id of the statement that the entry records.", kind=UUID)]
MaybeId = Annotated[str | None, Note("Id of a statement, if there is one.", kind=UUID)]


def columns_of(row: type[Sequence[Any]]) -> tuple[Column, ...]:
    """Return the columns of a NamedTuple whose fields are str, int or bool, or one of them or None.

    Of several notes on a field the last one holds. Raises TypeError for any other field.
    """
    hints = get_type_hints(row, include_extras=True)
    return tuple(_column(name, hint) for name, hint in hints.items())


def _column(name: str, hint: Any) -> Column:
    notes: list[Note] = []
    if get_origin(hint) is Annotated:
        hint, *given = get_args(hint)
        notes = [each for each in given if isinstance(each, Note)]
    nullable = False
    if get_origin(hint) in (Union, UnionType):
        kinds = [each for each in get_args(hint) if each is not type(None)]
        nullable = True
        hint = kinds[0] if len(kinds) == 1 else hint
    if hint not in _KINDS:
        raise TypeError(f"{name}: a column holds str, int or bool, not {hint}")
    said = notes[-1] if notes else Note("")
    stated = [each.kind for each in notes if each.kind]
    return Column(name, stated[-1] if stated else _KINDS[hint], nullable, said.text, said.unit)
