from __future__ import annotations

from typing import Any

import pytest

from tests.support.chronicle import ABOVE, ITEMS, PAIR, document, item
from tests.support.organisation import COMMITMENT
from tests.support.watched import Watched

STREAM = "rulebook/rules"
BOTH = ("reg-1", "east-com-1")


@pytest.fixture
def log() -> Watched:
    return Watched()


def pilot_in_east(log: Watched) -> None:
    log.say("rulebook.drafted", STREAM, document("1.1.0", "2026-07-01"), PAIR, "2026-01-20")
    talks = {"version": "1.1.0", "from": "2026-02-01", "until": "2026-02-10"}
    log.say("rulebook.consulted", STREAM, talks, PAIR[:1], "2026-01-30")
    days = {"from": "2026-03-01", "until": "2026-05-31"}
    body = {"version": "1.1.0", "units": ["east"]} | days
    log.say("rulebook.piloted", STREAM, body, PAIR, "2026-02-20")


def test_cheat_15_a_pilot_that_is_prolonged_is_listed(log: Watched) -> None:
    pilot_in_east(log)
    assert log.found(15) == []
    body = {"version": "1.1.0", "until": "2026-06-30", "reason": COMMITMENT}
    longer = log.say("rulebook.extended", STREAM, body, (ABOVE,), "2026-05-20")
    assert [each.index for each in log.found(15)] == [log.index(longer)]


@pytest.mark.parametrize(
    ("day", "listed"), [("2026-01-25", False), ("2026-02-05", True), ("2026-04-01", True)]
)
def test_cheat_15_a_transfer_into_a_pilot_is_listed(log: Watched, day: str, listed: bool) -> None:
    log.say("member.transferred", "member/m-7", {"unit": "east", "date": day}, ("reg-1",), day)
    pilot_in_east(log)
    found = log.found(15)
    assert [each.people for each in found] == ([("m-7", "reg-1")] if listed else [])


def scored(log: Watched, members: int, new: int) -> None:
    """Publish 2.0.0 with the item N-1; let it score `members`, of whom `new` by N-1."""
    for number in range(9, 13):
        log.envelope(log.organisation.enrolment(f"m-{number}", "east"), "2026-01-06")
    items = [*ITEMS, item("N-1")]
    log.publish("2.0.0", "2026-02-01", "2026-01-20", items=items)
    names = ["m-2", "m-3", "m-4", "m-5", "m-6", "m-9", "m-10", "m-11", "m-12", "m-1"]
    for number, member in enumerate(names[:members]):
        more: dict[str, Any] = {"item": "N-1"} if number < new else {}
        log.direct("rec-1", "east-com-1", member=member, version="2.0.0", act_date="2026-02-10",
                   day="2026-02-12", **more)  # fmt: skip
    log.direct("rec-1", "east-com-1", version="2.0.0", act_date="2026-06-01", day="2026-06-01")


def test_cheat_16_an_item_that_moves_two_people_is_listed(log: Watched) -> None:
    scored(log, 10, 2)
    (found,) = log.found(16)
    assert found.people == ("east-com-1", "east-sec", "m-2", "m-3")
    assert "N-1" in found.reason


def test_cheat_16_an_item_for_many_and_a_version_for_few_are_not(log: Watched) -> None:
    scored(log, 10, 3)
    assert log.found(16) == []
    few = Watched()
    scored(few, 9, 2)
    assert few.found(16) == []


def test_cheat_16_an_item_that_moves_mostly_the_drafters_relations_is_listed(log: Watched) -> None:
    body = {"year": 2026, "related": ["m-2", "m-5"]}
    log.say("relation.declared", "actor/east-com-1", body, ("east-com-1",))
    scored(log, 10, 4)
    # Of m-2 to m-5, two are relations of the committee member and m-4 is the secretary.
    (found,) = log.found(16)
    assert "moved 4 members, of whom 3 are relations of those who signed it" in found.reason


def test_cheat_17_exemptions_and_types_in_the_last_days_of_the_year_are_listed(
    log: Watched,
) -> None:
    for member, day in (("m-2", "2026-12-01"), ("m-5", "2026-12-02")):
        body = {"from": day, "cause": "illness"}
        log.say("member.exempted", f"member/{member}", body, BOTH, "2026-11-20")
    typed = {"member_type": "cadre", "date": "2026-12-31"}
    log.say("member.typed", "member/m-6", typed, BOTH, "2026-12-20")
    found = log.found(17)
    assert [each.people for each in found] == [
        ("east-com-1", "m-5", "reg-1"), ("east-com-1", "m-6", "reg-1")
    ]  # fmt: skip


@pytest.mark.parametrize("total", [6, 7])
def test_cheat_17_a_ghost_shows_against_the_total_that_the_unit_above_signed(
    log: Watched, total: int
) -> None:
    span = {"start": "2026-01-01", "end": "2026-03-31"}
    body = {"unit": "east", "rulebook": "rules", "kind": "quarter"} | span
    log.say("period.opened", "period/q1", body, PAIR[:1])
    told = {"unit": "east", "total": total}
    signed = log.say("roster.confirmed", "period/q1", told, (ABOVE,), "2026-04-02")
    # Members who come into the unit later are none of its last day.
    log.say("member.transferred", "member/m-7", {"unit": "east"}, ("reg-1",), "2026-04-03")
    found = [(each.index, each.people) for each in log.found(17)]
    assert found == ([] if total == 6 else [(log.index(signed), (ABOVE,))])


def test_cheat_17_a_year_sealed_without_a_total_from_above_is_listed(log: Watched) -> None:
    span = {"start": "2026-01-01", "end": "2026-12-31"}
    body = {"unit": "east", "rulebook": "rules", "kind": "year"} | span
    log.say("period.opened", "period/y", body, PAIR[:1])
    log.say("period.cut_off", "period/y", {}, PAIR[:1], "2027-01-20")
    log.say("period.published", "period/y", {"as_of": len(log.ids)}, PAIR, "2027-01-20")
    log.say("period.closed", "period/y", {}, PAIR[:1], "2027-02-01")
    assert log.found(17) == []
    log.say("period.sealed", "period/y", {"as_of": len(log.ids)}, PAIR, "2027-02-02")
    (found,) = log.found(17)
    assert "nobody above signed its roster total" in found.reason
    log.say("roster.confirmed", "period/y", {"unit": "east", "total": 6}, (ABOVE,), "2027-02-03")
    assert log.found(17) == []


def test_cheat_18_a_year_of_the_calendar_that_is_replaced_shows_the_days(log: Watched) -> None:
    body = {"year": 2026, "holidays": ["2026-02-17"], "workdays": []}
    log.say("calendar.published", "unit/root", body, ("reg-1", "reg-2"), "2026-01-07")
    log.say("calendar.published", "unit/root", body | {"year": 2027, "holidays": []},
            ("reg-1", "reg-2"), "2026-01-07")  # fmt: skip
    assert log.found(18) == []
    edited = body | {"holidays": ["2026-02-17", "2026-02-18"], "workdays": ["2026-01-10"]}
    log.say("calendar.published", "unit/root", edited, ("reg-1", "reg-2"), "2026-02-01")
    (found,) = log.found(18)
    assert "2 days differ, 1 of them past (2026-01-10, 2026-02-18)" in found.reason
