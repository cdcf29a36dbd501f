"""Cosignatures as others make them, and as nobody may.

`torchwood.txt` holds a verifier key and a signature line each of Ed25519 and ML-DSA-44, made by
filippo.io/torchwood v0.10.0 (`NewCosignatureSigner` over TEXT, keys from the seed of 32 bytes 07).
"""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.errors import FormatError, ProofError
from ledger.log import cosignature, note
from ledger.log.cosignature import TIME_MAX, CosignerKey, find_cosignatures, parse_lines
from ledger.log.note import Signer
from ledger.signing import encode_base64
from tests.support.organisation import key_of
from tests.support.witnesses import COSIGNER

TEXT = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
LINES = Path(__file__).with_name("torchwood.txt").read_text().splitlines()
PAIRS = zip(LINES[::2], LINES[1::2], strict=True)
OTHERS = [(CosignerKey.parse(vkey), line) for vkey, line in PAIRS]
EXTENDED = TEXT + "an extension\n"


@pytest.mark.parametrize(("key", "line"), OTHERS, ids=["ed25519", "ml-dsa-44"])
def test_what_another_program_cosigned_is_verified(key: CosignerKey, line: str) -> None:
    (found,) = find_cosignatures(TEXT, parse_lines(f"{line}\n".encode()), [key])
    assert found.name == "witness.example/w1"
    assert found.line == line
    assert found.time > 1_700_000_000
    assert key.text in LINES


@pytest.mark.parametrize(("key", "line"), OTHERS, ids=["ed25519", "ml-dsa-44"])
def test_every_changed_part_of_a_cosignature_is_noticed(key: CosignerKey, line: str) -> None:
    signature = note.parse_signature(line).signature
    for place in (0, 7, 8, 40, len(signature) - 1):
        changed = bytearray(signature)
        changed[place] ^= 1
        with pytest.raises(ProofError):
            key.check(TEXT, bytes(changed))
    for cut in (signature[:-1], signature + b"x", b""):
        with pytest.raises(ProofError, match="length"):
            key.check(TEXT, cut)
    with pytest.raises(ProofError):
        key.check(TEXT.replace("20852163", "20852164"), signature)
    with pytest.raises(ProofError):
        key.check(EXTENDED, signature)


def test_an_ed25519_key_may_be_used_under_another_name_but_an_ml_dsa_one_not() -> None:
    # The C2SP text says so: only type 06 commits to the name.
    (plain, plain_line), (mldsa, mldsa_line) = OTHERS
    other = CosignerKey("other.example", plain.type, plain.public_key)
    assert other.check(TEXT, note.parse_signature(plain_line).signature) > 0
    other = CosignerKey("other.example", mldsa.type, mldsa.public_key)
    with pytest.raises(ProofError, match="is bad"):
        other.check(TEXT, note.parse_signature(mldsa_line).signature)


@given(st.integers(0, TIME_MAX))
def test_what_is_cosigned_is_read_back_with_its_time(time: int) -> None:
    for text in (TEXT, EXTENDED):
        line = COSIGNER.line(text, time)
        (found,) = find_cosignatures(text, [note.parse_signature(line)], [COSIGNER.vkey])
        assert (found.time, found.line) == (time, line)
    assert CosignerKey.parse(COSIGNER.vkey.text) == COSIGNER.vkey


def test_a_notes_plain_signature_is_no_cosignature_and_a_strangers_is_ignored() -> None:
    plain = Signer(COSIGNER.name, key_of("witness 1")).sign(TEXT).decode().split("\n\n")[1]
    assert find_cosignatures(TEXT, parse_lines(plain.encode()), [COSIGNER.vkey]) == []
    assert find_cosignatures(TEXT, parse_lines(f"{OTHERS[0][1]}\n".encode()), [COSIGNER.vkey]) == []


def test_a_kind_of_key_that_cannot_be_checked_here_counts_as_unknown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def missing(_key: bytes) -> None:
        raise ImportError

    monkeypatch.setattr(cosignature, "_ml_dsa_key", missing)
    key, line = OTHERS[1]
    assert find_cosignatures(TEXT, parse_lines(f"{line}\n".encode()), [key]) == []


@pytest.mark.parametrize(
    ("typed", "reason"),
    [
        (b"\x01" + bytes(32), "type 04"),
        (b"\x04" + bytes(31), "type 04"),
        (b"\x06" + bytes(32), "type 04"),
        (b"\x04" + bytes(32), "small order"),
    ],
)
def test_what_is_no_cosigners_key_is_refused(typed: bytes, reason: str) -> None:
    with pytest.raises(FormatError, match=reason):
        CosignerKey.parse(note.vkey_text("w", typed))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\n",
        OTHERS[0][1].encode(),
        b"\xff\n",
        b"- w AAAA\n",
        f"{OTHERS[0][1]}\r\n".encode(),
        f"{OTHERS[0][1]}\n\n".encode(),
        f"\u2014 w {encode_base64(bytes(4))}\n".encode(),
        f"{OTHERS[0][1]}\n".encode() * 101,
    ],
)
def test_what_are_not_exactly_signature_lines_is_refused(data: bytes) -> None:
    with pytest.raises(FormatError):
        parse_lines(data)
