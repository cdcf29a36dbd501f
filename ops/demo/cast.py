"""The people and units of the demo: plain data, drawn with a fixed seed.

A county organisation with three branches, their groups and about 120 members. Members appear by
pseudonym only (`m-0001`); some are actors too, who record, review or keep the rulebook. Nobody in
it is a real person, and nothing here touches the ledger.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from random import Random
from zoneinfo import ZoneInfo

TIME_ZONE = "Asia/Shanghai"
ROOT = "root"
SEED = 20_210_701
FOUNDING_THRESHOLD = 2

ZONE = ZoneInfo(TIME_ZONE)


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit; `parent` is None for the root only."""

    id: str
    parent: str | None
    name_zh: str
    name_en: str


@dataclass(frozen=True, slots=True)
class Actor:
    """Someone with a key of their own; `roles` are pairs of role and unit."""

    id: str
    roles: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Member:
    """A member at the year's beginning; `unit` is a group, `actor` the same person's actor id.

    `zeal` (about 0.3 to 1.7, mean 1) says how often this member is where points are earned; it is
    the demo's own and is never recorded.
    """

    id: str
    branch: str
    unit: str
    member_type: str
    actor: str | None
    zeal: float


@dataclass(frozen=True, slots=True)
class Change:
    """What happens to a member during the year; `kind` is the statement type that records it.

    `unit` and `member_type` are given for `member.transferred` only.
    """

    when: datetime
    kind: str
    member: str
    unit: str | None = None
    member_type: str | None = None


@dataclass(frozen=True, slots=True)
class Branch:
    """A branch: its own unit, its groups, and the id of its rulebook, which names its actors too.

    `types` says how many members there are of each member type.
    """

    unit: Unit
    groups: tuple[Unit, ...]
    rulebook: str
    types: tuple[tuple[str, int], ...]
    recorder_count: int


BRANCHES = (
    Branch(
        Unit("qingshan-village", ROOT, "青山村党支部", "Qingshan Village Branch"),
        (
            Unit("qingshan-east", "qingshan-village", "村东党小组", "East Group"),
            Unit("qingshan-west", "qingshan-village", "村西党小组", "West Group"),
            Unit("qingshan-away", "qingshan-village", "流动党员党小组", "Group of Members Away"),
        ),
        rulebook="rural",
        types=(("cadre", 7), ("ordinary", 25), ("floating", 6), ("probationary", 2), ("exempt", 2)),
        recorder_count=3,
    ),
    Branch(
        Unit("county-office", ROOT, "县直机关党支部", "County Office Branch"),
        (
            Unit("office-first", "county-office", "机关第一党小组", "First Office Group"),
            Unit("office-second", "county-office", "机关第二党小组", "Second Office Group"),
        ),
        rulebook="office",
        types=(
            ("leader", 4),
            ("backbone", 9),
            ("ordinary", 20),
            ("probationary", 2),
            ("exempt", 2),
        ),
        recorder_count=2,
    ),
    Branch(
        Unit("riverside-community", ROOT, "滨河社区党支部", "Riverside Community Branch"),
        (
            Unit(
                "riverside-north", "riverside-community", "滨河北区党小组", "Riverside North Group"
            ),
            Unit(
                "riverside-south", "riverside-community", "滨河南区党小组", "Riverside South Group"
            ),
            Unit(
                "riverside-work", "riverside-community", "双报到党小组", "Registered Members Group"
            ),
        ),
        rulebook="community",
        types=(
            ("cadre", 7),
            ("ordinary", 19),
            ("elderly", 6),
            ("probationary", 2),
            ("in_service_reg", 6),
            ("exempt", 1),
        ),
        recorder_count=3,
    ),
)
REGISTRARS = ("a-reg-1", "a-reg-2", "a-reg-3")
# Of the unit above the branches: they sign late entries too, and decide appeals.
UPPER = ("a-up-1", "a-up-2")
DISCIPLINE = ("a-disc-1", "a-disc-2")

_ROOT_UNIT = Unit(ROOT, None, "示范县党员积分组织", "Sample County Organisation")
# Members of these types form a group of their own, the last one of their branch.
_APART = frozenset({"floating", "in_service_reg"})
# Offices that members hold are held by members of these types.
_ABLE = frozenset({"cadre", "backbone"})


