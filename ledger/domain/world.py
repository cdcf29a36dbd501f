"""All that a decision may depend on: the aggregates of every stream, and three indexes of them.

A sequencer decides a batch on an overlay of its committed world and merges the overlay after the
commit, or drops it: what was never recorded leaves no trace.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Generic, TypeVar

from ledger.domain import actor, member, organisation, rulebook, texts, unit
from ledger.domain.actor import Actor, Key, Role
from ledger.domain.event import Event
from ledger.domain.member import Account, Member
from ledger.domain.organisation import ROOT_UNIT, Organisation
from ledger.domain.rulebook import Rulebook
from ledger.domain.texts import Texts
from ledger.domain.unit import Unit
from ledger.signing import decode_base64, keyid

V = TypeVar("V")


class Table(Generic[V]):
    """A mapping of str to V, perhaps a layer over another one that it does not change."""

    __slots__ = ("_base", "_own")

    def __init__(self, base: Table[V] | None = None) -> None:
        self._own: dict[str, V] = {}
        self._base = base

    def get(self, key: str) -> V | None:
        """Return the value of `key`, from the topmost layer that has one."""
        layer: Table[V] | None = self
        while layer is not None:
            value = layer._own.get(key)
            if value is not None:
                return value
            layer = layer._base
        return None

    def __setitem__(self, key: str, value: V) -> None:
        self._own[key] = value

    def __len__(self) -> int:
        return len(self._own) if self._base is None else len(self._all())

    def __iter__(self) -> Iterator[str]:
        return iter(self._all())

    def _all(self) -> set[str]:
        return set(self._own) if self._base is None else set(self._own) | self._base._all()

    def merge(self) -> None:
        """Move this layer's values into the one below."""
        if self._base is not None:
            self._base._own.update(self._own)
            self._own.clear()

    def forget(self) -> None:
        """Drop every value of this layer."""
        self._own.clear()


class World:
    """Aggregates by id, `keys` by key id, `linked` member ids by actor, `registrars` by actor.

    `accounts` (by stream) holds only those that were loaded for deciding a correction, `texts`
    those for an erasure.
    """

    __slots__ = (
        "accounts",
        "actors",
        "keys",
        "linked",
        "members",
        "organisations",
        "registrars",
        "rulebooks",
        "texts",
        "units",
    )

    def __init__(self, base: World | None = None) -> None:
        self.organisations: Table[Organisation] = Table(base.organisations if base else None)
        self.units: Table[Unit] = Table(base.units if base else None)
        self.actors: Table[Actor] = Table(base.actors if base else None)
        self.members: Table[Member] = Table(base.members if base else None)
        self.rulebooks: Table[Rulebook] = Table(base.rulebooks if base else None)
        self.keys: Table[Key] = Table(base.keys if base else None)
        self.linked: Table[str] = Table(base.linked if base else None)
        self.registrars: Table[bool] = Table(base.registrars if base else None)
        self.accounts: Table[Account] = Table(base.accounts if base else None)
        self.texts: Table[Texts] = Table(base.texts if base else None)

    @property
    def organisation(self) -> Organisation | None:
        """The founded organisation, None before entry 0."""
        return self.organisations.get(ROOT_UNIT)

    def public_key(self, ident: str) -> bytes | None:
        """Return the raw public key registered under a key id, revoked or not."""
        key = self.keys.get(ident)
        return key.public_key if key is not None else None

    def overlay(self) -> World:
        """Return a world that starts as this one and can change without changing it."""
        return World(self)

    def merge(self) -> None:
        """Move an overlay's changes into the world below it."""
        for name in self.__slots__:
            getattr(self, name).merge()

    def evolve(self, event: Event) -> None:
        """Fold one event, which must already have been decided."""
        stream = event.proposal.stream
        loaded = self.texts.get(stream)
        if loaded is not None:
            self.texts[stream] = texts.evolve(loaded, event)
        kind, _, ident = stream.partition("/")
        _FOLDS[kind](self, ident, event)


def _evolve_organisation(world: World, ident: str, event: Event) -> None:
    world.organisations[ident] = organisation.evolve(world.organisations.get(ident), event)
    for listed in event.proposal.body["keys"]:
        raw = decode_base64(listed["public_key"])
        key = Key(listed["actor"], listed["suite"], raw)
        known = world.actors.get(key.actor) or Actor(key.actor, 0, (), (Role("registrar", "root"),))
        world.actors[key.actor] = Actor(
            known.id, known.version, (*known.keys, (keyid(raw), key)), known.roles
        )
        world.keys[keyid(raw)] = key
        world.registrars[key.actor] = True


def _evolve_unit(world: World, ident: str, event: Event) -> None:
    world.units[ident] = unit.evolve(world.units.get(ident), event)


def _evolve_actor(world: World, ident: str, event: Event) -> None:
    after = actor.evolve(world.actors.get(ident), event)
    world.actors[ident] = after
    if event.proposal.type in ("key.registered", "key.revoked"):
        for name, key in after.keys:
            world.keys[name] = key
    elif event.proposal.body["role"] == "registrar":
        world.registrars[ident] = True


def _evolve_member(world: World, ident: str, event: Event) -> None:
    stream = event.proposal.stream
    loaded = world.accounts.get(stream)
    if loaded is not None:
        world.accounts[stream] = member.evolve_account(loaded, event)
    if event.proposal.type.startswith("points."):
        return
    after = member.evolve(world.members.get(ident), event)
    world.members[ident] = after
    if after.actor is not None:
        world.linked[after.actor] = ident


def _evolve_rulebook(world: World, ident: str, event: Event) -> None:
    world.rulebooks[ident] = rulebook.evolve(world.rulebooks.get(ident), event)


_FOLDS = {
    "ledger": _evolve_organisation,
    "unit": _evolve_unit,
    "actor": _evolve_actor,
    "member": _evolve_member,
    "rulebook": _evolve_rulebook,
}
