"""Breaks text into lines: between Chinese characters anywhere, in other words at spaces.

No line begins with a closing mark or ends with an opening one, as Chinese typesetting asks
(GB/T 15834, 5.1).
"""

from __future__ import annotations

from collections.abc import Callable
from unicodedata import east_asian_width

_NOT_FIRST = frozenset("，。、；：？！）》」』】〉”’…%,.;:?!)]}")
_NOT_LAST = frozenset("（《「『【〈“‘([{")


def wrap(text: str, width: float, measure: Callable[[str], float]) -> list[str]:
    """Return the lines of a text, each at most `width` by `measure`; newlines are kept.

    A piece without any place to break that is too wide alone is cut where the line is full.
    """
    lines: list[str] = []
    for paragraph in text.split("\n"):
        line = ""
        for piece in _pieces(paragraph):
            rest = piece
            if measure((line + rest).rstrip()) > width and line:
                lines.append(line.rstrip())
                line, rest = "", rest.lstrip()
            while measure(rest.rstrip()) > width and len(rest) > 1:
                cut = _fitting(rest, width, measure)
                lines.append(rest[:cut])
                rest = rest[cut:]
            line += rest
        lines.append(line.rstrip())
    return lines


def _pieces(text: str) -> list[str]:
    """Cut a paragraph wherever a line may end; put together, the pieces are the paragraph."""
    pieces: list[str] = []
    start = 0
    for at in range(1, len(text)):
        if _may_break(text[at - 1], text[at]):
            pieces.append(text[start:at])
            start = at
    pieces.append(text[start:])
    return pieces


def _may_break(before: str, after: str) -> bool:
    if after in _NOT_FIRST or before in _NOT_LAST or after == " ":
        return False
    return before == " " or _is_wide(before) or _is_wide(after)


def _is_wide(character: str) -> bool:
    return east_asian_width(character) in "WF"


def _fitting(text: str, width: float, measure: Callable[[str], float]) -> int:
    """Return how many characters of a text fit, at least one."""
    fitting = 1
    while fitting < len(text) and measure(text[: fitting + 1]) <= width:
        fitting += 1
    return fitting
