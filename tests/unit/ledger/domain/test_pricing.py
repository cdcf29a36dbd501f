from __future__ import annotations

from typing import Any

import pytest

from ledger.domain.closing import governing_version
from ledger.domain.pricing import (
    books_on,
    item_for,
    path_on,
    price,
    right_figure,
    scored_member,
)
from ledger.errors import Refused
from tests.support.chronicle import ABOVE, PAIR, START_DAY, Chronicle, document, item
from tests.support.organisation import COMMITMENT

STREAM = "rulebook/rules"


@pytest.fixture
def log() -> Chronicle:
    """East: 1.0.0 from 6 January, 2.0.0 from 1 July, a pilot of 1.5.0 in its group in March."""
    log = Chronicle()
    names = {"name_zh": "组", "name_en": "Group", "start": START_DAY}
    log.say("unit.opened", "unit/group", {"parent": "east"} | names)
    log.publish()
    log.say("rulebook.drafted", STREAM, document("1.5.0", "2026-06-01"), PAIR)
    talks = {"version": "1.5.0", "from": "2026-01-10", "until": "2026-01-20"}
    log.say("rulebook.consulted", STREAM, talks, PAIR[:1])
    pilot = {"version": "1.5.0", "units": ["group"], "from": "2026-03-01", "until": "2026-03-31"}
    log.say("rulebook.piloted", STREAM, pilot, PAIR)
    log.publish("2.0.0", "2026-07-01")
    return log


def refused(log: Chronicle, rule: str, *asked: str) -> str:
    with pytest.raises(Refused) as caught:
        price(log.world, *asked)
    assert caught.value.rule == rule, caught.value.message
    return caught.value.message


@pytest.mark.parametrize(
    ("unit", "act_date", "version"),
    [
        ("east", "2026-01-06", "1.0.0"),
        ("east", "2026-06-30", "1.0.0"),
        ("east", "2026-07-01", "2.0.0"),
        ("group", "2026-02-28", "1.0.0"),
        ("group", "2026-03-01", "1.5.0"),
        ("group", "2026-03-31", "1.5.0"),
        ("group", "2026-04-01", "1.0.0"),
        ("east", "2026-03-15", "1.0.0"),
    ],
)
def test_a2_a3_the_act_date_and_the_unit_pick_the_version(
    log: Chronicle, unit: str, act_date: str, version: str
) -> None:
    assert price(log.world, unit, act_date, "rules", version).version == version
    for other in {"1.0.0", "1.5.0", "2.0.0"} - {version}:
        with pytest.raises(Refused):
            price(log.world, unit, act_date, "rules", other)


def test_a2_what_does_not_price_an_act_is_refused_with_the_reason(log: Chronicle) -> None:
    refused(log, "version-published", "east", "2026-02-01", "rules", "9.0.0")
    refused(log, "version-published", "east", "2026-02-01", "nothing", "1.0.0")
    refused(log, "version-in-force", "east", "2026-01-05", "rules", "1.0.0")
    refused(log, "version-in-force", "group", "2026-03-15", "rules", "1.0.0")
    refused(log, "rulebook-scope", "west", "2026-02-01", "rules", "1.0.0")
    assert "group" in refused(log, "pilot-units", "east", "2026-03-15", "rules", "1.5.0")
    assert "2026-03-31" in refused(log, "pilot-dates", "group", "2026-04-01", "rules", "1.5.0")


def test_a2_the_nearest_unit_prices_and_several_of_one_unit_stand_side_by_side(
    log: Chronicle,
) -> None:
    log.give("root-sec", "secretary", "root")
    log.give("root-com", "committee", "root")
    body = document("1.0.0", "2026-02-01", "root")
    log.say("rulebook.published", "rulebook/all", body, ("root-sec", "root-com"))
    assert "rules" in refused(log, "rulebook-nearest", "east", "2026-02-01", "all", "1.0.0")
    assert price(log.world, "west", "2026-02-01", "all", "1.0.0").unit == "root"
    refused(log, "version-in-force", "west", "2026-01-31", "all", "1.0.0")
    log.publish("1.0.0", "2026-02-01", rulebook="second")
    found = books_on(log.world, "group", "2026-02-01")
    assert [book.id for book in found] == ["rules", "second"]
    # Before the nearer rulebook begins, the farther one holds.
    assert books_on(log.world, "east", "2026-01-05") == ()


