"""The pages as people meet them: policy, privacy, contrast, targets, width, languages."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.browser.conftest import Deployment
from tests.support.chromium import needs_chromium, state_of, watch_faults
from tests.support.lying import LyingProxy
from tests.support.server import mingzhang

pytestmark = needs_chromium

PAGES = ("/", "/record/m-2", "/notice", "/rulebook/rules/1.0.0", "/record/nobody", "/verify.html")
CHECKED = ("/", "/record/m-2", "/notice")
WEIGHT_MAX = 100_000

MEASURE = (Path(__file__).parent / "measure.js").read_text()


@pytest.fixture(params=["light", "dark"])
def phone(browser: Any, request: pytest.FixtureRequest) -> Iterator[Any]:
    context = browser.new_context(
        locale="zh-CN",
        viewport={"width": 375, "height": 812},
        color_scheme=request.param,
    )
    yield context
    context.close()


@pytest.mark.parametrize("path", PAGES)
def test_everything_can_be_read_touched_and_fits_a_phone(
    path: str, phone: Any, proxy: LyingProxy
) -> None:
    page = phone.new_page()
    for query in ("", "?lang=en", "?size=largest"):
        page.goto(proxy.url + path + query)
        if path in CHECKED:
            state_of(page)
        page.evaluate(
            "document.querySelectorAll('details').forEach((each) => { each.open = true; })"
        )
        measured = page.evaluate(MEASURE)
        assert measured == {"pale": [], "small": [], "over": 0}, (path, query)


def test_every_state_can_be_read_and_fits_a_phone(phone: Any, proxy: LyingProxy) -> None:
    page = phone.new_page()
    seen = []
    for lie, cosigners in ((None, 2), (None, 2), (None, 1), ("cut", 2), ("forged", 2)):
        proxy.cosigners = cosigners
        proxy.lie = None if lie is None else _lie(lie)
        page.goto(proxy.url + "/record/m-2")
        seen.append(state_of(page))
        page.evaluate(
            "document.querySelectorAll('details').forEach((each) => { each.open = true; })"
        )
        assert page.evaluate(MEASURE) == {"pale": [], "small": [], "over": 0}, seen[-1]
    assert seen == ["first", "verified", "waiting", "offline", "mismatch"]


def _lie(kind: str) -> Any:
    def lie(path: str, answer: Any) -> Any:
        if path != "/log/checkpoint":
            return answer
        return (
            None if kind == "cut" else answer._replace(body=answer.body.replace(b"\n2", b"\n3", 1))
        )

    return lie


@pytest.mark.parametrize("path", CHECKED)
def test_no_page_breaks_its_own_policy(path: str, browser: Any, proxy: LyingProxy) -> None:
    page = browser.new_page()
    faults = watch_faults(page)
    page.add_init_script(
        "addEventListener('securitypolicyviolation',"
        " (event) => console.error('policy ' + event.blockedURI));"
    )
    for _ in range(2):
        answer = page.goto(proxy.url + path)
        state_of(page)
    page.click("#how > summary")
    assert faults == []
    policy = answer.headers["content-security-policy"]
    assert "unsafe" not in policy
    assert "nonce" not in policy
    page.close()


def test_only_the_page_itself_is_asked_for_by_the_members_id(
    browser: Any, proxy: LyingProxy
) -> None:
    """Checkpoints and whole tiles only, alike for all: no member id (verification.md 14)."""
    page = browser.new_page()
    for _ in range(2):
        page.goto(proxy.url + "/record/m-2")
        state_of(page)
    assert [each for each in proxy.requests if "m-2" in each] == ["/record/m-2"] * 2
    assert proxy.referers == []
    kinds = {each.split("?")[0].split("/")[1] for each in proxy.requests}
    assert kinds == {"record", "static", "log", "policy"}
    assert all("/entries/" not in each for each in proxy.requests)
    page.close()


def test_what_a_page_weighs_when_it_is_first_opened(deployment: Deployment) -> None:
    headers = {"Accept-Encoding": "gzip"}
    page = deployment.server.get("/record/m-2", headers=headers)
    linked = [each.split('"')[0] for each in page.text.split('="/static/')[1:]]
    assert len(linked) == 3
    weight = len(page.content)
    for each in linked:
        with httpx.stream("GET", f"{deployment.server.url}/static/{each}", headers=headers) as file:
            assert file.headers["content-encoding"] == "gzip"
            weight += len(b"".join(file.iter_raw()))
    assert weight < WEIGHT_MAX


def test_without_scripts_the_record_is_all_there_and_says_that_nothing_was_checked(
    browser: Any, proxy: LyingProxy
) -> None:
    context = browser.new_context(java_script_enabled=False, locale="en-GB")
    page = context.new_page()
    page.goto(proxy.url + "/record/m-2")
    assert "Not checked" in page.inner_text("#check")
    assert page.locator("tbody[data-index]").count() >= 6
    assert page.inner_text("#score") == "6"
    page.locator("summary", has_text="Object").first.click()
    assert "I object to entry" in page.inner_text("main")
    context.close()


def test_the_language_follows_the_browser_and_the_switch_is_remembered(
    browser: Any, proxy: LyingProxy
) -> None:
    context = browser.new_context(locale="en-GB")
    page = context.new_page()
    page.goto(proxy.url + "/record/m-2")
    assert page.inner_text("h1") == "Record of member m-2"
    page.click("text=中文")
    assert page.inner_text("h1") == "成员 m-2 的积分记录"
    page.goto(proxy.url + "/")
    assert page.inner_text("h1") == "公开的账本"
    page.click("text=大字")
    page.goto(proxy.url + "/record/m-2")
    assert page.evaluate("getComputedStyle(document.documentElement).fontSize") == "23.8px"
    context.close()


def test_the_public_page_shows_rulebooks_rankings_and_witnesses(
    browser: Any, proxy: LyingProxy
) -> None:
    page = browser.new_page(locale="en-GB")
    page.goto(proxy.url + "/")
    assert state_of(page) == "first"
    text = page.inner_text("main")
    for said in ("Rules", "1.0.0", "Rankings · root · Rules", "Witnesses"):
        assert said in text
    page.click("a[href='/rulebook/rules/1.0.0']")
    assert "C-1" in page.inner_text("main")
    page.close()


def test_a_member_who_is_not_there_gets_a_page_that_says_so(deployment: Deployment) -> None:
    answer = deployment.server.get("/record/nobody", headers={"Accept-Language": "en"})
    assert answer.status_code == 404
    assert "The ledger has nothing under that name" in answer.text


def test_a_record_is_kept_by_no_cache(deployment: Deployment) -> None:
    answer = deployment.server.get("/record/m-2")
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-robots-tag"] == "noindex"


def test_the_verify_page_is_written_and_is_small(tmp_path: Path) -> None:
    file = tmp_path / "verify.html"
    done = mingzhang("verify-page", "--out", file)
    assert done.returncode == 0, done.stderr
    assert len(gzip.compress(file.read_bytes())) < 60_000


def test_a_slow_phone_checks_a_record_too(
    browser: Any, proxy: LyingProxy, record_property: Callable[[str, object], None]
) -> None:
    """One line within 3 s at a quarter of the speed, without a button (verification.md 1)."""
    context = browser.new_context()
    page = context.new_page()
    context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": 4})
    took_s = []
    for wanted in ("first", "verified", "verified", "verified"):
        page.goto(proxy.url + "/record/m-2")
        assert state_of(page) == wanted
        took_s.append(page.evaluate("performance.now()") / 1000)
    # The best of several: a machine that is shared says little by one.
    record_property("slow_phone_s", took_s)
    assert min(took_s[1:]) < 3
    context.close()
