"""A statement's body from words `name=value`, read as the type's published schema says.

Points and quantities are written as people write them (2.50); a reason or a file becomes a
commitment. What a schema has no simple form for (a rulebook, sheets) is given as JSON.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import orjson

from api.cli import console
from api.tables.cells import hundredths
from ledger import schema
from ledger.commitment import is_commitment
from ledger.errors import FormatError

Keep = Callable[[str], str]
"""Keeps a text (or, after @, a file) and returns the commitment to it."""

_HUNDREDTHS = ("points", "quantity")


def read_body(kind: str, words: Sequence[str], keep: Keep | None = None) -> dict[str, Any]:
    """Return the body that words give. Raises CommandError for one that cannot be read.

    A list is given with commas, or by the name again; a member of a member after a dot
    (`replacement.points`). Without `keep` commitments are given as they are: 64 hex digits.
    """
    known = schema.schemas().get(kind)
    if known is None:
        raise console.CommandError(f"no statement type {kind!r} is known")
    body: dict[str, Any] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals:
            raise console.CommandError(f"{word!r}: give the body as NAME=VALUE, or with --body")
        _put(body, name, value, known, known.get("$defs", {}), keep)
    return body


def _put(
    body: dict[str, Any],
    name: str,
    value: str,
    rule: dict[str, Any],
    defs: dict[str, Any],
    keep: Keep | None,
) -> None:
    """Put one member into a body; a name with dots is one of a member that has members itself."""
    first, dot, rest = name.partition(".")
    properties = rule.get("properties", {})
    if first not in properties:
        names = ", ".join(properties) or "none: the body is empty"
        raise console.CommandError(f"{first} is no member of it, which has: {names}")
    inner = _resolved(properties[first], defs)
    if dot:
        _put(body.setdefault(first, {}), rest, value, inner, defs, keep)
        return
    try:
        read = _read(first, value, inner, defs, keep)
    except (FormatError, ValueError) as error:
        raise console.CommandError(f"{first}: {error}") from None
    if first in body and not isinstance(read, list):
        raise console.CommandError(f"{first} is given twice")
    body[first] = [*body[first], *read] if first in body else read


def _resolved(rule: dict[str, Any], defs: dict[str, Any]) -> dict[str, Any]:
    named = rule.get("$ref", "").rpartition("/")[2]
    return {**defs.get(named, {}), "named": named} if named else rule


def _read(
    name: str, value: str, rule: dict[str, Any], defs: dict[str, Any], keep: Keep | None
) -> Any:
    if value[:1] in ("{", "["):
        return orjson.loads(value)
    if rule.get("named") == "commitment":
        return _commitment(value, keep)
    if name in _HUNDREDTHS or rule.get("named") == "points":
        return hundredths(value)
    if rule.get("type") == "integer":
        return int(value)
    if rule.get("type") == "boolean" or isinstance(rule.get("const"), bool):
        return {"true": True, "false": False}.get(value, value)
    if rule.get("type") != "array":
        return value
    items = _resolved(rule["items"], defs)
    if items.get("type") == "object" and set(items["properties"]) == {"kind", "commitment"}:
        kind, colon, what = value.partition(":")
        if not colon:
            raise FormatError("evidence is KIND:@FILE, KIND:TEXT or KIND:COMMITMENT")
        return [{"kind": kind, "commitment": _commitment(what, keep)}]
    if items.get("type") == "object":
        raise FormatError("give it as JSON, or the whole body with --body @FILE")
    return [each for each in value.split(",") if each]


def _commitment(value: str, keep: Keep | None) -> str:
    if is_commitment(value):
        return value
    if keep is None:
        raise FormatError(
            "a commitment has 64 hex digits: `mingzhang commit` makes one of a text or file"
        )
    return keep(value)
