"""Accounts in the verifier: the same whether they stay in memory or go to the temporary store."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from ledger.domain.account import Account
from ledger.domain.account_fold import evolve_account
from ledger.domain.event import Event, Proposal
from ledger.domain.world import World
from ledger.entry import NO_HASH, entry_bytes, parse_envelope
from ledger.log.merkle import leaf_hash
from ledger.verify import accounts as module
from ledger.verify import whole
from ledger.verify.accounts import Accounts
from ledger.verify.whole import verify_log
from tests.support.organisation import Organisation
from tests.support.static_log import LOG_SIGNER, write_log
from tests.support.walk import Walk

MEMBERS = [f"m-{number}" for number in range(1, 5)]


def events(count: int) -> Iterator[Event]:
    """Awards to four members in turn, now and then a correction of the last but three."""
    made = Organisation()
    ids: list[str] = []
    for number in range(count):
        member = MEMBERS[number % 4]
        correction = number >= 8 and number % 5 == 0
        envelope = made.correction(member, ids[-4], 50) if correction else made.award(member)
        statement = parse_envelope(envelope)
        ids.append(statement.id)
        at = f"2026-01-06T10:{number // 60:02}:{number % 60:02}.000000Z"
        yield Event(Proposal.of(statement), number // 4 + 1, number, at)


@pytest.mark.parametrize("weight_max", [0, 5, 10_000])
@pytest.mark.parametrize("aside_bytes_max", [0, 3_000, 1 << 20])
def test_an_account_is_the_fold_of_its_stream_however_often_it_was_put_away(
    monkeypatch: pytest.MonkeyPatch, weight_max: int, aside_bytes_max: int
) -> None:
    monkeypatch.setattr(module, "ASIDE_BYTES_MAX", aside_bytes_max)
    world, expected = World(), dict.fromkeys((f"member/{name}" for name in MEMBERS), Account())
    numbers = {stream: number.to_bytes(8) for number, stream in enumerate(expected)}
    with Accounts(weight_max) as accounts:
        for event in events(200):
            stream = event.proposal.stream
            if event.proposal.type == "points.corrected":
                assert accounts.load(world, stream, numbers[stream]) == expected[stream]
                accounts.make_room(world, (stream,))
            expected[stream] = evolve_account(expected[stream], event)
            loaded = world.accounts.get(stream)
            if loaded is not None:
                world.accounts[stream] = evolve_account(loaded, event)
            accounts.put_aside(numbers[stream], event)
        if weight_max < 10_000:
            assert len(world.accounts) <= 1
        for stream, account in expected.items():
            assert accounts.load(world, stream, numbers[stream]) == account


def test_an_account_that_was_never_touched_is_empty() -> None:
    with Accounts() as accounts:
        assert accounts.load(World(), "member/m-1", bytes(8)) == Account()


def write_walk(folder: Path, walk: Walk, left_out: str | None = None) -> None:
    """Write the log of a walk as an export has it, perhaps without one statement."""
    heads: dict[str, tuple[int, str]] = {}
    entries = []
    for number, (day, envelope) in enumerate(walk.said):
        statement = parse_envelope(envelope)
        if statement.id == left_out:
            continue
        seq, prev = heads.get(statement.stream, (0, NO_HASH))
        at = f"{day}T02:00:00.{number:06}Z"
        data = entry_bytes(statement.stream, seq + 1, prev, at, envelope)
        heads[statement.stream] = (seq + 1, leaf_hash(data).hex())
        entries.append(data)
    write_log(folder, entries)


@pytest.mark.parametrize("weight_max", [0, 10_000])
def test_the_verifier_judges_the_way_of_entries_with_any_room_for_accounts(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, weight_max: int
) -> None:
    monkeypatch.setattr(whole, "Accounts", partial(Accounts, weight_max))
    walk = Walk(7).walk(200)
    write_walk(tmp_path / "log", walk)
    report = verify_log(str(tmp_path / "log"), LOG_SIGNER.vkey)
    assert report.failure is None
    assert report.entries == len(walk.said)
    # Whoever leaves a review out, and mends chain and tree, is found by the rules of the way.
    review = next(e for e in walk.events if e.proposal.type == "points.reviewed")
    write_walk(tmp_path / "short", walk, review.proposal.id)
    failure = verify_log(str(tmp_path / "short"), LOG_SIGNER.vkey).failure
    assert failure is not None
    assert failure.kind == "entry-state"
