"""The checks of one entry bundle that need nothing but the bundle and public keys.

Each entry is hashed and compared with its hash tile, parsed strictly, held against its schema,
and its signatures are verified. Which key may sign is decided later, in order (`semantics`): a
key id is the hash of its key, so a signature can be verified with a key from anywhere. A key that
is not known here yet (registered in a bundle that another process reads) leaves its signatures
open, for whoever goes through the entries in order.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any, NamedTuple

from ledger import schema
from ledger.domain.decide import FOUNDED, founding_keys, proving_key
from ledger.domain.event import Proposal
from ledger.entry import Entry, Statement, parse_entry, parse_instant
from ledger.errors import FormatError, MingzhangError, NotFoundError
from ledger.log.merkle import leaf_hash
from ledger.log.tiles import HASH_SIZE, TILE_WIDTH, tile_path
from ledger.signing import keyid, pae, verify
from ledger.verify.source import Source

SIGNED_AHEAD_MAX = timedelta(minutes=10)
LEAF = "leaf"
"""Fault of an entry that does not hash to its tile's leaf; `diagnose` finds out what happened."""

Record = tuple[str, int, str, str, str, str, tuple[str, ...], dict[str, Any]]
"""Stream, seq, recorded_at, type, id, actor, key ids and body of an entry."""

OpenSignature = tuple[int, bytes, list[tuple[str, bytes]]]
"""Offset in the bundle, the signed payload, and (key id, signature) of those not verified yet."""

Fault = tuple[str, int, str, str | None, str | None]
"""Kind, offset in the bundle, reason, and statement id and stream where they are known."""


class Chunk(NamedTuple):
    """What the next stage needs of a bundle, in types that `marshal` carries.

    `records` are the entries before the first fault; `leaves` are their hashes and `prevs` the
    hashes that they say stood before them in their streams, 32 bytes each.
    """

    records: list[Record]
    leaves: bytes
    prevs: bytes
    signatures: int
    open: list[OpenSignature]
    fault: Fault | None


class Raw(NamedTuple):
    """A bundle and its hash tile as they were read; either may be missing, with a fault."""

    bundle: bytes
    bundle_width: int
    hashes: bytes
    fault: Fault | None


def read(source: Source, n: int, width: int) -> Raw:
    """Read bundle `n` and its hash tile. Raises SourceError where the source does not answer."""
    bundle, bundle_width, hashes = b"", width, b""
    try:
        bundle, bundle_width = source.bundle(n, width)
        hashes = source.tile(0, n, width)
    except NotFoundError as error:
        return Raw(bundle, bundle_width, hashes, ("file-missing", 0, error.message, None, None))
    except FormatError as error:
        kind = "tile" if bundle else "bundle"
        return Raw(bundle, bundle_width, hashes, (kind, 0, error.message, None, None))
    return Raw(bundle, bundle_width, hashes, None)


def split(bundle: bytes, width: int) -> tuple[list[bytes], bool]:
    """Return up to `width` whole entries of a bundle, and whether something is left over."""
    entries: list[bytes] = []
    at = 0
    while at + 2 <= len(bundle) and len(entries) < width:
        end = at + 2 + int.from_bytes(bundle[at : at + 2])
        if end > len(bundle):
            break
        entries.append(bundle[at + 2 : end])
        at = end
    return entries, at < len(bundle)


def check(raw: Raw, n: int, width: int, origin: str, keys: dict[str, bytes]) -> Chunk:
    """Check bundle `n` of `width` entries; keys that it registers are added to `keys`."""
    if raw.fault is not None:
        return Chunk([], b"", b"", 0, [], raw.fault)
    entries, rest = split(raw.bundle, raw.bundle_width)
    leaves: list[bytes] = []
    parsed: list[Entry] = []
    fault: Fault | None = None
    for offset, data in enumerate(entries[:width]):
        leaf = leaf_hash(data)
        if leaf != raw.hashes[offset * HASH_SIZE : (offset + 1) * HASH_SIZE]:
            fault = (LEAF, offset, "", None, None)
            break
        try:
            entry = parse_entry(data)
        except MingzhangError as error:
            fault = ("entry-format", offset, error.message, None, None)
            break
        found = _statement_fault(entry, origin, keys)
        if found is not None:
            fault = (found[0], offset, found[1], entry.statement.id, entry.stream)
            break
        leaves.append(leaf)
        parsed.append(entry)
    if fault is None and (len(entries) != raw.bundle_width or rest):
        fault = _width_fault(len(entries), rest, n, raw.bundle_width, width)
    # All in one go: code and tables of the one work stay in the processor's caches.
    signatures, still_open, bad = _verify(parsed, keys)
    if bad is not None:
        fault = bad
        del parsed[bad[1] :], leaves[bad[1] :]
    prevs = bytes.fromhex("".join([each.prev for each in parsed]))
    return Chunk(_records(parsed), b"".join(leaves), prevs, signatures, still_open, fault)


