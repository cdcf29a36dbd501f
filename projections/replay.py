"""The read models without a database: the same folds over a published log's entries.

The tree's root is computed from the entries that are folded and must be the checkpoint's, so what
a replay says is what the whole signed log says. Signatures of statements are not checked here:
that is `mingzhang verify log`.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Protocol

from ledger.domain.event import Event
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


class Watch(Protocol):
    """Follows a replay: it sees events on streams of `kinds`, and rows at `stops`, ascending sizes.

    Nothing that it is told is proved before the replay has come to its end.
    """

    @property
    def kinds(self) -> frozenset[str]:
        """The kinds of streams that it sees, beside those of the model."""

    @property
    def stops(self) -> Sequence[int]:
        """The log sizes at which it looks at the rows, in ascending order."""

    def see(self, event: Event, leaf: bytes) -> None:
        """Take in an event that was read, and its entry's leaf hash."""

    def stop(self, size: int, leaf: bytes, rows: Rows) -> None:
        """Look at the rows as of a size, whose last entry has the hash `leaf`."""


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
    watch: Watch | None = None,
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
        fold = as_of.resolve(newest.size, entries_of(source, newest.size))
        if fold > newest.size:
            raise NotFoundError(f"{where} has no size {fold}: its checkpoint is of {newest.size}")
    # An older checkpoint proves its own prefix; a size or a day is proved by the newest one.
    proving = as_of.checkpoint if as_of is not None and as_of.checkpoint is not None else newest
    whole = proving is newest
    kinds = model.kinds | watch.kinds if watch is not None else model.kinds
    span = bundles.span_of(where, newest.size, fold, kinds, whole=whole)
    rows = model.rows()
    edge, cut, when = Edge.empty(), Edge.empty(), ""
    with no_cycles_sought(), ExitStack() as stack:
        for n, bundle in enumerate(read_bundles(span, workers, stack)):
            if len(bundle.leaves) != width_of(n, newest.size):
                raise FormatError(f"bundle {n} has {len(bundle.leaves)} entries")
            if watch is None:
                model.fold_all(bundle.events, rows)
            else:
                _watched(model, bundle, edge.size, rows, watch)
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


def _watched(model: ReadModel, bundle: Bundle, start: int, rows: Rows, watch: Watch) -> None:
    """Fold a bundle that begins at `start` in pieces that end where `watch` stops."""
    events, done, end = bundle.events, 0, start + len(bundle.leaves)

    def fold(upto: int) -> None:
        for event in events[done:upto]:
            watch.see(event, bundle.leaves[event.index - start])
        model.fold_all(events[done:upto], rows)

    stops = watch.stops
    for size in stops[bisect_left(stops, start + 1) : bisect_left(stops, end + 1)]:
        upto = bisect_left(events, size, done, key=lambda each: each.index)
        fold(upto)
        done = upto
        watch.stop(size, bundle.leaves[size - 1 - start], rows)
    fold(len(events))


def read_bundles(span: Span, workers: int | None, stack: ExitStack) -> Iterator[Bundle]:
    """Yield the bundles of a span; processes that help are ended by `stack`."""
    count = bundles.workers_for(span.stop) if workers is None else workers
    if not count:
        return bundles.read_here(span)
    return stack.enter_context(Readers(span, count)).bundles()


def entries_of(source: Source, size: int) -> Entry:
    """Return how to get an entry's bytes from a log of `size`, which nothing proves yet."""

    def entry(index: int) -> bytes:
        n, offset = divmod(index, TILE_WIDTH)
        return source.entries(n, width_of(n, size))[offset]

    return entry
