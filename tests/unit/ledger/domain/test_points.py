"""Points: four eyes, none of them the member's, under a rule in force; and their correction."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.support.book import Book
from tests.support.organisation import Organisation, key_of


def test_two_people_sign_one_with_each_role(book: Book, made: Organisation) -> None:
    assert book.refusal(made.award("m-2")) is None
    assert book.refusal(made.award("m-2", signers=("rec-1",))) == "needs-committee"
    assert book.refusal(made.award("m-2", signers=("com-1",))) == "needs-recorder"
    assert book.refusal(made.award("m-2", signers=("rec-1", "rec-2"))) == "needs-committee"


def test_one_person_with_both_roles_is_one_person(book: Book, made: Organisation) -> None:
    book.take(made.role("rec-1", "committee"))
    assert book.refusal(made.award("m-2", signers=("rec-1",))) == "four-eyes"
    book.take(made.key("rec-1", key_of("second")))
    assert book.refusal(made.award("m-2", signers=("rec-1", "second"))) == "four-eyes"
    assert book.refusal(made.award("m-2", signers=("rec-1", "rec-2"))) is None


def test_nobody_signs_for_the_own_points(book: Book, made: Organisation) -> None:
    assert book.refusal(made.award("m-1", signers=("rec-2", "com-1"))) == "no-self-review"
    assert book.refusal(made.award("m-2", signers=("rec-2", "com-1"))) is None
    third = made.award("m-1", signers=("rec-1", "com-1", "rec-2"))
    assert book.refusal(third) == "no-self-review"
    link = made.statement("member.linked", "member/m-2", "reg-1", {"actor": "com-1"})
    book.take(link)
    assert book.refusal(made.award("m-2")) == "no-self-review"


def test_roles_of_another_branch_do_not_count(book: Book, made: Organisation) -> None:
    book.take(made.unit("west", "root"))
    book.take(made.key("com-west"))
    book.take(made.role("com-west", "committee", "west"))
    assert book.refusal(made.award("m-2", signers=("rec-1", "com-west"))) == "needs-committee"


@pytest.mark.parametrize(
    ("changed", "rule"),
    [
        ({"act_date": "2026-01-07"}, "act-past"),
        ({"act_date": "2026-01-05"}, "version-in-force"),
        ({"act_date": "2026-02-30"}, "real-date"),
        ({"version": "9.9.9"}, "version-published"),
        ({"rulebook": "others"}, "version-published"),
        ({"item": "C-9"}, "item-known"),
        ({"item": "D-1"}, "item-kind"),
    ],
)
def test_an_act_must_fit_its_rule(
    book: Book, made: Organisation, changed: dict[str, str], rule: str
) -> None:
    body = made.act() | changed
    award = made.statement("points.awarded", "member/m-2", "rec-1", body, also=("com-1",))
    assert book.refusal(award) == rule


def test_an_act_is_priced_by_the_version_of_its_day(book: Book, made: Organisation) -> None:
    book.take(made.rulebook("1.1.0", "2026-01-08"))
    book.now += timedelta(days=3)
    assert book.refusal(made.award("m-2", act_date="2026-01-07")) is None
    assert book.refusal(made.award("m-2", act_date="2026-01-08")) == "version-in-force"
    newer = made.award("m-2", act_date="2026-01-08", version="1.1.0")
    assert book.refusal(newer) is None


def test_a_version_never_reaches_back_and_keeps_its_order(book: Book, made: Organisation) -> None:
    assert book.refusal(made.rulebook("1.1.0", "2026-01-06")) == "not-retroactive"
    assert book.refusal(made.rulebook("1.0.0", "2026-02-01")) == "version-once"
    book.take(made.rulebook("1.1.0", "2026-02-01"))
    assert book.refusal(made.rulebook("1.2.0", "2026-01-31")) == "version-order"
    assert book.refusal(made.rulebook("1.2.0", "2026-02-02")) is None


def test_a_reversal_with_its_replacement_counts_once(book: Book, made: Organisation) -> None:
    award = book.take(made.award("m-2", 300))
    assert book.balance("m-2") == 300
    first = book.take(made.correction("m-2", award, 120))
    assert book.balance("m-2") == 120
    book.take(made.correction("m-2", first))
    assert book.balance("m-2") == 0


def test_only_the_last_link_is_corrected(book: Book, made: Organisation) -> None:
    award = book.take(made.award("m-2", 300))
    replaced = book.take(made.correction("m-2", award, 120))
    assert book.refusal(made.correction("m-2", award)) == "reverses-last"
    gone = book.take(made.correction("m-2", replaced))
    assert book.refusal(made.correction("m-2", replaced)) == "reverses-last"
    # A reversal without a replacement leaves nothing that could be reversed again.
    assert book.refusal(made.correction("m-2", gone)) == "reversal-stays"


def test_a_correction_is_of_the_same_member(book: Book, made: Organisation) -> None:
    award = book.take(made.award("m-2"))
    assert book.refusal(made.correction("m-3", award)) == "reverses-known"


def test_corrections_stay_possible_after_leaving(book: Book, made: Organisation) -> None:
    award = book.take(made.award("m-2", 300))
    gone = {"date": "2026-01-07"}
    book.take(made.statement("member.left", "member/m-2", "reg-1", gone))
    assert book.refusal(made.award("m-2")) == "member-state"
    book.take(made.correction("m-2", award, 100))
    assert book.balance("m-2") == 100


def test_nobody_corrects_the_own_points(book: Book, made: Organisation) -> None:
    award = book.take(made.award("m-1"))
    own = made.correction("m-1", award, signers=("rec-2", "com-1"))
    assert book.refusal(own) == "no-self-review"
