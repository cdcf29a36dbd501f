"""How one cell is read: each function returns its value or raises FormatError."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple

from ledger.commitment import is_commitment
from ledger.entry import is_id
from ledger.errors import FormatError

POINTS_MAX = 10_000_000
LIST_MAX = 400


class Text(NamedTuple):
    """A reason or a file's name as a cell gives it, for which a commitment is still to be made."""

    text: str
    is_file: bool = False


class CellError(FormatError):
    """What is wrong with the cell under the header `column`."""

    def __init__(self, column: str, message: str) -> None:
        super().__init__(message)
        self.column = column


def hundredths(cell: str) -> int:
    """Read points or a quantity with at most two decimals. Raises FormatError."""
    try:
        value = Decimal(cell)
        whole = value * 100
        if not value.is_finite() or whole != whole.to_integral_value():
            raise FormatError(f"{cell[:20]!r} has more than two decimals")
    except InvalidOperation:
        raise FormatError(f"{cell[:20]!r} is no number") from None
    if not 0 < whole <= POINTS_MAX:
        raise FormatError(f"{cell[:20]!r} is not above 0 and at most {POINTS_MAX // 100}")
    return int(whole)


def amount(cell: str) -> int:
    """Read signed points: 2.50, 0 or -2.5. Raises FormatError."""
    bare = cell.removeprefix("-")
    if bare in ("0", "0.0", "0.00"):
        return 0
    return -hundredths(bare) if bare != cell else hundredths(cell)


def figure(value: int) -> str:
    """Write hundredths as a cell has them: 250 is 2.50."""
    return f"{value // 100}.{value % 100:02d}"


def score(cell: str) -> int:
    """Read a score of 0 to 100."""
    if cell in ("0", "0.0", "0.00"):
        return 0
    value = hundredths(cell)
    if value > 100_00:
        raise FormatError(f"a score of {cell[:20]!r} is above 100")
    return value


def day(cell: str) -> str:
    """Read a date of the calendar, 2026-03-31."""
    try:
        if re.fullmatch(r"\d{4}-\d\d-\d\d", cell) is None:
            raise ValueError
        date.fromisoformat(cell)
    except ValueError:
        raise FormatError(f"{cell[:20]!r} is no date of the form 2026-03-31") from None
    return cell


def ident(cell: str) -> str:
    """Read the id of a member, unit, actor or the like."""
    if not is_id(cell):
        raise FormatError(f"{cell[:70]!r} is no id: a-z, 0-9 and - only, 64 at most")
    return cell


def statement_id(cell: str) -> str:
    """Read the id of the statement that brought an entry in."""
    if re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", cell) is None:
        raise FormatError(f"{cell[:40]!r} is no statement's id: copy it from the receipt")
    return cell


def count(cell: str) -> int:
    """Read how many there are, 1 to 99."""
    if re.fullmatch(r"[1-9][0-9]?", cell) is None:
        raise FormatError(f"{cell[:20]!r} is no whole number from 1 to 99")
    return int(cell)


def code(cell: str) -> str:
    """Read the code of an item or kind."""
    if re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}", cell) is None:
        raise FormatError(f"{cell[:70]!r} is no code")
    return cell


def version(cell: str) -> str:
    """Read the version of a rulebook."""
    if re.fullmatch(r"[0-9]{1,4}(\.[0-9]{1,4}){2}", cell) is None:
        raise FormatError(f"{cell[:20]!r} is no version of the form 1.0.0")
    return cell


def choice(**words: str) -> Callable[[str], str]:
    """Return what reads one of `words`, values with their Chinese names."""

    def read(cell: str) -> str:
        for value, zh in words.items():
            if cell.casefold() in (value, zh, f"{zh} {value}"):
                return value
        raise FormatError(
            f"{cell[:20]!r} is none of {', '.join(f'{v} {k}' for k, v in words.items())}"
        )

    return read


def opaque(cell: str) -> str:
    """Read a commitment."""
    if is_commitment(cell) is None:
        raise FormatError(f"{cell[:20]!r} is no commitment of 64 lower-case hex digits")
    return cell


def text_or_commitment(cell: str) -> Text | str:
    """Read a reason, or the commitment to one."""
    return cell if is_commitment(cell) else Text(cell)


def file_or_commitment(cell: str) -> Text | str:
    """Read a file's name, or the commitment to one."""
    return cell if is_commitment(cell) else Text(cell, is_file=True)


def evidence(cell: str) -> list[dict[str, Any]]:
    """Read `KIND:FILE` or `KIND:COMMITMENT`, several with a semicolon."""
    found = []
    for part in _parts(cell):
        kind, colon, what = part.partition(":")
        if not colon or not what.strip():
            raise FormatError(
                f"{part[:40]!r} is not of the form KIND:FILE or KIND:COMMITMENT, several with ;"
            )
        found.append({"kind": code(kind.strip()), "commitment": file_or_commitment(what.strip())})
    return found


def several(read: Callable[[str], Any]) -> Callable[[str], list[Any]]:
    """Return what reads parts with a semicolon between them."""

    def read_all(cell: str) -> list[Any]:
        return [read(part) for part in _parts(cell)]

    return read_all


def _parts(cell: str) -> list[str]:
    parts = [each.strip() for each in cell.replace("；", ";").split(";") if each.strip()]
    if not 1 <= len(parts) <= LIST_MAX:
        raise FormatError(f"{len(parts)} parts; 1 to {LIST_MAX} are read, with ; between them")
    return parts
