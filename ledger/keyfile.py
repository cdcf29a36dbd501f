"""Private keys in files: PKCS#8 in PEM (RFC 5958, RFC 7468), encrypted, readable by the owner only.

The file is created with mode 0600 and never overwritten: a key that is lost cannot be made again.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from ledger.errors import KeyFileError
from ledger.signing import PrivateKey

PASSPHRASE_MAX = 1_023


def save(path: Path, key: PrivateKey, passphrase: bytes | None) -> None:
    """Write `key` to the new file `path`, encrypted with `passphrase` (None: not encrypted).

    Raises KeyFileError if the file exists, its folder cannot be written, or the passphrase is
    empty or longer than PKCS#8 software reads.
    """
    if passphrase is not None and not 1 <= len(passphrase) <= PASSPHRASE_MAX:
        raise KeyFileError(f"a passphrase has 1 to {PASSPHRASE_MAX} bytes, this {len(passphrase)}")
    how: KeySerializationEncryption = (
        NoEncryption() if passphrase is None else BestAvailableEncryption(passphrase)
    )
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
    """Read the key of `path`.

    Raises KeyFileError if there is none, others may read it, it is no Ed25519 key, or the
    passphrase is missing or wrong.
    """
    try:
        pem = path.read_bytes()
        mode = stat.S_IMODE(path.stat().st_mode)
    except OSError as error:
        raise KeyFileError(f"cannot read {path}: {error.strerror}") from None
    if mode & 0o077:
        raise KeyFileError(
            f"{path} has mode {mode:04o}, so others can use this key: run `chmod 600 {path}`"
        )
    try:
        key = load_pem_private_key(pem, passphrase)
    except TypeError:
        if passphrase is None:
            raise KeyFileError(f"{path} is encrypted: its passphrase is needed") from None
        raise KeyFileError(f"{path} is not encrypted: leave the passphrase out") from None
    except (ValueError, UnsupportedAlgorithm):
        raise KeyFileError(f"{path} is no private key, or its passphrase is wrong") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise KeyFileError(f"{path} holds a key of another kind: Ed25519 is needed")
    return PrivateKey.from_seed(key.private_bytes_raw())


def is_encrypted(path: Path) -> bool:
    """Tell whether the key file needs a passphrase. Raises KeyFileError if it cannot be read."""
    try:
        return b"BEGIN ENCRYPTED PRIVATE KEY" in path.read_bytes()
    except OSError as error:
        raise KeyFileError(f"cannot read {path}: {error.strerror}") from None
