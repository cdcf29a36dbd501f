"""Ids are used once in a whole log, found without keeping the log in memory."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.verify import runs
from ledger.verify.runs import Uses


def uuid(number: int) -> str:
    return f"0190a000-0000-7000-8000-{number:012x}"


def spilled(log: list[int]) -> int | None:
    """The index of the first id that was used before, found by sorted runs."""
    with Uses() as uses:
        for index, number in enumerate(log):
            uses.statement(uuid(number), index)
        failure = uses.first_failure()
    if failure is None:
        return None
    assert failure.kind == "id-once"
    return failure.index


def in_order(log: list[int]) -> int | None:
    """The same by a walk that remembers everything."""
    used: set[int] = set()
    for index, number in enumerate(log):
        if number in used:
            return index
        used.add(number)
    return None


@pytest.mark.parametrize("records", [2, 5, runs.RUN_RECORDS])
def test_spilled_runs_find_what_a_walk_in_order_finds(
    records: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs, "RUN_RECORDS", records)

    @given(st.lists(st.integers(0, 40), max_size=14))
    @settings(max_examples=400, deadline=None)
    def agree(log: list[int]) -> None:
        assert spilled(log) == in_order(log)

    agree()


def test_many_runs_are_merged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "RUN_RECORDS", 7)
    assert spilled(list(range(2_000))) is None
    assert spilled([*range(2_000), 700]) == 2_000
