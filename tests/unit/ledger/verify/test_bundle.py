"""A bundle is checked by itself: what holds, what does not by name, and what was not checked."""

from __future__ import annotations

import io
import warnings
import zipfile
from typing import Any

import pytest

from ledger import canonical
from ledger.archive import read_stored, write_stored
from ledger.errors import FormatError
from ledger.log import policy as policies
from ledger.log.receipt import parse
from ledger.verify import manifest
from ledger.verify.bundle import MISMATCH, VERIFIED, WAITING, BundleReport, verify_bundle
from tests.support import archives, bundles
from tests.support.lying import policy_text
from tests.support.static_log import LOG_SIGNER

VKEY = LOG_SIGNER.vkey
POLICY = policies.parse(policy_text(VKEY.text).encode())


def check(found: Any = None, **more: Any) -> BundleReport:
    return verify_bundle(bundles.packed(found), VKEY, **{"policy": POLICY, **more})


def faults(found: Any) -> dict[str, str]:
    return {each.name: each.reason for each in check(found).faults}


@pytest.fixture
def files() -> dict[str, bytes]:
    return dict(bundles.files())


def test_a_good_bundle_holds_and_says_what_is_not_checked() -> None:
    report = check()
    assert report.faults == []
    assert (report.state, report.ok) == (VERIFIED, True)
    assert report.disclosed == 1
    assert len(report.states) == 1
    assert len(report.entries.by_index) > 10
    lines = "\n".join(report.lines())
    assert "OK          every file" in lines
    assert "signers were entitled" in lines
    assert "quorum      met: 2 of 3 witnesses" in lines


def test_without_quorum_it_waits_and_without_a_policy_says_so(files: dict[str, bytes]) -> None:
    all_three = policy_text(VKEY.text).replace(" 2 ", " all ").encode()
    report = check(files, policy=policies.parse(all_three))
    assert (report.state, report.ok, report.faults) == (WAITING, False, [])
    del files[manifest.POLICY]
    report = check(bundles.listed(files), policy=None)
    assert (report.state, report.ok) == (WAITING, True)
    assert any("no policy" in each for each in report.not_shown)


def test_the_bundles_own_key_and_policy_are_used_and_named_as_such() -> None:
    report = verify_bundle(bundles.packed(), None)
    assert (report.state, report.ok) == (VERIFIED, True)
    said = " ".join(report.not_shown)
    assert "taken from the bundle; compare it with the notice" in said
    assert "the policy was taken from the bundle" in said


@pytest.mark.parametrize("name", bundles.TAMPERED)
def test_what_was_tampered_with_is_found(name: str, files: dict[str, bytes]) -> None:
    own, (text,) = bundles.own_receipts(files), (e for e in files if e.startswith("disclosed/"))
    report = check(bundles.TAMPERED[name](files))
    assert (report.state, report.ok) == (MISMATCH, False)
    # What follows an entry that does not hold, or is not there, cannot be chained to it.
    assert [each.name for each in report.faults] == {
        "altered entry": own[1:3],
        "dropped entry": own[2:3],
        "swapped text": [text],
        "edited report": ["report.zh.html"],
    }[name]


def test_a_missing_an_altered_and_an_added_file_are_each_named(files: dict[str, bytes]) -> None:
    del files[manifest.POLICY]
    files["report.zh.html"] += b"!"
    files["note.txt"] = b"believe me"
    assert faults(files) == {
        manifest.POLICY: "the manifest lists it and it is missing",
        "note.txt": "the manifest does not list it: it was added later",
        "report.zh.html": "it was altered: its SHA-256 is not the manifest's",
    }


def test_one_bad_entry_never_hides_the_others(files: dict[str, bytes]) -> None:
    good = check(files).entries
    names = bundles.own_receipts(files)
    files[names[0]] = files[names[0]].replace(b"index ", b"index 1", 1)
    files[names[2]] = b"nothing"
    report = check(bundles.listed(files))
    assert {names[0], names[2]} <= {each.name for each in report.faults}
    assert len(report.entries.by_index) == len(good.by_index) - 2
    assert report.disclosed == 1


def test_an_entry_left_out_is_found_though_the_manifest_was_written_again(
    files: dict[str, bytes],
) -> None:
    names = bundles.own_receipts(files)
    assert "is left out" in faults(bundles.dropped_entry(dict(files)))[names[2]]
    # A manifest that no longer says which streams are whole changes nothing for the member's own.
    listed = manifest.parse(bundles.dropped_entry(files)[manifest.NAME])
    value = canonical.loads(listed.data()) | {"streams": []}
    files[manifest.NAME] = canonical.dumps(value)
    assert "is left out" in faults(files)[names[2]]


