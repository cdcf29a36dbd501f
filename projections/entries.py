"""Every points entry as it stands, and who had a hand in it: what the committee asks about.

One row an entry, moved on by the domain's own fold, so that a state here is the state there; and a
row for each person who signed a step of it. An entry's unit is the member's on the day of the act
(A4). Questions combine any conditions (`projections.finding`).
"""

from __future__ import annotations

from collections.abc import Iterable
from sys import intern
from typing import Annotated, Any, NamedTuple

import orjson

from ledger.domain import history
from ledger.domain.account import CREDIT, FINAL, REVERSAL, REVERSED, Account, PointsEntry
from ledger.domain.account_fold import evolve_account
from ledger.domain.days import zone_date
from ledger.domain.decide import FOUNDED
from ledger.domain.event import Event
from ledger.domain.history import History, Stay
from ledger.domain.unit import CLOSED
from ledger.signing import decode_base64, keyid
from projections import roster
from projections.columns import DATE, POINTS, UUID, Id, Note
from projections.fold import Group, Need, ReadModel, Rows, Table
from projections.packed import pack, unpack
from projections.roster import UNIT

ZONE = "zone"
AT_ONCE = "direct"
"""The step of a statement that proposes and decides: a recorder's and a committee member's."""
SCORING = ("claim", "check", "review", "upper", AT_ONCE)
REVIEWING = ("review", "upper", AT_ONCE)


class EntryRow(NamedTuple):
    """A points entry by its statement's id; `fixed` is what its item fixes a unit at, if it does.

    A reversal is worth nothing itself. `reversed` says that a final correction takes it back; of a
    correction over two members (B13) that is told from its own half's final on.
    """

    id: Id
    log_index: Annotated[int, Note("Place in the log of the statement that brought it in.")]
    member: Annotated[str, Note("The member's id.")]
    unit: Annotated[str, Note("The member's unit on the day of the act.")]
    kind: Annotated[str, Note("credit, debit or reversal.")]
    origin: Annotated[str, Note("claim, direct, import or correction.")]
    rulebook: Annotated[str, Note("The rulebook's id.")]
    version: Annotated[str, Note("The rulebook's version; empty for an import.")]
    item: Annotated[str, Note("The item's code; empty for an import.")]
    act_type: Annotated[str, Note("What kind of act it is, across rulebooks; empty for an import.")]
    act_date: Annotated[str, Note("The day of the act.", kind=DATE)]
    recorded_on: Annotated[str, Note("The day on which it was brought in.", kind=DATE)]
    state: Annotated[str, Note("Where it stands, as `ledger.domain.account` names it.")]
    amount: Annotated[int, Note("What it is worth before caps, a debit below zero.", POINTS)]
    reversed: Annotated[bool, Note("Whether a final correction takes it back.")]
    fixed: Annotated[int | None, Note("What the item fixes a unit at.", POINTS)]
    packed: Annotated[str, Note("All of it as the domain folds it, JSON.")]


class HandRow(NamedTuple):
    """That a person signed a step of an entry.

    The day of the act stands here too, so that an index holds it beside the person.
    """

    entry: Id
    statement: Annotated[str, Note("Id of the statement that was signed.", kind=UUID)]
    actor: Annotated[str, Note("Who signed.")]
    step: Annotated[str, Note("claim, check, review, direct, upper, notice, intake or the like.")]
    log_index: Annotated[int, Note("Place in the log of the statement that brought the entry in.")]
    act_date: Annotated[str, Note("The day of the entry's act.", kind=DATE)]
    recorded_at: Annotated[str, Note("When it was recorded, RFC 3339 in UTC.")]


class ItemRow(NamedTuple):
    """An item of a rulebook's version, in force or not."""

    rulebook: Annotated[str, Note("The rulebook's id.")]
    version: Annotated[str, Note("The rulebook's version.")]
    code: Annotated[str, Note("The item's code.")]
    act_type: Annotated[str, Note("What kind of act it is, across rulebooks.")]
    points: Annotated[int | None, Note("What a unit is worth, if that is fixed.", POINTS)]


class StaysRow(NamedTuple):
    """Where a member was from which day on: `[[start, unit, type], …]` as JSON."""

    member: Annotated[str, Note("The member's id.")]
    stays: Annotated[str, Note("First day, unit and type of each stay, JSON.")]


class NameRow(NamedTuple):
    """Whose key it is, what zone dates are of, or the right figure of an erratum."""

    name: Annotated[str, Note("A key id, `zone`, or the id of an erratum.")]
    value: Annotated[str, Note("The actor, the zone, or `points` and the figure.")]


