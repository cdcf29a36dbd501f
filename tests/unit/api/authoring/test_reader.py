"""Authors' files become the canonical form exactly, or every fault is named with its line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from api.authoring.reader import load, read
from api.authoring.source import AuthoringError
from ledger import canonical, schema
from ledger.rules.rulebook import ADDITIVE, DAILY, WEIGHTED, WEIGHTED3
from tests.support.shared import RULEBOOKS, needs_rulebooks

ROOT = Path(__file__).parents[4]
SAMPLES = [path for path in sorted(RULEBOOKS.glob("*.yaml")) if path.name != "golden_cases.yaml"]
DEMO = sorted((ROOT / "ops" / "demo" / "rulebooks").glob("*.yaml"))
ENTRY_PAYLOAD_MAX = 46_000
"""What of an entry's 65,535 bytes is left for a payload in base64, with room for signatures."""

SMALL = """\
id: small
version: 1.0.0
effective_from: 2026-01-01
title_zh: 小
title_en: Small
member_types:
  ordinary: 普通
  exempt: 不计分
model:
  base_total: 60
  base_categories: {B: 60}
  credit_category_caps:
    C: 7.5
  ceiling: 67.5
  annual: 0.8*daily + 0.2*democratic_review
categories: {B: 乙, C: 丙}
bands:
- {code: low, zh: 低, min: 0, below: 60}
- {code: high, zh: 高, min: 60, below: null}
items:
- code: C-1
  category: C
  name_zh: 一
  name_en: One
  act_type: a.b
  kind: credit
  points: 0.5
  unit: hour
- {code: B-1, category: B, name_zh: 二, name_en: Two, act_type: a.c, kind: debit, points: 1,
   unit: occurrence, evidence: [minutes], applies_to: [ordinary]}
"""


@pytest.fixture
def small(tmp_path: Path) -> Path:
    path = tmp_path / "small.yaml"
    path.write_text(SMALL, "utf-8")
    return path


def changed(path: Path, old: str, new: str) -> list[str]:
    assert SMALL.count(old) >= 1
    path.write_text(SMALL.replace(old, new, 1), "utf-8")
    found = read(path)
    return [f"{line}: {each.code}: {each.reason}" for line, each in found.findings()]


def test_points_become_hundredths_and_names_stay(small: Path) -> None:
    body = load(small).body
    assert body["merit"] == {
        "base": 6000,
        "bases": [{"category": "B", "points": 6000}],
        "category_caps": [{"category": "C", "points": 750}],
        "ceiling": 6750,
    }
    assert body["annual"] == {"kind": "weighted", "daily": 80, "review": 20}
    assert body["bands"][1] == {"code": "high", "name_zh": "高", "min": 6000}
    assert body["items"][0]["points"] == 50
    assert body["member_types"][1] == {
        "code": "exempt",
        "name_zh": "不计分",
        "standing": "exempt",
    }


def test_a_right_file_has_no_findings(small: Path) -> None:
    assert read(small).findings() == []


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("points: 0.5", "points: 0.505", "27: decimals: item C-1: points 0.505 has more than two"),
        ("C: 7.5", "C: 7.555", "13: decimals: model: credit_category_caps C 7.555 has more"),
        ("points: 0.5", "points: -1", "27: points: item C-1: points -1 is too small"),
        ("points: 0.5", "points: much", "27: number: item C-1: points 'much' is no number"),
        ("unit: hour", "unit: fortnight", "28: unit-unknown: C-1: unit 'fortnight'"),
        ("unit: hour", "unit: hour\n  colour: red", "29: key-unknown: item C-1: key colour"),
        ("unit: hour", "units: hour", "28: key-unknown: item C-1: key units"),
        ("min: 60, below: null", "min: 65", "19: bands-gap: scores from 60 up to 65"),
        ("min: 60, below: null", "min: 55", "19: bands-overlap: 55 is also in the band from 0"),
        ("ceiling: 67.5", "ceiling: 70", "14: cap-unreachable: the ceiling of 70 is never"),
        ("name_zh: 一", "name_zh: 上访", "21: about-petitions: C-1"),
        ("evidence: [minutes]", "evidence: [photo]", "30: photo-only: B-1"),
        ("evidence: [minutes], ", "", "29: debit-evidence: B-1"),
        ("applies_to: [ordinary]", "applies_to: [other]", "29: type-unknown: item B-1"),
        ("category: C\n", "category: Z\n", "21: category-unknown: item C-1"),
        ("code: B-1", "code: C-1", "29: code-twice: items: C-1 stands twice"),
        ("kind: credit", "kind: bonus", "26: value-unknown: item C-1: kind 'bonus'"),
        ("base_total: 60", "base_total: 50", "11: base: model: base_categories do not add up"),
        ("0.8*daily", "0.7*daily", "15: annual: model: annual '0.7*daily + "),
        ("0.8*daily", "daily^2", "15: annual: model: annual 'daily^2 + "),
        ("title_en: Small\n", "", "1: key-missing: rulebook: title_en is missing"),
        ("version: 1.0.0", "version: 1.0", "2: text: rulebook: version '1.0' is no version"),
        ("id: small", "id: small\nscale: 3", "2: scale: rulebook: points have a scale of 2"),
        ("id: small", "id: small\nfoo: 3", "2: key-unknown: rulebook: key foo is unknown here"),
    ],
)
def test_a_fault_is_named_with_its_line_and_reason(
    small: Path, old: str, new: str, said: str
) -> None:
    findings = changed(small, old, new)
    assert any(each.startswith(said) for each in findings), findings


