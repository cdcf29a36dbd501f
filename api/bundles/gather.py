"""Collects what a bundle stands on: entries, and the keys, roles and rules that they depend on.

    subject's streams ──▶ signers' keys ──▶ their owners' streams (keys, roles) ──▶ who signed …
                      └─▶ rulebooks named ──▶ their streams ──▶ who signed …

All receipts are under one checkpoint. Nothing here reads a clock: the same log, subject and size
give the same files.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from ledger import canonical
from ledger.domain.decide import FOUNDED
from ledger.domain.texts import commitments
from ledger.entry import Entry, parse_entry
from ledger.errors import ErasedError, FormatError, NotFoundError
from ledger.log.checkpoint import Checkpoint, parse_body
from ledger.log.note import parse as parse_note
from ledger.log.policy import Policy
from ledger.log.receipt import proven
from ledger.log.witness import Request, encode_request
from ledger.signing import decode_base64, keyid
from ledger.store.cosignatures import Cosignatures
from ledger.store.documents import Documents
from ledger.store.reader import STREAM_PAGE_MAX, Reader
from ledger.verify import manifest
from ledger.verify.bundle_entries import receipt_name

_KEYS = (FOUNDED, "key.registered")
FILER = "filer"


class Head(NamedTuple):
    """The one checkpoint of a bundle: its signed note with cosignatures, and what it says."""

    note: bytes
    checkpoint: Checkpoint

    @property
    def size(self) -> int:
        """How many entries it covers."""
        return self.checkpoint.size


def head_of(
    reader: Reader, cosignatures: Cosignatures, policy: Policy | None, size: int | None
) -> Head:
    """Return the checkpoint that a bundle is made under: that of `size`, if one is given.

    Else the newest that has its witnesses' quorum, or the newest of all where none has one. Raises
    NotFoundError where no checkpoint of that size was signed.
    """
    if size is not None:
        note = reader.note(size)
    else:
        witnessed = cosignatures.witnessed(policy) if policy is not None else None
        size, note = (witnessed.size, witnessed.note) if witnessed else reader.signed()
    cosigned = reader.cosigned(size, note)
    return Head(cosigned, parse_body(parse_note(cosigned).text))


class Erased(NamedTuple):
    """A text or file that is not there any more, or never was: its commitment and why."""

    commitment: str
    why: str


class Gathering:
    """The files of a bundle as they come together; `entries` are parsed, by index."""

    def __init__(self, reader: Reader, head: Head) -> None:
        self.head = head
        self.files: dict[str, bytes] = {manifest.CHECKPOINT: head.note}
        self.entries: dict[int, Entry] = {}
        self.whole: set[str] = set()
        self.missing: list[Erased] = []
        self.unproved: list[str] = []
        self._reader = reader
        self._data: dict[int, bytes] = {}
        self._openings: dict[str, dict[str, str]] = {}
        self._registrations = dict(_registrations(reader, head.size))

    @property
    def made_at(self) -> str:
        """When the last entry below the checkpoint was recorded (RFC 3339): no clock is read."""
        return parse_entry(self._reader.entry(self.head.size - 1)).recorded_at

    # -- entries -----------------------------------------------------------------------------------

    def add_stream(self, stream: str) -> list[tuple[int, Entry]]:
        """Add all entries of a stream up to the checkpoint, and return them with their indexes."""
        self.whole.add(stream)
        found = []
        for index, data in _stream(self._reader, stream, self.head.size):
            found.append((index, self._add(index, data)))
        return found

    def add_entry(self, index: int) -> Entry:
        """Add one entry. Raises NotFoundError beyond the checkpoint."""
        if index >= self.head.size:
            raise NotFoundError(
                f"entry {index} is not within the checkpoint of size {self.head.size}: name a "
                "later --size"
            )
        return self._add(index, self._reader.entry(index))

    def _add(self, index: int, data: bytes) -> Entry:
        if index not in self.entries:
            self._data[index] = data
            self.entries[index] = parse_entry(data)
        return self.entries[index]

    def add_rules(self) -> None:
        """Add the rulebooks that the entries so far name, and the units where they stand."""
        found = [each.statement.body for each in self.entries.values()]
        for ident in sorted({name for body in found for name in _named(body, "rulebook")}):
            self.add_stream(f"rulebook/{ident}")
        units = {name for body in found for name in _named(body, "unit")}
        while units:
            stream = f"unit/{units.pop()}"
            if stream not in self.whole:
                opened = [entry.statement.body for _, entry in self.add_stream(stream)]
                units |= {name for body in opened for name in _named(body, "parent")}

    def add_signers(self) -> None:
        """Add the keys of all who signed, with their owners' streams, until nothing is missing."""
        done: set[int] = set()
        while waiting := self.entries.keys() - done:
            for index in sorted(waiting):
                done.add(index)
                for each in self.entries[index].statement.signatures:
                    registered, owner = self._registrations[each.keyid]
                    self.add_entry(registered)
                    if f"actor/{owner}" not in self.whole:
                        self.add_stream(f"actor/{owner}")
        # An actor whose only key is the founding's has a stream without an entry.
        present = {entry.stream for entry in self.entries.values()}
        self.whole &= present

    # -- what lies beside the log ------------------------------------------------------------------

    def disclose(self, documents: Documents, bodies: Iterable[Any], *, filers: bool) -> None:
        """Add the texts and files that bodies commit to, with salts; of filers only if told to."""
        for body in bodies:
            said = body if filers else {n: each for n, each in body.items() if n != FILER}
            for commitment in commitments(said):
                if commitment not in self._openings:
                    self._disclose(documents, commitment)

    def _disclose(self, documents: Documents, commitment: str) -> None:
        try:
            found = documents.get(commitment)
        except (NotFoundError, ErasedError, FormatError) as error:
            why = "erased" if isinstance(error, ErasedError) else "not kept"
            if all(each.commitment != commitment for each in self.missing):
                self.missing.append(Erased(commitment, why))
            return
        self.open(commitment, found.salt, found.data, found.kind)

    def open(self, commitment: str, salt: bytes, data: bytes, kind: str) -> None:
        """Add the bytes behind a commitment."""
        name = f"{manifest.DISCLOSED}{commitment}"
        self.files[name] = data
        self._openings[commitment] = {
            "commitment": commitment,
            "file": name,
            "kind": kind,
            "salt": salt.hex(),
        }

    @property
    def openings(self) -> Mapping[str, Mapping[str, str]]:
        """What is disclosed, by commitment: file, media type and salt."""
        return self._openings

    def add_stamps(self) -> None:
        """Add the newest timestamp tokens up to the checkpoint, with the proof that joins them."""
        kept = self._reader.timestamps(self.head.size)
        if not kept:
            return
        size = max(each for each, _ in kept)
        folder = f"{manifest.STAMPS}{size}/"
        for _, tsa in (each for each in kept if each[0] == size):
            note, token = self._reader.timestamp(size, tsa)
            self.files[f"{folder}{tsa}.tsr"] = token
            self.files[f"{folder}checkpoint"] = note
        proof = (
            tuple(self._reader.consistency_proof(size, self.head.size))
            if size < self.head.size
            else ()
        )
        joined = Request(size, proof, self.head.note)
        self.files[f"{folder}consistency"] = encode_request(joined)

    def receipt(self, index: int, data: bytes) -> bytes:
        """Return the receipt of an entry under the bundle's checkpoint.

        Raises ProofError where what is stored no longer has the signed root.
        """
        proof = self._reader.inclusion_proof(self.head.size, index)
        return proven(data, index, proof, self.head.note)

    # -- the end -----------------------------------------------------------------------------------

    def finish(self, kind: str, about: str, more: Mapping[str, bytes]) -> dict[str, bytes]:
        """Return all files of the bundle, `more` and the manifest among them."""
        for index, data in self._data.items():
            self.files[receipt_name(index)] = self.receipt(index, data)
        if self._openings:
            ordered = [self._openings[each] for each in sorted(self._openings)]
            self.files[manifest.OPENINGS] = canonical.dumps(ordered)
        self.files.update(more)
        signed = self.head.checkpoint
        listed = manifest.Manifest.of(
            kind,
            about,
            signed.origin,
            signed.size,
            signed.root.hex(),
            tuple(self.whole),
            self.files,
        )
        return {**self.files, manifest.NAME: listed.data()}


def _registrations(reader: Reader, size: int) -> Iterator[tuple[str, tuple[int, str]]]:
    """Yield of each key id where it is registered and whose it is; the first one counts."""
    seen = set()
    for index, data in reader.typed(_KEYS):
        entry = parse_entry(bytes(data))
        body, owner = entry.statement.body, entry.stream.partition("/")[2]
        listed = body["keys"] if entry.statement.type == FOUNDED else [{**body, "actor": owner}]
        for each in listed:
            ident = keyid(decode_base64(each["public_key"]))
            if index < size and ident not in seen:
                seen.add(ident)
                yield ident, (index, each["actor"])


def _stream(reader: Reader, stream: str, size: int) -> Iterator[tuple[int, bytes]]:
    after = 0
    while page := reader.stream(stream, after, STREAM_PAGE_MAX):
        after += len(page)
        yield from ((index, bytes(data)) for index, data in page if index < size)


def _named(body: Any, name: str) -> Iterator[str]:
    """Yield the texts that a body holds under a member's name, at any depth."""
    if isinstance(body, dict):
        if isinstance(body.get(name), str):
            yield body[name]
        for each in body.values():
            yield from _named(each, name)
    elif isinstance(body, list):
        for each in body:
            yield from _named(each, name)
