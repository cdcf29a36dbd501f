"""A member's page before a proxy that fails or lies: each fault shows as exactly one state.

This is the matrix of verification.md 2, and fault 20 of faults.md: a cache that ignores queries,
serves what is old, cuts or recompresses.
"""

from __future__ import annotations

import gzip
import random
import re
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from ledger import keyfile
from ledger.log import checkpoint as checkpoints
from ledger.log.checkpoint import Checkpoint, parse_body
from ledger.log.merkle import root_of
from ledger.log.note import Signer, parse
from ledger.log.tiles import split_hashes
from ledger.signing import decode_base64, encode_base64
from tests.browser.conftest import Deployment
from tests.support.chromium import needs_chromium, state_of
from tests.support.lying import CONTACT, Answer, Lie, LyingProxy
from tests.support.organisation import ORIGIN, key_of
from tests.support.processes import rounds
from tests.support.server import mingzhang

pytestmark = needs_chromium

RECORD = "/record/m-2"
CHECKPOINT = "/log/checkpoint"
WORDS = {
    "verified": "已核对",
    "waiting": "等待见证",
    "offline": "暂时没法核对",
    "first": "本机首次核对",
    "mismatch": "对不上",
}


@pytest.fixture
def phone(browser: Any) -> Iterator[Any]:
    """A browser with empty storage, in Chinese."""
    context = browser.new_context(locale="zh-CN", viewport={"width": 375, "height": 812})
    yield context
    context.close()


def visit(phone: Any, proxy: LyingProxy, path: str = RECORD) -> tuple[str, Any]:
    """Open a page; return the state that it shows, in one line and in words, and the page."""
    page = phone.new_page()
    page.goto(proxy.url + path)
    state = state_of(page)
    marks = page.locator("#check .mark").all_inner_texts()
    assert [each.removeprefix("✓").removeprefix("✕").strip() for each in marks] == [WORDS[state]]
    assert page.locator(f"#check .mark.{state}").count() == 1
    return state, page


def settle(phone: Any, proxy: LyingProxy) -> None:
    """Visit twice without a fault, so that there is a head to go on from."""
    assert visit(phone, proxy)[0] == "first"
    assert visit(phone, proxy)[0] == "verified"


def on(path: str, change: Callable[[Answer], Answer | None]) -> Lie:
    """Return a lie about addresses that begin with `path`."""
    return lambda asked, answer: change(answer) if asked.startswith(path) else answer


def body(change: Callable[[bytes], bytes]) -> Callable[[Answer], Answer]:
    return lambda answer: answer._replace(body=change(answer.body))


def other_signature(note: bytes) -> bytes:
    """Return a checkpoint whose first signature is another one by the same key id."""
    text, _, lines = note.decode().partition("\n\n")
    name, encoded = lines.split("\n")[0].removeprefix("— ").split(" ")
    raw = bytearray(decode_base64(encoded))
    raw[10] ^= 1
    return f"{text}\n\n— {name} {encode_base64(bytes(raw))}\n".encode()


PORTAL = b"<!doctype html><title>Log in to this network</title>"
BETTER = b'"points":900'

NETWORK: dict[str, Lie] = {
    "cut": on("/log/", lambda answer: None),
    "checkpoint 500": on(CHECKPOINT, lambda answer: Answer(500, {}, b"")),
    "tiles 500": on("/log/tile/", lambda answer: Answer(500, {}, b"")),
    "tiles gone": on("/log/tile/", lambda answer: Answer(404, {}, b"")),
    "checkpoint truncated": on(CHECKPOINT, body(lambda data: data[:60])),
    "checkpoint empty": on(CHECKPOINT, body(lambda data: b"")),
    "tiles truncated": on("/log/tile/", body(lambda data: data[:-5])),
    "tiles recompressed": on("/log/tile/", body(gzip.compress)),
    "a login page": on("/log/", body(lambda data: PORTAL)),
    "a redirect": on("/log/", lambda answer: Answer(302, {"Location": "/verify.html"}, b"")),
    "page truncated": on(RECORD, body(lambda data: data[: data.index(b'"entries"') + 200])),
}


def unsigned(note: bytes) -> bytes:
    """Return a checkpoint without the log's own signature."""
    text, _, lines = note.decode().partition("\n\n")
    rest = [each for each in lines.splitlines() if not each.startswith(f"— {ORIGIN} ")]
    return (text + "\n\n" + "\n".join(rest) + "\n").encode()


