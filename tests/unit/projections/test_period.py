import pytest

from ledger.errors import FormatError
from projections.period import parse_period


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("2025", "2025-01-01", "2025-12-31"),
        ("2025-Q1", "2025-01-01", "2025-03-31"),
        ("2025-Q4", "2025-10-01", "2025-12-31"),
        ("2025-02", "2025-02-01", "2025-02-28"),
        ("2024-02", "2024-02-01", "2024-02-29"),
        ("2025-12", "2025-12-01", "2025-12-31"),
    ],
)
def test_a_period_is_its_first_to_its_last_day(text: str, first: str, last: str) -> None:
    assert parse_period(text) == (text, first, last)


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
