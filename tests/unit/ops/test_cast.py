"""The demo's people: enough of them, in offices that the rules allow, the same each time."""

from __future__ import annotations

import re
from collections import Counter

from ops.demo import cast

YEAR = 2024


def test_the_cast_is_the_same_at_every_draw() -> None:
    first = cast.build()
    cast.build.cache_clear()
    assert cast.build() == first


def test_units_open_after_their_parents() -> None:
    opened: set[str] = set()
    for unit in cast.build().units:
        assert (unit.parent is None) == (unit.id == cast.ROOT)
        assert unit.parent is None or unit.parent in opened
        assert unit.id not in opened
        opened.add(unit.id)
    assert all(2 <= len(branch.groups) <= 3 for branch in cast.BRANCHES)


def test_about_120_members_by_pseudonym() -> None:
    members = cast.build().members
    assert 110 <= len(members) <= 130
    assert len({each.id for each in members}) == len(members)
    assert all(re.fullmatch(r"m-\d{4}", each.id) for each in members)
    counted = Counter((each.branch, each.member_type) for each in members)
    for branch in cast.BRANCHES:
        assert {kind: counted[branch.unit.id, kind] for kind, _ in branch.types} == dict(
            branch.types
        )


def test_every_branch_has_its_offices_and_the_root_its_registrars() -> None:
    people = cast.build()
    assert len(people.actors_with("registrar", cast.ROOT)) >= max(2, cast.FOUNDING_THRESHOLD)
    for branch in cast.BRANCHES:
        held = {
            role: len(people.actors_with(role, branch.unit.id))
            for role in ("recorder", "committee", "secretary", "auditor")
        }
        assert held["recorder"] == branch.recorder_count
        assert (held["committee"], held["secretary"], held["auditor"]) == (3, 1, 1)


def test_an_actor_is_at_most_one_member_and_an_auditor_is_none_of_the_branch() -> None:
    people = cast.build()
    linked = [each.actor for each in people.members if each.actor]
    assert len(set(linked)) == len(linked)
    assert set(linked) <= {each.id for each in people.actors}
    auditors = {a for b in cast.BRANCHES for a in people.actors_with("auditor", b.unit.id)}
    assert not auditors & set(linked)
    officers = {
        actor
        for branch in cast.BRANCHES
        for role in ("recorder", "committee", "secretary")
        for actor in people.actors_with(role, branch.unit.id)
    }
    assert officers == set(linked)


def test_one_moves_one_is_suspended_and_reinstated_one_leaves() -> None:
    changes = cast.changes(YEAR)
    assert Counter(each.kind for each in changes) == Counter(
        ["member.suspended", "member.reinstated", "member.transferred", "member.left"]
    )
    assert [each.when for each in changes] == sorted(each.when for each in changes)
    assert all(each.when.year == YEAR for each in changes)
    moved = next(each for each in changes if each.unit)
    assert moved.unit is not None
    assert cast.branch_of(moved.unit).unit.id != cast.build().member(moved.member).branch
    for each in changes:
        assert cast.build().member(each.member).actor is None
