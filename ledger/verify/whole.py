"""Verifies a whole log against its key alone: the first fault by index, or that all holds.

Bundles are hashed, parsed and their signatures verified on all cores (`chunk`, `pool`); what
depends on the entries before is checked in order (`semantics`), the tree beside it (`tree`), and
what concerns ids across the whole log at the end (`runs`). Memory grows with the people and
streams of a log, not with its entries.
"""

from __future__ import annotations

import gc
import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace

from ledger import sm2
from ledger.entry import parse_entry
from ledger.errors import FormatError, MingzhangError, NotFoundError, ProofError
from ledger.log.checkpoint import Checkpoint, open_checkpoint
from ledger.log.note import VerifierKey
from ledger.log.policy import Policy
from ledger.log.tiles import TILE_WIDTH
from ledger.verify import diagnose
from ledger.verify.accounts import Accounts
from ledger.verify.chunk import LEAF, Chunk, Fault
from ledger.verify.pool import Pool, chunks_here, width_of
from ledger.verify.report import Failure, FaultError, Report
from ledger.verify.runs import Uses
from ledger.verify.semantics import Replay
from ledger.verify.source import Source, open_source
from ledger.verify.tree import Tree
from ledger.verify.witnessed import Witnessed

Progress = Callable[[int, int], None]
"""Told the number of entries checked so far, and of all."""

HERE_ENTRIES_MAX = 2_048
"""Smaller logs are checked before worker processes would have started."""


def verify_log(
    where: str,
    vkey: VerifierKey,
    *,
    from_checkpoint: bytes | None = None,
    workers: int | None = None,
    progress: Progress | None = None,
    policy: Policy | None = None,
) -> Report:
    """Verify the log at `where` (a folder or URL) and return what was found.

    `from_checkpoint` is an older signed note that must be a prefix of the log. `workers` is the
    number of helping processes, 0 for none, by default one a core for all but small logs.

    With `policy` the checkpoint must have its witnesses' quorum, less than 7 days old: without it
    nothing is green. The cosignatures that entries hold are checked against the tree, too.

    A fault is the report's `failure`. Raises SourceError where the log cannot be read at all, so
    that nothing is known about it.
    """
    started = time.monotonic()
    source = open_source(where)
    try:
        note, signed = _checkpoint(source, vkey)
        witnessed = _witnessed(note, policy)
        older = _older(from_checkpoint, vkey, signed)
    except FaultError as error:
        return _unopened(where, vkey, error.failure, time.monotonic() - started)
    if workers is None:
        workers = 0 if signed.size <= HERE_ENTRIES_MAX else len(os.sched_getaffinity(0))
    with Uses() as uses, Accounts() as accounts, _no_cycles_sought():
        replay = Replay(signed.origin, uses, accounts)
        run = _Run(source, signed, older, replay, Tree(source), policy)
        failure = run.first_failure(workers, progress)
        # A use of an id that is not allowed counts if it lies before what was found so far.
        misuse = uses.first_failure()
    if misuse is not None and _before(misuse, failure):
        failure = with_names(source, signed, misuse)
    return Report(
        where,
        signed.origin,
        signed.size,
        signed.root,
        failure,
        run.replay.entries,
        run.signatures + run.replay.signatures,
        run.replay.streams,
        len(run.replay.keys),
        run.replay.members,
        sum(len(each) == sm2.KEY_SIZE for each in run.replay.keys),
        older.size if older is not None else None,
        max(1, workers),
        time.monotonic() - started,
        witnessed,
        run.replay.recoveries,
    )


