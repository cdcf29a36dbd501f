"""Decides whether a statement may be recorded: the one place where rights are enforced.

The same function runs in the sequencer before recording and in every verifier afterwards, on
the state that the entries before give, so that nothing in the log rests on the server's word.
The rules of keys, roles and units are those of the formats' section 1.
"""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from ledger.domain import cases, frame, outage, redaction, standing, steps, witnessing
from ledger.domain.days import real_date, zone_date
from ledger.domain.event import Proposal
from ledger.domain.member import ACTIVE, LEFT, SUSPENDED, Member
from ledger.domain.organisation import ADOPTED, OUTAGE, RECOVERED, ROOT_UNIT, STREAM
from ledger.domain.rights import (
    UNIT_DEPTH_MAX,
    covers,
    holds,
    need,
    signers,
)
from ledger.domain.rule import Rule
from ledger.domain.texts import ERASED
from ledger.domain.witnessed import WITNESSED
from ledger.domain.world import World
from ledger.errors import FormatError, Refused
from ledger.signing import check_public_key, keyid, read_public_key

FOUNDED = "ledger.founded"


def decide(world: World, proposal: Proposal, recorded_at: str) -> None:
    """Raise Refused (rule and reason) if `proposal` may not be recorded at `recorded_at`.

    `world` is the state before it and is not changed. The accounts of the streams that `needs`
    names must be among `world.accounts`; a stream without an account is taken as empty.
    """
    rule = _RULES.get(proposal.type)
    if rule is None:
        raise Refused("type-known", f"no rule allows statements of type {proposal.type}")
    kind, _, ident = proposal.stream.partition("/")
    if kind not in (rule.kind, rule.also):
        raise Refused(
            "stream-kind",
            f"{proposal.type} belongs in a stream {rule.kind}/…, not {proposal.stream}",
        )
    if proposal.type == FOUNDED:
        _founded(world, proposal, ident, "")
        return
    organisation = world.organisation
    if organisation is None:
        raise Refused("founded-first", "the ledger is not founded yet: its founders sign entry 0")
    if world.units.get(ROOT_UNIT) is None and proposal.stream != f"unit/{ROOT_UNIT}":
        raise Refused("root-first", "unit/root is opened right after the founding, before all else")
    today = zone_date(organisation.time_zone, recorded_at)
    rule.decide(world, proposal, ident, today)


def needs(proposal: Proposal) -> tuple[str, ...]:
    """Return the member streams whose accounts `decide` reads for a statement.

    With an account come those of its `counterparts`, which it is read together with.
    """
    rule = _RULES.get(proposal.type)
    return rule.needs(proposal) if rule is not None else ()


def proving_key(proposal: Proposal) -> bytes | None:
    """Return the public key that a `key.registered` statement registers and must be signed by."""
    if proposal.type != "key.registered":
        return None
    return _public_key(proposal.body)


def founding_keys(proposal: Proposal) -> dict[str, bytes]:
    """Return the public keys by key id that a `ledger.founded` statement itself registers."""
    if proposal.type != FOUNDED:
        return {}
    return {keyid(each): each for each in map(_public_key, proposal.body["keys"])}


def _public_key(registered: dict[str, Any]) -> bytes:
    return read_public_key(registered["suite"], registered["public_key"])


def _founded(world: World, proposal: Proposal, ident: str, today: str) -> None:
    del ident, today
    if world.organisation is not None:
        raise Refused("founded-once", "the ledger is already founded")
    if proposal.stream != STREAM:
        raise Refused("stream-kind", f"the founding belongs in {STREAM}")
    body = proposal.body
    owners = {}
    for listed in body["keys"]:
        raw = _public_key(listed)
        _usable(raw)
        if keyid(raw) in owners:
            raise Refused("key-once", "a public key is registered at most once in the log")
        owners[keyid(raw)] = listed["actor"]
    if proposal.actor != body["keys"][0]["actor"]:
        raise Refused("founder-first", "the founding's actor is the first one that it lists")
    unknown = [ident for ident in proposal.keyids if ident not in owners]
    if unknown:
        raise Refused("key-known", f"key {unknown[0][:16]}… is not one that the founding lists")
    signed = {owners[ident] for ident in proposal.keyids}
    if proposal.actor not in signed:
        raise Refused("actor-signs", f"no key of {proposal.actor} signed the founding")
    if len(signed) < body["threshold"]:
        raise Refused(
            "founding-threshold",
            f"{len(signed)} founders signed, the threshold is {body['threshold']}",
        )
    try:
        ZoneInfo(body["time_zone"])
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise Refused("time-zone", f"{body['time_zone']} is no IANA time zone") from None