def test_entries_cut_off_before_the_seal_are_found_by_the_sealed_state(
    files: dict[str, bytes],
) -> None:
    for name in bundles.own_receipts(files)[-2:]:
        del files[name]
    found = faults(bundles.listed(files))
    (state,) = (each for each in files if each.startswith(manifest.STATES))
    assert "entries are left out" in found[state]


def test_every_signers_key_must_be_in_the_bundle(files: dict[str, bytes]) -> None:
    for name in [each for each in files if each.endswith(".tlog-proof")]:
        if b'"stream":"actor/com-1"' in parse(files[name]).entry:
            del files[name]
    found = faults(bundles.listed(files))
    mine = bundles.own_receipts(files)[1]
    assert "the registration of the key" in found[mine]
    assert "is not in the bundle" in found[mine]


def test_a_bundle_of_another_key_does_not_hold() -> None:
    found = faults(bundles.other_key())
    assert "another key" in found[manifest.VKEY]
    assert manifest.CHECKPOINT in found
    assert all("proves nothing" in found[each] for each in found if each.startswith("receipts/"))


def test_a_receipt_under_another_checkpoint_is_named(files: dict[str, bytes]) -> None:
    name = bundles.own_receipts(files)[0]
    files[name] = files[name].rpartition("— ".encode())[0]
    assert "all receipts share one" in faults(bundles.listed(files))[name]


def test_a_text_that_no_entry_commits_to_is_named(files: dict[str, bytes]) -> None:
    for name in bundles.own_receipts(files)[1:]:
        del files[name]
    found = faults(bundles.listed(files))
    assert "no entry of the bundle commits to it" in found[f"{manifest.DISCLOSED}{_commitment()}"]


def _commitment() -> str:
    return next(
        each.removeprefix(manifest.DISCLOSED)
        for each in bundles.files()
        if each.startswith(manifest.DISCLOSED)
    )


def test_equal_files_give_equal_archives_whatever_their_order() -> None:
    found = bundles.files()
    turned = {name: found[name] for name in sorted(found, reverse=True)}
    assert write_stored(found) == write_stored(turned)
    assert read_stored(write_stored(found)) == found


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (archives.zipped({"a": bytes(10_000_000)}), "is compressed"),
        (archives.zipped({"../a": b"b"}), "no path inside"),
        (archives.zipped({"a": b"/etc/passwd"}, frozenset({"a"})), "is a link"),
        (archives.many_names(1_000_000), "Zip64"),
        (archives.many_names(20_001), "20001 names"),
        (archives.overlapping(), "overlap"),
        (archives.zipped({"a": b"b", "A": b"b"}), "twice"),
        (b"PK", "end is missing"),
        (write_stored({"a": b"b"}), "holds no key"),
    ],
)
def test_fault_22_what_is_no_archive_to_open_is_refused_unopened(data: bytes, reason: str) -> None:
    with pytest.raises(FormatError, match=reason):
        verify_bundle(data, None)


def test_two_files_of_one_name_are_refused() -> None:
    out = io.BytesIO(bundles.packed())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with zipfile.ZipFile(out, "a", zipfile.ZIP_STORED) as archive:
            archive.writestr("report.zh.html", "another")
    with pytest.raises(FormatError, match="twice"):
        verify_bundle(out.getvalue(), VKEY)


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"format": "mingzhang.bundle.v2"}, "its format is"),
        ({"kind": "other"}, "kind is one of"),
        ({"size": 0}, "size is a log size"),
        ({"root": "AB"}, "root is 64"),
        ({"streams": ["member/m-2", "actor/a"]}, "in order"),
        ({"files": [{"bytes": 1, "name": "../a", "sha256": "00" * 32}]}, "name is of"),
        ({"files": [{"name": "a"}]}, "exactly the members"),
        ({"more": 1}, "exactly the members"),
    ],
)
def test_a_manifest_is_read_strictly(changed: dict[str, Any], reason: str) -> None:
    good = canonical.loads(bundles.files()[manifest.NAME])
    with pytest.raises(FormatError, match=reason):
        manifest.parse(canonical.dumps(good | changed))
    with pytest.raises(FormatError):
        manifest.parse(canonical.dumps(good) + b"\n")
