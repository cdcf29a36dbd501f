"""Acts: what of a member's entries counts at a position, and what would (A29, A32, B12, B13).

A lean fold of the same statements as `ledger.domain.account`: of an entry's way it keeps only
whether the entry is pending, final or ended, and who took it back. A test compares the two.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date
from sys import intern
from typing import Annotated, Any, NamedTuple

from ledger.domain.account import CLAIM as CLAIMED
from ledger.domain.account import CORRECTION, CREDIT, DIRECT, IMPORT, KIND, REVERSAL
from ledger.domain.event import Event
from ledger.rules.stages import Entry
from projections.columns import DATE, POINTS, Id, MaybeId, Note
from projections.fold import Group, Need, Rows, Table

PENDING, FINAL, ENDED = "pending", "final", "ended"


class ActRow(NamedTuple):
    """A points entry as far as scoring needs it; `points` are per unit of the item, positive."""

    id: Id
    member: Annotated[str, Note("The member's id.")]
    rulebook: Annotated[str, Note("The rulebook of the item.")]
    version: Annotated[str, Note("The rulebook's version that the statement names.")]
    kind: Annotated[str, Note("credit, debit or reversal.")]
    origin: Annotated[str, Note("claim, direct, import or correction.")]
    account: Annotated[str | None, Note("Of an import: merit or service.")]
    item: Annotated[str, Note("The item's code in the rulebook; empty for an import.")]
    act_date: Annotated[str, Note("The day of the act.", kind=DATE)]
    quantity: Annotated[int, Note("How many units of the item.", "1/100")]
    points: Annotated[int | None, Note("What reviewers signed for a unit of it.", POINTS)]
    activity: Annotated[str | None, Note("The activity that a cap goes by.")]
    deed: Annotated[str | None, Note("The deed that counts once.")]
    state: Annotated[str, Note("pending, final or ended.")]
    counts: Annotated[bool, Note("Whether it is effective.")]
    final_index: Annotated[int | None, Note("Place in the log of what made it final.")]
    reverses: Annotated[MaybeId, Note("The entry that this one takes back.")]
    reversed_by: Annotated[MaybeId, Note("The entry that takes this one back.")]
    half: Annotated[MaybeId, Note("The other half of a correction over two members.")]


ACT = Table("act", ActRow, group="member")


_ALONE = frozenset({"points.awarded", "points.deducted", "points.claimed", "points.imported"})
"""Most statements: they bring in an act, and their fold reads no other."""


def needs(event: Event) -> Iterable[Need]:
    """Name the rows that `fold` reads beside the member's acts: what the statement names."""
    if event.proposal.type in _ALONE:
        return ()
    body = event.proposal.body
    named: list[Need] = [(ACT, body[name]) for name in ("entry", "reverses") if body.get(name)]
    half = body.get("counterpart")
    if half:
        named += [(ACT, half["id"]), Group(ACT, half["stream"].partition("/")[2])]
    return named


def needs_more(event: Event, rows: Rows) -> Iterable[Need]:
    """Name what an act that is made final takes back, and its other half with its member's acts."""
    if event.proposal.type in _ALONE:
        return ()
    named: list[Need] = []
    body = event.proposal.body
    for ident in (body.get("entry"), (body.get("counterpart") or {}).get("id")):
        act = rows.get(ACT, ident) if ident else None
        if act is None:
            continue
        named.append(Group(ACT, act.member))
        named += [(ACT, each) for each in (act.reverses, act.half) if each is not None]
        if act.half is not None and (half := _known(rows, act.half)) is not None:
            named.append(Group(ACT, half.member))
            if half.reverses is not None:
                named.append((ACT, half.reverses))
    return named


def _known(rows: Rows, ident: str) -> ActRow | None:
    try:
        return rows.get(ACT, ident)
    except LookupError:
        return None  # it is named now, and there in the next round


Changed = Iterable[ActRow]


def fold(event: Event, rows: Rows) -> Changed:
    """Fold an event about points, and return the acts that count from now on, or no longer do.

    Raises ValueError where it names what is not there.
    """
    apply = _FOLDS.get(event.proposal.type)
    return apply(event, rows) if apply is not None else ()


def entry_of(act: ActRow, *, fixed: bool) -> Entry:
    """Return an act as the engine reads it; a fixed item brings its own points."""
    points = None if fixed else act.points
    return Entry(str(act.act_date), act.id, act.item, act.quantity, points, act.activity, act.deed)


def _new(event: Event, act: dict[str, Any], kind: str, origin: str, state: str) -> ActRow:
    proposal = event.proposal
    date.fromisoformat(act["act_date"])
    return ActRow(
        proposal.id,
        intern(proposal.stream.partition("/")[2]),
        intern(act["rulebook"]),
        intern(act["version"]),
        kind,
        origin,
        None,
        intern(act["item"]),
        intern(act["act_date"]),
        act.get("quantity", 100),
        act.get("points"),
        act.get("activity"),
        act.get("deed"),
        state,
        False,
        None,
        None,
        None,
        None,
    )


