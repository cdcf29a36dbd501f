"""Which entries are under way, and from when on a term of theirs may have run out (B2, B21).

An index, no answer: how long a term runs depends on the calendar, on outages and on extensions, so
the day kept here is one that a term never ends before. Who asks looks at the entries whose day is
near, by the rules (`ledger.domain.lapses`), instead of at all that are under way.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Annotated, Any, NamedTuple

from ledger.domain import policy
from ledger.domain.account import DIRECT, ENDED, FILED
from ledger.domain.event import Event
from ledger.domain.lapses import PASSES_MAX
from projections.columns import DATE, Id, Note
from projections.fold import Need, ReadModel, Rows, Table
from projections.snapshot import Snapshot
from projections.sql import query


class EntryRow(NamedTuple):
    """An entry that came in by the full path or by import."""

    id: Id
    member: Annotated[str, Note("The member's id.")]
    rulebook: Annotated[str, Note("The rulebook that prices it.")]
    open: Annotated[
        bool, Note("Whether a step may still be to come; false once it has ended or is filed.")
    ]
    earliest: Annotated[
        str | None,
        Note("The running term ends on this day or later; none where no term runs.", kind=DATE),
    ]
    lapses: Annotated[int, Note("So many terms lapsed since the last step.", "terms")]


class FigureRow(NamedTuple):
    """The shortest terms that any version of a rulebook sets, in days of any kind."""

    rulebook: Annotated[str, Note("The rulebook's id.")]
    first_review: Annotated[int, Note("For a check, a review, a reconsideration.", "days")]
    acknowledgement: Annotated[int, Note("For accepting an objection.", "working days")]
    second_review: Annotated[int, Note("For deciding an appeal.", "days")]


ENTRY = Table("entry", EntryRow, past=False)
FIGURE = Table("figure", FigureRow, past=False)

_FIRST_REVIEW, _ACKNOWLEDGEMENT, _SECOND_REVIEW, _RETURNED = range(4)
_OPENS = {
    "points.claimed": _FIRST_REVIEW,
    "points.corrected": _FIRST_REVIEW,
    "points.checked": _FIRST_REVIEW,
    "points.reviewed": _FIRST_REVIEW,
    "points.revised": _FIRST_REVIEW,
    "points.returned": _RETURNED,
    "points.objected": _ACKNOWLEDGEMENT,
    "points.acknowledged": _FIRST_REVIEW,
    "points.reconsidered": _FIRST_REVIEW,
    "points.appealed": _SECOND_REVIEW,
}
"""Which term a statement opens; one that names the last day of a publicity opens that."""
_MAY_OPEN = frozenset({"points.reviewed", "points.objected"})
"""These open nothing where other reviewers are still to come, or another objection is open."""
_LAPSED = {
    "first_review": _FIRST_REVIEW,
    "reconsideration": _FIRST_REVIEW,
    "objection_ack": _ACKNOWLEDGEMENT,
    "appeal": _SECOND_REVIEW,
}
"""Which term runs anew when one lapsed and the task passed on."""
_CLOSE = frozenset({"points.filed", "points.rejected"})


def needs(event: Event) -> Iterable[Need]:
    """Name the rows that `fold` reads for an event."""
    proposal = event.proposal
    body = proposal.body
    if proposal.type.startswith("rulebook."):
        return ((FIGURE, proposal.stream.partition("/")[2]),)
    if not proposal.type.startswith("points."):
        return ()
    found: list[Need] = [(ENTRY, body[name]) for name in ("entry", "reverses") if name in body]
    acts = (body, body.get("replacement", {}))
    return [*found, *((FIGURE, act["rulebook"]) for act in acts if "rulebook" in act)]


def needs_more(event: Event, rows: Rows) -> Iterable[Need]:
    """Name the figures of the rulebook of the entry that an event is about."""
    named = event.proposal.body.get("entry") if event.proposal.type.startswith("points.") else None
    row = rows.get(ENTRY, named) if named is not None else None
    return ((FIGURE, row.rulebook),) if row is not None else ()


def fold(event: Event, rows: Rows) -> None:
    """Fold one event into what is under way."""
    proposal = event.proposal
    kind, body = proposal.type, proposal.body
    if kind in ("rulebook.drafted", "rulebook.revised", "rulebook.published"):
        _figures(proposal.stream.partition("/")[2], body.get("policy", {}), rows)
    elif kind in ("points.claimed", "points.imported", "points.corrected"):
        _came_in(event, rows)
    elif kind.startswith("points.") and "entry" in body:
        row = rows.get(ENTRY, body["entry"])
        if row is not None:
            rows.put(ENTRY, _moved(event, row, rows))


def _came_in(event: Event, rows: Rows) -> None:
    proposal = event.proposal
    body = proposal.body
    act: dict[str, Any] = body.get("replacement", body)
    if proposal.type == "points.corrected" and "closes" not in body and "path" not in body:
        return  # on the short path it is final at once
    target = rows.get(ENTRY, body["reverses"]) if "reverses" in body else None
    rulebook = act.get("rulebook") or (target.rulebook if target is not None else "")
    member = proposal.stream.partition("/")[2]
    row = EntryRow(proposal.id, member, rulebook, open=True, earliest=None, lapses=0)
    rows.put(ENTRY, _moved(event, row, rows))


def _moved(event: Event, row: EntryRow, rows: Rows) -> EntryRow:
    """Return an entry's row after a statement about it."""
    kind, body = event.proposal.type, event.proposal.body
    if kind in _CLOSE or (kind == "points.withdrawn" and "objection" not in body):
        return row._replace(open=False, earliest=None)
    if kind == "points.reexamined":
        return row._replace(open=True, earliest=None, lapses=0)
    if "closes" in body:
        return row._replace(open=True, earliest=body["closes"], lapses=0)
    if kind == "points.extended":
        return row._replace(earliest=body["until"])
    if kind == "points.lapsed":
        return _lapsed(event, row, rows)
    term = _OPENS.get(kind)
    if term is None:
        return row
    first = _earliest(event, row, rows, term)
    if kind in _MAY_OPEN and row.earliest is not None:
        first = min(first, row.earliest)
    return row._replace(open=True, earliest=first, lapses=0)


