"""Notice board, usage, roster, activity, funds and erasures: over HTTP and on the command line."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from ledger.store.ledger import Ledger, initialise
from projections.runner import Runner
from tests.support.clock import SteadyClock
from tests.support.database import set_up
from tests.support.organisation import ORIGIN, Organisation
from tests.support.server import Server, environment, mingzhang
from tests.support.waiting import wait_until

TOKEN = "a token of the committee"


@pytest.fixture
def size(clock: SteadyClock, tmp_path: Path, database_url: str) -> int:
    """A ledger with a published month, a fund and a few acts, closed again; return its size."""
    made = Organisation()
    initialise(tmp_path / "data", ORIGIN)
    pair: dict[str, Any] = {"also": ("com-1",)}
    span = {"kind": "month", "start": "2026-01-01", "end": "2026-01-31"}
    month = {"unit": "east", "rulebook": "rules"} | span
    given = {"points": 5000, "source": "budget", "evidence": []}
    with Ledger.open(tmp_path / "data", url=database_url, clock=clock) as ledger:
        set_up(ledger, made, clock)
        for envelope in (
            made.award("m-1", 150),
            made.award("m-2", 225),
            made.statement("fund.opened", "fund/red", "sec-1", {"unit": "root"}, **pair),
            made.statement("fund.endowed", "fund/red", "sec-1", given, **pair),
            made.statement("period.opened", "period/jan", "sec-1", month),
        ):
            ledger.append(envelope)
        ledger.append(made.key("disc-1"))
        ledger.append(made.role("disc-1", "discipline"))
        clock.pass_days(30)
        ledger.append(made.statement("period.cut_off", "period/jan", "sec-1", {}))
        table = {"as_of": ledger.size()}
        ledger.append(made.statement("period.published", "period/jan", "sec-1", table, **pair))
        return Runner.of(ledger).catch_up()


@pytest.fixture
def server(tmp_path: Path, database_url: str, size: int) -> Iterator[Server]:
    digest = hashlib.sha256(TOKEN.encode()).hexdigest()
    with (tmp_path / "data" / "ledger.toml").open("a") as config:
        config.write(f'\n[committee]\ndisc-1 = "{digest}"\n')
    with Server(tmp_path / "data", environment(database_url), tmp_path / "serve.log") as made:
        wait_until(lambda: made.get("/v1/funds").status_code == 200, 30)
        yield made


def test_each_board_says_the_same_over_http_and_on_the_command_line(
    server: Server, tmp_path: Path, database_url: str, size: int
) -> None:
    env, data = environment(database_url), tmp_path / "data"
    period = {"period": "2026-01"}
    found: dict[str, Any] = {}
    for words, path, params in (
        (("notices", "--unit", "root"), "notices/root", {}),
        (("usage", "--unit", "east", "--period", "2026-01"), "usage/east", period),
        (("roster", "--unit", "root", "--period", "2026-01"), "rosters/root", period),
        (("fund",), "funds", {}),
        (("fund", "red"), "funds/red", {}),
        (("redactions",), "redactions", {}),
        (
            ("activity", "--unit", "root", "--month", "2026-01"),
            "committee/activity/root",
            {"month": "2026-01"},
        ),
    ):
        headers = {"Authorization": f"Bearer {TOKEN}"}
        answer = server.get(f"/v1/{path}", params=params, headers=headers)
        assert answer.status_code == 200, (path, answer.text)
        shown = mingzhang(*words, "--json", "--data", data, env=env)
        assert shown.returncode == 0, shown.stderr
        assert orjson.loads(shown.stdout) == answer.json(), path
        assert answer.json()["as_of"]["size"] == size
        text = mingzhang(*words, "--data", data, env=env)
        assert text.returncode == 0, text.stderr
        assert f"log size {size} " in text.stdout
        found[path] = answer.json()
        past = server.get(f"/v1/{path}", params=params | {"as_of": str(size + 1)}, headers=headers)
        assert past.status_code == 404, path
    (table,) = found["notices/root"]["tables"]
    assert (table["period"], table["size"]) == ("jan", size - 1)
    assert [(e["item"], e["entries"], e["counted"]) for e in found["usage/east"]["items"]] == [
        ("C-1", 2, 375)
    ]
    assert found["rosters/root"]["balanced"]
    assert sum(each["roster"] for each in found["rosters/root"]["units"]) == 4
    assert found["funds"]["funds"][0]["stock"] == found["funds/red"]["stock"] == 5000
    steps = {(e["actor"], e["steps"]) for e in found["committee/activity/root"]["activity"]}
    assert steps == {("rec-1", 2), ("com-1", 2)}


def test_what_is_not_there_is_404_and_activity_needs_a_token(server: Server) -> None:
    for path, params, status in (
        ("notices/nowhere", {}, 404),
        ("usage/nowhere", {"period": "2026"}, 404),
        ("usage/root", {"period": "2026-Q7"}, 400),
        ("rosters/root", {"period": "1999"}, 404),
        ("funds/blue", {}, 404),
        ("redactions", {"as_of": "x"}, 400),
        ("redactions", {"more": "1"}, 422),
        ("committee/activity/root", {"month": "2026-01"}, 401),
    ):
        assert server.get(f"/v1/{path}", params=params).status_code == status, path