def after(chunk: Chunk, count: int) -> Chunk:
    """Return a checked bundle without its first `count` entries, which were folded before."""
    return chunk._replace(
        records=chunk.records[count:],
        leaves=chunk.leaves[count * HASH_SIZE :],
        prevs=chunk.prevs[count * HASH_SIZE :],
        open=[(offset - count, data, sigs) for offset, data, sigs in chunk.open if offset >= count],
    )


def _verify(
    entries: list[Entry], keys: dict[str, bytes]
) -> tuple[int, list[OpenSignature], Fault | None]:
    """Verify the signatures up to the first bad one; return how many, and those left open."""
    signatures = 0
    still_open: list[OpenSignature] = []
    for offset, entry in enumerate(entries):
        statement = entry.statement
        message = pae(statement.payload)
        unknown: list[tuple[str, bytes]] = []
        for ident, sig in statement.signatures:
            public_key = keys.get(ident)
            if public_key is None:
                unknown.append((ident, sig))
            elif verify(public_key, message, sig):
                signatures += 1
            else:
                reason = bad_signature(ident)
                fault = ("signature", offset, reason, statement.id, entry.stream)
                return signatures, still_open, fault
        if unknown:
            still_open.append((offset, statement.payload, unknown))
    return signatures, still_open, None


def _records(entries: list[Entry]) -> list[Record]:
    # The same few people sign: an equal tuple is sent, and kept by the reader, only once.
    signers: dict[tuple[str, ...], tuple[str, ...]] = {}
    records: list[Record] = []
    for entry in entries:
        statement = entry.statement
        keyids = tuple([each[0] for each in statement.signatures])
        records.append(
            (
                entry.stream,
                entry.seq,
                entry.recorded_at,
                statement.type,
                statement.id,
                statement.actor,
                signers.setdefault(keyids, keyids),
                statement.body,
            )
        )
    return records


def bad_signature(ident: str) -> str:
    """Return the reason given for a signature that does not verify."""
    return f"the signature by key {ident[:16]}… does not verify over this statement"


def _width_fault(count: int, rest: bool, n: int, bundle_width: int, width: int) -> Fault | None:
    path = tile_path("entries", n, bundle_width)
    if count < width:
        # An entry that is not there differs from its leaf, unless only a stump of it is left.
        reason = f"{path} ends within this entry" if rest else ""
        return ("bundle" if rest else LEAF, count, reason, None, None)
    if bundle_width == TILE_WIDTH and width < TILE_WIDTH:
        return None  # what stands beyond this checkpoint's size is not its matter
    return ("bundle", width - 1, f"{path} goes on after its {bundle_width} entries", None, None)


def _statement_fault(entry: Entry, origin: str, keys: dict[str, bytes]) -> tuple[str, str] | None:
    """Return what is wrong with a statement by itself, and learn the keys that it registers."""
    statement = entry.statement
    if statement.log != origin:
        return "this-log", f"the statement is meant for the log {statement.log}, not {origin}"
    try:
        schema.validate(statement.type, statement.body)
        if statement.type in (FOUNDED, "key.registered"):
            keys.update(_registered(statement))
    except FormatError as error:
        return "entry-format", error.message
    if statement.after is not None and statement.after != entry.prev:
        return "after", f"the signer saw the stream's head {statement.after}, it was {entry.prev}"
    # Texts of the same form compare as the instants do; only an odd case is worked out.
    if statement.signed_at[:19] > entry.recorded_at[:19]:
        ahead = parse_instant(statement.signed_at) - parse_instant(entry.recorded_at, micros=True)
        if ahead > SIGNED_AHEAD_MAX:
            return (
                "signed-ahead",
                f"signed at {statement.signed_at}, over 10 minutes after {entry.recorded_at}",
            )
    return None


def _registered(statement: Statement) -> dict[str, bytes]:
    proposal = Proposal.of(statement)
    new = proving_key(proposal)
    return founding_keys(proposal) if new is None else {keyid(new): new}
