"""verify.html from a file, without a network: receipts, evidence, with WebCrypto or not."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from api.web.standalone import verify_page
from ledger import canonical
from ledger.entry import parse_entry
from ledger.log import receipt
from ledger.log.checkpoint import Checkpoint, sign
from ledger.log.receipt import Receipt, encode
from ledger.signing import encode_base64
from ledger.verify.bundle import verify_bundle
from tests.support import archives, bundles
from tests.support.chromium import needs_chromium, state_of, watch_faults
from tests.support.lying import WITNESSES, policy_text
from tests.support.organisation import ORIGIN
from tests.support.static_log import LOG_SIGNER, OTHER_SIGNER
from tests.support.vectors import receipt_of, record_of_tests

pytestmark = needs_chromium

VKEY = LOG_SIGNER.vkey.text


@pytest.fixture(params=["WebCrypto", "@noble/ed25519"])
def page(browser: Any, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Any]:
    """The page, opened from `file://`, whose every request and fault would be seen."""
    context = browser.new_context(locale="zh-CN", viewport={"width": 375, "height": 812})
    if request.param != "WebCrypto":
        context.add_init_script(
            "Object.defineProperty(Crypto.prototype, 'subtle', { value: undefined });"
        )
    opened = context.new_page()
    faults = watch_faults(opened)
    asked: list[str] = []
    opened.on("request", lambda each: asked.append(each.url))
    file = tmp_path / "verify.html"
    file.write_text(verify_page())
    opened.goto(file.as_uri())
    opened.engine = request.param
    yield opened
    assert faults == []
    assert asked == [file.as_uri()]
    context.close()


@pytest.fixture(scope="module")
def entries() -> list[bytes]:
    return record_of_tests().entries


def files_of(entries: list[bytes], *, cosigners: int = 2) -> dict[str, bytes]:
    """Return a member's receipts with those of the keys that signed, cosigned, key and policy."""
    found = {"log.vkey": VKEY.encode(), "witness.policy": policy_text(VKEY).encode()}
    for index, data in enumerate(entries):
        entry = parse_entry(data)
        if entry.stream == "member/m-2" or entry.statement.type in (
            "ledger.founded",
            "key.registered",
        ):
            found[f"{index:03d}.tlog-proof"] = witnessed(receipt_of(entries, index), cosigners)
    return found


def witnessed(data: bytes, cosigners: int) -> bytes:
    """Return a receipt whose checkpoint bears cosignatures."""
    parsed = receipt.parse(data)
    note = parsed.checkpoint
    for each in WITNESSES[:cosigners]:
        note = each.cosign(note, int(time.time()) - 60)
    return encode(Receipt(parsed.entry, parsed.index, parsed.proof, note))


def check(page: Any, tmp_path: Path, files: dict[str, bytes]) -> str:
    """Hand files to the page; return the state that it comes to."""
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    page.evaluate("document.documentElement.removeAttribute('data-state')")
    page.set_input_files("#files", [tmp_path / name for name in files])
    return state_of(page)


def test_a_members_receipts_hold_with_keys_and_witnesses(
    page: Any, tmp_path: Path, entries: list[bytes]
) -> None:
    files = files_of(entries)
    assert check(page, tmp_path, files) == "verified"
    text = page.inner_text("#result")
    assert f"{len(files) - 2} 份都对得上，见证齐了" in text
    assert "3 家中 2 家" in text
    assert "com-1, rec-1" in text
    assert page.engine in text
    assert "钥匙不在文件里" not in text
    assert "自记录后未改" in text


def test_without_witnesses_it_waits_and_says_so(
    page: Any, tmp_path: Path, entries: list[bytes]
) -> None:
    assert check(page, tmp_path, files_of(entries, cosigners=1)) == "waiting"
    page.click("#language")
    assert state_of(page) == "waiting"
    assert "a quorum of witnesses is missing" in page.inner_text("#result")


def test_a_receipt_alone_needs_the_key_that_is_typed(
    page: Any, tmp_path: Path, entries: list[bytes]
) -> None:
    last = len(entries) - 1
    files = {"mine.tlog-proof": receipt_of(entries, last)}
    assert check(page, tmp_path, files) == "offline"
    assert "没有账本的钥匙" in page.inner_text("#result")
    page.fill("#vkey", VKEY)
    page.keyboard.press("Tab")
    page.wait_for_selector("#result .waiting")
    text = page.inner_text("#result")
    assert f"第 {last} 条" in text
    assert "没有见证名单" in text
    assert "钥匙不在文件里，没验" in text
    page.fill("#vkey", OTHER_SIGNER.vkey.text)
    page.keyboard.press("Tab")
    page.wait_for_selector("#result .mismatch")


def test_one_bad_receipt_does_not_hide_the_others(
    page: Any, tmp_path: Path, entries: list[bytes]
) -> None:
    files = files_of(entries)
    name = next(each for each in files if each.endswith(".tlog-proof"))
    files[name] = files[name].replace(b"index 0\n", b"index 1\n")
    assert check(page, tmp_path, files) == "mismatch"
    assert page.locator("#result .item .mark.mismatch").count() == 1
    assert page.locator("#result .item .mark.verified").count() == len(files) - 3


