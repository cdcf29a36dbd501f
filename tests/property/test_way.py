"""Random walks: whatever people say in whatever order, nothing counts without enough of them.

Statements are drawn from all that anybody might sign for an entry, half of the time the one that
usually comes next; refused ones are dropped. What was recorded is then judged by a reading of its
own: who signed which step (A33, B1, B6), what counts (A29, B12, B13), and by the fold alone.
"""

from __future__ import annotations

import pickle

import pytest

from ledger.domain.account import CORRECTION, REVERSAL, Account, effective
from ledger.domain.account_fold import evolve_account
from ledger.domain.eligibility import acting
from tests.support.walk import MEMBERS, Walk


def judge(walk: Walk, member: str) -> int:
    """Assert by a reading of its own that what counts was signed by enough people.

    Returns how many entries count.
    """
    account = walk.account(member)
    known = walk.world.members.get(member)
    assert known is not None
    own, total = known.actor, 0
    for entry in account.entries.values():
        counts = effective(account, entry, walk.world.accounts.get)
        total += counts
        names: dict[str, set[str]] = {}
        for step in entry.steps:
            names.setdefault(step.name, set()).update(acting(walk.world, step.keyids))
        assert own not in set().union(*(who for name, who in names.items() if name != "claim"))
        assert sum(map(len, names.values())) == len(set().union(*names.values())), (
            "one person took two steps"
        )
        if not counts or entry.orders is not None:
            continue
        assert entry.kind != REVERSAL
        assert entry.state in ("final", "filed", "appealed")
        assert entry.closes is not None
        checkers = set(acting(walk.world, entry.in_round("check")))
        reviewers = set(acting(walk.world, entry.in_round("review")))
        assert checkers
        assert len(reviewers) >= 2
        assert len(checkers | reviewers) >= 3
        assert not entry.dual or acting(walk.world, entry.in_round("upper"))
    for entry in account.entries.values():
        if entry.origin == CORRECTION and entry.reverses:
            pair = (entry, account.entries[entry.reverses])
            assert not all(effective(account, each, walk.world.accounts.get) for each in pair)
            final = entry.state in ("final", "filed", "appealed", "reversed")
            assert final == (account.entries[entry.reverses].state == "reversed") or not final, (
                "a reversal without its effect"
            )
    return total


def test_nothing_counts_without_the_distinct_people_that_the_rules_ask_for() -> None:
    counted = states = 0
    for seed in range(25):
        walk = Walk(seed).walk(220)
        counted += sum(judge(walk, member) for member in MEMBERS)
        states += len({e.state for m in MEMBERS for e in walk.account(m).entries.values()})
    assert counted > 25, "the walks are too short to say anything"
    assert states > 75


@pytest.mark.parametrize("seed", range(100, 105))
def test_the_fold_of_a_stream_is_the_same_alone_and_wherever_it_is_taken_up(seed: int) -> None:
    walk = Walk(seed).walk(150)
    for member in MEMBERS:
        account: Account | None = None
        for event in walk.events:
            if event.proposal.stream == f"member/{member}":
                account = evolve_account(pickle.loads(pickle.dumps(account)), event)  # noqa: S301
        assert account == walk.account(member)
