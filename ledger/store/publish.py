"""Writes the log as static files (C2SP tlog-tiles): what `mingzhang export` does.

The folder always verifies at the checkpoint that it holds. New tiles come first; when they are on
disk comes the checkpoint; then partial tiles that it no longer has are removed. A crash anywhere
leaves the old checkpoint with all of its files, or the new one with all of its, and perhaps files
that neither needs: the next export goes on from there.

Every hash is computed here from the entries' bytes, and the checkpoint is written only if they
lead to its root: a database that was changed is not copied into the world.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ledger.errors import ConflictError, MingzhangError, ProofError
from ledger.log.checkpoint import Checkpoint, open_checkpoint
from ledger.log.merkle import EMPTY_ROOT, leaf_hash, root_of, verify_consistency
from ledger.log.note import VerifierKey
from ledger.log.tiles import (
    HASH_SIZE,
    LEVEL_MAX,
    TILE_HEIGHT,
    TILE_WIDTH,
    encode_entries,
    entry_tiles_for_size,
    split_hashes,
    tile_path,
    tiles_for_size,
)
from ledger.store.folder import Folder
from ledger.store.reader import Reader

PAGE_ENTRIES = 4 * TILE_WIDTH
CHECKPOINT, TILES, TIMESTAMPS = "checkpoint", "tile", "timestamps"

Progress = Callable[[int, int], None]
"""Is told how many entries of how many are exported."""


@dataclass(frozen=True, slots=True)
class Exported:
    """The size that the folder held before and holds now, and how many files were written."""

    old_size: int
    size: int
    files: int


def export(
    reader: Reader,
    folder: Path,
    vkey: VerifierKey,
    progress: Progress | None = None,
    note: bytes | None = None,
) -> Exported:
    """Write what `folder` lacks of the log, up to the newest signed checkpoint, or to `note`.

    Raises NotFoundError for an empty log; ConflictError for a folder that holds another log or
    history, or a newer one, and while another export writes there; ProofError where the entries
    do not have the signed root; MingzhangError where a file cannot be written. The folder then
    still verifies at the checkpoint that it held before.
    """
    note = note or reader.checkpoint()
    new = open_checkpoint(note, vkey)
    try:
        with Folder(folder, (CHECKPOINT, TILES, TIMESTAMPS)) as held:
            old_size = _check_history(reader, _published(held, vkey), new, folder)
            _Export(held, old_size, new, progress).run(reader, note)
            return Exported(old_size, new.size, len(held.written))
    except OSError as error:
        raise MingzhangError(
            f"cannot write {error.filename or folder}: {error.strerror}. What {folder} held before "
            "is still whole; put this right and run the same export again"
        ) from error


def timestamp_index(reader: Reader, size: int | None = None) -> bytes:
    """Return a line `<size> <tsa>` for every token up to a size: a log at a URL has no listing."""
    stamped = reader.timestamps(reader.size() if size is None else size)
    return "".join(f"{each} {tsa}\n" for each, tsa in sorted(stamped)).encode()


def _published(folder: Folder, vkey: VerifierKey) -> Checkpoint | None:
    if CHECKPOINT not in folder.lengths:
        return None
    try:
        return open_checkpoint(folder.read(CHECKPOINT), vkey)
    except MingzhangError as error:
        raise ConflictError(
            "export",
            f"{folder.path / CHECKPOINT} is not of this log: {error.message}. Name another folder",
        ) from None


def _check_history(reader: Reader, old: Checkpoint | None, new: Checkpoint, folder: Path) -> int:
    """Return the size of the folder's checkpoint, from which this ledger must go on."""
    if old is None or old.size == 0:
        return 0
    if old.size > new.size:
        raise ConflictError(
            "export",
            f"{folder} holds size {old.size}, the ledger is at {new.size}: the ledger was put back "
            "to an older state. Keep the folder, it may hold what the ledger has lost",
        )
    try:
        path = reader.consistency_proof(old.size, new.size)
        verify_consistency(old.size, new.size, path, old.root, new.root)
    except ProofError as error:
        raise ConflictError(
            "export",
            f"{folder} at size {old.size} and the ledger at {new.size} do not belong together: "
            f"{error.message}. Keep both, and compare them with a witness or an earlier copy",
        ) from None
    return old.size


