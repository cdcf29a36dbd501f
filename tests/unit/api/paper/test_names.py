"""Names on the board are masked, and a list that cannot be read says which line."""

from __future__ import annotations

import pytest

from api.paper.names import masked, read_names
from ledger.errors import FormatError


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("张小三", "张*三"),
        ("王五", "王*"),
        ("欧阳小明", "欧**明"),
        ("李", "李*"),
        ("John Smith", "J*** S****"),
    ],
)
def test_a_name_is_masked_as_notices_do(name: str, shown: str) -> None:
    assert masked(name) == shown


def test_names_are_read_by_member_and_kept_masked_only() -> None:
    data = "\ufeffm-1,张小三\n\nm-2, 王五 \n".encode()
    assert read_names(data) == {"m-1": "张*三", "m-2": "王*"}


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"m-1,a\nm-2\n", "line 2 of the list of names: write"),
        (b"m-1,\n", "line 1 of the list of names: write"),
        (b"m-1,a\nm-1,b\n", "line 2 of the list of names: m-1 is there twice"),
        (b"m-1,\xff\n", "no CSV file in UTF-8"),
    ],
)
def test_a_list_that_is_not_one_is_refused_by_its_line(data: bytes, said: str) -> None:
    with pytest.raises(FormatError, match=said):
        read_names(data)
