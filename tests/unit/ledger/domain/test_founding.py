"""Founding, and the order in which a log may begin."""

from __future__ import annotations

from typing import Any

import pytest

from ledger.signing import encode_base64
from tests.support.book import Book
from tests.support.organisation import ZONE, Organisation, key_of


def listed(name: str, key: str | None = None) -> dict[str, str]:
    public_key = encode_base64(key_of(key or name).public_key)
    return {"actor": name, "suite": "ed25519", "public_key": public_key}


def founding(
    *names: str, threshold: int = 2, also: tuple[str, ...] = ("reg-2",), **changed: Any
) -> bytes:
    body = {"time_zone": ZONE, "threshold": threshold, "keys": [listed(name) for name in names]}
    return Organisation().statement(
        "ledger.founded", "ledger/root", "reg-1", body | changed, also=also
    )


@pytest.fixture
def empty() -> Book:
    return Book(Organisation(), set_up=False)


def test_nothing_is_recorded_before_the_founding(empty: Book) -> None:
    assert empty.refusal(empty.organisation.unit("root", None)) == "founded-first"


def test_the_root_unit_comes_right_after_the_founding(empty: Book) -> None:
    empty.take(empty.organisation.founding())
    assert empty.refusal(empty.organisation.key("rec-1")) == "root-first"
    empty.take(empty.organisation.unit("root", None))
    assert empty.refusal(empty.organisation.key("rec-1")) is None


def test_a_log_is_founded_once(book: Book) -> None:
    assert book.refusal(book.organisation.founding()) == "founded-once"


def test_the_threshold_counts_distinct_founders(empty: Book) -> None:
    assert empty.refusal(founding("reg-1", "reg-2", also=())) == "founding-threshold"
    keys = [listed("reg-1"), listed("reg-1", "second"), listed("reg-2")]
    assert empty.refusal(founding(keys=keys, also=("second",))) == "founding-threshold"
    assert empty.refusal(founding("reg-1", "reg-2")) is None


def test_the_founding_is_signed_by_listed_keys_and_its_first_actor(empty: Book) -> None:
    assert empty.refusal(founding("reg-1", "reg-2", also=("stranger",))) == "key-known"
    assert empty.refusal(founding("reg-2", "reg-1")) == "founder-first"


def test_a_founding_key_is_listed_once(empty: Book) -> None:
    keys = [listed("reg-1"), listed("reg-2"), listed("reg-3", "reg-1")]
    assert empty.refusal(founding(keys=keys)) == "key-once"


@pytest.mark.parametrize("zone", ["Asia/Nowhere", "Asia"])
def test_the_time_zone_must_exist(empty: Book, zone: str) -> None:
    assert empty.refusal(founding("reg-1", "reg-2", time_zone=zone)) == "time-zone"
