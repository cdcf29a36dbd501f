"""`mingzhang rulebook …`: the dry run of cases, and what the other commands print."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from api.cli.author import app
from ledger.rules.stages import STAGES
from tests.support.shared import RULEBOOKS as DATA
from tests.support.shared import needs_rulebooks

CASES = DATA / "golden_cases.yaml"
GOLDEN = (
    {each["id"]: each for each in yaml.safe_load(CASES.read_text("utf-8"))}
    if CASES.is_file()
    else {}
)
pytestmark = needs_rulebooks


def run(*words: object, status: int = 0) -> str:
    result = CliRunner().invoke(app, [str(word) for word in words])
    assert result.exit_code == status, result.output
    return result.output


def hundredths(points: Any) -> Any:
    return points if isinstance(points, str) else int(Decimal(str(points)) * 100)


@pytest.fixture(scope="module")
def worked() -> dict[str, Any]:
    return {each["id"]: each for each in json.loads(run("score", CASES, "--rulebooks", DATA))}


@pytest.mark.parametrize("name", GOLDEN)
def test_the_golden_cases_come_out_as_worked(worked: dict[str, Any], name: str) -> None:
    case, found = GOLDEN[name], worked[name]
    totals = {key: found["totals"][key] for key in case["expected"]}
    assert totals == {key: hundredths(value) for key, value in case["expected"].items()}
    counts = {each["id"]: each["counted"] for each in found["entries"]}
    assert counts == {key: hundredths(value) for key, value in case["counted"].items()}
    assert [each["id"] for each in found["entries"]] == [each["id"] for each in case["entries"]]


def test_every_entry_says_what_clipped_it_in_the_stages_order(worked: dict[str, Any]) -> None:
    seen = set()
    for case in worked.values():
        for each in case["entries"]:
            assert each.keys() == {"id", "worth", "counted", "clipped"}
            stages = [clip["stage"] for clip in each["clipped"]]
            assert stages == [stage for stage in STAGES if stage in stages]
            assert all(clip["by"] > 0 for clip in each["clipped"])
            lost = sum(clip["by"] for clip in each["clipped"])
            assert abs(each["worth"]) - lost == abs(each["counted"])
            seen |= set(stages)
    assert seen == {"exclusive_group", "item_cap", "category_cap", "category_floor"}


def test_debits_are_negative_and_reversed_entries_count_as_never_been(
    worked: dict[str, Any],
) -> None:
    swallowed = worked["swallowed-debits"]["entries"][2]
    assert swallowed == {
        "id": "e03",
        "worth": -500,
        "counted": -200,
        "clipped": [{"stage": "category_floor", "by": 300}],
    }
    reversed_one = worked["reversal-and-replacement"]["entries"][0]
    assert reversed_one == {"id": "e01", "worth": 0, "counted": 0, "clipped": []}


def case_file(tmp_path: Path, **changes: Any) -> Path:
    case = {
        "id": "c",
        "rulebook": "rural",
        "member_type": "ordinary",
        "entries": [{"id": "e1", "code": "R-C2-02", "date": "2026-03-01"}],
    }
    path = tmp_path / "cases.yaml"
    path.write_text(yaml.safe_dump([case | changes], sort_keys=False), "utf-8")
    return path


def test_any_version_of_a_rulebook_can_be_named(tmp_path: Path) -> None:
    path = case_file(tmp_path, rulebook="rural-1.1.0")
    assert json.loads(run("score", path, "--rulebooks", DATA))[0]["totals"]["credit"] == 100


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"rulebook": "urban"}, "no rulebook file 'urban'; there are: community, office, rural"),
        ({"member_type": "guest"}, "no member type 'guest'"),
        ({"colour": "red"}, "key-unknown: case c: key colour is unknown here"),
        ({"review": 101}, "a review is 0 to 100"),
        ({"entries": [{"id": "e", "code": "R-C9-99", "date": "2026-03-01"}]}, "R-C9-99 on 2026"),
        ({"entries": [{"id": "e", "code": "R-C2-02", "date": "2026-02-30"}]}, "case c"),
        ({"entries": [{"id": "e", "code": "R-C2-02", "date": "2025-12-31"}]}, "not in force"),
        ({"entries": [{"id": "e", "code": "R-C3-03", "date": "2026-03-01"}]}, "points-range"),
        ({"entries": [{"id": "e", "code": "R-C2-02"}]}, "date is missing"),
        ({"entries": [{"id": "e", "code": "R-C2-02", "date": "2026-03-01"}] * 2}, "stands twice"),
        (
            {"entries": [{"id": "e", "code": "R-C4-04", "date": "2026-03-01"}]},
            "no such item for a member of type ordinary",
        ),
    ],
)
def test_a_case_that_cannot_be_worked_out_is_refused(
    tmp_path: Path, changes: dict[str, Any], said: str
) -> None:
    assert said in run("score", case_file(tmp_path, **changes), "--rulebooks", DATA, status=1)


def test_a9_a_missing_activity_or_deed_is_the_entrys_own(tmp_path: Path) -> None:
    entries = [
        {"id": ident, "code": code, "date": "2026-03-01", "qty": qty}
        for ident, code, qty in (("E1", "R-C2-01", 3), ("E2", "R-C2-01", 3), ("E3", "R-C5-01", 1),
                                 ("E4", "R-C5-01", 1))
    ]  # fmt: skip
    found = json.loads(run("score", case_file(tmp_path, entries=entries), "--rulebooks", DATA))
    assert [each["counted"] for each in found[0]["entries"]] == [200, 200, 200, 200]
    assert [each["id"] for each in found[0]["entries"]] == ["E1", "E2", "E3", "E4"]


def test_a20_a_case_can_carry_over_last_periods_figure(tmp_path: Path) -> None:
    text = (DATA / "rural.yaml").read_text("utf-8")
    old = "annual: 0.8*daily + 0.2*democratic_review"
    new = "annual: 0.2*last_annual + 0.7*daily + 0.1*democratic_review"
    folder = tmp_path / "books"
    folder.mkdir()
    (folder / "rural.yaml").write_text(text.replace(old, new), "utf-8")
    path = case_file(tmp_path, review=90, last_annual=70.55)
    totals = json.loads(run("score", path, "--rulebooks", folder))[0]["totals"]
    # (20 × 70.55 + 70 × 61 + 10 × 90) / 100
    assert totals["annual"] == totals["merit"] == 6581


def test_a_broken_rulebook_in_the_folder_stops_the_dry_run(tmp_path: Path) -> None:
    (tmp_path / "books").mkdir()
    (tmp_path / "books" / "rural.yaml").write_text("id: rural\n", "utf-8")
    path = case_file(tmp_path)
    assert "rural.yaml:1: key-missing" in run(
        "score", path, "--rulebooks", tmp_path / "books", status=1
    )
    assert "is no folder" in run("score", path, "--rulebooks", tmp_path / "none", status=1)


def test_lint_finds_nothing_in_the_samples_and_says_so() -> None:
    said = run("lint", *(path for path in DATA.glob("*.yaml") if path != CASES))
    assert said == "nothing found\n"


def test_lint_names_file_line_code_and_reason(tmp_path: Path) -> None:
    text = (DATA / "rural.yaml").read_text("utf-8")
    path = tmp_path / "bad.yaml"
    path.write_text(text.replace("    C1: 8\n", "    C1: 14.5\n"), "utf-8")
    line = 1 + text.splitlines().index("    C1: 8")
    assert run("lint", path, status=1) == (
        f"{path}:{line}: cap-unreachable: the cap of category C1 of 14.5 is never reached: "
        "at most 14 can be given\n"
    )


def test_a16_lint_warns_of_what_waits_and_does_not_fail(tmp_path: Path) -> None:
    text = (DATA / "rural-1.1.0.yaml").read_text("utf-8")
    path = tmp_path / "rural-1.2.0.yaml"
    text = text.replace("  ceiling: 100\n", "  ceiling: 95\n")
    path.write_text(text, "utf-8")
    said = run("lint", DATA / "rural.yaml", path)
    assert ": warning: waits: merit changed, but from 2026-07-01 on" in said


def test_diff_shows_each_change_in_points() -> None:
    said = run("diff", DATA / "rural.yaml", DATA / "rural-1.1.0.yaml").splitlines()
    assert "~ items R-B1-03 points: 2 -> 1.5" in said
    assert "~ items R-C2-02 points: 1 -> 2" in said
    assert any(line.startswith("+ items R-C3-06: +2 a occurrence, cap 6 a year") for line in said)
    assert run("diff", DATA / "rural.yaml", DATA / "rural.yaml") == ""


def test_show_lists_every_item_under_its_category() -> None:
    said = run("show", DATA / "rural.yaml")
    assert "merit: base 60, credit_cap 40, floor 0, ceiling 100" in said
    assert "annual: 80 % daily + 20 % democratic review" in said
    assert "C1 学习提升 (cap 8)\n" in said
    assert "R-C3-03  +5–10 a occurrence, cap 10 a year" in said


def test_convert_prints_the_body_of_the_statement_that_publishes() -> None:
    body = json.loads(run("convert", DATA / "rural.yaml", "--unit", "east"))
    assert body["unit"] == "east"
    assert [each["code"] for each in body["items"]][:2] == ["R-B1-01", "R-B1-02"]
    assert "unit" not in json.loads(run("convert", DATA / "rural.yaml"))
    assert "does not match" in run("convert", DATA / "rural.yaml", "--unit", "East!", status=1)
