"""Reads a published log in order, up to a size, and proves that what was read is what is signed.

Statements' signatures and rights are not checked here: that is `mingzhang verify log`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ledger.domain.event import Event
from ledger.entry import parse_entry
from ledger.errors import FormatError, NotFoundError, ProofError
from ledger.log import note
from ledger.log.checkpoint import Checkpoint, open_checkpoint, parse_body
from ledger.log.merkle import Edge, Node, consistency_proof, leaf_hash, verify_consistency
from ledger.log.note import VerifierKey
from ledger.log.tiles import TILE_WIDTH, node_from_tiles
from ledger.verify.pool import bundles, width_of
from ledger.verify.source import open_source, root_at

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
        self.source = open_source(where)
        self.note = self.source.checkpoint()
        self.vkey = vkey
        self.newest = (
            parse_body(note.parse(self.note).text)
            if vkey is None
            else open_checkpoint(self.note, vkey)
        )

    @property
    def signed(self) -> bool:
        """Whether the checkpoint's signature was verified."""
        return self.vkey is not None

    def entries(self) -> Iterator[bytes]:
        """Yield the bytes of all entries in order, which nothing here has proved yet."""
        for n in range(bundles(self.newest.size)):
            yield from self.source.entries(n, width_of(n, self.newest.size))

    def root(self, size: int) -> bytes:
        """Return the root over the first `size` entries.

        Raises ProofError where the tiles do not lead from it to the newest checkpoint's root.
        """
        newest = self.newest

        def get(node: Node) -> bytes:
            return node_from_tiles(node, newest.size, self.source.tile)

        root = root_at(self.source.tile, size, newest.size)
        path = consistency_proof(size, newest.size, get)
        verify_consistency(size, newest.size, path, root, newest.root)
        return root

    def entry(self, index: int) -> bytes:
        """Return the bytes of an entry, which nothing here has proved yet."""
        n, offset = divmod(index, TILE_WIDTH)
        return self.source.entries(n, width_of(n, self.newest.size))[offset]

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
            entries = self.source.entries(n, width_of(n, self.newest.size))[:width]
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
