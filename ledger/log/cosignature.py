"""Cosignatures (C2SP tlog-cosignature): a witness's word that it saw a checkpoint, and when.

A cosignature is a note signature whose bytes are a big-endian u64 POSIX time and a signature: of
type 04 Ed25519 over `cosignature/v1`, the time and the checkpoint's text; of type 06 ML-DSA-44
(FIPS 204) over the `cosigned_message` structure of `subtree/v1`. Type 04 is made and checked here,
type 06 is checked.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm

from ledger.errors import FormatError, ProofError
from ledger.log import note
from ledger.log.checkpoint import parse_any_body
from ledger.log.note import NoteSignature, SigningKey
from ledger.signing import check_public_key
from ledger.signing import verify as verify_ed25519

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PublicKey

TYPE_ED25519 = 0x04
TYPE_ML_DSA_44 = 0x06
TIME_MAX = 2**63 - 1
_KEY_BYTES = {TYPE_ED25519: 32, TYPE_ML_DSA_44: 1312}
_SIGNATURE_BYTES = {TYPE_ED25519: 64, TYPE_ML_DSA_44: 2420}
_TIME = struct.Struct(">Q")
_LABEL = b"subtree/v1\n\0"


class Cosignature(NamedTuple):
    """A cosignature that holds: its key's name and 4-byte id, POSIX time in seconds, and line.

    `line` is the note's signature line without its newline.
    """

    name: str
    key_id: bytes
    time: int
    line: str


@dataclass(frozen=True, slots=True)
class CosignerKey:
    """A witness's public key, of `type` 04 or 06; written as a verifier key of notes."""

    name: str
    type: int
    public_key: bytes

    @property
    def key_id(self) -> bytes:
        """The first 4 bytes of SHA-256(name ‖ 0A ‖ type ‖ public key)."""
        return note.key_id(self.name, self._typed)

    @property
    def text(self) -> str:
        """The key as text, in one line."""
        return note.vkey_text(self.name, self._typed)

    @property
    def _typed(self) -> bytes:
        return bytes([self.type]) + self.public_key

    @classmethod
    def parse(cls, text: str) -> CosignerKey:
        """Read a key's text. Raises FormatError for any other kind of key."""
        wanted = "type 04 (Ed25519) or 06 (ML-DSA-44), which cosigners have"
        name, typed = note.parse_vkey(text, _KEY_BYTES, wanted)
        if typed[0] == TYPE_ED25519:
            check_public_key(typed[1:])
        return cls(name, typed[0], typed[1:])

    def check(self, text: str, signature: bytes) -> int:
        """Return the time of a cosignature's bytes over a checkpoint's text.

        Raises ProofError where it does not hold, FormatError where the text is no checkpoint.
        """
        if len(signature) != _TIME.size + _SIGNATURE_BYTES[self.type]:
            raise ProofError(f"a cosignature in the name of {self.name} has the wrong length")
        (time,) = _TIME.unpack_from(signature)
        if time > TIME_MAX:
            raise ProofError(f"a cosignature in the name of {self.name} has an impossible time")
        raw = signature[_TIME.size :]
        if self.type == TYPE_ED25519:
            holds = verify_ed25519(self.public_key, _message(text, time), raw)
        else:
            holds = _verify_ml_dsa(self.public_key, _subtree_message(self.name, text, time), raw)
        if not holds:
            raise ProofError(f"a cosignature in the name of {self.name} is bad")
        return int(time)


@dataclass(frozen=True, slots=True)
class Cosigner:
    """A witness's private Ed25519 key with the name that it cosigns under."""

    name: str
    key: SigningKey
    vkey: CosignerKey = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "vkey", CosignerKey(self.name, TYPE_ED25519, self.key.public_key))

    def line(self, text: str, time: int) -> str:
        """Return the signature line, without its newline, over a checkpoint's text at `time`."""
        signature = _TIME.pack(time) + self.key.sign(_message(text, time))
        return note.signature_line(self.name, self.vkey.key_id, signature).removesuffix("\n")


def find_cosignatures(
    text: str, signatures: Iterable[NoteSignature], keys: Iterable[CosignerKey]
) -> list[Cosignature]:
    """Return the cosignatures by `keys` among a note's signatures; others are ignored.

    A key that this machine cannot check (ML-DSA-44 without it in OpenSSL) counts as unknown.
    Raises ProofError at a bad one by a known key.
    """
    known = {(key.name, key.key_id): key for key in keys if can_check(key)}
    found = []
    for each in signatures:
        key = known.get((each.name, each.key_id))
        if key is not None:
            time = key.check(text, each.signature)
            line = note.signature_line(each.name, each.key_id, each.signature)
            found.append(Cosignature(each.name, each.key_id, time, line.removesuffix("\n")))
    return found


def parse_lines(data: bytes) -> list[NoteSignature]:
    """Read signature lines, each with its newline: what a witness answers. Raises FormatError."""
    try:
        text = data.decode()
    except UnicodeDecodeError:
        raise FormatError("the signature lines are not UTF-8") from None
    if not text.endswith("\n"):
        raise FormatError("signature lines end in a newline each")
    lines = text[:-1].split("\n")
    if len(lines) > note.SIGNATURES_MAX:
        raise FormatError(f"{len(lines)} signature lines, at most {note.SIGNATURES_MAX} are read")
    return [note.parse_signature(line) for line in lines]


def can_check(key: CosignerKey) -> bool:
    """Tell whether this machine's cryptography knows the key's algorithm and takes the key."""
    if key.type == TYPE_ED25519:
        return True
    try:
        _ml_dsa_key(key.public_key)
    except (ImportError, UnsupportedAlgorithm, ValueError):
        return False
    return True


def _message(text: str, time: int) -> bytes:
    return f"cosignature/v1\ntime {time}\n{text}".encode()


def _subtree_message(name: str, text: str, time: int) -> bytes:
    checkpoint = parse_any_body(text)
    if checkpoint.body() != text:
        # The message does not cover extension lines, so whoever reads them must not think so.
        raise ProofError(f"{name} cosigned no extension lines, and this checkpoint has some")
    numbers = _TIME.pack(0) + _TIME.pack(checkpoint.size)
    return b"".join(
        (
            _LABEL,
            _prefixed(name),
            _TIME.pack(time),
            _prefixed(checkpoint.origin),
            numbers,
            checkpoint.root,
        )
    )


def _prefixed(name: str) -> bytes:
    raw = name.encode()
    if not 1 <= len(raw) <= 255:
        raise ProofError("ML-DSA-44 cosigns names of 1 to 255 bytes only")
    return bytes([len(raw)]) + raw


def _ml_dsa_key(public_key: bytes) -> MLDSA44PublicKey:
    # Older versions of the library do not have it, and few policies name such a key.
    from cryptography.hazmat.primitives.asymmetric import mldsa  # noqa: PLC0415

    return mldsa.MLDSA44PublicKey.from_public_bytes(public_key)


def _verify_ml_dsa(public_key: bytes, message: bytes, signature: bytes) -> bool:
    try:
        _ml_dsa_key(public_key).verify(signature, message)
    except InvalidSignature:
        return False
    return True
