"""A record on the full path: every step of an entry's way is checked where it is shown."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from ledger.store.ledger import Ledger, initialise
from tests.support.chromium import needs_chromium, state_of
from tests.support.clock import SteadyClock
from tests.support.lying import Answer, LyingProxy, lying_proxy
from tests.support.organisation import ORIGIN
from tests.support.server import Server, environment
from tests.support.states import EveryState, record
from tests.support.waiting import wait_until

pytestmark = needs_chromium

RECORD = "/record/m-2"
MEASURE = (Path(__file__).parent / "measure.js").read_text()


@pytest.fixture
def proxy(tmp_path: Path, database_url: str) -> Iterator[LyingProxy]:
    data, clock = tmp_path / "data", SteadyClock()
    initialise(data, ORIGIN)
    with Ledger.open(data, url=database_url, clock=clock) as ledger:
        record(EveryState().said, ledger, clock)
    with Server(data, environment(database_url), tmp_path / "serve.log") as server:
        wait_until(lambda: server.get(RECORD).status_code == httpx.codes.OK, 60)
        with lying_proxy(server.url) as running:
            yield running


def altered(old: bytes, new: bytes) -> Any:
    """Return a lie that shows other words in the first place where the record has `old`."""

    def lie(path: str, answer: Answer) -> Answer:
        if not path.startswith(RECORD):
            return answer
        assert old in answer.body
        return answer._replace(body=answer.body.replace(old, new, 1))

    return lie


@pytest.fixture
def phone(browser: Any) -> Iterator[Callable[[], Any]]:
    """Makes pages of a phone that was never here before."""
    contexts = []

    def fresh() -> Any:
        size = {"width": 375, "height": 812}
        contexts.append(browser.new_context(locale="zh-CN", viewport=size))
        return contexts[-1].new_page()

    yield fresh
    for each in contexts:
        each.close()


def test_every_step_is_checked_and_other_words_in_one_are_a_mismatch(
    phone: Callable[[], Any], proxy: LyingProxy
) -> None:
    page = phone()
    page.goto(proxy.url + RECORD)
    assert state_of(page) == "first"
    marks = page.locator("[data-index] [data-check] .mark")
    assert marks.count() == page.locator("[data-index]").count() == 50
    assert page.locator("ol.way [data-check] .mark").count() > 20
    assert page.locator("tbody .mismatch, .fault").count() == 0
    page.click("text=更早的记录")
    assert state_of(page) == "waiting", "without a policy there is no quorum"
    assert page.locator("tbody .mismatch, .fault").count() == 0

    for old, new in (
        (b"<span data-actor>east-com-2</span>", b"<span data-actor>east-com-9</span>"),
        (b'<ol class="way">', b'<ol class="way"><li data-index="3">x</li>'),
        (b'data-field="clause">C-1', b'data-field="clause">C-9'),
    ):
        proxy.lie = altered(old, new)
        page = phone()
        page.goto(proxy.url + RECORD)
        assert state_of(page) == "mismatch", old
        assert "页面上显示的，和账本里记的不一样" in page.inner_text(".alarm")
        # A bad step is unfolded, so that what is marked is seen.
        if b"east-com" in old:
            assert page.locator("ol.way li.bad").is_visible()


def test_a_whole_way_can_be_read_touched_and_fits_a_phone(
    phone: Callable[[], Any], proxy: LyingProxy
) -> None:
    page = phone()
    for query in ("", "?lang=en", "?size=largest"):
        page.goto(proxy.url + RECORD + query)
        state_of(page)
        page.evaluate(
            "document.querySelectorAll('details').forEach((each) => { each.open = true; })"
        )
        assert page.evaluate(MEASURE) == {"pale": [], "small": [], "over": 0}, query
