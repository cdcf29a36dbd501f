from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.errors import FormatError, MingzhangError, ProofError
from ledger.log.checkpoint import Checkpoint, sign
from ledger.log.merkle import inclusion_proof, leaf_hash, root_of
from ledger.log.note import Signer
from ledger.log.receipt import BatchEncoder, Receipt, encode, parse, verify_receipt
from tests.support.organisation import key_of

SIGNER = Signer("log.example/one", key_of("receipt"))
ENTRIES = [b'{"entry":%d}' % index for index in range(21)]


def receipt(index: int, size: int) -> Receipt:
    leaves = [leaf_hash(each) for each in ENTRIES[:size]]

    def get(node: tuple[int, int]) -> bytes:
        level, at = node
        return root_of(leaves[at << level : (at + 1) << level])

    note = sign(Checkpoint(SIGNER.name, size, root_of(leaves)), SIGNER)
    return Receipt(ENTRIES[index], index, tuple(inclusion_proof(index, size, get)), note)


@pytest.mark.parametrize("size", range(1, len(ENTRIES) + 1))
def test_every_receipt_of_a_log_holds_and_is_read_back(size: int) -> None:
    for index in range(size):
        made = receipt(index, size)
        assert parse(encode(made)) == made
        assert verify_receipt(parse(encode(made)), SIGNER.vkey).size == size


def test_a_batch_of_receipts_has_the_same_bytes_as_each_alone() -> None:
    encoder = BatchEncoder(receipt(0, 21).checkpoint)
    for index in range(21):
        made = receipt(index, 21)
        assert encoder(made.entry, made.index, made.proof) == encode(made)


def test_its_text_is_the_format_of_tlog_proof() -> None:
    lines = encode(receipt(0, 2)).decode().split("\n")
    assert lines[0] == "c2sp.org/tlog-proof@v1"
    assert lines[1].startswith("extra ")
    assert lines[2] == "index 0"
    assert len(lines[3]) == 44
    assert lines[4] == ""
    assert lines[5:8] == [SIGNER.name, "2", lines[7]]


@given(st.data())
@settings(max_examples=300, deadline=None)
def test_a_receipt_with_any_byte_changed_is_refused(data: st.DataObject) -> None:
    good = encode(receipt(11, 21))
    at = data.draw(st.integers(0, len(good) - 1))
    other = data.draw(st.integers(0, 255).filter(lambda byte: byte != good[at]))
    with pytest.raises(MingzhangError):
        verify_receipt(parse(good[:at] + bytes([other]) + good[at + 1 :]), SIGNER.vkey)


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        (b"@v1", b"@v2", "does not begin with"),
        (b"index 11", b"index 011", "without leading zeros"),
        (b"index 11", b"index -1", "no decimal"),
        (b"index 11\n", b"", "then a line `index`"),
        (b"extra ", b"extra  ", "not base64"),
        (b"\n\n", b"\n", "no blank line|not base64"),
        (b"index 11\n", b"index 11\n" + b"A" * 43 + b"=\n" * 64, "63 at most|not base64"),
        (b"index 11\n", b"index 11\nAAAA\n", "32 are needed"),
        (b"index", "ïndex".encode(), "not ASCII"),
    ],
)
def test_what_is_not_exactly_a_receipt_is_refused(old: bytes, new: bytes, reason: str) -> None:
    with pytest.raises(FormatError, match=reason):
        parse(encode(receipt(11, 21)).replace(old, new, 1))


def test_a_receipt_with_windows_line_ends_is_refused() -> None:
    with pytest.raises(FormatError):
        parse(encode(receipt(11, 21)).replace(b"\n", b"\r\n"))


def test_a_receipt_of_another_index_does_not_hold() -> None:
    with pytest.raises(ProofError, match="does not lead to the root"):
        verify_receipt(replace(receipt(11, 21), index=10), SIGNER.vkey)


def test_a_huge_receipt_is_not_read() -> None:
    with pytest.raises(FormatError, match="at most"):
        parse(b"c2sp.org/tlog-proof@v1\n" + b"x" * 300_000)
