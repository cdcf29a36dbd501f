"""DSSE envelopes, Ed25519 keys and the suites that a key can be registered under.

A key's suite is told by the length of its public key: 32 bytes Ed25519, 65 bytes SM2 (`sm2`).

DSSE v1 (Secure Systems Lab) signs PAE(type, payload). Ed25519 is checked as RFC 8032 section
5.1.7 without the cofactor, and stricter than its text: S < L, canonical encodings, no small-order
A or R, and the encoding of S·B − k·A equal to R byte for byte. libsodium does exactly this.
"""

from __future__ import annotations

import binascii
import hashlib
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import orjson
from nacl.bindings import crypto_sign, crypto_sign_open, crypto_sign_seed_keypair
from nacl.exceptions import BadSignatureError

from ledger import sm2
from ledger.errors import FormatError
from ledger.sm2 import SUITE_SM2, Sm2PrivateKey

PAYLOAD_TYPE = "application/vnd.mingzhang.statement.v1+json"
SUITE_ED25519 = "ed25519"
KEY_SIZE = 32
SIGNATURE_SIZE = 64
_KEY_SIZES = {SUITE_ED25519: KEY_SIZE, SUITE_SM2: sm2.KEY_SIZE}

_PAE_HEAD = f"DSSEv1 {len(PAYLOAD_TYPE)} {PAYLOAD_TYPE} ".encode()
_FIELD_PRIME = 2**255 - 19
# y coordinates of the eight points of small order (RFC 7748 section 7 lists the same for X25519).
_SMALL_ORDER_Y = frozenset(
    {
        0,
        1,
        _FIELD_PRIME - 1,
        2707385501144840649318225287225658788936804267575313519463743609750303402022,
        55188659117513257062467267217118295137698188065244968500265048394206261417927,
    }
)


class Signature(NamedTuple):
    """One signature of an envelope: lower-case hex SHA-256 of the public key, and 64 bytes."""

    keyid: str
    sig: bytes


class Check(NamedTuple):
    """A signature to verify: public key, message, 64-byte signature."""

    public_key: bytes
    message: bytes
    sig: bytes


def pae(payload: bytes, payload_type: str = PAYLOAD_TYPE) -> bytes:
    """Return DSSE's pre-authentication encoding, the bytes that are signed."""
    if payload_type == PAYLOAD_TYPE:
        return b"%b%d %b" % (_PAE_HEAD, len(payload), payload)
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def keyid(public_key: bytes) -> str:
    """Return the key id of a raw public key: lower-case hex SHA-256."""
    return hashlib.sha256(public_key).hexdigest()


def verify(public_key: bytes, message: bytes, sig: bytes) -> bool:
    """Tell whether `sig` (64 bytes) is `public_key`'s over `message`, strictly as above."""
    if len(sig) != SIGNATURE_SIZE or len(public_key) != KEY_SIZE:
        return len(public_key) == sm2.KEY_SIZE and sm2.verify(public_key, message, sig)
    try:
        crypto_sign_open(sig + message, public_key)
    except BadSignatureError:
        return False
    return True


def verify_all(checks: Iterable[Check]) -> list[bool]:
    """Verify each of `checks` in order."""
    return [verify(*check) for check in checks]


def read_public_key(suite: str, text: str) -> bytes:
    """Return the raw public key that a registration writes in base64. Raises FormatError."""
    if suite not in _KEY_SIZES:
        raise FormatError(f"no suite is called {suite[:40]!r}: {', '.join(_KEY_SIZES)}")
    return decode_base64(text, _KEY_SIZES[suite])


def check_public_key(raw: bytes) -> None:
    """Raise FormatError unless `raw` is a usable public key of its suite.

    Of Ed25519 that is the canonical encoding of a point of large order.
    """
    if len(raw) == sm2.KEY_SIZE:
        sm2.check_public_key(raw)
        return
    if len(raw) != KEY_SIZE:
        raise FormatError(f"an Ed25519 public key has {KEY_SIZE} bytes, this one {len(raw)}")
    y = int.from_bytes(raw, "little") & ((1 << 255) - 1)
    if y >= _FIELD_PRIME:
        raise FormatError("the public key is not canonically encoded")
    if y in _SMALL_ORDER_Y:
        raise FormatError("the public key has small order: anyone can sign for it")
    # x² = (y² − 1) / (d·y² + 1) must be a square for the point to lie on the curve.
    d = -121665 * pow(121666, -1, _FIELD_PRIME)
    x2 = (y * y - 1) * pow(d * y * y + 1, -1, _FIELD_PRIME) % _FIELD_PRIME
    if pow(x2, (_FIELD_PRIME - 1) // 2, _FIELD_PRIME) != 1:
        raise FormatError("the public key is not a point of the curve")


def decode_base64(text: str, size: int | None = None) -> bytes:
    """Decode standard base64 with padding, canonical digits only, of `size` bytes if given.

    Raises FormatError.
    """
    try:
        raw = binascii.a2b_base64(text, strict_mode=True)
    except ValueError:
        raise FormatError("not base64 of the standard alphabet with padding") from None
    if binascii.b2a_base64(raw, newline=False).decode() != text:
        raise FormatError("base64 is not canonical: unused bits are set")
    if size is not None and len(raw) != size:
        raise FormatError(f"base64 of {len(raw)} bytes where {size} are needed")
    return raw


def encode_base64(raw: bytes) -> str:
    """Encode in standard base64 with padding."""
    return binascii.b2a_base64(raw, newline=False).decode()


@dataclass(frozen=True, slots=True, repr=False)
class PrivateKey:
    """An Ed25519 private key (32-byte seed); it stays with its owner and prints nothing of it."""

    suite: ClassVar[str] = SUITE_ED25519

    seed: bytes
    public_key: bytes
    _expanded: bytes

    @classmethod
    def generate(cls) -> PrivateKey:
        """Make a new key from the system's randomness."""
        return cls.from_seed(os.urandom(KEY_SIZE))

    @classmethod
    def from_seed(cls, seed: bytes) -> PrivateKey:
        """Take the key of a 32-byte seed (RFC 8032's private key)."""
        public_key, expanded = crypto_sign_seed_keypair(seed)
        return cls(seed, public_key, expanded)

    @property
    def keyid(self) -> str:
        """The key id: lower-case hex SHA-256 of the public key."""
        return keyid(self.public_key)

    def sign(self, message: bytes) -> bytes:
        """Return the 64-byte signature of `message`; the same message gives the same bytes."""
        return crypto_sign(message, self._expanded)[:SIGNATURE_SIZE]

    def __repr__(self) -> str:
        return f"PrivateKey(keyid={self.keyid[:16]}…)"


StatementKey = PrivateKey | Sm2PrivateKey
"""A private key that statements can be signed with."""


def sign_envelope(
    payload: bytes, keys: Sequence[StatementKey], payload_type: str = PAYLOAD_TYPE
) -> bytes:
    """Return the DSSE envelope of `payload`, signed with each of `keys`, in canonical form."""
    message = pae(payload, payload_type)
    signatures = [Signature(key.keyid, key.sign(message)) for key in keys]
    return join_envelope(payload, signatures, payload_type)


def join_envelope(
    payload: bytes, signatures: Iterable[Signature], payload_type: str = PAYLOAD_TYPE
) -> bytes:
    """Return the canonical DSSE envelope of a payload and its signatures, sorted by key id."""
    return orjson.dumps(
        {
            "payload": encode_base64(payload),
            "payloadType": payload_type,
            "signatures": [
                {"keyid": each.keyid, "sig": encode_base64(each.sig)} for each in sorted(signatures)
            ],
        }
    )
