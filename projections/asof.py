"""What an answer may be asked as of: a log size, a day of recording, or a signed checkpoint.

All three pick a prefix of the log (rule A37). A day picks what was recorded up to its end in the
organisation's time zone, never acts by their dates.
"""

from __future__ import annotations

import re
from base64 import b64decode, urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import orjson

from ledger.domain.days import zone_date
from ledger.domain.decide import FOUNDED
from ledger.entry import parse_entry
from ledger.errors import FormatError, ProofError
from ledger.log import note
from ledger.log.checkpoint import Checkpoint, open_checkpoint, parse_body
from ledger.log.note import NOTE_SIZE_MAX, VerifierKey
from projections.fold import recorded_at

_SIZE = re.compile(r"0|[1-9][0-9]{0,17}", re.ASCII).fullmatch
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII).fullmatch
UTC = "UTC"

Entry = Callable[[int], bytes]
"""Returns the bytes of the entry at an index."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A prefix that is asked for: one of the three is there."""

    size: int | None = None
    day: str | None = None
    checkpoint: Checkpoint | None = None

    def resolve(self, size: int, entry: Entry) -> int:
        """Return the prefix's size in a log of `size`; more than that if it is not there yet."""
        if self.checkpoint is not None:
            return self.checkpoint.size
        if self.size is not None:
            return self.size
        assert self.day is not None  # noqa: S101 - one of the three is there
        return size_at_end_of(self.day, size, entry)


def parse_as_of(text: str) -> Wanted:
    """Read a size, such as `1234`, a day, such as `2025-03-01`, or a checkpoint in base64url.

    No signature is verified: what a checkpoint picks must have its root. Raises FormatError.
    """
    if _SIZE(text):
        return Wanted(size=int(text))
    try:
        if _DAY(text):
            return Wanted(day=date.fromisoformat(text).isoformat())
        data = b64decode(text + "=" * (-len(text) % 4), b"-_", validate=True)
        return Wanted(checkpoint=parse_body(note.parse(data).text))
    except (ValueError, FormatError):
        raise FormatError(
            f"{text[:80]!r} is neither a log size (1234) nor a day (2025-03-01) nor a checkpoint "
            "(its file, or over HTTP its bytes in base64url)"
        ) from None


def as_of_value(text: str) -> str:
    """Return what stands for `text`, which may name a checkpoint's file, where no files are read.

    Raises FormatError.
    """
    path = Path(text)
    if _SIZE(text) or _DAY(text) or not path.is_file():
        return text
    with path.open("rb") as file:
        data = file.read(NOTE_SIZE_MAX)
    note.parse(data)
    return urlsafe_b64encode(data).decode().rstrip("=")


def read_as_of(text: str, vkey: VerifierKey | None) -> Wanted:
    """Read a size, a day, or the file of a checkpoint, whose signature is verified with `vkey`.

    Raises FormatError; ProofError if the log's key did not sign the checkpoint.
    """
    path = Path(text)
    if _SIZE(text) or _DAY(text) or not path.is_file():
        return parse_as_of(text)
    with path.open("rb") as file:
        data = file.read(NOTE_SIZE_MAX + 1)
    if vkey is None:
        return Wanted(checkpoint=parse_body(note.parse(data).text))
    return Wanted(checkpoint=open_checkpoint(data, vkey))


def size_at_end_of(day: str, size: int, entry: Entry) -> int:
    """Return how many entries of a log of `size` were recorded up to the end of a day.

    Times of recording never go back, so some 2·log2(size) entries are looked at.
    """
    if not size:
        return 0
    zone = _time_zone(entry(0))
    low, high = 0, size
    while low < high:
        middle = (low + high) // 2
        if zone_date(zone, recorded_at(middle, entry(middle))) <= day:
            low = middle + 1
        else:
            high = middle
    return low


def check_same(checkpoint: Checkpoint, origin: str, root: bytes) -> None:
    """Raise ProofError unless a checkpoint is of the log `origin`, whose prefix has `root`."""
    if checkpoint.origin != origin:
        raise ProofError(f"the checkpoint is of the log {checkpoint.origin}, not of {origin}")
    if checkpoint.root != root:
        raise ProofError(
            f"the checkpoint signs another tree over the first {checkpoint.size} entries: one of "
            "the two histories was rewritten. Keep it, and run `mingzhang verify log --from` it"
        )


def _time_zone(founding: bytes) -> str:
    """Return the organisation's time zone from the log's first entry."""
    statement = parse_entry(founding).statement
    if statement.type != FOUNDED:
        return UTC
    body = orjson.loads(statement.payload)["body"]
    return str(body["time_zone"])
