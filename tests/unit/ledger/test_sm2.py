"""SM2 with SM3: the standard's example, openssl's opinion, and what is refused."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)

from ledger import keyfile, signing
from ledger.errors import FormatError, KeyFileError
from ledger.signing import PrivateKey, pae, read_public_key, sign_envelope
from ledger.sm2 import Sm2PrivateKey, check_public_key, verify
from tests.support.sm2 import EXAMPLE as KEY

# GM/T 0003.5-2012 (GB/T 32918.5-2017), A.2: the signature of "message digest".
PUBLIC, SECRET = KEY.public_key, KEY.seed
MESSAGE = b"message digest"
R = 0xF5A03B0648D2C4630EEAC513E1BB81A15944DA3827D5B74143AC7EACEEE720B3
S = 0xB1B6AA29DF212FD8763182BC0D421CA1BB9038FD1F7F42D4840B69C485BBC1AA
N = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123
P = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFF


def raw(r: int, s: int) -> bytes:
    return r.to_bytes(32) + s.to_bytes(32)


def openssl(folder: Path, *words: str) -> str:
    ran = subprocess.run(
        ["openssl", *words], cwd=folder, capture_output=True, text=True, check=True
    )
    return ran.stdout


def test_the_standards_example_holds() -> None:
    check_public_key(PUBLIC)
    assert verify(PUBLIC, MESSAGE, raw(R, S))
    assert verify(PUBLIC, MESSAGE, KEY.sign(MESSAGE))
    assert signing.verify(PUBLIC, MESSAGE, raw(R, S)), "statements are verified by the key's suite"


@pytest.mark.parametrize(
    "sig",
    [
        raw(0, S),
        raw(R, 0),
        raw(N, S),
        raw(R, N),
        raw(R, N - R),
        raw(R, S ^ 1),
        raw(R ^ 1, S),
        raw(R, S)[:-1],
        raw(R, S) + b"\0",
        b"",
        bytes(64),
        b"\xff" * 64,
    ],
)
def test_a_signature_that_is_not_exactly_right_is_refused(sig: bytes) -> None:
    assert not signing.verify(PUBLIC, MESSAGE, sig)


def test_a_signature_is_over_this_message_by_this_key() -> None:
    other = Sm2PrivateKey.generate()
    assert not verify(PUBLIC, MESSAGE + b"!", raw(R, S))
    assert not verify(other.public_key, MESSAGE, raw(R, S))


@pytest.mark.parametrize(
    ("key", "reason"),
    [
        (PUBLIC[1:], "04, X and Y"),
        (b"\x02" + PUBLIC[1:33], "04, X and Y"),
        (b"\x06" + PUBLIC[1:], "04, X and Y"),
        (bytes(65), "04, X and Y"),
        (b"\x04" + bytes(64), "not a point"),
        (PUBLIC[:-1] + bytes([PUBLIC[-1] ^ 1]), "not a point"),
        (b"\x04" + P.to_bytes(32) + bytes(32), "not canonically"),
        (b"\x04" + b"\xff" * 64, "not canonically"),
    ],
)
def test_a_key_that_is_no_point_in_its_one_form_is_refused(key: bytes, reason: str) -> None:
    with pytest.raises(FormatError, match=reason):
        check_public_key(key)


def test_a_registered_key_has_the_length_of_its_suite() -> None:
    assert read_public_key("sm2", signing.encode_base64(PUBLIC)) == PUBLIC
    for suite, wrong in (("ed25519", PUBLIC), ("sm2", bytes(32))):
        with pytest.raises(FormatError, match="are needed"):
            read_public_key(suite, signing.encode_base64(wrong))
    with pytest.raises(FormatError, match="no suite is called 'rsa'"):
        read_public_key("rsa", "")


def test_openssl_verifies_what_we_sign_and_we_what_openssl_signs(tmp_path: Path) -> None:
    openssl(tmp_path, "genpkey", "-algorithm", "SM2", "-out", "theirs.key")
    (tmp_path / "theirs.key").chmod(0o600)
    key = keyfile.load_any(tmp_path / "theirs.key")
    assert isinstance(key, Sm2PrivateKey)
    message = pae(b'{"a":1}')
    (tmp_path / "message").write_bytes(message)
    about = ("-rawin", "-digest", "sm3", "-in", "message", "-inkey", "theirs.key")
    ident = ("-pkeyopt", "distid:1234567812345678")
    openssl(tmp_path, "pkeyutl", "-sign", *about, *ident, "-out", "theirs.sig")
    r, s = decode_dss_signature((tmp_path / "theirs.sig").read_bytes())
    assert verify(key.public_key, message, raw(r, s))
    ours = key.sign(message)
    der = encode_dss_signature(int.from_bytes(ours[:32]), int.from_bytes(ours[32:]))
    (tmp_path / "ours.sig").write_bytes(der)
    said = openssl(tmp_path, "pkeyutl", "-verify", *about, *ident, "-sigfile", "ours.sig")
    assert "Verified Successfully" in said


def test_a_key_file_is_what_openssl_reads_and_is_read_again(tmp_path: Path) -> None:
    key = Sm2PrivateKey.generate()
    keyfile.save(tmp_path / "ours.key", key, None)
    assert keyfile.load_any(tmp_path / "ours.key") == key
    shown = openssl(tmp_path, "pkey", "-in", "ours.key", "-noout", "-text")
    assert "SM2" in shown
    assert key.public_key.hex() in shown.replace(":", "").replace("\n", "").replace(" ", "")
    with pytest.raises(KeyFileError, match="no private key"):
        keyfile.load(tmp_path / "ours.key")


def test_a_damaged_key_file_is_refused_with_the_reason(tmp_path: Path) -> None:
    key = Sm2PrivateKey.generate()
    for name, broken, reason in (
        ("halves", Sm2PrivateKey(key.seed, Sm2PrivateKey.generate().public_key), "halves"),
        ("zero", Sm2PrivateKey(bytes(32), key.public_key), "damaged"),
        ("point", Sm2PrivateKey(key.seed, b"\x04" + bytes(64)), "not a point"),
    ):
        keyfile.save(tmp_path / name, broken, None)
        with pytest.raises(KeyFileError, match=reason):
            keyfile.load_any(tmp_path / name)
    with pytest.raises(KeyFileError, match="cannot be encrypted"):
        keyfile.save(tmp_path / "secret", key, b"passphrase")
    assert not (tmp_path / "secret").exists()


def test_ed25519_keys_are_still_read(tmp_path: Path) -> None:
    key = PrivateKey.generate()
    keyfile.save(tmp_path / "plain", key, None)
    keyfile.save(tmp_path / "secret", key, b"passphrase")
    assert keyfile.load_any(tmp_path / "plain") == key
    assert keyfile.load_any(tmp_path / "secret", b"passphrase") == key


def test_the_key_prints_nothing_secret() -> None:
    assert repr(KEY) == f"Sm2PrivateKey(keyid={KEY.keyid[:16]}…)"
    assert SECRET.hex() not in repr(KEY)


def test_an_envelope_can_hold_signatures_of_both_suites() -> None:
    envelope = sign_envelope(b"{}", [PrivateKey.generate(), KEY])
    assert envelope.count(b'"keyid"') == 2
