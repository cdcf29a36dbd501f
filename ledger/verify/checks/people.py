"""Cheats 6, 13 and 14: relatives and rings, one person as two, roles for a moment."""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from ledger.domain.account import CHECK, CLAIM_STEP, CREDIT, DIRECT, REVIEW, UPPER, PointsEntry
from ledger.domain.days import days_between
from ledger.domain.eligibility import acting
from ledger.domain.member import MERGED
from ledger.domain.policy import LENT_DAYS_MAX
from ledger.domain.world import World
from ledger.verify.checks.finding import Check, Ending, Finding, Moment, finding

RING_CREDITS_MIN = 3
"""So many credits from one to the next make a link of a ring …"""
RING_SHARE = 2
"""… where they are at least one in so many of all that the next one received."""
FLASH_DAYS = 7
"""A role that was held for fewer days is a flash role."""
_DECIDING = (CLAIM_STEP, CHECK, REVIEW, UPPER)


def _deciders(world: World, entry: PointsEntry, member: str) -> tuple[str, ...]:
    """Return who proposed or decided an entry, without the member's own actor."""
    known = world.members.get(member)
    own = known.actor if known is not None else None
    return tuple(a for a in acting(world, entry.keys_of(*_DECIDING)) if a != own)


class Rings(Check):
    """Cheat 6: awarders who, one after the other, award to each other; two, three or more.

    A link is from who proposed or checked to the member who received. Whether those who only sign
    with them favour each other is a matter of counts: `projections.fairness.scorers`.
    """

    def __init__(self) -> None:
        self._received: Counter[str] = Counter()
        self._links: dict[str, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))

    def see(self, moment: Moment) -> Iterable[Finding]:
        """Note who gave to whom."""
        entry = moment.became_final
        if entry is None or entry.kind != CREDIT:
            return ()
        known = moment.world.members.get(moment.member)
        if known is not None and known.actor is not None:
            self._received[known.actor] += 1
            givers = {*acting(moment.world, entry.keys_of(CHECK))}
            if entry.origin == DIRECT:
                givers.add(moment.event.proposal.actor)
            else:
                givers.update(acting(moment.world, entry.keys_of(CLAIM_STEP)))
            for actor in givers:
                if actor != known.actor:
                    self._links[actor][known.actor].append(moment.event.index)
        return ()

    def finish(self, ending: Ending) -> Iterable[Finding]:
        """Report the shortest ring through each link."""
        del ending
        links = {
            giver: {
                to: at
                for to, at in sorted(given.items())
                if len(at) >= max(RING_CREDITS_MIN, self._received[to] / RING_SHARE)
            }
            for giver, given in sorted(self._links.items())
        }
        seen: set[tuple[str, ...]] = set()
        for giver, given in links.items():
            for receiver in given:
                ring = _way(links, receiver, giver)
                first = ring.index(min(ring)) if ring else 0
                turned = (*ring[first:], *ring[:first])
                if not ring or turned in seen:
                    continue
                seen.add(turned)
                steps = list(zip(turned, (*turned[1:], turned[0]), strict=True))
                counts = ", ".join(f"{a} → {b} {len(links[a][b])}" for a, b in steps)
                indexes = [index for a, b in steps for index in links[a][b]]
                reason = f"a ring of {len(turned)} who award to each other, credits: {counts}"
                yield finding(6, max(indexes), turned, reason, indexes)


def _way(links: dict[str, dict[str, list[int]]], start: str, goal: str) -> tuple[str, ...]:
    """Return the shortest way along the links from `start` to `goal`, empty if there is none."""
    before: dict[str, str] = {start: ""}
    waiting = deque([start])
    while waiting:
        at = waiting.popleft()
        if at == goal:
            found = [at]
            while before[found[-1]]:
                found.append(before[found[-1]])
            return tuple(reversed(found))
        for to in links.get(at, ()):
            if to not in before:
                before[to] = at
                waiting.append(to)
    return ()


class Relations(Check):
    """Cheat 6: who decided without declaring in that year (B6), or declared only afterwards."""

    def __init__(self) -> None:
        self._decided: dict[tuple[str, str], list[int]] = defaultdict(list)
        self._years: dict[tuple[str, str], list[int]] = defaultdict(list)
        self._declared: set[tuple[str, str]] = set()

    def see(self, moment: Moment) -> Iterable[Finding]:
        """Note who decides about whom, and hold each declaration against it."""
        proposal, index, world = moment.event.proposal, moment.event.index, moment.world
        if moment.type == "relation.declared":
            self._declared.add((proposal.actor, str(proposal.body["year"])))
            for scorer, member in sorted(
                set(_pairs(world, proposal.actor, proposal.body["related"]))
            ):
                earlier = self._decided.get((scorer, member))
                if earlier:
                    reason = (
                        f"a relation of {scorer} to {member} is declared after {scorer} took part "
                        f"in {len(earlier)} steps for {member}"
                    )
                    yield finding(6, index, (scorer, member), reason, earlier)
        elif moment.after is not None:
            known = world.members.get(moment.member)
            own = known.actor if known is not None else None
            for actor in moment.signed:
                if actor != own and proposal.type != "points.lapsed":
                    self._decided[actor, moment.member].append(index)
                    self._years[actor, moment.today[:4]].append(index)

    def finish(self, ending: Ending) -> Iterable[Finding]:
        """List who decided in a year and declared nothing, not even that there is nothing."""
        del ending
        for (actor, year), indexes in sorted(self._years.items()):
            if (actor, year) not in self._declared:
                reason = (
                    f"{actor} took part in {len(indexes)} steps of {year} and declared no "
                    "relations for that year, not even that there are none (B6)"
                )
                yield finding(6, indexes[-1], (actor,), reason)


