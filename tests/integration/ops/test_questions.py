"""`ops/questions.md`: every command and address of it answers, on the demo's ledger."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest

from ledger.store.ledger import Ledger, Options
from tests.integration.ops.asking import auditors, committee, members
from tests.support.asked import BLOCK, PARTS, SECTIONS, TITLE, Place, by_id
from tests.support.server import Server, environment
from tests.support.waiting import wait_until

CHECKS = members.CHECKS | auditors.CHECKS | committee.CHECKS
pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    for name in [each for each in os.environ if each.startswith("MINGZHANG_DATA")]:
        del os.environ[name]
    made = Place(tmp_path_factory.mktemp("asked"))
    with Server(made.folders.data, environment(), made.folder / "serve.log") as server:
        made.url = server.url
        path = f"/v1/ask/changes?member=m-0127&as_of={made.size}"
        wait_until(lambda: made.get(path).status_code == 200, 60)
        yield made


@pytest.mark.parametrize("title", SECTIONS)
def test_a_question_of_the_page_is_answered_by_command_and_over_http(
    place: Place, title: str
) -> None:
    CHECKS[title](place, place.ask(title))


def test_the_page_has_every_question_with_both_languages_and_each_is_checked() -> None:
    assert [len(TITLE.findall(part)) for part in PARTS] == [14, 15, 15]
    assert set(SECTIONS) == set(CHECKS)
    for text in SECTIONS.values():
        assert {kind for kind, _ in BLOCK.findall(text)} == {"sh", "http"}


def test_what_is_unknown_is_said_with_what_to_do(place: Place) -> None:
    nothing = "01900000-0000-7000-8000-000000000000"
    for path, status, word in (
        ("changes?member=m-9999", 404, "no member 'm-9999'"),
        ("late?unit=nowhere", 404, "no unit 'nowhere'"),
        (f"chain?entry={nothing}", 404, "no signed entry holds"),
        ("decision?dispute=d-9", 404, "no dispute 'd-9'"),
        ("published?period=none", 404, "no period 'none'"),
        ("rule-moves?rulebook=none", 404, "no rulebook 'none'"),
        ("rule-moves?rulebook=school&version=9.9.9", 404, "1.2.0"),
        ("same-act", 400, "one of the two"),
        ("changes?member=m-0127&since=soon", 400, "neither a log size"),
        ("changes?member=m-0127&as_of=10000000", 404, "the log has no size"),
    ):
        answer = place.get(f"/v1/ask/{path}")
        assert (answer.status_code, word in answer.json()["detail"]) == (status, True), answer.text
        name, _, query = path.partition("?")
        pairs = [each.partition("=") for each in query.split("&") if each]
        options = [f"--{each.replace('_', '-')} {value}" for each, _, value in pairs]
        done = place.run(f"mingzhang ask {name} {' '.join(options)}")
        assert (done.returncode, word in done.stderr) == (1, True), done.stderr


def test_an_answer_for_the_past_knows_nothing_of_what_came_later(place: Place) -> None:
    early = place.get("/v1/ask/self-approved?unit=school&as_of=2025-05-07").json()
    assert place.named["kin"] not in by_id(early["entries"])
    before = place.get("/v1/ask/revoked-keys", {}).json()
    assert len(before["revoked"]) == 1
    assert place.get(f"/v1/ask/revoked-keys?as_of={place.old}").json()["revoked"] == []
    gone = place.get(f"/v1/ask/chain?entry={place.claim}&as_of={place.old}")
    assert gone.status_code == 404


def test_pages_of_an_answer_join_to_the_whole(place: Place) -> None:
    whole = place.get("/v1/ask/unevidenced?unit=school&limit=1000").json()
    found: list[Any] = []
    after = ""
    while True:
        page = place.get(f"/v1/ask/unevidenced?unit=school&limit=7{after}").json()
        found += page["entries"]
        if page["after"] is None:
            break
        after = f"&after={page['after']}"
    assert found == whole["entries"]
    assert len(found) > 7


def test_a_token_is_of_use_only_while_its_owner_holds_the_office_in_the_log(place: Place) -> None:
    path = "/v1/committee/ask/pairs"
    assert place.get(path).status_code == 401
    refused = place.get(path, {"Authorization": "Bearer of one without a role"})
    assert (refused.status_code, "neither of discipline" in refused.text) == (403, True)
    assert (
        place.get(
            "/v1/committee/disputes", {"Authorization": "Bearer of one without a role"}
        ).status_code
        == 403
    )
    with Ledger.open(place.folders.data, options=Options(append=False)) as ledger:
        assert ledger.size() == place.size
