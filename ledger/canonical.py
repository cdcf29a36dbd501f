"""RFC 8785 canonical JSON, as far as this project's formats use it.

The formats allow no floats and no nulls, member names of `[a-z][a-z0-9_]*`, NFC strings without
control characters, and integers within ±(2^53 − 1). Under exactly these restrictions orjson's
sorted form equals RFC 8785 (its order by code point equals the order by UTF-16 unit for ASCII
names, its escapes are the same ones), at a sixtieth of the time; so the restrictions are checked
here, and the tests keep the `rfc8785` package as their oracle.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Any

import orjson

from ledger.errors import FormatError

JSON = Any
"""A JSON value without floats and nulls: str, int, bool, list or dict with str keys."""

INTEGER_MAX = 2**53 - 1
DEPTH_MAX = 16

# Names that were found good: the same few dozen come again and again.
_NAMES_MAX = 1_000
_names: set[str] = set()
_NAME = re.compile(r"[a-z][a-z0-9_]*").fullmatch
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]").search


def dumps(value: JSON) -> bytes:
    """Return the canonical bytes of `value`.

    Raises FormatError where `value` is outside the restrictions above.
    """
    check(value)
    try:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    except TypeError as error:
        raise FormatError(f"not text that UTF-8 can carry: {error}") from None


def loads(data: bytes) -> JSON:
    """Return the value whose canonical bytes are exactly `data`.

    Raises FormatError for anything else: other spacing or order, duplicate names, floats, nulls,
    invalid UTF-8, or a value outside the restrictions above.
    """
    try:
        value = orjson.loads(data)
        # Duplicate names, spaces, order and escapes all show as a difference from these bytes.
        same = orjson.dumps(value, option=orjson.OPT_SORT_KEYS) == data
    except (orjson.JSONDecodeError, TypeError) as error:
        raise FormatError(f"not JSON: {error}") from None
    if not same:
        raise FormatError("not canonical JSON (RFC 8785): order, spacing, escapes or names repeat")
    check(value)
    return value


def check(value: JSON, depth: int = 0) -> None:
    """Raise FormatError unless `value` keeps the restrictions of this module."""
    kind = type(value)
    if kind is str:
        # Nearly all strings are printable ASCII, and nothing of that is forbidden.
        if not (value.isascii() and value.isprintable()):
            _check_text(value)
    elif kind is int:
        if not -INTEGER_MAX <= value <= INTEGER_MAX:
            raise FormatError(f"integer {value} is beyond ±(2^53 - 1)")
    elif kind is dict:
        if depth >= DEPTH_MAX:
            raise FormatError(f"nested deeper than {DEPTH_MAX}")
        for name, member in value.items():
            if name not in _names:
                _check_name(name)
            if type(member) is not str or not (member.isascii() and member.isprintable()):
                check(member, depth + 1)
    elif kind is list:
        if depth >= DEPTH_MAX:
            raise FormatError(f"nested deeper than {DEPTH_MAX}")
        for member in value:
            check(member, depth + 1)
    elif kind is not bool:
        wrong = "a null" if value is None else f"a {kind.__name__}"
        raise FormatError(f"{wrong} is not allowed here, only text, integers, booleans and lists")


def _check_name(name: object) -> None:
    if type(name) is not str or _NAME(name) is None:
        raise FormatError(f"member name {str(name)[:40]!r} does not match [a-z][a-z0-9_]*")
    if len(_names) < _NAMES_MAX:
        _names.add(name)


def _check_text(value: str) -> None:
    if not unicodedata.is_normalized("NFC", value):
        raise FormatError(f"string is not in Unicode NFC: {value[:40]!r}")
    if _CONTROL(value):
        raise FormatError(f"string holds a control character: {value[:40]!r}")
