"""What a `checkpoint.witnessed` entry says of time: when the last of its cosignatures was made.

The service appends it when the quorum is first met, so that cosignature completed the quorum (B21).
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from ledger.entry import format_instant
from ledger.log.note import NoteSignature, parse_signature

WITNESSED = "checkpoint.witnessed"
TIME_S_MAX = 253_370_764_800
"""The first second of the year 9999: later ones have no date in every zone."""


def time_s(line: NoteSignature) -> int:
    """Return the POSIX time that a cosignature's bytes begin with."""
    return int.from_bytes(line.signature[:8])


def completed_at(body: dict[str, Any]) -> str:
    """Return the RFC 3339 instant of the newest cosignature in an entry's body."""
    latest = max(time_s(parse_signature(line)) for line in body["cosignatures"])
    return format_instant(datetime.fromtimestamp(latest, UTC), micros=True)
