"""Every read takes `as_of` and says which position it used, whatever is recorded later."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import ExitStack, closing
from datetime import date
from typing import Any

import httpx
import pytest

from api.app import create_app
from api.desk import Desk
from api.service import Service
from ledger.store.ledger import Ledger
from ledger.store.register import Register
from projections.asof import as_of_value
from projections.runner import Runner
from tests.support.chronicle import PAIR
from tests.support.clock import SteadyClock
from tests.support.database import OpenLedger
from tests.support.hearing import CASE, Hearing
from tests.support.passage import SLIP
from tests.support.walk import Walk
from tests.support.web import ask

TOKEN = "a token of the committee"
FOUNDED = date(2026, 1, 5)
MONTH = {"period": "2026-01"}

ASKED: dict[str, tuple[str, dict[str, str]]] = {
    "/v1/rankings/{unit}": ("/v1/rankings/east", {"period": "2026"}),
    "/v1/members/{ident}/statement": ("/v1/members/m-2/statement", {}),
    "/v1/notices/{unit}": ("/v1/notices/root", {}),
    "/v1/usage/{unit}": ("/v1/usage/east", MONTH),
    "/v1/rosters/{unit}": ("/v1/rosters/east", MONTH),
    "/v1/funds": ("/v1/funds", {}),
    "/v1/funds/{ident}": ("/v1/funds/red", {}),
    "/v1/redactions": ("/v1/redactions", {}),
    "/v1/tasks": ("/v1/tasks", {"actor": "lead-1"}),
    "/v1/way/{statement_id}": ("/v1/way/{claimed}", {}),
    "/v1/committee/entries": ("/v1/committee/entries", {"unit": "east"}),
    "/v1/committee/entries.xlsx": ("/v1/committee/entries.xlsx", {"unit": "east"}),
    "/v1/committee/activity/{unit}": ("/v1/committee/activity/root", {"month": "2026-01"}),
    "/v1/committee/disputes": ("/v1/committee/disputes", {}),
    "/v1/committee/disputes/{ident}": (f"/v1/committee/disputes/{CASE}", {}),
}
"""How each route is asked; `{claimed}` is an entry that is under way."""

WITHOUT = {
    "/v1/entries/{index}": "an entry never changes",
    "/v1/streams/{kind}/{ident}": "the log itself, each line with its place in it",
    "/v1/receipts/{statement_id}": "a receipt names its own checkpoint",
    "/v1/schemas/{statement_type}": "no answer from the log",
    "/v1/states/{period}/{tree}/{as_of}/{member}": "the sealed position is in the path",
    "/v1/proofs/inclusion/{size}/{index}": "the size is in the path",
    "/v1/proofs/consistency/{old}/{new}": "both sizes are in the path",
    "/v1/documents/{commitment}": "kept beside the log, by its digest",
    "/v1/committee/access": "who opened cases is kept beside the log",
    "/v1/witnesses": "what witnesses say now of the newest checkpoint",
    "/v1/committee/bundles/{entry}": "its receipts are under the checkpoint of `size`",
    "/log/checkpoint": "the newest checkpoint itself",
    "/log/tile/{level}/{path}": "a tile never changes",
    "/log/timestamps/index": "the list of what is kept",
    "/log/timestamps/{size}/{name}": "the size is in the path",
    "/healthz": "no answer from the log",
    "/readyz": "no answer from the log",
}
"""Routes that take no `as_of`, each with the reason."""


class Told(Walk, Hearing):
    """A passage with a dispute that keeps what was recorded."""


class Place:
    """A ledger in this process, with a dispute, a fund and entries under way."""

    def __init__(self, ledger: Ledger, clock: SteadyClock, stack: ExitStack) -> None:
        self.ledger, self.clock, self.log = ledger, clock, Told(0)
        self._day, self._told = FOUNDED, 0
        log = self.log
        log.say("fund.opened", "fund/red", {"unit": "east"}, PAIR)
        log.published("rec-1", member="m-5", evidence=SLIP)
        self.claimed = log.claim()
        log.received()
        log.do("acknowledged", "in-1")
        self.follow()
        desk = stack.enter_context(closing(Desk(ledger, clock)))
        register = Register(stack.enter_context(ledger.database.pool(1, 1)))
        digest = hashlib.sha256(TOKEN.encode()).digest()
        self.app = create_app(
            Service(
                ledger,
                desk=desk,
                views=desk.views,
                publish_rankings=True,
                committee={"disc-1": digest},
                cases=register,
            )
        )

    def follow(self) -> None:
        """Record what was said, each on its day, and fold it."""
        for day, envelope in self.log.said[self._told :]:
            if (wanted := date.fromisoformat(day)) > self._day:
                self.clock.pass_days((wanted - self._day).days)
                self._day = wanted
            self.ledger.append(envelope)
        self._told = len(self.log.said)
        Runner.of(self.ledger).catch_up()

    def go_on(self) -> None:
        """Record more of everything."""
        log, later = self.log, "2026-01-29"
        log.do("accepted", "disc-1", day=later)
        log.check(self.claimed, day=later)
        log.claim("rec-1", member="m-6", evidence=SLIP, day=later, late_reason="ab" * 32)
        given = {"points": 1000, "source": "budget", "evidence": []}
        log.say("fund.endowed", "fund/red", given, PAIR, later)
        self.follow()

    def get(self, route: str, **more: str) -> httpx.Response:
        path, asked = ASKED[route]
        path = path.format(claimed=self.claimed)
        headers = {"Authorization": f"Bearer {TOKEN}"}
        answer = ask(self.app, "GET", path, params=asked | more, headers=headers)
        assert answer.status_code == 200, (route, answer.text)
        return answer


@pytest.fixture
def place(open_ledger: OpenLedger, clock: SteadyClock) -> Iterator[Place]:
    with ExitStack() as stack:
        yield Place(open_ledger(), clock, stack)


def size_of(answer: httpx.Response) -> int:
    """Return the position that an answer says it holds for; a table says it in its name."""
    if "xlsx" in answer.headers.get("content-disposition", ""):
        return int(answer.headers["content-disposition"].split("-")[-1].removesuffix('.xlsx"'))
    found: int = answer.json()["as_of"]["size"]
    return found


def value_of(answer: httpx.Response) -> Any:
    """Return what an answer says; an Excel file holds the time of its making."""
    return None if "spreadsheet" in answer.headers["content-type"] else answer.json()


def test_every_read_route_takes_as_of_or_has_a_reason_not_to(place: Place) -> None:
    paths = place.app.openapi()["paths"]
    read = {path for path, methods in paths.items() if "get" in methods}
    # What they answer, and for which position, tests/integration/ops/test_questions.py asks.
    asked = {path for path in read if "/ask/" in path}
    for path in asked:
        assert "as_of" in {each["name"] for each in paths[path]["get"]["parameters"]}, path
    assert asked
    assert read - asked == ASKED.keys() | WITHOUT.keys(), (
        "ask it in ASKED, or give the reason in WITHOUT"
    )
    for path in ASKED:
        named = {each["name"] for each in paths[path]["get"]["parameters"] if each["in"] == "query"}
        assert "as_of" in named, path


def test_every_answer_says_its_position_and_stays_what_it_was(place: Place, tmp_path: Any) -> None:
    size = place.ledger.size()
    file = tmp_path / "checkpoint"
    file.write_bytes(place.ledger.checkpoint())
    checkpoint = as_of_value(str(file))
    before = {}
    for route in ASKED:
        assert size_of(place.get(route)) == size, route
        then = place.get(route, as_of=str(size))
        assert size_of(then) == size, route
        before[route] = value_of(then)
    place.go_on()
    newest, changed = place.ledger.size(), set()
    for route in ASKED:
        now = place.get(route)
        assert size_of(now) == newest > size, route
        if value_of(now) is not None and value_of(now) | {"as_of": 0} != before[route] | {
            "as_of": 0
        }:
            changed.add(route)
        for asked in (str(size), "2026-01-28", checkpoint):
            then = place.get(route, as_of=asked)
            assert size_of(then) == size, (route, asked)
            assert value_of(then) == before[route], (route, asked)
    assert changed >= {"/v1/tasks", "/v1/way/{statement_id}", "/v1/funds", "/v1/committee/disputes"}


def test_tasks_of_the_past_are_those_that_the_day_showed(place: Place) -> None:
    """The open ones come from another read model: it must find the same."""
    for actor in ("lead-1", "east-com-1", "east-sec", "in-1", "up-1"):
        path = f"/v1/tasks?actor={actor}"
        now = ask(place.app, "GET", path).json()
        then = ask(place.app, "GET", f"{path}&as_of={place.ledger.size()}").json()
        assert then == now
    assert now["as_of"]["size"] == place.ledger.size()


def test_what_was_not_there_yet_is_not_found(place: Place) -> None:
    index, _ = place.ledger.find(place.claimed)
    path = f"/v1/way/{place.claimed}?as_of="
    missing = ask(place.app, "GET", f"{path}{index}")
    assert missing.status_code == 404
    assert f"not among the first {index} entries" in missing.json()["detail"]
    assert ask(place.app, "GET", f"{path}{index + 1}").status_code == 200
    assert ask(place.app, "GET", f"{path}yesterday").status_code == 400
    assert ask(place.app, "GET", f"{path}{place.ledger.size() + 1}").status_code == 404
