"""Fault 10: the database has committed, and its answer is lost at any byte of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from ledger.errors import OutcomeUnknownError
from ledger.store.batch import Pending, first_receipt
from ledger.store.ledger import Ledger
from ledger.store.sequencer import Sequencer
from tests.support.oracle import Oracle
from tests.support.organisation import Organisation
from tests.support.processes import await_that, found
from tests.support.proxy import Proxy

BATCH = 3


@pytest.fixture
def oracle(tmp_path: Path, database_url: str) -> Iterator[Oracle]:
    judge = Oracle(database_url, found(tmp_path / "data", database_url))
    yield judge
    judge.close()


@pytest.fixture
def proxy(database_url: str, oracle: Oracle) -> Iterator[Proxy]:
    between = Proxy(database_url)
    yield between
    between.close()


@pytest.fixture
def ledger(tmp_path: Path, proxy: Proxy) -> Iterator[Ledger]:
    with Ledger.open(tmp_path / "data", url=proxy.url) as opened:
        yield opened
        # A test that failed in the middle leaves a link that nobody would ever hear of again.
        proxy.heal()


@pytest.fixture
def awards() -> Iterator[bytes]:
    organisation = Organisation(start=datetime.now(UTC) - timedelta(days=1))
    # The founding used the first ids.
    for _ in range(100):
        organisation.new_id()
    return (organisation.award("m-1") for _ in iter(int, 1))


def append(ledger: Ledger, oracle: Oracle, envelopes: list[bytes], times: int = 2) -> None:
    """Append, whatever becomes of the answer, and ask again: the same receipts."""
    for outcomes in [ledger.append_batch(envelopes) for _ in range(times)]:
        for envelope, outcome in zip(envelopes, outcomes, strict=True):
            assert isinstance(outcome, bytes), outcome
            oracle.acknowledged_once(envelope, outcome)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("how", ["close", "reset", "half-close"])
@pytest.mark.parametrize("entries", [1, BATCH], ids=["one insert", "one copy"])
def test_an_answer_cut_at_any_byte_is_asked_for_again(
    ledger: Ledger,
    oracle: Oracle,
    proxy: Proxy,
    awards: Iterator[bytes],
    how: str,
    entries: int,
) -> None:
    def some() -> list[bytes]:
        return [next(awards) for _ in range(entries)]

    append(ledger, oracle, some(), times=1)
    whole = proxy.reply_bytes
    # An insert's long reply holds the entry itself: one way to lose it is tried at every byte.
    places = range(0, whole + 1, 1 if entries > 1 or how == "close" else 23)
    for after_bytes in places:
        proxy.cut(after_bytes, how)
        append(ledger, oracle, some())
    assert proxy.cuts == len(places)
    await_that(oracle.all_is_noted)
    oracle.check_whole()
    print(f"{how}: cut at {len(places)} places of a reply of {whole} bytes")


def test_a_black_hole_is_never_answered_with_success(
    ledger: Ledger, oracle: Oracle, proxy: Proxy, awards: Iterator[bytes]
) -> None:
    for count, after_bytes in enumerate((0, 1, 7), start=1):
        envelope = next(awards)
        proxy.cut(after_bytes, "black hole")
        with pytest.raises(OutcomeUnknownError, match="send the same statement again"):
            ledger.append(envelope, timeout_s=0.3)
        # It is committed all the same, if not at once, and nothing that a reader sees covers it.
        await_that(partial(_has_cut, proxy, count))
        size = oracle.size_now()
        assert ledger.size() == size - 1
        proxy.heal()
        append(ledger, oracle, [envelope])
        assert oracle.size_now() == size
        oracle.check()


def _has_cut(proxy: Proxy, count: int) -> bool:
    return proxy.cuts == count


def test_a_receipt_made_anew_for_a_lost_answer_is_caught(
    ledger: Ledger,
    oracle: Oracle,
    proxy: Proxy,
    awards: Iterator[bytes],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Planted: who asks again gets a receipt under the newest note, which is true and another."""

    def newest(self: Sequencer, each: Pending, index: int, data: bytes) -> bytes:
        assert self.signed is not None
        return first_receipt(self._store, index, data, *self.signed)

    envelope = next(awards)
    proxy.cut(0, "close")
    append(ledger, oracle, [envelope])
    append(ledger, oracle, [next(awards)])
    await_that(oracle.all_is_noted)
    monkeypatch.setattr(Sequencer, "_first_receipt", newest)
    with pytest.raises(AssertionError, match="two different receipts"):
        append(ledger, oracle, [envelope])
