"""The library's repository over our recorder gives what our own folds give."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from eventsourcing.application import AggregateNotFoundError, Repository

from ledger.domain import actor, member, organisation, rulebook, unit
from ledger.domain.account import CREDIT, Account, effective
from ledger.domain.account_fold import evolve_account
from ledger.domain.event import Event
from ledger.entry import parse_entry, parse_envelope
from ledger.store.events import project_account
from ledger.store.ledger import Ledger
from ledger.store.mapper import repository
from ledger.store.recorder import EntryDatastore, EntryRecorder
from tests.support.clock import SteadyClock
from tests.support.database import set_up
from tests.support.organisation import Organisation, key_of

FOLDS: dict[str, Callable[[Any, Event], Any]] = {
    "ledger": organisation.evolve,
    "unit": unit.evolve,
    "actor": actor.evolve,
    "rulebook": rulebook.evolve,
    "member": member.evolve,
}


@pytest.fixture
def filled(ledger: Ledger, clock: SteadyClock) -> Ledger:
    """A ledger in which every kind of aggregate has more than one version, but the founding's."""
    made = Organisation()
    set_up(ledger, made, clock)
    first, second = made.award("m-2", 250), made.award("m-2", 100)
    more = [
        made.unit("west", "root"),
        made.statement("unit.moved", "unit/west", "reg-1", {"parent": "east"}),
        made.key("rec-1", key_of("another key of rec-1")),
        made.rulebook("1.1.0", "2026-02-01"),
        first,
        second,
        made.award("m-2", 50, kind="points.deducted"),
        made.correction("m-2", parse_envelope(first).id, 300),
        made.statement("member.transferred", "member/m-2", "reg-1", {"unit": "west"}),
        made.statement("member.suspended", "member/m-3", "reg-1", {"date": "2026-01-05"}),
        made.correction("m-2", parse_envelope(second).id),
    ]
    for outcome in ledger.append_batch(more):
        assert isinstance(outcome, bytes), outcome
    return ledger


@pytest.fixture
def found(filled: Ledger) -> Iterator[Repository[str]]:
    with EntryDatastore(filled.database.conninfo) as datastore:
        yield repository(EntryRecorder(datastore))


def versions(ledger: Ledger, stream: str) -> list[Event]:
    return [Event.of(parse_entry(data), index) for index, data in ledger.stream(stream)]


@pytest.mark.parametrize(
    ("stream", "last"),
    [
        ("ledger/root", 1),
        ("unit/west", 2),
        ("actor/rec-1", 3),
        ("rulebook/rules", 2),
        ("member/m-2", 7),
        ("member/m-3", 2),
    ],
)
def test_any_aggregate_at_any_version_is_what_our_own_fold_gives(
    filled: Ledger, found: Repository[str], stream: str, last: int
) -> None:
    own: Any = None
    events = versions(filled, stream)
    assert len(events) == last
    for event in events:
        own = FOLDS[stream.partition("/")[0]](own, event)
        assert found.get(stream, version=event.seq) == own
    newest: Any = found.get(stream)
    assert newest == own
    assert newest.version == last


def test_a_members_account_at_any_version_is_what_our_own_fold_gives(
    filled: Ledger, found: Repository[str]
) -> None:
    own = Account()
    balances = []
    for event in versions(filled, "member/m-2"):
        own = evolve_account(own, event)
        got = found.get("member/m-2", version=event.seq, projector_func=project_account)
        assert got == own
        balances.append(
            sum(
                each.points if each.kind == CREDIT else -each.points
                for each in own.entries.values()
                if each.points is not None and effective(own, each, lambda _: None)
            )
        )
    assert balances == [0, 250, 350, 300, 350, 350, 250]


def test_what_was_never_recorded_is_not_found(found: Repository[str]) -> None:
    with pytest.raises(AggregateNotFoundError):
        found.get("member/nobody")
    with pytest.raises(AggregateNotFoundError):
        found.get("member/nobody", projector_func=project_account)
    assert "member/m-2" in found
