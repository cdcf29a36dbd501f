from __future__ import annotations

import pytest

from ledger.signing import encode_base64
from tests.support.organisation import COMMITMENT, key_of
from tests.support.watched import Watched, declare


@pytest.fixture
def log() -> Watched:
    """Members m-2 to m-4 are mem-2, east-com-3, east-sec; m-5 is rec-1, m-6 lead-1."""
    log = Watched()
    log.say("member.linked", "member/m-5", {"actor": "rec-1"})
    log.say("member.linked", "member/m-6", {"actor": "lead-1"})
    return log


def give(log: Watched, giver: str, member: str, times: int = 3) -> list[int]:
    return [log.index(log.direct(giver, "up-1", member=member)) for _ in range(times)]


def test_cheat_6_two_who_award_to_each_other_are_a_ring(log: Watched) -> None:
    given = give(log, "rec-1", "m-6")
    assert log.found(6)[0].people != ("lead-1", "rec-1")
    given += give(log, "lead-1", "m-5")
    rings = [each for each in log.found(6) if "ring" in each.reason]
    assert [each.people for each in rings] == [("lead-1", "rec-1")]
    assert rings[0].entries == tuple(given)


def test_cheat_6_a_ring_may_have_four_members(log: Watched) -> None:
    for giver, member in (("rec-1", "m-6"), ("lead-1", "m-3"), ("east-com-3", "m-4")):
        give(log, giver, member)
    assert [each for each in log.found(6) if "ring" in each.reason] == []
    give(log, "east-sec", "m-5")
    rings = [each for each in log.found(6) if "ring" in each.reason]
    assert [each.people for each in rings] == [("east-com-3", "east-sec", "lead-1", "rec-1")]
    assert "a ring of 4" in rings[0].reason


def test_cheat_6_one_giver_among_many_is_no_ring(log: Watched) -> None:
    give(log, "rec-1", "m-6")
    give(log, "lead-1", "m-5")
    give(log, "up-2", "m-6", 4)
    assert [each for each in log.found(6) if "ring" in each.reason] == []


def test_cheat_6_two_credits_each_way_are_no_ring(log: Watched) -> None:
    give(log, "rec-1", "m-6", 2)
    give(log, "lead-1", "m-5", 2)
    assert [each for each in log.found(6) if "ring" in each.reason] == []


def test_cheat_6_a_relation_declared_after_the_steps_shows_them(log: Watched) -> None:
    given = give(log, "rec-1", "m-2", 2)
    body = {"year": 2026, "related": ["mem-2"]}
    late = log.say("relation.declared", "actor/rec-1", body, ("rec-1",), "2026-03-01")
    found = [each for each in log.found(6) if "is declared after" in each.reason]
    assert [(each.index, each.people) for each in found] == [(log.index(late), ("m-2", "rec-1"))]
    assert found[0].entries == (*given, log.index(late))


def test_cheat_6_the_members_own_declaration_shows_it_too(log: Watched) -> None:
    give(log, "rec-1", "m-2", 1)
    body = {"year": 2026, "related": ["rec-1"]}
    log.say("relation.declared", "actor/mem-2", body, ("mem-2",), "2026-03-01")
    found = [each for each in log.found(6) if "is declared after" in each.reason]
    assert [each.people for each in found] == [("m-2", "rec-1")]


def test_cheat_6_who_decides_and_declares_nothing_is_listed(log: Watched) -> None:
    give(log, "rec-1", "m-2", 1)
    assert [each.people for each in log.found(6)] == [("rec-1",), ("up-1",)]
    declare(log, "rec-1", "up-1")
    assert log.found(6) == []


def register(log: Watched, name: str, role: str, by: str) -> None:
    """Let another registrar make an actor with a role."""
    body = {"suite": "ed25519", "public_key": encode_base64(key_of(name).public_key)}
    log.say("key.registered", f"actor/{name}", body, (by, name))
    log.say("role.granted", f"actor/{name}", {"role": role, "unit": "east"}, ("reg-1",))


def test_cheat_13_a_second_id_made_by_the_one_it_decides_with_is_listed(log: Watched) -> None:
    register(log, "shadow", "committee", "reg-2")
    log.direct("rec-1", "shadow")
    assert log.found(13) == []
    ident = log.direct("reg-2", "shadow")
    (found,) = log.found(13)
    assert found.people == ("reg-2", "shadow")
    assert found.entries == (log.index(ident),)


def test_cheat_13_a_member_enrolled_by_who_then_proposes_for_it_is_listed(log: Watched) -> None:
    body = {"unit": "east", "member_type": "ordinary"}
    log.say("member.enrolled", "member/ghost", body, ("reg-2",), "2026-01-06")
    log.direct("reg-2", "east-com-1", member="ghost")
    assert [each.people for each in log.found(13)] == [("ghost", "reg-2")]


def test_cheat_13_ids_that_were_found_to_be_one_person_are_listed(log: Watched) -> None:
    body = {"unit": "east", "member_type": "ordinary"}
    log.say("member.enrolled", "member/again", body, ("reg-2",), "2026-01-06")
    log.say("member.merged", "member/again", {"into": "m-1", "reason": COMMITMENT},
            ("reg-1", "reg-2"), "2026-02-01")  # fmt: skip
    (found,) = log.found(13)
    assert found.people == ("again", "m-1", "reg-1", "reg-2")


def test_cheat_14_a_role_held_for_three_days_and_used_is_listed(log: Watched) -> None:
    role = {"role": "committee", "unit": "east"}
    log.say("role.granted", "actor/mem-2", role, ("reg-1",), "2026-02-01")
    log.say("role.revoked", "actor/mem-2", role, ("reg-1",), "2026-02-03")
    assert log.found(14) == []
    log.say("role.granted", "actor/mem-2", role, ("reg-1",), "2026-03-01")
    used = log.direct("rec-1", "mem-2", member="m-5", day="2026-03-02")
    log.say("role.revoked", "actor/mem-2", role, ("reg-1",), "2026-03-03")
    (found,) = log.found(14)
    assert found.people == ("mem-2", "reg-1")
    assert log.index(used) in found.entries
    assert "a flash role" in found.reason


def test_cheat_14_a_role_lent_for_a_vacancy_is_listed_where_it_was_used(log: Watched) -> None:
    role = {"role": "committee", "unit": "east", "until": "2026-04-15"}
    log.say("role.granted", "actor/mem-2", role, ("reg-1",), "2026-02-01")
    log.direct("rec-1", "mem-2", member="m-5", day="2026-04-16")
    assert log.found(14) == []
    log.direct("rec-1", "mem-2", member="m-5", day="2026-04-15")
    assert ["a role lent (B4)" in each.reason for each in log.found(14)] == [True]