def _per_unit(act: ActRow) -> ActRow:
    """Turn the whole entry's points of a direct statement into those per unit."""
    if act.points is None or act.quantity == 100:
        return act
    return act._replace(points=act.points * 100 // act.quantity)


def _direct(event: Event, rows: Rows) -> Changed:
    proposal, body = event.proposal, event.proposal.body
    date.fromisoformat(body["act_date"])
    quantity, points = body.get("quantity", 100), body["points"]
    act = ActRow(
        proposal.id,
        intern(proposal.stream.partition("/")[2]),
        intern(body["rulebook"]),
        intern(body["version"]),
        KIND[proposal.type],
        DIRECT,
        None,
        intern(body["item"]),
        intern(body["act_date"]),
        quantity,
        # The statement says the points of the whole entry.
        points if quantity == 100 else points * 100 // quantity,
        body.get("activity"),
        body.get("deed"),
        FINAL,
        True,
        event.index,
        None,
        None,
        None,
    )
    rows.put(ACT, act)
    return (act,)


def _claimed(event: Event, rows: Rows) -> Changed:
    body = event.proposal.body
    rows.put(ACT, _new(event, body, body.get("kind", CREDIT), CLAIMED, PENDING))
    return ()


def _imported(event: Event, rows: Rows) -> Changed:
    body = event.proposal.body
    act = _new(event, body | {"version": "", "item": ""}, body["kind"], IMPORT, PENDING)
    rows.put(ACT, act._replace(account=body["account"]))
    return ()


def _corrected(event: Event, rows: Rows) -> Changed:
    proposal, body = event.proposal, event.proposal.body
    member = intern(proposal.stream.partition("/")[2])
    reverses, raw, half = body.get("reverses"), body.get("replacement"), body.get("counterpart")
    target = rows.get(ACT, reverses) if reverses else None
    if reverses and (target is None or target.member != member):
        raise ValueError(f"{reverses} is no points entry of {member}")
    counted = target is None or target.kind == REVERSAL or target.state != FINAL or target.counts
    if not counted:
        raise ValueError(f"{reverses} is taken back already")
    walks = body.get("path") == "full" or "closes" in body
    state = PENDING if walks else FINAL
    if raw is not None:
        act = _new(event, raw, KIND[raw["type"]], CORRECTION, state)
        act = act if walks else _per_unit(act)
    else:
        assert target is not None  # noqa: S101 - the schema asks for one of the two
        act = target._replace(
            id=proposal.id,
            kind=REVERSAL,
            origin=CORRECTION,
            state=state,
            quantity=100,
            points=None,
            counts=False,
            final_index=None,
            reversed_by=None,
        )
    act = act._replace(reverses=reverses, half=half["id"] if half else None)
    rows.put(ACT, act)
    return _settle(event, rows, act) if state == FINAL else ()


def _settle(event: Event, rows: Rows, act: ActRow) -> Changed:
    """Make an act final; of two halves both have effect only when both are (B13)."""
    act = act._replace(state=FINAL, final_index=event.index)
    rows.put(ACT, act)
    halves = [act]
    if act.half is not None:
        other = rows.get(ACT, act.half)
        if other is None or other.state != FINAL:
            _name(rows, act)
            return ()
        halves.append(other)
    changed = []
    for each in halves:
        _name(rows, each)
        if each.kind != REVERSAL and each.reversed_by is None:
            rows.put(ACT, each._replace(counts=True))
            changed.append(each)
        target = rows.get(ACT, each.reverses) if each.reverses is not None else None
        if target is not None:
            rows.put(ACT, target._replace(counts=False, state=FINAL))
            changed.append(target)
    return changed


def _name(rows: Rows, act: ActRow) -> None:
    """Let what an act takes back name it."""
    target = rows.get(ACT, act.reverses) if act.reverses is not None else None
    if target is not None:
        rows.put(ACT, target._replace(reversed_by=act.id))


def _entry(event: Event, rows: Rows) -> ActRow:
    ident = event.proposal.body["entry"]
    act = rows.get(ACT, ident)
    member = event.proposal.stream.partition("/")[2]
    if act is None or act.member != member:
        raise ValueError(f"{ident} is no points entry of {member}")
    return act


def _reviewed(event: Event, rows: Rows) -> Changed:
    points = event.proposal.body.get("points")
    if points is not None:
        rows.put(ACT, _entry(event, rows)._replace(points=points))
    return ()


def _revised(event: Event, rows: Rows) -> Changed:
    before, body = _entry(event, rows), event.proposal.body
    act = _new(event, body, before.kind, before.origin, PENDING)
    rows.put(ACT, act._replace(id=before.id, reverses=before.reverses, half=before.half))
    return ()


def _lapsed(event: Event, rows: Rows) -> Changed:
    act, term = _entry(event, rows), event.proposal.body["term"]
    if term == "publicity":
        return _settle(event, rows, act)
    return _ended(event, rows) if term == "returned" else ()


def _ended(event: Event, rows: Rows) -> Changed:
    if not event.proposal.body.get("objection"):
        rows.put(ACT, _entry(event, rows)._replace(state=ENDED))
    return ()


_FOLDS: dict[str, Callable[[Event, Rows], Changed]] = {
    "points.awarded": _direct,
    "points.deducted": _direct,
    "points.claimed": _claimed,
    "points.imported": _imported,
    "points.corrected": _corrected,
    "points.reviewed": _reviewed,
    "points.revised": _revised,
    "points.lapsed": _lapsed,
    "points.rejected": _ended,
    "points.withdrawn": _ended,
}
"""Every statement after which other acts may count; the rest of a way is passed over."""
