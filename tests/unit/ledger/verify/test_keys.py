from __future__ import annotations

from pathlib import Path

import pytest

from ledger.errors import FormatError
from ledger.verify.keys import load_vkey
from tests.support.static_log import LOG_SIGNER

VKEY = LOG_SIGNER.vkey


def test_a_key_is_given_as_its_text() -> None:
    assert load_vkey(VKEY.text) == VKEY
    assert load_vkey(VKEY.text + "\n") == VKEY


@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_a_key_is_given_as_a_file_with_its_text(tmp_path: Path, end: str) -> None:
    file = tmp_path / "log+points.vkey"
    file.write_text(VKEY.text + end)
    assert load_vkey(str(file)) == VKEY


def test_a_file_with_something_else_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "log.vkey"
    for data in (b"", b"\xff\xfe", VKEY.text.encode() * 2, b"x" * 10_000):
        file.write_bytes(data)
        with pytest.raises(FormatError):
            load_vkey(str(file))


def test_a_name_that_is_no_file_is_said_to_be_neither(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="neither a verifier key nor a file"):
        load_vkey(str(tmp_path / "missing.vkey"))
    with pytest.raises(FormatError):
        load_vkey("x" * 100_000)
    with pytest.raises(FormatError):
        load_vkey("\0")
    with pytest.raises(FormatError):
        load_vkey("")


def test_a_typo_in_a_key_is_named_as_one() -> None:
    with pytest.raises(FormatError, match="a typo"):
        load_vkey(VKEY.text.replace("test.", "tset."))
