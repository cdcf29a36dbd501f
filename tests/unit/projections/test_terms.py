"""The index of terms against the rules: no term ends before the day that it keeps."""

from __future__ import annotations

import pytest

from ledger.domain.account import APPEALED, DIRECT, FILED, FINAL, PENDING, REJECTED, WITHDRAWN
from ledger.domain.lapses import due_term
from projections.fold import Rows
from projections.terms import ENTRY, TERMS
from tests.support.walk import MEMBERS, Walk

UNDER_WAY = {*PENDING, APPEALED, FINAL}


@pytest.mark.parametrize("seed", range(20))
def test_b2_every_running_term_is_found_and_none_ends_before_its_day(seed: int) -> None:
    walk, rows, folded, terms = Walk(seed), Rows(TERMS.tables), 0, 0
    for _ in range(150):
        walk.take()
        TERMS.fold_all(walk.events[folded:], rows)
        folded = len(walk.events)
        for member in MEMBERS:
            for entry in walk.account(member).entries.values():
                row = rows.get(ENTRY, entry.id)
                assert row is not None
                assert row.member == member
                due = due_term(walk.world, member, entry)
                if due is not None:
                    terms += 1
                    assert row.open
                    assert row.earliest is not None
                    assert row.earliest <= due.due
                if entry.state in UNDER_WAY and entry.origin != DIRECT:
                    assert row.open
                if entry.state in (FILED, REJECTED, WITHDRAWN):
                    assert not row.open or entry.decided_at
    assert not rows.parked
    assert terms > 100


def test_a_task_that_passed_on_twice_runs_no_more_and_is_not_looked_at_again() -> None:
    walk, rows = Walk(0), Rows(TERMS.tables)
    ident = walk.claim()
    walk.lapse(ident, "first_review", "2026-01-27", "2026-01-28")
    walk.lapse(ident, "first_review", "2026-02-12", "2026-02-13")
    TERMS.fold_all(walk.events, rows)
    row = rows.get(ENTRY, ident)
    assert row is not None
    assert (row.open, row.earliest) == (True, None)
