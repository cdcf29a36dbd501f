"""All that a decision may depend on: the aggregates of every stream, and indexes of them.

A sequencer decides a batch on an overlay of its committed world and merges the overlay after the
commit, or drops it: what was never recorded leaves no trace.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Generic, TypeVar

from ledger.domain import (
    actor,
    calendar,
    dispute,
    fund,
    history,
    member,
    organisation,
    period,
    rulebook,
    unit,
)
from ledger.domain.account import Account
from ledger.domain.account_fold import evolve_account
from ledger.domain.actor import Actor, Key, Role
from ledger.domain.calendar import Calendars
from ledger.domain.days import dates, zone_date
from ledger.domain.dispute import Dispute
from ledger.domain.event import Event
from ledger.domain.fund import Fund, Spent
from ledger.domain.history import History, Parents, Stay
from ledger.domain.member import Member
from ledger.domain.organisation import ROOT_UNIT, Organisation
from ledger.domain.period import Period, Seal
from ledger.domain.rulebook import Rulebook
from ledger.domain.unit import Unit
from ledger.domain.witnessed import WITNESSED, completed_at
from ledger.rules.period import preceding
from ledger.signing import decode_base64, keyid

V = TypeVar("V")

SIZE, LAST = "size", "last"
WITNESSES_FROM, WITNESSED_COUNT = "witnesses from", "witnessed"


class Table(Generic[V]):
    """A mapping of str to V, perhaps a layer over another one that it does not change."""

    __slots__ = ("_base", "_own")

    def __init__(self, base: Table[V] | None = None) -> None:
        self._own: dict[str, V] = {}
        self._base = base

    def get(self, key: str) -> V | None:
        """Return the value of `key`, from the topmost layer that has one."""
        value = self._own.get(key)
        below = self._base
        while value is None and below is not None:
            value = below._own.get(key)
            below = below._base
        return value

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

    def drop(self, key: str) -> None:
        """Drop the value of `key` from this layer."""
        self._own.pop(key, None)

    def forget(self) -> None:
        """Drop every value of this layer."""
        self._own.clear()


TABLES = (
    "accounts",
    "actors",
    "calendars",
    "cases",
    "disputes",
    "funds",
    "histories",
    "holders",
    "instants",
    "keys",
    "linked",
    "members",
    "organisations",
    "outages",
    "parents",
    "periods",
    "positions",
    "registrars",
    "rulebooks",
    "rulings",
    "scopes",
    "seals",
    "spans",
    "spent",
    "units",
    "witnessed",
)
"""All that a world holds, by attribute."""
_REMEMBERED = ("unit", "rulebook", "ledger")
MEMO_MAX = 20_000


class World:
    """Aggregates by id, `keys` by key id, `linked` member ids by actor, `registrars` by actor.

    `histories` (by member) and `parents` (by unit) say how things stood on a day; `scopes` are
    rulebook ids by unit, `spent` redemptions by member, `seals` by unit. `positions` are indexes in
    the log: of a period's steps (`<period> <type>`), and of what comes next (`size`); `instants`
    has when its last entry was recorded, `outages` the days that count in no term. `spans` is
    the period by unit, rulebook, kind and first day. `accounts` (by stream) holds only those that
    were loaded for deciding. `holders` are the actors ever granted a role over a unit, by
    `<role> <unit>`. `rulings` are ids of disputes by that of their decision, `cases` those by the
    stream of an entry that a decision opened. `witnessed` are size and instant of witnessed
    checkpoints by number (`positions` has how many, and where the first stands). `memo` keeps what
    follows from units and rulebooks alone; an event of either drops it.
    """

    __slots__ = (*TABLES, "_base", "memo")

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
        self.holders: Table[tuple[str, ...]] = Table(base.holders if base else None)
        self.instants: Table[str] = Table(base.instants if base else None)
        self.outages: Table[frozenset[str]] = Table(base.outages if base else None)
        self.calendars: Table[Calendars] = Table(base.calendars if base else None)
        self.histories: Table[History] = Table(base.histories if base else None)
        self.parents: Table[Parents] = Table(base.parents if base else None)
        self.scopes: Table[tuple[str, ...]] = Table(base.scopes if base else None)
        self.periods: Table[Period] = Table(base.periods if base else None)
        self.spans: Table[str] = Table(base.spans if base else None)
        self.seals: Table[tuple[Seal, ...]] = Table(base.seals if base else None)
        self.positions: Table[int] = Table(base.positions if base else None)
        self.funds: Table[Fund] = Table(base.funds if base else None)
        self.spent: Table[Spent] = Table(base.spent if base else None)
        self.disputes: Table[Dispute] = Table(base.disputes if base else None)
        self.rulings: Table[str] = Table(base.rulings if base else None)
        self.cases: Table[tuple[str, ...]] = Table(base.cases if base else None)
        self.witnessed: Table[tuple[int, str]] = Table(base.witnessed if base else None)
        self.memo: dict[tuple[str, ...], Any] = base.memo if base else {}
        self._base = base

    @property
    def organisation(self) -> Organisation | None:
        """The founded organisation, None before entry 0."""
        return self.organisations.get(ROOT_UNIT)

    @property
    def size(self) -> int:
        """How many entries there are before the one that is decided."""
        return self.positions.get(SIZE) or 0

    @property
    def last(self) -> str:
        """When the entry before the one that is decided was recorded; empty before the first."""
        return self.instants.get(LAST) or ""

    def today(self, recorded_at: str) -> str:
        """Return the date of an instant in the organisation's zone, which must be founded."""
        organisation = self.organisation
        assert organisation is not None  # noqa: S101 - entry 0 comes before all else
        return zone_date(organisation.time_zone, recorded_at)

    def public_key(self, ident: str) -> bytes | None:
        """Return the raw public key registered under a key id, revoked or not."""
        key = self.keys.get(ident)
        return key.public_key if key is not None else None

    def overlay(self) -> World:
        """Return a world that starts as this one and can change without changing it."""
        return World(self)

    def merge(self) -> None:
        """Move an overlay's changes into the world below it."""
        for name in TABLES:
            getattr(self, name).merge()
        if self._base is not None:
            self._base.memo = self.memo

    def evolve(self, event: Event) -> None:
        """Fold one event, which must already have been decided."""
        stream = event.proposal.stream
        kind, _, ident = stream.partition("/")
        _FOLDS[kind](self, ident, event)
        if kind in _REMEMBERED or len(self.memo) > MEMO_MAX:
            # Another one, for the world below may remember on.
            self.memo = {}
        self.positions[SIZE] = event.index + 1
        self.instants[LAST] = event.recorded_at


