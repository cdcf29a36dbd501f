"""What changed between two versions of a rulebook, by code and field.

Lists of objects with a `code` (items, bands, member types, vetoes) are compared by code, not by
position; others as they are.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any, NamedTuple

ABSENT = None
"""Stands for a field that a version does not have."""


class Change(NamedTuple):
    """One field, named by the path to it, in the old and in the new version."""

    where: tuple[str, ...]
    old: Any
    new: Any


def diff(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[Change]:
    """Return every difference between two canonical forms, in the order of their fields."""
    return list(_between((), old, new))


def _between(where: tuple[str, ...], old: Any, new: Any) -> list[Change]:
    if old == new:
        return []
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        keys = [*old, *(key for key in new if key not in old)]
        return [
            change
            for key in keys
            for change in _between((*where, str(key)), old.get(key), new.get(key))
        ]
    by_code = _by_code(old), _by_code(new)
    if by_code[0] is not None and by_code[1] is not None:
        return _between(where, by_code[0], by_code[1])
    return [Change(where, old, new)]


def _by_code(values: Any) -> dict[str, Any] | None:
    """Return a list's objects by code (or category or per), None where it has none or repeats."""
    if not isinstance(values, list) or not all(isinstance(each, Mapping) for each in values):
        return None
    for key in ("code", "category", "per"):
        names = [each.get(key) for each in values]
        if None not in names and max(Counter(names).values(), default=0) <= 1:
            return {each[key]: each for each in values}
    return None
