"""Who may do what where: units above units, roles in force, and the actors behind signatures."""

from __future__ import annotations

from datetime import UTC, date, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from ledger.domain.event import Proposal
from ledger.domain.world import World
from ledger.errors import Refused

UNIT_DEPTH_MAX = 32


def zone_date(time_zone: str, instant: str) -> str:
    """Return the date (YYYY-MM-DD) of an RFC 3339 UTC instant in an IANA time zone.

    Raises Refused for an instant whose date lies outside the years 1 to 9999 there.
    """
    # Offsets are whole seconds: the entries of a batch, or of one second, share one answer.
    return _date_of_second(time_zone, instant[:19])


@lru_cache(maxsize=256)
def _date_of_second(time_zone: str, second: str) -> str:
    utc = datetime.fromisoformat(second).replace(tzinfo=UTC)
    try:
        return utc.astimezone(ZoneInfo(time_zone)).date().isoformat()
    except OverflowError:
        raise Refused("recorded-at", f"{second} has no date in the zone {time_zone}") from None


def real_date(text: str, what: str) -> str:
    """Return `text` if it is a date of the calendar, else raise Refused."""
    try:
        date.fromisoformat(text)
    except ValueError:
        raise Refused("real-date", f"{what} {text} is no date of the calendar") from None
    return text


def covers(world: World, above: str, ident: str) -> bool:
    """Tell whether unit `ident` is `above` or lies under it."""
    at: str | None = ident
    for _ in range(UNIT_DEPTH_MAX):
        if at == above:
            return True
        unit = world.units.get(at) if at is not None else None
        if unit is None:
            return False
        at = unit.parent
    return False


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


def signers(world: World, proposal: Proposal, proving: str | None = None) -> tuple[str, ...]:
    """Return the distinct actors whose keys signed, in the order of their keys.

    `proving` is a key id that this very statement registers and that therefore counts for nobody
    yet. Raises Refused for a key that is unknown, revoked, or where none is of `actor`.
    """
    actors: dict[str, None] = {}
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
        actors[key.actor] = None
    if proposal.actor not in actors:
        raise Refused("actor-signs", f"no key of {proposal.actor} signed this statement")
    return tuple(actors)
