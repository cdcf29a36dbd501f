"""Units under units, and where members belong."""

from __future__ import annotations

from ledger.domain.rights import UNIT_DEPTH_MAX, covers
from tests.support.book import Book
from tests.support.organisation import Organisation


def moved(made: Organisation, ident: str, parent: str) -> bytes:
    return made.statement("unit.moved", f"unit/{ident}", "reg-1", {"parent": parent})


def member(made: Organisation, kind: str, ident: str, by: str = "reg-1", **body: str) -> bytes:
    if kind in ("suspended", "reinstated", "left"):
        body = {"date": "2026-01-05"} | body
    return made.statement(f"member.{kind}", f"member/{ident}", by, body)


def chain(book: Book, name: str, top: str, length: int) -> None:
    """Open `length` units below `top`, each under the one before."""
    above = top
    for number in range(length):
        book.take(book.organisation.unit(f"{name}-{number}", above))
        above = f"{name}-{number}"


def test_a_unit_is_opened_once_under_a_unit_that_exists(book: Book, made: Organisation) -> None:
    assert book.refusal(made.unit("east", "root")) == "unit-once"
    assert book.refusal(made.unit("south", "nowhere")) == "unit-known"
    assert book.refusal(made.unit("south", None)) == "unit-parent"
    by_recorder = made.statement(
        "unit.opened",
        "unit/south",
        "rec-1",
        {"parent": "east", "name_zh": "南", "name_en": "south", "start": "2026-01-01"},
    )
    assert book.refusal(by_recorder) == "needs-registrar"


def test_a_unit_cannot_lie_under_itself(book: Book, made: Organisation) -> None:
    book.take(made.unit("group", "east"))
    assert book.refusal(moved(made, "east", "group")) == "unit-circle"
    assert book.refusal(moved(made, "east", "east")) == "unit-circle"
    assert book.refusal(moved(made, "root", "east")) == "unit-circle"
    assert book.refusal(moved(made, "group", "root")) is None


def test_no_move_makes_units_deeper_than_rights_reach(book: Book, made: Organisation) -> None:
    chain(book, "a", "root", 20)
    chain(book, "b", "root", 20)
    assert book.refusal(moved(made, "b-0", "a-19")) == "unit-depth"
    room = UNIT_DEPTH_MAX - 20 - 2
    book.take(moved(made, "b-0", f"a-{room}"))
    assert covers(book.world, "root", "b-19")
    assert book.refusal(made.unit("deeper", "b-19")) == "unit-depth"
    assert book.refusal(moved(made, "a-0", "b-19")) == "unit-circle"


def test_rights_move_with_the_unit(book: Book, made: Organisation) -> None:
    book.take(made.unit("west", "root"))
    book.take(made.unit("group", "east"))
    book.take(made.key("com-west"))
    book.take(made.role("com-west", "committee", "west"))
    book.take(made.enrolment("w-1", "group"))
    award = made.award("w-1", signers=("rec-1", "com-west"))
    assert book.refusal(award) == "needs-committee"
    book.take(moved(made, "group", "west"))
    assert book.refusal(award) is None


def test_a_member_is_enrolled_once(book: Book, made: Organisation) -> None:
    assert book.refusal(made.enrolment("m-2")) == "member-once"
    book.take(member(made, "left", "m-2"))
    assert book.refusal(made.enrolment("m-2")) == "member-once"


def test_an_actor_belongs_to_one_member_at_most(book: Book, made: Organisation) -> None:
    assert book.refusal(made.enrolment("n-1", actor="rec-2")) == "actor-one"
    assert book.refusal(member(made, "linked", "m-2", actor="rec-2")) == "actor-one"
    assert book.refusal(member(made, "linked", "m-1", actor="com-1")) == "actor-one"
    book.take(member(made, "linked", "m-2", actor="com-1"))
    assert book.refusal(made.enrolment("n-1", actor="com-1")) == "actor-one"


def test_suspension_and_leaving_end_where_they_should(book: Book, made: Organisation) -> None:
    assert book.refusal(member(made, "reinstated", "m-2")) == "member-state"
    book.take(member(made, "suspended", "m-2"))
    assert book.refusal(made.award("m-2")) == "member-state"
    book.take(member(made, "reinstated", "m-2"))
    assert book.refusal(made.award("m-2")) is None
    book.take(member(made, "left", "m-2"))
    for kind in ("suspended", "reinstated", "left"):
        assert book.refusal(member(made, kind, "m-2")) == "member-state"


def test_a_transfer_needs_a_registrar_over_both_units(book: Book, made: Organisation) -> None:
    book.take(made.unit("west", "root"))
    book.take(made.key("reg-east"))
    grant = {"role": "registrar", "unit": "east"}
    book.take(made.statement("role.granted", "actor/reg-east", "reg-1", grant, also=("reg-2",)))
    assert book.refusal(member(made, "transferred", "m-2", "reg-east", unit="west")) == (
        "needs-registrar"
    )
    assert book.refusal(member(made, "transferred", "m-2", unit="east")) == "member-moves"
    assert book.refusal(member(made, "transferred", "m-2", unit="west")) is None