@contextmanager
def _no_cycles_sought() -> Iterator[None]:
    """Keep the garbage collector out: nothing here makes cycles, and the state only grows."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


@dataclass(slots=True)
class _Run:
    source: Source
    signed: Checkpoint
    older: Checkpoint | None
    replay: Replay
    tree: Tree
    policy: Policy | None
    signatures: int = 0
    claim: Failure | None = None

    def first_failure(self, workers: int, progress: Progress | None) -> Failure | None:
        """Go through the log in order, up to the first fault."""
        failure = self._first_failure(workers, progress)
        claim = self.claim
        # A tile that is wrong is named by an entry before: a witness is not blamed for it.
        return claim if claim is not None and _before(claim, failure) else failure

    def _first_failure(self, workers: int, progress: Progress | None) -> Failure | None:
        size = self.signed.size
        try:
            with ExitStack() as stack:
                for n, chunk in enumerate(self._chunks(workers, stack)):
                    self._check(n, chunk)
                    if progress is not None:
                        progress(self.replay.entries, size)
            self.tree.finish()
            root = self.tree.root()
            if root != self.signed.root:
                raise FaultError(Failure("checkpoint-root", _root_reason(self.signed, root)))
        except FaultError as error:
            return error.failure
        return None

    def _chunks(self, workers: int, stack: ExitStack) -> Iterator[Chunk]:
        if not workers:
            return chunks_here(self.source, self.signed.origin, self.signed.size)
        pool = Pool(self.source, self.signed.origin, self.signed.size, workers, self.replay.keys)
        return stack.enter_context(pool).chunks()

    def _check(self, n: int, chunk: Chunk) -> None:
        self.signatures += chunk.signatures
        self.replay.apply(chunk)
        if chunk.fault is not None:
            raise FaultError(self._failure(n, chunk.fault))
        try:
            self.replay.check_claims(self.source, self.signed, self.policy)
        except FaultError as error:
            # It was judged by tiles that are compared with the entries later only.
            self.claim = self.claim or error.failure
        self._check_older(n, chunk)
        self.tree.add(chunk.leaves)

    def _check_older(self, n: int, chunk: Chunk) -> None:
        older = self.older
        if older is None:
            return
        count = older.size - n * TILE_WIDTH
        if 0 < count <= width_of(n, self.signed.size) and (
            self.tree.root_with(chunk.leaves, count) != older.root
        ):
            reason = (
                f"the older checkpoint signs another tree over the first {older.size} entries: "
                "history was rewritten"
            )
            raise FaultError(Failure("history", reason))

    def _failure(self, n: int, fault: Fault) -> Failure:
        kind, offset, reason, ident, stream = fault
        index = n * TILE_WIDTH + offset
        if kind == LEAF:
            return diagnose.leaf_failure(self.source, self.signed, index)
        return Failure(kind, reason, index, ident, stream)


def _checkpoint(source: Source, vkey: VerifierKey) -> tuple[bytes, Checkpoint]:
    try:
        note = source.checkpoint()
        return note, open_checkpoint(note, vkey)
    except NotFoundError as error:
        raise FaultError(Failure("file-missing", error.message)) from None
    except FormatError as error:
        raise FaultError(Failure("checkpoint-format", f"checkpoint: {error.message}")) from None
    except ProofError as error:
        raise FaultError(Failure("checkpoint-signature", f"checkpoint: {error.message}")) from None


def _witnessed(note: bytes, policy: Policy | None) -> Witnessed | None:
    try:
        return Witnessed.of(note, policy) if policy is not None else None
    except MingzhangError as error:
        raise FaultError(Failure("cosignature", f"checkpoint: {error.message}")) from None


def _older(data: bytes | None, vkey: VerifierKey, signed: Checkpoint) -> Checkpoint | None:
    if data is None:
        return None
    try:
        older = open_checkpoint(data, vkey)
    except MingzhangError as error:
        kind = "checkpoint-format" if isinstance(error, FormatError) else "checkpoint-signature"
        raise FaultError(Failure(kind, f"the older checkpoint: {error.message}")) from None
    if older.size > signed.size:
        reason = f"the log has {signed.size} entries, the older checkpoint {older.size}: it shrank"
        raise FaultError(Failure("history", reason))
    return older


def _unopened(where: str, vkey: VerifierKey, failure: Failure, seconds: float) -> Report:
    return Report(where, vkey.name, 0, b"", failure, 0, 0, 0, 0, 0, 0, None, 1, seconds)


def _root_reason(signed: Checkpoint, root: bytes) -> str:
    return (
        f"the {signed.size} entries have the root {root.hex()}, the checkpoint signs "
        f"{signed.root.hex()}: the log's key signed another history than this one"
    )


def _before(one: Failure, other: Failure | None) -> bool:
    if other is None or other.index is None:
        return True
    return one.index is not None and one.index < other.index


def with_names(source: Source, signed: Checkpoint, failure: Failure) -> Failure:
    """Add the statement id and stream of a fault that is known by its index only."""
    assert failure.index is not None  # noqa: S101 - a misuse has its place
    n, offset = divmod(failure.index, TILE_WIDTH)
    entry = parse_entry(source.entries(n, width_of(n, signed.size))[offset])
    return replace(failure, statement_id=entry.statement.id, stream=entry.stream)
