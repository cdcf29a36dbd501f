"""The entries of a bundle together: who signed them with which keys, and whether any is left out.

    receipts ──▶ entries under one checkpoint ──▶ keys registered and revoked among them
                                              └─▶ streams, each from its first entry on

Every fault is named by its file, and one bad entry never hides the others.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from ledger import schema
from ledger.domain.decide import FOUNDED
from ledger.entry import NO_HASH, Entry, parse_entry
from ledger.errors import FormatError, MingzhangError, ProofError
from ledger.log import receipt
from ledger.log.checkpoint import Checkpoint
from ledger.log.merkle import leaf_hash, verify_inclusion
from ledger.signing import keyid, pae, read_public_key, verify
from ledger.verify.manifest import HEARING, MEMBER, RECEIPTS, Fault, Manifest

ENDING = ".tlog-proof"
_REGISTERED, _REVOKED = "key.registered", "key.revoked"
_ALWAYS_WHOLE = frozenset({"actor", "rulebook", "dispute"})
"""Kinds of streams whose entries all matter for the others: keys and roles, rules, a case."""


def receipt_name(index: int) -> str:
    """Return the name of the file with the receipt of entry `index`."""
    return f"{RECEIPTS}{index:012d}{ENDING}"


class Key(NamedTuple):
    """A registered key: whose it is, and the index of the entry that registers it."""

    actor: str
    index: int  # type: ignore[assignment]  # hides tuple.index
    public_key: bytes


class Found(NamedTuple):
    """An entry of a bundle that is proven to be number `index` of the log."""

    name: str
    index: int  # type: ignore[assignment]  # hides tuple.index
    entry: Entry
    data: bytes


@dataclass(slots=True)
class Entries:
    """What was read of a bundle's receipts: by index, and by stream in order of `seq`."""

    by_index: dict[int, Found] = field(default_factory=dict)
    streams: dict[str, list[Found]] = field(default_factory=lambda: defaultdict(list))
    faults: list[Fault] = field(default_factory=list)
    signatures: int = 0

    def stream(self, name: str) -> list[Found]:
        """Return the entries of a stream that are there, in order."""
        return self.streams.get(name, [])


def read_entries(
    files: Mapping[str, bytes],
    signed: Checkpoint | None,
    note: bytes,
    manifest: Manifest | None,
) -> Entries:
    """Check every receipt among `files`, then what only several of them show.

    `signed` is the bundle's verified checkpoint, whose bytes are `note`: every receipt carries it.
    """
    found = Entries()
    for name in sorted(each for each in files if each.startswith(RECEIPTS)):
        try:
            one = _read(name, files[name], signed, note)
        except MingzhangError as error:
            found.faults.append(Fault(name, error.message))
            continue
        found.by_index[one.index] = one
        found.streams[one.entry.stream].append(one)
    for each in found.streams.values():
        each.sort(key=lambda one: one.entry.seq)
    if signed is not None:
        found.faults += _bad_chains(found, _whole(found, manifest))
    _check_signatures(found)
    return found


def _whole(found: Entries, manifest: Manifest | None) -> set[str]:
    """Return the streams that must be there from their first entry, with none left out between.

    Beside those that the manifest names are those that a bundle of its kind is about: a manifest
    written again could leave them out.
    """
    whole = {each for each in found.streams if each.partition("/")[0] in _ALWAYS_WHOLE}
    if manifest is None:
        return whole
    whole |= set(manifest.streams)
    if manifest.kind == MEMBER:
        whole.add(f"member/{manifest.about}")
    elif manifest.kind == HEARING:
        about = {each.entry.stream for each in found.by_index.values() if _is(each, manifest)}
        whole |= about or {f"dispute/{manifest.about}"}
    return whole


def _is(each: Found, manifest: Manifest) -> bool:
    statement = each.entry.statement
    return manifest.about in (statement.id, each.entry.stream.removeprefix("dispute/"))


