"""Where a witness keeps its heads: a folder. Each is the note that it cosigned last, whole."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from ledger.errors import StartRefusedError
from ledger.log.witness import origin_hash

CHECKPOINT, VKEY, LOCK = "checkpoint", "witness.vkey", ".lock"


class Heads(Protocol):
    """Keeps one note a log, by compare and swap; what is replaced has reached the disk."""

    def read(self, origin: str) -> bytes | None:
        """Return the note kept of a log."""

    def replace(self, origin: str, old: bytes | None, new: bytes) -> bool:
        """Put `new` in the place of `old`; False, and nothing changed, if another is kept."""

    def close(self) -> None:
        """Let go of what is held."""


class FolderHeads:
    """Keeps `<hex sha256(origin)>/checkpoint` in a folder, which several processes may share.

    A note is written beside its place, synced, renamed, and its folder synced, under a lock: a
    crash leaves the old one or the new one. The files can be served as they are.
    """

    def __init__(self, folder: Path, vkey: str) -> None:
        self._folder = folder
        try:
            folder.mkdir(parents=True, exist_ok=True)
            _sync(folder.parent)
            with self._locked():
                kept = folder / VKEY
                if not kept.exists():
                    _put(kept, f"{vkey}\n".encode())
                found = kept.read_text().strip()
        except OSError as error:
            raise StartRefusedError(f"cannot keep heads in {folder}: {error.strerror}") from None
        need_same(found, vkey, str(folder))

    def read(self, origin: str) -> bytes | None:
        """See `Heads`."""
        try:
            return self._path(origin).read_bytes()
        except FileNotFoundError:
            return None

    def replace(self, origin: str, old: bytes | None, new: bytes) -> bool:
        """See `Heads`."""
        with self._locked():
            if self.read(origin) != old:
                return False
            path = self._path(origin)
            if not path.parent.is_dir():
                path.parent.mkdir()
                _sync(self._folder)
            _put(path, new)
            return True

    def close(self) -> None:
        """See `Heads`."""

    def _path(self, origin: str) -> Path:
        return self._folder / origin_hash(origin) / CHECKPOINT

    @contextmanager
    def _locked(self) -> Iterator[None]:
        # Opened anew each time: such a lock keeps threads of one process apart, too.
        held = os.open(self._folder / LOCK, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(held, fcntl.LOCK_EX)
            yield
        finally:
            os.close(held)


def need_same(found: str, vkey: str, where: str) -> None:
    """Raise StartRefusedError where heads were kept by another witness than the one of `vkey`."""
    if found != vkey:
        raise StartRefusedError(
            f"{where} holds the heads of {found}, this is {vkey}: a witness keeps its heads for as "
            "long as its key; name its own place, or the key that belongs there"
        )


def _put(path: Path, data: bytes) -> None:
    unfinished = path.with_name(f"{path.name}.unfinished")
    with unfinished.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)
    _sync(path.parent)


def _sync(folder: Path) -> None:
    held = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(held)
    finally:
        os.close(held)
