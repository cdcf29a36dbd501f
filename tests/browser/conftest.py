"""Fixtures of the browser tests: a browser, a server with a record in it, a proxy before it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from ledger.entry import parse_entry
from ledger.log import receipt
from ledger.store.ledger import Ledger, initialise, keep_policy
from tests.support.chromium import chromium
from tests.support.clock import SteadyClock
from tests.support.database import set_up
from tests.support.lying import LyingProxy, agreeing, lying_proxy, policy_text
from tests.support.organisation import ORIGIN, Organisation
from tests.support.server import Server, environment
from tests.support.waiting import wait_until
from tests.support.witnesses import scripted


class Deployment:
    """A running server on a ledger with a small organisation; `m-2` has a record."""

    def __init__(self, server: Server, data: Path, organisation: Organisation) -> None:
        self.server = server
        self.data = data
        self.organisation = organisation
        self.vkey = (data / "log.vkey").read_text().strip()

    def award(self, member: str = "m-2", points: int = 100) -> bytes:
        """Record one more award and return its receipt."""
        answer = self.server.post(self.organisation.award(member, points))
        assert answer.status_code == 200, answer.text
        return answer.content


def answers(server: Server, path: str) -> bool:
    """Tell whether a page is there: read models are built after the start."""
    return server.get(path).status_code == httpx.codes.OK


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """A browser for one module: while Playwright is open, nothing else can run an event loop."""
    with chromium() as running:
        yield running


@pytest.fixture(scope="module")
def deployment(postgres: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """A server on a database of its own, for the tests of one module."""
    folder = tmp_path_factory.mktemp("deployment")
    data = folder / "data"
    vkey = initialise(data, ORIGIN)
    with (data / "ledger.toml").open("a") as config:
        config.write("publish_rankings = true\n")
    name = f"test_{folder.name}".replace("-", "_")
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {name}".encode())
        connection.execute(f"CREATE DATABASE {name}".encode())
    url = make_conninfo(postgres, dbname=name)
    # The server's clock is the real one, and acts are claimed within weeks (rule A30).
    start = datetime.now(UTC).replace(microsecond=0) - timedelta(days=10)
    organisation = Organisation(start=start)
    clock = SteadyClock(start)
    with Ledger.open(data, url=url, clock=clock) as ledger:
        set_up(ledger, organisation, clock)
        batch = [organisation.award("m-2", points) for points in (200, 350)]
        batch.append(organisation.award("m-2", 50, kind="points.deducted"))
        for outcome in ledger.append_batch(batch):
            assert isinstance(outcome, bytes), outcome
        last = parse_entry(receipt.parse(ledger.append(organisation.award("m-2", 800))).entry)
        ledger.append(organisation.correction("m-2", last.statement.id, 100))
    with scripted(agreeing) as witness, ExitStack() as opened:
        keep_policy(data, policy_text(vkey, witness).encode())
        server = opened.enter_context(Server(data, environment(url), folder / "serve.log"))
        year = organisation.first_day[:4]
        for path in ("/record/m-2", f"/v1/rankings/root?period={year}"):
            wait_until(partial(answers, server, path), 60)
        yield Deployment(server, data, organisation)
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


@pytest.fixture
def proxy(deployment: Deployment) -> Iterator[LyingProxy]:
    with lying_proxy(deployment.server.url) as running:
        yield running
