"""The log's head as one process knows it: the tip, and the note that this process signed for it.

Nothing is signed here but what was read back, lies on every note that is known, and is confirmed
by the database.
"""

from __future__ import annotations

from collections.abc import Sequence

from ledger.errors import ProofError
from ledger.log import checkpoint
from ledger.log.checkpoint import Checkpoint, open_checkpoint
from ledger.log.merkle import Edge, leaf_hash
from ledger.log.note import Signer
from ledger.store.port import Anchor, Clock, Store, Unconfirmed, Witnesses
from ledger.store.start import check_witnesses, start_tip
from ledger.store.tip import PAGE_ENTRIES

PAUSE_SUSPECT_S = 0.25
LOOKS_MAX = 20


class Head:
    """`signed` is (size, note) of the newest checkpoint signed here, `kept_size` of the recorded.

    `witnesses` are asked before the first signature; `given_up` is the size of a history that
    others have seen and that a signed statement, which is about to be recorded, gives up.

    Raises StartRefusedError, ProofError, FormatError or Unconfirmed where it may not be signed.
    """

    def __init__(
        self,
        store: Store,
        signer: Signer,
        anchor: Anchor,
        clock: Clock,
        witnesses: Witnesses | None = None,
        given_up: int = 0,
    ) -> None:
        self._store = store
        self._signer = signer
        self._anchor = anchor
        self._clock = clock
        self._signed_root: bytes | None = None
        self.signed: tuple[int, bytes] | None = None
        anchored = anchor.newest()
        self.tip, self.kept_size = start_tip(store, anchored, signer.vkey)
        if witnesses is not None:
            organisation = self.tip.world.organisation
            acknowledged = max(given_up, organisation.given_up if organisation else 0)
            check_witnesses(store, witnesses, signer, clock, acknowledged)
        self._follow(anchored)

    @property
    def unkept(self) -> bool:
        """Whether the newest signed note is in memory and in the anchor only."""
        return self.signed is not None and self.signed[0] > self.kept_size

    def follow(self) -> None:
        """Move to the committed head and sign it, so that its end has its note.

        Raises ProofError or FormatError if what is there may not be signed.
        """
        self._follow(None)

    def recover(self) -> None:
        """Reconnect and follow; the database may be another one now, so the anchor is compared."""
        self._store.recover()
        self._follow(self._anchor.newest())

    def check_edge(self) -> None:
        """The cached edge must still hash to the root that was signed last."""
        if self._signed_root is not None and self.tip.edge.root() != self._signed_root:
            raise ProofError("the tree's edge in memory no longer has the root signed last")

    def note_of(self, edge: Edge) -> bytes:
        """Return the signed note of a tree; the same tree gives the same bytes."""
        return checkpoint.sign(Checkpoint(self._signer.name, edge.size, edge.root()), self._signer)

    def paused_since(self, moment_s: float) -> bool:
        """Tell whether so long has passed that others may have moved the head meanwhile."""
        return self._clock.monotonic_s() - moment_s > PAUSE_SUSPECT_S

    def advance(self, edge: Edge, leaf: bytes, recorded_at: str, note: bytes) -> None:
        """Move to the end of a batch of this process, which was committed, checked and signed."""
        self.tip.edge, self.tip.leaf, self.tip.recorded_at = edge, leaf, recorded_at
        self._signed_root = edge.root()
        self.signed = (edge.size, note)

    def _follow(self, anchored: tuple[int, bytes] | None) -> None:
        for _ in range(LOOKS_MAX):
            looked_s = self._clock.monotonic_s()
            # Notes are read before the head: what they cover was committed before them.
            newest = self._store.newest_note()
            size, leaf = self._store.head()
            notes = [each for each in (newest, anchored) if each is not None]
            furthest = max([self.tip.size, *(noted for noted, _ in notes)])
            if size < furthest:
                raise ProofError(
                    f"the database has {size} entries, {furthest} were seen: it was put back"
                )
            self.check_edge()
            self._walk(size, notes, newest[0] if newest else 0)
            if leaf != self.tip.leaf:
                raise ProofError("the head's leaf hash is not the last entry's: it was changed")
            if size == 0 or (self.signed is not None and self.signed[0] == size):
                return
            # What was seen may be waiting for its standby still; a signature cannot be undone.
            self._store.confirm()
            if not self.paused_since(looked_s):
                break
        else:
            raise Unconfirmed("the database is too slow for a fresh look at its head")
        note = self.note_of(self.tip.edge)
        self._anchor.advance(size, note)
        self.kept_size = newest[0] if newest else 0
        self._signed_root = self.tip.edge.root()
        self.signed = (size, note)

    def _walk(self, size: int, notes: Sequence[tuple[int, bytes]], noted_size: int) -> None:
        """Follow the entries up to `size`; those from `noted_size` on are judged, too.

        Below it another process has signed already, and its note is compared.
        """
        tip = self.tip
        while tip.size < size:
            stop = min(size, tip.size + PAGE_ENTRIES)
            stop = min([stop, *(noted for noted, _ in notes if noted > tip.size)])
            # The last entry that is known comes along, to be the same one still.
            known = min(tip.size, 1)
            page = self._store.read(tip.size - known, stop)
            if len(page) != stop - tip.size + known:
                raise ProofError(f"entries are missing from {tip.size - known} on")
            if known and leaf_hash(page[0].state) != tip.leaf:
                raise ProofError(f"entry {tip.size - 1} is another one than was followed before")
            tip.follow(
                self._store, page[known:], self._signer.name if tip.size >= noted_size else None
            )
            self._signed_root = None
            self._check_notes(notes)
        self._check_notes(notes)

    def _check_notes(self, notes: Sequence[tuple[int, bytes]]) -> None:
        size = self.tip.size
        for noted, note in notes:
            if noted != size:
                continue
            if open_checkpoint(note, self._signer.vkey).root != self.tip.edge.root():
                raise ProofError(f"another history of size {size} is signed than the database has")