def _evolve_organisation(world: World, ident: str, event: Event) -> None:
    before = world.organisations.get(ident)
    after = organisation.evolve(before, event)
    world.organisations[ident] = after
    if event.proposal.type == organisation.OUTAGE:
        down = dates(
            world.today(event.proposal.body["from"]), world.today(event.proposal.body["to"])
        )
        world.outages[ident] = (world.outages.get(ident) or frozenset()) | frozenset(down)
    elif event.proposal.type == WITNESSED:
        _keep_witnessed(world, event)
    if before is not None:
        return
    for listed in event.proposal.body["keys"]:
        raw = decode_base64(listed["public_key"])
        key = Key(listed["actor"], listed["suite"], raw)
        role = Role("registrar", ROOT_UNIT, since=event.recorded_at)
        known = world.actors.get(key.actor) or Actor(key.actor, 0, (), (role,))
        world.actors[key.actor] = Actor(
            known.id, known.version, (*known.keys, (keyid(raw), key)), known.roles
        )
        world.keys[keyid(raw)] = key
        world.registrars[key.actor] = True
    world.holders[f"registrar {ROOT_UNIT}"] = tuple(sorted(after.founders))


def _keep_witnessed(world: World, event: Event) -> None:
    """Keep which checkpoints were witnessed and when, by number; only larger ones say more."""
    size = event.proposal.body["size"]
    count = world.positions.get(WITNESSED_COUNT) or 0
    before = world.witnessed.get(str(count - 1))
    if before is not None and before[0] >= size:
        return
    if count == 0:
        world.positions[WITNESSES_FROM] = event.index
    world.witnessed[str(count)] = size, completed_at(event.proposal.body)
    world.positions[WITNESSED_COUNT] = count + 1


def _evolve_unit(world: World, ident: str, event: Event) -> None:
    if event.proposal.type == calendar.PUBLISHED:
        world.calendars[ident] = calendar.evolve(world.calendars.get(ident), event)
    today = world.today(event.recorded_at)
    world.units[ident] = unit.evolve(world.units.get(ident), event)
    world.parents[ident] = history.parents_after(world.parents.get(ident) or (), event, today)
    if event.proposal.type == unit.CLOSED:
        _close_unit(world, ident, event.proposal.body)


def _close_unit(world: World, ident: str, body: dict[str, Any]) -> None:
    """Move a closed unit's members, and end the roles over it the day before (B16)."""
    for part in body["into"]:
        for name in part["members"]:
            known, stays = world.members.get(name), world.histories.get(name)
            if known is None or stays is None:
                continue  # a world without members: whoever has them moves them
            world.members[name] = replace(known, unit=part["unit"])
            stay = Stay(body["date"], part["unit"], known.member_type)
            world.histories[name] = history.moved(stays, stay)
    last = preceding(body["date"])
    for name in world.actors:
        held = world.actors.get(name)
        if held is not None and any(role.unit == ident for role in held.roles):
            world.actors[name] = actor.ended(held, ident, last)


