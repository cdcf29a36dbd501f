from __future__ import annotations

from typing import Any

import pytest

from ledger.domain.deadlines import NOW, natural_end, working_end
from ledger.errors import Refused
from tests.support.chronicle import Chronicle

STREAM = "unit/root"
BOTH = ("reg-1", "reg-2")


@pytest.fixture
def log() -> Chronicle:
    return Chronicle()


def calendar(year: int = 2026, **lists: list[str]) -> dict[str, Any]:
    return {"year": year, "holidays": [], "workdays": []} | lists


def publish(log: Chronicle, day: str, **lists: list[str]) -> None:
    log.say("calendar.published", STREAM, calendar(2026, **lists), BOTH, day)


def at(day: str) -> str:
    return f"{day}T03:00:00.000000Z"


def test_a34_two_registrars_publish_the_calendar_where_two_stand(log: Chronicle) -> None:
    log.refused("two-registrars", "calendar.published", STREAM, calendar())
    log.refused("needs-registrar", "calendar.published", STREAM, calendar(), ("east-sec", "reg-1"))
    publish(log, "2026-01-06")
    log.say("role.revoked", "actor/reg-2", {"role": "registrar", "unit": "root"}, BOTH)
    log.say("calendar.published", STREAM, calendar(2027), ("reg-1",))


@pytest.mark.parametrize(
    ("rule", "stream", "body"),
    [
        ("calendar-root", "unit/east", calendar()),
        ("calendar-year", STREAM, calendar(2025)),
        ("calendar-year", STREAM, calendar(holidays=["2027-01-01"])),
        ("real-date", STREAM, calendar(holidays=["2026-02-30"])),
        ("calendar-day", STREAM, calendar(holidays=["2026-02-14"], workdays=["2026-02-14"])),
    ],
)
def test_a34_a_calendar_is_of_one_year_that_is_not_over_and_contradicts_nothing(
    log: Chronicle, rule: str, stream: str, body: dict[str, Any]
) -> None:
    log.refused(rule, "calendar.published", stream, body, BOTH)


def test_a34_a_term_starts_on_the_day_after_and_skips_weekends_without_a_calendar(
    log: Chronicle,
) -> None:
    # 2026-01-09 is a Friday.
    assert working_end(log.world, at("2026-01-09"), "2026-01-09", 1) == "2026-01-12"
    assert working_end(log.world, at("2026-01-09"), "2026-01-09", 5) == "2026-01-16"


def test_a34_a_later_calendar_replaces_a_terms_end_only_where_it_gives_a_later_one(
    log: Chronicle,
) -> None:
    publish(log, "2026-01-06", holidays=["2026-02-03"])
    opened = at("2026-02-02")
    assert working_end(log.world, opened, "2026-02-02", 1) == "2026-02-04"
    publish(log, "2026-02-03")
    assert working_end(log.world, opened, "2026-02-02", 1) == "2026-02-04"
    publish(log, "2026-02-04", holidays=["2026-02-03", "2026-02-04", "2026-02-05"])
    assert working_end(log.world, opened, "2026-02-02", 1) == "2026-02-06"
    publish(log, "2026-02-05")
    assert working_end(log.world, opened, "2026-02-02", 1) == "2026-02-06"


def test_cheat18_an_edited_calendar_cuts_no_running_term_short_and_opens_new_ones_by_itself(
    log: Chronicle,
) -> None:
    opened = at("2026-02-06")
    assert working_end(log.world, opened, "2026-02-06", 1) == "2026-02-09"
    publish(log, "2026-02-06", workdays=["2026-02-07", "2026-02-08"])
    assert working_end(log.world, opened, "2026-02-06", 1) == "2026-02-07"
    earlier = at("2026-02-05")
    assert working_end(log.world, earlier, "2026-02-06", 1) == "2026-02-09"
    assert working_end(log.world, NOW, "2026-02-06", 1) == "2026-02-07"


def test_a_year_that_is_published_again_takes_the_place_of_that_year_only(log: Chronicle) -> None:
    publish(log, "2026-01-06", holidays=["2026-02-03"])
    log.say("calendar.published", STREAM, calendar(2027, holidays=["2027-01-01"]), BOTH)
    assert working_end(log.world, NOW, "2026-02-02", 1) == "2026-02-04"
    assert working_end(log.world, NOW, "2026-12-31", 1) == "2027-01-04"


def test_a_term_beyond_reason_is_refused(log: Chronicle) -> None:
    for days in (0, 3661):
        with pytest.raises(Refused, match=r"term of|days after"):
            working_end(log.world, NOW, "2026-02-02", days)
        with pytest.raises(Refused):
            natural_end("2026-02-02", days)
    assert natural_end("2026-02-27", 15) == "2026-03-14"