def of_another_log(note: bytes) -> bytes:
    """Return the same tree as another log's."""
    seen = parse_body(parse(note).text)
    signer = Signer("elsewhere.example/points", key_of("elsewhere"))
    return checkpoints.sign(Checkpoint(signer.name, seen.size, seen.root), signer)


def data_of(page: bytes) -> tuple[bytes, dict[str, Any]]:
    found = re.search(rb'id="record-data">(.*?)</script>', page, re.DOTALL)
    assert found is not None
    return found[1], orjson.loads(found[1])


def altered_entry(page: bytes) -> bytes:
    """Return a page whose last entry awards more, in its bytes."""
    text, data = data_of(page)
    index, encoded = data["entries"][1]
    entry = decode_base64(encoded)
    envelope = orjson.loads(entry)["envelope"]["payload"]
    payload = decode_base64(envelope)
    changed = entry.replace(
        envelope.encode(), encode_base64(payload.replace(b'"points":200', BETTER)).encode()
    )
    assert changed != entry
    data["entries"][1] = [index, encode_base64(changed)]
    return page.replace(text, orjson.dumps(data))


def with_total(page: bytes, total: bytes) -> bytes:
    return re.sub(rb'id="score">[^<]*<', b'id="score">' + total + b"<", page)


def without_newest(page: bytes) -> bytes:
    """Return a page without its newest entry, neither in the table nor in the data."""
    text, data = data_of(page)
    index, _ = data["entries"].pop()
    start = page.index(b'<tbody id="entry-%d"' % index)
    end = page.index(b"</tbody>", start) + len(b"</tbody>")
    return (page[:start] + page[end:]).replace(text, orjson.dumps(data))


FORGERY: dict[str, tuple[str, Lie]] = {
    "bad signature": ("signature", on(CHECKPOINT, body(other_signature))),
    "unsigned": ("signature", on(CHECKPOINT, body(unsigned))),
    "new origin": ("origin", on(CHECKPOINT, body(of_another_log))),
    "altered entry": ("entry", on(RECORD, body(altered_entry))),
    "altered words": ("shown", on(RECORD, body(lambda data: data.replace(b">+3.5<", b">+9.5<")))),
    "entry left out": ("omitted", on(RECORD, body(without_newest))),
    "altered tile": ("tiles", on("/log/tile/0/", body(lambda data: data[:-32] + b"\x01" * 32))),
}


@pytest.mark.parametrize("fault", NETWORK)
def test_no_network_fault_is_called_a_mismatch(
    fault: str, phone: Any, proxy: LyingProxy, deployment: Deployment
) -> None:
    settle(phone, proxy)
    # The log grows, so that tiles in the browser's cache are not enough.
    deployment.award("m-3")
    proxy.lie = NETWORK[fault]
    assert visit(phone, proxy)[0] == "offline"
    proxy.lie = None
    assert visit(phone, proxy)[0] == "verified"


def test_a_server_that_does_not_answer_in_time_cannot_be_checked(
    phone: Any, proxy: LyingProxy
) -> None:
    settle(phone, proxy)
    over = threading.Event()

    def wait(answer: Answer) -> Answer:
        over.wait(30)
        return answer

    proxy.lie = on(CHECKPOINT, wait)
    try:
        assert visit(phone, proxy)[0] == "offline"
    finally:
        over.set()


@pytest.mark.parametrize("fault", FORGERY)
def test_no_forgery_is_called_the_network(
    fault: str, phone: Any, proxy: LyingProxy, deployment: Deployment
) -> None:
    reason, lie = FORGERY[fault]
    settle(phone, proxy)
    deployment.award("m-3")
    proxy.lie = lie
    state, page = visit(phone, proxy)
    assert state == "mismatch"
    assert alarm_of(page)["reason"] == reason
    assert page.locator(".alarm .mark.mismatch").count() == 1


def test_an_old_checkpoint_from_a_cache_is_said_to_be_old(
    phone: Any, proxy: LyingProxy, deployment: Deployment
) -> None:
    old = deployment.server.get(CHECKPOINT).content
    deployment.award("m-3")
    settle(phone, proxy)
    proxy.lie = on(CHECKPOINT, body(lambda data: proxy.witnessed(old)))
    state, page = visit(phone, proxy)
    assert state == "offline"
    assert "旧" in page.inner_text("#check-notes")
    proxy.lie = None
    assert visit(phone, proxy)[0] == "verified"


