from __future__ import annotations

from typing import Any

import pytest

from tests.support.chronicle import START_DAY, Chronicle
from tests.support.organisation import COMMITMENT

STREAM = "member/m-2"
BOTH = ("reg-1", "east-sec")


@pytest.fixture
def log() -> Chronicle:
    """East starts on 1 March 2026; today is a Monday."""
    log = Chronicle(east_start="2026-03-01")
    log.publish(effective_from="2026-03-01", policy={"publicity_working_days": 5})
    return log


def balance(**changed: Any) -> dict[str, Any]:
    return {
        "rulebook": "rules",
        "account": "merit",
        "kind": "credit",
        "points": 8650,
        "period": "2025-01-01",
        "act_date": "2025-12-31",
        "sheet": COMMITMENT,
        "reason": COMMITMENT,
        "closes": "2026-01-12",
    } | changed


OPENING = {"period": "2026-01-01", "act_date": "2026-02-28"}


@pytest.mark.parametrize(
    ("rule", "changed", "signers"),
    [
        ("needs-registrar", {}, ("east-sec", "reg-1")),
        ("four-eyes", {}, ("reg-1",)),
        ("four-eyes", {}, ("reg-1", "west-sec")),
        ("version-published", {"rulebook": "nothing"}, BOTH),
        ("import-period", {"period": "2025-02-01"}, BOTH),
        ("import-period", {"act_date": "2026-01-01"}, BOTH),
        ("import-period", {"act_date": "2025-12-30"}, BOTH),
        ("import-period", {"period": "2026-01-01", "act_date": "2026-03-01"}, BOTH),
        ("closes", {"closes": "2026-01-09"}, BOTH),
        ("closes", {"closes": "2026-01-13"}, BOTH),
    ],
)
def test_cheat21_an_import_is_refused_unless(
    log: Chronicle, rule: str, changed: dict[str, Any], signers: tuple[str, ...]
) -> None:
    log.refused(rule, "points.imported", STREAM, balance(**changed), signers)


def test_cheat21_nothing_is_imported_from_the_units_start_on(log: Chronicle) -> None:
    late = balance(closes="2026-03-06")
    reason = log.refused("import-start", "points.imported", STREAM, late, BOTH, "2026-03-01")
    assert "2026-03-01" in reason
    on_time = balance(closes="2026-03-06")
    log.say("points.imported", STREAM, on_time, BOTH, "2026-02-27")


def test_cheat21_a_year_of_an_account_is_imported_once(log: Chronicle) -> None:
    log.say("points.imported", STREAM, balance(), BOTH)
    log.refused("import-once", "points.imported", STREAM, balance(points=9000), BOTH)
    log.say("points.imported", STREAM, balance(account="service"), BOTH)
    log.say("points.imported", STREAM, balance(**OPENING), BOTH)
    log.say("points.imported", "member/m-3", balance(), BOTH)


def test_cheat21_an_import_is_up_for_objections_before_it_counts(log: Chronicle) -> None:
    ident = log.say("points.imported", STREAM, balance(), BOTH)
    account = log.world.accounts.get(STREAM)
    assert account is not None
    entry = account.entries[ident]
    assert (entry.state, entry.closes, entry.origin) == ("published", "2026-01-12", "import")
    assert (entry.account, entry.kind, entry.points) == ("merit", "credit", 8650)


def test_nobody_signs_for_their_own_import(log: Chronicle) -> None:
    log.say("member.linked", STREAM, {"actor": "east-sec"}, day=START_DAY)
    log.refused("no-self-review", "points.imported", STREAM, balance(), BOTH)
    log.refused("member-known", "points.imported", "member/nobody", balance(), BOTH)


def test_a_rulebook_of_another_unit_takes_no_import(log: Chronicle) -> None:
    log.publish("1.0.0", "2026-03-01", rulebook="western", unit="west")
    body = balance(rulebook="western")
    log.refused("rulebook-scope", "points.imported", STREAM, body, BOTH)