def test_all_faults_of_a_file_are_named_at_once(small: Path) -> None:
    text = SMALL.replace("points: 0.5", "points: 0.505").replace("title_en: Small", "titel: x")
    small.write_text(text, "utf-8")
    with pytest.raises(AuthoringError) as caught:
        load(small)
    assert caught.value.message.splitlines() == [
        "small.yaml:1: key-missing: rulebook: title_en is missing",
        "small.yaml:5: key-unknown: rulebook: key titel is unknown here",
        "small.yaml:27: decimals: item C-1: points 0.505 has more than two decimal places",
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: 1\na: 2\n", "x.yaml:2: yaml: key 'a' is no text or stands twice"),
        ("a: [1\n", "x.yaml:2: yaml:"),
        ("- a\n", "x.yaml:1: rulebook: a rulebook is a mapping"),
        ("a: .inf\n", "x.yaml:1: yaml: .inf is no plain decimal number"),
        ("a: !!python/object:os.system {}\n", "x.yaml:1: yaml: could not determine a constructor"),
        ("", "x.yaml:1: rulebook:"),
    ],
)
def test_what_is_no_plain_yaml_mapping_is_refused(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "x.yaml"
    path.write_text(text, "utf-8")
    with pytest.raises(AuthoringError) as caught:
        load(path)
    assert caught.value.message.startswith(said)


@pytest.mark.parametrize(
    ("formula", "kind", "weights"),
    [
        ("daily", DAILY, {}),
        ("0.7*daily + 0.3*democratic_review", WEIGHTED, {"daily": 70, "review": 30}),
        ("min(daily, 80) + 0.2*review", ADDITIVE, {"daily_max": 8000, "review": 20}),
        ("min(daily, 80) + review*20/100", ADDITIVE, {"daily_max": 8000, "review": 20}),
        (
            "0.2*last_annual + 0.7*daily + 0.1*democratic_review",
            WEIGHTED3,
            {"last": 20, "daily": 70, "review": 10},
        ),
    ],
)
def test_a19_formulas_name_each_family(
    small: Path, formula: str, kind: str, weights: dict[str, int]
) -> None:
    small.write_text(SMALL.replace("0.8*daily + 0.2*democratic_review", formula), "utf-8")
    assert load(small).body["annual"] == {"kind": kind, **weights}


def test_a20_the_carry_over_variant_becomes_the_base(small: Path) -> None:
    variant = "carry_over_variant: {enabled: true, rule: next year base = 20% of this year score}\n"
    text = SMALL.replace("  base_total: 60\n  base_categories: {B: 60}\n", "").replace(
        "ceiling: 67.5", "ceiling: 100"
    )
    small.write_text(text + variant, "utf-8")
    assert load(small).body["merit"]["carry_over"] == 20
    small.write_text(SMALL + variant, "utf-8")
    assert "has base_total 0" in read(small).problems[0].reason


@needs_rulebooks
@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_the_samples_load_as_they_are_without_a_finding(path: Path) -> None:
    found = load(path)
    assert found.findings() == []
    body = found.publishable("east")
    schema.validate("rulebook.published", body)
    assert len(canonical.dumps(body)) < ENTRY_PAYLOAD_MAX
    assert f"- code: {body['items'][-1]['code']}\n" in path.read_text("utf-8")


def sample(name: str) -> dict[str, Any]:
    return load(RULEBOOKS / f"{name}.yaml").body


@needs_rulebooks
def test_warnings_of_the_samples_become_conditions() -> None:
    rural = sample("rural")
    assert rural["warnings"][1] == {
        "light": "red",
        "any": [
            {"figure": "period_debits", "at_least": 1500},
            {"figure": "global_debit", "at_least": 1000},
        ],
    }
    assert rural["follow_ups"] == [
        {"light": "red", "quarters": 2, "action": "education plan with mentor"}
    ]
    assert sample("office")["warnings"] == [
        {"light": "yellow", "any": [{"figure": "pace", "below": 80}]},
        {"light": "red", "any": [{"figure": "pace", "below": 60}]},
    ]


@needs_rulebooks
def test_texts_for_people_are_kept_as_notes() -> None:
    notes = {each["about"]: each["text"] for each in sample("rural")["notes"]}
    assert notes["disclaimer"].startswith("authored sample")
    assert notes["period.reset"] == "all components restart at the new period"
    assert "workflow.recusal" in notes


@needs_rulebooks
def test_the_wallet_lapses_on_the_day_that_the_reset_says() -> None:
    community = sample("community")
    assert community["service"] == {"redeemable": True, "lapse": "03-31"}
    assert community["min_minutes"] == 30
    types = load(RULEBOOKS / "community.yaml").version().member_types
    assert types["in_service_reg"].accounts == ("service",)
    assert types["ordinary"].accounts == ("merit", "service")
    assert types["exempt"].accounts == ()


@pytest.mark.parametrize("path", DEMO, ids=lambda path: path.stem)
def test_items_under_their_categories_are_read_like_flat_ones(path: Path) -> None:
    found = load(path)
    assert found.findings() == []
    assert all(each["category"] and each["applies_to"] for each in found.body["items"])
