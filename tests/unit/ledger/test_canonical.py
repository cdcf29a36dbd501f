from __future__ import annotations

import unicodedata
from typing import Any

import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger import canonical
from ledger.errors import FormatError

names = st.from_regex(r"[a-z][a-z0-9_]{0,12}", fullmatch=True)
texts = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=20).map(
    lambda text: unicodedata.normalize("NFC", text)
)
integers = st.integers(-canonical.INTEGER_MAX, canonical.INTEGER_MAX)
values = st.recursive(
    st.one_of(texts, integers, st.booleans()),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(names, inner, max_size=4)),
    max_leaves=12,
)


@given(values)
@settings(max_examples=400, deadline=None)
def test_its_bytes_are_those_of_rfc_8785(value: Any) -> None:
    data = canonical.dumps(value)
    assert data == rfc8785.dumps(value)
    assert canonical.loads(data) == value


@given(values, st.data())
@settings(max_examples=300, deadline=None)
def test_bytes_that_are_read_are_the_only_ones_of_their_value(
    value: Any, data: st.DataObject
) -> None:
    good = canonical.dumps(value)
    at = data.draw(st.integers(0, len(good) - 1))
    changed = good[:at] + bytes([data.draw(st.integers(0, 255))]) + good[at + 1 :]
    try:
        read = canonical.loads(changed)
    except FormatError:
        return
    assert rfc8785.dumps(read) == changed


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b'{"a":1} ',
        b'{"a": 1}',
        b'{"b":1,"a":1}',
        b'{"a":1,"a":1}',
        b'{"a":1,"a":2}',
        b'{"a":"\\u0041"}',
        b'{"a":"\\/"}',
        b'{"a":01}',
        b'{"a":-0}',
        b'{"a":1.0}',
        b'{"a":1e2}',
        b'{"a":null}',
        b'{"a":NaN}',
        b'{"A":1}',
        b'{"":1}',
        b'{"1a":1}',
        b'{"a":9007199254740992}',
        b'{"a":18446744073709551616}',
        b'{"a":"\\n"}',
        b'{"a":"\x7f"}',
        b'{"a":"\xc2\x85"}',
        b'{"a":"e\xcc\x81"}',
        b'{"a":"\xff"}',
        b'{"a":"\\ud800"}',
        b"\xef\xbb\xbf{}",
        b"[" * 17 + b"]" * 17,
        b"[" * 2_000 + b"]" * 2_000,
        b"[" * 100_000,
    ],
)
def test_bytes_that_are_not_canonical_are_refused(data: bytes) -> None:
    with pytest.raises(FormatError):
        canonical.loads(data)


@pytest.mark.parametrize(
    "value",
    [
        None,
        1.5,
        float("nan"),
        2**53,
        -(2**53),
        b"bytes",
        (1, 2),
        {"A": 1},
        {"a-b": 1},
        {1: 1},
        {"a": {"b": None}},
        "e\u0301",
        "line\nbreak",
        "\x00",
        "\x9f",
        "\ud800",
        {"a": ["\udfff"]},
    ],
)
def test_values_outside_the_restrictions_have_no_bytes(value: Any) -> None:
    with pytest.raises(FormatError):
        canonical.dumps(value)


def test_nesting_is_at_most_16_deep() -> None:
    value: Any = 1
    for _ in range(16):
        value = [value]
    assert canonical.loads(canonical.dumps(value)) == value
    with pytest.raises(FormatError, match="deeper"):
        canonical.dumps([value])
