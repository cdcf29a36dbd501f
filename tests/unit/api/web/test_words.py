from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from api.web import front, show
from api.web.register import Known, Published
from api.web.settings import read_page_settings
from api.web.words import Words, language_of
from ledger.entry import format_instant
from ledger.errors import StartRefusedError


@pytest.mark.parametrize(
    ("asked", "remembered", "accepted", "expected"),
    [
        (None, None, "", "zh"),
        (None, None, "en-GB,en;q=0.9", "en"),
        (None, None, "fr, de;q=0.8", "zh"),
        (None, None, "fr, en;q=0.8, zh;q=0.7", "en"),
        (None, None, "ZH-cn, en", "zh"),
        (None, "en", "zh", "en"),
        ("zh", "en", "en", "zh"),
        ("xx", "yy", "en", "en"),
    ],
)
def test_the_language_is_asked_for_else_remembered_else_the_browsers(
    asked: str | None, remembered: str | None, accepted: str, expected: str
) -> None:
    assert language_of(asked, remembered, accepted) == expected


@pytest.mark.parametrize(
    ("minutes", "zh", "en"),
    [
        (0, "刚刚", "just now"),
        (59, "59 分钟前", "59 min ago"),
        (60, "1 小时前", "1 h ago"),
        (3 * 24 * 60, "3 天前", "3 days ago"),
    ],
)
def test_an_instant_is_relative_first_and_exact_in_the_organisations_zone(
    minutes: int, zh: str, en: str
) -> None:
    then = datetime(2026, 11, 20, 6, 5, tzinfo=UTC)
    now, text = then + timedelta(minutes=minutes), format_instant(then, micros=True)
    found = show.moment(Words("zh"), text, "Asia/Shanghai", now)
    assert (found.ago, found.text, found.iso) == (zh, "2026-11-20 14:05", text)
    assert show.moment(Words("en"), text, "Asia/Shanghai", now).ago == en


def test_a_clause_says_its_worth_per_unit_with_sign_and_its_cap() -> None:
    item = {
        "code": "C-1",
        "name_zh": "条",
        "name_en": "",
        "kind": "credit",
        "unit": "hour",
        "points": 50,
    }
    capped = {**item, "cap": {"per": "quarter", "points": 300}}
    assert show.item_row(Words("zh"), item).worth == "+0.5 / 小时"
    assert show.item_row(Words("en"), capped).cap == "3 / quarter"
    debit = {**item, "kind": "debit", "min": 100, "max": 250}
    del debit["points"]
    assert show.item_row(Words("en"), debit).worth == "−1 … −2.5 / hour"
    assert show.item_row(Words("en"), item).name.of("en") == "条"


@pytest.mark.parametrize(
    ("config", "policy"), [("contact = 5\n", None), ("contact = \n", None), ("", b"quorum w1\n")]
)
def test_settings_that_are_wrong_stop_the_start(
    config: str, policy: bytes | None, tmp_path: Path
) -> None:
    (tmp_path / "ledger.toml").write_text('origin = "a.example"\n' + config)
    if policy is not None:
        (tmp_path / "policy").write_bytes(policy)
    with pytest.raises(StartRefusedError):
        read_page_settings(tmp_path)


def test_without_settings_there_is_no_policy_and_nobody_to_ask(tmp_path: Path) -> None:
    (tmp_path / "ledger.toml").write_text('origin = "a.example"\n')
    settings = read_page_settings(tmp_path)
    assert (settings.policy, settings.contact) == (None, "")


@pytest.mark.parametrize(
    ("start", "day", "year"),
    [
        (None, "2026-01-01", "2026"),
        ("07-01", "2026-06-30", "2025"),
        ("07-01", "2026-07-01", "2026"),
    ],
)
def test_the_year_that_runs_begins_when_the_rulebook_says(
    start: str | None, day: str, year: str
) -> None:
    body = {"version": "1.0.0"} | ({"period": {"start": start}} if start else {})
    known = Known({}, {("rules", "1.0.0"): Published("rules", 7, body)}, "UTC")
    assert front.running_year(known, "rules", day) == year
