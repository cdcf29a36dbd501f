import pytest

from ledger.errors import FormatError
from ledger.rules.period import Periods
from projections.period import parse_period


@pytest.mark.parametrize(
    ("text", "start", "first", "last"),
    [
        ("2025", "01-01", "2025-01-01", "2025-12-31"),
        ("2025-Q1", "01-01", "2025-01-01", "2025-03-31"),
        ("2025-Q4", "01-01", "2025-01-01", "2025-12-31"),
        ("2025-02", "01-01", "2025-01-01", "2025-02-28"),
        ("2024-02", "01-01", "2024-01-01", "2024-02-29"),
        ("2025-Q1", "07-15", "2025-07-15", "2025-10-14"),
        ("2025-12", "07-15", "2025-07-15", "2026-07-14"),
    ],
)
def test_a28_a_period_has_the_acts_from_the_years_start(
    text: str, start: str, first: str, last: str
) -> None:
    year, end = parse_period(text).term(Periods(start))
    assert (year.first, end) == (first, last)


@pytest.mark.parametrize(
    "text",
    ["", "25", "0000", "2025-Q0", "2025-Q5", "2025-q1", "2025-13", "2025-1", "2025-01-01"],
)
def test_what_is_no_period_is_refused(text: str) -> None:
    with pytest.raises(FormatError, match="is no period"):
        parse_period(text)


@pytest.mark.parametrize("text", ["2025\n", " 2025", "２０２５", "2025-"])
def test_a_period_is_written_in_one_way_only(text: str) -> None:
    with pytest.raises(FormatError, match="is no period"):
        parse_period(text)


@pytest.mark.parametrize(
    ("text", "start", "days"),
    [
        ("2025", "01-01", ("2025-01-01", "2025-12-31")),
        ("2025-Q2", "01-01", ("2025-04-01", "2025-06-30")),
        ("2025-02", "01-01", ("2025-02-01", "2025-02-28")),
        ("2025-Q1", "07-01", ("2025-07-01", "2025-09-30")),
    ],
)
def test_a_period_has_days_of_its_own(text: str, start: str, days: tuple[str, str]) -> None:
    assert parse_period(text).days(Periods(start)) == days
