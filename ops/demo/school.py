"""The school branch of the demo: a small one whose entries walk the full path, from claim to filed.

Its people stand beside those of `cast`; each member but one has a key of their own. The secretary
and the recorder are sent from above and are no members, so that they can sign for everyone.
"""

from __future__ import annotations

from functools import cache

from ops.demo import cast
from ops.demo.cast import ROOT, Actor, Cast, Member, Unit

UNIT = "school"
RULEBOOK = "school"
TEACHING, OFFICE = "school-teaching", "school-office"
SERVICE = "a-service"
"""The ledger's own actor, which signs what lapses (B21); its key lies in the data folder."""

SECRETARY, RECORDER, INTAKE = "a-sec-school", "a-rec-school", "a-int-school"
COMMITTEE = tuple(f"a-com-school-{n}" for n in range(1, 5))
LEADERS = {TEACHING: "a-lead-school-1", OFFICE: "a-lead-school-2"}
NUMBERS = range(121, 134)
WITHOUT_KEY = "m-0133"

UNITS = (
    Unit(UNIT, ROOT, "县中学党支部", "County School Branch"),
    Unit(TEACHING, UNIT, "教学党小组", "Teaching Group"),
    Unit(OFFICE, UNIT, "行政后勤党小组", "Office and Service Group"),
)


@cache
def members() -> tuple[Member, ...]:
    """Return the branch's members: four of the committee, two group leaders, and seven others."""
    officers = [*COMMITTEE, *LEADERS.values()]
    found = []
    for place, number in enumerate(NUMBERS):
        ident = f"m-{number:04}"
        group = OFFICE if place % 3 == 2 else TEACHING
        own = officers[place] if place < len(officers) else f"a-{ident}"
        actor = None if ident == WITHOUT_KEY else own
        kind = "teacher" if group == TEACHING else "staff"
        found.append(Member(ident, UNIT, group, kind, actor, 1.0))
    return tuple(found)


def plain_members() -> tuple[Member, ...]:
    """Return the members who hold no office and have a key: they claim for themselves."""
    return tuple(each for each in members() if each.actor == f"a-{each.id}")


@cache
def everyone() -> Cast:
    """Return the whole organisation, this branch in it."""
    others = cast.build()
    return Cast((*others.units, *UNITS), (*others.actors, *actors()), (*others.members, *members()))


def actors() -> list[Actor]:
    """Return everybody of the branch who signs."""
    return [
        Actor(SECRETARY, (("secretary", UNIT),)),
        Actor(RECORDER, (("recorder", UNIT),)),
        Actor(INTAKE, (("intake", UNIT),)),
        *(Actor(each, (("committee", UNIT),)) for each in COMMITTEE),
        *(Actor(each, (("group_leader", group),)) for group, each in LEADERS.items()),
        *(Actor(each.actor, ()) for each in plain_members() if each.actor),
    ]