def test_without_enough_witnesses_it_waits_and_goes_on_when_they_come(
    phone: Any, proxy: LyingProxy
) -> None:
    """No quorum younger than 7 days by the device's clock is waiting (verification.md 5, 6, 13)."""
    settle(phone, proxy)
    proxy.cosigners = 1
    state, page = visit(phone, proxy)
    assert state == "waiting"
    assert "3 家见证中 1 家" in page.inner_text("#check")
    assert "尚未见证，可于 7 日后复核" in page.inner_text("#check")
    proxy.cosigners, proxy.age_s = 3, 8 * 24 * 3600
    assert visit(phone, proxy)[0] == "waiting"
    proxy.age_s = 6 * 24 * 3600
    state, page = visit(phone, proxy)
    assert (state, page.inner_text("#check .line").split()) == (
        "verified",
        ["✓", "已核对", "·", "6", "天前", "·", "3", "家见证中", "3", "家"],
    )


def test_new_entries_are_counted_since_the_last_check(
    phone: Any, proxy: LyingProxy, deployment: Deployment
) -> None:
    """A reason to look comes first; why and objection stand by each (verification.md 15)."""
    settle(phone, proxy)
    for _ in range(3):
        deployment.award()
    state, page = visit(phone, proxy)
    assert state == "verified"
    assert page.inner_text("#check-notes").splitlines()[0] == "上次核对后新增 3 条"
    for row in page.locator("tbody[data-index]:has([data-field=points])").all():
        said = row.locator("summary").all_inner_texts()
        assert "为什么" in said
        assert "异议" in said


def test_a_total_that_is_behind_the_entries_is_said_to_be_so_and_is_no_mismatch(
    phone: Any, proxy: LyingProxy, deployment: Deployment
) -> None:
    settle(phone, proxy)
    _, page = visit(phone, proxy)
    before = page.inner_text("#score").encode()
    deployment.award()

    def behind(data: bytes) -> bytes:
        """Return the page as it is while the read model has not folded the newest entry."""
        text, found = data_of(data)
        found["folded"] = found["entries"][-1][0]
        return with_total(data.replace(text, orjson.dumps(found)), before)

    proxy.lie = on(RECORD, body(behind))
    state, page = visit(phone, proxy)
    assert state == "verified"
    assert "分数还没有算上最新的 1 条" in page.inner_text("#check-notes")


def test_a_figure_is_said_not_to_be_recomputed_and_another_one_is_no_mismatch(
    phone: Any, proxy: LyingProxy
) -> None:
    settle(phone, proxy)
    proxy.lie = on(RECORD, body(lambda data: with_total(data, b"60")))
    state, page = visit(phone, proxy)
    assert state == "verified"
    page.click("#how > summary")
    checked, unchecked = page.inner_text("#how-text").split("没有核对：")
    assert "分数" not in checked
    assert "分数、记多少、封顶：服务器按细则算的，这里没有重算" in unchecked


def test_older_pages_of_a_long_record_are_checked_too(
    phone: Any, proxy: LyingProxy, deployment: Deployment
) -> None:
    for _ in range(55):
        deployment.award("m-4")
    state, page = visit(phone, proxy, "/record/m-4")
    assert state == "first"
    page.click("text=更早的记录")
    assert state_of(page) == "verified"
    assert page.locator("[data-check] .mark.verified").count() == 6
    assert visit(phone, proxy, "/record/m-4")[0] == "verified"


