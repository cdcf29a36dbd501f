"""`ops/follow-the-log-with-eventsourcing.md` does what it says, on a real ledger."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from psycopg.conninfo import conninfo_to_dict

from ledger.domain import unit
from ledger.domain.event import Event
from ledger.entry import parse_entry
from ledger.store.ledger import Ledger
from tests.support.clock import SteadyClock
from tests.support.database import set_up
from tests.support.organisation import Organisation

PAGE = Path(__file__).parents[3] / "ops" / "follow-the-log-with-eventsourcing.md"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(language: str) -> list[str]:
    return [text for name, text in BLOCK.findall(PAGE.read_text()) if name == language]


@pytest.fixture
def organisation() -> Organisation:
    return Organisation()


@pytest.fixture
def filled(ledger: Ledger, organisation: Organisation, clock: SteadyClock) -> Ledger:
    set_up(ledger, organisation, clock)
    append(ledger, [organisation.award("m-2") for _ in range(3)])
    append(ledger, [organisation.award("m-3", signers=("rec-2", "com-1"))])
    return ledger


def append(ledger: Ledger, envelopes: list[bytes]) -> None:
    for outcome in ledger.append_batch(envelopes):
        assert isinstance(outcome, bytes), outcome


@pytest.fixture
def page(filled: Ledger, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The names that the page's first program defines, with the page's settings in force.

    Only where the test's database is differs from what the page exports.
    """
    where = conninfo_to_dict(filled.database.conninfo)
    (settings,) = blocks("sh")
    exported = dict(re.findall(r"^export (\w+)=(.*)$", settings, re.MULTILINE))
    exported["POSTGRES_HOST"] = str(where["host"])
    exported["POSTGRES_PORT"] = str(where["port"])
    exported["POSTGRES_DBNAME"] = str(where["dbname"])
    for name, value in exported.items():
        monkeypatch.setenv(name, value)
    names: dict[str, Any] = {"__name__": "page"}
    exec(compile(blocks("python")[0], str(PAGE), "exec"), names)  # noqa: S102 - our own page
    return names


def run(names: dict[str, Any], number: int) -> None:
    exec(compile(blocks("python")[number], str(PAGE), "exec"), names)  # noqa: S102 - our own page


def test_the_projection_counts_every_award_once_and_goes_on_where_it_was(
    filled: Ledger,
    page: dict[str, Any],
    organisation: Organisation,
    capsys: pytest.CaptureFixture[str],
) -> None:
    wait_until_recorded(page, filled.size())
    run(page, 1)
    assert capsys.readouterr().out == "{'rec-1': 3, 'rec-2': 1}\n"
    append(filled, [organisation.award("m-4"), organisation.award("m-4", kind="points.deducted")])
    wait_until_recorded(page, filled.size())
    run(page, 1)
    assert sorted(eval(capsys.readouterr().out).items()) == [("rec-1", 4), ("rec-2", 1)]  # noqa: S307


def wait_until_recorded(page: dict[str, Any], size: int) -> None:
    """An idle ledger records its newest checkpoint within a moment; a follower waits like this."""
    with page["Log"]() as log, log.recorder.subscribe(gt=size - 1) as subscription:
        assert next(subscription).id == size


def test_a_running_projection_follows_what_is_appended_meanwhile(
    filled: Ledger, page: dict[str, Any], organisation: Organisation
) -> None:
    with page["ProjectionRunner"](
        application_class=page["Log"],
        projection_class=page["Awards"],
        view_class=page["AwardsView"],
    ) as runner:
        for n in range(3):
            append(filled, [organisation.award("m-2")])
            runner.wait(filled.size(), timeout=60)
            assert runner.view.awards() == {"rec-1": 4 + n, "rec-2": 1}


def test_the_log_and_its_streams_are_read(
    filled: Ledger, page: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    wait_until_recorded(page, filled.size())
    run(page, 2)
    ((index, opened),) = filled.stream("unit/east")
    east = unit.evolve(None, Event.of(parse_entry(opened), index))
    assert capsys.readouterr().out.splitlines() == [
        "1 ledger/root ledger.founded",
        "2 unit/root unit.opened",
        "3 unit/east unit.opened",
        str(east),
        str(east),
    ]