def _read(name: str, data: bytes, signed: Checkpoint | None, note: bytes) -> Found:
    parsed = receipt.parse(data)
    if parsed.checkpoint != note:
        raise ProofError("its checkpoint is not the bundle's: all receipts share one")
    if name != receipt_name(parsed.index):
        raise FormatError(f"it is the receipt of entry {parsed.index}, under another's name")
    if signed is None:
        raise ProofError("its checkpoint does not hold, so it proves nothing")
    verify_inclusion(leaf_hash(parsed.entry), parsed.index, signed.size, parsed.proof, signed.root)
    entry = parse_entry(parsed.entry)
    schema.validate(entry.statement.type, entry.statement.body)
    if entry.statement.log != signed.origin:
        raise ProofError(
            f"the statement is meant for the log {entry.statement.log}, this is {signed.origin}"
        )
    return Found(name, parsed.index, entry, parsed.entry)


def _bad_chains(found: Entries, whole: Collection[str]) -> Iterator[Fault]:
    for stream in sorted(found.streams.keys() | set(whole)):
        present = found.stream(stream)
        before: Found | None = None
        if stream in whole and not present:
            yield Fault(RECEIPTS, f"no entry of {stream} is there, all of them must be")
        for each in present:
            entry = each.entry
            last = before.entry.seq if before is not None else 0
            if stream in whole and entry.seq > last + 1:
                missing = f"number {last + 1}" + (
                    f" to {entry.seq - 1}" if entry.seq > last + 2 else ""
                )
                yield Fault(each.name, f"{missing} of {stream} before this one is left out or bad")
            elif entry.seq <= last:
                yield Fault(each.name, f"two entries are number {entry.seq} of {stream}")
            elif entry.seq == last + 1:
                prev = leaf_hash(before.data).hex() if before is not None else NO_HASH
                if entry.prev != prev:
                    reason = f"number {entry.seq} of {stream} does not continue the one before it"
                    yield Fault(each.name, reason)
            before = each


def _check_signatures(found: Entries) -> None:
    keys, revoked = _keys(found)
    for index, each in sorted(found.by_index.items()):
        try:
            found.signatures += _check_signed(each, index, keys, revoked)
        except MingzhangError as error:
            found.faults.append(Fault(each.name, error.message))


def _keys(found: Entries) -> tuple[dict[str, Key], dict[str, int]]:
    """Return the keys that the entries register, and where which were revoked."""
    keys: dict[str, Key] = {}
    revoked: dict[str, int] = {}
    for index, each in sorted(found.by_index.items()):
        statement = each.entry.statement
        if statement.type == FOUNDED:
            for said in statement.body["keys"]:
                public_key = read_public_key(said["suite"], said["public_key"])
                keys.setdefault(keyid(public_key), Key(said["actor"], index, public_key))
        elif statement.type == _REGISTERED:
            public_key = read_public_key(statement.body["suite"], statement.body["public_key"])
            owner = statement.stream.partition("/")[2]
            keys.setdefault(keyid(public_key), Key(owner, index, public_key))
        elif statement.type == _REVOKED:
            revoked.setdefault(statement.body["keyid"], index)
    return keys, revoked


def _check_signed(
    each: Found, index: int, keys: Mapping[str, Key], revoked: Mapping[str, int]
) -> int:
    """Check an entry's signatures and return how many there are. Raises ProofError."""
    statement = each.entry.statement
    registers = statement.type in (FOUNDED, _REGISTERED)
    message = pae(statement.payload)
    actors = set()
    for one in statement.signatures:
        key = keys.get(one.keyid)
        if key is None:
            raise ProofError(
                f"the registration of the key {one.keyid[:16]}…, which signs it, is not in the "
                "bundle"
            )
        if key.index > index or (key.index == index and not registers):
            raise ProofError(f"the key of {key.actor} was registered only after this entry")
        if revoked.get(one.keyid, index) < index:
            raise ProofError(f"the key of {key.actor} was revoked before this entry")
        if not verify(key.public_key, message, one.sig):
            raise ProofError(f"the signature of {key.actor} is bad")
        actors.add(key.actor)
    if statement.actor not in actors:
        raise ProofError(f"{statement.actor}, who makes the statement, has not signed it")
    return len(statement.signatures)
