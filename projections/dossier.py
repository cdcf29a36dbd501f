"""The read model behind dossiers: every entry of a member with the whole of its way.

Entries are folded with the domain's own fold of an account, so a state here is the state that the
next decision starts from. What an entry counts is worked out when it is asked for: it depends on
the member's other entries and on the rules of the day.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, NamedTuple

from ledger.domain.account import Account, PointsEntry, name_of
from ledger.domain.account_fold import evolve_account
from ledger.domain.event import Event
from ledger.signing import decode_base64, keyid
from projections import roster
from projections.columns import DATE, POINTS, Id, MaybeId, Note
from projections.fold import Group, Need, ReadModel, Rows, Table
from projections.frame import FRAME
from projections.packed import pack, unpack
from projections.roster import MEMBER, UNIT


class EntryRow(NamedTuple):
    """A points entry by the id of the statement that brought it in (rule A11)."""

    id: Id
    member: Annotated[str, Note("The member's id.")]
    seq: Annotated[int, Note("Place in the member's stream, from 1, of that statement.")]
    log_index: Annotated[int, Note("Place in the log, from 0, of that statement.")]
    kind: Annotated[str, Note("credit, debit or reversal.")]
    origin: Annotated[str, Note("claim, direct, import or correction.")]
    rulebook: Annotated[str, Note("The rulebook of the item.")]
    version: Annotated[str, Note("The rulebook's version; empty for an import.")]
    item: Annotated[str, Note("The item's code in the rulebook; empty for an import.")]
    account: Annotated[str | None, Note("Of an import: merit or service.")]
    act_date: Annotated[str, Note("The day of the act.", kind=DATE)]
    quantity: Annotated[int, Note("How many units of the item.", "1/100")]
    points: Annotated[int | None, Note("What reviewers signed for a unit of it.", POINTS)]
    state: Annotated[str, Note("Where the entry stands on its way.")]
    state_since: Annotated[str, Note("When it came there, RFC 3339 in UTC.")]
    closes: Annotated[str | None, Note("The last day of its publicity.", kind=DATE)]
    final_at: Annotated[str | None, Note("When it became final, RFC 3339 in UTC.")]
    final_index: Annotated[int | None, Note("Place in the log of what made it final.")]
    reverses: Annotated[MaybeId, Note("The entry that this one takes back.")]
    reversed_by: Annotated[MaybeId, Note("The entry that takes this one back.")]
    half_stream: Annotated[str | None, Note("The stream of its other half (two members).")]
    half: Annotated[MaybeId, Note("The other half of a correction over two members.")]
    whole: Annotated[str, Note("All that decisions look at, JSON.")]


class StepRow(NamedTuple):
    """A statement of an entry's way; keys stand for who signed it."""

    id: Id
    entry: Annotated[str, Note("The entry that it is about.", kind="uuid")]
    member: Annotated[str, Note("The member's id.")]
    log_index: Annotated[int, Note("Place in the log, from 0.")]
    recorded_at: Annotated[str, Note("When it was recorded, RFC 3339 in UTC.")]
    type: Annotated[str, Note("The statement's type, with its outcome or term if it has one.")]
    actor: Annotated[str, Note("Who made the statement.")]
    keyids: Annotated[str, Note("Key ids of all who signed, with a comma between.")]


class KeyRow(NamedTuple):
    """Whose a key is."""

    id: Annotated[str, Note("The key's id.")]
    actor: Annotated[str, Note("The actor's id.")]


class RoleRow(NamedTuple):
    """A role that an actor was granted, and until when it was held."""

    actor: Annotated[str, Note("The actor's id.")]
    role: Annotated[str, Note("The role's name.")]
    unit: Annotated[str, Note("The unit that it is over, with its sub-units.")]
    granted: Annotated[int, Note("Place in the log of the grant.")]
    revoked: Annotated[int | None, Note("Place in the log of its revocation.")]


ENTRY = Table("entry", EntryRow, group="member")
STEP = Table("step", StepRow)
KEY = Table("key", KeyRow)
ROLE = Table("role", RoleRow, key_size=4, group="actor")

_NAMES = ("entry", "reverses")


def needs(event: Event) -> Iterable[Need]:
    """Name the rows that `fold` reads for an event."""
    proposal = event.proposal
    kind, body = proposal.type, proposal.body
    if kind.startswith("points."):
        return [(ENTRY, body[name]) for name in _NAMES if body.get(name)]
    if kind == "key.registered" and "public_key" in body:
        return ((KEY, keyid(decode_base64(body["public_key"]))),)
    if kind == "role.revoked":
        return (Group(ROLE, proposal.stream.partition("/")[2]),)
    return roster.needs(event)