class _Export:
    """One run over a folder that holds the log's first `old_size` entries."""

    def __init__(
        self, folder: Folder, old_size: int, new: Checkpoint, progress: Progress | None
    ) -> None:
        self._folder = folder
        self._old_size = old_size
        self._new = new
        self._progress: Progress = progress or (lambda done, size: None)
        # Files of the folder's checkpoint are never written over.
        self._sealed = {name for name, _, _ in _tiles(old_size)}
        # By level, the hashes of the tile that is not full yet.
        self._edge: list[list[bytes]] = [[] for _ in range(LEVEL_MAX + 1)]

    def run(self, reader: Reader, note: bytes) -> None:
        """Write everything in its order. Raises ProofError or OSError."""
        try:
            self._write_tiles(reader)
        except ProofError:
            self._folder.undo()
            raise
        self._write_timestamps(reader)
        self._folder.sync()
        self._write(CHECKPOINT, note)
        self._folder.sync()
        kept = {name for name, _, _ in _tiles(self._new.size)}
        for name in self._folder.lengths:
            if ".p/" in name and name not in kept:
                self._folder.remove(name)
        self._folder.remove_unfinished()
        self._progress(self._new.size, self._new.size)

    def _write_tiles(self, reader: Reader) -> None:
        start, size = self._first_missing(), self._new.size
        for level in range(1, LEVEL_MAX + 1):
            n, width = divmod(start >> (TILE_HEIGHT * level), TILE_WIDTH)
            if width:
                self._edge[level] = split_hashes(reader.tile(level, n, width))
        for first in range(start, size, PAGE_ENTRIES):
            self._progress(first, size)
            page = reader.entries(first, min(size, first + PAGE_ENTRIES))
            for at in range(0, len(page), TILE_WIDTH):
                self._add((first + at) // TILE_WIDTH, page[at : at + TILE_WIDTH])
        for level, hashes in enumerate(self._edge):
            if hashes:
                n = size >> (TILE_HEIGHT * (level + 1))
                self._write(tile_path(level, n, len(hashes)), b"".join(hashes))
        if self._root() != self._new.root:
            raise ProofError(
                f"the entries do not have the root that was signed at size {size}: history was "
                "changed, and nothing of it is published"
            )

    def _write_timestamps(self, reader: Reader) -> None:
        for size, tsa in reader.timestamps(self._new.size):
            name = f"{TIMESTAMPS}/{size}/{tsa}.tsr"
            if name not in self._folder.lengths:
                note, token = reader.timestamp(size, tsa)
                self._write(f"{TIMESTAMPS}/{size}/{CHECKPOINT}", note)
                self._write(name, token)
        index = timestamp_index(reader, self._new.size)
        if index:
            self._write(f"{TIMESTAMPS}/index", index)

    def _first_missing(self) -> int:
        """Return where to begin: at the last tile, or at one that was lost or cut short."""
        begin = self._old_size // TILE_WIDTH * TILE_WIDTH
        for name, first, length in _tiles(self._old_size):
            found = self._folder.lengths.get(name, 0)
            if first < begin and (not found or length not in (None, found)):
                begin = first
        return begin

    def _add(self, n: int, entries: Sequence[bytes]) -> None:
        """Write a bundle, and every hash tile that it fills."""
        self._write(tile_path("entries", n, len(entries)), encode_entries(entries))
        self._edge[0] = [leaf_hash(each) for each in entries]
        level = 0
        while len(self._edge[level]) == TILE_WIDTH:
            hashes, self._edge[level] = self._edge[level], []
            self._write(tile_path(level, n >> (TILE_HEIGHT * level)), b"".join(hashes))
            level += 1
            self._edge[level].append(root_of(hashes))

    def _root(self) -> bytes:
        """Return the root: what is left of one level is the last, smaller subtree of the next."""
        rest: list[bytes] = []
        for hashes in self._edge:
            if hashes:
                rest = [root_of([*hashes, *rest])]
        return rest[0] if rest else EMPTY_ROOT

    def _write(self, name: str, data: bytes) -> None:
        """Write a file unless it is there already."""
        if self._folder.lengths.get(name) == len(data):
            if self._folder.read(name) == data:
                return
            if name in self._sealed:
                raise ProofError(
                    f"{self._folder.path / name} is not what the ledger holds: one of the two was "
                    "changed. `mingzhang verify log` on the folder tells whether it is the file"
                )
        self._folder.write(name, data)


def _tiles(size: int) -> Iterator[tuple[str, int, int | None]]:
    """Yield each tile of a log of `size`: its name, first entry, and length in bytes if fixed."""
    for n, width in entry_tiles_for_size(size):
        yield tile_path("entries", n, width), n * TILE_WIDTH, None
    for level, n, width in tiles_for_size(size):
        name = tile_path(level, n, width)
        yield name, n << (TILE_HEIGHT * (level + 1)), width * HASH_SIZE