ENTRY = Table("entry", EntryRow)
HAND = Table("hand", HandRow, key_size=3, group="entry")
ITEM = Table("item", ItemRow, key_size=3)
STAYS = Table("stays", StaysRow)
NAME = Table("name", NameRow)

_MOVING = ("member.enrolled", "member.transferred", "member.typed")
_LISTING = ("rulebook.part", "rulebook.drafted", "rulebook.revised", "rulebook.published")


def needs(event: Event) -> Iterable[Need]:
    """Name the rows that `fold` reads for an event."""
    proposal = event.proposal
    kind, body = proposal.type, proposal.body
    stream, _, ident = proposal.stream.partition("/")
    named: list[Need] = []
    if stream == "unit":
        named += roster.needs(event) if kind != CLOSED else [(UNIT, ident)]
        if kind == CLOSED:
            named += [(STAYS, each) for part in body["into"] for each in part["members"]]
    elif kind.startswith("points."):
        named = [(NAME, ZONE), (STAYS, ident), *((NAME, each) for each in proposal.keyids)]
        named += [(ENTRY, body[name]) for name in ("entry", "reverses") if name in body]
        act = body.get("replacement", body)
        if "item" in act:
            named.append((ITEM, (act["rulebook"], act["version"], act["item"])))
        if act.get("erratum") is not None:
            named.append((NAME, act["erratum"]))
        if kind == "points.revised":
            named.append(Group(HAND, body["entry"]))
    elif stream == "member":
        named = [(NAME, ZONE), (STAYS, ident)]
    elif kind == "key.registered":
        named = [(NAME, keyid(decode_base64(body["public_key"], 32)))]
    return named


def needs_more(event: Event, rows: Rows) -> Iterable[Need]:
    """Name what a correction takes back when it becomes final, and the erratum that it cites."""
    body, named = event.proposal.body, list[Need]()
    if not event.proposal.type.startswith("points."):
        return named
    for name in ("entry", "reverses"):
        row = rows.get(ENTRY, body[name]) if name in body else None
        entry = unpack(row.packed) if row is not None else None
        if entry is not None:
            named += [(ENTRY, entry.reverses)] if name == "entry" and entry.reverses else []
            named += [(NAME, entry.erratum)] if entry.erratum else []
    return named


def fold(event: Event, rows: Rows) -> None:
    """Fold one event into entries and hands, and into what those are read by."""
    proposal = event.proposal
    kind, body = proposal.type, proposal.body
    stream, _, ident = proposal.stream.partition("/")
    if kind.startswith("points."):
        _points(event, rows, ident)
    elif kind == FOUNDED:
        rows.put(NAME, NameRow(ZONE, body["time_zone"]))
        for each in body["keys"]:
            _key(rows, each["public_key"], each["actor"])
    elif kind == "key.registered":
        _key(rows, body["public_key"], ident)
    elif kind in _LISTING:
        for item in body["items"]:
            named = (ident, body["version"], item["code"])
            rows.put(ITEM, ItemRow(*named, item["act_type"], item.get("points")))
    elif kind == "rulebook.erratum":
        if body["field"] == "points":
            rows.put(NAME, NameRow(proposal.id, str(body["value"])))
    elif kind in _MOVING:
        stays = _stays(rows, ident)
        known = History(stays) if stays else None
        _keep(rows, ident, history.evolve(known, event, _today(event, rows)))
    elif stream == "unit":
        _unit(event, rows)


def _unit(event: Event, rows: Rows) -> None:
    body = event.proposal.body
    if event.proposal.type == CLOSED:
        for part in body["into"]:
            for name in part["members"]:
                known = History(_stays(rows, name))
                stay = Stay(body["date"], part["unit"], known.stays[-1].member_type)
                _keep(rows, name, history.moved(known, stay))
    roster.fold_unit(event, rows)


def _key(rows: Rows, public_key: str, actor: str) -> None:
    rows.put(NAME, NameRow(keyid(decode_base64(public_key, 32)), actor))


def _today(event: Event, rows: Rows) -> str:
    zone = rows.get(NAME, ZONE)
    return zone_date(zone.value if zone is not None else "UTC", event.recorded_at)


def _stays(rows: Rows, member: str) -> tuple[Stay, ...]:
    known = rows.get(STAYS, member)
    return tuple(Stay(*each) for each in orjson.loads(known.stays)) if known is not None else ()


def _keep(rows: Rows, member: str, after: History) -> None:
    said = orjson.dumps([list(each) for each in after.stays]).decode()
    rows.put(STAYS, StaysRow(intern(member), said))


