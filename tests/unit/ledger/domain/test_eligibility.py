"""Who may take a step: recusal, small branches, vacancies, scorers, the age of roles."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.organisation import COMMITMENT
from tests.support.passage import REVIEWERS, SLIP, Passage, act, why

LATER = "2026-01-13"


@pytest.fixture
def passage() -> Passage:
    return Passage()


def checking(ident: str, **more: Any) -> dict[str, Any]:
    return {"entry": ident, "review": "normal", "reviewers": 2} | more


def reviewing(ident: str, **more: Any) -> dict[str, Any]:
    return {"entry": ident, "place": "committee", "opened": [COMMITMENT]} | more


def declare(passage: Passage, actor: str, *related: str, day: str = "2026-01-06") -> str:
    body = {"year": int(day[:4]), "related": list(related)}
    return passage.say("relation.declared", f"actor/{actor}", body, (actor,), day)


def lend(passage: Passage, name: str, role: str, until: str, day: str, by: str = "reg-1") -> None:
    if passage.world.actors.get(name) is None:
        passage.envelope(passage.organisation.key(name), day)
    body = {"role": role, "unit": "east", "until": until}
    passage.say("role.granted", f"actor/{name}", body, (by,), day)


def revoke(passage: Passage, name: str, role: str, unit: str, day: str) -> None:
    passage.say("role.revoked", f"actor/{name}", {"role": role, "unit": unit}, ("reg-1",), day)


# -- the member, and relations (B6) --------------------------------------------------------------


def test_nobody_takes_a_step_in_an_entry_of_the_own(passage: Passage) -> None:
    ident = passage.claim("rec-1", member="m-5", evidence=SLIP)
    passage.check(ident, member="m-5")
    passage.say("member.linked", "member/m-5", {"actor": "east-com-1"}, day="2026-01-12")
    passage.no("no-self-review", "reviewed", reviewing(ident), "east-com-1", member="m-5")


@pytest.mark.parametrize(
    ("actor", "related"),
    [("east-com-1", "m-2"), ("east-com-1", "mem-2"), ("mem-2", "east-com-1")],
)
def test_b6_a_declared_relation_recuses_from_either_side(
    passage: Passage, actor: str, related: str
) -> None:
    declare(passage, actor, related)
    ident = passage.claim()
    passage.check(ident)
    passage.no("recused", "reviewed", reviewing(ident), "east-com-1")
    passage.no("recused", "rejected", why(ident), "east-com-1", "east-com-2")
    passage.review(ident, "east-com-2", "east-com-3")


def test_b6_a_relation_to_a_member_recuses_a_member_who_scores(passage: Passage) -> None:
    declare(passage, "mem-2", "m-3")  # m-3 is east-com-3
    ident = passage.claim()
    passage.check(ident)
    passage.no("recused", "reviewed", reviewing(ident), "east-com-3")


def test_b6_everybody_declares_for_himself_and_for_this_year(passage: Passage) -> None:
    stream = "actor/east-com-1"
    body = {"year": 2026, "related": ["m-2"]}
    passage.refused("own-declaration", "relation.declared", stream, body, ("reg-1",))
    passage.refused("own-declaration", "relation.declared", stream, body, ("east-com-1", "reg-1"))
    for wrong in (2025, 2027):
        passage.refused(
            "relation-year", "relation.declared", stream, body | {"year": wrong}, ("east-com-1",)
        )
    own = {"year": 2026, "related": ["east-com-1"]}
    passage.refused("relation-self", "relation.declared", stream, own, ("east-com-1",))
    declare(passage, "east-com-1")


def test_b6_a_second_declaration_of_the_year_does_not_take_the_first_back(
    passage: Passage,
) -> None:
    declare(passage, "east-com-1", "m-2")
    declare(passage, "east-com-1", day="2026-01-07")
    ident = passage.claim()
    passage.check(ident)
    passage.no("recused", "reviewed", reviewing(ident), "east-com-1")


def test_b6_a_relation_found_later_voids_a_review_that_another_repeats(passage: Passage) -> None:
    ident = passage.reviewed()
    declare(passage, "east-com-1", "m-2", day="2026-01-12")
    closes = {"entry": ident, "closes": "2026-01-19"}
    assert "east-com-1" in passage.no("part-void", "published", closes, "east-sec")
    passage.review(ident, "east-com-3")
    passage.on("published", closes, "east-sec")


def test_b6_a_relation_found_later_voids_the_group_check(passage: Passage) -> None:
    passage.give("lead-2", "group_leader", "east", "2026-01-06")
    ident = passage.reviewed()
    declare(passage, "lead-1", "m-2", day="2026-01-12")
    closes = {"entry": ident, "closes": "2026-01-19"}
    passage.no("part-void", "published", closes, "east-sec")
    passage.no("recused", "checked", checking(ident), "lead-1")
    passage.check(ident, "lead-2")
    assert passage.state(ident) == "reviewed", "the reviewers saw the same act"
    passage.on("published", closes, "east-sec")


# -- scorers who are members (B5) ----------------------------------------------------------------


def test_b5_a_scorer_proposes_nothing_for_himself(passage: Passage) -> None:
    passage.no("scorer-apart", "claimed", act(), "east-com-3", member="m-3")
    passage.no("scorer-apart", "claimed", act(evidence=SLIP), "rec-1", member="m-3")
    passage.no("scorer-apart", "claimed", act(evidence=SLIP), "lead-1", member="m-3")
    ident = passage.claim("east-sec", member="m-3")
    passage.no("one-step", "checked", checking(ident), "east-sec", member="m-3")
    passage.no("scorer-apart", "checked", checking(ident), "lead-1", member="m-3")


def test_b5_another_groups_head_stands_in(passage: Passage) -> None:
    for group in ("g-1", "g-2"):
        body = {"name_zh": group, "name_en": group, "start": "2026-01-06", "parent": "east"}
        passage.say("unit.opened", f"unit/{group}", body, day="2026-01-06")
        passage.give(f"head-{group}", "group_leader", group, "2026-01-06")
    moved = {"unit": "g-1"}
    passage.say("member.transferred", "member/m-3", moved, day="2026-01-06")
    where: dict[str, Any] = {"member": "m-3"}
    passage.no("scorer-apart", "claimed", act(), "head-g-1", **where)
    ident = passage.claim("east-sec", **where)
    passage.no("scorer-apart", "checked", checking(ident), "head-g-1", **where)
    passage.check(ident, "head-g-2", **where)
    passage.review(ident, **where)


def test_b5_the_secretarys_entries_are_proposed_and_checked_by_the_unit_above(
    passage: Passage,
) -> None:
    passage.no("scorer-apart", "claimed", act(), "east-sec", member="m-4")
    passage.no("needs-upper", "claimed", act(), "lead-1", member="m-4")
    ident = passage.claim("up-1", member="m-4")
    passage.no("needs-upper", "checked", checking(ident), "lead-1", member="m-4")
    passage.check(ident, "up-2", member="m-4")
    passage.review(ident, member="m-4")


# -- roles, their age, and roles that are lent ----------------------------------------------------


def test_cheat_14_a_role_counts_only_if_it_is_older_than_the_step(passage: Passage) -> None:
    ident = passage.claim()
    passage.check(ident)
    passage.give("flash", "committee", "east", LATER)
    passage.no("role-older", "reviewed", reviewing(ident), "flash", day=LATER)
    other = passage.claim(day="2026-01-14")
    passage.check(other, day="2026-01-14")
    passage.review(other, "flash", "east-com-1", day="2026-01-14")


def test_b22_who_may_decide_an_objection_is_fixed_when_it_is_accepted(passage: Passage) -> None:
    ident = passage.published()
    passage.on("objected", {"entry": ident, "filer": COMMITMENT}, "in-1", day=LATER)
    passage.on("acknowledged", {"entry": ident}, "in-1", day="2026-01-14")
    for name in ("late-1", "late-2"):
        passage.give(name, "committee", "east", "2026-01-15")
    body = why(ident, outcome="corrected")
    passage.no("role-older", "reconsidered", body, "late-1", "late-2", day="2026-01-15")


def test_cheat_14_a_role_granted_again_keeps_its_age(passage: Passage) -> None:
    ident = passage.claim()
    passage.check(ident)
    passage.envelope(passage.organisation.role("east-com-1", "committee", "east"), LATER)
    passage.review(ident, day=LATER)


def test_a_role_that_ended_counts_no_longer(passage: Passage) -> None:
    lend(passage, "guest", "committee", "2026-01-12", "2026-01-06")
    ident = passage.claim()
    passage.check(ident)
    passage.no("needs-committee", "reviewed", reviewing(ident), "guest", day=LATER)
    passage.review(ident, "guest", "east-com-1", day="2026-01-12")


def test_b4_a_role_lent_for_a_vacancy_counts_in_open_steps_for_90_days(passage: Passage) -> None:
    ident = passage.claim()
    passage.check(ident)
    lend(passage, "too-long", "committee", "2026-04-14", LATER)
    passage.no("role-older", "reviewed", reviewing(ident), "too-long", day=LATER)
    lend(passage, "lent", "committee", "2026-04-13", LATER)
    passage.review(ident, "lent", "east-com-1", day=LATER)


def test_b4_only_the_unit_above_lends_a_role(passage: Passage) -> None:
    by_two = passage.organisation.role("east-com-2", "registrar", "east")
    passage.envelope(by_two, "2026-01-06")
    ident = passage.claim()
    passage.check(ident)
    lend(passage, "friend", "committee", "2026-03-31", LATER, by="east-com-2")
    passage.no("role-older", "reviewed", reviewing(ident), "friend", day=LATER)


def test_cheat_14_who_lends_a_role_has_no_part_in_the_entry(passage: Passage) -> None:
    grantor = passage.organisation.statement(
        "role.granted",
        "actor/lead-1",
        "reg-1",
        {"role": "registrar", "unit": "root"},
        also=("reg-2",),
    )
    passage.envelope(grantor, "2026-01-06")
    ident = passage.claim()
    passage.check(ident)  # lead-1 did the group check
    lend(passage, "lent", "committee", "2026-03-31", LATER, by="lead-1")
    passage.no("grantor-apart", "reviewed", reviewing(ident), "lent", day=LATER)


def test_cheat_14_who_lent_a_role_takes_no_later_part_either(passage: Passage) -> None:
    ident = passage.claim()
    passage.check(ident)
    lend(passage, "lent", "committee", "2026-03-31", LATER)
    passage.review(ident, "lent", "east-com-1", day=LATER)
    passage.envelope(passage.organisation.role("reg-1", "secretary", "east"), "2026-01-06")
    body = {"entry": ident, "closes": "2026-01-20"}
    passage.no("grantor-apart", "published", body, "reg-1", day=LATER)


# -- small branches (B3), and the unit above (B2, B19) --------------------------------------------


def test_b3_a_small_branch_fills_places_from_above_with_the_reason(passage: Passage) -> None:
    revoke(passage, "east-com-3", "committee", "east", "2026-01-06")
    ident = passage.claim("rec-1", member="m-5", evidence=SLIP)
    passage.check(ident, member="m-5")
    filled = reviewing(ident, filled=COMMITMENT)
    passage.no("needs-committee", "reviewed", filled, "up-1", member="m-5")
    passage.say("member.linked", "member/m-5", {"actor": "east-com-1"}, day="2026-01-12")
    passage.no("needs-committee", "reviewed", reviewing(ident), "up-1", member="m-5")
    passage.review(ident, "east-com-2", "up-1", member="m-5", filled=COMMITMENT)
    assert passage.state(ident, "m-5") == "reviewed"


def test_b3_never_below_two(passage: Passage) -> None:
    for name in ("east-com-2", "east-com-3"):
        revoke(passage, name, "committee", "east", "2026-01-06")
    ident = passage.claim()
    body = why(ident, filled=COMMITMENT)
    passage.no("four-eyes", "rejected", body, "east-com-1")
    passage.no("four-eyes", "rejected", body, "up-1")
    passage.on("rejected", body, "east-com-1", "up-1")


def test_b3_a_committee_above_does_not_sit_in_the_branches_place(passage: Passage) -> None:
    passage.give("root-com", "committee", "root", "2026-01-06")
    ident = passage.claim()
    passage.check(ident)
    passage.no("needs-committee", "reviewed", reviewing(ident, filled=COMMITMENT), "root-com")


def test_b3_places_are_filled_from_the_nearest_unit_above(passage: Passage) -> None:
    body = {"name_zh": "g", "name_en": "g", "start": "2026-01-06", "parent": "east"}
    passage.say("unit.opened", "unit/g-1", body, day="2026-01-06")
    passage.say("member.transferred", "member/m-5", {"unit": "g-1"}, day="2026-01-06")
    passage.give("g-com", "committee", "g-1", "2026-01-06")
    ident = passage.claim("rec-1", member="m-5", evidence=SLIP)
    passage.check(ident, member="m-5")
    filled = reviewing(ident, filled=COMMITMENT)
    passage.no("nearest-committee", "reviewed", filled, "up-1", member="m-5")
    passage.review(ident, "g-com", "east-com-1", member="m-5", filled=COMMITMENT)
    assert passage.state(ident, "m-5") == "reviewed"


def test_b3_b4_b19_a_sister_unit_lends_a_reviewer_by_grant_of_the_unit_above(
    passage: Passage,
) -> None:
    revoke(passage, "east-com-2", "committee", "east", "2026-01-06")
    revoke(passage, "east-com-3", "committee", "east", "2026-01-06")
    ident = passage.claim()
    passage.check(ident)
    passage.no("needs-committee", "reviewed", reviewing(ident), "west-com-1")
    lent = {"role": "committee", "unit": "east", "until": "2026-04-12"}
    passage.say("role.granted", "actor/west-com-1", lent, day="2026-01-12")
    passage.review(ident, "east-com-1", "west-com-1")
    assert passage.state(ident) == "reviewed"


def test_b3_without_a_group_leader_the_secretary_checks_with_the_reason(passage: Passage) -> None:
    ident = passage.claim()
    passage.no("needs-group_leader", "checked", checking(ident, filled=COMMITMENT), "east-sec")
    revoke(passage, "lead-1", "group_leader", "east", "2026-01-12")
    passage.no("needs-group_leader", "checked", checking(ident), "east-sec")
    passage.check(ident, "east-sec", filled=COMMITMENT)


def test_a_group_has_its_branchs_committee(passage: Passage) -> None:
    body = {"name_zh": "g", "name_en": "g", "start": "2026-01-06", "parent": "east"}
    passage.say("unit.opened", "unit/g-1", body, day="2026-01-06")
    passage.say("member.transferred", "member/m-2", {"unit": "g-1"}, day="2026-01-06")
    ident = passage.claim()
    passage.check(ident, review="normal")
    passage.review(ident, *REVIEWERS)


def test_a33_the_unit_above_is_not_the_branch_itself(passage: Passage) -> None:
    passage.give("half-up", "upper", "east", "2026-01-06")
    ident = passage.claim(day="2026-02-12", late_reason=COMMITMENT)
    passage.check(ident, review="dual", day="2026-02-12")
    body = reviewing(ident) | {"place": "upper"}
    passage.no("needs-upper", "reviewed", body, "half-up", day="2026-02-12")
    passage.review(ident, "up-1", place="upper", day="2026-02-12")


def test_b21_the_service_actor_signs_nothing_but_lapses(passage: Passage) -> None:
    passage.give("clerk", "group_leader", "east", "2026-01-06")
    ident = passage.claim()
    passage.no("service-only", "checked", checking(ident), "clerk")
    revoke(passage, "clerk", "service", "root", "2026-01-12")
    passage.no("service-only", "checked", checking(ident), "clerk")
