"""The anchor file: torn and damaged slots, several processes, and what is not a note at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger.errors import StartRefusedError
from ledger.log import checkpoint
from ledger.log.checkpoint import Checkpoint
from ledger.store.anchor import AnchorFile
from tests.support.simulation.machine import SIGNER, VKEY

SLOT = 4096


def note(size: int) -> bytes:
    return checkpoint.sign(Checkpoint(SIGNER.name, size, bytes(32)), SIGNER)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "anchor"


@pytest.fixture
def anchor(path: Path) -> Iterator[AnchorFile]:
    file = AnchorFile(path, VKEY)
    yield file
    file.close()


def overwrite(path: Path, at: int, data: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(at)
        file.write(data)


def reopened(path: Path) -> tuple[int, bytes] | None:
    file = AnchorFile(path, VKEY)
    try:
        return file.newest()
    finally:
        file.close()


def test_an_anchor_is_empty_and_then_keeps_the_newest_note(anchor: AnchorFile, path: Path) -> None:
    assert anchor.newest() is None
    for size in (1, 2, 10, 9):
        anchor.advance(size, note(size))
    assert anchor.newest() == (10, note(10))
    assert reopened(path) == (10, note(10))


def test_a_torn_write_leaves_the_note_before_it(anchor: AnchorFile, path: Path) -> None:
    anchor.advance(5, note(5))
    anchor.advance(6, note(6))
    overwrite(path, SLOT + 40, b"torn")
    assert reopened(path) == (5, note(5))
    anchor.advance(7, note(7))
    assert reopened(path) == (7, note(7))


def test_a_damaged_large_size_does_not_hold_later_notes_off(anchor: AnchorFile, path: Path) -> None:
    anchor.advance(5, note(5))
    anchor.advance(6, note(6))
    overwrite(path, SLOT, note(6).replace(b"\n6\n", b"\n9999\n"))
    anchor.advance(7, note(7))
    anchor.advance(8, note(8))
    assert anchor.newest() == (8, note(8))


def test_two_processes_share_one_anchor(anchor: AnchorFile, path: Path) -> None:
    other = AnchorFile(path, VKEY)
    for size in range(1, 9):
        (anchor if size % 2 else other).advance(size, note(size))
    anchor.advance(3, note(3))
    assert anchor.newest() == other.newest() == (8, note(8))
    other.close()


def test_a_pair_is_free_again_when_its_process_has_ended(path: Path) -> None:
    for size in (1, 2, 3):
        file = AnchorFile(path, VKEY)
        file.advance(size, note(size))
        file.close()
    assert path.stat().st_size == 2 * SLOT
    assert reopened(path) == (3, note(3))


def test_a_pair_of_which_nothing_is_left_refuses_the_start(anchor: AnchorFile, path: Path) -> None:
    other = AnchorFile(path, VKEY)
    for size in (1, 2):
        anchor.advance(size, note(size))
    for size in (3, 4):
        other.advance(size, note(size))
    other.close()
    overwrite(path, 2 * SLOT, b"damaged")
    assert reopened(path) == (4, note(4))
    overwrite(path, 3 * SLOT, b"damaged")
    with pytest.raises(StartRefusedError, match="it was damaged"):
        reopened(path)


@pytest.mark.parametrize("content", [b"something else\n" * 9, bytes(16)])
def test_a_file_without_any_note_of_this_log_refuses_the_start(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with pytest.raises(StartRefusedError, match="holds no note of this log"):
        reopened(path)


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StartRefusedError, match="cannot open the anchor"):
        AnchorFile(tmp_path / "file" / "anchor", VKEY)


def test_a_failed_sync_is_reported(anchor: AnchorFile, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: int) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fdatasync", broken)
        with pytest.raises(OSError, match="Input/output"):
            anchor.sync()
