"""The anchor file: the newest signed note, kept outside the database.

A database that was put back to an old state is behind its anchor, and the sequencer will not sign
there. The file is written before any answer leaves and synced about once a second, so after a
power cut it may be a second old; it then still lies on the log's one history.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ledger.errors import MingzhangError, StartRefusedError
from ledger.log.checkpoint import open_checkpoint
from ledger.log.note import VerifierKey

SYNC_INTERVAL_S = 1.0
_SLOT_BYTES = 4096


class AnchorFile:
    """A note in a file of its own that all processes of a data folder share under a lock.

    Two slots of 4 KiB are written in turn, so that a torn write leaves the other one readable.
    """

    def __init__(self, path: Path, vkey: VerifierKey) -> None:
        self._vkey = vkey
        self._path = path
        try:
            self._file = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            raise StartRefusedError(f"cannot open the anchor {path}: {error.strerror}") from None
        self._synced_s = time.monotonic()

    def newest(self) -> tuple[int, bytes] | None:
        """Return size and note of the newer slot.

        Raises StartRefusedError where something is written and neither slot is a note of this
        log: somebody must look before anything more is signed.
        """
        with self._locked(fcntl.LOCK_SH):
            # A torn slot is what the other slot is for.
            found = [each for each in map(self._opened, range(2)) if each is not None]
            if not found and os.fstat(self._file).st_size > 0:
                raise StartRefusedError(
                    f"the anchor {self._path} holds no note of this log: it was damaged, or is "
                    "another log's; compare with a witness or a printed checkpoint before removing"
                )
        return max(found, default=None)

    def advance(self, size: int, note: bytes) -> None:
        """Keep `note`, unless a newer one is kept; sync to disk about once a second."""
        with self._locked(fcntl.LOCK_EX):
            sizes = [self._size_of(slot) for slot in range(2)]
            newer = 0 if sizes[0] >= sizes[1] else 1
            if sizes[newer] >= size and self._opened(newer) is None:
                # A damaged slot with a large number in it must not hold every later note off.
                sizes[newer], newer = -1, 1 - newer
            if sizes[newer] < size:
                slot = 1 - newer if sizes[newer] >= 0 else newer
                os.pwrite(self._file, note.ljust(_SLOT_BYTES, b"\0"), slot * _SLOT_BYTES)
        if time.monotonic() - self._synced_s >= SYNC_INTERVAL_S:
            self.sync()

    def sync(self) -> None:
        """Write what was kept through to the disk."""
        os.fdatasync(self._file)
        self._synced_s = time.monotonic()

    def close(self) -> None:
        """Sync and close the file."""
        self.sync()
        os.close(self._file)

    @contextmanager
    def _locked(self, how: int) -> Iterator[None]:
        fcntl.flock(self._file, how)
        try:
            yield
        finally:
            fcntl.flock(self._file, fcntl.LOCK_UN)

    def _opened(self, slot: int) -> tuple[int, bytes] | None:
        """Return size and note of a slot, None where it holds no note of this log."""
        raw = os.pread(self._file, _SLOT_BYTES, slot * _SLOT_BYTES).rstrip(b"\0")
        try:
            return open_checkpoint(raw, self._vkey).size, raw
        except MingzhangError:
            return None

    def _size_of(self, slot: int) -> int:
        """Return a slot's size, or -1, without checking its signature: it orders writes only."""
        lines = os.pread(self._file, 512, slot * _SLOT_BYTES).split(b"\n", 2)
        return int(lines[1]) if len(lines) == 3 and lines[1].isdigit() else -1
