"""Who may take a step of an entry's way: eyes, recusal, roles and their age (A33, B3–B6, B22).

A person fits a step if it is not the member (compared through the linked actor), not declared
related to the member (B6), has taken no other step of this entry (A33), and holds the step's role
over the member's unit by a grant older than the step's opening, so that who may decide is fixed
when the step opens (B22, cheat 14). A role lent by the unit above for a vacancy may be younger, but
then whoever lent it has no part in the entry.

The committee of a unit is the one at the nearest unit upwards that has any; "the unit above" is
above that. So a group has its branch's committee.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ledger.domain.account import (
    CHECK,
    CLAIM_STEP,
    NOTICE,
    RECONSIDERATION,
    REEXAMINATION,
    REVIEW,
    UPPER,
    PointsEntry,
)
from ledger.domain.actor import Role
from ledger.domain.days import days_between
from ledger.domain.policy import LENT_DAYS_MAX, PEOPLE_MIN
from ledger.domain.relations import related
from ledger.domain.rights import covers, holds, holds_at, path
from ledger.domain.world import World
from ledger.errors import Refused

SCORERS = ("recorder", "group_leader", "committee", "secretary")
"""Who has one of these roles over a unit proposes nothing for himself there (B5)."""

_WHAT = {
    CLAIM_STEP: "claimed",
    CHECK: "checked",
    REVIEW: "reviewed",
    UPPER: "reviewed for the unit above",
    NOTICE: "opened publicity for",
    RECONSIDERATION: "reconsidered",
    REEXAMINATION: "re-examined",
}


@dataclass(frozen=True, slots=True)
class Case:
    """An entry under way: the world before the step, the member, the unit whose people decide.

    That unit is the one of the act's date (A4), or what a closed one became (`deciding_unit`).

    `entry` is None for the statement that brings one in, and then nothing has opened yet. `reform`
    is the day on which an open step came to this unit, because the old one was closed (B16).
    """

    world: World
    member: str
    unit: str
    today: str
    entry: PointsEntry | None = None
    reform: str | None = None

    @property
    def own(self) -> str | None:
        """The member's linked actor; for a closed id that of the id that goes on (B14)."""
        known = self.world.members.get(self.member)
        while known is not None and known.merger is not None:
            known = self.world.members.get(known.merger.into)
        return known.actor if known is not None else None

    # -- the person --------------------------------------------------------------------------

    def unfit(self, actor: str, step: str) -> Refused | None:
        """Return why this person may take no such step here whatever their role, or None."""
        if actor == self.own:
            return Refused("no-self-review", f"{actor} is member {self.member}: another must sign")
        if related(self.world, actor, self.member):
            return Refused(
                "recused", f"{actor} is declared related to member {self.member}: another must sign"
            )
        if self.entry is None:
            return None
        for taken in self.entry.steps:
            for name in acting(self.world, taken.keyids):
                if name == actor and taken.name != step:
                    what = _WHAT.get(taken.name, "handled")
                    return Refused(
                        "one-step",
                        f"{actor} {what} this entry already: another must take this step",
                    )
                if self._lent_since(name, actor):
                    return Refused(
                        "grantor-apart",
                        f"{actor} lent {name} a role for this entry: another must sign",
                    )
        return None

    def _lent_since(self, actor: str, by: str) -> bool:
        """Tell whether `by` granted `actor` a role after this entry came in (cheat 14)."""
        known = self.world.actors.get(actor)
        assert self.entry is not None  # noqa: S101 - asked of entries under way only
        came_in = self.entry.steps[0].recorded_at
        return known is not None and any(
            held.by == by and held.since >= came_in for held in known.roles
        )

    # -- the role ----------------------------------------------------------------------------

    @property
    def seat(self) -> str:
        """The nearest unit upwards that has a committee of its own; the root where none has."""
        units = path(self.world, self.unit)
        for at in units:
            granted = self.world.holders.get(f"committee {at}") or ()
            if any(holds_at(self.world, name, "committee", (at,), self.today) for name in granted):
                return at
        return units[-1] if units else self.unit

    def grants(self, actor: str, role: str, units: Iterable[str]) -> list[Role]:
        """Return the grants in force of `role` over one of `units` itself."""
        known, among = self.world.actors.get(actor), set(units)
        return [
            held
            for held in (known.roles if known is not None else ())
            if held.role == role
            and held.unit in among
            and (held.until is None or self.today <= held.until)
        ]

    def lacks(self, actor: str, role: str, units: Iterable[str], what: str) -> Refused | None:
        """Return why `actor` cannot act as `role` at one of `units` in this step, or None."""
        grants = self.grants(actor, role, units)
        if not grants:
            return Refused(
                f"needs-{role}", f"{actor} is no {role} {what}: a person with that role must sign"
            )
        if self.entry is None or any(
            held.since < self.entry.opened_at or self._before_reform(held) for held in grants
        ):
            return None
        for held in grants:
            if self._lent(held):
                if held.by in self.people():
                    return Refused(
                        "grantor-apart",
                        f"{held.by} lent {actor} the role of {role} and has a part in this entry",
                    )
                return None
        return Refused(
            "role-older",
            f"{actor} became {role} after this step opened: the role counts for later steps only",
        )

    def _lent(self, held: Role) -> bool:
        """Tell whether the unit above lent the role for a vacancy, for at most 90 days (B4)."""
        since = self.world.today(held.since)
        if held.until is None or days_between(since, held.until) > LENT_DAYS_MAX:
            return False
        above = path(self.world, held.unit)[1:] or (held.unit,)
        return bool(self.grants(held.by, "registrar", above))

    def people(self) -> set[str]:
        """Return everybody who signed any step of the entry."""
        steps = self.entry.steps if self.entry is not None else ()
        return {name for step in steps for name in acting(self.world, step.keyids)}

    # -- steps -------------------------------------------------------------------------------

    def over(self, actor: str, role: str, step: str) -> Refused | None:
        """Return why `actor` cannot take the step as `role` over the member's unit, or None."""
        where = f"over unit {self.unit}"
        return self.unfit(actor, step) or self.lacks(
            actor, role, path(self.world, self.unit), where
        )

    @property
    def above(self) -> tuple[str, ...]:
        """The units above the committee's; at the top the root itself (B19)."""
        return path(self.world, self.seat)[1:] or (self.seat,)

    def _before_reform(self, held: Role) -> bool:
        """Tell whether a role was granted before the day on which the step came here (B16)."""
        return self.reform is not None and self.world.today(held.since) < self.reform

    def upper(self, actor: str, step: str) -> Refused | None:
        """Return why `actor` cannot take the step for the unit above, or None.

        That is a person of role `upper` there, or of a committee there; at the top, which has
        nothing above, also an uninvolved founder (B19).
        """
        wrong = self.unfit(actor, step)
        if wrong is not None:
            return wrong
        lacks = self.lacks(actor, "upper", self.above, f"above unit {self.seat}")
        if lacks is None:
            return None
        if self.above != (self.seat,):
            other = self.lacks(actor, "committee", self.above, f"above unit {self.seat}")
        else:
            other = self._no_founder(actor)
        return None if other is None else lacks

    def _no_founder(self, actor: str) -> Refused | None:
        organisation = self.world.organisation
        if organisation is None or actor not in organisation.founders:
            return Refused("needs-upper", f"{actor} is no founder")
        return self.lacks(actor, "registrar", self.above, "over root")

    def scorer(self) -> str | None:
        """Return the highest role by which the member scores others in the own unit (B5)."""
        own = self.own
        if own is None:
            return None
        held = [r for r in SCORERS if holds(self.world, own, r, self.unit, self.today)]
        return held[-1] if held else None

    def stands_in(self, actor: str, step: str) -> Refused | None:
        """Return why `actor` may not propose or check for a member who scores others (B5).

        That takes another group's head or the secretary; for the secretary the unit above.
        """
        if self.scorer() == "secretary":
            return self.upper(actor, step)
        wrong = self.unfit(actor, step)
        if wrong is not None or self.over(actor, "secretary", step) is None:
            return wrong
        others = [
            held.unit
            for held in self._all_grants(actor, "group_leader")
            if not covers(self.world, held.unit, self.unit)
            and covers(self.world, self.seat, held.unit)
        ]
        if not others:
            return Refused(
                "scorer-apart",
                f"member {self.member} scores others here: another group's head or the secretary "
                "must sign",
            )
        return self.lacks(actor, "group_leader", others, "elsewhere")

    def _all_grants(self, actor: str, role: str) -> list[Role]:
        known = self.world.actors.get(actor)
        return self.grants(actor, role, {r.unit for r in known.roles} if known else ())

    def checks(self, actor: str, *, filled: bool) -> Refused | None:
        """Return why `actor` may not do the group check, or None (B3, B5).

        Where no group leader can, the place is filled by the secretary, with the reason.
        """
        if self._passed_on() and self.upper(actor, CHECK) is None:
            return None
        if self.scorer() is not None:
            return self.stands_in(actor, CHECK)
        wrong = self.over(actor, "group_leader", CHECK)
        if wrong is None or not filled or self._leaders():
            return wrong
        return self.over(actor, "secretary", CHECK)

    def _leaders(self) -> list[str]:
        names = {
            name
            for at in path(self.world, self.unit)
            for name in self.world.holders.get(f"group_leader {at}") or ()
        }
        return [name for name in names if self.over(name, "group_leader", CHECK) is None]

    def sits(self, actor: str, step: str) -> Refused | None:
        """Return why `actor` may not decide as one of the unit's own committee, or None."""
        where = f"of unit {self.seat}"
        return self.unfit(actor, step) or self.lacks(actor, "committee", (self.seat,), where)

    def committee(self, step: str) -> list[str]:
        """Return the unit's own committee members who may take this step."""
        granted = self.world.holders.get(f"committee {self.seat}") or ()
        return [name for name in granted if self.sits(name, step) is None]

    def decides(self, actor: str, step: str, wanted: int, *, filled: bool) -> Refused | None:
        """Return why `actor` may not take a committee's place, or None.

        Where fewer than `wanted` of the committee may, places are filled from the unit above, with
        the reason in the statement (B3); a task that nobody took in two terms passes there (B2).
        """
        wrong = self.sits(actor, step)
        if wrong is None:
            return None
        if self._passed_on() and self.upper(actor, step) is None:
            return None
        if filled and len(self.committee(step)) < wanted:
            return self._fills(actor, step)
        return wrong

    def _fills(self, actor: str, step: str) -> Refused | None:
        """Return why `actor` may not fill a committee's place from above, or None (B3).

        The nearest unit upwards where anybody may does; a sister unit's people are lent by it (B4).
        """
        wrong = self.upper(actor, step)
        if wrong is not None or self.above == (self.seat,):
            return wrong
        for at in self.above:
            near = {
                name
                for role in ("upper", "committee")
                for name in self.world.holders.get(f"{role} {at}") or ()
                if self.unfit(name, step) is None and self.lacks(name, role, (at,), "") is None
            }
            if near:
                return None if actor in near else _not_nearest(actor, at)
        return None

    def need_quorum(self, signed: tuple[str, ...], step: str, *, filled: bool) -> None:
        """Raise Refused unless a meeting of the committee decided (B1).

        Distinct people count, never keys; half of those who may sit must sign, and at least two.
        Where fewer than two may sit, the places are filled from the unit above.
        """
        members = self.committee(step)
        for actor in signed:
            refuse(self.decides(actor, step, PEOPLE_MIN, filled=filled))
        own = [actor for actor in signed if actor in members]
        if len(signed) < PEOPLE_MIN:
            raise Refused("four-eyes", f"{signed[0]} alone signed: two people must decide")
        if len(own) == len(signed) and 2 * len(own) < len(members):
            raise Refused(
                "quorum",
                f"{len(own)} of the {len(members)} committee members of {self.seat} who may sit "
                "signed: at least half must",
            )

    def _passed_on(self) -> bool:
        return self.entry is not None and self.entry.lapses >= 2

    def voided(self, *steps: str) -> set[str]:
        """Return whose part in these steps a relation declared since has voided (B6)."""
        if self.entry is None:
            return set()
        signed = acting(self.world, self.entry.in_round(*steps))
        return {name for name in signed if related(self.world, name, self.member)}


def deciding_unit(world: World, member: str, unit: str, today: str) -> str:
    """Return the unit whose people decide about an act in `unit`: of a closed one, the new (B16).

    That is the unit in which the member is now; for one who left, the unit that all others went to.
    """
    old, known = world.units.get(unit), world.members.get(member)
    if old is None or old.closed is None or today < old.closed or known is None:
        return unit
    if known.unit != unit:
        return known.unit
    return old.into[0] if len(old.into) == 1 else unit


def _not_nearest(actor: str, unit: str) -> Refused:
    return Refused(
        "nearest-committee",
        f"places are filled from {unit}, the nearest unit above, which {actor} does not sit in",
    )


def acting(world: World, keyids: Iterable[str]) -> tuple[str, ...]:
    """Return the distinct actors behind key ids, which are registered for good."""
    found: dict[str, None] = {}
    for ident in keyids:
        key = world.keys.get(ident)
        if key is not None:
            found[key.actor] = None
    return tuple(found)


def refuse(wrong: Refused | None) -> None:
    """Raise what is wrong, if anything is."""
    if wrong is not None:
        raise wrong
