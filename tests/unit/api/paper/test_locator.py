"""Locators: every slip of a hand that types one is found, here and in the browser's script."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.paper.locator import SIZE_MAX, locator_of, size_of
from ledger.errors import FormatError
from tests.support.locators import LOCATORS

SIZES = st.integers(1, SIZE_MAX)


def is_found(digits: str) -> bool:
    try:
        size_of(digits)
    except FormatError as error:
        return "a digit of the locator is wrong" in error.message
    return False


def test_a_locator_is_the_size_and_two_check_digits_in_three_groups() -> None:
    # ISO/IEC 7064, MOD 97-10: the number with its check digits leaves 1.
    assert locator_of(6865) == "0000 0068 6567"
    assert 686567 % 97 == 1


@given(SIZES)
def test_a_locator_is_read_back_with_or_without_its_gaps(size: int) -> None:
    code = locator_of(size)
    assert [size_of(each) for each in (code, code.replace(" ", ""), code.replace(" ", "-"))] == [
        size
    ] * 3


@given(SIZES)
def test_every_wrong_digit_and_every_exchange_of_two_is_found(size: int) -> None:
    code = locator_of(size).replace(" ", "")
    for at, right in enumerate(code):
        for wrong in set("0123456789") - {right}:
            assert is_found(code[:at] + wrong + code[at + 1 :])
    for left, right_at in combinations(range(len(code)), 2):
        if code[left] != code[right_at]:
            swapped = list(code)
            swapped[left], swapped[right_at] = swapped[right_at], swapped[left]
            assert is_found("".join(swapped))


@pytest.mark.parametrize(("text", "wanted"), LOCATORS.items())
def test_a_locator_names_its_size_or_says_what_is_wrong_with_it(
    text: str, wanted: int | str
) -> None:
    if isinstance(wanted, int):
        assert size_of(text) == wanted
        return
    said = {"length": "12 digits in groups of four", "digit": "a digit of the locator is wrong"}
    with pytest.raises(FormatError, match=said[wanted]):
        size_of(text)


@pytest.mark.parametrize("size", [0, -1, SIZE_MAX + 1])
def test_a_size_without_a_locator_is_refused(size: int) -> None:
    with pytest.raises(FormatError, match="a locator is of a log size from 1"):
        locator_of(size)
