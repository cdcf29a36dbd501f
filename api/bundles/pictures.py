"""Pictures for the report, as SVG of plain shapes: a page and a PDF show the same one.

Black, two greys and lines only, so that a photocopy shows all of it. Lengths are in user units;
values are hundredths of points. The table beside each picture has the same figures.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from itertools import groupby
from typing import NamedTuple
from xml.sax.saxutils import escape

from projections.render import MINUS, points_total

WIDTH, WAY_HEIGHT, BAR_HEIGHT = 420, 210, 26
_INK, _MUTED, _LINE = "#1F2328", "#595F69", "#B9B3A7"
_LEFT, _RIGHT, _TOP, _FOOT = 44, 66, 14, 26
_LABELS = 96
_TEXT_PX = 14


class Step(NamedTuple):
    """A figure from a day on: the day, YYYY-MM-DD, and hundredths."""

    day: str
    value: int


class Edge(NamedTuple):
    """Where a band begins: its name, and hundredths."""

    name: str
    value: int


class Bar(NamedTuple):
    """A module and what it counted, hundredths with a sign."""

    name: str
    value: int


def way(steps: Sequence[Step], edges: Sequence[Edge], last: str) -> str:
    """Return the way of a score as a step line up to the day `last`, with the bands' edges."""
    days = [date.fromisoformat(each.day).toordinal() for each in steps]
    first, end = days[0], max(date.fromisoformat(last).toordinal(), days[-1], days[0] + 1)
    values = [each.value for each in steps]
    low, high = min(values), max(values)
    # The nearest edge below and above is what a reader wants to see.
    shown = [each for each in edges if low - 1500 <= each.value <= high + 1500]
    low = min([low, *(each.value for each in shown)])
    high = max([high, *(each.value for each in shown)])
    room = max(high - low, 100) // 10
    low, high = low - room, high + room

    def x(day: int) -> float:
        return _LEFT + (WIDTH - _LEFT - _RIGHT) * (day - first) / (end - first)

    def y(value: int) -> float:
        return _TOP + (WAY_HEIGHT - _TOP - _FOOT) * (high - value) / (high - low)

    parts = []
    for each in shown:
        at = y(each.value)
        parts.append(_line(_LEFT, at, WIDTH - _RIGHT, at, _LINE))
        parts.append(_text(WIDTH - _RIGHT + 6, at + 4, each.name, _MUTED))
        parts.append(_text(_LEFT - 6, at + 4, points_total(each.value), _MUTED, "end"))
    places = [(x(days[0]), y(values[0]))]
    for day, value in zip(days[1:], values[1:], strict=True):
        places += [(x(day), places[-1][1]), (x(day), y(value))]
    places.append((x(end), places[-1][1]))
    line = " ".join(f"{left:.1f},{top:.1f}" for left, top in places)
    parts.append(f'<polyline points="{line}" fill="none" stroke="{_INK}" stroke-width="2"/>')
    foot = WAY_HEIGHT - 8
    parts.append(_line(_LEFT, WAY_HEIGHT - _FOOT, WIDTH - _RIGHT, WAY_HEIGHT - _FOOT, _INK))
    parts.append(_text(_LEFT, foot, steps[0].day, _MUTED))
    parts.append(_text(WIDTH - _RIGHT, foot, last, _MUTED, "end"))
    parts.append(
        _text(WIDTH - _RIGHT + 6, places[-1][1] - 6, points_total(values[-1]), _INK, "start")
    )
    return _svg(WAY_HEIGHT, parts)


def bars(found: Sequence[Bar]) -> str:
    """Return what each module counted as a bar from zero, debits to the left."""
    low, high = min(0, *(e.value for e in found)), max(0, *(e.value for e in found))
    span = max(high - low, 1)
    left, right = _LABELS + _LEFT, WIDTH - _LEFT

    def x(value: int) -> float:
        return left + (right - left) * (value - low) / span

    parts = []
    for place, each in enumerate(found):
        top = place * BAR_HEIGHT + 6
        start, stop = sorted((x(0), x(each.value)))
        parts.append(_text(0, top + 14, each.name, _INK))
        parts.append(
            f'<rect x="{start:.1f}" y="{top}" width="{max(stop - start, 1):.1f}" height="16" '
            f'fill="{_INK if each.value >= 0 else _MUTED}"/>'
        )
        side = ("start", stop + 6) if each.value >= 0 else ("end", start - 6)
        parts.append(_text(side[1], top + 14, points_total(each.value), _MUTED, side[0]))
    height = len(found) * BAR_HEIGHT + 8
    parts.append(_line(x(0), 0, x(0), height, _INK))
    return _svg(height, parts)


def _svg(height: int, parts: Sequence[str]) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
        f'width="{WIDTH}" height="{height}" preserveAspectRatio="xMinYMin">{"".join(parts)}</svg>'
    )


def _line(x1: float, y1: float, x2: float, y2: float, colour: str) -> str:
    return (
        f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}" '
        'stroke-width="1"/>'
    )


def _text(x: float, y: float, text: str, colour: str, anchor: str = "start") -> str:
    runs = "".join(
        f'<tspan font-family="{font}">{escape("".join(found))}</tspan>'
        for font, found in groupby(map(_settable, text), _font)
    )
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{_TEXT_PX}" text-anchor="{anchor}" '
        f'fill="{colour}">{runs}</text>'
    )


def _settable(character: str) -> str:
    """Return a character that one of the paper's two fonts has, or what printers set instead."""
    if character <= "\u024f" or character == MINUS:
        return character
    known = character >= "\u3000" and character.encode("gbk", "ignore")
    return character if known else "\u3013"


def _font(character: str) -> str:
    """Name the font of `api.paper` for a character: in a drawing it puts no other in its place."""
    return "han" if character >= "\u3000" else "text"
