"""The demo's statements are such that the ledger's own rules allow every one of them."""

from __future__ import annotations

import stat
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from ledger.domain.account import Account
from ledger.domain.decide import decide
from ledger.domain.event import Event, Proposal
from ledger.domain.world import World
from ledger.entry import format_instant
from ledger.errors import KeyFileError
from ledger.signing import PrivateKey
from ledger.store.admission import check_signatures, parse
from ops.demo import cast, school
from ops.demo.clock import SetClock
from ops.demo.sign import ORIGIN, Planned, begin, make_keys
from ops.demo.whole import Year

YEAR = 2024


def new_keys() -> dict[str, PrivateKey]:
    actors = [each.id for each in school.everyone().actors]
    return {each: PrivateKey.generate() for each in (*actors, school.SERVICE)}


@pytest.fixture(scope="module")
def keys() -> dict[str, PrivateKey]:
    return new_keys()


@pytest.fixture(scope="module")
def statements(keys: dict[str, PrivateKey]) -> list[Planned]:
    return list(Year(YEAR, keys).statements())


def test_every_statement_of_the_year_may_be_recorded_when_it_is_planned(
    statements: list[Planned],
) -> None:
    world = World()
    seqs: Counter[str] = Counter()

    def key_of(ident: str) -> bytes | None:
        key = world.keys.get(ident)
        return key.public_key if key is not None else None

    for index, each in enumerate(statements):
        statement = parse(each.envelope, ORIGIN)
        assert check_signatures(statement, key_of)
        proposal, now = Proposal.of(statement), format_instant(each.when, micros=True)
        if each.type == "member.enrolled":
            world.accounts[each.stream] = Account()
        decide(world, proposal, now)
        seqs[each.stream] += 1
        world.evolve(Event(proposal, seqs[each.stream], index, now))
    assert len(world.members) == len(school.everyone().members)


def test_corrections_reverse_an_earlier_entry_of_the_same_member_once(
    statements: list[Planned],
) -> None:
    recorded: dict[str, str] = {}
    reversed_once: set[str] = set()
    for each in statements:
        if each.type == "points.corrected":
            target = parse(each.envelope, ORIGIN).body["reverses"]
            assert recorded[target] == each.stream
            assert target not in reversed_once
            reversed_once.add(target)
        if each.type.startswith("points."):
            recorded[each.id] = each.stream
    assert len(reversed_once) > 20


def test_statements_come_in_the_order_of_their_instants_until_the_years_end(
    statements: list[Planned],
) -> None:
    instants = [each.when for each in statements]
    assert instants == sorted(instants)
    assert instants[0] == begin(YEAR)
    assert instants[-1] < datetime(YEAR + 1, 1, 1, tzinfo=ZoneInfo(cast.TIME_ZONE))


def test_other_keys_change_signatures_only(statements: list[Planned]) -> None:
    again = list(Year(YEAR, new_keys()).statements())
    assert [each.id for each in again] == [each.id for each in statements]
    assert all(one.envelope != two.envelope for one, two in zip(again, statements, strict=True))


def test_keys_are_files_of_their_owners_only_and_never_overwritten(tmp_path: Path) -> None:
    keys = make_keys(tmp_path / "keys")
    modes = {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "keys").iterdir()}
    assert modes == {0o600}
    assert len(keys) == len(list((tmp_path / "keys").iterdir())) == len(school.everyone().actors)
    with pytest.raises(KeyFileError):
        make_keys(tmp_path / "keys")


def test_the_set_clock_goes_forward_only_and_never_seems_to_jump() -> None:
    start = begin(YEAR)
    clock = SetClock(start)
    clock.move_to(start + timedelta(days=40))
    assert clock.now() - start == timedelta(seconds=clock.monotonic_s())
    with pytest.raises(ValueError, match="does not go back"):
        clock.move_to(start)
