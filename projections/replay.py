"""The read models without a database: the same folds over a published log's entries.

The tree's root is computed from the entries that are folded and must be the checkpoint's, so what
a replay says is what the whole signed log says. Signatures of statements are not checked here:
that is `mingzhang verify log`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ledger.errors import FormatError, ProofError
from ledger.log import note
from ledger.log.checkpoint import open_checkpoint, parse_body
from ledger.log.merkle import Edge, leaf_hash
from ledger.log.note import VerifierKey
from ledger.log.tiles import TILE_WIDTH, entry_tiles_for_size
from ledger.verify.source import open_source
from projections.fold import AsOf, ReadModel, Rows, read_events, recorded_at

Progress = Callable[[int, int], None]
"""Told how many entries are folded, and of how many."""


@dataclass(frozen=True, slots=True)
class Replayed:
    """A read model's rows at a checkpoint; `signed` says whether its signature was verified."""

    origin: str
    as_of: AsOf
    root: bytes
    signed: bool
    rows: Rows


def replay(
    where: str,
    model: ReadModel,
    vkey: VerifierKey | None = None,
    progress: Progress = lambda done, total: None,
) -> Replayed:
    """Fold the log at `where`, a folder or an http(s) URL, up to its checkpoint.

    Memory is that of the model's rows and one bundle of entries. Without `vkey` the checkpoint's
    signature is not verified, which `Replayed.signed` says. Raises ProofError if the entries do
    not have the checkpoint's root, FormatError, NotFoundError or SourceError if they cannot be
    read, PoisonedEntryError if one cannot be folded.
    """
    source = open_source(where)
    data = source.checkpoint()
    checkpoint = parse_body(note.parse(data).text) if vkey is None else open_checkpoint(data, vkey)
    rows = Rows(model.tables)
    edge = Edge.empty()
    when = ""
    for n, width in entry_tiles_for_size(checkpoint.size):
        entries = source.entries(n, width)
        if len(entries) != width:
            raise FormatError(f"bundle {n} has {len(entries)} entries, {width} belong there")
        edge = edge.extend([leaf_hash(each) for each in entries])
        start = n * TILE_WIDTH
        model.fold_all(read_events(enumerate(entries, start), model.kinds), rows)
        if edge.size == checkpoint.size:
            when = recorded_at(edge.size - 1, entries[-1])
        progress(edge.size, checkpoint.size)
    if edge.root() != checkpoint.root:
        raise ProofError(
            f"the entries of {where} do not have the root that its checkpoint of size "
            f"{checkpoint.size} says: some were changed, dropped or moved. `mingzhang verify log` "
            "names the first one"
        )
    return Replayed(
        checkpoint.origin,
        AsOf(checkpoint.size, when),
        checkpoint.root,
        vkey is not None,
        rows,
    )
