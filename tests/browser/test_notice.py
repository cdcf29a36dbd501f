"""A paper's code scanned with a phone: what the page says of it, in the five states."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from api.paper.check import Anchor
from api.paper.locator import locator_of
from api.web.show import grouped
from ledger.log import note
from ledger.log.checkpoint import parse_body
from tests.browser.conftest import Deployment
from tests.support.chromium import WAIT_MS, needs_chromium, state_of, watch_faults
from tests.support.lying import Answer, LyingProxy

pytestmark = needs_chromium


@pytest.fixture
def phone(browser: Any) -> Iterator[Any]:
    """A phone on which nothing is stored."""
    context = browser.new_context(locale="en", viewport={"width": 375, "height": 812})
    yield context
    context.close()


def paper_of(deployment: Deployment, proxy: LyingProxy, **changed: Any) -> Anchor:
    """What a notice printed now commits to, or one that is changed."""
    body = parse_body(note.parse(deployment.server.get("/log/checkpoint").content).text)
    made: dict[str, Any] = {"vkey": deployment.vkey, "size": body.size, "root": body.root}
    made |= {"url": proxy.url, "contact": "010-1", "member": ""}
    return Anchor(**(made | changed))


def scan(phone: Any, link: str) -> Any:
    page = phone.new_page()
    page.goto(link)
    return page


def test_an_older_notice_is_the_anchor_of_a_phone_whose_storage_is_empty(
    deployment: Deployment, proxy: LyingProxy, phone: Any
) -> None:
    older = paper_of(deployment, proxy, member="m-2")
    deployment.award()
    page = phone.new_page()
    faults = watch_faults(page)
    page.goto(older.link)
    assert state_of(page) == "verified"
    assert page.inner_text("#paper .groups") == grouped(older.root)
    assert "witnesses have seen it" in page.inner_text("#paper-says")
    asked = [each for each in proxy.requests if not each.startswith("/static/")]
    assert not any("m-2" in each for each in (*asked, *proxy.referers))
    page.click("#paper a")
    # The head that the paper led to is kept: the record goes on from it.
    page.wait_for_url("**/record/m-2")
    assert state_of(page) == "verified"
    assert faults == []


def test_without_a_paper_the_first_check_offers_an_older_one(
    deployment: Deployment, proxy: LyingProxy, phone: Any
) -> None:
    older = paper_of(deployment, proxy)
    page = scan(phone, f"{proxy.url}/record/m-2")
    assert state_of(page) == "first"
    page.click("#check-notes a")
    page.wait_for_url("**/notice")
    page.fill("#older", "https://points.example.org/")
    page.click("#older-go")
    assert "no notice's code" in page.inner_text("#older-said")
    page.fill("#older", older.link)
    page.press("#older", "Enter")
    page.wait_for_selector("#paper .groups", timeout=WAIT_MS)
    assert state_of(page) == "verified"


@pytest.mark.parametrize("changed", ["root", "key"])
def test_a_forged_paper_is_a_mismatch_that_stays_and_alarms_on_no_other_page(
    changed: str, deployment: Deployment, proxy: LyingProxy, phone: Any
) -> None:
    good = paper_of(deployment, proxy)
    name, _, key = deployment.vkey.split("+", 2)
    forged = {"root": good.root[:-1] + bytes([good.root[-1] ^ 1])}
    if changed == "key":
        forged = {"vkey": f"{name}+00000000+{key}"}  # type: ignore[dict-item]
    page = scan(phone, paper_of(deployment, proxy, **forged).link)
    assert state_of(page) == "mismatch"
    assert "First compare the 16 groups" in page.inner_text("#alarm")
    page.reload()
    assert state_of(page) == "mismatch"
    # The notice beside it that is right, scanned while this page is open.
    page.goto(good.link)
    page.wait_for_selector("#check .verified", timeout=WAIT_MS)
    page.goto(f"{proxy.url}/record/m-2")
    assert state_of(page) == "verified"


def test_what_the_network_withholds_is_no_mismatch(
    deployment: Deployment, proxy: LyingProxy, phone: Any
) -> None:
    link = paper_of(deployment, proxy).link
    proxy.lie = lambda path, answer: None if path.startswith("/log/") else answer
    page = scan(phone, link)
    assert state_of(page) == "offline"
    assert "does not make it wrong" in page.inner_text("#paper-says")
    proxy.lie = None
    ahead = paper_of(deployment, proxy)
    ahead = paper_of(deployment, proxy, size=ahead.size + 1000)
    assert state_of(scan(phone, ahead.link)) == "offline"


def test_a_paper_waits_for_the_witnesses_that_are_missing(
    deployment: Deployment, proxy: LyingProxy, phone: Any
) -> None:
    proxy.cosigners = 1
    page = scan(phone, paper_of(deployment, proxy).link)
    assert state_of(page) == "waiting"
    assert "witnesses are still missing" in page.inner_text("#paper-says")


def test_a_locator_typed_by_hand_finds_the_root_to_compare_and_errors_ask_nobody(
    deployment: Deployment, proxy: LyingProxy, phone: Any
) -> None:
    older = paper_of(deployment, proxy)
    deployment.award()
    code = locator_of(older.size)
    page = scan(phone, f"{proxy.url}/notice")
    state_of(page)
    asked = len(proxy.requests)
    for wrong, said in (
        (code[:-1], "12 digits"),
        (code[:-1] + str((int(code[-1]) + 1) % 10), "A digit is wrong"),
        (code[:-2] + code[-1] + code[-2], "A digit is wrong"),
    ):
        page.fill("#locator", wrong)
        page.click("#locator-go")
        assert said in page.inner_text("#locator-said")
    assert len(proxy.requests) == asked
    page.fill("#locator", code)
    page.press("#locator", "Enter")
    page.wait_for_url("**/notice?code=*")
    # A locator proves nothing, so what is known of the log alone decides the state.
    assert state_of(page) == "verified"
    assert page.inner_text("#paper .groups") == grouped(older.root)
    assert "as this page says" in page.text_content("#how-text")


def test_a_server_that_shows_another_root_for_a_locator_is_found_out(
    deployment: Deployment, proxy: LyingProxy, phone: Any
) -> None:
    older = paper_of(deployment, proxy)
    deployment.award()
    shown, forged = older.root.hex().encode(), bytes(32).hex().encode()

    def lie(path: str, answer: Answer) -> Answer:
        if path.startswith("/notice"):
            return answer._replace(body=answer.body.replace(shown, forged))
        return answer

    proxy.lie = lie
    code = locator_of(older.size).replace(" ", "")
    assert state_of(scan(phone, f"{proxy.url}/notice?code={code}")) == "mismatch"
