"""The checks that an edited row and a rewritten history are put to, each with what it found."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ledger.errors import MingzhangError
from ledger.log import receipt
from ledger.log.checkpoint import open_checkpoint
from ledger.log.merkle import leaf_hash, verify_consistency, verify_inclusion
from ledger.log.note import VerifierKey
from ledger.log.tiles import entry_tiles_for_size, tile_path, tiles_for_size
from ledger.store.ledger import Ledger, Options
from ledger.store.publish import CHECKPOINT, export
from ledger.store.reader import Reader
from ledger.verify.receipt import verify_receipt_file
from ledger.verify.whole import verify_log


@dataclass(frozen=True, slots=True)
class Finding:
    """A check, whether it caught the tampering, whether it had to, and what it said."""

    check: str
    caught: bool
    expected: bool
    said: str


@dataclass(frozen=True, slots=True)
class Kept:
    """What was kept outside the machine before: a member's receipt, and the exported log."""

    statement_id: str
    receipt: bytes
    exported: Path
    vkey: VerifierKey

    @property
    def checkpoint(self) -> bytes:
        """The signed note that came with the export."""
        return (self.exported / CHECKPOINT).read_bytes()

    def says(self) -> str:
        """Verify the receipt by itself and return what it says of points."""
        lines = verify_receipt_file(self.receipt, self.vkey).lines()
        points = next(line for line in lines if line.startswith("points"))
        return points.removeprefix("points").strip()


def after_edit(data: Path, kept: Kept, copy: Path) -> Iterator[Finding]:
    """Put an edited row to the checks; `copy` becomes the log as the server now hands it out."""
    yield _finding(
        "start the ledger again",
        lambda: _start(data) + ": it re-reads the entries that decisions rest on, and this is none",
        expected=False,
    )
    with Ledger.open(data, options=Options(append=False)) as ledger:
        yield _finding(
            "ask for the member's receipt again",
            lambda: _receipt(ledger, kept),
            expected=True,
        )
        yield _finding(
            "mingzhang export, into a new folder",
            lambda: _export(ledger, copy, kept),
            expected=True,
        )
        _hand_out(ledger, copy)
    yield _finding(
        "mingzhang verify log, on what the server hands out",
        lambda: _verify(copy, kept, None),
        expected=True,
    )


def after_rewrite(data: Path) -> Iterator[Finding]:
    """Put a rewritten database, beside its old anchor file, to the check at start."""
    yield _finding("start the ledger again", lambda: _start(data), expected=True)


def after_rewriting_anchor(data: Path, kept: Kept, copy: Path) -> Iterator[Finding]:
    """Put a rewritten machine to the checks; `copy` becomes the rewritten log."""
    yield _finding(
        "start the ledger again", lambda: _start(data) + ": all files agree", expected=False
    )
    with Ledger.open(data, options=Options(append=False)) as ledger:
        _hand_out(ledger, copy)
        yield _finding(
            "mingzhang verify log, alone",
            lambda: _verify(copy, kept, None) + ": a consistent log, only not the one others saw",
            expected=False,
        )
        yield _finding(
            "mingzhang verify log --from, a checkpoint kept outside",
            lambda: _verify(copy, kept, kept.checkpoint),
            expected=True,
        )
        yield _finding(
            "mingzhang export, onto the earlier export",
            lambda: _export(ledger, kept.exported, kept),
            expected=True,
        )
        yield _finding(
            "the receipt kept by the member, against the new tree",
            lambda: _included(ledger, kept),
            expected=True,
        )
        yield _finding(
            "its checkpoint, against the new one",
            lambda: _consistent(ledger, kept),
            expected=True,
        )


def _finding(check: str, run: Callable[[], str], *, expected: bool) -> Finding:
    try:
        return Finding(check, caught=False, expected=expected, said=run())
    except MingzhangError as error:
        return Finding(check, caught=True, expected=expected, said=error.message)


def _start(data: Path) -> str:
    with Ledger.open(data) as ledger:
        return f"it starts at size {ledger.size():,}"


def _receipt(ledger: Reader, kept: Kept) -> str:
    return verify_receipt_file(ledger.receipt(kept.statement_id), kept.vkey).lines()[-1]


def _export(ledger: Reader, folder: Path, kept: Kept) -> str:
    return f"{export(ledger, folder, kept.vkey).files} files"


def _verify(folder: Path, kept: Kept, older: bytes | None) -> str:
    report = verify_log(str(folder), kept.vkey, from_checkpoint=older)
    if report.failure is not None:
        raise MingzhangError(str(report.failure))
    return f"all of {report.entries:,} entries hold"


def _included(ledger: Reader, kept: Kept) -> str:
    parsed = receipt.parse(kept.receipt)
    now = open_checkpoint(ledger.checkpoint(), kept.vkey)
    proof = ledger.inclusion_proof(now.size, parsed.index)
    verify_inclusion(leaf_hash(parsed.entry), parsed.index, now.size, proof, now.root)
    return "its entry is in the tree"


def _consistent(ledger: Reader, kept: Kept) -> str:
    old = open_checkpoint(receipt.parse(kept.receipt).checkpoint, kept.vkey)
    now = open_checkpoint(ledger.checkpoint(), kept.vkey)
    proof = ledger.consistency_proof(old.size, now.size)
    try:
        verify_consistency(old.size, now.size, proof, old.root, now.root)
    except MingzhangError as error:
        raise MingzhangError(
            f"{error.message}, and the log's key signed both: the two notes prove what its "
            "operator did, to anyone"
        ) from None
    return "the old tree is a prefix of the new one"


def _hand_out(reader: Reader, folder: Path) -> None:
    """Write what a server of this database would answer to readers, unchecked."""
    shutil.rmtree(folder, ignore_errors=True)
    size = reader.size()
    files = {tile_path(*each): reader.tile(*each) for each in tiles_for_size(size)}
    for n, width in entry_tiles_for_size(size):
        files[tile_path("entries", n, width)] = reader.entry_tile(n, width)
    files[CHECKPOINT] = reader.checkpoint()
    for path, content in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
