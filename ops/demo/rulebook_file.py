"""Reads a rulebook written by people (YAML) into the form in which it is published.

In a file, points are decimals with at most two places, and items stand under their category, whose
`kind`, `account` and `applies_to` they share unless they have their own. What `load` returns has
points as integer hundredths and every item complete in itself; `published` turns that into the
body of a `rulebook.published` statement.
"""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path
from typing import Any, NoReturn

import yaml

Rulebook = dict[str, Any]

_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_PATTERNS = {
    "id": re.compile(r"[a-z0-9-]{1,64}"),
    "version": re.compile(r"[0-9]{1,4}\.[0-9]{1,4}\.[0-9]{1,4}"),
    "effective_from": re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"),
}
_HEAD = frozenset({*_PATTERNS, "title_zh", "title_en", "member_types", "applies_to", "categories"})
_TYPE = frozenset({"code", "name_zh", "name_en"})
_CATEGORY = frozenset({*_TYPE, "kind", "items"})
_SHARED = frozenset({"kind", "account", "applies_to"})
_ITEM = frozenset({*_TYPE, "act_type", "unit", "evidence"})
_VALUE = frozenset({"points", "min", "max", "cap"})


class RulebookFileError(ValueError):
    """The file is not a rulebook; the message names the file, the line and what is wrong."""


class _Mapping(dict[str, Any]):
    """A mapping of the file that knows the line on which it begins, from 1."""

    line: int = 0


class _Loader(yaml.SafeLoader):
    """Keeps decimals exact, dates as text, and refuses a key that stands twice."""


def _mapping(loader: _Loader, node: yaml.MappingNode) -> _Mapping:
    found = _Mapping()
    found.line = node.start_mark.line + 1
    for key_node, value_node in node.value:
        key = loader.construct_object(key_node, deep=True)
        if not isinstance(key, str) or key in found:
            raise yaml.constructor.ConstructorError(
                None, None, f"key {key!r} is no text or stands twice", key_node.start_mark
            )
        found[key] = loader.construct_object(value_node, deep=True)
    return found


def _number(loader: _Loader, node: yaml.ScalarNode) -> Decimal:
    return Decimal(loader.construct_scalar(node))


def _text(loader: _Loader, node: yaml.ScalarNode) -> str:
    return str(loader.construct_scalar(node))


_Loader.add_constructor("tag:yaml.org,2002:map", _mapping)
_Loader.add_constructor("tag:yaml.org,2002:float", _number)
_Loader.add_constructor("tag:yaml.org,2002:int", _number)
_Loader.add_constructor("tag:yaml.org,2002:timestamp", _text)


def load(path: Path) -> Rulebook:
    """Return the rulebook of a file, checked, its points in hundredths.

    The result has `id`, `version`, `effective_from`, `title_zh`, `title_en`, `member_types`,
    `categories` (code and names) and `items`, each with `code`, `category`, `name_zh`, `name_en`,
    `act_type`, `kind`, `points` or `min` and `max`, `unit`, `applies_to`, `evidence`, and where
    the file has them `cap` and `account`. Raises RulebookFileError.
    """
    try:
        # A subclass of the safe loader: it builds texts, numbers, lists and mappings only.
        raw = yaml.load(path.read_text("utf-8"), _Loader)  # noqa: S506
    except (yaml.YAMLError, ArithmeticError, UnicodeDecodeError) as error:
        raise RulebookFileError(f"{path.name}: no YAML we can read: {error}") from None
    if not isinstance(raw, _Mapping):
        raise RulebookFileError(f"{path.name}: a rulebook is a mapping of keys to values")
    return _Reader(path.name).rulebook(raw)


def published(rulebook: Rulebook, unit: str, effective_from: str) -> dict[str, Any]:
    """Return the body of the statement that publishes `rulebook` for `unit` and its sub-units.

    `effective_from` (YYYY-MM-DD) takes the place of the file's own date.
    """
    kept = ("version", "title_zh", "title_en", "member_types", "items")
    return {key: rulebook[key] for key in kept} | {"unit": unit, "effective_from": effective_from}