def _usable(raw: bytes) -> None:
    try:
        check_public_key(raw)
    except FormatError as error:
        raise Refused("key-sound", error.message) from None


def _key_registered(world: World, proposal: Proposal, ident: str, today: str) -> None:
    raw = _public_key(proposal.body)
    new = keyid(raw)
    _usable(raw)
    if world.keys.get(new) is not None:
        raise Refused("key-once", f"key {new[:16]}… is already registered, for good")
    if new not in proposal.keyids:
        raise Refused("key-possession", "the new key must sign its own registration")
    signers(world, proposal, proving=new)
    if proposal.actor != ident:
        _need_registrar_of_actor(world, proposal.actor, ident, today)


def _key_revoked(world: World, proposal: Proposal, ident: str, today: str) -> None:
    signers(world, proposal)
    key = world.keys.get(proposal.body["keyid"])
    if key is None or key.actor != ident:
        raise Refused("key-known", f"{ident} has no key {proposal.body['keyid'][:16]}…")
    if key.revoked is not None:
        raise Refused("key-revoked", f"that key of {ident} is already revoked")
    if proposal.actor != ident:
        _need_registrar_of_actor(world, proposal.actor, ident, today)


def _need_registrar_of_actor(world: World, registrar: str, ident: str, today: str) -> None:
    """A registrar's unit must cover every unit in which the actor holds a role."""
    known = world.actors.get(ident)
    held = [r for r in known.roles if r.until is None or today <= r.until] if known else []
    if held:
        for role in held:
            need(world, registrar, "registrar", role.unit, today)
        return
    roles = world.actors.get(registrar)
    if roles is None or not any(
        r.role == "registrar" and (r.until is None or today <= r.until) for r in roles.roles
    ):
        raise Refused("needs-registrar", f"{registrar} is no registrar and not {ident} either")


def _role(world: World, proposal: Proposal, ident: str, today: str) -> None:
    signed = signers(world, proposal)
    role, unit = proposal.body["role"], proposal.body["unit"]
    _need_unit(world, unit)
    need(world, proposal.actor, "registrar", unit, today)
    known = world.actors.get(ident)
    if known is None:
        raise Refused("actor-known", f"{ident} has no key yet: register one before a role")
    if role == "registrar":
        standing = [a for a in world.registrars if holds(world, a, role, unit, today)]
        if len(standing) >= 2 and sum(holds(world, a, role, unit, today) for a in signed) < 2:
            raise Refused(
                "two-registrars", f"two registrars over {unit} must sign for the role of registrar"
            )
    held = any(
        each.role == role and each.unit == unit and (each.until is None or today <= each.until)
        for each in known.roles
    )
    if proposal.type == "role.revoked":
        if not held:
            raise Refused("role-held", f"{ident} does not hold {role} over {unit}")
        return
    until = proposal.body.get("until")
    if until is not None and real_date(until, "until") < today:
        raise Refused("role-until", f"a role until {until} would have ended before it began")
    if role == "service":
        if unit != ROOT_UNIT:
            raise Refused("service-root", "the role of service is granted over root only")
        _need_no_other_service(world, ident, today)


def _need_no_other_service(world: World, ident: str, today: str) -> None:
    for name in world.actors:
        if name != ident and holds(world, name, "service", ROOT_UNIT, today):
            raise Refused("service-one", f"{name} holds the role of service: revoke it first")


def _need_unit(world: World, ident: str) -> None:
    unit = world.units.get(ident)
    if unit is None:
        raise Refused("unit-known", f"unit {ident} is not opened")
    if unit.closed is not None:
        raise Refused("unit-closed", f"unit {ident} is closed from {unit.closed} on")


def _unit_opened(world: World, proposal: Proposal, ident: str, today: str) -> None:
    signers(world, proposal)
    if world.units.get(ident) is not None:
        raise Refused("unit-once", f"unit {ident} is already open")
    parent = proposal.body.get("parent")
    real_date(proposal.body["start"], "start")
    if (parent is None) != (ident == ROOT_UNIT):
        raise Refused("unit-parent", "every unit but unit/root has a parent, unit/root has none")
    if parent is None:
        need(world, proposal.actor, "registrar", ROOT_UNIT, today)
        return
    _need_unit(world, parent)
    need(world, proposal.actor, "registrar", parent, today)
    if _depth(world, parent) + 1 > UNIT_DEPTH_MAX:
        raise Refused("unit-depth", f"units are nested at most {UNIT_DEPTH_MAX} deep")