def _pairs(world: World, declarer: str, related: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield (scorer, member) for each side of the relations that `declarer` names."""
    mine = world.linked.get(declarer)
    for ident in related:
        member = ident if world.members.get(ident) is not None else world.linked.get(ident)
        if member is not None:
            yield declarer, member
            known = world.members.get(member)
            if mine is not None and known is not None and known.actor is not None:
                yield known.actor, mine
        if mine is not None and world.actors.get(ident) is not None:
            yield ident, mine


class OnePerson(Check):
    """Cheat 13: two ids that may be one person.

    The log holds nothing of persons, so it shows only who made an id and then acts beside it:
    whoever registered another's key and decided alone with that other, and whoever enrolled a
    member and then took part in its entries. Ids that were found out and merged (B14) are listed.
    """

    def __init__(self) -> None:
        self._made: dict[str, str] = {}
        self._enrolled: dict[str, str] = {}
        self._together: dict[tuple[str, str], list[int]] = defaultdict(list)
        self._ghosts: dict[tuple[str, str], list[int]] = defaultdict(list)

    def see(self, moment: Moment) -> Iterable[Finding]:
        """Note who made which id, and who decided what."""
        proposal, index = moment.event.proposal, moment.event.index
        if moment.type == "key.registered":
            if proposal.actor != moment.member:
                self._made.setdefault(moment.member, proposal.actor)
        elif moment.type == "member.enrolled":
            self._enrolled[moment.member] = proposal.actor
        elif moment.type == MERGED:
            ids = (moment.member, proposal.body["into"])
            makers = sorted({self._enrolled[each] for each in ids if each in self._enrolled})
            reason = f"{ids[0]} and {ids[1]} were one person; enrolled by {', '.join(makers)}"
            yield finding(13, index, (*ids, *makers), reason)
        entry = moment.became_final
        if entry is None:
            return
        deciders = _deciders(moment.world, entry, moment.member)
        if len(deciders) == 2:
            for one, other in (deciders, deciders[::-1]):
                if self._made.get(other) == one:
                    self._together[one, other].append(index)
        maker = self._enrolled.get(moment.member)
        if maker in deciders:
            self._ghosts[str(maker), moment.member].append(index)

    def finish(self, ending: Ending) -> Iterable[Finding]:
        """Report the pairs."""
        del ending
        for (one, other), at in sorted(self._together.items()):
            reason = (
                f"{one} registered the key of {other}, and these two alone decided {len(at)} "
                "entries: are they two people?"
            )
            yield finding(13, at[-1], (one, other), reason, at)
        for (maker, member), at in sorted(self._ghosts.items()):
            reason = f"{maker} enrolled {member} and took part in {len(at)} of its entries"
            yield finding(13, at[-1], (maker, member), reason, at)


class _Grant(NamedTuple):
    actor: str
    role: str
    unit: str
    by: str
    index: int  # type: ignore[assignment]  # hides tuple.index
    first: str
    last: str | None


class FlashRoles(Check):
    """Cheat 14: roles held for a moment and used in it, and roles lent for a vacancy (B4).

    A role younger than the step, or lent by who has a part in the entry, is refused at append.
    """

    def __init__(self) -> None:
        self._grants: dict[tuple[str, str, str], list[_Grant]] = defaultdict(list)
        self._signed: dict[str, list[tuple[int, str]]] = defaultdict(list)

    def see(self, moment: Moment) -> Iterable[Finding]:
        """Note grants, their ends, and what each actor signed."""
        proposal, index = moment.event.proposal, moment.event.index
        if moment.type in ("role.granted", "role.revoked"):
            key = (moment.member, proposal.body["role"], proposal.body["unit"])
            held = self._grants[key]
            if moment.type == "role.granted":
                last = proposal.body.get("until")
                held.append(_Grant(*key, proposal.actor, index, moment.today, last))
            elif held:
                held[-1] = held[-1]._replace(last=moment.today)
        elif moment.type.partition(".")[0] in ("points", "period", "review", "vote", "fund"):
            for actor in moment.signed:
                self._signed[actor].append((index, moment.today))
        return ()

    def finish(self, ending: Ending) -> Iterable[Finding]:
        """Report short grants in whose days their holder signed something."""
        del ending
        for grants in self._grants.values():
            for each in grants:
                days = days_between(each.first, each.last) if each.last else LENT_DAYS_MAX + 1
                if days > LENT_DAYS_MAX:
                    continue
                used = [
                    index
                    for index, day in self._signed[each.actor]
                    if index > each.index and day <= (each.last or "")
                ]
                if used:
                    kind = "a flash role" if days < FLASH_DAYS else "a role lent (B4)"
                    reason = (
                        f"{each.by} gave {each.actor} {kind}, {each.role} over {each.unit} from "
                        f"{each.first} to {each.last}; {len(used)} statements were signed in it"
                    )
                    yield finding(14, each.index, (each.actor, each.by), reason, used)
