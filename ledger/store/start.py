"""What a sequencer checks before it signs anything, and the tip that it starts from.

A start is a recovery: the newest recorded note is verified, the tree must have its root, the
anchor must lie on the same history and not ahead of the database, and the entries that decisions
rest on must be leaves of the signed tree. A machine can be rolled back with its anchor: where
witnesses are configured, one must answer, and none may know more or something else. Whatever does
not fit stops the start with what was found; nothing is mended by guessing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ledger.errors import MingzhangError, StartRefusedError
from ledger.log import checkpoint
from ledger.log.checkpoint import Checkpoint, open_checkpoint
from ledger.log.merkle import (
    EMPTY_ROOT,
    Edge,
    consistency_nodes,
    consistency_proof,
    leaf_hash,
    peak_nodes,
    root_of,
)
from ledger.log.note import Signer, VerifierKey
from ledger.log.submission import Answer
from ledger.log.tiles import LEVEL_MAX, TILE_HEIGHT, TILE_WIDTH
from ledger.store.port import Clock, Store, Witnesses
from ledger.store.tip import PAGE_ENTRIES, Tip

WITNESS_LOOKS_MAX = 5
CLOCK_OFFSET_MAX_S = 600.0


def start_tip(
    store: Store, anchored: tuple[int, bytes] | None, vkey: VerifierKey
) -> tuple[Tip, int]:
    """Return the tip at the newest recorded note, and that note's size.

    `anchored` is the anchor's note, read before anything else: a head that is read after a note
    covers it, whatever other processes append meanwhile.

    Raises StartRefusedError if the database is behind its anchor or its own notes, if its tree
    has another root than was signed, or if an entry that decisions rest on is not in that tree.
    """
    newest = store.newest_note()
    size, _ = store.head()
    for source, note in (("database's newest note", newest), ("anchor", anchored)):
        if note is None:
            continue
        signed = _opened(note[1], vkey, source)
        if signed.size > size:
            raise StartRefusedError(
                f"the {source} was signed at size {signed.size}, the database has {size} entries: "
                "it was put back to an older state. Restore a newer backup; signing here would "
                "fork the history that others have seen. Run `mingzhang doctor`"
            )
        if edge_at(store, signed.size).root() != signed.root:
            _explain(store, signed, source)
    edge = edge_at(store, newest[0]) if newest else Edge.empty()
    tip, leaves = Tip.load(store, edge)
    _check_leaves(store, edge.size, leaves)
    return tip, edge.size


def edge_at(store: Store, size: int) -> Edge:
    """Return the tree's edge at `size` from stored tiles and leaf hashes."""
    peaks = peak_nodes(size)
    found = store.nodes(peaks)
    return Edge(size, tuple(found[node] for node in peaks))


def ask_witnesses(
    store: Store, witnesses: Witnesses, signer: Signer | VerifierKey
) -> tuple[int, Sequence[Answer]]:
    """Bring the newest recorded note to the witnesses; return its size and their answers.

    Only recorded notes are ever brought to them, so none can rightly know a larger one. An empty
    log needs a signer: it brings a note of size 0, which promises nothing, for the empty tree is a
    prefix of every tree. With a key alone nobody is asked then.
    """

    def prove(old: int, new: int) -> tuple[bytes, ...]:
        found = store.nodes(consistency_nodes(old, new))
        return tuple(consistency_proof(old, new, found.__getitem__))

    size, answers = 0, list[Answer]()
    for _ in range(WITNESS_LOOKS_MAX):
        newest = store.newest_note()
        if newest is None:
            if isinstance(signer, VerifierKey):
                break
            empty = Checkpoint(signer.name, 0, EMPTY_ROOT)
            newest = (0, checkpoint.sign(empty, signer))
        size, note = newest
        answers = list(witnesses.ask(note, prove))
        known = max((each.known or 0 for each in answers), default=0)
        later = store.newest_note()
        if known <= size or later is None or later[0] < known:
            break
        # Another process went on meanwhile, and its note was witnessed already.
    return size, answers