def test_a_rewritten_history_stays_on_the_page_and_its_evidence_convinces_others(
    phone: Any, proxy: LyingProxy, deployment: Deployment, tmp_path: Path
) -> None:
    """The mismatch stays, the evidence is kept and convinces others (verification.md 3, 4)."""
    settle(phone, proxy)
    deployment.award("m-3")
    signer = Signer(ORIGIN, keyfile.load(deployment.data / "log.key"))

    def rewrite(path: str, answer: Answer) -> Answer:
        """Serve a tree whose first entry is another one, signed with the log's own key."""
        if path.startswith("/log/tile/0/000"):
            return answer._replace(body=b"\x07" * 32 + answer.body[32:])
        if path == CHECKPOINT:
            size = parse_body(parse(answer.body).text).size
            tile = deployment.server.get(f"/log/tile/0/000.p/{size}").content
            root = root_of(split_hashes(b"\x07" * 32 + tile[32:]))
            note = checkpoints.sign(Checkpoint(ORIGIN, size, root), signer)
            return answer._replace(body=proxy.witnessed(note))
        return answer

    proxy.lie = rewrite
    state, page = visit(phone, proxy)
    assert state == "mismatch"
    banner = page.inner_text(".alarm")
    assert "账本改写过" in banner
    assert CONTACT in banner
    assert page.locator(".alarm button, .alarm a").all_inner_texts() == ["保存证据", "显示证据文字"]

    with page.expect_download() as download:
        page.click("#save-evidence")
    evidence = tmp_path / "evidence.json"
    download.value.save_as(evidence)
    said = mingzhang("verify", evidence, "--vkey", deployment.vkey)
    assert said.returncode == 0, said.stderr
    assert "FORK" in said.stdout

    # The honest tree again, a reload, another page: the banner stays.
    proxy.lie = None
    page.reload()
    assert state_of(page) == "mismatch"
    assert "账本改写过" in page.inner_text(".alarm")
    state, page = visit(phone, proxy, "/")
    assert state == "mismatch"
    assert "账本改写过" in page.inner_text(".alarm")


def test_two_trees_of_one_size_are_a_fork(
    phone: Any, proxy: LyingProxy, deployment: Deployment, tmp_path: Path
) -> None:
    settle(phone, proxy)
    signer = Signer(ORIGIN, keyfile.load(deployment.data / "log.key"))

    def other_tree(note: bytes) -> bytes:
        size = parse_body(parse(note).text).size
        return proxy.witnessed(checkpoints.sign(Checkpoint(ORIGIN, size, b"\x09" * 32), signer))

    proxy.lie = on(CHECKPOINT, body(other_tree))
    state, page = visit(phone, proxy)
    assert (state, alarm_of(page)["reason"]) == ("mismatch", "history")
    evidence = tmp_path / "evidence.json"
    evidence.write_text(alarm_of(page)["file"])
    said = mingzhang("verify", "evidence", evidence, "--vkey", deployment.vkey)
    assert (said.returncode, "two roots are signed" in said.stdout) == (0, True)


def test_a_page_with_another_logs_key_is_an_alarm_not_a_fresh_start(
    phone: Any, proxy: LyingProxy, deployment: Deployment
) -> None:
    """Another log is an alarm (verification.md 7)."""
    settle(phone, proxy)
    other = Signer("elsewhere.example/points", key_of("elsewhere")).vkey.text
    proxy.lie = on(
        RECORD, body(lambda data: data.replace(deployment.vkey.encode(), other.encode()))
    )
    state, page = visit(phone, proxy)
    assert (state, alarm_of(page)["reason"]) == ("mismatch", "origin")


def test_one_bad_entry_does_not_hide_the_others(phone: Any, proxy: LyingProxy) -> None:
    """Verification.md 13."""
    settle(phone, proxy)
    proxy.lie = FORGERY["altered entry"][1]
    _, page = visit(phone, proxy)
    marks = page.locator("[data-check] .mark")
    words = [each.replace("✓", "").replace("✕", "").strip() for each in marks.all_inner_texts()]
    assert words.count("对不上") == 1
    assert words.count("已核对") == len(words) - 1 > 3


def test_where_storage_is_refused_every_visit_is_a_first_one(
    browser: Any, proxy: LyingProxy
) -> None:
    context = browser.new_context(locale="zh-CN")
    context.add_init_script(
        "Object.defineProperty(window, 'localStorage', { get() { throw new Error('refused'); } });"
    )
    for _ in range(2):
        state, page = visit(context, proxy)
        assert state == "first"
        assert "不让保存" in page.inner_text("#check")
    proxy.lie = FORGERY["bad signature"][1]
    state, page = visit(context, proxy)
    assert state == "mismatch"
    assert page.locator("#save-evidence").count() == 1
    context.close()


