"""When `checkpoint.witnessed` is recorded, and when not: it must never answer itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from api.witnessing import RENEW_S, Witnessing
from ledger import keyfile
from ledger.entry import parse_entry
from ledger.log.policy import judge
from ledger.store.ledger import Ledger, keep_policy, read_policy
from ledger.store.witnesses import Witnesses
from tests.support.organisation import Organisation
from tests.support.processes import await_that, award_now, found
from tests.support.witnesses import policy_of, running

Start = Callable[..., Witnessing]


@pytest.fixture
def site(tmp_path: Path, database_url: str) -> Iterator[tuple[Ledger, Start]]:
    """A ledger with two witnesses that are both needed; and a way to start bringing to them."""
    data = tmp_path / "data"
    with ExitStack() as stack:
        vkey = found(data, database_url)
        urls = {n: stack.enter_context(running(n, vkey, tmp_path)) for n in (1, 2)}
        keep_policy(data, policy_of(urls, 2))
        ledger = stack.enter_context(Ledger.open(data, url=database_url))
        service = keyfile.load(data / "service.key")
        people = Organisation(start=datetime.now(UTC))
        people._count = 1_000
        ledger.append(people.key("robot", service))
        ledger.append(people.role("robot", "service"))
        trusted = read_policy(data)
        assert trusted is not None

        def start(entry_interval_s: float = 0.0) -> Witnessing:
            return stack.enter_context(
                closing(
                    Witnessing(
                        ledger,
                        trusted,
                        Witnesses(trusted),
                        service,
                        entry_interval_s=entry_interval_s,
                    )
                )
            )

        yield ledger, start


def witnessed_sizes(ledger: Ledger) -> list[int]:
    await_that(lambda: ledger.recorded() == ledger.signed())
    entries = [parse_entry(data) for _, data in ledger.stream("ledger/root", 0, 100)]
    return [
        each.statement.body["size"]
        for each in entries
        if each.statement.type == "checkpoint.witnessed"
    ]


def test_each_checkpoint_with_news_is_recorded_once_and_an_idle_log_records_nothing(
    site: tuple[Ledger, Start],
) -> None:
    ledger, start = site
    witnessing = start()
    await_that(lambda: ledger.recorded() == ledger.signed())
    first = ledger.size()
    for _ in range(4):
        witnessing.round()
        assert witnessed_sizes(ledger) == [first]
    ledger.append(award_now())
    await_that(lambda: ledger.recorded() == ledger.signed())
    second = ledger.size()
    for _ in range(4):
        witnessing.round()
        assert witnessed_sizes(ledger) == [first, second]
    assert ledger.size() == second + 1


def test_two_processes_record_one_entry_for_one_checkpoint(site: tuple[Ledger, Start]) -> None:
    ledger, start = site
    one, other = start(), start()
    await_that(lambda: ledger.recorded() == ledger.signed())
    size = ledger.size()
    one.round()
    other._record_quorum(size)
    assert witnessed_sizes(ledger) == [size]


def test_entries_keep_their_distance(site: tuple[Ledger, Start]) -> None:
    ledger, start = site
    witnessing = start(entry_interval_s=3_600.0)
    for _ in range(3):
        ledger.append(award_now())
        witnessed_sizes(ledger)
        witnessing.round()
    assert len(witnessed_sizes(ledger)) == 1


def test_an_idle_logs_cosignatures_are_renewed(
    site: tuple[Ledger, Start], monkeypatch: pytest.MonkeyPatch
) -> None:
    from api import witnessing as module

    ledger, start = site
    witnessing = start()
    for _ in range(3):
        witnessing.round()
        witnessed_sizes(ledger)
    size = ledger.size()
    before = len(ledger.cosignatures.of(size))
    assert before == 2
    monkeypatch.setattr(module, "RENEW_S", -1)
    # The time in a cosignature has whole seconds.
    await_that(lambda: _renewed(ledger, witnessing, size) > before)
    verdict = judge(ledger.policy, ledger.cosignatures.of(size))  # type: ignore[arg-type]
    assert verdict.met
    assert RENEW_S < 7 * 86_400
    assert len(ledger.checkpoint().splitlines()) == 3 + 1 + 3


def _renewed(ledger: Ledger, witnessing: Witnessing, size: int) -> int:
    witnessing.round()
    return len(ledger.cosignatures.of(size))
