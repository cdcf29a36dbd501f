"""SM2 signatures with SM3 (GB/T 32918.2, GM/T 0009): a second suite for statements.

Not certified: neither this program nor the library below was examined under the rules for
commercial cryptography. A ledger registers such keys only where its settings say so.

A public key is the point uncompressed, `04 ‖ X ‖ Y`, 65 bytes; a signature is `r ‖ s`, 32 bytes
each, big-endian; the signer's id in Z is the standard's default one. The arithmetic is GmSSL's,
by `gmssl-pyx`, which checks ranges and the point too; where a signature is bad it writes a line of
its own to standard error.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import ClassVar

from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)

from ledger.errors import FormatError

SUITE_SM2 = "sm2"
KEY_SIZE = 65
SECRET_SIZE = 32
USER_ID = b"1234567812345678"
NOT_CERTIFIED = "not certified"

_P = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFF
_B = 0x28E9FA9E9D9F5E344D5A9E4BCF6509A7F39789F515AB8F92DDBCBD414D940E93


def check_public_key(raw: bytes) -> None:
    """Raise FormatError unless `raw` is an uncompressed point of the curve."""
    if len(raw) != KEY_SIZE or raw[0] != 4:
        raise FormatError(f"an SM2 public key is 04, X and Y: {KEY_SIZE} bytes, not {len(raw)}")
    x, y = int.from_bytes(raw[1:33]), int.from_bytes(raw[33:])
    if x >= _P or y >= _P:
        raise FormatError("the public key is not canonically encoded")
    # y² = x³ − 3x + b; the curve's order is prime, so every point of it will do.
    if (y * y - (x * x - 3) * x - _B) % _P:
        raise FormatError("the public key is not a point of the curve")


def verify(public_key: bytes, message: bytes, sig: bytes) -> bool:
    """Tell whether `sig` (r ‖ s) is `public_key`'s over `message`."""
    # Most logs have no such key, and need no such library.
    from gmssl_pyx import GmsslInnerError, sm2_verify  # noqa: PLC0415

    if len(sig) != 64:
        return False
    try:
        der = encode_dss_signature(int.from_bytes(sig[:32]), int.from_bytes(sig[32:]))
        return bool(sm2_verify(public_key[1:], message, der, signer_id=USER_ID))
    except GmsslInnerError:
        return False


@dataclass(frozen=True, slots=True, repr=False)
class Sm2PrivateKey:
    """An SM2 private key (`seed`, a 32-byte number); it stays with its owner, prints nothing."""

    suite: ClassVar[str] = SUITE_SM2

    seed: bytes
    public_key: bytes

    @classmethod
    def generate(cls) -> Sm2PrivateKey:
        """Make a new key from the system's randomness."""
        from gmssl_pyx import sm2_key_generate  # noqa: PLC0415

        public_key, secret = sm2_key_generate()
        return cls(secret, b"\x04" + public_key)

    @property
    def keyid(self) -> str:
        """The key id: lower-case hex SHA-256 of the public key."""
        return hashlib.sha256(self.public_key).hexdigest()

    def sign(self, message: bytes) -> bytes:
        """Return a 64-byte signature of `message`, another one each time.

        Raises FormatError where the key is none.
        """
        from gmssl_pyx import GmsslInnerError, sm2_sign  # noqa: PLC0415

        try:
            der = sm2_sign(self.seed, self.public_key[1:], message, signer_id=USER_ID)
        except GmsslInnerError as error:
            raise FormatError(f"no SM2 key: {error}") from None
        r, s = decode_dss_signature(der)
        return r.to_bytes(32) + s.to_bytes(32)

    def __repr__(self) -> str:
        return f"Sm2PrivateKey(keyid={self.keyid[:16]}…)"