def test_a2_moving_a_unit_later_changes_no_price_of_an_earlier_act(log: Chronicle) -> None:
    log.say("unit.moved", "unit/group", {"parent": "west"}, day="2026-05-10")
    assert path_on(log.world, "group", "2026-05-09") == ("group", "east", "root")
    assert path_on(log.world, "group", "2026-05-10") == ("group", "west", "root")
    assert price(log.world, "group", "2026-05-09", "rules", "1.0.0").version == "1.0.0"
    refused(log, "rulebook-scope", "group", "2026-05-10", "rules", "1.0.0")


def test_a4_a25_an_item_is_of_a_kind_and_for_types_that_have_its_account(log: Chronicle) -> None:
    types: list[dict[str, Any]] = [
        {"code": "ordinary", "name_zh": "普通党员"},
        {"code": "double", "name_zh": "双报到", "accounts": ["service"]},
    ]
    items = [item("C-1", applies_to=["ordinary"]), item("S-1", account="service"), item("M-1")]
    log.publish("3.0.0", "2026-09-01", member_types=types, items=items)
    version = price(log.world, "east", "2026-09-01", "rules", "3.0.0")
    assert item_for(version, "C-1", "credit", "ordinary").code == "C-1"
    assert item_for(version, "S-1", "credit", "double").account == "service"
    for rule, asked in (
        ("item-known", ("X-9", "credit", "ordinary")),
        ("item-kind", ("C-1", "debit", "ordinary")),
        ("item-applies", ("C-1", "credit", "double")),
        ("item-applies", ("M-1", "credit", "double")),
        ("item-applies", ("M-1", "credit", "nobody")),
    ):
        with pytest.raises(Refused) as caught:
            item_for(version, *asked)
        assert caught.value.rule == rule


def test_a16_the_version_of_the_years_first_day_governs_it_else_the_first_in_it(
    log: Chronicle,
) -> None:
    rulebook = log.world.rulebooks.get("rules")
    assert rulebook is not None
    assert rulebook.book is not None
    first = governing_version(log.world, rulebook.book, "east", "2026-12-31")
    second = governing_version(log.world, rulebook.book, "east", "2027-01-01")
    assert first is not None
    assert second is not None
    assert (first.version, second.version) == ("1.0.0", "2.0.0")
    assert governing_version(log.world, rulebook.book, "east", "2025-06-01") is None


def test_b15_a_correction_cites_an_erratum_of_its_item_and_its_day(log: Chronicle) -> None:
    body = {
        "version": "1.0.0",
        "item": "C-1",
        "field": "points",
        "value": 200,
        "from": "2026-02-01",
        "until": "2026-02-28",
        "reason": COMMITMENT,
    }
    ident = log.say("rulebook.erratum", STREAM, body, (ABOVE,), "2026-03-10")
    act = {"rulebook": "rules", "version": "1.0.0", "item": "C-1", "act_date": "2026-02-28"}
    assert right_figure(log.world, ident, act).value == 200
    for rule, asked, changed in (
        ("erratum-known", "another", {}),
        ("erratum-applies", ident, {"item": "D-1"}),
        ("erratum-applies", ident, {"version": "1.1.0"}),
        ("erratum-applies", ident, {"act_date": "2026-03-01"}),
    ):
        with pytest.raises(Refused) as caught:
            right_figure(log.world, asked, act | changed)
        assert caught.value.rule == rule


def test_a27_a_member_who_moves_between_rulebooks_has_a_segment_of_each(log: Chronicle) -> None:
    log.publish("1.0.0", "2026-01-06", rulebook="western", unit="west")
    body = {"unit": "west", "date": "2026-05-01"}
    log.say("member.transferred", "member/m-2", body, day="2026-04-20")
    member = scored_member(log.world, "m-2")
    assert member is not None
    assert [(each.start, each.rulebook) for each in member.spells] == [
        ("2026-01-05", ""),
        ("2026-01-06", "rules"),
        ("2026-05-01", "western"),
    ]
    assert scored_member(log.world, "nobody") is None
