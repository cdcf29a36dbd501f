"""Makes the signed statements of the demo's plan, each signed with its own people's keys.

Keys are new in every run and kept as files, one an actor. Statement ids and the salts of
commitments are drawn with the fixed seed, so that the same year has the same ids; outside a demo
both are random, and a salt is known to those only who may see the text.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from api.authoring.reader import Authored
from ledger import keyfile
from ledger.domain.event import Proposal
from ledger.domain.policy import DEFAULTS
from ledger.entry import format_instant, new_id, statement_payload
from ledger.signing import SUITE_ED25519, PrivateKey, encode_base64, sign_envelope
from ops.demo import cast, school, year
from ops.demo.cast import (
    BRANCHES,
    FOUNDING_THRESHOLD,
    REGISTRARS,
    TIME_ZONE,
    UPPER,
    Actor,
    Change,
    Member,
    Unit,
)
from ops.demo.year import Act, PlannedAct

ORIGIN = "demo.example/points"
SEED = 19_210_723
# A later version of a rulebook is published some days before it begins.
NOTICE = timedelta(days=10)
CLAIM_WINDOW = timedelta(days=int(DEFAULTS["claim_window_days"]))
_ZONE = ZoneInfo(TIME_ZONE)
_TYPE = {"award": "points.awarded", "deduct": "points.deducted"}


class Planned(NamedTuple):
    """A signed statement, when it is to be recorded, and what decisions see of it."""

    when: datetime
    type: str
    stream: str
    id: str
    envelope: bytes
    proposal: Proposal


def make_keys(folder: Path) -> dict[str, PrivateKey]:
    """Make a key for every actor of the demo, one file each; return them by actor.

    Raises KeyFileError where a file is there already.
    """
    keys = {}
    for actor in school.everyone().actors:
        keys[actor.id] = PrivateKey.generate()
        keyfile.save(folder / f"{actor.id}.key", keys[actor.id], None)
    return keys


def begin(year_number: int) -> datetime:
    """Return the instant of the founding: eight in the morning of a day before the year.

    Rulebooks are published before the first day that they price (A2), and what is taken over from
    older books is up for objections before the units start.
    """
    return datetime(year_number - 1, 12, 8, 8, tzinfo=_ZONE).astimezone(UTC)


def first_day(year_number: int) -> str:
    """Return the day on which units and rulebooks start."""
    return date(year_number, 1, 1).isoformat()


class Pen:
    """Signs statements with `keys` (by actor), drawing ids and salts from `random`."""

    def __init__(self, keys: Mapping[str, PrivateKey], random: Random) -> None:
        self._keys = keys
        self._random = random

    def signed(
        self, when: datetime, kind: str, stream: str, body: dict[str, Any], actor: str, *also: str
    ) -> Planned:
        """Return a statement of `actor`, signed by it and everyone in `also`."""
        ident = new_id(when, self._random.randbytes(10))
        payload = statement_payload(
            type=kind,
            id=ident,
            log=ORIGIN,
            stream=stream,
            actor=actor,
            signed_at=format_instant(when),
            body=body,
        )
        keys = [self._keys[each] for each in (actor, *also)]
        keyids = tuple(sorted(each.keyid for each in keys))
        proposal = Proposal(kind, ident, ORIGIN, stream, actor, body, keyids)
        return Planned(when, kind, stream, ident, sign_envelope(payload, keys), proposal)

    def key(self, actor: str) -> dict[str, str]:
        """Return an actor's public key as bodies have it."""
        return {"suite": SUITE_ED25519, "public_key": encode_base64(self._keys[actor].public_key)}

    def commitment(self, text: str) -> str:
        """Return a salted commitment to `text`."""
        return hashlib.sha256(self._random.randbytes(32) + text.encode()).hexdigest()


class Publication(NamedTuple):
    """A rulebook's version to publish at `when` for `unit`, in force from `first` (a date)."""

    when: datetime
    unit: str
    rulebook: Authored
    first: str


def set_up(
    pen: Pen, when: datetime, start: str, rulebooks: Iterable[Publication]
) -> Iterator[Planned]:
    """Yield founding, units, keys, roles, short paths, rulebooks and members, in this order.

    `start` is the units' first day.
    """
    people = cast.build()
    keys = [{"actor": each, **pen.key(each)} for each in REGISTRARS]
    founding = {"time_zone": TIME_ZONE, "threshold": FOUNDING_THRESHOLD, "keys": keys}
    yield pen.signed(when, "ledger.founded", "ledger/root", founding, *REGISTRARS)
    yield from open_units(pen, when, start, people.units, people.actors)
    for branch in BRANCHES:
        stream, pair = f"unit/{branch.unit.id}", _pair(branch.unit.id)
        yield pen.signed(when, "policy.adopted", stream, {"short_path": True}, *pair)
    for each in rulebooks:
        yield publish(pen, each)
    yield from enrol(pen, when, people.members)


def open_units(
    pen: Pen, when: datetime, start: str, units: Iterable[Unit], actors: Iterable[Actor]
) -> Iterator[Planned]:
    """Yield the opening of units, and the keys and roles of actors who are no founders."""
    registrar = REGISTRARS[0]
    for unit in units:
        body = {"name_zh": unit.name_zh, "name_en": unit.name_en, "start": start}
        if unit.parent is not None:
            body["parent"] = unit.parent
        yield pen.signed(when, "unit.opened", f"unit/{unit.id}", body, registrar)
    for actor in actors:
        if actor.id in REGISTRARS:
            continue
        stream = f"actor/{actor.id}"
        key = pen.key(actor.id)
        yield pen.signed(when, "key.registered", stream, key, registrar, actor.id)
        for role, over in actor.roles:
            body = {"role": role, "unit": over}
            yield pen.signed(when, "role.granted", stream, body, registrar)


