"""An actor: somebody who signs, with keys and roles (stream `actor/<id>`)."""

from __future__ import annotations

import base64
from dataclasses import dataclass, replace
from typing import NamedTuple

from ledger.domain.event import Event
from ledger.signing import keyid


class Key(NamedTuple):
    """A registered public key (raw bytes of its suite); `revoked` tells why it counts no longer."""

    actor: str
    suite: str
    public_key: bytes
    revoked: str | None = None


class Role(NamedTuple):
    """A role over a unit and its sub-units, until a date (inclusive) or for good.

    `since` is the `recorded_at` from which it has been held without a break, `by` who granted it.
    """

    role: str
    unit: str
    until: str | None = None
    since: str = ""
    by: str = ""


@dataclass(frozen=True, slots=True)
class Actor:
    """Keys by key id and the roles in force, apart from those whose `until` has passed.

    `related` are the ids that the actor declared as relations for the year `declared` (B6).
    """

    id: str
    version: int = 0
    keys: tuple[tuple[str, Key], ...] = ()
    roles: tuple[Role, ...] = ()
    declared: int = 0
    related: frozenset[str] = frozenset()

    def key(self, ident: str) -> Key | None:
        """Return the key with that key id, revoked or not."""
        return dict(self.keys).get(ident)


def ended(actor: Actor, unit: str, last: str) -> Actor:
    """Return the actor with the roles over a unit itself ending on the day `last`."""
    roles = tuple(
        role._replace(until=last)
        if role.unit == unit and (role.until is None or role.until > last)
        else role
        for role in actor.roles
    )
    return replace(actor, roles=roles)


def evolve(actor: Actor | None, event: Event) -> Actor:
    """Fold an event of `actor/<id>`."""
    proposal = event.proposal
    body = proposal.body
    actor = replace(actor or Actor(proposal.stream.partition("/")[2]), version=event.seq)
    if proposal.type == "key.registered":
        raw = base64.b64decode(body["public_key"])
        new = (keyid(raw), Key(actor.id, body["suite"], raw))
        return replace(actor, keys=(*actor.keys, new))
    if proposal.type == "key.revoked":
        keys = dict(actor.keys)
        known = keys.get(body["keyid"])
        if known is not None:
            keys[body["keyid"]] = known._replace(revoked=body["cause"])
        return replace(actor, keys=tuple(keys.items()))
    if proposal.type == "relation.declared":
        # Within a year declarations add up: who left a relation out later is not rid of it.
        before = actor.related if actor.declared == body["year"] else frozenset()
        return replace(actor, declared=body["year"], related=before | set(body["related"]))
    kept = tuple(r for r in actor.roles if (r.role, r.unit) != (body["role"], body["unit"]))
    if proposal.type == "role.granted":
        granted = Role(
            body["role"], body["unit"], body.get("until"), event.recorded_at, proposal.actor
        )
        held = [r for r in actor.roles if (r.role, r.unit) == (granted.role, granted.unit)]
        if held and (held[0].until is None or held[0].until > event.recorded_at[:10]):
            granted = granted._replace(since=held[0].since)
        kept = (*kept, granted)
    return replace(actor, roles=kept)