def needs_more(event: Event, rows: Rows) -> Iterable[Need]:
    """Name what an entry takes back, which its becoming final marks."""
    if not event.proposal.type.startswith("points."):
        return ()
    ident = event.proposal.body.get("entry")
    known = rows.get(ENTRY, ident) if ident else None
    return ((ENTRY, known.reverses),) if known is not None and known.reverses else ()


def fold(event: Event, rows: Rows) -> None:
    """Fold one event into members, entries, steps, keys and roles."""
    proposal = event.proposal
    kind, _, ident = proposal.stream.partition("/")
    if proposal.type.startswith("points."):
        _points(event, rows, ident)
    elif kind == "actor":
        _actor(event, rows, ident)
    else:
        roster.fold(event, rows)
        if kind == "ledger" and proposal.type == "ledger.founded":
            for listed in proposal.body["keys"]:
                key = keyid(decode_base64(listed["public_key"]))
                rows.put(KEY, KeyRow(key, listed["actor"]))
                root = RoleRow(listed["actor"], "registrar", "root", event.index, None)
                rows.put(ROLE, root)


def _points(event: Event, rows: Rows, member: str) -> None:
    proposal, body = event.proposal, event.proposal.body
    named = [body[name] for name in _NAMES if body.get(name)]
    before: dict[str, EntryRow] = {}
    while named:
        row = rows.get(ENTRY, named.pop())
        if row is None or row.member != member:
            raise ValueError(f"{body.get('entry') or body['reverses']} is no entry of {member}")
        before[row.id] = row
        if body.get("entry") == row.id and row.reverses:
            named.append(row.reverses)
    if proposal.type == "points.corrected" and body.get("reverses"):
        target = before[body["reverses"]]
        if target.state == "reversed":
            raise ValueError(f"{target.id} is reversed already, by {target.reversed_by}")
    account = Account(0, {name: aggregate(row) for name, row in before.items()})
    after = evolve_account(account, event)
    for name, entry in after.entries.items():
        known = before.get(name)
        if known is None or account.entries[name] is not entry:
            rows.put(ENTRY, _row(entry, member, event, known))
    about = body.get("entry") or proposal.id
    rows.put(
        STEP,
        StepRow(
            proposal.id,
            about,
            member,
            event.index,
            event.recorded_at,
            name_of(proposal.type, body),
            proposal.actor,
            ",".join(proposal.keyids),
        ),
    )


def _row(entry: PointsEntry, member: str, event: Event, known: EntryRow | None) -> EntryRow:
    half = entry.counterpart
    return EntryRow(
        entry.id,
        member,
        known.seq if known else event.seq,
        known.log_index if known else event.index,
        entry.kind,
        entry.origin,
        entry.rulebook,
        entry.version,
        entry.item,
        entry.account,
        entry.act_date,
        entry.quantity,
        entry.points,
        entry.state,
        entry.state_since,
        entry.closes,
        entry.final_at,
        entry.final_index,
        entry.reverses,
        entry.reversed_by,
        half.stream if half else None,
        half.id if half else None,
        pack(entry),
    )


def aggregate(row: EntryRow) -> PointsEntry:
    """Return the entry as the domain's fold made it."""
    return unpack(row.whole)


def _actor(event: Event, rows: Rows, ident: str) -> None:
    proposal, body = event.proposal, event.proposal.body
    if proposal.type == "key.registered" and "public_key" in body:
        rows.put(KEY, KeyRow(keyid(decode_base64(body["public_key"])), ident))
    elif proposal.type == "role.granted":
        rows.put(ROLE, RoleRow(ident, body["role"], body["unit"], event.index, None))
    elif proposal.type == "role.revoked":
        for held in rows.some(ROLE, ident):
            if held[1:3] == (body["role"], body["unit"]) and held.revoked is None:
                rows.put(ROLE, held._replace(revoked=event.index))


STATEMENTS = ReadModel(
    "statements",
    4,
    (UNIT, MEMBER, FRAME, ENTRY, STEP, KEY, ROLE),
    roster.KINDS | {"actor"},
    needs,
    fold,
    needs_more,
    whole=(FRAME,),
)
