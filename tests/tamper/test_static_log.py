"""Whoever changes an exported log is found out: the kind, the place and the reason are named.

First what somebody without the log's key can do to the files, then what its owner can do, who
rebuilds tree and checkpoint around the change.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from ledger.entry import NO_HASH, entry_bytes, format_instant, parse_entry
from ledger.log import checkpoint
from ledger.log.checkpoint import open_checkpoint
from ledger.log.merkle import leaf_hash
from ledger.log.note import Signer
from ledger.log.tiles import decode_entries, encode_entries
from ledger.signing import join_envelope
from ledger.verify.report import Failure, Report
from ledger.verify.whole import verify_log
from tests.support.organisation import COMMITMENT, ORIGIN, Organisation, key_of
from tests.support.static_log import (
    LOG_SIGNER,
    OTHER_SIGNER,
    Recorder,
    rewrite_log,
    small_log,
    with_new_chains,
    write_log,
)

AWARDS = 558
FIRST_BUNDLE = Path("tile/entries/000")
SECOND_BUNDLE = Path("tile/entries/001")


@pytest.fixture(scope="module")
def entries() -> list[bytes]:
    return small_log(Organisation(), AWARDS).entries


@pytest.fixture(scope="module")
def untouched(entries: list[bytes], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("untouched") / "log"
    write_log(folder, entries)
    return folder


@pytest.fixture
def log(untouched: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(untouched, tmp_path / "log"))


def verify(folder: Path, older: bytes | None = None, workers: int = 0) -> Report:
    return verify_log(str(folder), LOG_SIGNER.vkey, from_checkpoint=older, workers=workers)


def fault(folder: Path, older: bytes | None = None) -> Failure:
    report = verify(folder, older)
    assert not report.ok
    assert report.failure is not None
    assert str(report.failure) in report.lines()[-1]
    return report.failure


def edit(file: Path, change: Callable[[bytes], bytes]) -> None:
    file.write_bytes(change(file.read_bytes()))


def edit_bundle(file: Path, change: Callable[[list[bytes]], list[bytes]]) -> None:
    edit(file, lambda data: encode_entries(change(decode_entries(data))))


def flipped(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def swapped(items: list[bytes], one: int, other: int) -> list[bytes]:
    items = list(items)
    items[one], items[other] = items[other], items[one]
    return items


def test_an_untouched_log_holds(log: Path, entries: list[bytes]) -> None:
    report = verify(log)
    assert report.ok
    assert (report.size, report.entries) == (len(entries), len(entries))
    assert (report.streams, report.keys, report.members) == (13, 7, 4)
    assert report.signatures == 2 * AWARDS + 2 + 2 + 5 * 3 + 2 + 2 + 4
    assert report.lines()[-1].startswith("OK")


def test_worker_processes_find_the_same(log: Path) -> None:
    assert replace(verify(log, workers=2), seconds=0.0, workers=1) == replace(
        verify(log), seconds=0.0
    )
    edit(log / SECOND_BUNDLE, lambda data: flipped(data, 10_000))
    assert verify(log, workers=2).failure == verify(log).failure


def test_progress_is_told_up_to_the_end(log: Path, entries: list[bytes]) -> None:
    told: list[tuple[int, int]] = []
    verify_log(
        str(log), LOG_SIGNER.vkey, workers=0, progress=lambda done, size: told.append((done, size))
    )
    assert told[-1] == (len(entries), len(entries))
    assert len(told) == 3


# -- without the log's key ---------------------------------------------------------------------


@pytest.mark.parametrize("index", [0, 1, 255, 256, 300, 576])
def test_one_flipped_byte_in_an_entry_is_named(log: Path, entries: list[bytes], index: int) -> None:
    file = next(log.glob(f"tile/entries/{index // 256:03d}*"))
    file = next(file.iterdir()) if file.is_dir() else file
    edit_bundle(file, lambda found: [flipped(e, 300) if e == entries[index] else e for e in found])
    found = fault(log)
    assert (found.kind, found.index) == ("entry-changed", index)
    assert "bytes were changed" in found.reason
    assert "signed root covers the tile's hash" in found.reason


def test_the_statement_and_stream_of_a_changed_entry_are_named(
    log: Path, entries: list[bytes]
) -> None:
    entry = parse_entry(entries[100])
    other = entry_bytes(
        entry.stream, entry.seq, "0f" * 32, entry.recorded_at, entry.statement.envelope
    )
    edit_bundle(log / FIRST_BUNDLE, lambda found: [other if e == entry.data else e for e in found])
    found = fault(log)
    assert (found.index, found.statement_id, found.stream) == (
        100,
        entry.statement.id,
        entry.stream,
    )
    assert f"entry 100 (statement {entry.statement.id}, stream {entry.stream})" in str(found)


def test_a_flipped_byte_in_a_length_is_named_at_its_entry(log: Path, entries: list[bytes]) -> None:
    start = len(encode_entries(entries[256:260]))
    edit(log / SECOND_BUNDLE, lambda data: flipped(data, start + 1))
    assert fault(log).index == 260


def test_a_dropped_entry_is_named(log: Path) -> None:
    edit_bundle(log / SECOND_BUNDLE, lambda found: [*found[:44], *found[45:]])
    found = fault(log)
    assert (found.kind, found.index) == ("entry-missing", 300)


@pytest.mark.parametrize("index", [511, 576])
def test_a_dropped_last_entry_of_a_bundle_is_named(log: Path, index: int) -> None:
    file = log / SECOND_BUNDLE if index == 511 else log / "tile/entries/002.p/65"
    edit_bundle(file, lambda found: found[:-1])
    found = fault(log)
    assert (found.kind, found.index) == ("entry-missing", index)


def test_a_dropped_entry_after_which_all_others_moved_up_is_named(
    log: Path, entries: list[bytes]
) -> None:
    kept = [*entries[:255], *entries[256:]]
    (log / FIRST_BUNDLE).write_bytes(encode_entries(kept[:256]))
    (log / SECOND_BUNDLE).write_bytes(encode_entries(kept[256:512]))
    (log / "tile/entries/002.p/65").write_bytes(encode_entries(kept[512:]))
    found = fault(log)
    assert (found.kind, found.index) == ("entry-missing", 255)


def test_two_swapped_entries_are_named(log: Path) -> None:
    edit_bundle(log / FIRST_BUNDLE, lambda found: swapped(found, 60, 61))
    found = fault(log)
    assert (found.kind, found.index) == ("entries-swapped", 60)
    assert "entry 61" in found.reason


def test_two_entries_swapped_between_bundles_are_named(log: Path, entries: list[bytes]) -> None:
    changed = swapped(entries, 70, 420)
    (log / FIRST_BUNDLE).write_bytes(encode_entries(changed[:256]))
    (log / SECOND_BUNDLE).write_bytes(encode_entries(changed[256:512]))
    found = fault(log)
    assert (found.kind, found.index) == ("entries-swapped", 70)
    assert "entry 420" in found.reason


def test_an_entry_that_stands_twice_is_named(log: Path) -> None:
    edit_bundle(log / FIRST_BUNDLE, lambda found: [*found[:80], found[30], *found[81:]])
    found = fault(log)
    assert (found.kind, found.index) == ("entry-moved", 80)
    assert "entry 30" in found.reason


def test_an_entry_too_many_is_named(log: Path) -> None:
    edit_bundle(log / SECOND_BUNDLE, lambda found: [*found, found[0]])
    assert (fault(log).kind, fault(log).index) == ("bundle", 511)


@pytest.mark.parametrize("cut", [1, 300, 40_000])
def test_a_bundle_that_is_cut_is_named_at_its_first_lost_entry(
    log: Path, entries: list[bytes], cut: int
) -> None:
    edit(log / SECOND_BUNDLE, lambda data: data[:-cut])
    whole = [n for n in range(257) if len(encode_entries(entries[256 : 256 + n])) <= _size(log)]
    assert fault(log).index == 256 + whole[-1]


def _size(log: Path) -> int:
    return (log / SECOND_BUNDLE).stat().st_size


def test_a_flipped_byte_in_a_hash_tile_is_the_tiles_fault(log: Path) -> None:
    edit(log / "tile/0/001", lambda data: flipped(data, 32 * 7 + 3))
    found = fault(log)
    assert (found.kind, found.index) == ("tile", 263)
    assert "hash 7 of tile/0/001" in found.reason


def test_a_wrong_partial_tile_is_named(log: Path) -> None:
    edit(log / "tile/0/002.p/65", lambda data: flipped(data, 0))
    assert (fault(log).kind, fault(log).index) == ("tile", 512)


def test_a_wrong_tile_of_an_upper_level_is_named(log: Path) -> None:
    edit(log / "tile/1/000.p/2", lambda data: flipped(data, 40))
    found = fault(log)
    assert (found.kind, found.index) == ("tile", 256)
    assert "tile/1/000.p/2" in found.reason


@pytest.mark.parametrize("path", ["tile/0/000", "tile/0/002.p/65", "tile/1/000.p/2"])
@pytest.mark.parametrize("change", ["cut", "grown", "empty"])
def test_a_hash_tile_of_the_wrong_length_is_named(log: Path, path: str, change: str) -> None:
    edit(
        log / path,
        lambda data: {"cut": data[:-5], "grown": data + bytes(32), "empty": b""}[change],
    )
    found = fault(log)
    assert found.kind == "tile"
    assert path in found.reason
    assert found.index == (512 if "002" in path else 0)


@pytest.mark.parametrize(
    "path",
    ["tile/0/001", "tile/entries/001", "tile/entries/002.p/65", "tile/1/000.p/2", "checkpoint"],
)
def test_a_missing_file_is_named(log: Path, path: str) -> None:
    (log / path).unlink()
    found = fault(log)
    assert found.kind == "file-missing"
    assert path in found.reason


def test_a_full_tile_stands_in_for_its_partial_one(log: Path, entries: list[bytes]) -> None:
    older = write_log(log.parent / "older", entries[:300])
    note = (log.parent / "older" / "checkpoint").read_bytes()
    (log / "checkpoint").write_bytes(note)
    (log / "tile/1/000.p/1").write_bytes((log / "tile/1/000.p/2").read_bytes()[:32])
    report = verify(log)
    assert report.ok
    assert report.size == older.size == 300


# -- the checkpoint ----------------------------------------------------------------------------


def test_a_checkpoint_over_another_root_signed_by_the_logs_key_is_named(
    log: Path, entries: list[bytes]
) -> None:
    signed = open_checkpoint((log / "checkpoint").read_bytes(), LOG_SIGNER.vkey)
    forged = replace(signed, root=bytes(31) + b"\x01")
    (log / "checkpoint").write_bytes(checkpoint.sign(forged, LOG_SIGNER))
    found = fault(log)
    assert (found.kind, found.index) == ("checkpoint-root", None)
    assert signed.root.hex() in found.reason
    assert forged.root.hex() in found.reason
    assert verify(log).entries == len(entries)


def test_a_checkpoint_signed_by_another_key_is_named(log: Path) -> None:
    signed = open_checkpoint((log / "checkpoint").read_bytes(), LOG_SIGNER.vkey)
    (log / "checkpoint").write_bytes(checkpoint.sign(signed, OTHER_SIGNER))
    found = fault(log)
    assert (found.kind, found.index) == ("checkpoint-signature", None)


def test_a_checkpoint_of_another_log_by_the_same_key_is_named(log: Path) -> None:
    signed = open_checkpoint((log / "checkpoint").read_bytes(), LOG_SIGNER.vkey)
    other = replace(signed, origin="elsewhere.example/points")
    (log / "checkpoint").write_bytes(checkpoint.sign(other, LOG_SIGNER))
    assert fault(log).kind == "checkpoint-signature"


def test_a_checkpoint_of_more_entries_than_there_are_is_named(log: Path) -> None:
    signed = open_checkpoint((log / "checkpoint").read_bytes(), LOG_SIGNER.vkey)
    larger = replace(signed, size=signed.size + 1)
    (log / "checkpoint").write_bytes(checkpoint.sign(larger, LOG_SIGNER))
    assert (fault(log).kind, fault(log).index) == ("file-missing", 512)


def _resigned(data: bytes, body: Callable[[str], str]) -> bytes:
    return LOG_SIGNER.sign(body(data.decode().split("\n\n")[0] + "\n"))


def _other_line(data: bytes) -> bytes:
    signer = Signer("witness.example/w", key_of("witness"))
    return signer.sign(data.decode().split("\n\n")[0] + "\n").split(b"\n\n")[1]


def _root_digit(body: str) -> str:
    digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    last = body[-3]
    return body[:-3] + digits[digits.index(last) + 1] + body[-2:]


def _bad_line(data: bytes) -> bytes:
    del data
    return LOG_SIGNER.sign("another text\n").split(b"\n\n")[1]


@pytest.mark.parametrize(
    ("change", "kind", "reason"),
    [
        (
            lambda d: _resigned(d, lambda b: b.replace("\n577\n", "\n0577\n")),
            "checkpoint-format",
            "without leading zeros",
        ),
        (
            lambda d: _resigned(d, lambda b: b + "extension\n"),
            "checkpoint-format",
            "extension line",
        ),
        (lambda d: _resigned(d, _root_digit), "checkpoint-format", "not canonical"),
        (lambda d: d + _bad_line(d), "checkpoint-signature", "is bad"),
        (
            lambda d: d.replace(b"\n\n", b"\n\n" + _bad_line(d)),
            "checkpoint-signature",
            "is bad",
        ),
        (lambda d: d[:-1], "checkpoint-format", "does not end in a newline"),
        (lambda d: d.replace(b"\n", b"\r\n"), "checkpoint-format", "control character|blank line"),
        (lambda d: d + _other_line(d) * 100, "checkpoint-format", "101 signatures"),
        (lambda d: b"", "checkpoint-format", "newline"),
        (lambda d: d * 500, "checkpoint-format", "larger than|not a signature line"),
    ],
)
def test_a_checkpoint_that_others_might_let_pass_is_refused(
    log: Path, change: Callable[[bytes], bytes], kind: str, reason: str
) -> None:
    edit(log / "checkpoint", change)
    found = fault(log)
    assert found.kind == kind
    assert any(each in found.reason for each in reason.split("|"))


def test_a_checkpoint_with_another_signature_beside_it_is_read(log: Path) -> None:
    edit(log / "checkpoint", lambda data: data + _other_line(data) * 99)
    assert verify(log).ok


# -- an older checkpoint -----------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 200, 256, 300, 577])
def test_an_older_checkpoint_is_a_prefix(
    log: Path, tmp_path: Path, entries: list[bytes], size: int
) -> None:
    write_log(tmp_path / "older", entries[:size])
    report = verify(log, (tmp_path / "older" / "checkpoint").read_bytes())
    assert report.ok
    assert report.from_size == size
    assert any("is a prefix" in line for line in report.lines())


@pytest.mark.parametrize("size", [40, 256, 300, 577])
def test_a_rewritten_history_is_no_continuation_of_the_old_checkpoint(
    log: Path, entries: list[bytes], size: int
) -> None:
    older = (log / "checkpoint").read_bytes()
    if size < len(entries):
        write_log(log.parent / "older", entries[:size])
        older = (log.parent / "older" / "checkpoint").read_bytes()
    organisation = Organisation(start=Organisation().now + timedelta(seconds=1))
    rewrite_log(log, small_log(organisation, AWARDS).entries)
    assert verify(log).ok
    found = fault(log, older)
    assert found.kind == "history"
    assert f"the first {size} entries" in found.reason


def test_a_log_that_shrank_is_named(log: Path, entries: list[bytes]) -> None:
    older = (log / "checkpoint").read_bytes()
    rewrite_log(log, entries[:500])
    assert fault(log, older).kind == "history"
    assert "shrank" in fault(log, older).reason


def test_an_older_checkpoint_must_be_by_the_logs_key_too(log: Path) -> None:
    signed = open_checkpoint((log / "checkpoint").read_bytes(), LOG_SIGNER.vkey)
    assert fault(log, checkpoint.sign(signed, OTHER_SIGNER)).kind == "checkpoint-signature"
    assert fault(log, b"nonsense").kind == "checkpoint-format"


# -- with the log's key: everything else is made to fit ----------------------------------------


class Insider:
    """Records what no sequencer would, then builds tree and checkpoint around it."""

    def __init__(self, folder: Path) -> None:
        self.organisation = Organisation()
        self.recorder: Recorder = small_log(self.organisation, 30)
        self._folder = folder

    def fault(self) -> Failure:
        write_log(self._folder, self.recorder.entries)
        return fault(self._folder)

    def record(self, envelope: bytes, recorded_at: str | None = None) -> int:
        """Record whatever it is, and return its index."""
        self.recorder.record(envelope, checked=False, recorded_at=recorded_at)
        return len(self.recorder.entries) - 1


@pytest.fixture
def insider(tmp_path: Path) -> Insider:
    return Insider(tmp_path / "insider")


def test_what_the_sequencer_allows_the_verifier_accepts(insider: Insider) -> None:
    write_log(insider._folder, insider.recorder.entries)
    assert verify(insider._folder).ok


def test_a_falling_recorded_at_is_named(insider: Insider) -> None:
    early = format_instant(insider.recorder.now - timedelta(minutes=5), micros=True)
    index = insider.record(insider.organisation.award("m-2"), recorded_at=early)
    found = insider.fault()
    assert (found.kind, found.index, found.stream) == ("recorded-at", index, "member/m-2")
    assert early in found.reason


def test_a_statement_id_that_is_used_twice_is_named(insider: Insider) -> None:
    ident = insider.organisation.new_id()
    insider.record(insider.organisation.award("m-2", ident=ident))
    index = insider.record(insider.organisation.award("m-3", points=500, ident=ident))
    insider.record(insider.organisation.award("m-3"))
    found = insider.fault()
    assert (found.kind, found.index, found.statement_id) == ("id-once", index, ident)


def test_a_statement_that_was_recorded_twice_is_named(insider: Insider) -> None:
    award = insider.organisation.award("m-2")
    insider.record(award)
    index = insider.record(award)
    assert (insider.fault().kind, insider.fault().index) == ("id-once", index)


@pytest.mark.parametrize(
    ("member", "signers", "kind"),
    [
        ("m-2", ("reg-2", "com-1"), "needs-recorder"),
        ("m-2", ("rec-1", "sec-1"), "needs-committee"),
        ("m-2", ("rec-1",), "needs-committee"),
        ("m-2", ("com-1",), "needs-recorder"),
        ("m-1", ("rec-2", "com-1"), "no-self-review"),
        ("m-1", ("rec-1", "rec-2", "com-1"), "no-self-review"),
        ("m-2", ("stranger", "com-1"), "signature|key-known"),
        ("m-9", ("rec-1", "com-1"), "member-known"),
    ],
)
def test_points_that_the_wrong_people_signed_are_named(
    insider: Insider, member: str, signers: tuple[str, ...], kind: str
) -> None:
    index = insider.record(insider.organisation.award(member, signers=signers))
    found = insider.fault()
    assert found.kind in kind.split("|")
    assert (found.index, found.stream) == (index, f"member/{member}")


def test_one_person_with_both_roles_is_not_two_people(insider: Insider) -> None:
    insider.recorder.record(insider.organisation.role("rec-1", "committee"))
    index = insider.record(insider.organisation.award("m-2", signers=("rec-1",)))
    assert (insider.fault().kind, insider.fault().index) == ("four-eyes", index)


def test_a_points_entry_by_a_revoked_key_is_named(insider: Insider) -> None:
    body = {"keyid": key_of("rec-1").keyid, "cause": "lost"}
    organisation = insider.organisation
    insider.recorder.record(organisation.statement("key.revoked", "actor/rec-1", "reg-1", body))
    index = insider.record(organisation.award("m-2"))
    found = insider.fault()
    assert (found.kind, found.index) == ("key-revoked", index)


def test_a_points_entry_before_its_key_was_registered_is_named(insider: Insider) -> None:
    index = insider.record(insider.organisation.award("m-2", signers=("late", "com-1")))
    insider.record(insider.organisation.key("late"))
    assert (insider.fault().kind, insider.fault().index) == ("key-known", index)


def test_a_signature_that_is_not_over_this_statement_is_named(insider: Insider) -> None:
    mine = parse_entry(insider.recorder.entries[-1]).statement
    payload = mine.payload.replace(b'"points":100', b'"points":999')
    assert payload != mine.payload
    last = parse_entry(insider.recorder.entries.pop())
    insider.recorder.entries.append(entry_bytes(*last[:4], join_envelope(payload, mine.signatures)))
    found = insider.fault()
    assert (found.kind, found.index) == ("signature", len(insider.recorder.entries) - 1)
    assert found.statement_id == mine.id


def test_a_forged_signature_is_named_also_where_a_worker_did_not_know_the_key_yet(
    untouched: Path, entries: list[bytes], tmp_path: Path
) -> None:
    # The second bundle goes to another process than the first, which registers all keys.
    victim = parse_entry(entries[300])
    payload = victim.statement.payload.replace(b'"points":100', b'"points":900')
    forged = entry_bytes(*victim[:4], join_envelope(payload, victim.statement.signatures))
    write_log(tmp_path / "forged", with_new_chains([*entries[:300], forged, *entries[301:]]))
    assert verify(untouched, workers=2).ok
    for workers in (0, 2, 3):
        failure = verify(tmp_path / "forged", workers=workers).failure
        assert failure is not None
        assert (failure.kind, failure.index) == ("signature", 300)


def test_a_statement_for_another_log_is_named(insider: Insider) -> None:
    elsewhere = Organisation(origin="elsewhere.example/points")
    index = insider.record(elsewhere.award("m-2"))
    assert (insider.fault().kind, insider.fault().index) == ("this-log", index)
    assert ORIGIN in insider.fault().reason


def test_a_statement_signed_in_the_future_is_named(insider: Insider) -> None:
    def award(ahead: timedelta) -> bytes:
        return insider.organisation.statement(
            "points.awarded",
            "member/m-2",
            "rec-1",
            insider.organisation.act(),
            also=("com-1",),
            signed_at=insider.recorder.now + ahead,
        )

    insider.record(award(timedelta(minutes=9)))
    index = insider.record(award(timedelta(minutes=11)))
    assert (insider.fault().kind, insider.fault().index) == ("signed-ahead", index)


def test_an_after_that_was_not_the_head_is_named(insider: Insider) -> None:
    index = insider.record(insider.organisation.award("m-2", after="ab" * 32))
    assert (insider.fault().kind, insider.fault().index) == ("after", index)


def test_a_body_outside_its_schema_is_named(insider: Insider) -> None:
    index = insider.record(insider.organisation.award("m-2", points=0))
    found = insider.fault()
    assert (found.kind, found.index) == ("entry-format", index)
    assert "body/points" in found.reason


def test_a_statement_type_that_no_rule_knows_is_named(insider: Insider) -> None:
    envelope = insider.organisation.statement("points.invented", "member/m-2", "rec-1", {})
    index = insider.record(envelope)
    assert insider.fault().index == index
    assert "points.invented" in insider.fault().reason


def test_a_reversal_of_nothing_is_named(insider: Insider) -> None:
    unknown = insider.organisation.new_id()
    index = insider.record(insider.organisation.correction("m-2", unknown))
    found = insider.fault()
    assert (found.kind, found.index, found.stream) == ("reverses-known", index, "member/m-2")


def test_a_reversal_of_another_members_points_is_named(insider: Insider) -> None:
    ident = insider.organisation.new_id()
    insider.recorder.record(insider.organisation.award("m-3", ident=ident))
    index = insider.record(insider.organisation.correction("m-2", ident))
    assert (insider.fault().kind, insider.fault().index) == ("reverses-known", index)


def test_a_second_reversal_of_the_same_points_is_named(insider: Insider) -> None:
    ident = insider.organisation.new_id()
    organisation = insider.organisation
    insider.recorder.record(organisation.award("m-2", ident=ident))
    insider.recorder.record(organisation.correction("m-2", ident, 50))
    index = insider.record(organisation.correction("m-2", ident))
    assert (insider.fault().kind, insider.fault().index) == ("reverses-last", index)


def test_a_reversal_before_the_points_that_it_reverses_is_named(insider: Insider) -> None:
    ident = insider.organisation.new_id()
    index = insider.record(insider.organisation.correction("m-2", ident))
    insider.record(insider.organisation.award("m-2", ident=ident))
    assert (insider.fault().kind, insider.fault().index) == ("reverses-known", index)


def test_the_last_link_of_a_chain_of_corrections_can_be_reversed(insider: Insider) -> None:
    organisation = insider.organisation
    ident = organisation.new_id()
    insider.recorder.record(organisation.award("m-2", ident=ident))
    correction = organisation.correction("m-2", ident, 50)
    replaced = parse_entry(insider.recorder.record(correction)).statement.id
    insider.recorder.record(organisation.correction("m-2", replaced))
    write_log(insider._folder, insider.recorder.entries)
    assert verify(insider._folder).ok


def test_a_dropped_entry_breaks_its_streams_chain(insider: Insider) -> None:
    dropped = parse_entry(insider.recorder.entries.pop(20))
    following = next(
        index
        for index, data in enumerate(insider.recorder.entries)
        if index >= 20 and parse_entry(data).stream == dropped.stream
    )
    found = insider.fault()
    assert (found.kind, found.index, found.stream) == ("chain", following, dropped.stream)


def test_a_changed_entry_breaks_its_streams_chain(insider: Insider) -> None:
    entries = insider.recorder.entries
    entry = parse_entry(entries[20])
    later = entry.recorded_at.replace("00Z", "01Z")
    entries[20] = entry_bytes(entry.stream, entry.seq, entry.prev, later, entry.statement.envelope)
    found = insider.fault()
    assert found.kind == "chain"
    assert found.stream == entry.stream
    assert "is not the hash of the stream's last entry" in found.reason


def test_an_insider_who_rewrites_the_chains_too_needs_the_signers_keys(insider: Insider) -> None:
    entries = insider.recorder.entries
    victim = parse_entry(entries[20])
    payload = victim.statement.payload.replace(b'"points":100', b'"points":900')
    entries[20] = entry_bytes(
        victim.stream,
        victim.seq,
        victim.prev,
        victim.recorded_at,
        join_envelope(payload, victim.statement.signatures),
    )
    insider.recorder.entries = list(with_new_chains(entries))
    found = insider.fault()
    assert (found.kind, found.index) == ("signature", 20)


def test_dropping_an_entry_with_its_chain_mended_contradicts_an_older_checkpoint(
    insider: Insider, tmp_path: Path
) -> None:
    write_log(tmp_path / "older", insider.recorder.entries)
    entries = insider.recorder.entries
    write_log(insider._folder, with_new_chains([*entries[:20], *entries[21:], entries[20]]))
    assert fault(insider._folder).kind == "recorded-at"
    mended = list(with_new_chains([*entries[:20], *entries[21:]]))
    rewrite_log(insider._folder, [*mended, *_one_more(mended)])
    assert verify(insider._folder).ok
    older = (tmp_path / "older" / "checkpoint").read_bytes()
    assert fault(insider._folder, older).kind == "history"


def _one_more(entries: list[bytes]) -> list[bytes]:
    """One honest award at the end, so that the log is as long as before."""
    organisation = Organisation(start=Organisation().now + timedelta(minutes=1))
    recorder = Recorder(organisation.now + timedelta(days=1))
    for each in entries:
        recorder.place(parse_entry(each).statement.envelope, checked=False)
    heads = [parse_entry(each) for each in entries if parse_entry(each).stream == "member/m-2"]
    award = organisation.award("m-2")
    data = recorder.place(award, checked=False)
    made = parse_entry(data)
    return [
        entry_bytes(
            made.stream, heads[-1].seq + 1, leaf_hash(heads[-1].data).hex(), made.recorded_at, award
        )
    ]


def test_of_several_faults_the_first_entry_is_named(insider: Insider) -> None:
    ident = insider.organisation.new_id()
    insider.record(insider.organisation.award("m-2", ident=ident))
    first = insider.record(insider.organisation.award("m-3", ident=ident))
    insider.record(insider.organisation.award("m-2", signers=("rec-1",)))
    insider.record(insider.organisation.correction("m-2", insider.organisation.new_id()))
    assert (insider.fault().kind, insider.fault().index) == ("id-once", first)


def test_a_later_refusal_does_not_hide_an_earlier_bad_signature(insider: Insider) -> None:
    last = parse_entry(insider.recorder.entries[-1])
    payload = last.statement.payload.replace(b'"points":100', b'"points":999')
    insider.recorder.entries[-1] = entry_bytes(
        *last[:4], join_envelope(payload, last.statement.signatures)
    )
    first = len(insider.recorder.entries) - 1
    insider.record(insider.organisation.award("m-1", signers=("rec-1",)))
    assert (insider.fault().kind, insider.fault().index) == ("signature", first)


def test_a_later_misuse_does_not_hide_an_earlier_fault(insider: Insider) -> None:
    first = insider.record(insider.organisation.award("m-2", signers=("rec-1",)))
    ident = insider.organisation.new_id()
    insider.record(insider.organisation.award("m-2", ident=ident))
    insider.record(insider.organisation.award("m-3", ident=ident))
    assert (insider.fault().kind, insider.fault().index) == ("needs-committee", first)


def test_an_entry_that_is_not_even_json_is_named(insider: Insider) -> None:
    insider.recorder.entries.append(b"not an entry")
    found = insider.fault()
    assert (found.kind, found.index) == ("entry-format", len(insider.recorder.entries) - 1)


@pytest.mark.parametrize("year", ["0001-01-01", "9999-12-31"])
def test_a_time_at_the_end_of_the_calendar_is_named_not_a_crash(
    insider: Insider, year: str
) -> None:
    founding = parse_entry(insider.recorder.entries[0])
    insider.recorder.entries = [
        entry_bytes(
            "ledger/root",
            1,
            NO_HASH,
            f"{year}T23:59:59.999999Z",
            founding.statement.envelope,
        ),
        *insider.recorder.entries[1:],
    ]
    assert insider.fault().index in {0, 1}


def test_b22_an_erasure_before_the_last_term_is_named(insider: Insider) -> None:
    order = insider.organisation.statement(
        "text.erased",
        "member/m-2",
        "reg-1",
        {"commitment": COMMITMENT, "cause": "request"},
        also=("com-1",),
    )
    index = insider.record(order, "2026-02-05T01:00:00.000000Z")
    found = insider.fault()
    assert (found.kind, found.index) == ("erasure-term", index)


def test_b22_an_erasure_after_the_last_term_holds(insider: Insider) -> None:
    order = insider.organisation.statement(
        "text.erased",
        "member/m-2",
        "reg-1",
        {"commitment": COMMITMENT, "cause": "request"},
        also=("com-1",),
    )
    insider.record(order, "2026-02-06T01:00:00.000000Z")
    write_log(insider._folder, insider.recorder.entries)
    assert verify(insider._folder).ok


def test_b21_an_outage_that_the_log_speaks_against_is_named(insider: Insider) -> None:
    made = insider.organisation
    for each in (made.key("clerk"), made.role("clerk", "service")):
        insider.recorder.record(each)
    outage = made.statement(
        "outage.recorded",
        "ledger/root",
        "clerk",
        {"from": "2026-01-05T12:00:00Z", "to": "2026-01-08T00:00:00Z"},
    )
    index = insider.record(outage, "2026-01-08T00:00:00.000000Z")
    found = insider.fault()
    assert (found.kind, found.index) == ("outage-silence", index)


def test_b21_an_outage_in_which_nothing_was_recorded_holds(insider: Insider) -> None:
    made = insider.organisation
    for each in (made.key("clerk"), made.role("clerk", "service")):
        insider.recorder.record(each)
    outage = made.statement(
        "outage.recorded",
        "ledger/root",
        "clerk",
        {"from": "2026-01-06T12:00:00Z", "to": "2026-01-08T00:00:00Z"},
    )
    insider.record(outage, "2026-01-08T00:00:00.000000Z")
    write_log(insider._folder, insider.recorder.entries)
    assert verify(insider._folder).ok