@dataclass(frozen=True, slots=True)
class Cast:
    """Everyone and everything at the year's beginning, units in the order of opening."""

    units: tuple[Unit, ...]
    actors: tuple[Actor, ...]
    members: tuple[Member, ...]

    def actors_with(self, role: str, unit: str) -> tuple[str, ...]:
        """Return the ids of the actors who hold `role` over exactly `unit`."""
        return tuple(each.id for each in self.actors if (role, unit) in each.roles)

    def member(self, ident: str) -> Member:
        """Return the member of that id, else raise KeyError."""
        for each in self.members:
            if each.id == ident:
                return each
        raise KeyError(ident)


@cache
def build() -> Cast:
    """Return the cast, the same at every call."""
    random = Random(SEED)
    units = [_ROOT_UNIT]
    actors = [Actor(each, (("registrar", ROOT),)) for each in REGISTRARS]
    actors += [Actor(each, (("upper", ROOT),)) for each in UPPER]
    actors += [Actor(each, (("discipline", ROOT),)) for each in DISCIPLINE]
    members: list[Member] = []
    for branch in BRANCHES:
        units += [branch.unit, *branch.groups]
        staff = _staff(branch)
        actors += staff
        members += _members(branch, staff, len(members), random)
    return Cast(tuple(units), tuple(actors), tuple(members))


def branch_of(unit: str) -> Branch:
    """Return the branch that `unit` is or lies in, else raise KeyError."""
    for branch in BRANCHES:
        if unit == branch.unit.id or any(unit == group.id for group in branch.groups):
            return branch
    raise KeyError(unit)


def changes(year: int) -> tuple[Change, ...]:
    """Return what happens to members in `year`, in order of time.

    One member moves from the community to the village, one is suspended and reinstated, one leaves.
    """
    people = build().members

    def pick(branch: Branch, nth: int) -> str:
        plain = [
            each.id
            for each in people
            if each.branch == branch.unit.id and each.member_type == "ordinary" and not each.actor
        ]
        return plain[nth]

    rural, office, community = BRANCHES
    suspended = pick(office, 5)

    def at(month: int, day: int, hour: int, minute: int) -> datetime:
        return datetime(year, month, day, hour, minute, tzinfo=ZONE).astimezone(UTC)

    return (
        Change(at(3, 18, 10, 20), "member.suspended", suspended),
        Change(
            at(5, 14, 9, 40),
            "member.transferred",
            pick(community, 7),
            unit=rural.groups[0].id,
            member_type="ordinary",
        ),
        Change(at(6, 24, 15, 5), "member.reinstated", suspended),
        Change(at(9, 9, 11, 15), "member.left", pick(rural, 11)),
    )


def _staff(branch: Branch) -> list[Actor]:
    unit, short = branch.unit.id, branch.rulebook
    return [
        Actor(f"a-sec-{short}", (("secretary", unit),)),
        *(Actor(f"a-com-{short}-{n}", (("committee", unit),)) for n in range(1, 4)),
        *(
            Actor(f"a-rec-{short}-{n}", (("recorder", unit),))
            for n in range(1, branch.recorder_count + 1)
        ),
        Actor(f"a-aud-{short}", (("auditor", unit),)),
    ]


def _members(branch: Branch, staff: list[Actor], before: int, random: Random) -> list[Member]:
    """Draw a branch's members; `before` members of other branches have the lower ids."""
    types = [each for each, count in branch.types for _ in range(count)]
    random.shuffle(types)
    # The auditor comes from outside the branch and is none of its members.
    offices = [each.id for each in staff if not each.id.startswith("a-aud-")]
    members = []
    for number, member_type in enumerate(types, before + 1):
        unit = random.choice(_groups(branch, member_type))
        actor = offices.pop(0) if member_type in _ABLE and offices else None
        zeal = round(min(1.7, max(0.3, random.gauss(1, 0.35))), 2)
        members.append(Member(f"m-{number:04}", branch.unit.id, unit.id, member_type, actor, zeal))
    return members


def _groups(branch: Branch, member_type: str) -> tuple[Unit, ...]:
    """Return the groups that a member of that type may be in."""
    if all(each not in _APART for each, _ in branch.types):
        return branch.groups
    return branch.groups[-1:] if member_type in _APART else branch.groups[:-1]