def _evolve_actor(world: World, ident: str, event: Event) -> None:
    after = actor.evolve(world.actors.get(ident), event)
    world.actors[ident] = after
    if event.proposal.type in ("key.registered", "key.revoked"):
        for name, key in after.keys:
            world.keys[name] = key
    elif event.proposal.type == "role.granted":
        body = event.proposal.body
        name = f"{body['role']} {body['unit']}"
        known = world.holders.get(name) or ()
        if ident not in known:
            world.holders[name] = tuple(sorted((*known, ident)))
        if body["role"] == "registrar":
            world.registrars[ident] = True


def _evolve_member(world: World, ident: str, event: Event) -> None:
    stream = event.proposal.stream
    loaded = world.accounts.get(stream)
    if loaded is not None:
        world.accounts[stream] = evolve_account(loaded, event)
    if event.proposal.type.startswith("points."):
        return
    after = member.evolve(world.members.get(ident), event)
    world.members[ident] = after
    today = world.today(event.recorded_at)
    world.histories[ident] = history.evolve(world.histories.get(ident), event, today)
    if event.proposal.type == member.MERGED:
        _merge_members(world, after, event.proposal.body["into"])
    elif after.actor is not None and after.merger is None:
        world.linked[after.actor] = ident


def _merge_members(world: World, closed: Member, into: str) -> None:
    """Let the id that goes on take over the closed one's actor, wallet, sheets, votes and vetoes.

    So that closing an id washes nothing off (B14).
    """
    kept = world.members.get(into)
    assert kept is not None  # noqa: S101 - decided before it was recorded
    if closed.actor is not None:
        world.linked[closed.actor] = into
        if kept.actor is None:
            world.members[into] = replace(kept, actor=closed.actor)
    stays, closing = world.histories.get(into), world.histories.get(closed.id)
    if stays is not None and closing is not None:
        world.histories[into] = history.taken_over(stays, closing)
    spent = (*(world.spent.get(into) or ()), *(world.spent.get(closed.id) or ()))
    world.spent[into] = tuple(sorted(spent, key=lambda each: each[1]))
    world.spent[closed.id] = ()
    for name in world.funds:
        held = world.funds.get(name)
        if held is not None:
            world.funds[name] = fund.renamed(held, closed.id, into)
    rename_in_periods(world, closed.id, into)


def rename_in_periods(world: World, closed: str, into: str) -> None:
    """Put a closed id's sheets and votes under the id that goes on, but in sealed tables (A31)."""
    for name in world.periods:
        known = world.periods.get(name)
        if known is not None and known.state != period.SEALED:
            world.periods[name] = period.renamed(known, closed, into)


def _evolve_rulebook(world: World, ident: str, event: Event) -> None:
    after = rulebook.evolve(world.rulebooks.get(ident), event)
    world.rulebooks[ident] = after
    units = event.proposal.body.get("units", (after.unit,))
    for each in units if after.book is not None else ():
        known = world.scopes.get(each) or ()
        if ident not in known:
            world.scopes[each] = tuple(sorted((*known, ident)))


def _evolve_period(world: World, ident: str, event: Event) -> None:
    after = period.evolve(world.periods.get(ident), event)
    world.periods[ident] = after
    kind = event.proposal.type
    world.positions[f"{ident} {kind}"] = event.index
    if kind == "period.opened":
        world.spans[f"{after.unit} {after.rulebook} {after.kind} {after.start}"] = ident
    elif kind == "period.sealed":
        day = world.today(event.recorded_at)
        as_of = event.proposal.body["as_of"]
        seal = Seal(ident, after.rulebook, after.start, after.end, day, as_of)
        world.seals[after.unit] = (*(world.seals.get(after.unit) or ()), seal)


def _evolve_fund(world: World, ident: str, event: Event) -> None:
    after = fund.evolve(world.funds.get(ident), event)
    world.funds[ident] = after
    proposal = event.proposal
    move = after.moves.get(proposal.body.get("reverses", proposal.id))
    if move is not None and move.member is not None:
        spent = world.spent.get(move.member) or ()
        today = world.today(event.recorded_at)
        world.spent[move.member] = fund.spent_after(spent, event, move, today)


def _evolve_dispute(world: World, ident: str, event: Event) -> None:
    after = dispute.evolve(world.disputes.get(ident), event)
    world.disputes[ident] = after
    ruling = after.ruling
    if ruling is None or ruling.id != event.proposal.id:
        return
    world.rulings[ruling.id] = ident
    if ruling.about is not None:
        known = world.cases.get(ruling.about.stream) or ()
        world.cases[ruling.about.stream] = tuple(dict.fromkeys((*known, ident)))


_FOLDS = {
    "ledger": _evolve_organisation,
    "unit": _evolve_unit,
    "actor": _evolve_actor,
    "member": _evolve_member,
    "rulebook": _evolve_rulebook,
    "period": _evolve_period,
    "fund": _evolve_fund,
    "dispute": _evolve_dispute,
}
