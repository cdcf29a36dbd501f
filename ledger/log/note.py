"""Signed notes (C2SP signed-note): a text, a blank line, and signature lines.

Ed25519 only (type byte 01). Parsing is strict: what is not exactly the format is refused.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from ledger.errors import FormatError, ProofError
from ledger.signing import decode_base64, encode_base64
from ledger.signing import verify as verify_ed25519

TYPE_ED25519 = 0x01
SIGNATURES_MAX = 100
NOTE_SIZE_MAX = 65_536
_LINE = re.compile(r"— ([^\s+]+) ([A-Za-z0-9+/=]+)").fullmatch
_NAME = re.compile(r"[^\s+]+").fullmatch
_VKEY = re.compile(r"([^\s+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)").fullmatch
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f]").search


class NoteSignature(NamedTuple):
    """One signature line: the key's name, its 4-byte id, and the signature's bytes."""

    name: str
    key_id: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class Note:
    """A note's text, which ends in a newline and is what was signed, and its signatures."""

    text: str
    signatures: tuple[NoteSignature, ...]


class SigningKey(Protocol):
    """A private key: 32 public bytes, and signatures of 64 bytes."""

    @property
    def public_key(self) -> bytes:
        """The raw public key."""

    def sign(self, message: bytes) -> bytes:
        """Return the signature of `message`."""


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A public key for notes, written `name+hex8(key id)+base64(type ‖ public key)`."""

    name: str
    public_key: bytes

    @property
    def key_id(self) -> bytes:
        """The first 4 bytes of SHA-256(name ‖ 0A ‖ type ‖ public key)."""
        return key_id(self.name, self._typed)

    @property
    def text(self) -> str:
        """The key as text, in one line."""
        return vkey_text(self.name, self._typed)

    @property
    def _typed(self) -> bytes:
        return bytes([TYPE_ED25519]) + self.public_key

    @classmethod
    def parse(cls, text: str) -> VerifierKey:
        """Read a key's text. Raises FormatError, also where its id is not that of the key."""
        name, typed = parse_vkey(text, {TYPE_ED25519: 32}, "type 01 (Ed25519, 32 bytes)")
        return cls(name, typed[1:])


@dataclass(frozen=True, slots=True)
class Signer:
    """A private key with the name that it signs notes under."""

    name: str
    key: SigningKey
    vkey: VerifierKey = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "vkey", VerifierKey(self.name, self.key.public_key))

    def sign(self, text: str) -> bytes:
        """Return the whole signed note of `text`. Raises FormatError if it can be no note."""
        _check_text(text)
        signature = self.key.sign(text.encode())
        return f"{text}\n{signature_line(self.name, self.vkey.key_id, signature)}".encode()


def key_id(name: str, typed: bytes) -> bytes:
    """Return the 4-byte id of the key that `typed` (type byte ‖ public key) is under `name`."""
    return hashlib.sha256(name.encode() + b"\n" + typed).digest()[:4]


def vkey_text(name: str, typed: bytes) -> str:
    """Return a verifier key as text: `name+hex8(key id)+base64(type ‖ public key)`."""
    return f"{name}+{key_id(name, typed).hex()}+{encode_base64(typed)}"


def parse_vkey(text: str, key_bytes: Mapping[int, int], wanted: str) -> tuple[str, bytes]:
    """Return name and (type byte ‖ public key) of a verifier key.

    `key_bytes` are the types that are taken, with the length of their keys; `wanted` says so in
    words. Raises FormatError, also where the key's id is not that of the key.
    """
    parts = _VKEY(text)
    if parts is None:
        raise FormatError("a verifier key is written name+8 hex digits+base64, in one line")
    name, ident, encoded = parts.groups()
    typed = decode_base64(encoded)
    if not typed or key_bytes.get(typed[0]) != len(typed) - 1:
        raise FormatError(f"the verifier key is not of {wanted}")
    try:
        found = key_id(name, typed).hex()
    except UnicodeEncodeError:
        raise FormatError("the verifier key's name is not UTF-8") from None
    if found != ident:
        raise FormatError(f"the verifier key's id is {found}, not {ident}: a typo?")
    return name, typed


def signature_line(name: str, ident: bytes, signature: bytes) -> str:
    """Return a signature line, with its newline."""
    return f"— {name} {encode_base64(ident + signature)}\n"


def parse_signature(line: str) -> NoteSignature:
    """Read one signature line, without its newline. Raises FormatError."""
    parts = _LINE(line)
    if parts is None:
        raise FormatError(f"not a signature line: {line[:60]!r}")
    raw = decode_base64(parts[2])
    if len(raw) < 5:
        raise FormatError("a signature line holds a 4-byte key id and a signature")
    return NoteSignature(parts[1], raw[:4], raw[4:])


def with_signatures(data: bytes, lines: Sequence[str]) -> bytes:
    """Return a note with further signature lines (each without its newline) behind its own."""
    return data + "".join(f"{line}\n" for line in lines).encode()


def parse(data: bytes) -> Note:
    """Read a signed note; signatures are not verified. Raises FormatError."""
    if len(data) > NOTE_SIZE_MAX:
        raise FormatError(f"a note of {len(data)} bytes, at most {NOTE_SIZE_MAX} are read")
    try:
        whole = data.decode()
    except UnicodeDecodeError:
        raise FormatError("the note is not UTF-8") from None
    if not whole.endswith("\n"):
        raise FormatError("the note does not end in a newline")
    text, blank, lines = whole.rpartition("\n\n")
    if not blank or not lines:
        raise FormatError("the note has no blank line with signatures after it")
    text += "\n"
    _check_text(text)
    found = lines[:-1].split("\n")
    if len(found) > SIGNATURES_MAX:
        raise FormatError(
            f"the note has {len(found)} signatures, at most {SIGNATURES_MAX} are read"
        )
    return Note(text, tuple(parse_signature(line) for line in found))


def verify(data: bytes, keys: Sequence[VerifierKey]) -> Note:
    """Read a note and check it: one of `keys` must have signed it, none of them badly.

    Raises FormatError, or ProofError also where a good signature stands beside a bad one by a
    known key.
    """
    note = parse(data)
    known = {(key.name, key.key_id): key for key in keys}
    verified = False
    for each in note.signatures:
        key = known.get((each.name, each.key_id))
        if key is None:
            continue
        if not verify_ed25519(key.public_key, note.text.encode(), each.signature):
            raise ProofError(f"a signature in the name of {key.name} is bad")
        verified = True
    if not verified:
        raise ProofError("no known key signed this note: " + ", ".join(key.name for key in keys))
    return note


def _check_text(text: str) -> None:
    if not text.endswith("\n") or text == "\n":
        raise FormatError("a note's text is not empty and ends in a newline")
    if _CONTROL(text):
        raise FormatError("a note's text holds a control character (a CR, perhaps)")
