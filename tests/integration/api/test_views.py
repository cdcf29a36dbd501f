"""Rankings and statements over HTTP and from the command line, of one ledger."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ledger.log.note import VerifierKey
from ledger.store.ledger import Ledger, initialise
from ledger.store.publish import export
from projections.runner import Runner
from tests.support.clock import SteadyClock
from tests.support.database import set_up
from tests.support.organisation import ORIGIN, Organisation
from tests.support.server import Server, environment, mingzhang
from tests.support.waiting import wait_until

DRAFT = Path(__file__).parents[3] / "ops" / "demo" / "rulebooks" / "rural.yaml"


@pytest.fixture
def size(clock: SteadyClock, tmp_path: Path, database_url: str) -> int:
    """A ledger with a few acts, closed again and published; return its size."""
    organisation = Organisation()
    initialise(tmp_path / "data", ORIGIN)
    with Ledger.open(tmp_path / "data", url=database_url, clock=clock) as ledger:
        set_up(ledger, organisation, clock)
        award = organisation.new_id()
        for envelope in (
            organisation.award("m-1", 150, ident=award, signers=("rec-1", "com-1")),
            organisation.award("m-2", 225),
            organisation.award("m-3", 50, kind="points.deducted"),
            organisation.correction("m-1", award, 75),
        ):
            ledger.append(envelope)
        export(ledger, tmp_path / "export", VerifierKey.parse(ledger.vkey))
        return Runner.of(ledger).catch_up()


@pytest.fixture
def server(tmp_path: Path, database_url: str, size: int) -> Iterator[Server]:
    with (tmp_path / "data" / "ledger.toml").open("a") as config:
        config.write("publish_rankings = true\n")
    with Server(tmp_path / "data", environment(database_url), tmp_path / "serve.log") as made:
        wait_until(lambda: made.get("/v1/members/m-1/statement").status_code == 200, 30)
        yield made


def test_a_ranking_is_read_page_by_page_and_says_its_position(server: Server, size: int) -> None:
    found: list[dict[str, Any]] = []
    after: dict[str, str] = {}
    while True:
        answer = server.get("/v1/rankings/root", params={"period": "2026", "limit": 3} | after)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        assert page["as_of"]["size"] == size
        found += page["standings"]
        if page["next"] is None:
            break
        after = {"after": page["next"]}
    assert [(e["position"], e["rank"], e["member"], e["score"]) for e in found] == [
        (1, 1, "m-2", 225),
        (2, 2, "m-1", 75),
        (3, 3, "m-4", 0),
        (4, 4, "m-3", -50),
    ]
    early = {"period": "2026", "as_of": str(size - 1)}
    assert server.get("/v1/rankings/root", params=early).json()["standings"][1]["score"] == 150
    for wrong, status in (
        ({"period": "2026-Q9"}, 400),
        ({"period": "2026", "after": "e30"}, 400),
        ({"period": "2026", "rulebook": "north"}, 404),
        ({"period": "2026", "sort": "down"}, 422),
        ({"period": "2026", "as_of": str(size + 9)}, 404),
    ):
        assert server.get("/v1/rankings/root", params=wrong).status_code == status, wrong


def test_a_statement_has_the_whole_way_of_each_entry(server: Server, size: int) -> None:
    answer = server.get("/v1/members/m-1/statement", params={"limit": 1}).json()
    (first,) = answer["entries"]
    assert (first["state"], first["worth"], first["counted"]) == ("reversed", 150, None)
    (step,) = first["steps"]
    assert step["signers"] == [
        {"actor": "rec-1", "roles": ["recorder"]},
        {"actor": "com-1", "roles": ["committee"]},
    ]
    rest = server.get("/v1/members/m-1/statement", params={"after": answer["next"]}).json()
    (second,) = rest["entries"]
    assert (second["reverses"], second["counted"]) == (first["id"], 75)
    assert rest["next"] is None
    assert rest["figures"][0]["daily"] == 75
    assert server.get("/v1/members/m-9/statement").status_code == 404


def test_rankings_are_closed_unless_they_are_turned_on(
    tmp_path: Path, database_url: str, size: int
) -> None:
    with Server(tmp_path / "data", environment(database_url), tmp_path / "serve.log") as server:
        answer = server.get("/v1/rankings/root", params={"period": "2026"})
    assert answer.status_code == 403
    assert "publish_rankings = true" in answer.json()["detail"]


def test_the_command_line_answers_the_same_with_and_without_the_database(
    tmp_path: Path, database_url: str, size: int
) -> None:
    env = environment(database_url) | {"MINGZHANG_DATA": str(tmp_path / "data")}
    for words in (
        ("ranking", "--unit", "root", "--period", "2026-Q1", "--type", "ordinary"),
        ("statement", "m-1"),
    ):
        mine = mingzhang(*words, env=env)
        assert mine.returncode == 0, mine.stderr
        replayed = mingzhang("replay", tmp_path / "export", *words)
        assert replayed.returncode == 0, replayed.stderr
        assert mine.stdout == replayed.stdout
    tried = mingzhang(
        "rulebook", "try", DRAFT, "--against", tmp_path / "export", "--rulebook", "rules"
    )
    assert tried.returncode == 0, tried.stderr
    assert "计 0 Counts 0" in tried.stdout
    asked = ("--against", tmp_path / "export", "--json")
    refused = mingzhang("rulebook", "try", DRAFT, *asked)
    assert refused.returncode == 1
    assert "no rulebook 'rural' is published in this log: it has rules" in refused.stderr
