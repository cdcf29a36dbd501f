"""Fixtures on a real PostgreSQL: one embedded server a test process, a new database a test."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from ledger.store.embedded import EmbeddedServer
from ledger.store.ledger import Ledger, Options, initialise
from ledger.store.port import Clock
from tests.support.clock import SteadyClock
from tests.support.organisation import ORIGIN, Organisation

OpenLedger = Callable[..., Ledger]


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """How to reach a server as its superuser (conninfo); MINGZHANG_TEST_SERVER names another."""
    given = os.environ.get("MINGZHANG_TEST_SERVER")
    if given:
        yield given
        return
    # Not below pytest's own folder, which each run closes to all users, the server's included.
    with tempfile.TemporaryDirectory(prefix="mingzhang-test-") as folder:
        server = EmbeddedServer(Path(folder) / "postgres")
        yield server.conninfo
        server.close()


@pytest.fixture
def database_url(postgres: str) -> Iterator[str]:
    """A new, empty database, dropped after the test."""
    yield from _database(postgres)


@pytest.fixture(scope="module")
def module_database_url(postgres: str) -> Iterator[str]:
    """A new, empty database for the tests of one module, which they share."""
    yield from _database(postgres)


def _database(postgres: str) -> Iterator[str]:
    name = f"test_{uuid4().hex}"
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
    yield make_conninfo(postgres, dbname=name)
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


@pytest.fixture
def clock() -> SteadyClock:
    """The clock of the test's ledger: it starts at `organisation.START`."""
    return SteadyClock()


@pytest.fixture
def open_ledger(tmp_path: Path, database_url: str, clock: SteadyClock) -> Iterator[OpenLedger]:
    """A function that opens the test's ledger, once more at each call; all are closed at the end.

    Its clock is the fixture `clock`, if none is given. The folder is `tmp_path / "data"`; `data`
    names another one for the same database.
    """
    opened: list[Ledger] = []
    first = tmp_path / "data"

    own = clock

    def open_one(
        *, clock: Clock | None = None, options: Options = Options(), data: Path = first
    ) -> Ledger:
        if not (first / "ledger.toml").exists():
            initialise(first, ORIGIN)
        ledger = Ledger.open(data, url=database_url, clock=clock or own, options=options)
        opened.append(ledger)
        return ledger

    yield open_one
    for ledger in opened:
        ledger.close()


@pytest.fixture
def ledger(open_ledger: OpenLedger) -> Ledger:
    """The test's ledger, open and empty."""
    return open_ledger()


def set_up(ledger: Ledger, organisation: Organisation, clock: SteadyClock) -> list[bytes]:
    """Set the organisation up and let a day pass, so that its rulebook is in force (rule A2).

    Returns the receipts.
    """
    receipts = []
    for outcome in ledger.append_batch(list(organisation.set_up())):
        assert isinstance(outcome, bytes), outcome
        receipts.append(outcome)
    clock.pass_days()
    return receipts
