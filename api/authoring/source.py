"""Reads YAML strictly and remembers the line of everything, so that messages can name it.

Numbers stay exact decimals and dates stay text. A key that stands twice is refused, aliases
cannot build objects, and only texts, numbers, booleans, nulls, lists and mappings come out.
"""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import yaml

from ledger.errors import FormatError

SIZE_MAX = 1 << 20
"""A file is at most this many bytes; the largest real rulebook has some 30 thousand."""


class AuthoringError(FormatError):
    """A file is not what it should be; the message has a line `file:line: code: reason` each."""

    code = "authoring"


class Mapping(dict[str, Any]):
    """A mapping that knows the line on which it and each of its keys begins, from 1."""

    line: int = 1

    def __init__(self) -> None:
        super().__init__()
        self.lines: dict[str, int] = {}


class Sequence(list[Any]):
    """A list that knows the line on which it and each of its entries begins, from 1."""

    line: int = 1

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[int] = []


class _Loader(yaml.SafeLoader):
    pass


def _mapping(loader: _Loader, node: yaml.MappingNode) -> Mapping:
    found = Mapping()
    found.line = node.start_mark.line + 1
    for key_node, value_node in node.value:
        key = loader.construct_object(key_node, deep=True)
        if isinstance(key, Decimal):
            key = str(key)
        if not isinstance(key, str) or key in found:
            raise yaml.constructor.ConstructorError(
                None, None, f"key {key!r} is no text or stands twice", key_node.start_mark
            )
        found[key] = loader.construct_object(value_node, deep=True)
        found.lines[key] = key_node.start_mark.line + 1
    return found


def _sequence(loader: _Loader, node: yaml.SequenceNode) -> Sequence:
    found = Sequence()
    found.line = node.start_mark.line + 1
    for each in node.value:
        found.append(loader.construct_object(each, deep=True))
        found.lines.append(each.start_mark.line + 1)
    return found


def _number(loader: _Loader, node: yaml.ScalarNode) -> Decimal:
    text = str(loader.construct_scalar(node))
    try:
        number = Decimal(text)
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite():
        raise yaml.constructor.ConstructorError(
            None, None, f"{text} is no plain decimal number", node.start_mark
        )
    return number


def _text(loader: _Loader, node: yaml.ScalarNode) -> str:
    return str(loader.construct_scalar(node))


_Loader.add_constructor("tag:yaml.org,2002:map", _mapping)
_Loader.add_constructor("tag:yaml.org,2002:seq", _sequence)
_Loader.add_constructor("tag:yaml.org,2002:float", _number)
_Loader.add_constructor("tag:yaml.org,2002:int", _number)
_Loader.add_constructor("tag:yaml.org,2002:timestamp", _text)


def read_yaml(path: Path) -> Any:
    """Return what the file holds: Mapping, Sequence, str, Decimal, bool or None.

    Raises AuthoringError where it cannot be read or is no YAML, with the line.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise AuthoringError(f"{path.name}: file: cannot be read: {error.strerror}") from None
    if len(data) > SIZE_MAX:
        raise AuthoringError(f"{path.name}: file: larger than {SIZE_MAX} bytes")
    try:
        # A subclass of the safe loader.
        return yaml.load(data.decode("utf-8"), _Loader)  # noqa: S506
    except UnicodeDecodeError:
        raise AuthoringError(f"{path.name}: file: is not UTF-8") from None
    except RecursionError:
        raise AuthoringError(f"{path.name}: file: is nested too deep") from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        raise AuthoringError(f"{path.name}:{line}: yaml: {error.problem}") from None
    except yaml.YAMLError as error:
        raise AuthoringError(f"{path.name}: yaml: {error}") from None
