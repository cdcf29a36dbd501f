"""The static export: what it writes, what it refuses, and what is left when it is interrupted."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import psycopg
import pytest

from ledger import keyfile
from ledger.errors import ConflictError, MingzhangError, NotFoundError, ProofError
from ledger.log import checkpoint
from ledger.log.checkpoint import Checkpoint, open_checkpoint
from ledger.log.merkle import Edge, consistency_proof, leaf_hash, root_of
from ledger.log.note import Signer, VerifierKey
from ledger.log.tiles import (
    decode_entries,
    entry_tiles_for_size,
    parse_tile_path,
    tile_path,
    tiles_for_size,
)
from ledger.signing import PrivateKey
from ledger.store.ledger import KEY_FILE, Ledger
from ledger.store.publish import Exported, export
from ledger.store.reader import Reader
from ledger.store.tiler import write_tiles
from tests.support.clock import SteadyClock
from tests.support.organisation import ORIGIN, Organisation


class Growing:
    """A ledger that grows to wanted sizes."""

    def __init__(self, ledger: Ledger, clock: SteadyClock) -> None:
        self.ledger = ledger
        self._clock = clock
        self.vkey = VerifierKey.parse(ledger.vkey)
        self._organisation = Organisation()
        self._set_up = list(self._organisation.set_up())

    def to(self, size: int) -> None:
        missing = size - self.ledger.size()
        first, self._set_up = self._set_up[:missing], self._set_up[missing:]
        self._append(first)
        if first and not self._set_up:
            self._clock.pass_days()
        self._append([self._organisation.award("m-2") for _ in range(missing - len(first))])
        assert self.ledger.size() == size

    def _append(self, envelopes: list[bytes]) -> None:
        for outcome in self.ledger.append_batch(envelopes):
            assert isinstance(outcome, bytes), outcome

    def export(self, folder: Path) -> Exported:
        return export(self.ledger, folder, self.vkey)


@pytest.fixture
def growing(ledger: Ledger, clock: SteadyClock) -> Growing:
    return Growing(ledger, clock)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "static" / "log"


def files(folder: Path) -> set[str]:
    return {each.relative_to(folder).as_posix() for each in folder.rglob("*") if each.is_file()}


def names(size: int) -> set[str]:
    """The files that formats.md gives a log of that size."""
    return {
        "checkpoint",
        *(tile_path("entries", n, width) for n, width in entry_tiles_for_size(size)),
        *(tile_path(*tile) for tile in tiles_for_size(size)),
    }


def verified_size(folder: Path, vkey: VerifierKey) -> int:
    """Check everything below the folder's checkpoint, from the files alone; return its size."""
    opened = open_checkpoint((folder / "checkpoint").read_bytes(), vkey)
    leaves: list[bytes] = []
    for n, width in entry_tiles_for_size(opened.size):
        entries = decode_entries((folder / tile_path("entries", n, width)).read_bytes())
        assert len(entries) == width
        leaves += map(leaf_hash, entries)
    assert Edge.empty().extend(leaves).root() == opened.root
    levels = [leaves]
    while len(levels[-1]) >= 256:
        full = range(0, len(levels[-1]) // 256 * 256, 256)
        levels.append([root_of(levels[-1][at : at + 256]) for at in full])
    for level, n, width in tiles_for_size(opened.size):
        hashes = levels[level][n * 256 : n * 256 + width]
        assert (folder / tile_path(level, n, width)).read_bytes() == b"".join(hashes)
    return opened.size


def test_a_growing_log_is_exported_with_the_files_of_its_checkpoint_and_no_others(
    growing: Growing, folder: Path
) -> None:
    before = 0
    inodes: dict[str, int] = {}
    for size in (1, 2, 255, 256, 257, 511, 512, 513, 600):
        growing.to(size)
        done = growing.export(folder)
        assert (done.old_size, done.size) == (before, size)
        assert verified_size(folder, growing.vkey) == size
        assert files(folder) == names(size)
        for name, inode in inodes.items():
            assert (folder / name).stat().st_ino == inode, "a full tile was written again"
        full = {name for name in names(size) if ".p/" not in name and name != "checkpoint"}
        inodes = {name: (folder / name).stat().st_ino for name in full}
        before = size
    assert not [each for each in folder.rglob("*.p") if not any(each.iterdir())]


def test_the_files_are_what_a_reader_of_the_ledger_is_served(
    growing: Growing, folder: Path
) -> None:
    growing.to(600)
    growing.export(folder)
    ledger = growing.ledger
    assert (folder / "checkpoint").read_bytes() == ledger.checkpoint()
    for name in names(600) - {"checkpoint"}:
        level, n, width = parse_tile_path(name)
        served = ledger.entry_tile(n, width) if level == "entries" else ledger.tile(level, n, width)
        assert (folder / name).read_bytes() == served, name


def test_an_export_of_nothing_new_writes_nothing(growing: Growing, folder: Path) -> None:
    growing.to(300)
    assert growing.export(folder).files == len(names(300))
    assert growing.export(folder) == Exported(300, 300, 0)
    growing.to(301)
    # One bundle and one tile with one entry more, and the checkpoint.
    assert growing.export(folder) == Exported(300, 301, 3)


def test_progress_is_told_in_entries(growing: Growing, folder: Path) -> None:
    growing.to(1_100)
    told: list[tuple[int, int]] = []
    export(growing.ledger, folder, growing.vkey, lambda done, size: told.append((done, size)))
    assert told == [(0, 1_100), (1_024, 1_100), (1_100, 1_100)]


class Killed(BaseException):
    """Stands for a process that ends there: nothing in the export may catch it."""


def no_space() -> OSError:
    return OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "some file")


