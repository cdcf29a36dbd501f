"""Names for the board, masked: they are no part of the log, and a notice does not show them whole.

The list is a CSV file of whoever keeps the members' names: a member's id and the name, a line each.
"""

from __future__ import annotations

import csv
import io
from unicodedata import east_asian_width

from ledger.errors import FormatError

_COLUMNS = 2


def masked(name: str) -> str:
    """Return a name as a notice shows it: 张*三, 张*, 欧**明, J*** S****."""
    return " ".join(map(_masked, name.split()))


def read_names(data: bytes) -> dict[str, str]:
    """Return masked names by member id, from a CSV file in UTF-8. Raises FormatError."""
    try:
        rows = list(csv.reader(io.StringIO(data.decode("utf-8-sig")), strict=True))
    except (UnicodeDecodeError, csv.Error) as error:
        raise FormatError(f"the list of names is no CSV file in UTF-8: {error}") from None
    found: dict[str, str] = {}
    for number, row in enumerate(rows, 1):
        if not row:
            continue
        if len(row) != _COLUMNS or not all(map(str.strip, row)):
            raise FormatError(f"line {number} of the list of names: write `member id,name`")
        member, name = map(str.strip, row)
        if member in found:
            raise FormatError(f"line {number} of the list of names: {member} is there twice")
        found[member] = masked(name)
    return found


def _masked(word: str) -> str:
    hidden = len(word) - 2
    if hidden > 0 and east_asian_width(word[0]) in "WF":
        return word[0] + "*" * hidden + word[-1]
    return word[0] + "*" * max(1, len(word) - 1)
