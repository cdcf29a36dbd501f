"""A folder whose files appear whole or not at all, and are on disk when `sync` returns."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from ledger.errors import ConflictError

_UNFINISHED = ".unfinished"


class Folder:
    """Holds the folder `path` for one writer, as a context manager; makes it if need be.

    Only the folders and files `own` in it are looked at. `lengths` are the files that were there
    at the start, by name below the folder. Raises ConflictError while another process writes
    there; everything here may raise OSError.
    """

    def __init__(self, path: Path, own: Sequence[str]) -> None:
        self.path = path
        self.written: list[str] = []
        if not path.exists():
            path.mkdir(parents=True)
            _sync(path.parent)
        self._held = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(self._held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._held)
            raise ConflictError("export", f"another export is writing to {path} now") from None
        self.lengths: dict[str, int] = {}
        for each in own:
            if (path / each).is_file():
                self.lengths[each] = (path / each).stat().st_size
            for place, _, names in os.walk(path / each):
                within = Path(place).relative_to(path).as_posix()
                for name in names:
                    self.lengths[f"{within}/{name}"] = Path(place, name).stat().st_size

    def read(self, name: str) -> bytes:
        """Return a file's bytes."""
        return (self.path / name).read_bytes()

    def write(self, name: str, data: bytes) -> None:
        """Put a file in its place: beside it first, then synced, then renamed."""
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_name(path.name + _UNFINISHED)
        try:
            with unfinished.open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            unfinished.replace(path)
        except OSError:
            with suppress(OSError):
                unfinished.unlink()
            raise
        self.written.append(name)

    def sync(self) -> None:
        """Make the names of all files written so far durable."""
        for each in sorted({above for name in self.written for above in Path(name).parents}):
            _sync(self.path / each)

    def undo(self) -> None:
        """Remove what was written."""
        while self.written:
            (self.path / self.written.pop()).unlink(missing_ok=True)

    def remove(self, name: str) -> None:
        """Remove a file, and its folder if that is empty then."""
        path = self.path / name
        path.unlink(missing_ok=True)
        with suppress(OSError):
            path.parent.rmdir()

    def remove_unfinished(self) -> None:
        """Remove what a killed writer left."""
        for name in self.lengths:
            if name.endswith(_UNFINISHED):
                self.remove(name)

    def __enter__(self) -> Folder:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        os.close(self._held)


def _sync(path: Path) -> None:
    held = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(held)
    finally:
        os.close(held)