def _lapsed(event: Event, row: EntryRow, rows: Rows) -> EntryRow:
    term = _LAPSED.get(event.proposal.body["term"])
    if term is None:
        # Publicity is over, and the entry waits to be filed; or a return, and it is withdrawn.
        final = event.proposal.body["term"] == "publicity"
        return row._replace(open=final, earliest=None, lapses=0)
    if row.lapses + 1 >= PASSES_MAX:
        return row._replace(earliest=None, lapses=row.lapses + 1)
    return row._replace(earliest=_earliest(event, row, rows, term), lapses=row.lapses + 1)


def _earliest(event: Event, row: EntryRow, rows: Rows, term: int) -> str:
    """Return a day that a term which opens now does not end before.

    It opens on the UTC date of its record or, in some zone, a day earlier; so many working days
    are at least so many days.
    """
    known = rows.get(FIGURE, row.rulebook) or _defaults(row.rulebook)
    days = (*known[1:], policy.RETURNED_DAYS)[term]
    opened = date.fromisoformat(event.recorded_at[:10]) - timedelta(days=1)
    return (opened + timedelta(days=days)).isoformat()


_NAMES = ("first_review_days", "objection_ack_working_days", "second_review_days")


def _defaults(rulebook: str) -> FigureRow:
    return FigureRow(rulebook, *(policy.DEFAULTS[name] for name in _NAMES))


def _figures(rulebook: str, given: dict[str, Any], rows: Rows) -> None:
    before = rows.get(FIGURE, rulebook)
    found = [int(given.get(name, policy.DEFAULTS[name])) for name in _NAMES]
    if before is not None:
        found = [min(pair) for pair in zip(before[1:], found, strict=True)]
    rows.put(FIGURE, FigureRow(rulebook, *found))


TERMS = ReadModel(
    "terms",
    1,
    (ENTRY, FIGURE),
    frozenset({"member", "rulebook"}),
    needs,
    fold,
    needs_more,
)


class Open(NamedTuple):
    """An entry under way, and its member."""

    entry: str
    member: str


def due(at: Snapshot, today: str, after: tuple[str, str], limit: int) -> list[tuple[str, Open]]:
    """Return entries, each behind its earliest day, with a term that may be over by `today`.

    In the order of that day and their ids, behind `after`; `limit` of them at most.
    """
    asked = {"today": today, "day": after[0], "entry": after[1], "limit": limit}
    rows = at.connection.execute(query("terms", "due", at.build).encode(), asked)
    return [(day, Open(entry, member)) for day, entry, member in rows]


def under_way(at: Snapshot, members: list[str] | None, after: str, limit: int) -> list[Open]:
    """Return entries under way of `members`, or of all, by id behind `after`."""
    asked = {"members": members, "entry": after, "limit": limit}
    rows = at.connection.execute(query("terms", "under_way", at.build).encode(), asked)
    return [Open(entry, member) for entry, member in rows]


def were_under_way(at: Snapshot, members: list[str] | None, after: str, limit: int) -> list[Open]:
    """Return what `under_way` returned when the log ended at a snapshot of the model `entries`.

    This model keeps no past. What waits for nobody may be among them.
    """
    asked = {"members": members, "entry": after, "limit": limit, "size": at.as_of.size}
    asked |= {"direct": DIRECT, "ended": sorted({FILED, *ENDED})}
    rows = at.connection.execute(query("entries", "under_way", at.build).encode(), asked)
    return [Open(entry, member) for entry, member in rows]
