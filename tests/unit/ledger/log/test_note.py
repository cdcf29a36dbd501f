from __future__ import annotations

import base64
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.errors import FormatError, ProofError
from ledger.log import note
from ledger.log.note import Signer, VerifierKey
from tests.support.organisation import key_of

SIGNER = Signer("log.example/one", key_of("note"))
OTHER = Signer("witness.example/w", key_of("other"))
TEXT = "log.example/one\n3\nWqx3HImawpLnS/Gv4ubjAvi1WIOy0b8Ze0amvqbavKk=\n"
GOOD = SIGNER.sign(TEXT)
LINE = GOOD.decode().split("\n\n")[1]
OTHER_LINE = OTHER.sign(TEXT).decode().split("\n\n")[1]


def bad_line() -> str:
    """A signature line by the known key over another text."""
    return SIGNER.sign("something else\n").decode().split("\n\n")[1]


def test_what_a_signer_signs_its_key_verifies() -> None:
    opened = note.verify(GOOD, [SIGNER.vkey])
    assert opened.text == TEXT
    assert SIGNER.sign(TEXT) == GOOD


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1))
def test_any_text_without_control_characters_can_be_signed(line: str) -> None:
    text = line + "\n"
    assert note.verify(SIGNER.sign(text), [SIGNER.vkey]).text == text


def test_a_text_may_hold_blank_lines() -> None:
    text = "one\n\ntwo\n"
    assert note.verify(SIGNER.sign(text), [SIGNER.vkey]).text == text


def test_a_signature_by_an_unknown_key_is_passed_over() -> None:
    data = GOOD + OTHER_LINE.encode()
    assert len(note.verify(data, [SIGNER.vkey]).signatures) == 2


def test_a_note_that_no_known_key_signed_is_refused() -> None:
    with pytest.raises(ProofError, match="no known key signed"):
        note.verify(OTHER.sign(TEXT), [SIGNER.vkey])


@pytest.mark.parametrize("place", ["before", "after"])
def test_a_bad_signature_by_a_known_key_refuses_the_note_beside_a_good_one(place: str) -> None:
    lines = bad_line() + LINE if place == "before" else LINE + bad_line()
    with pytest.raises(ProofError, match=r"in the name of log\.example/one is bad"):
        note.verify(f"{TEXT}\n{lines}".encode(), [SIGNER.vkey])


def test_a_hundred_signatures_are_read_and_one_more_is_not() -> None:
    hundred = GOOD + OTHER_LINE.encode() * 99
    assert len(note.verify(hundred, [SIGNER.vkey]).signatures) == 100
    with pytest.raises(FormatError, match="101 signatures"):
        note.parse(hundred + OTHER_LINE.encode())


def spoil(how: Callable[[str], str]) -> bytes:
    return how(GOOD.decode()).encode()


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (GOOD[:-1], "does not end in a newline"),
        (spoil(lambda text: text.replace("\n", "\r\n")), "no blank line|control character"),
        (spoil(lambda text: text.replace("\n3\n", "\n3\r\n")), "control character"),
        (spoil(lambda text: text.replace("\n\n", "\n")), "no blank line"),
        (spoil(lambda text: text.split("\n\n")[0] + "\n\n"), "no blank line with signatures"),
        (spoil(lambda text: text + "\n"), "no blank line|not a signature line"),
        (spoil(lambda text: text.replace("— ", "- ")), "not a signature line"),
        (spoil(lambda text: text.replace("— ", "—  ")), "not a signature line"),
        (spoil(lambda text: text + "trailing\n"), "not a signature line"),
        (spoil(lambda text: text.replace("log", "l\tog", 1)), "control character"),
        (b"\xff" + GOOD, "not UTF-8"),
        (b"\n" + LINE.encode(), "no blank line|is not empty"),
        (b"x" * 70_000 + GOOD, "at most"),
        (f"{TEXT}\n— log.example/one AAAA\n".encode(), "4-byte key id"),
    ],
)
def test_what_is_not_exactly_a_note_is_refused(data: bytes, reason: str) -> None:
    with pytest.raises(FormatError, match=reason):
        note.verify(data, [SIGNER.vkey])


def test_a_signature_in_base64_with_unused_bits_set_is_refused() -> None:
    name, encoded = LINE.strip().removeprefix("— ").split(" ")
    raw = base64.b64decode(encoded)
    assert len(raw) % 3 == 2, "one unused pair of bits, in the digit before the padding"
    digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    odd = digits[digits.index(encoded[-2]) + 1]
    other = f"{encoded[:-2]}{odd}="
    assert base64.b64decode(other) == raw
    with pytest.raises(FormatError, match="not canonical"):
        note.parse(f"{TEXT}\n— {name} {other}\n".encode())


def test_a_text_that_can_be_no_note_is_not_signed() -> None:
    for text in ("", "\n", "no newline", "a\rb\n", "tab\t\n"):
        with pytest.raises(FormatError):
            SIGNER.sign(text)


def test_a_verifier_key_is_read_back_from_its_text() -> None:
    assert VerifierKey.parse(SIGNER.vkey.text) == SIGNER.vkey


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "is written"),
        (SIGNER.vkey.text + "\n", "is written"),
        (SIGNER.vkey.text.replace("+", " ", 1), "is written"),
        (SIGNER.vkey.text.replace("log", "lag"), "a typo"),
        (SIGNER.vkey.text.upper(), "is written|a typo"),
        (f"n+00000000+{base64.b64encode(bytes([4]) + bytes(32)).decode()}", "type 01"),
        (f"n+00000000+{base64.b64encode(bytes([1]) + bytes(31)).decode()}", "type 01"),
    ],
)
def test_a_verifier_key_with_a_mistake_is_refused(text: str, reason: str) -> None:
    with pytest.raises(FormatError, match=reason):
        VerifierKey.parse(text)
