"""The anchor file: the newest signed note, kept outside the database.

A database that was put back to an old state is behind its anchor, and the sequencer will not sign
there. The file is written before any answer leaves and synced about once a second, so after a
power cut it may be a second old; it then still lies on the log's one history.
"""

from __future__ import annotations

import fcntl
import os
import time
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
        self._slot = 0
        self._written = os.fstat(self._file).st_size > 0

    def newest(self) -> tuple[int, bytes] | None:
        """Return size and note of the newer slot.

        Raises StartRefusedError where something is written and neither slot is a note of this
        log: somebody must look before anything more is signed.
        """
        found: list[tuple[int, int, bytes]] = []
        for slot in range(2):
            raw = os.pread(self._file, _SLOT_BYTES, slot * _SLOT_BYTES).rstrip(b"\0")
            if not raw:
                continue
            try:
                checkpoint = open_checkpoint(raw, self._vkey)
            except MingzhangError:
                # A torn slot is what the other slot is for.
                continue
            found.append((checkpoint.size, slot, raw))
        if not found:
            if os.fstat(self._file).st_size > 0:
                raise StartRefusedError(
                    f"the anchor {self._path} holds no note of this log: it was damaged, or is "
                    "another log's; compare with a witness or a printed checkpoint before removing"
                )
            return None
        size, self._slot, note = max(found)
        return size, note

    def advance(self, size: int, note: bytes) -> None:
        """Keep `note`, unless a newer one is kept; sync to disk about once a second."""
        fcntl.flock(self._file, fcntl.LOCK_EX)
        try:
            kept = self._peek_size()
            if kept is None or kept < size:
                slot = 0 if kept is None else 1 - self._slot
                os.pwrite(self._file, note.ljust(_SLOT_BYTES, b"\0"), slot * _SLOT_BYTES)
                self._slot = slot
        finally:
            fcntl.flock(self._file, fcntl.LOCK_UN)
        now_s = time.monotonic()
        if now_s - self._synced_s >= SYNC_INTERVAL_S:
            os.fdatasync(self._file)
            self._synced_s = now_s

    def close(self) -> None:
        """Sync and close the file."""
        os.fdatasync(self._file)
        os.close(self._file)

    def _peek_size(self) -> int | None:
        """Read the newer slot's size without checking its signature: it orders writes only."""
        best: tuple[int, int] | None = None
        for slot in range(2):
            lines = os.pread(self._file, 512, slot * _SLOT_BYTES).split(b"\n", 2)
            if len(lines) == 3 and lines[1].isdigit():
                best = max(best or (-1, 0), (int(lines[1]), slot))
        if best is None:
            return None
        self._slot = best[1]
        return best[0]
