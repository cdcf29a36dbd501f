from __future__ import annotations

from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.domain.member import Account, Posting
from ledger.domain.points import check_reverses
from ledger.errors import Refused
from ledger.verify import runs
from ledger.verify.runs import Uses


def uuid(number: int) -> str:
    return f"0190a000-0000-7000-8000-{number:012x}"


class Step(NamedTuple):
    """An entry: its id, its stream, whether it posts points, and what it reverses, if anything."""

    ident: int
    stream: int
    posts: bool
    reverses: int | None


steps = st.lists(
    st.builds(
        Step,
        st.integers(0, 11),
        st.integers(1, 2),
        st.booleans(),
        st.one_of(st.none(), st.integers(0, 11)),
    ),
    max_size=14,
)


def spilled(log: list[Step]) -> tuple[str, int | None] | None:
    with Uses() as uses:
        for index, step in enumerate(log):
            stream = step.stream.to_bytes(8)
            if step.reverses is not None:
                uses.reversal(uuid(step.reverses), index, stream)
            uses.statement(uuid(step.ident), index, stream, posting=step.posts)
        failure = uses.first_failure()
    return None if failure is None else (failure.kind, failure.index)


def in_order(log: list[Step]) -> tuple[set[str], int] | None:
    """The same rules one entry after the other, everything in memory, by the domain's own check."""
    used: set[int] = set()
    accounts: dict[int, Account] = {}
    for index, step in enumerate(log):
        account = accounts.setdefault(step.stream, Account())
        wrong: set[str] = {"id-once"} if step.ident in used else set()
        if step.reverses is not None:
            try:
                check_reverses(account, uuid(step.reverses))
            except Refused as error:
                wrong.add(error.rule)
            else:
                target = account.postings[uuid(step.reverses)]
                account.postings[uuid(step.reverses)] = target._replace(effective=False)
        if wrong:
            return wrong, index
        used.add(step.ident)
        if step.posts:
            account.postings[uuid(step.ident)] = Posting(1, "2026-01-05", effective=True)
    return None


@pytest.mark.parametrize("records", [2, 5, runs.RUN_RECORDS])
def test_spilled_runs_find_what_a_walk_in_order_finds(
    records: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs, "RUN_RECORDS", records)

    @given(steps)
    @settings(max_examples=400, deadline=None)
    def agree(log: list[Step]) -> None:
        found, expected = spilled(log), in_order(log)
        if found is None or expected is None:
            assert found is None
            assert expected is None
        else:
            assert found[1] == expected[1]
            assert found[0] in expected[0]

    agree()


def test_many_runs_are_merged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "RUN_RECORDS", 7)
    log = [Step(number, 1, True, None) for number in range(2_000)]
    assert spilled(log) is None
    assert spilled([*log, Step(700, 1, True, None)]) == ("id-once", 2_000)
