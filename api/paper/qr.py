"""QR symbols as paper carries them (ISO/IEC 18004): level M, at most version 10.

Larger ones do not decode from a photocopy that a phone reads at arm's length.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import segno
from segno import DataOverflowError

from ledger.errors import FormatError

VERSION_MAX = 10
SIDE_MM_MIN = 30.0
"""The least side of the symbol itself, without its quiet zone."""
QUIET_MODULES = 4


@dataclass(frozen=True, slots=True)
class Symbol:
    """A symbol: its version, and its dark modules row by row, without a quiet zone."""

    version: int
    rows: tuple[bytes, ...]

    @property
    def modules(self) -> int:
        """How many modules a side has."""
        return len(self.rows)

    def runs(self) -> Iterator[tuple[int, int, int]]:
        """Yield the dark runs: column, row, and how many modules to the right."""
        for y, row in enumerate(self.rows):
            start = None
            for x, dark in enumerate((*row, 0)):
                if dark and start is None:
                    start = x
                elif not dark and start is not None:
                    yield start, y, x - start
                    start = None


def symbol(text: str) -> Symbol:
    """Return the smallest symbol of a text. Raises FormatError for one that is too long."""
    try:
        made = segno.make_qr(text, error="m", boost_error=False)
    except DataOverflowError:
        made = None
    if made is None or int(made.version) > VERSION_MAX:
        raise FormatError(
            f"{len(text.encode())} bytes do not fit a QR symbol of version {VERSION_MAX}, level M "
            "(213 do): give a shorter address of the ledger"
        )
    return Symbol(int(made.version), tuple(bytes(row) for row in made.matrix))
