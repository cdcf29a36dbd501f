"""B16: a unit ends by merger or split; its members, steps and tables find their place."""

from __future__ import annotations

from typing import Any

import pytest

from ledger.domain.rights import holds
from tests.support.chronicle import START_DAY
from tests.support.organisation import COMMITMENT
from tests.support.passage import SLIP, Passage, act

DAY, NEXT = "2026-01-20", "2026-01-21"
BOTH = ("reg-1", "up-1")
EAST = ["m-1", "m-2", "m-3", "m-4", "m-5", "m-6"]


@pytest.fixture
def passage() -> Passage:
    passage = Passage()
    passage.publish(rulebook="western", unit="west")
    return passage


def closing(*into: tuple[str, list[str]], date: str = NEXT) -> dict[str, Any]:
    parts = [{"unit": unit, "members": members} for unit, members in into]
    return {"date": date, "into": parts, "reason": COMMITMENT}


def close(passage: Passage, *into: tuple[str, list[str]]) -> str:
    return passage.say("unit.closed", "unit/east", closing(*into), BOTH, DAY)


def open_unit(passage: Passage, name: str) -> None:
    body = {"name_zh": name, "name_en": name, "start": START_DAY, "parent": "root"}
    passage.say("unit.opened", f"unit/{name}", body, day=DAY)
    for number in (1, 2):
        passage.give(f"{name}-com-{number}", "committee", name, DAY)
    passage.give(f"{name}-sec", "secretary", name, DAY)


def test_b16_by_a_merger_all_members_are_in_the_other_unit_on_the_day(passage: Passage) -> None:
    close(passage, ("west", EAST))
    for name in EAST:
        history = passage.world.histories.get(name)
        assert history is not None
        days = [history.on(DAY), history.on(NEXT)]
        assert [each.unit for each in days if each] == ["east", "west"]


def test_b16_old_roles_end_the_day_before(passage: Passage) -> None:
    close(passage, ("west", EAST))
    assert holds(passage.world, "east-com-1", "committee", "east", DAY)
    assert not holds(passage.world, "east-com-1", "committee", "east", NEXT)
    assert holds(passage.world, "west-com-1", "committee", "west", NEXT)
    body = {"role": "committee", "unit": "east"}
    passage.refused("unit-closed", "role.granted", "actor/rec-1", body, day=NEXT)


def test_b16_open_steps_go_to_the_new_committee_and_the_price_stays(passage: Passage) -> None:
    ident = passage.claim()
    passage.check(ident)
    close(passage, ("west", EAST))
    body = {"entry": ident, "place": "committee", "opened": [COMMITMENT]}
    passage.no("needs-committee", "reviewed", body, "east-com-1", day=NEXT)
    passage.on("reviewed", body, "west-com-1", "west-com-2", day=NEXT)
    published = {"entry": ident, "closes": "2026-01-28"}
    passage.no("needs-secretary", "published", published, "east-sec", day=NEXT)
    passage.on("published", published, "west-sec", day=NEXT)
    assert passage.entry(ident).rulebook == "rules"


def test_b16_acts_before_the_day_are_claimed_at_the_old_price_later_ones_at_the_new(
    passage: Passage,
) -> None:
    close(passage, ("west", EAST))
    assert passage.on("claimed", act(act_date=DAY), "mem-2", day=NEXT)
    late = act(act_date=NEXT)
    passage.no("rulebook-scope", "claimed", late, "mem-2", day=NEXT)
    assert passage.on("claimed", late | {"rulebook": "western"}, "mem-2", day=NEXT)


def test_b16_by_a_split_each_entry_goes_where_its_member_went(passage: Passage) -> None:
    open_unit(passage, "north")
    one, two = passage.claim(), passage.claim("rec-1", member="m-5", evidence=SLIP)
    passage.check(one)
    passage.check(two, member="m-5")
    close(passage, ("north", EAST[:3]), ("west", EAST[3:]))
    body = {"place": "committee", "opened": [COMMITMENT]}
    north, west = ("north-com-1", "north-com-2"), ("west-com-1", "west-com-2")
    passage.no("needs-committee", "reviewed", body | {"entry": one}, *west, day=NEXT)
    passage.on("reviewed", body | {"entry": one}, *north, day=NEXT)
    passage.on("reviewed", body | {"entry": two}, *west, day=NEXT, member="m-5")
    assert passage.state(one) == passage.state(two, "m-5") == "reviewed"


def test_b16_old_tables_stay_under_the_old_unit_and_no_new_ones_begin_there(
    passage: Passage,
) -> None:
    quarter = {
        "unit": "east",
        "rulebook": "rules",
        "kind": "quarter",
        "start": "2026-01-01",
        "end": "2026-03-31",
    }
    passage.say("period.opened", "period/q1", quarter, ("east-sec",), DAY)
    close(passage, ("west", EAST))
    passage.give("root-sec", "secretary", "root", NEXT)
    passage.say("period.cut_off", "period/q1", {}, ("root-sec",), "2026-04-01")
    later = quarter | {"start": "2026-04-01", "end": "2026-06-30"}
    passage.refused("unit-closed", "period.opened", "period/q2", later, ("root-sec",), "2026-04-01")
    period = passage.world.periods.get("q1")
    assert period is not None
    assert period.unit == "east"


def test_b16_nobody_comes_into_a_closed_unit_any_more(passage: Passage) -> None:
    close(passage, ("west", EAST))
    enrolled = {"unit": "east", "member_type": "ordinary"}
    passage.refused("unit-closed", "member.enrolled", "member/m-9", enrolled, day=NEXT)
    moved = {"unit": "east"}
    passage.refused("unit-closed", "member.transferred", "member/m-7", moved, day=NEXT)
    group = {"name_zh": "g", "name_en": "g", "start": NEXT, "parent": "east"}
    passage.refused("unit-closed", "unit.opened", "unit/g", group, day=NEXT)
    again = closing(("west", []), date="2026-01-22")
    passage.refused("unit-known", "unit.closed", "unit/east", again, BOTH, NEXT)


@pytest.mark.parametrize(
    ("rule", "body", "signers"),
    [
        ("unit-members", closing(("west", EAST[1:])), BOTH),
        ("unit-members", closing(("west", [*EAST, "m-7"])), BOTH),
        ("unit-into", closing(("east", EAST)), BOTH),
        ("unit-known", closing(("nowhere", EAST)), BOTH),
        ("unit-date", closing(("west", EAST), date="2026-01-22"), BOTH),
        ("four-eyes", closing(("west", EAST)), ("reg-1",)),
        ("needs-upper", closing(("west", EAST)), ("reg-1", "east-sec")),
        ("needs-registrar", closing(("west", EAST)), ("up-1", "reg-1")),
    ],
)
def test_b16_a_registrar_and_the_unit_above_place_every_member_once(
    passage: Passage, rule: str, body: dict[str, Any], signers: tuple[str, ...]
) -> None:
    passage.refused(rule, "unit.closed", "unit/east", body, signers, DAY)


def test_b16_groups_are_moved_first(passage: Passage) -> None:
    group = {"name_zh": "g", "name_en": "g", "start": START_DAY, "parent": "east"}
    passage.say("unit.opened", "unit/g", group, day=DAY)
    body = closing(("west", EAST))
    passage.refused("unit-groups", "unit.closed", "unit/east", body, BOTH, DAY)
    passage.say("unit.moved", "unit/g", {"parent": "west"}, day=DAY)
    close(passage, ("west", EAST))