def check_witnesses(
    store: Store, witnesses: Witnesses, signer: Signer, clock: Clock, acknowledged: int
) -> None:
    """One witness must answer before the first signature, and none may contradict this ledger.

    What lies within the first `acknowledged` entries of an earlier history was given up by a
    signed entry. Raises StartRefusedError.
    """
    _, answers = ask_witnesses(store, witnesses, signer)
    for each in answers:
        if each.contradicts and (each.known or 0) > acknowledged:
            raise StartRefusedError(
                f"witness {each.witness} contradicts this ledger: {each.reason}. The database was "
                "put back, or this is a copy of a ledger that went on elsewhere; signing here "
                "would fork the history that others have seen. Run `mingzhang doctor`"
            )
    if not any(each.contradicts or each.cosignature is not None for each in answers):
        said = "; ".join(f"{each.witness}: {each.reason}" for each in answers)
        raise StartRefusedError(
            f"no witness answered, so nobody can tell whether this machine was rolled back: {said}."
            " Start again when one of them does, or run `mingzhang doctor`"
        )
    offsets = clock_offsets(answers, clock)
    if offsets and min(abs(each) for each in offsets) > CLOCK_OFFSET_MAX_S:
        raise StartRefusedError(
            f"this machine's clock is {-offsets[0]:.0f} s ahead of the witnesses' (behind, where "
            "that is negative), and recorded_at can never fall: set it right and start again"
        )


def clock_offsets(answers: Sequence[Answer], clock: Clock) -> list[float]:
    """Return by how many seconds each fresh cosignature's time is after this machine's clock."""
    now_s = clock.now().timestamp()
    return [each.cosignature.time - now_s for each in answers if each.cosignature is not None]


def _check_leaves(store: Store, size: int, leaves: Mapping[int, bytes]) -> None:
    """Check that `leaves` (hashes by index) lie under the peaks of the tree of `size`.

    The peaks were compared with what was signed. Below them stored subtree roots are taken for
    granted, so each full tile on the way from a leaf to its peak is folded again here: work for
    the tiles that hold such entries, not for the whole log.
    """
    touched = sorted({index // TILE_WIDTH for index in leaves})
    for level in range(LEVEL_MAX + 1):
        above = []
        for n in touched:
            first = n * TILE_WIDTH
            width = min(TILE_WIDTH, (size >> (TILE_HEIGHT * level)) - first)
            nodes = [(TILE_HEIGHT * level, first + offset) for offset in range(width)]
            found = store.nodes(nodes)
            hashes = [found[node] for node in nodes]
            if level == 0:
                _compare(first, hashes, leaves)
            if width < TILE_WIDTH:
                continue
            parent = (TILE_HEIGHT * (level + 1), n)
            if root_of(hashes) != store.nodes([parent])[parent]:
                raise StartRefusedError(
                    f"the stored root of tile {level}/{n} is not that of what lies under it: an "
                    "entry or a tile was changed. Compare with an export or a witness; "
                    "`mingzhang repair tiles` derives the tiles again if the entries are right"
                )
            above.append(n)
        touched = sorted({n // TILE_WIDTH for n in above})


def _compare(first: int, hashes: Sequence[bytes], leaves: Mapping[int, bytes]) -> None:
    for index, kept in enumerate(hashes, first):
        if leaves.get(index, kept) != kept:
            raise StartRefusedError(
                f"entry {index} is not what its leaf hash says: the bytes or the hash were "
                "changed, and decisions rest on it. `mingzhang verify log` on an earlier export "
                "shows the original"
            )


def _opened(note: bytes, vkey: VerifierKey, source: str) -> Checkpoint:
    try:
        return open_checkpoint(note, vkey)
    except MingzhangError as error:
        raise StartRefusedError(
            f"the {source} is not signed by this log's key: {error.message}. Start with the key "
            "that the log was made with"
        ) from None


def _explain(store: Store, signed: Checkpoint, source: str) -> None:
    """Find out whether the entries or only the stored tiles differ from what was signed."""
    edge = Edge.empty()
    for start in range(0, signed.size, PAGE_ENTRIES):
        page = store.read(start, min(signed.size, start + PAGE_ENTRIES))
        for offset, each in enumerate(page):
            if leaf_hash(each.state) != each.leaf:
                raise StartRefusedError(
                    f"entry {start + offset} is not what its leaf hash says: the bytes or the hash "
                    "were changed. `mingzhang verify log` on an earlier export shows the original"
                )
        edge = edge.extend([each.leaf for each in page])
    if edge.root() != signed.root:
        raise StartRefusedError(
            f"the entries no longer have the root that the {source} signed at size {signed.size}: "
            "history was changed. Compare with an export or a witness; do not sign on it"
        )
    raise StartRefusedError(
        f"the stored tiles do not give the root signed at size {signed.size}, the entries do: run "
        "`mingzhang repair tiles` to derive them again"
    )
