from __future__ import annotations

import pytest

from ledger.entry import entry_bytes, parse_entry
from ledger.errors import FormatError, ProofError
from ledger.log.checkpoint import Checkpoint, sign
from ledger.log.merkle import inclusion_proof, leaf_hash, root_of
from ledger.log.receipt import Receipt, encode
from ledger.verify.receipt import verify_receipt_file
from tests.support.organisation import ORIGIN, Organisation, key_of
from tests.support.static_log import LOG_SIGNER, OTHER_SIGNER, Recorder, small_log


def receipt_of(entries: list[bytes], index: int, origin: str = ORIGIN) -> bytes:
    leaves = [leaf_hash(each) for each in entries]

    def get(node: tuple[int, int]) -> bytes:
        level, at = node
        return root_of(leaves[at << level : (at + 1) << level])

    note = sign(Checkpoint(origin, len(entries), root_of(leaves)), LOG_SIGNER)
    proof = tuple(inclusion_proof(index, len(entries), get))
    return encode(Receipt(entries[index], index, proof, note))


@pytest.fixture(scope="module")
def recorder() -> Recorder:
    organisation = Organisation()
    recorder = small_log(organisation, 3)
    ident = organisation.new_id()
    recorder.record(organisation.award("m-2", points=1_205, ident=ident))
    recorder.record(organisation.award("m-3", points=50, kind="points.deducted"))
    recorder.record(organisation.correction("m-2", ident, 900))
    recorder.record(organisation.correction("m-2", parse_entry(recorder.entries[-1]).statement.id))
    return recorder


def test_it_says_what_the_entry_awards_and_who_signed(recorder: Recorder) -> None:
    index = len(recorder.entries) - 4
    report = verify_receipt_file(receipt_of(recorder.entries, index), LOG_SIGNER.vkey)
    text = "\n".join(report.lines())
    assert (report.index, report.checkpoint.size) == (index, len(recorder.entries))
    assert set(report.keyids) == {key_of("rec-1").keyid, key_of("com-1").keyid}
    for said in (
        "+12.05 for C-1",
        "rules 1.0.0, act of 2026-01-06",
        f"entry       {index} of {len(recorder.entries)}",
        report.entry.recorded_at,
        report.entry.statement.id,
        "member/m-2",
        *report.keyids,
    ):
        assert said in text


def test_it_says_what_a_receipt_does_not_show(recorder: Recorder) -> None:
    report = verify_receipt_file(receipt_of(recorder.entries, 0), LOG_SIGNER.vkey)
    open_ends = [line for line in report.lines() if line.startswith("not shown")]
    for word, line in zip(("signatures", "reversed", "witness"), open_ends, strict=True):
        assert word in line


def test_every_kind_of_entry_is_shown(recorder: Recorder) -> None:
    shown = [
        "\n".join(verify_receipt_file(receipt_of(recorder.entries, i), LOG_SIGNER.vkey).lines())
        for i in range(len(recorder.entries))
    ]
    assert "-0.50 for D-1" in shown[-3]
    assert "reverses" in shown[-2]
    assert "+9.00 for C-1" in shown[-2]
    assert "points  " not in shown[-1]


def test_a_receipt_signed_by_another_key_is_refused(recorder: Recorder) -> None:
    with pytest.raises(ProofError, match="no known key"):
        verify_receipt_file(receipt_of(recorder.entries, 5), OTHER_SIGNER.vkey)


def test_a_receipt_whose_entry_was_changed_is_refused(recorder: Recorder) -> None:
    entries = list(recorder.entries)
    good = receipt_of(entries, 5)
    entry = parse_entry(entries[5])
    entries[5] = entry_bytes(
        entry.stream, entry.seq + 1, entry.prev, entry.recorded_at, entry.statement.envelope
    )
    lines = good.split(b"\n")
    lines[1] = receipt_of(entries, 5).split(b"\n")[1]
    with pytest.raises(ProofError, match="does not lead to the root"):
        verify_receipt_file(b"\n".join(lines), LOG_SIGNER.vkey)


def test_a_receipt_of_something_that_is_no_entry_is_refused(recorder: Recorder) -> None:
    entries = [*recorder.entries, b"not an entry"]
    with pytest.raises(FormatError, match="not JSON"):
        verify_receipt_file(receipt_of(entries, len(entries) - 1), LOG_SIGNER.vkey)


def test_a_statement_meant_for_another_log_is_refused(recorder: Recorder) -> None:
    elsewhere = Recorder()
    for each in Organisation(origin="elsewhere.example/points").set_up():
        elsewhere.record(each)
    with pytest.raises(ProofError, match=r"meant for the log elsewhere\.example/points"):
        verify_receipt_file(receipt_of(elsewhere.entries, 3), LOG_SIGNER.vkey)


def test_what_is_no_receipt_is_refused() -> None:
    for data in (b"", b"hello", b"c2sp.org/tlog-proof@v1\n"):
        with pytest.raises(FormatError):
            verify_receipt_file(data, LOG_SIGNER.vkey)