def test_a_clock_that_is_a_day_slow_is_said_and_checking_goes_on(
    browser: Any, proxy: LyingProxy
) -> None:
    """The device's own clock (verification.md 5)."""
    context = browser.new_context(locale="zh-CN")
    context.add_init_script("const now = Date.now; Date.now = () => now() - 2 * 86400 * 1000;")
    visit(context, proxy)
    state, page = visit(context, proxy)
    assert state == "verified"
    assert "时钟慢了大约 2 天" in page.inner_text("#check-notes")
    context.close()


def test_without_webcrypto_the_same_is_verified(browser: Any, proxy: LyingProxy) -> None:
    """Without `crypto.subtle` too (verification.md 12)."""
    context = browser.new_context(locale="zh-CN")
    context.add_init_script(
        "Object.defineProperty(Crypto.prototype, 'subtle', { value: undefined });"
    )
    visit(context, proxy)
    state, page = visit(context, proxy)
    assert state == "verified"
    page.click("#how > summary")
    assert "@noble/ed25519" in page.inner_text("#how")
    proxy.lie = FORGERY["bad signature"][1]
    assert visit(context, proxy)[0] == "mismatch"
    context.close()


def test_v11_a_chat_app_that_refuses_nearly_everything_still_checks_and_hands_out_evidence(
    browser: Any, proxy: LyingProxy
) -> None:
    """No storage, `subtle`, WebAuthn or downloads; no redirect on load (verification.md 11).

    The evidence can be read and copied as text where nothing can be saved.
    """
    context = browser.new_context(locale="zh-CN", accept_downloads=False)
    context.add_init_script(
        "for (const name of ['localStorage', 'sessionStorage', 'indexedDB'])"
        " Object.defineProperty(window, name, { get() { throw new Error('refused'); } });"
        "Object.defineProperty(Crypto.prototype, 'subtle', { value: undefined });"
        "for (const name of ['credentials', 'storage', 'serviceWorker', 'share'])"
        " Object.defineProperty(Navigator.prototype, name, { value: undefined });"
    )
    page = context.new_page()
    statuses: list[int] = []
    page.on("response", lambda response: statuses.append(response.status))
    page.goto(proxy.url + RECORD)
    assert state_of(page) == "first"
    assert page.url == proxy.url + RECORD
    assert all(each < 300 for each in statuses), "no redirect on load"
    assert all("://" not in each for each in proxy.requests), "no custom scheme"
    proxy.lie = FORGERY["bad signature"][1]
    page.goto(proxy.url + RECORD)
    assert state_of(page) == "mismatch"
    page.click("text=显示证据文字")
    evidence = orjson.loads(page.input_value(".alarm textarea"))
    assert evidence["reason"] == "signature"
    context.close()


def test_a_cache_that_ignores_queries_mixes_nothing_up(
    phone: Any, proxy: LyingProxy, deployment: Deployment
) -> None:
    """Whatever is checked is addressed by its path (fault 20)."""
    settle(phone, proxy)
    deployment.award("m-3")
    visit(phone, proxy)
    asked = [each for each in proxy.requests if each.startswith(("/log/", "/policy"))]
    assert asked
    assert not [each for each in asked if "?" in each]


SEED = 20


@pytest.mark.timeout(120 + 12 * rounds(10))
def test_faults_that_come_and_go_are_each_said_for_what_they_are(
    browser: Any, proxy: LyingProxy, deployment: Deployment
) -> None:
    """Fault 20: drawn faults of network and cache on one device, honest answers between."""
    draw = random.Random(SEED)
    context = browser.new_context(locale="zh-CN")
    settle(context, proxy)
    for number in range(rounds(10)):
        old = deployment.server.get(CHECKPOINT).content
        deployment.award("m-3")
        assert visit(context, proxy)[0] == "verified"
        deployment.award("m-3")
        fault = draw.choice([*NETWORK, "stale"])
        print(f"seed {SEED}, round {number}: {fault}")
        stale = on(CHECKPOINT, body(lambda _, old=old: proxy.witnessed(old)))  # type: ignore[misc]
        proxy.lie = NETWORK.get(fault, stale)
        assert visit(context, proxy)[0] == "offline"
        proxy.lie = None
        assert visit(context, proxy)[0] == "verified"
    context.close()


def alarm_of(page: Any) -> dict[str, Any]:
    """Return the newest mismatch that the browser keeps."""
    kept = orjson.loads(page.evaluate("localStorage.getItem('mingzhang.log.v1')"))
    alarm: dict[str, Any] = kept["alarms"][-1]
    return alarm