def test_two_checkpoints_that_fork_are_found_among_files(
    page: Any, tmp_path: Path, entries: list[bytes]
) -> None:
    files = files_of(entries)
    forged = sign(Checkpoint(ORIGIN, len(entries), b"\x05" * 32), LOG_SIGNER)
    assert check(page, tmp_path, {**files, "newest.checkpoint": forged}) == "mismatch"
    assert "forked" in page.inner_text("#result")


def test_evidence_of_a_fork_is_judged(page: Any, tmp_path: Path) -> None:
    notes = [sign(Checkpoint(ORIGIN, 9, bytes([n]) * 32), LOG_SIGNER) for n in (1, 2)]
    value = {
        "at": "2026-01-05T09:00:00+08:00",
        "detail": "two trees of size 9 are signed",
        "kept": encode_base64(notes[0]),
        "kind": "mingzhang.evidence.v1",
        "reason": "history",
        "seen": encode_base64(notes[1]),
        "vkey": VKEY,
    }
    assert check(page, tmp_path, {"evidence.json": canonical.dumps(value)}) == "mismatch"
    assert "证实" in page.inner_text("#result")
    value["seen"] = value["kept"]
    assert check(page, tmp_path, {"other.json": canonical.dumps(value)}) == "offline"
    assert "证明不了" in page.inner_text("#result")


def test_files_of_another_kind_are_named_and_nothing_is_claimed(page: Any, tmp_path: Path) -> None:
    assert check(page, tmp_path, {"photo.jpg": b"\xff\xd8", "log.vkey": VKEY.encode()}) == "offline"
    assert "photo.jpg" in page.inner_text("#result")


def test_a_policy_that_is_wrong_is_said_to_be(
    page: Any, tmp_path: Path, entries: list[bytes]
) -> None:
    files = {"mine.tlog-proof": receipt_of(entries, 0), "log.vkey": VKEY.encode()}
    page.fill("#policy", "quorum nobody")
    assert check(page, tmp_path, files) == "offline"
    assert "nobody is not defined above" in page.inner_text("#result")


def put_in(page: Any, tmp_path: Path, found: dict[str, bytes], vkey: str = VKEY) -> str:
    """Type the key and hand over a bundle; return the state that the page comes to."""
    page.fill("#vkey", vkey)
    return check(page, tmp_path, {"bundle.zip": bundles.packed(found)})


def test_a_whole_bundle_is_checked_and_what_it_holds_is_said(page: Any, tmp_path: Path) -> None:
    assert put_in(page, tmp_path, dict(bundles.files())) == "verified"
    text = page.inner_text("#result")
    assert "整个案卷都对得上，见证齐了" in text
    assert "成员档案\tm-2" in text.replace("\n", "\t")
    assert "1 份，和记录里的承诺对得上" in text
    assert "p，第 29 条为止：评分 65" in text
    assert "3 家中 2 家" in text
    assert page.engine in text
    assert "能证明的是收据，不是报告" in text
    receipts = sum(each.startswith("receipts/") for each in bundles.files())
    assert f"对得上的 {receipts} 条记录" in text
    page.click("#language")
    assert state_of(page) == "verified"
    page.wait_for_selector("text=the whole bundle holds, with a quorum of witnesses")


@pytest.mark.parametrize("name", [*bundles.TAMPERED, "other key"])
def test_the_page_names_what_the_command_names(page: Any, tmp_path: Path, name: str) -> None:
    tamper = bundles.TAMPERED.get(name)
    found = tamper(dict(bundles.files())) if tamper else bundles.other_key()
    wanted = verify_bundle(bundles.packed(found), LOG_SIGNER.vkey)
    assert put_in(page, tmp_path, found) == wanted.state == "mismatch"
    bad = page.locator("#result .item:has(.mark.mismatch) .muted").all_inner_texts()
    assert sorted(bad) == [each.name for each in wanted.faults]
    # In words that a reader of the page has, whatever was changed.
    said = page.locator("#result .fault").all_inner_texts()
    assert len(said) == len(bad)
    assert [each for each in said if re.search("[a-z]{3,} [a-z]{2,} [a-z]{2,}", each)] == []
    text = page.inner_text("#result")
    assert f"案卷里有 {len(bad)} 处对不上" in text
    assert "没有抽掉的" not in text


def test_a_bundle_without_a_key_typed_says_whose_key_it_took(page: Any, tmp_path: Path) -> None:
    assert put_in(page, tmp_path, bundles.other_key(), "") == "verified"
    text = page.inner_text("#result")
    assert "钥匙取自文件本身" in text
    assert "见证名单取自案卷本身" in text


def test_an_archive_that_is_no_bundle_is_not_opened(page: Any, tmp_path: Path) -> None:
    page.fill("#vkey", VKEY)
    packed = archives.zipped({"a": bytes(10_000_000)})
    assert check(page, tmp_path, {"photos.zip": packed}) == "offline"
    assert "is compressed" in page.inner_text("#result")
    assert put_in(page, tmp_path, {"a": b"b"}) == "mismatch"
    assert "这不是一份完整的案卷" in page.inner_text("#result")