def _unit_moved(world: World, proposal: Proposal, ident: str, today: str) -> None:
    signers(world, proposal)
    parent = proposal.body["parent"]
    _need_unit(world, ident)
    _need_unit(world, parent)
    if ident == ROOT_UNIT or covers(world, ident, parent):
        raise Refused("unit-circle", f"{ident} cannot lie under {parent}")
    need(world, proposal.actor, "registrar", ident, today)
    need(world, proposal.actor, "registrar", parent, today)
    below = [each for each in world.units if covers(world, ident, each)]
    deepest = max(_depth(world, each) for each in below)
    if deepest - _depth(world, ident) + _depth(world, parent) + 1 > UNIT_DEPTH_MAX:
        raise Refused("unit-depth", f"units are nested at most {UNIT_DEPTH_MAX} deep")


def _depth(world: World, ident: str) -> int:
    """Return how many units there are from the root down to `ident`, both counted."""
    depth = 0
    at: str | None = ident
    while at is not None:
        unit = world.units.get(at)
        at = unit.parent if unit else None
        depth += 1
    return depth


def _member_enrolled(world: World, proposal: Proposal, ident: str, today: str) -> None:
    signers(world, proposal)
    if world.members.get(ident) is not None:
        raise Refused("member-once", f"member {ident} is already enrolled")
    _need_unit(world, proposal.body["unit"])
    need(world, proposal.actor, "registrar", proposal.body["unit"], today)
    actor = proposal.body.get("actor")
    if actor is not None:
        _need_unlinked(world, actor)


def _member_linked(world: World, proposal: Proposal, ident: str, today: str) -> None:
    signers(world, proposal)
    member = _member(world, ident, ACTIVE, SUSPENDED)
    need(world, proposal.actor, "registrar", member.unit, today)
    if member.actor is not None:
        raise Refused("actor-one", f"member {ident} is already linked to actor {member.actor}")
    _need_unlinked(world, proposal.body["actor"])


def _need_unlinked(world: World, actor: str) -> None:
    other = world.linked.get(actor)
    if other is not None:
        raise Refused("actor-one", f"actor {actor} belongs to member {other} already")


def _member_transferred(world: World, proposal: Proposal, ident: str, today: str) -> None:
    signers(world, proposal)
    member = _member(world, ident, ACTIVE, SUSPENDED)
    _need_unit(world, proposal.body["unit"])
    need(world, proposal.actor, "registrar", member.unit, today)
    need(world, proposal.actor, "registrar", proposal.body["unit"], today)
    if proposal.body["unit"] == member.unit:
        raise Refused("member-moves", f"member {ident} is in {member.unit} already")
    if "date" in proposal.body:
        standing.touches_nothing(
            world, proposal.stream, member, real_date(proposal.body["date"], "date")
        )


_FROM = {
    "member.suspended": (ACTIVE,),
    "member.reinstated": (SUSPENDED,),
    "member.left": (ACTIVE, SUSPENDED),
}


def _member_status(world: World, proposal: Proposal, ident: str, today: str) -> None:
    signers(world, proposal)
    member = _member(world, ident, *_FROM[proposal.type])
    need(world, proposal.actor, "registrar", member.unit, today)
    real_date(proposal.body["date"], "date")
    if proposal.type == "member.left":
        standing.left(world, ident)


def _member(world: World, ident: str, *allowed: str) -> Member:
    member = world.members.get(ident)
    if member is None:
        raise Refused("member-known", f"member {ident} is not enrolled")
    if member.status not in allowed:
        advice = "it stays closed" if member.status == LEFT else f"it is {member.status}"
        raise Refused("member-state", f"member {ident}: {advice}")
    return member


_RULES: dict[str, Rule] = {
    FOUNDED: Rule("ledger", _founded),
    RECOVERED: Rule("ledger", witnessing.decide_recovery),
    WITNESSED: Rule("ledger", witnessing.decide_witnessed),
    ADOPTED: Rule("ledger", witnessing.decide_adoption),
    OUTAGE: Rule("ledger", outage.decide),
    "key.registered": Rule("actor", _key_registered),
    "key.revoked": Rule("actor", _key_revoked),
    "role.granted": Rule("actor", _role),
    "role.revoked": Rule("actor", _role),
    "unit.opened": Rule("unit", _unit_opened),
    "unit.moved": Rule("unit", _unit_moved),
    "member.enrolled": Rule("member", _member_enrolled),
    "member.linked": Rule("member", _member_linked),
    "member.transferred": Rule("member", _member_transferred, standing.needs),
    "member.suspended": Rule("member", _member_status),
    "member.reinstated": Rule("member", _member_status),
    "member.left": Rule("member", _member_status),
    ERASED: Rule("member", redaction.decide, redaction.needs, also="dispute"),
    **steps.RULES,
    **frame.RULES,
    **cases.RULES,
}
