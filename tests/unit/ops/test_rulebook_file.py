"""A rulebook written by people is read exactly, or refused with the line that is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from ledger import schema
from ops.demo.rulebook_file import RulebookFileError, load, published

FOLDER = Path(__file__).parents[3] / "ops" / "demo" / "rulebooks"
FILES = sorted(path.name for path in FOLDER.glob("*.yaml"))
SMALL = """\
id: small
version: 1.0.0
effective_from: 2025-01-01
title_zh: 小
title_en: Small
member_types:
  - {code: ordinary, name_zh: 普通, name_en: Ordinary}
  - {code: exempt, name_zh: 不计分, name_en: Exempt}
applies_to: [ordinary]
categories:
  - code: A
    name_zh: 甲
    name_en: First
    kind: credit
    account: service
    items:
      - {code: A-1, act_type: a.b, points: 0.5, unit: hour, name_zh: 一, name_en: One,
         cap: {per: year, points: 1.25}, evidence: [photo]}
      - {code: A-2, act_type: a.c, min: 0, max: 1.5, unit: month, name_zh: 二, name_en: Two,
         kind: debit, evidence: [photo]}
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "small.yaml"


def refusal(path: Path, text: str) -> str:
    path.write_text(text, "utf-8")
    with pytest.raises(RulebookFileError) as caught:
        load(path)
    return str(caught.value)


def test_points_become_hundredths_and_items_complete(path: Path) -> None:
    path.write_text(SMALL, "utf-8")
    rulebook = load(path)
    assert rulebook["effective_from"] == "2025-01-01"
    one, two = rulebook["items"]
    assert one == {
        "code": "A-1",
        "category": "A",
        "name_zh": "一",
        "name_en": "One",
        "act_type": "a.b",
        "kind": "credit",
        "account": "service",
        "points": 50,
        "unit": "hour",
        "cap": {"per": "year", "points": 125},
        "applies_to": ["ordinary"],
        "evidence": ["photo"],
    }
    assert (two["min"], two["max"], two["kind"]) == (0, 150, "debit")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("points: 0.5", "points: 0.505", "small.yaml:17: A-1: points 0.505 has more than two"),
        ("points: 0.5", "points: -1", "small.yaml:17: A-1: points -1 is too small"),
        ("points: 0.5", "points: much", "small.yaml:17: A-1: points 'much' is no number"),
        ("points: 0.5,", "", "small.yaml:17: A-1: an item has either points, or min and max"),
        ("min: 0", "min: 2", "small.yaml:19: A-2: min 2 is above max 1.5"),
        ("code: A-2", "code: A-1", "code A-1 stands twice"),
        ("unit: hour", "unit: hour, unit: day", "stands twice"),
        ("unit: hour", "units: hour", "small.yaml:17: A-1: unit missing"),
        ("unit: hour", "unit: hour, colour: red", "small.yaml:17: A-1: colour unknown here"),
        ("kind: debit", "kind: bonus", "small.yaml:19: A-2: kind 'bonus' is neither"),
        ("account: service", "account: cash", "account 'cash' is neither"),
        ("applies_to: [ordinary]", "applies_to: [other]", "'other' is none of the member_types"),
        ("evidence: [photo]}\n      - ", "evidence: []}\n      - ", "A-1: evidence is a list"),
        ("version: 1.0.0", "version: 1.0", "small.yaml:1: version Decimal('1.0') does not fit"),
        ("id: small", "id: [small", "small.yaml: no YAML we can read"),
        ("name_en: First", "name_en: ''", "small.yaml:11: A: name_en is empty"),
    ],
)
def test_a_fault_is_named_with_its_line(path: Path, old: str, new: str, said: str) -> None:
    assert SMALL.count(old) >= 1
    assert said in refusal(path, SMALL.replace(old, new, 1))


@pytest.mark.parametrize("name", FILES)
def test_the_demo_rulebooks_can_be_published(name: str) -> None:
    rulebook = load(FOLDER / name)
    assert 20 <= len(rulebook["items"]) <= 45
    body = published(rulebook, "qingshan-village", "2025-01-01")
    assert body["effective_from"] == "2025-01-01"
    schema.validate("rulebook.published", body)


def test_the_second_rural_version_changes_what_it_says() -> None:
    first, second = (
        {each["code"]: each for each in load(FOLDER / name)["items"]}
        for name in ("rural.yaml", "rural-1.1.yaml")
    )
    changed = {code for code in first if first[code] != second[code]}
    assert changed == {"R-B1-03", "R-C2-02"}
    assert second.keys() - first.keys() == {"R-C3-06"}
    assert (second["R-B1-03"]["points"], second["R-C2-02"]["points"]) == (150, 200)
