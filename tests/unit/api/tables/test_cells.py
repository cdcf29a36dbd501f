"""What people write into cells and options, as the ledger keeps it."""

from __future__ import annotations

import pytest

from api.tables.cells import amount
from ledger.errors import FormatError


def test_signed_points_are_read_as_people_write_them() -> None:
    given = ("2.50", "2.5", "-2", "0", "-0.05")
    assert [amount(each) for each in given] == [250, 250, -200, 0, -5]


@pytest.mark.parametrize("cell", ["2.505", "--2", "two", "", "-", "1e9"])
def test_what_is_no_figure_of_points_is_said(cell: str) -> None:
    with pytest.raises(FormatError):
        amount(cell)
