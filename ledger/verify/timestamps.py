"""Checks the timestamps beside an exported log: `timestamps/<size>/<tsa>.tsr`, off line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ledger.errors import FormatError, MingzhangError, NotFoundError, ProofError
from ledger.log.checkpoint import Checkpoint, open_checkpoint
from ledger.log.merkle import Edge, peak_nodes
from ledger.log.note import NOTE_SIZE_MAX, VerifierKey
from ledger.log.tiles import node_from_tiles
from ledger.log.timestamp import TOKEN_SIZE_MAX, Stamp, Trust, check_token, stamped_note
from ledger.verify.source import Source, SourceError

FOLDER, CHECKPOINT, ENDING = "timestamps", "checkpoint", ".tsr"
_SIZE = re.compile(r"[1-9][0-9]{0,18}", re.ASCII).fullmatch


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
    source: Source, folder: Path, vkey: VerifierKey, trust: Trust, size: int
) -> Iterator[Stamped]:
    """Check every token in an exported log's `folder`, whose log `source` was verified to `size`.

    A stamped checkpoint must be one of the log's own history: its root is that of its first
    entries. Raises SourceError where a file cannot be read.
    """
    try:
        sizes = sorted(int(each.name) for each in (folder / FOLDER).iterdir() if _SIZE(each.name))
    except FileNotFoundError:
        return
    except OSError as error:
        raise SourceError(f"cannot read {folder / FOLDER}: {error.strerror}") from None
    for each in sizes:
        place = folder / FOLDER / str(each)
        try:
            stamped = _history(source, vkey, each, _read(place / CHECKPOINT, NOTE_SIZE_MAX), size)
        except (FormatError, ProofError, NotFoundError) as error:
            yield Stamped(each, CHECKPOINT, None, error.message)
            continue
        for file in sorted(place.glob(f"*{ENDING}")):
            yield verify_token(_read(file, TOKEN_SIZE_MAX), stamped, each, file.stem, trust)


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
    peaks = [node_from_tiles(node, verified, source.tile) for node in peak_nodes(size)]
    if Edge(size, tuple(peaks)).root() != signed.root:
        raise ProofError("the stamped checkpoint signs another history than this log's")
    return stamped_note(data, vkey)


def _read(path: Path, size_max: int) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(size_max + 1)
    except FileNotFoundError:
        raise NotFoundError(f"{path} is not there") from None
    except OSError as error:
        raise SourceError(f"cannot read {path}: {error.strerror}") from None
