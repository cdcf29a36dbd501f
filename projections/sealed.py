"""The states that a log's `state.sealed` entries commit to, computed again from its tiles alone.

The log is read twice: once for the sizes that its seals are of, then it is folded, and stops there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, NamedTuple

from ledger.domain.decide import FOUNDED
from ledger.domain.event import Event
from ledger.errors import FormatError, NotFoundError, ProofError
from ledger.log import note
from ledger.log.checkpoint import open_checkpoint, parse_body
from ledger.log.merkle import leaf_hash
from ledger.log.note import VerifierKey
from ledger.signing import decode_base64, keyid
from ledger.state import SEALED
from ledger.verify.source import open_source
from projections import commitments
from projections.asof import Entry
from projections.bundles import span_of
from projections.commitments import Head, Heads, State
from projections.fold import AsOf, Rows, recorded_at
from projections.replay import Progress, Replayed, entries_of, read_bundles, replay
from projections.scores import RANKINGS

_MEMBER = "member/"
Look = Callable[[AsOf, Rows, Heads], None]
"""Told of the rows at a size, while they stand there."""


class Wish(NamedTuple):
    """A period's state as of a log size, to be computed."""

    period: str
    size: int


@dataclass(frozen=True, slots=True)
class Seal:
    """A `state.sealed`: its log index, its body, and who signed it, by actor id."""

    index: int
    body: dict[str, Any]
    signers: tuple[str, ...]

    @property
    def wish(self) -> Wish:
        """The state that it commits to."""
        return Wish(self.body["period"], self.body["as_of"])


@dataclass(frozen=True, slots=True)
class States:
    """A log's seals and the states that they should be of; for some there is only a reason."""

    log: Replayed
    seals: tuple[Seal, ...]
    found: dict[Wish, State]
    missing: dict[Wish, str]


def states(
    where: str,
    vkey: VerifierKey | None = None,
    progress: Progress = lambda done, total: None,
    *,
    wishes: Iterable[Wish] = (),
    looks: Iterable[tuple[int, Look]] = (),
    workers: int | None = None,
) -> States:
    """Fold the log at `where`, and compute what its seals are of, and `wishes` beside.

    Each of `looks` is called with the rows of its size. Raises what `replay` raises, and
    NotFoundError for a size that the log has not reached.
    """
    source = open_source(where)
    data = source.checkpoint()
    newest = parse_body(note.parse(data).text) if vkey is None else open_checkpoint(data, vkey)
    wanted = {*wishes, *_sealed(where, newest.size, workers)}
    asked = list(looks)
    beyond = [each.size for each in wanted] + [size for size, _ in asked]
    for size in beyond:
        if not 0 < size <= newest.size:
            raise NotFoundError(f"{where} has no size {size}: its checkpoint is of {newest.size}")
    watch = _Watch(wanted, asked, entries_of(source, newest.size))
    log = replay(where, RANKINGS, vkey, progress, workers=workers, watch=watch)
    unseen = {each.wish for each in watch.seals} - watch.found.keys() - watch.missing.keys()
    if unseen:
        raise ProofError(f"{where} gave other entries when it was read again: {sorted(unseen)}")
    return States(log, tuple(watch.seals), watch.found, watch.missing)


def _sealed(where: str, size: int, workers: int | None) -> set[Wish]:
    """Return what a log's seals are of, as it is read now."""
    span = span_of(where, size, size, {"period"})
    with ExitStack() as stack:
        return {
            Wish(body["period"], body["as_of"])
            for bundle in read_bundles(span, workers, stack)
            for event in bundle.events
            if event.proposal.type == SEALED
            for body in (event.proposal.body,)
        }


class _Watch:
    kinds = frozenset({"actor"})

    def __init__(
        self, wanted: Iterable[Wish], looks: Sequence[tuple[int, Look]], entry: Entry
    ) -> None:
        self._wanted: dict[int, list[str]] = {}
        for wish in sorted(wanted):
            self._wanted.setdefault(wish.size, []).append(wish.period)
        self._looks = looks
        self._entry = entry
        self._owners: dict[str, str] = {}
        self.stops = sorted({*self._wanted, *(size for size, _ in looks)})
        self.heads: dict[str, Head] = {}
        self.seals: list[Seal] = []
        self.found: dict[Wish, State] = {}
        self.missing: dict[Wish, str] = {}

    def see(self, event: Event, leaf: bytes) -> None:
        proposal = event.proposal
        if proposal.stream.startswith(_MEMBER):
            self.heads[proposal.stream[len(_MEMBER) :]] = Head(event.seq, leaf.hex())
        elif proposal.type == SEALED:
            signers = {self._owners.get(each, each) for each in proposal.keyids}
            self.seals.append(Seal(event.index, proposal.body, tuple(sorted(signers))))
        elif proposal.type == FOUNDED:
            for each in proposal.body["keys"]:
                self._own(each["actor"], each["public_key"])
        elif proposal.type == "key.registered":
            self._own(proposal.stream.partition("/")[2], proposal.body["public_key"])

    def _own(self, actor: str, public_key: str) -> None:
        self._owners[keyid(decode_base64(public_key))] = actor

    def stop(self, size: int, leaf: bytes, rows: Rows) -> None:
        last = self._entry(size - 1)
        if leaf_hash(last) != leaf:
            raise FormatError(f"entry {size - 1} was read twice, and was not the same")
        as_of = rows.as_of(size, recorded_at(size - 1, last))
        for period in self._wanted.get(size, ()):
            wish = Wish(period, size)
            try:
                self.found[wish] = commitments.from_rows(rows, as_of, period, self.heads)
            except NotFoundError as error:
                self.missing[wish] = error.message
        for at, look in self._looks:
            if at == size:
                look(as_of, rows, self.heads)