def enrol(pen: Pen, when: datetime, members: Iterable[Member]) -> Iterator[Planned]:
    """Yield the enrolment of members."""
    for member in members:
        body = {"unit": member.unit, "member_type": member.member_type}
        if member.actor is not None:
            body["actor"] = member.actor
        yield pen.signed(when, "member.enrolled", f"member/{member.id}", body, REGISTRARS[0])


def publish(pen: Pen, each: Publication) -> Planned:
    """Return a rulebook's publication, signed by its unit's secretary and a committee member."""
    return publish_by(pen, each, _pair(each.unit))


def publish_by(pen: Pen, each: Publication, pair: tuple[str, str]) -> Planned:
    """Return a rulebook's publication, signed by these two."""
    stream = f"rulebook/{each.rulebook.id}"
    body = each.rulebook.publishable(each.unit, each.first)
    return pen.signed(each.when, "rulebook.published", stream, body, *pair)


def _pair(unit: str) -> tuple[str, str]:
    """Return a unit's secretary and the first of its committee."""
    people = cast.build()
    secretary, committee = (people.actors_with(r, unit)[0] for r in ("secretary", "committee"))
    return secretary, committee


class Signing:
    """Signs one year's statements of the branches of the short path with `keys` (by actor)."""

    def __init__(self, year_number: int, keys: Mapping[str, PrivateKey]) -> None:
        self._year = year_number
        self._pen = Pen(keys, Random(SEED + year_number))
        # Ids of the planned acts' statements by the acts' numbers, for corrections.
        self._ids: dict[int, str] = {}

    def statements(self) -> Iterator[Planned]:
        """Yield every statement of the year in the order of recording."""
        founded = begin(self._year)
        rulebooks = list(self._rulebooks(founded))
        at_once = [each for each in rulebooks if each.when == founded]
        yield from set_up(self._pen, founded, first_day(self._year), at_once)
        later: list[Change | Publication] = [each for each in rulebooks if each.when > founded]
        later += cast.changes(self._year)
        later.sort(key=lambda each: each.when)
        for act in year.plan(self._year):
            while later and later[0].when <= act.when_recorded:
                yield self._of_the_year(later.pop(0))
            yield self._points(act)
        for each in later:
            yield self._of_the_year(each)

    def _rulebooks(self, founded: datetime) -> Iterator[Publication]:
        """Yield every version: the first at the founding, later ones days before they begin."""
        for branch in BRANCHES:
            for number, (first, rulebook) in enumerate(year.versions(self._year, branch.rulebook)):
                at = datetime(first.year, first.month, first.day, 10, tzinfo=_ZONE) - NOTICE
                when = at.astimezone(UTC) if number else founded
                yield Publication(when, branch.unit.id, rulebook, first.isoformat())

    def _of_the_year(self, each: Change | Publication) -> Planned:
        if isinstance(each, Publication):
            return publish(self._pen, each)
        body: dict[str, Any] = {"date": _day(each.when)}
        if each.kind == "member.transferred":
            body = {"unit": each.unit, "member_type": each.member_type}
        return self._pen.signed(each.when, each.kind, f"member/{each.member}", body, REGISTRARS[1])

    def _points(self, planned: PlannedAct) -> Planned:
        act, reverses = planned.act, planned.reverses
        people = [planned.recorder, planned.approver]
        if reverses is None:
            assert act is not None  # noqa: S101 - only a correction comes without an act
            kind, body = _TYPE[act.kind], act_body(self._pen, act)
            if _late(planned.when_recorded, act.act_date):
                body["late_reason"] = self._pen.commitment("away when it was to be recorded")
                people.append(UPPER[0])
        else:
            kind = "points.corrected"
            body = {
                "reverses": self._ids[reverses],
                "reason": self._pen.commitment("recorded wrongly"),
            }
            if act is not None:
                body["replacement"] = {"type": _TYPE[act.kind], **act_body(self._pen, act)}
        stream = f"member/{planned.member}"
        signed = self._pen.signed(planned.when_recorded, kind, stream, body, *people)
        self._ids[planned.number] = signed.id
        return signed


def act_body(pen: Pen, act: Act) -> dict[str, Any]:
    """Return the body of an award or deduction, or of a replacement without its type."""
    given: dict[str, Any] = {"quantity": act.quantity, "activity": act.activity, "deed": act.deed}
    if act.covers:
        given["covers"] = [each.isoformat() for each in act.covers]
    return {
        "rulebook": act.rulebook,
        "version": act.version,
        "item": act.item,
        "points": act.points,
        "act_date": act.act_date.isoformat(),
        "reason": pen.commitment(f"{act.item} on {act.act_date}"),
        "evidence": [{"kind": kind, "commitment": pen.commitment(kind)} for kind in act.evidence],
    } | {name: value for name, value in given.items() if value is not None}


def _day(when: datetime) -> str:
    return when.astimezone(_ZONE).date().isoformat()


def _late(when: datetime, act_date: date) -> bool:
    """Tell whether an act is recorded after its claim window: then the unit above signs (A30)."""
    return when.astimezone(_ZONE).date() - act_date > CLAIM_WINDOW