class _Reader:
    """Checks one file; `name` is how the messages call it."""

    def __init__(self, name: str) -> None:
        self._name = name

    def rulebook(self, raw: _Mapping) -> Rulebook:
        self._keys(raw, _HEAD, frozenset())
        for key, pattern in _PATTERNS.items():
            if not isinstance(raw[key], str) or not pattern.fullmatch(raw[key]):
                self._fail(raw, f"{key} {raw[key]!r} does not fit {pattern.pattern}")
        types = [dict(self._named(each, _TYPE)) for each in self._list(raw, "member_types")]
        self._once(raw, [each["code"] for each in types])
        categories = self._list(raw, "categories")
        for category in categories:
            self._named(category, _CATEGORY, _SHARED)
        self._once(raw, [each["code"] for each in categories])
        known = {each["code"] for each in types}
        items = [
            self._item(item, category, raw["applies_to"], known)
            for category in categories
            for item in self._list(category, "items")
        ]
        self._once(raw, [each["code"] for each in items])
        return {
            **{key: raw[key] for key in (*_PATTERNS, "title_zh", "title_en")},
            "member_types": types,
            "categories": [{key: each[key] for key in sorted(_TYPE)} for each in categories],
            "items": items,
        }

    def _item(
        self, raw: _Mapping, category: _Mapping, applies_to: list[str], types: set[str]
    ) -> dict[str, Any]:
        self._named(raw, _ITEM, _SHARED | _VALUE)
        shared = {"applies_to": applies_to} | {k: category[k] for k in _SHARED if k in category}
        item = {**shared, **raw, "category": category["code"]}
        if item["kind"] not in {"credit", "debit"}:
            self._fail(raw, f"kind {item['kind']!r} is neither credit nor debit")
        if item.get("account", "merit") not in {"merit", "service"}:
            self._fail(raw, f"account {item['account']!r} is neither merit nor service")
        for code in (*self._list(item, "evidence"), item["act_type"], item["unit"]):
            self._code(raw, code)
        for each in self._list(item, "applies_to"):
            if each not in types:
                self._fail(raw, f"applies_to {each!r} is none of the member_types")
        self._value(raw, item)
        return item

    def _value(self, raw: _Mapping, item: dict[str, Any]) -> None:
        given = raw.keys() & {"points", "min", "max"}
        if given not in ({"points"}, {"min", "max"}):
            self._fail(raw, "an item has either points, or min and max")
        for key in given:
            item[key] = self._hundredths(raw, key, least=0 if key == "min" else 1)
        if "min" in given and item["min"] > item["max"]:
            self._fail(raw, f"min {raw['min']} is above max {raw['max']}")
        if "cap" in raw:
            cap = raw["cap"]
            if not isinstance(cap, _Mapping):
                self._fail(raw, "cap is a mapping with per and points")
            self._keys(cap, frozenset({"per", "points"}), frozenset())
            self._code(cap, cap["per"])
            item["cap"] = {"per": cap["per"], "points": self._hundredths(cap, "points", least=1)}

    def _hundredths(self, raw: _Mapping, key: str, least: int) -> int:
        value = raw[key]
        if not isinstance(value, Decimal) or not value.is_finite():
            self._fail(raw, f"{key} {value!r} is no number")
        hundredths = value * 100
        if hundredths != int(hundredths):
            self._fail(raw, f"{key} {value} has more than two decimal places")
        if int(hundredths) < least:
            self._fail(raw, f"{key} {value} is too small; a debit's points are positive too")
        return int(hundredths)

    def _named(
        self, raw: object, needed: frozenset[str], allowed: frozenset[str] = frozenset()
    ) -> _Mapping:
        if not isinstance(raw, _Mapping):
            raise RulebookFileError(
                f"{self._name}: {raw!r} should be a mapping with code and names"
            )
        self._keys(raw, needed, allowed)
        self._code(raw, raw["code"])
        for key in ("name_zh", "name_en"):
            if not isinstance(raw[key], str) or not raw[key].strip():
                self._fail(raw, f"{key} is empty")
        return raw

    def _keys(self, raw: _Mapping, needed: frozenset[str], allowed: frozenset[str]) -> None:
        if missing := needed - raw.keys():
            self._fail(raw, f"{', '.join(sorted(missing))} missing")
        if unknown := raw.keys() - needed - allowed:
            self._fail(raw, f"{', '.join(sorted(unknown))} unknown here")

    def _list(self, raw: dict[str, Any], key: str) -> list[Any]:
        found = raw[key]
        if not isinstance(found, list) or not found:
            self._fail(raw, f"{key} is a list with at least one entry")
        return found

    def _code(self, raw: _Mapping, code: object) -> None:
        if not isinstance(code, str) or not _CODE.fullmatch(code):
            self._fail(raw, f"{code!r} is no code: letters, digits, dot, dash, underscore")

    def _once(self, raw: _Mapping, codes: list[str]) -> None:
        for code in codes:
            if codes.count(code) > 1:
                self._fail(raw, f"code {code} stands twice")

    def _fail(self, raw: dict[str, Any], message: str) -> NoReturn:
        line = f":{raw.line}" if isinstance(raw, _Mapping) else ""
        code = f"{raw['code']}: " if isinstance(raw.get("code"), str) else ""
        raise RulebookFileError(f"{self._name}{line}: {code}{message}")