def _points(event: Event, rows: Rows, member: str) -> None:
    """Move the entries that a statement is about, by the domain's own fold."""
    proposal = event.proposal
    before: dict[str, tuple[EntryRow, PointsEntry]] = {}

    def take(ident: str | None) -> PointsEntry | None:
        row = rows.get(ENTRY, ident) if ident else None
        if row is not None:
            before[row.id] = row, unpack(row.packed)
        return before[row.id][1] if row is not None else None

    # A correction that becomes final takes back what it reverses, and nothing before that.
    moving = take(proposal.body.get("entry"))
    take(moving.reverses if moving is not None else proposal.body.get("reverses"))
    named = proposal.body.get("entry")
    if named is not None and (named not in before or before[named][0].member != member):
        raise ValueError(f"{named} is no points entry of {member}")
    reverses = proposal.body.get("reverses")
    if reverses is not None:
        target = before.get(reverses)
        if target is None or target[0].member != member or target[1].state == REVERSED:
            raise ValueError(f"{reverses} is no points entry of {member} that still stands")
    account = Account(entries={ident: entry for ident, (_, entry) in before.items()})
    after = evolve_account(account, event)
    for ident, entry in after.entries.items():
        old = before.get(ident)
        if old is None or old[1] != entry:
            row = _row(event, rows, member, entry, old)
            rows.put(ENTRY, row)
            if old is not None and old[0].act_date != row.act_date:
                for hand in rows.some(HAND, ident):
                    rows.put(HAND, hand._replace(act_date=row.act_date))
            at_once = old is None and entry.state == FINAL
            _hands(rows, row, entry.steps[len(old[1].steps) if old else 0 :], at_once=at_once)


def _row(
    event: Event,
    rows: Rows,
    member: str,
    entry: PointsEntry,
    before: tuple[EntryRow, PointsEntry] | None,
) -> EntryRow:
    old = before[0] if before is not None else None
    if before is not None and _act(before[1]) == _act(entry):
        # Its act is as it was: unit and amount are too.
        return before[0]._replace(
            state=entry.state, reversed=entry.reversed_by is not None, packed=pack(entry)
        )
    act_type, fixed = "", None
    target = rows.get(ENTRY, entry.reverses) if entry.reverses and entry.kind == REVERSAL else None
    if old is not None and _item(old) == _item(entry):
        act_type, fixed = old.act_type, old.fixed
    elif target is not None:
        act_type = target.act_type
    elif entry.item:
        item = rows.get(ITEM, (entry.rulebook, entry.version, entry.item))
        act_type, fixed = (item.act_type, item.points) if item is not None else ("", None)
    right = rows.get(NAME, entry.erratum) if entry.erratum is not None else None
    each = int(right.value) if right is not None else entry.points if fixed is None else fixed
    worth = (each or 0) * entry.quantity // 100
    stays = _stays(rows, member)
    stay = next((s for s in reversed(stays) if s.start <= entry.act_date), None)
    return EntryRow(
        entry.id,
        old.log_index if old is not None else event.index,
        intern(member),
        intern((stay or stays[-1]).unit) if stays else "",
        entry.kind,
        entry.origin,
        intern(entry.rulebook),
        intern(entry.version),
        intern(entry.item),
        intern(act_type),
        intern(entry.act_date),
        old.recorded_on if old is not None else intern(_today(event, rows)),
        entry.state,
        0 if entry.kind == REVERSAL else worth if entry.kind == CREDIT else -worth,
        entry.reversed_by is not None,
        fixed,
        pack(entry),
    )


def _act(entry: PointsEntry) -> tuple[Any, ...]:
    return (*_item(entry), entry.points, entry.quantity, entry.act_date, entry.erratum)


def _item(named: EntryRow | PointsEntry) -> tuple[str, str, str]:
    return named.rulebook, named.version, named.item


def _hands(rows: Rows, row: EntryRow, steps: Iterable[Any], *, at_once: bool) -> None:
    for step in steps:
        name = AT_ONCE if at_once else step.name
        for ident in step.keyids:
            key = rows.get(NAME, ident)
            # A log that `verify log` lets through has no key that was not registered.
            actor = intern(key.value if key is not None else ident)
            hand = (row.id, step.id, actor, name, row.log_index, row.act_date)
            rows.put(HAND, HandRow(*hand, step.recorded_at))


ENTRIES = ReadModel(
    "entries",
    2,
    (UNIT, ENTRY, HAND, ITEM, STAYS, NAME),
    frozenset({"actor", "ledger", "member", "rulebook", "unit"}),
    needs,
    fold,
    needs_more,
)
