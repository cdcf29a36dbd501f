"""Texts and files outside the log: kept, checked, erased by a recorded statement, on PostgreSQL."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from ledger.commitment import commit
from ledger.errors import (
    ConflictError,
    ErasedError,
    FormatError,
    NotFoundError,
    ProofError,
    Refused,
)
from ledger.log.note import VerifierKey
from ledger.log.receipt import parse, verify_receipt
from ledger.store import publish
from ledger.store.documents import Documents
from ledger.store.ledger import Ledger
from ledger.store.media import PNG, TEXT
from ledger.verify.whole import verify_log
from projections.runner import Runner
from tests.support import archives
from tests.support.clock import SteadyClock
from tests.support.database import OpenLedger, set_up
from tests.support.organisation import START, Organisation

REASON = "因病请假，由张三代为申报".encode()


class LaterClock(SteadyClock):
    """A steady clock that can be put forward by days, between two openings of a ledger."""

    def __init__(self, days: int) -> None:
        super().__init__(START + timedelta(days=1 + days))


@pytest.fixture
def documents(ledger: Ledger) -> Iterator[Documents]:
    made = Documents(ledger.database.pool(0, 4))
    yield made
    made.close()


def test_what_is_put_is_got_with_its_salt_and_kind(documents: Documents) -> None:
    commitment, salt = documents.put(REASON, TEXT)
    assert commitment == commit(salt, REASON)
    found = documents.get(commitment)
    assert (found.data, found.salt, found.kind) == (REASON, salt, TEXT)


def test_the_same_salt_gives_the_same_commitment_and_none_a_new_one(documents: Documents) -> None:
    first = documents.put(REASON, TEXT, b"s" * 32)
    assert documents.put(REASON, TEXT, b"s" * 32) == first
    assert documents.put(REASON, TEXT)[0] != first[0]
    with pytest.raises(FormatError, match="32 bytes"):
        documents.put(REASON, TEXT, b"short")


def test_the_same_evidence_twice_is_found_though_its_commitments_tell_nothing(
    documents: Documents,
) -> None:
    first, _ = documents.put(archives.png(10, 10), PNG)
    second, _ = documents.put(archives.png(10, 10), PNG)
    other, _ = documents.put(archives.png(10, 11), PNG)
    assert documents.same(first) == [second]
    assert documents.same(second) == [first]
    assert documents.same(other) == []


def test_an_unknown_commitment_and_no_commitment_are_told_apart(documents: Documents) -> None:
    with pytest.raises(NotFoundError):
        documents.get("ab" * 32)
    with pytest.raises(FormatError, match="64 lower-case hex"):
        documents.get("AB" * 32)


def test_changed_bytes_are_noticed(documents: Documents, database_url: str) -> None:
    commitment, _ = documents.put(REASON, TEXT)
    with psycopg.connect(database_url, autocommit=True) as connection:
        with pytest.raises(psycopg.errors.CheckViolation):
            connection.execute("UPDATE mingzhang_documents.content SET data = 'other'")
        connection.execute("UPDATE mingzhang_documents.document SET salt = sha256('x')")
    with pytest.raises(ProofError, match="was changed"):
        documents.get(commitment)


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM mingzhang_documents.document",
        "DELETE FROM mingzhang_documents.content",
        "UPDATE mingzhang_documents.document SET salt = NULL",
        "TRUNCATE mingzhang_documents.document",
    ],
)
def test_the_service_itself_cannot_erase(ledger: Ledger, documents: Documents, sql: str) -> None:
    documents.put(REASON, TEXT)
    with (
        ledger.database.connect() as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        connection.execute(sql.encode())


class Erasing:
    """A ledger with an award to m-2 whose reason is kept, opened again days after it."""

    def __init__(self, open_ledger: OpenLedger, clock: SteadyClock) -> None:
        self._open = open_ledger
        self.made = Organisation()
        self.ledger = open_ledger()
        documents = Documents(self.ledger.database.pool(0, 1))
        self.reason, self.salt = documents.put(REASON, TEXT)
        documents.close()
        set_up(self.ledger, self.made, clock)
        self.receipt = self.ledger.append(self.made.award("m-2", reason=self.reason))

    def later(self, days: int) -> Ledger:
        self.ledger = self._open(clock=LaterClock(days))
        return self.ledger

    def order(self, commitment: str | None = None, stream: str = "member/m-2") -> bytes:
        body = {"commitment": commitment or self.reason, "cause": "request"}
        return self.made.statement("text.erased", stream, "reg-1", body, also=("com-1",))


def test_b22_an_erasure_waits_for_the_last_term_and_then_leaves_a_stub(
    open_ledger: OpenLedger, clock: SteadyClock, tmp_path: Path
) -> None:
    case = Erasing(open_ledger, clock)
    ledger = case.later(30)
    with pytest.raises(Refused) as error:
        ledger.append(case.order())
    assert error.value.rule == "erasure-term"

    ledger = case.later(31)
    documents = Documents(ledger.database.pool(0, 1))
    order = case.order()
    ledger.append(order)
    with pytest.raises(ErasedError) as erased:
        documents.get(case.reason)
    stub = erased.value.stub
    assert stub["kind"] == TEXT
    assert datetime.fromisoformat(stub["erased_at"]) >= START + timedelta(31)
    assert stub["erased_by"] in erased.value.message
    assert documents.same(case.reason) == []
    with pytest.raises(ConflictError, match="does not come back"):
        documents.put(REASON, TEXT, case.salt)
    documents.close()
    with ledger.database.connect() as connection:
        assert connection.execute("SELECT FROM mingzhang_documents.content").fetchall() == []

    vkey = VerifierKey.parse(ledger.vkey)
    verify_receipt(parse(case.receipt), vkey)
    runner = Runner.of(ledger)
    runner.catch_up()
    runner.check()
    publish.export(ledger, tmp_path / "export", vkey)
    report = verify_log(str(tmp_path / "export"), vkey, workers=0)
    assert report.ok, "every proof still holds"


def test_the_same_bytes_under_another_commitment_stay(
    open_ledger: OpenLedger, clock: SteadyClock
) -> None:
    case = Erasing(open_ledger, clock)
    ledger = case.later(31)
    documents = Documents(ledger.database.pool(0, 1))
    other, _ = documents.put(REASON, TEXT)
    ledger.append(case.order())
    assert documents.get(other).data == REASON
    with pytest.raises(ErasedError):
        documents.get(case.reason)
    documents.close()


def test_an_order_that_is_refused_erases_nothing(
    open_ledger: OpenLedger, clock: SteadyClock
) -> None:
    case = Erasing(open_ledger, clock)
    ledger = case.later(31)
    documents = Documents(ledger.database.pool(0, 1))
    stranger, _ = documents.put(b"of nobody", TEXT)
    for order in (case.order(stranger), case.order(stream="member/m-3")):
        with pytest.raises(Refused) as error:
            ledger.append(order)
        assert error.value.rule == "commitment-known"
    assert documents.get(case.reason).data == REASON
    assert documents.get(stranger).data == b"of nobody"
    documents.close()


def test_an_erasure_of_what_was_never_uploaded_is_recorded(
    open_ledger: OpenLedger, clock: SteadyClock
) -> None:
    case = Erasing(open_ledger, clock)
    case.ledger.append(case.made.award("m-3", reason="cd" * 32))
    ledger = case.later(31)
    ledger.append(case.order("cd" * 32, "member/m-3"))


def test_putting_the_same_bytes_while_they_are_erased_keeps_them(
    open_ledger: OpenLedger, clock: SteadyClock
) -> None:
    case = Erasing(open_ledger, clock)
    ledger = case.later(31)
    documents = Documents(ledger.database.pool(0, 4))
    kept: list[str] = []
    threads = [
        threading.Thread(target=lambda: kept.append(documents.put(REASON, TEXT)[0]))
        for _ in range(8)
    ]
    for each in threads[:4]:
        each.start()
    ledger.append(case.order())
    for each in threads[4:]:
        each.start()
    for each in threads:
        each.join()
    assert len(set(kept)) == 8
    for commitment in kept:
        assert documents.get(commitment).data == REASON
    documents.close()
