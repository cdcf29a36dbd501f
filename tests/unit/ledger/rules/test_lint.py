"""What lint finds in a rulebook's canonical form: rules A16 and A38."""

from __future__ import annotations

from typing import Any

import pytest

from ledger.rules.diff import Change, diff
from ledger.rules.lint import lint, lint_change, points
from ledger.rules.words import subjects_of
from tests.support.rules import body, debit, item

SHEET: dict[str, Any] = {"evidence": ["sign_in_sheet"]}


def codes(found: dict[str, Any]) -> list[tuple[str, tuple[str | int, ...]]]:
    return [(each.code, each.where) for each in lint(found)]


def band(low: int, below: int | None = None) -> dict[str, Any]:
    return {"code": "b", "name_zh": "等次", "min": low} | ({"below": below} if below else {})


@pytest.mark.parametrize(
    ("bands", "code", "place"),
    [
        ([band(0, 6000), band(7000)], "bands-gap", ("bands", 1, "min")),
        ([band(0, 6000), band(5999)], "bands-overlap", ("bands", 1, "min")),
        ([band(0), band(6000)], "bands-overlap", ("bands", 1, "min")),
        ([band(100, 6000), band(6000)], "bands-gap", ("bands", 0, "min")),
        ([band(6000, 9000), band(0, 6000)], "bands-gap", ("bands", 0, "below")),
        ([band(0, 6000), band(6000, 6000), band(6000)], "bands-empty", ("bands", 1, "below")),
    ],
)
def test_a_score_lies_in_exactly_one_band(
    bands: list[dict[str, Any]], code: str, place: tuple[str | int, ...]
) -> None:
    assert (code, place) in codes(body(item("X"), bands=bands))


def test_bands_in_any_order_that_leave_nothing_out_are_fine() -> None:
    assert codes(body(item("X"), bands=[band(6000), band(0, 6000)])) == []


def test_the_last_band_may_end_above_the_ceiling() -> None:
    merit = {"base": 6000, "ceiling": 6100, "credit_cap": 100}
    assert codes(body(item("X"), bands=[band(0, 6101)], merit=merit)) == []
    assert [c for c, _ in codes(body(item("X"), bands=[band(0, 6100)], merit=merit))] == [
        "bands-gap"
    ]


@pytest.mark.parametrize(
    ("rule", "most"),
    [
        ({"unit": "year", "cap": {"per": "year", "points": 101}}, 100),
        ({"unit": "quarter", "cap": {"per": "year", "points": 401}}, 400),
        ({"unit": "month", "cap": {"per": "year", "points": 1201}}, 1200),
        ({"unit": "month", "cap": {"per": "quarter", "points": 301}}, 300),
        ({"unit": "quarter", "cap": {"per": "month", "points": 101}}, 100),
    ],
)
def test_a38_an_item_cap_above_what_its_units_give_is_unreachable(
    rule: dict[str, Any], most: int
) -> None:
    above = body(item("X", **rule))
    assert codes(above) == [("cap-unreachable", ("items", 0, "cap"))]
    equal = body(item("X", **(rule | {"cap": rule["cap"] | {"points": most}})))
    assert codes(equal) == []


def test_a38_occurrences_reach_any_cap() -> None:
    assert codes(body(item("X", cap={"per": "year", "points": 9000}))) == []


def test_a38_a_category_cap_looks_at_the_items_caps() -> None:
    items = [
        item("X", cap={"per": "year", "points": 400}),
        item("Y", cap={"per": "quarter", "points": 100}),
    ]
    for cap, found in ((801, [("cap-unreachable", ("merit", "category_caps", 0))]), (800, [])):
        merit = {"category_caps": [{"category": "C", "points": cap}]}
        assert codes(body(*items, merit=merit)) == found


def test_a38_the_total_cap_and_the_ceiling_look_at_the_caps_below() -> None:
    items = [item("X"), item("Y", category="D", cap={"per": "year", "points": 300})]
    merit = {"base": 6000, "category_caps": [{"category": "C", "points": 200}]}
    at = {"credit_cap": 500, "ceiling": 6500}
    assert codes(body(*items, merit=merit | at)) == []
    assert codes(body(*items, merit=merit | at | {"credit_cap": 501})) == [
        ("cap-unreachable", ("merit", "credit_cap"))
    ]
    assert codes(body(*items, merit=merit | at | {"ceiling": 6501})) == [
        ("cap-unreachable", ("merit", "ceiling"))
    ]


def test_a38_a_period_cap_can_be_unreachable_too() -> None:
    x = item("X", cap={"per": "month", "points": 100})
    for most, found in ((100, 0), (101, 1)):
        merit = {"period_caps": [{"per": "month", "points": most}]}
        assert len(codes(body(x, merit=merit))) == found


def test_a38_reachable_is_what_one_type_can_reach() -> None:
    items = [
        item(code, applies_to=[kind], cap={"per": "year", "points": 300})
        for code, kind in (("X", "ordinary"), ("Y", "probationary"))
    ]
    merit = {"category_caps": [{"category": "C", "points": 400}]}
    assert codes(body(*items, merit=merit)) == [("cap-unreachable", ("merit", "category_caps", 0))]