class Fault:
    """Fails the `at`-th call that changes a file, before or after it took effect."""

    def __init__(self, at: int, failure: Callable[[], BaseException], *, after: bool) -> None:
        self._left = at
        self._failure = failure
        self._after = after
        self.struck = False

    def install(self, patch: pytest.MonkeyPatch) -> None:
        for owner, name in (
            (os, "fsync"),
            (Path, "replace"),
            (Path, "mkdir"),
            (Path, "unlink"),
            (Path, "rmdir"),
        ):
            patch.setattr(owner, name, self._failing(getattr(owner, name)))

    def _failing(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            self._left -= 1
            if self._left == 0:
                self.struck = True
                if self._after:
                    original(*args, **kwargs)
                raise self._failure()
            return original(*args, **kwargs)

        return call


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("failure", [no_space, Killed])
@pytest.mark.parametrize(("old", "new"), [(0, 300), (255, 257), (300, 513)])
def test_interrupted_anywhere_it_still_verifies_and_the_next_export_completes_it(
    growing: Growing,
    tmp_path: Path,
    old: int,
    new: int,
    failure: Callable[[], BaseException],
    after: bool,
) -> None:
    start = tmp_path / "start"
    start.mkdir()
    if old:
        growing.to(old)
        growing.export(start)
    growing.to(new)
    for at in range(1, 200):
        folder = tmp_path / f"interrupted-{at}"
        shutil.copytree(start, folder)
        fault = Fault(at, failure, after=after)
        with pytest.MonkeyPatch.context() as patch:
            fault.install(patch)
            try:
                growing.export(folder)
            except (MingzhangError, Killed):
                assert fault.struck
        if old or (folder / "checkpoint").exists():
            assert verified_size(folder, growing.vkey) in (old, new)
        growing.export(folder)
        assert verified_size(folder, growing.vkey) == new
        assert files(folder) == names(new)
        if not fault.struck:
            break
    assert not fault.struck
    assert at > 10


def test_files_and_folders_are_on_disk_before_the_checkpoint_that_needs_them(
    growing: Growing, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A power cut is no interrupted call: only the order of syncs and renames helps there."""
    growing.to(10)
    growing.export(folder)
    growing.to(300)
    done: list[tuple[str, str]] = []
    fsync, replace, unlink = os.fsync, Path.replace, Path.unlink

    def name(path: Path) -> str:
        return path.relative_to(folder).as_posix()

    def noted_sync(file: int) -> None:
        done.append(("sync", name(Path(f"/proc/self/fd/{file}").readlink())))
        fsync(file)

    def noted_replace(path: Path, target: Path) -> Path:
        done.append(("place", name(target)))
        return replace(path, target)

    def noted_unlink(path: Path, *, missing_ok: bool = False) -> None:
        done.append(("remove", name(path)))
        unlink(path, missing_ok=missing_ok)

    monkeypatch.setattr(os, "fsync", noted_sync)
    monkeypatch.setattr(Path, "replace", noted_replace)
    monkeypatch.setattr(Path, "unlink", noted_unlink)
    assert growing.export(folder).files == len(names(300))
    placed = [each for kind, each in done if kind == "place"]
    assert placed[-1] == "checkpoint"
    assert sorted(placed) == sorted(names(300))
    for each in placed:
        assert done.index(("sync", f"{each}.unfinished")) < done.index(("place", each))
    published = done.index(("place", "checkpoint"))
    for each in placed[:-1]:
        for above in Path(each).parents:
            synced = done.index(("sync", above.as_posix()), done.index(("place", each)))
            assert synced < published, f"the folder {above} of {each}"
    removed = [at for at, (kind, _) in enumerate(done) if kind == "remove"]
    assert removed
    assert min(removed) > done.index(("sync", "."), published)


def test_a_full_disk_is_named_with_what_to_do(growing: Growing, folder: Path) -> None:
    growing.to(10)
    growing.export(folder)
    growing.to(20)
    with pytest.MonkeyPatch.context() as patch:
        Fault(1, no_space, after=False).install(patch)
        with pytest.raises(MingzhangError, match="No space left on device") as raised:
            growing.export(folder)
    assert "run the same export again" in raised.value.message
    assert verified_size(folder, growing.vkey) == 10


def test_a_folder_that_cannot_be_made_is_named(growing: Growing, tmp_path: Path) -> None:
    growing.to(1)
    (tmp_path / "file").write_text("")
    with pytest.raises(MingzhangError, match=r"cannot write .*file"):
        growing.export(tmp_path / "file" / "log")


def test_partial_tiles_that_a_killed_export_left_are_removed(
    growing: Growing, folder: Path
) -> None:
    growing.to(10)
    growing.export(folder)
    before = {name: (folder / name).read_bytes() for name in files(folder)}
    growing.to(20)
    growing.export(folder)
    left = {name: (folder / name).read_bytes() for name in files(folder)} | before
    left["tile/0/000.p/20.unfinished"] = b"cut"
    for name, data in left.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    growing.to(30)
    assert growing.export(folder).old_size == 10
    assert files(folder) == names(30)


def test_files_that_are_not_the_exports_are_left_alone(growing: Growing, folder: Path) -> None:
    for name in ("notes.p/1", "download.unfinished", "index.html"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("mine")
    growing.to(3)
    growing.export(folder)
    assert {"notes.p/1", "download.unfinished", "index.html"} < files(folder)


@pytest.mark.parametrize("name", ["tile/0/000", "tile/entries/001", "tile/0/001"])
def test_a_tile_that_was_lost_or_cut_short_is_written_again(
    growing: Growing, folder: Path, name: str
) -> None:
    growing.to(600)
    growing.export(folder)
    (folder / name).unlink()
    assert growing.export(folder) == Exported(600, 600, 1)
    if "entries" not in name:
        os.truncate(folder / name, 100)
        assert growing.export(folder) == Exported(600, 600, 1)
    assert verified_size(folder, growing.vkey) == 600


def test_a_file_that_differs_from_the_ledger_is_not_written_over(
    growing: Growing, folder: Path
) -> None:
    growing.to(10)
    growing.export(folder)
    path = folder / "tile/entries/000.p/10"
    flipped = bytearray(path.read_bytes())
    flipped[100] ^= 1
    path.write_bytes(flipped)
    with pytest.raises(ProofError, match="is not what the ledger holds"):
        growing.export(folder)
    assert path.read_bytes() == flipped


def test_another_logs_folder_is_refused(growing: Growing, folder: Path) -> None:
    growing.to(5)
    folder.mkdir(parents=True)
    for other in (
        checkpoint.sign(
            Checkpoint("another.example/log", 5, bytes(32)),
            Signer("another.example/log", PrivateKey.generate()),
        ),
        b"no checkpoint at all\n",
    ):
        (folder / "checkpoint").write_bytes(other)
        with pytest.raises(ConflictError, match="is not of this log"):
            growing.export(folder)
        assert files(folder) == {"checkpoint"}


@pytest.fixture
def log_signer(growing: Growing, tmp_path: Path) -> Signer:
    """The test ledger's own signer: what a fork of it would sign with."""
    return Signer(ORIGIN, keyfile.load(tmp_path / "data" / KEY_FILE))


def test_a_newer_folder_is_refused(growing: Growing, folder: Path, log_signer: Signer) -> None:
    growing.to(5)
    growing.export(folder)
    newer = checkpoint.sign(Checkpoint(ORIGIN, 6, bytes(32)), log_signer)
    (folder / "checkpoint").write_bytes(newer)
    with pytest.raises(ConflictError, match="holds size 6, the ledger is at 5"):
        growing.export(folder)
    assert (folder / "checkpoint").read_bytes() == newer


@pytest.mark.parametrize("size", [3, 5])
def test_a_folder_with_another_history_is_refused(
    growing: Growing, folder: Path, log_signer: Signer, size: int
) -> None:
    growing.to(5)
    forked = checkpoint.sign(Checkpoint(ORIGIN, size, bytes(32)), log_signer)
    folder.mkdir(parents=True)
    (folder / "checkpoint").write_bytes(forked)
    with pytest.raises(
        ConflictError, match=f"at size {size} and the ledger at 5 do not belong together"
    ):
        growing.export(folder)
    assert files(folder) == {"checkpoint"}


@pytest.mark.parametrize("old", [0, 256])
@pytest.mark.parametrize(
    "change", ["UPDATE mingzhang.entry SET state = state || 'x'", "DELETE FROM mingzhang.entry"]
)
def test_a_database_that_was_changed_is_not_published(
    growing: Growing, folder: Path, database_url: str, change: str, old: int
) -> None:
    if old:
        growing.to(old)
        growing.export(folder)
    growing.to(600)
    with growing.ledger.database.connect() as connection:
        write_tiles(connection, 600)
    with psycopg.connect(database_url) as connection:
        connection.execute("SET session_replication_role = replica")
        assert connection.execute(f"{change} WHERE index = 400".encode()).rowcount == 1
    with pytest.raises(ProofError, match="history was changed"):
        growing.export(folder)
    assert files(folder) == (names(old) if old else set())


def test_a_changed_entry_that_the_old_checkpoint_covers_is_noticed(
    growing: Growing, folder: Path, database_url: str
) -> None:
    growing.to(300)
    growing.export(folder)
    growing.to(301)
    with psycopg.connect(database_url) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute("UPDATE mingzhang.entry SET state = state || 'x' WHERE index = 290")
    with pytest.raises(ConflictError, match="do not belong together"):
        growing.export(folder)
    assert verified_size(folder, growing.vkey) == 300


def test_two_exports_do_not_write_to_one_folder_at_once(growing: Growing, folder: Path) -> None:
    growing.to(2)
    folder.mkdir(parents=True)
    other = os.open(folder, os.O_RDONLY)
    fcntl.flock(other, fcntl.LOCK_EX)
    with pytest.raises(ConflictError, match="another export"):
        growing.export(folder)
    os.close(other)
    growing.export(folder)
    assert verified_size(folder, growing.vkey) == 2


def test_an_empty_log_has_nothing_to_export(growing: Growing, folder: Path) -> None:
    with pytest.raises(NotFoundError, match="the log is empty"):
        growing.export(folder)
    assert not folder.exists()


class MemoryReader(Reader):
    """Serves a log of small made-up entries: sizes that take long to sign and append."""

    def __init__(self, signer: Signer) -> None:
        super().__init__(MagicMock())
        self._signer = signer
        self._edge = Edge.empty()
        self._nodes: dict[tuple[int, int], bytes] = {}

    def grow(self, size: int) -> None:
        leaves = [leaf_hash(self._entry(i)) for i in range(self._edge.size, size)]
        self._edge = self._edge.extend(leaves, self._nodes)

    def _entry(self, index: int) -> bytes:
        return b"entry %d" % index

    def signed(self) -> tuple[int, bytes]:
        found = Checkpoint(self._signer.name, self._edge.size, self._edge.root())
        return found.size, checkpoint.sign(found, self._signer)

    def entries(self, start: int, stop: int) -> list[bytes]:
        return [self._entry(index) for index in range(start, stop)]

    def tile(self, level: int, n: int, width: int = 256) -> bytes:
        return b"".join([self._nodes[8 * level, n * 256 + i] for i in range(width)])

    def consistency_proof(self, old: int, new: int) -> list[bytes]:
        return consistency_proof(old, new, self._nodes.__getitem__)


@pytest.fixture
def made_up() -> MemoryReader:
    return MemoryReader(Signer(ORIGIN, PrivateKey.generate()))


def test_tiles_of_the_higher_levels_grow_right(made_up: MemoryReader, folder: Path) -> None:
    vkey = made_up._signer.vkey
    for size in (65_535, 65_536, 65_537, 70_000, 131_072):
        made_up.grow(size)
        export(made_up, folder, vkey)
        assert verified_size(folder, vkey) == size
        assert files(folder) == names(size)
    # The example of formats.md, section 4.
    assert {"tile/0/273.p/112", "tile/1/001.p/17", "tile/2/000.p/1"} <= names(70_000)
