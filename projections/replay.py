"""The read models without a database: the same folds over a published log's entries.

The tree's root is computed from the entries that are folded and must be the checkpoint's, so what
a replay says is what the whole signed log says. Signatures of statements are not checked here:
that is `mingzhang verify log`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass

from ledger.errors import FormatError, NotFoundError, ProofError
from ledger.log import note
from ledger.log.checkpoint import Checkpoint, open_checkpoint, parse_body
from ledger.log.merkle import Edge
from ledger.log.note import VerifierKey
from ledger.log.tiles import TILE_WIDTH
from ledger.verify.pool import width_of
from ledger.verify.source import Source, open_source
from projections import bundles
from projections.asof import Entry, Wanted, check_same
from projections.bundles import Bundle, Readers, Span
from projections.fold import AsOf, ReadModel, Rows
from projections.pause import no_cycles_sought

Progress = Callable[[int, int], None]
"""Told how many entries are folded, and of how many."""


@dataclass(frozen=True, slots=True)
class Replayed:
    """A read model's rows at a size; `signed` says whether a checkpoint's signature was verified.

    `root` is the root of the tree of the size that they hold for.
    """

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
    *,
    as_of: Wanted | None = None,
    workers: int | None = None,
) -> Replayed:
    """Fold the log at `where`, a folder or an http(s) URL, up to its checkpoint or to `as_of`.

    Memory is that of the model's rows and a few bundles of entries. `workers` is the number of
    processes that read and parse, 0 for none, by default one a core for all but small logs.
    Without `vkey` the checkpoint's signature is not verified, which `Replayed.signed` says.

    Raises ProofError if the entries do not have the checkpoint's root, FormatError, NotFoundError
    or SourceError if they cannot be read. What cannot be folded is parked, as in the database.
    """
    source = open_source(where)
    data = source.checkpoint()
    newest = parse_body(note.parse(data).text) if vkey is None else open_checkpoint(data, vkey)
    fold = newest.size
    if as_of is not None:
        fold = as_of.resolve(newest.size, _entries_of(source, newest.size))
        if fold > newest.size:
            raise NotFoundError(f"{where} has no size {fold}: its checkpoint is of {newest.size}")
    # An older checkpoint proves its own prefix; a size or a day is proved by the newest one.
    proving = as_of.checkpoint if as_of is not None and as_of.checkpoint is not None else newest
    whole = proving is newest
    span = bundles.span_of(where, newest.size, fold, model.kinds, whole=whole)
    rows = model.rows()
    edge, cut, when = Edge.empty(), Edge.empty(), ""
    with no_cycles_sought(), ExitStack() as stack:
        for n, bundle in enumerate(_bundles(span, workers, stack)):
            if len(bundle.leaves) != width_of(n, newest.size):
                raise FormatError(f"bundle {n} has {len(bundle.leaves)} entries")
            model.fold_all(bundle.events, rows)
            when = bundle.recorded_at or when
            if edge.size < fold <= edge.size + len(bundle.leaves):
                cut = edge.extend(bundle.leaves[: fold - edge.size])
            edge = edge.extend(bundle.leaves)
            progress(min(edge.size, fold), fold)
    root = cut.root()
    if not whole:
        check_same(proving, newest.origin, root)
    else:
        _check_root(where, newest, edge)
    return Replayed(newest.origin, rows.as_of(fold, when), root, vkey is not None, rows)


def _check_root(where: str, newest: Checkpoint, edge: Edge) -> None:
    if edge.root() != newest.root:
        raise ProofError(
            f"the entries of {where} do not have the root that its checkpoint of size "
            f"{newest.size} says: some were changed, dropped or moved. `mingzhang verify log` "
            "names the first one"
        )


def _bundles(span: Span, workers: int | None, stack: ExitStack) -> Iterator[Bundle]:
    count = bundles.workers_for(span.stop) if workers is None else workers
    if not count:
        return bundles.read_here(span)
    return stack.enter_context(Readers(span, count)).bundles()


def _entries_of(source: Source, size: int) -> Entry:
    def entry(index: int) -> bytes:
        n, offset = divmod(index, TILE_WIDTH)
        return source.entries(n, width_of(n, size))[offset]

    return entry
