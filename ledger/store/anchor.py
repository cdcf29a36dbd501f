"""The anchor file: the newest signed note, kept outside the database.

A database that was put back to an old state is behind its anchor, and the sequencer will not sign
there. The file is written before any answer leaves and synced about once a second, so after a
power cut it may be a second old; it then still lies on the log's one history.
"""

from __future__ import annotations

import fcntl
import os
import struct
import time
from pathlib import Path

from ledger.errors import MingzhangError, StartRefusedError
from ledger.log.checkpoint import open_checkpoint
from ledger.log.note import VerifierKey

SYNC_INTERVAL_S = 1.0
PAIRS_MAX = 64
_SLOT_BYTES = 4096
_PAIR_BYTES = 2 * _SLOT_BYTES
# struct flock of Linux: type, whence, start, length, pid.
_FLOCK = struct.Struct("@hhqqi")


class AnchorFile:
    """Notes in a file that all processes of a data folder share; each process writes its own pair.

    A pair is two slots of 4 KiB, written in turn, so that a torn write leaves the other one
    readable. A process holds its pair for as long as it lives and nobody ever waits for it: one
    that stands still (SIGSTOP, a swapped-out machine) must not keep the others from answering.
    """

    def __init__(self, path: Path, vkey: VerifierKey) -> None:
        self._vkey = vkey
        self._path = path
        try:
            self._file = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            raise StartRefusedError(f"cannot open the anchor {path}: {error.strerror}") from None
        self._pair: int | None = None
        self._synced_s = time.monotonic()

    def newest(self) -> tuple[int, bytes] | None:
        """Return size and note of the newest slot.

        Raises StartRefusedError where something is written and no slot is a note of this log, or
        both slots of a pair are none: somebody must look before anything more is signed.
        """
        length = os.fstat(self._file).st_size
        newest: tuple[int, bytes] | None = None
        damaged = False
        for pair in range(-(-length // _PAIR_BYTES)):
            slots = [self._raw(pair, slot) for slot in range(2)]
            # A torn slot is what the other slot is for; a process may be writing its first.
            found = [each for each in map(self._opened, slots) if each is not None]
            damaged = damaged or (all(slots) and not found)
            newest = max([*found, *([newest] if newest else [])], default=None)
        if damaged or (newest is None and length > 0):
            raise StartRefusedError(
                f"the anchor {self._path} holds no note of this log where one was written: it was "
                "damaged, or is another log's; compare with a witness or a printed checkpoint "
                "before removing"
            )
        return newest

    def advance(self, size: int, note: bytes) -> None:
        """Keep `note`, unless this process keeps a newer one; sync to disk about once a second.

        Raises OSError where it cannot be kept.
        """
        if self._pair is None:
            self._pair = self._claimed()
        sizes = [_size_of(self._raw(self._pair, slot)) for slot in range(2)]
        newer = 0 if sizes[0] >= sizes[1] else 1
        if sizes[newer] >= size and self._opened(self._raw(self._pair, newer)) is None:
            # A damaged slot with a large number in it must not hold every later note off.
            sizes[newer], newer = -1, 1 - newer
        if sizes[newer] < size:
            slot = 1 - newer if sizes[newer] >= 0 else newer
            place = self._pair * _PAIR_BYTES + slot * _SLOT_BYTES
            os.pwrite(self._file, note.ljust(_SLOT_BYTES, b"\0"), place)
        if time.monotonic() - self._synced_s >= SYNC_INTERVAL_S:
            self.sync()

    def sync(self) -> None:
        """Write what was kept through to the disk."""
        os.fdatasync(self._file)
        self._synced_s = time.monotonic()

    def close(self) -> None:
        """Sync and close the file; its pair is free for the next process."""
        self.sync()
        os.close(self._file)

    def _claimed(self) -> int:
        """Return the first pair that no living process holds, and hold it while the file is open.

        The lock belongs to the open file (F_OFD_SETLK): it ends with the process, however it ends.
        """
        for pair in range(PAIRS_MAX):
            wanted = _FLOCK.pack(fcntl.F_WRLCK, os.SEEK_SET, pair * _PAIR_BYTES, _PAIR_BYTES, 0)
            try:
                fcntl.fcntl(self._file, fcntl.F_OFD_SETLK, wanted)
            except BlockingIOError:
                continue
            return pair
        raise OSError(f"{PAIRS_MAX} processes append with the anchor {self._path} already")

    def _raw(self, pair: int, slot: int) -> bytes:
        place = pair * _PAIR_BYTES + slot * _SLOT_BYTES
        return os.pread(self._file, _SLOT_BYTES, place).rstrip(b"\0")

    def _opened(self, raw: bytes) -> tuple[int, bytes] | None:
        """Return size and note of a slot, None where it holds no note of this log."""
        try:
            return open_checkpoint(raw, self._vkey).size, raw
        except MingzhangError:
            return None


def _size_of(raw: bytes) -> int:
    """Return a slot's size, or -1, without checking its signature: it orders writes only."""
    lines = raw[:512].split(b"\n", 2)
    return int(lines[1]) if len(lines) == 3 and lines[1].isdigit() else -1
