"""A rulebook version tried on the acts of a log, before it comes into force (rule A37)."""

from __future__ import annotations

from typing import Any

import pytest

from ledger.errors import FormatError, NotFoundError
from projections.fold import AsOf
from projections.period import parse_period
from projections.render import what_if_text
from projections.scores import RANKINGS
from projections.whatif import Cause, Missing, Move, WhatIf, what_if
from tests.unit.projections.test_scores import BANDS, ITEMS, TYPES, Tale, item


def tried(tale: Tale, table: str | None = None, rulebook: str = "rules", **new: Any) -> WhatIf:
    document = {
        "version": "9.0.0",
        "effective_from": "2030-01-01",
        "title_zh": "新细则",
        "title_en": "New rules",
        "member_types": TYPES,
        "items": ITEMS,
        "bands": BANDS,
        "merit": {"base": 6000},
    } | new
    as_of = AsOf(len(tale.entries), "2025-06-01T00:00:00Z")
    days = parse_period(table) if table else None
    return what_if(tale.folded(RANKINGS), as_of, rulebook, document, days)


def story() -> Tale:
    tale = Tale()
    tale.act("m-1", "K-1")
    tale.act("m-2", "B-1")
    tale.act("m-2", "K-1", "2024-12-01")
    return tale


def test_a37_nobody_moves_under_the_same_rules() -> None:
    found = tried(story())
    assert (found.moves, found.missing, found.members, found.entries) == ((), (), 3, 2)
    assert found.replaces == ("1.0.0",)
    assert "没有变动 Nobody would move" in what_if_text(found)


def test_a37_it_says_who_moves_by_how_much_and_because_of_which_item() -> None:
    items = [each for each in ITEMS if each["code"] not in {"K-1", "B-1"}]
    items += [item("K-1", points=40), item("B-1", category="B", points=90)]
    found = tried(story(), items=items)
    assert found.moves == (
        Move("m-1", "east", 6100, 6040, 1, 2, (Cause("K-1", 100, 40),)),
        Move("m-2", "east", 6050, 6090, 2, 1, (Cause("B-1", 50, 90),)),
    )
    text = what_if_text(found)
    assert "m-1" in text
    assert "1 → 2" in text
    assert "K-1 1 → 0.4" in text


def test_a37_acts_of_earlier_years_keep_their_price() -> None:
    items = [item("K-1", points=40)]
    found = tried(story(), "2024", items=[*items, *ITEMS[:2]])
    assert [each.member for each in found.moves] == ["m-2"], "in 2024 itself they do not"
    found = tried(story(), "2025", items=[*items, *ITEMS[:2]])
    assert [each.member for each in found.moves if each.after != each.before] == ["m-1", "m-2"]


def test_a37_missing_codes_count_0_and_are_listed() -> None:
    tale = story()
    tale.act("m-3", "C-1", points=900)
    items = [each for each in ITEMS if each["code"] not in {"K-1", "C-1"}]
    found = tried(tale, items=[*items, item("C-1", min=1, max=500)])
    assert found.missing == (Missing("C-1", 1, lacking=False), Missing("K-1", 1, lacking=True))
    assert [(each.member, each.before, each.after) for each in found.moves] == [
        ("m-3", 6900, 6000),
        ("m-1", 6100, 6000),
        ("m-2", 6050, 6050),
    ]
    assert [each.rank_after for each in found.moves] == [2, 2, 1]


def test_a37_an_item_that_was_fixed_and_becomes_a_range_keeps_its_points() -> None:
    items = [each for each in ITEMS if each["code"] != "K-1"]
    found = tried(story(), items=[*items, item("K-1", min=50, max=200)])
    assert (found.moves, found.missing) == ((), ())


def test_a37_another_base_and_ceiling_are_causes_of_their_own() -> None:
    found = tried(story(), merit={"base": 7000, "ceiling": 7060})
    causes = {each.member: each.causes for each in found.moves}
    assert causes["m-1"] == (Cause("base", 6000, 7000), Cause("floor and ceiling", 0, -40))
    assert causes["m-3"] == (Cause("base", 6000, 7000),)


def test_a37_only_the_table_of_the_period_is_tried() -> None:
    items = [each for each in ITEMS if each["code"] != "K-1"]
    assert tried(story(), "2025-02", items=items).moves == ()
    found = tried(story(), "2025-03", items=items)
    assert [(each.member, each.causes) for each in found.moves] == [
        ("m-1", (Cause("K-1", 100, 0),)),
        ("m-2", ()),
        ("m-3", ()),
    ], "who only changes rank moves, too"


def test_a37_a_rulebook_that_the_log_lacks_is_refused() -> None:
    with pytest.raises(NotFoundError, match=r"no rulebook 'north' .* it has rules"):
        tried(story(), rulebook="north")
    with pytest.raises(FormatError, match="no figures of one can be compared"):
        tried(story(), period={"start": "07-01"})
