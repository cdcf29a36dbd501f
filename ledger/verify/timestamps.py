"""Checks the timestamps beside an exported log: `timestamps/<size>/<tsa>.tsr`, off line.

`timestamps/index` names them, a line `<size> <tsa>` each, for a log at a URL has no listing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from ledger.errors import FormatError, MingzhangError, NotFoundError, ProofError
from ledger.log.checkpoint import Checkpoint, open_checkpoint
from ledger.log.note import NOTE_SIZE_MAX, VerifierKey
from ledger.log.timestamp import TOKEN_SIZE_MAX, Stamp, Trust, check_token, stamped_note
from ledger.verify.source import Source, root_at

FOLDER, CHECKPOINT, ENDING = "timestamps", "checkpoint", ".tsr"
INDEX = f"{FOLDER}/index"
INDEX_SIZE_MAX = 16 * 1024 * 1024
_LINE = re.compile(r"([1-9][0-9]{0,18}) ([A-Za-z0-9._-]{1,128})", re.ASCII).fullmatch


@dataclass(frozen=True, slots=True)
class Stamped:
    """A token on the checkpoint of `size`: what it says, or why it does not hold."""

    size: int
    tsa: str
    stamp: Stamp | None
    reason: str = ""

    def __str__(self) -> str:
        if self.stamp is None:
            return f"timestamp   size {self.size:,}, {self.tsa}: {self.reason}"
        at = f"{self.stamp.at:%Y-%m-%dT%H:%M:%SZ}"
        return f"timestamp   size {self.size:,} existed at {at}, says {self.stamp.tsa} ({self.tsa})"


def verify_timestamps(
    source: Source, vkey: VerifierKey, trust: Trust, size: int
) -> Iterator[Stamped]:
    """Check every token beside a log, which was verified to `size`.

    A stamped checkpoint must be one of the log's own history: its root is that of its first
    entries. Raises SourceError where a file cannot be read, FormatError for a wrong index.
    """
    try:
        lines = source.read(INDEX, INDEX_SIZE_MAX).decode("ascii", "replace").splitlines()
    except NotFoundError:
        return
    by_size: dict[int, list[str]] = {}
    for line in lines:
        found = _LINE(line)
        if found is None:
            raise FormatError(f"{INDEX} has a line that is not `<size> <tsa>`: {line[:60]!r}")
        by_size.setdefault(int(found[1]), []).append(found[2])
    for each, tsas in sorted(by_size.items()):
        place = f"{FOLDER}/{each}"
        try:
            note = source.read(f"{place}/{CHECKPOINT}", NOTE_SIZE_MAX)
            stamped = _history(source, vkey, each, note, size)
        except (FormatError, ProofError, NotFoundError) as error:
            yield Stamped(each, CHECKPOINT, None, error.message)
            continue
        for tsa in tsas:
            try:
                token = source.read(f"{place}/{tsa}{ENDING}", TOKEN_SIZE_MAX)
            except (FormatError, NotFoundError) as error:
                yield Stamped(each, tsa, None, error.message)
            else:
                yield verify_token(token, stamped, each, tsa, trust)


def verify_token(token: bytes, stamped: bytes, size: int, tsa: str, trust: Trust) -> Stamped:
    """Check one token on a stamped note and say what it shows, or why it does not hold."""
    try:
        return Stamped(size, tsa, check_token(token, stamped, trust))
    except MingzhangError as error:
        return Stamped(size, tsa, None, error.message)


def _history(source: Source, vkey: VerifierKey, size: int, data: bytes, verified: int) -> bytes:
    """Return the stamped note of a size after comparing its root with the verified log's."""
    signed: Checkpoint = open_checkpoint(data, vkey)
    if signed.size != size or size > verified:
        raise ProofError(f"the checkpoint is of size {signed.size}, the log's is {verified}")
    if root_at(source.tile, size, verified) != signed.root:
        raise ProofError("the stamped checkpoint signs another history than this log's")
    return stamped_note(data, vkey)
