"""What a whole-log verification found: the first fault, or figures of what holds."""

from __future__ import annotations

from dataclasses import dataclass

from ledger.domain.organisation import Recovery
from ledger.sm2 import NOT_CERTIFIED
from ledger.verify.witnessed import Witnessed


@dataclass(frozen=True, slots=True)
class Failure:
    """One fault. `kind` is its stable name: one of those below, or the broken rule's own name.

        checkpoint-format, checkpoint-signature   the checkpoint itself
        checkpoint-root     entries and tiles agree, the signed root is another one
        cosignature         a witness's line on the checkpoint, or in an entry, is not of this tree
        history             an older checkpoint is no prefix of this log, or the log shrank
        file-missing        a tile or bundle is not there
        tile                a hash tile is not what its entries or the tiles below give
        bundle              an entry bundle is cut short or too long
        entry-changed, entry-missing, entry-moved, entries-swapped
                            an entry is not the one whose hash stands in the tree
        entry-format        not exactly an entry, or a body outside its type's schema
        draw                people were drawn by a root that is not the tree's
        this-log            a statement meant for another log
        given-up            a monitor's finding: the log says that another history was given up
        signature, signed-ahead, recorded-at, chain, after, id-once

    `index` (from 0) is the first entry concerned, None where the fault is in the checkpoint.
    """

    kind: str
    reason: str
    index: int | None = None
    statement_id: str | None = None
    stream: str | None = None

    def __str__(self) -> str:
        if self.index is None:
            return f"{self.reason} [{self.kind}]"
        known = [
            f"{name} {value}"
            for name, value in (("statement", self.statement_id), ("stream", self.stream))
            if value is not None
        ]
        place = f" ({', '.join(known)})" if known else ""
        return f"entry {self.index}{place}: {self.reason} [{self.kind}]"


class FaultError(Exception):
    """Carries a failure up to where the report is made."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(str(failure))
        self.failure = failure


@dataclass(frozen=True, slots=True)
class Report:
    """The outcome: `failure` is None if everything holds; counts are of what was checked.

    `recoveries` are no fault of this log: whoever holds a receipt of what was given up is told.
    """

    where: str
    origin: str
    size: int
    root: bytes
    failure: Failure | None
    entries: int
    signatures: int
    streams: int
    keys: int
    members: int
    sm2_keys: int
    from_size: int | None
    workers: int
    seconds: float
    witnessed: Witnessed | None = None
    recoveries: tuple[Recovery, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether the whole log holds, and its checkpoint has a fresh quorum, if asked for."""
        return self.failure is None and (self.witnessed is None or self.witnessed.fresh)

    @property
    def entries_per_s(self) -> float:
        """Entries checked in a second."""
        return self.entries / self.seconds if self.seconds else 0.0

    @property
    def signatures_per_s(self) -> float:
        """Signatures verified in a second."""
        return self.signatures / self.seconds if self.seconds else 0.0

    def lines(self) -> list[str]:
        """Return the report for a reader, the verdict last."""
        lines = [
            f"log         {self.origin}",
            f"checkpoint  size {self.size:,}, root {self.root.hex()}",
            (
                f"checked     {self.entries:,} entries, {self.signatures:,} signatures, "
                f"{self.streams:,} streams, {self.keys:,} keys, {self.members:,} members"
            ),
            (
                f"time        {self.seconds:.1f} s, {self.entries_per_s:,.0f} entries/s, "
                f"{self.signatures_per_s:,.0f} signatures/s, {_processes(self.workers)}"
            ),
        ]
        if self.sm2_keys:
            lines.append(f"suites      {self.sm2_keys:,} of the keys are SM2, {NOT_CERTIFIED}")
        if self.from_size is not None and self.failure is None:
            lines.append(f"history     the checkpoint of size {self.from_size:,} is a prefix of it")
        lines += [f"given up    entry {each.index}: {each}" for each in self.recoveries]
        if self.witnessed is not None:
            lines += self.witnessed.lines()
        waiting = self.witnessed.waiting if self.witnessed is not None else None
        if self.failure is None and waiting is not None:
            return [*lines, f"WAITING     entries and tree hold, but {waiting}"]
        if self.failure is None:
            return [*lines, "OK          every entry, signature, right, chain, hash and tile holds"]
        return [*lines, f"FAILED      {self.failure}"]


def _processes(workers: int) -> str:
    return f"{workers} worker processes" if workers > 1 else "one process"
