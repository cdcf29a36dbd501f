from __future__ import annotations

import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from ledger import keyfile
from ledger.errors import KeyFileError
from tests.support.organisation import key_of

KEY = key_of("keyfile")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "keys" / "mine.pem"


@pytest.mark.parametrize("passphrase", [None, b"correct horse", "口令".encode()])
def test_a_key_is_read_back_from_its_file(file: Path, passphrase: bytes | None) -> None:
    keyfile.save(file, KEY, passphrase)
    assert keyfile.load(file, passphrase) == KEY
    assert keyfile.is_encrypted(file) == (passphrase is not None)


def test_only_the_owner_may_read_it(file: Path) -> None:
    keyfile.save(file, KEY, b"secret")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_an_encrypted_file_shows_nothing_of_the_key(file: Path) -> None:
    keyfile.save(file, KEY, b"secret")
    data = file.read_bytes()
    assert data.startswith(b"-----BEGIN ENCRYPTED PRIVATE KEY-----")
    assert KEY.seed not in data


def test_other_software_reads_it(file: Path) -> None:
    keyfile.save(file, KEY, b"secret")
    other = load_pem_private_key(file.read_bytes(), b"secret")
    assert other.public_key().public_bytes_raw() == KEY.public_key  # type: ignore[union-attr]


def test_a_wrong_passphrase_is_refused(file: Path) -> None:
    keyfile.save(file, KEY, b"secret")
    with pytest.raises(KeyFileError, match="passphrase is wrong"):
        keyfile.load(file, b"Secret")


def test_an_encrypted_key_needs_its_passphrase(file: Path) -> None:
    keyfile.save(file, KEY, b"secret")
    with pytest.raises(KeyFileError, match="passphrase is needed"):
        keyfile.load(file)


def test_a_passphrase_for_a_plain_key_is_a_mistake(file: Path) -> None:
    keyfile.save(file, KEY, None)
    with pytest.raises(KeyFileError, match="not encrypted"):
        keyfile.load(file, b"secret")


@pytest.mark.parametrize("passphrase", [b"", b"x" * 1_024])
def test_a_passphrase_that_cannot_encrypt_is_refused(file: Path, passphrase: bytes) -> None:
    with pytest.raises(KeyFileError, match="passphrase"):
        keyfile.save(file, KEY, passphrase)
    assert not file.exists()


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644])
def test_a_key_that_others_may_read_is_refused(file: Path, mode: int) -> None:
    keyfile.save(file, KEY, None)
    file.chmod(mode)
    with pytest.raises(KeyFileError, match="chmod 600"):
        keyfile.load(file)


def test_a_key_is_never_overwritten(file: Path) -> None:
    keyfile.save(file, KEY, None)
    with pytest.raises(KeyFileError, match="never overwritten"):
        keyfile.save(file, key_of("another"), None)
    assert keyfile.load(file) == KEY


def test_a_missing_file_is_named(file: Path) -> None:
    with pytest.raises(KeyFileError, match=r"mine\.pem"):
        keyfile.load(file)
    with pytest.raises(KeyFileError, match=r"mine\.pem"):
        keyfile.is_encrypted(file)


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(KeyFileError, match="cannot make the folder"):
        keyfile.save(tmp_path / "file" / "key.pem", KEY, None)


def test_what_is_no_ed25519_key_is_refused(file: Path) -> None:
    file.parent.mkdir()
    file.write_bytes(b"no key")
    file.chmod(0o600)
    with pytest.raises(KeyFileError, match="no private key"):
        keyfile.load(file)
    other = X25519PrivateKey.generate()
    file.write_bytes(other.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    with pytest.raises(KeyFileError, match="Ed25519 is needed"):
        keyfile.load(file)
