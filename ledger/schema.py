"""Enforces the published JSON Schema of each statement type on a statement's body.

The schemas are files of `ledger/schemas`, named by type; they are served and exported with the
log, so that anyone can apply the same ones.
"""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import Any

import jsonschema_rs
import orjson

from ledger.errors import FormatError


@cache
def schemas() -> dict[str, dict[str, Any]]:
    """Return the schema of every statement type, by type."""
    folder = resources.files("ledger.schemas")
    return {
        file.name.removesuffix(".json"): orjson.loads(file.read_bytes())
        for file in sorted(folder.iterdir(), key=lambda each: each.name)
        if file.name.endswith(".json")
    }


@cache
def _validators() -> dict[str, Any]:
    return {
        name: jsonschema_rs.Draft202012Validator(schema, validate_formats=True)
        for name, schema in schemas().items()
    }


def validate(statement_type: str, body: dict[str, Any]) -> None:
    """Check a statement's body against its type's schema.

    Raises FormatError naming the first member that is wrong, or the unknown type.
    """
    validator = _validators().get(statement_type)
    if validator is None:
        raise FormatError(f"no statement type {statement_type!r} is known to this ledger")
    if not validator.is_valid(body):
        error = next(iter(validator.iter_errors(body)))
        place = "/".join(str(step) for step in error.instance_path)
        raise FormatError(f"{statement_type}: body{'/' + place if place else ''}: {error.message}")
