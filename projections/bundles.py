"""Entry bundles read, hashed and parsed in worker processes, handed on in the order of the log.

Worker w of W reads the bundles w, w + W, w + 2W, …, and writes one frame for each to its pipe. A
full pipe holds a worker that is ahead, so memory does not depend on the log's length.
"""

from __future__ import annotations

import fcntl
import os
import subprocess
from collections.abc import Collection, Iterator
from types import TracebackType
from typing import IO, Any, NamedTuple, Self

from ledger import helpers
from ledger.domain.event import Event, Proposal
from ledger.errors import FormatError, MingzhangError, NotFoundError
from ledger.log.merkle import leaf_hash
from ledger.log.tiles import HASH_SIZE, TILE_WIDTH
from ledger.verify.pool import bundles, width_of
from ledger.verify.source import Source, SourceError, open_source
from projections.fold import read_events, recorded_at

PIPE_BYTES = 1024 * 1024
"""Some bundles' worth: a worker goes on while the one before it is waited for."""

_ERRORS = {each.__name__: each for each in (FormatError, NotFoundError, SourceError)}


class Bundle(NamedTuple):
    """Up to 256 entries: the hashes of all, the events of some, and when the last was recorded."""

    leaves: list[bytes]
    events: list[Event]
    recorded_at: str


class Span(NamedTuple):
    """What is read of a log of `size`: bundles below `stop`, and events below the size `fold`."""

    where: str
    size: int
    stop: int
    fold: int
    kinds: frozenset[str]


def read(source: Source, span: Span, n: int) -> Bundle:
    """Read bundle `n`. Raises FormatError, NotFoundError or SourceError."""
    entries = source.entries(n, width_of(n, span.size))
    start = n * TILE_WIDTH
    inside = entries[: max(0, span.fold - start)]
    when = recorded_at(start + len(inside) - 1, inside[-1]) if inside else ""
    events = list(read_events(enumerate(inside, start), span.kinds))
    return Bundle([leaf_hash(each) for each in entries], events, when)


def read_here(span: Span) -> Iterator[Bundle]:
    """Yield all bundles of a span, read in this process."""
    source = open_source(span.where)
    for n in range(span.stop):
        yield read(source, span, n)


class Readers:
    """Worker processes on one span; a context manager that ends them."""

    def __init__(self, span: Span, workers: int) -> None:
        self._span = span
        self._workers = [_start(span, first, workers) for first in range(workers)]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for worker in self._workers:
            worker.kill()
            worker.communicate()

    def bundles(self) -> Iterator[Bundle]:
        """Yield all bundles in order. Raises what `read` raises, or SourceError if one died."""
        for n in range(self._span.stop):
            worker = self._workers[n % len(self._workers)]
            assert worker.stdout is not None  # noqa: S101 - opened with a pipe
            try:
                answer = helpers.read_frame(worker.stdout)
            except EOFError:
                raise SourceError(
                    f"a reading process ended with status {worker.wait()}: out of memory?"
                ) from None
            if len(answer) == 2:
                raise _ERRORS.get(answer[0], SourceError)(answer[1])
            yield _unpacked(answer)


def serve(span: Span, first: int, stride: int, pipe: IO[bytes]) -> None:
    """Write every `stride`-th bundle from `first` on to a pipe: what a worker process does."""
    source = open_source(span.where)
    for n in range(first, span.stop, stride):
        try:
            found = read(source, span, n)
        except MingzhangError as error:
            helpers.write_frame(pipe, (type(error).__name__, error.message))
            return
        events = [(*each.proposal, *each[1:]) for each in found.events]
        helpers.write_frame(pipe, (b"".join(found.leaves), events, found.recorded_at))


def workers_for(count: int) -> int:
    """Return how many processes are worth starting for `count` bundles: 0 reads them here."""
    return 0 if count <= 8 else len(os.sched_getaffinity(0))


def _unpacked(answer: tuple[bytes, list[tuple[Any, ...]], str]) -> Bundle:
    leaves, events, when = answer
    return Bundle(
        [leaves[at : at + HASH_SIZE] for at in range(0, len(leaves), HASH_SIZE)],
        [Event(Proposal._make(each[:7]), *each[7:]) for each in events],
        when,
    )


def _start(span: Span, first: int, stride: int) -> subprocess.Popen[bytes]:
    worker = helpers.start(
        "projections.reader",
        *(span.where, str(span.size), str(span.stop), str(span.fold)),
        *(",".join(sorted(span.kinds)), str(first), str(stride)),
        stdin=subprocess.DEVNULL,
    )
    widen(worker.stdout)
    return worker


def widen(pipe: IO[bytes] | None) -> None:
    """Let a pipe hold PIPE_BYTES, where the system can and allows it."""
    if pipe is not None and hasattr(fcntl, "F_SETPIPE_SZ"):
        try:
            fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
        except OSError:
            return


def span_of(
    where: str, size: int, fold: int, kinds: Collection[str], *, whole: bool = True
) -> Span:
    """Return what is read to fold the first `fold` entries of a log of `size`.

    With `whole` the entries behind them are hashed too, up to the checkpoint's size.
    """
    return Span(where, size, bundles(size if whole else fold), fold, frozenset(kinds))
