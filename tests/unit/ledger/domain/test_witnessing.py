"""The entries about the log itself: who may record them, and in what form."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.book import Book
from tests.support.organisation import Organisation
from tests.support.witnesses import LOG, Tree, cosigner

TEXT = Tree().checkpoint(5).body()
LINES = [cosigner(n).line(TEXT, 1_700_000_000) for n in (1, 2)]


@pytest.fixture
def served(book: Book, made: Organisation) -> Book:
    book.take(made.key("robot"))
    book.take(made.role("robot", "service"))
    return book


def witnessed(
    made: Organisation, lines: list[str], *signers: str, stream: str = "ledger/root"
) -> bytes:
    actor, *also = signers or ("robot",)
    body = {"size": 5, "cosignatures": lines}
    return made.statement("checkpoint.witnessed", stream, actor, body, also=tuple(also))


def recovered(made: Organisation, *signers: str) -> bytes:
    body: dict[str, Any] = {
        "from_size": 99,
        "from_root": "ab" * 32,
        "to_size": 20,
        "cause": "backup",
    }
    return made.statement(
        "ledger.recovered", "ledger/root", signers[0], body, also=tuple(signers[1:])
    )


def test_the_service_records_cosignatures(served: Book, made: Organisation) -> None:
    served.take(witnessed(made, LINES))
    served.take(witnessed(made, LINES[:1]))


def test_nobody_else_records_them_and_nobody_with_the_service(
    served: Book, made: Organisation
) -> None:
    assert served.refusal(witnessed(made, LINES, "reg-1")) == "needs-service"
    assert served.refusal(witnessed(made, LINES, "robot", "reg-1")) == "service-alone"
    assert served.refusal(witnessed(made, LINES, stream="ledger/other")) == "stream-kind"


def test_lines_must_be_cosignatures_of_distinct_keys(served: Book, made: Organisation) -> None:
    plain = LOG.sign(TEXT).decode().split("\n\n")[1].removesuffix("\n")
    assert served.refusal(witnessed(made, [plain])) == "cosignature-form"
    assert served.refusal(witnessed(made, [LINES[0][:-4]])) == "cosignature-form"
    assert served.refusal(witnessed(made, [LINES[0], LINES[0]])) == "cosignature-once"


def test_two_registrars_give_a_history_up_where_there_are_two(
    book: Book, made: Organisation
) -> None:
    assert book.refusal(recovered(made, "reg-1")) == "two-registrars"
    assert book.refusal(recovered(made, "reg-1", "rec-1")) == "two-registrars"
    assert book.refusal(recovered(made, "rec-1", "reg-1")) == "needs-registrar"
    book.take(recovered(made, "reg-1", "reg-2"))
    assert book.world.organisation is not None
    assert book.world.organisation.given_up == 99
    assert book.world.organisation.time_zone


def adopted(made: Organisation, *signers: str) -> bytes:
    body = {"policy": "ab" * 32}
    return made.statement(
        "witnesses.adopted", "ledger/root", signers[0], body, also=tuple(signers[1:])
    )


def test_two_registrars_change_the_witnesses_where_there_are_two(
    book: Book, made: Organisation
) -> None:
    assert book.refusal(adopted(made, "reg-1")) == "two-registrars"
    assert book.refusal(adopted(made, "rec-1", "reg-1")) == "needs-registrar"
    book.take(adopted(made, "reg-1", "reg-2"))


def test_a_tree_is_not_witnessed_before_it_is_there(served: Book, made: Organisation) -> None:
    body = {"size": served.world.size + 1, "cosignatures": LINES}
    early = made.statement("checkpoint.witnessed", "ledger/root", "robot", body)
    assert served.refusal(early) == "witnessed-size"
