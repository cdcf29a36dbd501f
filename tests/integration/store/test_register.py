"""Intake's register: cases are kept outside the log, and nobody opens one unseen."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from ledger.canonical import dumps
from ledger.commitment import check_opening
from ledger.errors import ConflictError, FormatError, NotFoundError
from ledger.store.ledger import Ledger
from ledger.store.register import Register
from tests.support.organisation import COMMITMENT, Organisation

TARGET = {"stream": "member/m-2", "entry": "0198c3a0-0000-7000-8000-000000000000"}


@pytest.fixture
def register(ledger: Ledger) -> Iterator[Register]:
    with ledger.database.pool(1, 2) as pool:
        yield Register(pool)


def filed(dispute: str = "d-1", **changed: Any) -> bytes:
    body = {"target": TARGET, "reason": COMMITMENT, "evidence": []} | changed
    made = Organisation(members=3)
    return made.statement("dispute.filed", f"dispute/{dispute}", "rec-2", body)


def test_what_is_filed_is_what_the_commitments_stand_for(register: Register) -> None:
    envelope = filed()
    filer, target = register.file("d-1", envelope, "m-1")
    found = register.open("d-1", "in-1", "to acknowledge it")
    check_opening(filer, found.envelope_salt, found.envelope)
    check_opening(target, found.target_salt, dumps(found.target))
    assert (found.envelope, found.target) == (envelope, TARGET)
    assert (found.filer, found.member) == ("rec-2", "m-1")
    other, _ = register.file("d-2", filed("d-2"), "m-1")
    assert other != filer


def test_an_anonymous_report_has_no_filer(register: Register) -> None:
    register.file("d-1", "有人虚报工时".encode(), None, TARGET)
    assert register.open("d-1", "in-1", "to check it").filer is None


def test_every_opening_is_written_down_also_of_what_is_not_there(register: Register) -> None:
    register.file("d-1", filed(), "m-1")
    register.open("d-1", "in-1", "to acknowledge it")
    register.open("d-1", "disc-1", "the hearing")
    with pytest.raises(NotFoundError):
        register.open("d-9", "disc-1", "curiosity")
    found = [(each.dispute, each.actor, each.purpose) for each in register.accesses()]
    assert found == [
        ("d-9", "disc-1", "curiosity"),
        ("d-1", "disc-1", "the hearing"),
        ("d-1", "in-1", "to acknowledge it"),
    ]
    first, second = register.accesses("d-1")
    assert register.accesses("d-1", before=first.number) == [second]
    with pytest.raises(FormatError, match="what the case is opened for"):
        register.open("d-1", "in-1", " ")


def test_the_service_cannot_read_a_case_unseen_nor_change_a_line(
    ledger: Ledger, register: Register
) -> None:
    register.file("d-1", filed(), "m-1")
    register.open("d-1", "in-1", "to acknowledge it")
    with ledger.database.connect() as connection:
        for statement in (
            "SELECT * FROM mingzhang_cases.filed",
            "UPDATE mingzhang_cases.access SET actor = 'nobody'",
            "DELETE FROM mingzhang_cases.access",
            "INSERT INTO mingzhang_cases.access (dispute, actor, purpose) VALUES ('d', 'a', 'p')",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement.encode())


def test_an_owner_of_the_tables_cannot_change_a_line_either(
    register: Register, database_url: str
) -> None:
    register.file("d-1", filed(), "m-1")
    register.open("d-1", "in-1", "to acknowledge it")
    with psycopg.connect(database_url, autocommit=True) as connection:
        for statement in ("UPDATE {} SET actor = 'x'", "DELETE FROM {}", "TRUNCATE {}"):
            with pytest.raises(psycopg.errors.RaiseException):
                connection.execute(statement.format("mingzhang_cases.access").encode())


@pytest.mark.parametrize(
    ("dispute", "envelope", "target"),
    [
        ("d-1", filed("d-2"), None),
        ("d-1", filed(target={"stream": "member/m-2"}), None),
        ("d-1", b"no envelope", None),
        ("D 1", filed(), None),
        ("d-1", b"a report", {"entry": "x"}),
    ],
)
def test_what_is_no_filing_is_refused(
    register: Register, dispute: str, envelope: bytes, target: dict[str, Any] | None
) -> None:
    with pytest.raises(FormatError):
        register.file(dispute, envelope, "m-1", target)


def test_an_id_is_taken_once(register: Register) -> None:
    register.file("d-1", filed(), "m-1")
    with pytest.raises(ConflictError, match="filed already"):
        register.file("d-1", filed(), "m-1")
