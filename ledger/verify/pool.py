"""Checks bundles in worker processes and hands the results on in the order of the log.

Worker w of W checks the bundles w, w + W, w + 2W, …, so all that it must be told are the keys
registered meanwhile. A full pipe holds a worker that is ahead, so memory does not depend on the
log's length.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from types import TracebackType
from typing import IO, Self

from ledger import helpers
from ledger.errors import MingzhangError
from ledger.log.tiles import TILE_WIDTH
from ledger.signing import keyid
from ledger.verify import chunk
from ledger.verify.chunk import Chunk
from ledger.verify.source import Source, SourceError, open_source

AHEAD = 2
"""Bundles that each worker may be ahead: one in work, one done."""

# Under 20 KiB a frame, whatever the suites: the frames of all bundles that a worker may be ahead
# fit in a pipe together, so that telling it never waits for a worker that waits to answer.
_KEYS_MAX = 256


def width_of(n: int, size: int) -> int:
    """Return the width of bundle `n` in a log of `size`."""
    return min(TILE_WIDTH, size - n * TILE_WIDTH)


def bundles(size: int) -> int:
    """Return the number of entry bundles of a log of `size`."""
    return -(-size // TILE_WIDTH)


def chunks_here(source: Source, origin: str, size: int) -> Iterator[Chunk]:
    """Yield every checked bundle of the log, all in this process."""
    keys: dict[str, bytes] = {}
    for n in range(bundles(size)):
        width = width_of(n, size)
        yield chunk.check(chunk.read(source, n, width), n, width, origin, keys)


class Pool:
    """Worker processes on one log; `registered` is the caller's growing list of known keys."""

    def __init__(
        self, source: Source, origin: str, size: int, workers: int, registered: list[bytes]
    ) -> None:
        self._size = size
        self._registered = registered
        self._told = [0] * workers
        self._workers = [
            _start(source.where, origin, size, first, workers) for first in range(workers)
        ]

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

    def chunks(self) -> Iterator[Chunk]:
        """Yield every checked bundle of the log, in order.

        Raises SourceError where the log cannot be read, or a worker died.
        """
        count, stride = bundles(self._size), len(self._workers)
        for n in range(min(count, AHEAD * stride)):
            self._go(n % stride)
        for n in range(count):
            worker = self._workers[n % stride]
            assert worker.stdout is not None  # noqa: S101 - opened with a pipe
            try:
                answer = helpers.read_frame(worker.stdout)
            except EOFError:
                raise SourceError(
                    f"a verifying process ended with status {worker.wait()}: out of memory?"
                ) from None
            if len(answer) == 1:
                raise SourceError(answer[0])
            if n + AHEAD * stride < count:
                self._go(n % stride)
            yield Chunk(*answer)

    def _go(self, number: int) -> None:
        """Let a worker check one more bundle, and tell it keys that it may not know."""
        pipe = self._workers[number].stdin
        assert pipe is not None  # noqa: S101 - opened with a pipe
        new = self._registered[self._told[number] : self._told[number] + _KEYS_MAX]
        self._told[number] += len(new)
        try:
            helpers.write_frame(pipe, new)
        except BrokenPipeError:
            return  # it died: reading its answer says so


def serve(
    where: str, origin: str, size: int, first: int, stride: int, pipe: tuple[IO[bytes], IO[bytes]]
) -> None:
    """Check every `stride`-th bundle from `first` on: what a worker process does."""
    requests, answers = pipe
    source = open_source(where)
    keys: dict[str, bytes] = {}
    for n in range(first, bundles(size), stride):
        try:
            new = helpers.read_frame(requests)
        except EOFError:
            return
        keys.update((keyid(each), each) for each in new)
        width = width_of(n, size)
        try:
            raw = chunk.read(source, n, width)
        except MingzhangError as error:
            helpers.write_frame(answers, (error.message,))
            return
        helpers.write_frame(answers, tuple(chunk.check(raw, n, width, origin, keys)))


def _start(where: str, origin: str, size: int, first: int, stride: int) -> subprocess.Popen[bytes]:
    return helpers.start("ledger.verify.worker", where, origin, str(size), str(first), str(stride))
