"""Private keys in files: PKCS#8 in PEM (RFC 5958, RFC 7468), encrypted, readable by the owner only.

Files of SM2 keys cannot be encrypted here, since `cryptography` does not know the curve; they are
those that `openssl genpkey -algorithm SM2` writes.
The file is created with mode 0600 and never overwritten: a key that is lost cannot be made again.
"""

from __future__ import annotations

import binascii
import os
import stat
from pathlib import Path

from cryptography.exceptions import InternalError, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from ledger.errors import FormatError, KeyFileError
from ledger.signing import PrivateKey, StatementKey
from ledger.sm2 import KEY_SIZE, SECRET_SIZE, Sm2PrivateKey, check_public_key, verify

PASSPHRASE_MAX = 1_023

# The DER of PKCS#8 around an SM2 key (RFC 5958, RFC 5915, OID 1.2.156.10197.1.301): all of it is
# fixed but the secret and the public key.
_SM2_HEAD = bytes.fromhex(
    "308187020100301306072a8648ce3d020106082a811ccf5501822d046d306b0201010420"
)
_SM2_MIDDLE = bytes.fromhex("a144034200")
_PEM_FIRST, _PEM_LAST = b"-----BEGIN PRIVATE KEY-----", b"-----END PRIVATE KEY-----"


def save(path: Path, key: StatementKey, passphrase: bytes | None) -> None:
    """Write `key` to the new file `path`, encrypted with `passphrase` (None: not encrypted).

    Raises KeyFileError if the file exists, its folder cannot be written, or the passphrase is
    empty or longer than PKCS#8 software reads.
    """
    if passphrase is not None and not 1 <= len(passphrase) <= PASSPHRASE_MAX:
        raise KeyFileError(f"a passphrase has 1 to {PASSPHRASE_MAX} bytes, this {len(passphrase)}")
    how: KeySerializationEncryption = (
        NoEncryption() if passphrase is None else BestAvailableEncryption(passphrase)
    )
    if isinstance(key, Sm2PrivateKey):
        pem = _sm2_pem(key, passphrase)
    else:
        pem = Ed25519PrivateKey.from_private_bytes(key.seed).private_bytes(
            Encoding.PEM, PrivateFormat.PKCS8, how
        )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise KeyFileError(f"cannot make the folder of {path}: {error.strerror}") from None
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise KeyFileError(
            f"{path} exists; a key is never overwritten: name another file"
        ) from None
    except OSError as error:
        raise KeyFileError(f"cannot write {path}: {error.strerror}") from None
    with os.fdopen(handle, "wb") as file:
        file.write(pem)
        file.flush()
        os.fsync(file.fileno())


def load(path: Path, passphrase: bytes | None = None) -> PrivateKey:
    """Read the Ed25519 key of `path`.

    Raises KeyFileError if there is none, others may read it, it is no Ed25519 key, or the
    passphrase is missing or wrong.
    """
    return _ed25519(path, _read(path), passphrase)


def load_any(path: Path, passphrase: bytes | None = None) -> StatementKey:
    """Read a key that statements are signed with, of either suite. Raises KeyFileError."""
    pem = _read(path)
    found = _sm2(path, pem)
    return found if found is not None else _ed25519(path, pem, passphrase)


def _read(path: Path) -> bytes:
    try:
        pem = path.read_bytes()
        mode = stat.S_IMODE(path.stat().st_mode)
    except OSError as error:
        raise KeyFileError(f"cannot read {path}: {error.strerror}") from None
    if mode & 0o077:
        raise KeyFileError(
            f"{path} has mode {mode:04o}, so others can use this key: run `chmod 600 {path}`"
        )
    return pem


def _ed25519(path: Path, pem: bytes, passphrase: bytes | None) -> PrivateKey:
    try:
        key = load_pem_private_key(pem, passphrase)
    except TypeError:
        if passphrase is None:
            raise KeyFileError(f"{path} is encrypted: its passphrase is needed") from None
        raise KeyFileError(f"{path} is not encrypted: leave the passphrase out") from None
    except (ValueError, UnsupportedAlgorithm, InternalError):
        # InternalError is what OpenSSL's own complaints come as, such as a key's wrong length.
        raise KeyFileError(f"{path} is no private key, or its passphrase is wrong") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise KeyFileError(f"{path} holds a key of another kind: Ed25519 is needed")
    return PrivateKey.from_seed(key.private_bytes_raw())


def _sm2_pem(key: Sm2PrivateKey, passphrase: bytes | None) -> bytes:
    if passphrase is not None:
        raise KeyFileError(
            "the file of an SM2 key cannot be encrypted here: make it with --no-passphrase, on a "
            "disk that is encrypted"
        )
    text = binascii.b2a_base64(_SM2_HEAD + key.seed + _SM2_MIDDLE + key.public_key, newline=False)
    lines = [text[at : at + 64] for at in range(0, len(text), 64)]
    return b"\n".join([_PEM_FIRST, *lines, _PEM_LAST, b""])


def _sm2(path: Path, pem: bytes) -> Sm2PrivateKey | None:
    """Return the SM2 key that a file holds, None where it is of another kind."""
    lines = pem.split()
    try:
        data = binascii.a2b_base64(b"".join(lines[3:-3]), strict_mode=True)
    except ValueError:
        return None
    if not data.startswith(_SM2_HEAD) or len(data) != (
        len(_SM2_HEAD) + SECRET_SIZE + len(_SM2_MIDDLE) + KEY_SIZE
    ):
        return None
    secret = data[len(_SM2_HEAD) :][:SECRET_SIZE]
    key = Sm2PrivateKey(secret, data[-KEY_SIZE:])
    try:
        check_public_key(key.public_key)
        whole = verify(key.public_key, b"", key.sign(b""))
    except FormatError as error:
        raise KeyFileError(f"{path} holds a damaged SM2 key: {error.message}") from None
    if not whole:
        raise KeyFileError(f"{path} holds a damaged SM2 key: its halves do not belong together")
    return key


def is_encrypted(path: Path) -> bool:
    """Tell whether the key file needs a passphrase. Raises KeyFileError if it cannot be read."""
    try:
        return b"BEGIN ENCRYPTED PRIVATE KEY" in path.read_bytes()
    except OSError as error:
        raise KeyFileError(f"cannot read {path}: {error.strerror}") from None