def test_unknown_units_and_caps_are_named() -> None:
    found = lint(body(item("X", unit="fortnight"), item("Y", cap={"per": "week", "points": 1})))
    assert [(each.code, each.where) for each in found] == [
        ("unit-unknown", ("items", 0, "unit")),
        ("cap-unknown", ("items", 1, "cap", "per")),
    ]
    assert "'fortnight' is none of occurrence" in found[0].reason


@pytest.mark.parametrize(
    ("name_zh", "name_en", "act_type", "code"),
    [
        ("信访上访", "Item", "x", "about-petitions"),
        ("条目", "Filed a petition", "x", "about-petitions"),
        ("家属参与违建", "Item", "x", "about-family"),
        ("条目", "A family member broke a rule", "x", "about-family"),
        ("条目", "Their children did well", "x", "about-family"),
        ("未安装APP", "Item", "x", "about-app-use"),
        ("条目", "Did not open the app", "x", "about-app-use"),
        ("条目", "Item", "app.use", "about-app-use"),
        ("每日登录时长", "Item", "x", "about-app-use"),
        ("未点赞转发", "Item", "x", "about-likes"),
        ("条目", "Item", "post.like", "about-likes"),
        ("条目", "Gave no likes", "x", "about-likes"),
    ],
)
def test_a38_forbidden_subjects_are_found_in_items_and_vetoes(
    name_zh: str, name_en: str, act_type: str, code: str
) -> None:
    names: dict[str, Any] = {"name_zh": name_zh, "name_en": name_en}
    assert codes(body(item("X", act_type=act_type, **names))) == [(code, ("items", 0))]
    if act_type == "x":
        veto = {"code": "V", "needs": ["document"], **names}
        assert codes(body(item("X"), vetoes=[veto])) == [(code, ("vetoes", 0))]


@pytest.mark.parametrize(
    "text",
    [
        "清洁家园", "反哺家乡项目落地", "线上参加组织生活", "群众投诉经查属实", "帮扶低收入户",
        "Visited a linked household", "Tutoring children", "Joined organisation life online",
        "Applied a new method", "Tables, chairs and the like", "Complaint verified",
        "推动加装电梯", "助学辅导",
    ],
)  # fmt: skip
def test_a38_words_that_only_resemble_them_are_no_finding(text: str) -> None:
    assert subjects_of(text) == []


def test_a38_word_rules_read_items_and_vetoes_only() -> None:
    notes = [{"about": "excluded_on_purpose", "text": "信访、点赞、家庭成员"}]
    assert codes(body(item("X"), notes=notes)) == []


def test_a38_a_photo_is_never_the_only_evidence() -> None:
    assert codes(body(debit("X", evidence=["photo"]))) == [("photo-only", ("items", 0, "evidence"))]
    assert codes(body(item("X", evidence=["photo"]))) == [("photo-only", ("items", 0, "evidence"))]
    assert codes(body(debit("X", evidence=["photo", "two_witnesses"]))) == []


def test_a38_a_debit_needs_evidence() -> None:
    assert codes(body(debit("X"))) == [("debit-evidence", ("items", 0))]
    assert codes(body(item("X"))) == []


def test_a_category_debit_without_a_base_would_always_be_swallowed() -> None:
    assert codes(body(debit("X", scope="category", **SHEET))) == [
        ("category-base", ("items", 0, "scope"))
    ]
    merit = {"base": 100, "bases": [{"category": "B", "points": 100}]}
    assert codes(body(debit("X", scope="category", **SHEET), merit=merit)) == []


def test_a10_an_exclusive_group_of_debits_is_refused() -> None:
    found = codes(body(debit("X", exclusive_group="g", **SHEET)))
    assert found == [("group-of-debits", ("items", 0, "exclusive_group"))]


def test_a_document_that_cannot_be_built_is_named() -> None:
    found = lint(body(item("X"), annual={"kind": "weighted", "daily": 80, "review": 30}))
    assert [each.code for each in found] == ["inconsistent"]


def test_a16_what_waits_for_the_next_period_is_a_warning() -> None:
    old = body(item("X"), merit={"base": 6000, "credit_cap": 100})
    new = body(item("X", 200), merit={"base": 7000, "credit_cap": 200})
    found = lint_change(old, new | {"effective_from": "2026-07-01"})
    assert [(each.code, each.where, each.warning) for each in found] == [
        ("waits", ("merit",), True)
    ]
    assert "after 2026-12-31" in found[0].reason
    assert lint_change(old, new | {"effective_from": "2027-01-01"}) == []
    caps = body(item("X"), merit={"base": 6000, "credit_cap": 200})
    assert lint_change(old, caps | {"effective_from": "2026-07-01"}) == []


def test_diff_names_items_by_code_and_fields_by_name() -> None:
    old = body(item("X", 100), item("Y", 100))
    new = body(item("Z", 100), item("X", 200), version="1.1.0")
    assert diff(old, new) == [
        Change(("version",), "1.0.0", "1.1.0"),
        Change(("items", "X", "points"), 100, 200),
        Change(("items", "Y"), item("Y", 100), None),
        Change(("items", "Z"), None, item("Z", 100)),
    ]
    assert diff(old, body(item("Y", 100), item("X", 100))) == []


def test_points_are_written_as_people_do() -> None:
    assert [points(each) for each in (250, 100, 1000, 5, -50, 0)] == [
        "2.5", "1", "10", "0.05", "-0.5", "0"
    ]  # fmt: skip
