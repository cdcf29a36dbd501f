"""A change of witnesses: an entry of the log, which the member is shown (verification.md 6).

The policy that a browser has pinned gives way only to one that a signed entry adopted, and only
where the pinned witnesses have seen that entry.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

import orjson
import pytest

from ledger.signing import encode_base64
from tests.browser.conftest import Deployment
from tests.browser.test_lying_server import body, data_of, on, settle, visit
from tests.support.chromium import needs_chromium
from tests.support.lying import WITNESSES, LyingProxy, Witness, policy_text

pytestmark = needs_chromium

STRANGER = Witness("w9.example/witness")


@pytest.fixture
def phone(browser: Any) -> Iterator[Any]:
    """A browser with empty storage, in Chinese."""
    context = browser.new_context(locale="zh-CN", viewport={"width": 375, "height": 812})
    yield context
    context.close()


def other_policy(vkey: str, name: str = "w9") -> bytes:
    """Return a policy whose quorum is one new witness and the first one of before."""
    lines = [f"log {vkey}", f"witness w1 {WITNESSES[0].vkey}", f"witness {name} {STRANGER.vkey}"]
    return "\n".join([*lines, f"group g 2 w1 {name}", "quorum g", ""]).encode()


def adopt(deployment: Deployment, policy: bytes) -> int:
    """Record that a policy was adopted; return the entry's index."""
    digest = {"policy": hashlib.sha256(policy).hexdigest()}
    people = deployment.organisation
    signed = people.statement("witnesses.adopted", "ledger/root", "reg-1", digest, also=("reg-2",))
    answer = deployment.server.post(signed)
    assert answer.status_code == 200, answer.text
    return int(answer.text.split("index ")[1].split("\n")[0])


def serving(policy: bytes) -> Any:
    return on("/policy", body(lambda _: policy))


def test_v06_another_list_that_no_entry_adopted_is_said_and_not_followed(
    phone: Any, proxy: LyingProxy, deployment: Deployment
) -> None:
    settle(phone, proxy)
    proxy.lie = serving(other_policy(deployment.vkey))
    for _ in range(2):
        state, page = visit(phone, proxy)
        assert state == "verified", "the pinned witnesses still stand by it"
        assert "账本里没有换名单的记录" in page.inner_text("#check-notes")
        assert "3 家见证中 2 家" in page.inner_text("#check")


def test_v06_a_list_that_an_entry_adopted_is_shown_with_who_signed_and_then_followed(
    phone: Any, proxy: LyingProxy, deployment: Deployment
) -> None:
    settle(phone, proxy)
    policy = other_policy(deployment.vkey, "w-new")
    index = adopt(deployment, policy)
    proxy.lie = serving(policy)
    proxy.cosigners = 1
    state, page = visit(phone, proxy)
    assert state == "waiting"
    said = page.inner_text("#check-notes")
    assert f"账本第 {index} 条" in said
    assert "原来的见证还没有见过这一条" in said
    proxy.cosigners = 2
    state, page = visit(phone, proxy)
    assert state == "verified"
    said = page.inner_text("#check-notes")
    assert f"见证名单换了：账本第 {index} 条" in said
    assert "由 reg-1、reg-2 签名" in said
    assert "从下次起按新名单核对" in said
    # Now the new list counts: the new witness has not signed anything.
    state, page = visit(phone, proxy)
    assert state == "waiting"
    assert "2 家见证中 1 家" in page.inner_text("#check")
    # And the old one does not come back: the entry that adopted it, if any, is older.
    proxy.lie = None
    state, page = visit(phone, proxy)
    assert state == "waiting"
    assert "账本里没有换名单的记录" in page.inner_text("#check-notes")


def test_v06_an_entry_that_is_not_in_the_log_adopts_nothing_and_is_a_mismatch(
    phone: Any, proxy: LyingProxy, deployment: Deployment
) -> None:
    settle(phone, proxy)
    policy = other_policy(deployment.vkey, "w-forged")
    index = adopt(deployment, policy_text(deployment.vkey).encode())

    def forged(page: bytes) -> bytes:
        """Return a page whose entry about the witnesses has another policy's digest."""
        text, data = data_of(page)
        entry = deployment.server.get(f"/v1/entries/{index}").content
        changed = bytearray(entry)
        changed[-20] ^= 1
        data["policy"] = [[index, encode_base64(bytes(changed))]]
        return page.replace(text, orjson.dumps(data))

    both = (serving(policy), on("/record/", body(forged)))

    def lie(path: str, answer: Any) -> Any:
        for each in both:
            answer = each(path, answer)
        return answer

    proxy.lie = lie
    state, page = visit(phone, proxy)
    assert state == "mismatch"
    page.click(".alarm summary")
    assert "adopts a policy of witnesses" in page.inner_text(".alarm")
