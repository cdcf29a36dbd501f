"""Terms on the working-day calendar: rule A34."""

from __future__ import annotations

import pytest

from ledger.rules.calendar import Calendar, natural_term_end, term_end, working_term_end

PLAIN = Calendar()
# The week from Thursday 1 October 2026 is free, Saturday the 10th is worked.
NATIONAL = PLAIN.with_year(2026, [f"2026-10-0{n}" for n in range(1, 8)], ["2026-10-10"])


def test_a34_a_term_starts_on_the_day_after_the_event() -> None:
    assert working_term_end(PLAIN, "2026-03-02", 5) == "2026-03-09"  # Monday to Monday
    assert working_term_end(PLAIN, "2026-03-06", 1) == "2026-03-09"  # Friday to Monday
    assert working_term_end(PLAIN, "2026-03-07", 1) == "2026-03-09"  # Saturday to Monday


def test_a34_holidays_are_skipped_and_worked_weekends_count() -> None:
    assert working_term_end(NATIONAL, "2026-09-30", 1) == "2026-10-08"
    assert working_term_end(NATIONAL, "2026-09-30", 3) == "2026-10-10"
    assert working_term_end(NATIONAL, "2026-09-30", 4) == "2026-10-12"


def test_a34_a_later_calendar_only_lengthens_a_term() -> None:
    assert term_end(PLAIN, NATIONAL, "2026-09-30", 1) == "2026-10-08"
    assert term_end(NATIONAL, PLAIN, "2026-09-30", 1) == "2026-10-08"


def test_a34_a_published_year_replaces_that_year_only() -> None:
    both = NATIONAL.with_year(2027, ["2027-01-01"], [])
    assert not both.is_working("2026-10-01")
    assert not both.is_working("2027-01-01")
    again = both.with_year(2026, [], [])
    assert again.is_working("2026-10-01")
    assert not again.is_working("2026-10-10")
    assert not again.is_working("2027-01-01")


def test_natural_terms_count_every_day() -> None:
    assert natural_term_end("2026-02-27", 3) == "2026-03-02"


@pytest.mark.parametrize("days", [0, -1, 100_000])
def test_a_term_has_a_sensible_length(days: int) -> None:
    with pytest.raises(ValueError, match="a term of"):
        working_term_end(PLAIN, "2026-01-01", days)


def test_a_calendar_of_nothing_but_holidays_ends_no_term() -> None:
    endless = Calendar(frozenset(f"{y}-{m:02d}-{d:02d}" for y in range(2026, 2038)
                                 for m in range(1, 13) for d in range(1, 32)))  # fmt: skip
    with pytest.raises(ValueError, match="ten years later"):
        working_term_end(endless, "2026-01-01", 1)
