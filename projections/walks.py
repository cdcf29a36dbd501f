"""Which entries a question looks at: those of the condition that thins the log out the most.

Every condition with an index walks its own entries, newest first, a given number of places deep.
The walk that reaches furthest back leads, since its entries lie furthest apart; one that comes to
its end before leads anyhow. Whatever the conditions, and however they go together, no more entries
are read than one walk has places: what they cost does not grow with the log.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from projections.sql import query

GATHERED_MAX = 25_000
"""So many places are sorted by their index in the log; a condition that more meet does not lead."""
UNITS_MAX = 32
"""A unit with more below it is taken to hold much of the log, and does not lead."""
HANDS = ("scorer", "reviewer")
_WALKED = ("member", "item", "act_type")
_WALKED_NEWEST = ("rulebook", "kind", "origin", "state", "reversed")
_DATED = ("item", "unit", "act_type")
"""What an index holds together with the day of the act."""


def walks(build: int, asked: Mapping[str, Any], *, newest: bool) -> str:
    """Return the walks that an index has the order for, each a row of the array of its places.

    The one through the whole log is always there.
    """
    now = "if_now" if newest else "if_not_ended"
    ordered = [*_WALKED, *(_WALKED_NEWEST if newest else ())]
    found = [_walk(build, "walk", "entry", now)]
    found += [_walk(build, "walk", "hand", f"hand_{each}") for each in HANDS if each in asked]
    for each in ordered:
        if each in asked and (each != "reversed" or asked[each]):
            found.append(_walk(build, "walk", "entry", now, f"if_{each}"))
    if len(asked.get("units", ())) == 1:
        found.append(_walk(build, "walk", "entry", now, "if_unit"))
    return ",\n".join(f"({each})" for each in found)


def gathering(build: int, asked: Mapping[str, Any], *, newest: bool) -> str:
    """Return what adds a walk whose places are sorted first, empty where no condition is such.

    Those are days of the act, amounts, several units; the likely most selective ones come first.
    """
    now = "if_now" if newest else "if_not_ended"
    dates = [each for each in ("act_from", "act_to") if each in asked]
    amounts = [each for each in ("amount_min", "amount_max") if each in asked]
    few = 0 < len(asked.get("units", ())) <= UNITS_MAX
    hands = [each for each in HANDS if each in asked and dates]
    dated = [each for each in _DATED if each in asked and dates and (each != "unit" or few)]
    found = [
        _walk(build, "sorted_walk", "hand", f"hand_{each}", *(f"hand_{day}" for day in dates))
        for each in hands
    ]
    several = [[each, *dates] for each in dated]
    several += [amounts] if amounts and newest else []
    several += [dates] if dates and not dated and not hands else []
    several += [["unit"]] if few else []
    found += [
        _walk(build, "sorted_walk", "entry", now, *(f"if_{each}" for each in names))
        for names in several
    ]
    if not found:
        return ""
    return query("entries", "gather", build).replace("{gathers}", ",\n".join(found))


def _walk(build: int, name: str, table: str, *conditions: str) -> str:
    condition = "\n        AND ".join(query("entries", each, build) for each in conditions)
    text = query("entries", name, build).replace("{condition}", condition)
    # Conditions call a row by its table's first letter.
    return text.replace("{table}", table).replace("{row}", table[0])
