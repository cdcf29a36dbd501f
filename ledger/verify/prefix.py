"""Reads a published log in order, up to a size, and proves that what was read is what is signed.

Statements' signatures and rights are not checked here: that is `mingzhang verify log`.
"""

from __future__ import annotations

from collections.abc import Callable

from ledger.domain.event import Event
from ledger.entry import parse_entry
from ledger.errors import FormatError, NotFoundError, ProofError
from ledger.log import note
from ledger.log.checkpoint import Checkpoint, open_checkpoint, parse_body
from ledger.log.merkle import Edge, leaf_hash
from ledger.log.note import VerifierKey
from ledger.log.tiles import TILE_WIDTH
from ledger.verify.pool import bundles, width_of
from ledger.verify.source import open_source

Progress = Callable[[int, int], None]
"""Told how many entries are read, and of how many."""


def _untold(done: int, total: int) -> None:
    del done, total


class Prefix:
    """The log at `where`, a folder or an http(s) URL, with its newest checkpoint.

    Without `vkey` the checkpoint's signature is not verified, and `signed` says so. Raises
    SourceError, NotFoundError, FormatError or ProofError.
    """

    def __init__(self, where: str, vkey: VerifierKey | None) -> None:
        self.where = where
        self._source = open_source(where)
        data = self._source.checkpoint()
        self.signed = vkey is not None
        self.newest = (
            parse_body(note.parse(data).text) if vkey is None else open_checkpoint(data, vkey)
        )

    def entry(self, index: int) -> bytes:
        """Return the bytes of an entry, which nothing here has proved yet."""
        n, offset = divmod(index, TILE_WIDTH)
        return self._source.entries(n, width_of(n, self.newest.size))[offset]

    def fold(
        self,
        each: Callable[[Event], None],
        *,
        size: int | None = None,
        proving: Checkpoint | None = None,
        progress: Progress = _untold,
    ) -> Checkpoint:
        """Give the events of the first `size` entries to `each`; return that prefix's checkpoint.

        `proving` is an older checkpoint, whose size is then the prefix's; without one everything is
        hashed up to the newest. Raises ProofError, after the events, if the root is another one.
        """
        proved = proving or self.newest
        wanted = proved.size if size is None else size
        if max(wanted, proved.size) > self.newest.size:
            raise NotFoundError(
                f"{self.where} has no size {max(wanted, proved.size)}: its checkpoint is of "
                f"{self.newest.size}"
            )
        edge = cut = Edge.empty()
        for n in range(bundles(proved.size)):
            width = width_of(n, proved.size)
            # A published log has the partial bundle of its newest checkpoint alone.
            entries = self._source.entries(n, width_of(n, self.newest.size))[:width]
            if len(entries) != width:
                raise FormatError(f"bundle {n} has {len(entries)} entries where {width} belong")
            leaves = [leaf_hash(data) for data in entries]
            for offset, data in enumerate(entries[: max(0, wanted - edge.size)]):
                each(Event.of(parse_entry(data), edge.size + offset))
            if edge.size < wanted <= edge.size + width:
                cut = edge.extend(leaves[: wanted - edge.size])
            edge = edge.extend(leaves)
            progress(min(edge.size, wanted), wanted)
        if edge.root() != proved.root:
            raise ProofError(
                f"the entries of {self.where} do not have the root that the checkpoint of size "
                f"{proved.size} says. `mingzhang verify log` names the first one that differs"
            )
        return Checkpoint(self.newest.origin, wanted, cut.root())
