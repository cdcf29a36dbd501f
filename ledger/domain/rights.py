"""Who may do what where: units above units, roles in force, and the actors behind signatures."""

from __future__ import annotations

from ledger.domain.event import Proposal
from ledger.domain.world import World
from ledger.errors import Refused

UNIT_DEPTH_MAX = 32
SERVICE_SIGNS = frozenset(
    {"points.lapsed", "dispute.lapsed", "checkpoint.witnessed", "outage.recorded"}
)
"""All that the service actor may sign (B21), and whoever was ever granted that role."""


def covers(world: World, above: str, ident: str) -> bool:
    """Tell whether unit `ident` is `above` or lies under it."""
    return above == ident or above in path(world, ident)


def holds(world: World, actor: str, role: str, unit: str, today: str) -> bool:
    """Tell whether `actor` has `role` over `unit`, through it or a unit above, on `today`."""
    known = world.actors.get(actor)
    if known is None:
        return False
    for held in known.roles:
        if (
            held.role == role
            and (held.until is None or today <= held.until)
            and (held.unit == unit or covers(world, held.unit, unit))
        ):
            return True
    return False


def need(world: World, actor: str, role: str, unit: str, today: str) -> None:
    """Raise Refused unless `actor` has `role` over `unit`."""
    if not holds(world, actor, role, unit, today):
        raise Refused(
            f"needs-{role}",
            f"{actor} is no {role} over unit {unit}: a person with that role must sign",
        )


def need_pair(
    world: World, signed: tuple[str, ...], first: str, second: str, unit: str, today: str
) -> None:
    """Raise Refused unless two distinct actors signed, one with each role over `unit`."""
    having = [a for a in signed if holds(world, a, first, unit, today)]
    seconding = [a for a in signed if holds(world, a, second, unit, today)]
    for role, people in ((first, having), (second, seconding)):
        if not people:
            raise Refused(f"needs-{role}", f"no {role} over unit {unit} signed this statement")
    if len({*having, *seconding}) < 2:
        raise Refused(
            "four-eyes", f"{having[0]} signed as {first} and as {second}: two people must sign"
        )


def signers(world: World, proposal: Proposal, proving: str | None = None) -> tuple[str, ...]:
    """Return the distinct actors whose keys signed, in the order of their keys.

    `proving` is a key id that this very statement registers and that therefore counts for nobody
    yet. Raises Refused for a key that is unknown, revoked, or where none is of `actor`.
    """
    actors: dict[str, None] = {}
    service = world.holders.get("service root") or ()
    for ident in proposal.keyids:
        if ident == proving:
            continue
        key = world.keys.get(ident)
        if key is None:
            raise Refused(
                "key-known", f"key {ident[:16]}… is not registered in this log: register it first"
            )
        if key.revoked is not None:
            raise Refused("key-revoked", f"key {ident[:16]}… of {key.actor} was revoked")
        if key.actor in service and proposal.type not in SERVICE_SIGNS:
            raise Refused(
                "service-only",
                f"{key.actor} is the ledger's service and signs lapses only: a person must sign",
            )
        actors[key.actor] = None
    if proposal.actor not in actors:
        raise Refused("actor-signs", f"no key of {proposal.actor} signed this statement")
    return tuple(actors)


def path(world: World, unit: str) -> tuple[str, ...]:
    """Return a unit and those above it, the unit first, the root last."""
    named = ("path", unit)
    known: tuple[str, ...] | None = world.memo.get(named)
    if known is None:
        known = world.memo[named] = _path(world, unit)
    return known


def _path(world: World, unit: str) -> tuple[str, ...]:
    found: list[str] = []
    at: str | None = unit
    while at is not None and len(found) < UNIT_DEPTH_MAX:
        known = world.units.get(at)
        if known is None:
            break
        found.append(at)
        at = known.parent
    return tuple(found)


def holds_at(world: World, actor: str, role: str, units: tuple[str, ...], today: str) -> bool:
    """Tell whether `actor` was granted `role` over one of `units` itself, in force on `today`."""
    known = world.actors.get(actor)
    return known is not None and any(
        held.role == role and held.unit in units and (held.until is None or today <= held.until)
        for held in known.roles
    )


def holders(world: World, role: str, unit: str, today: str) -> tuple[str, ...]:
    """Return who holds `role` at the nearest unit, from `unit` upwards, where anybody does.

    So a branch's committee are those of the branch, and of the unit above only where it has none.
    """
    for at in path(world, unit):
        granted = world.holders.get(f"{role} {at}") or ()
        found = tuple(name for name in granted if holds_at(world, name, role, (at,), today))
        if found:
            return found
    return ()


def quorum(
    world: World, signed: tuple[str, ...], unit: str, today: str, recused: frozenset[str]
) -> None:
    """Raise Refused unless half of the unit's committee signed, none of them recused (B1).

    `recused` are actors; distinct actors count, never keys.
    """
    committee = holders(world, "committee", unit, today)
    voters = [name for name in committee if name in signed and name not in recused]
    if not voters or 2 * len(voters) < len(committee):
        raise Refused(
            "quorum",
            f"{len(voters)} of the {len(committee)} committee members of {unit} signed without "
            "a recusal: at least half must",
        )


def need_above(world: World, signed: tuple[str, ...], unit: str, today: str) -> None:
    """Raise Refused unless somebody of the unit above signed: an `upper` over the unit (B7, B19).

    That is a role held at a unit above; over the root, which has none, it is held at the root.
    """
    above = path(world, unit)[1:] or (unit,)
    if not any(holds_at(world, name, "upper", above, today) for name in signed):
        raise Refused("needs-upper", f"the unit above {unit} must sign: a person with role upper")
