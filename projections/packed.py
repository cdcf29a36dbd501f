"""A points entry as text in one column, so that a read model folds it by the domain's own fold."""

from __future__ import annotations

from dataclasses import MISSING, fields
from typing import Any

import orjson

from ledger.domain.account import Half, PointsEntry, Step

_DEFAULTS: dict[str, Any] = {
    each.name: each.default for each in fields(PointsEntry) if each.default is not MISSING
}
_NAMES = tuple(each.name for each in fields(PointsEntry))
_TUPLES = ("covers", "evidence", "texts", "corrections")


def pack(entry: PointsEntry) -> str:
    """Return the JSON of an entry's fields, those with their default values left out."""
    said = {}
    for name in _NAMES:
        value = getattr(entry, name)
        if name not in _DEFAULTS or value != _DEFAULTS[name]:
            said[name] = value
    return orjson.dumps(said, default=list).decode()


def unpack(text: str) -> PointsEntry:
    """Return the entry of a JSON text that `pack` wrote."""
    said = orjson.loads(text)
    said["steps"] = tuple(
        Step(name, ident, tuple(keyids), at) for name, ident, keyids, at in said["steps"]
    )
    for name in _TUPLES:
        if name in said:
            said[name] = tuple(said[name])
    if "counterpart" in said:
        said["counterpart"] = Half(*said["counterpart"])
    return PointsEntry(**said)
