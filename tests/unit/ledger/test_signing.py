from __future__ import annotations

import base64
import json

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.errors import FormatError
from ledger.signing import (
    PAYLOAD_TYPE,
    PrivateKey,
    check_public_key,
    decode_base64,
    encode_base64,
    keyid,
    pae,
    sign_envelope,
    verify,
)
from tests.support.organisation import key_of

L = 2**252 + 27742317777372353535851937790883648493
P = 2**255 - 19
KEY = key_of("signing")
SMALL_ORDER = [
    bytes(32),
    bytes(31) + b"\x80",
    b"\x01" + bytes(31),
    b"\x01" + bytes(30) + b"\x80",
    (P - 1).to_bytes(32, "little"),
    bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"),
    bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85"),
    bytes.fromhex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"),
    bytes.fromhex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa"),
]
NON_CANONICAL = [
    P.to_bytes(32, "little"),
    (P + 1).to_bytes(32, "little"),
    (P + 9).to_bytes(32, "little"),
    b"\xff" * 32,
]


@given(st.binary(min_size=32, max_size=32), st.binary(max_size=200))
@settings(max_examples=50, deadline=None)
def test_it_signs_as_another_implementation_of_ed25519(seed: bytes, message: bytes) -> None:
    key, other = PrivateKey.from_seed(seed), Ed25519PrivateKey.from_private_bytes(seed)
    assert key.public_key == other.public_key().public_bytes_raw()
    assert key.sign(message) == other.sign(message)
    assert verify(key.public_key, message, other.sign(message))
    check_public_key(key.public_key)


@given(st.binary(max_size=60), st.data())
@settings(max_examples=150, deadline=None)
def test_a_changed_signature_message_or_key_does_not_verify(
    message: bytes, data: st.DataObject
) -> None:
    parts = [KEY.public_key, message + b".", KEY.sign(message + b".")]
    which = data.draw(st.integers(0, 2))
    at = data.draw(st.integers(0, len(parts[which]) - 1))
    bit = 1 << data.draw(st.integers(0, 7))
    changed = bytearray(parts[which])
    changed[at] ^= bit
    parts[which] = bytes(changed)
    assert not verify(*parts)
    with pytest.raises(InvalidSignature):
        Ed25519PublicKey.from_public_bytes(parts[0]).verify(parts[2], parts[1])


def test_a_signature_with_s_not_below_l_is_refused() -> None:
    sig = KEY.sign(b"m")
    s = int.from_bytes(sig[32:], "little")
    for more in (L, 2 * L, 8 * L):
        if s + more < 2**256:
            assert not verify(KEY.public_key, b"m", sig[:32] + (s + more).to_bytes(32, "little"))


@pytest.mark.parametrize("key", SMALL_ORDER + NON_CANONICAL, ids=bytes.hex)
def test_a_key_of_small_order_or_odd_encoding_signs_nothing(key: bytes) -> None:
    # With the neutral element as key and as R, and S = 0, the bare equation holds for any message.
    for r in SMALL_ORDER + NON_CANONICAL:
        assert not verify(key, b"any message", r + bytes(32))


@pytest.mark.parametrize("r", SMALL_ORDER + NON_CANONICAL, ids=bytes.hex)
def test_a_signature_with_r_of_small_order_is_refused(r: bytes) -> None:
    for s in (bytes(32), b"\x01" + bytes(31)):
        assert not verify(KEY.public_key, b"m", r + s)


@pytest.mark.parametrize("key", SMALL_ORDER, ids=bytes.hex)
def test_a_key_of_small_order_is_not_registered(key: bytes) -> None:
    with pytest.raises(FormatError, match="small order"):
        check_public_key(key)


@pytest.mark.parametrize("key", NON_CANONICAL, ids=bytes.hex)
def test_a_key_that_is_not_canonical_is_not_registered(key: bytes) -> None:
    with pytest.raises(FormatError, match="not canonically encoded"):
        check_public_key(key)


def test_a_key_off_the_curve_is_not_registered() -> None:
    # y = 2 gives no square for x².
    with pytest.raises(FormatError, match="not a point of the curve"):
        check_public_key(b"\x02" + bytes(31))
    with pytest.raises(FormatError, match="32 bytes"):
        check_public_key(bytes(31))


def test_lengths_that_no_key_or_signature_has_do_not_verify() -> None:
    sig = KEY.sign(b"m")
    assert not verify(KEY.public_key, b"m", sig + b"\x00")
    assert not verify(KEY.public_key, b"m", sig[:-1])
    assert not verify(KEY.public_key[:-1], b"m", sig)


def test_what_is_signed_is_the_encoding_of_dsse() -> None:
    assert pae(b"hello world", "http://example.com/HelloWorld") == (
        b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    )
    assert pae("é".encode(), "t") == b"DSSEv1 1 t 2 \xc3\xa9"
    assert pae(b"{}") == b"DSSEv1 %d %b 2 {}" % (len(PAYLOAD_TYPE), PAYLOAD_TYPE.encode())


def test_an_envelope_lists_its_signatures_by_key_id() -> None:
    keys = [key_of(name) for name in "abcd"]
    envelope = json.loads(sign_envelope(b"{}", keys))
    listed = [each["keyid"] for each in envelope["signatures"]]
    assert listed == sorted(keyid(key.public_key) for key in keys)
    by_id = {key.keyid: key for key in keys}
    for each in envelope["signatures"]:
        sig = base64.b64decode(each["sig"])
        assert verify(by_id[each["keyid"]].public_key, pae(b"{}"), sig)


@given(st.binary(max_size=50))
def test_base64_is_read_back(raw: bytes) -> None:
    assert decode_base64(encode_base64(raw), len(raw)) == raw


@given(st.text("ABQRwxgh+/=", max_size=12))
@settings(max_examples=1_000)
def test_text_that_is_read_as_base64_is_the_only_one_of_its_bytes(text: str) -> None:
    try:
        raw = decode_base64(text)
    except FormatError:
        return
    assert base64.b64encode(raw).decode() == text


@pytest.mark.parametrize(
    "text",
    ["QQ", "QQ=", "QR==", "QUJ=", "Q Q==", "QQ==\n", "QQ==QQ==", "-_8=", "ÄÄ==", "=", "QUI==="],
)
def test_base64_that_is_written_otherwise_is_refused(text: str) -> None:
    with pytest.raises(FormatError):
        decode_base64(text)


def test_a_private_key_shows_nothing_of_itself() -> None:
    assert KEY.seed.hex() not in repr(KEY)
    assert "seed" not in repr(KEY)
