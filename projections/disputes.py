"""Disputes: where each stands, what is due when, and the steps that were taken.

Who filed and about what is not in the log before a decision opens it (B9), so it is not here: see
`ledger.store.register`. A term's end follows from the calendar as it stands at the position that is
read (A34), so it is worked out when asked.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Annotated, Any, NamedTuple

import orjson
import psycopg

from ledger.domain import dispute as disputes
from ledger.domain.calendar import PUBLISHED, Calendars
from ledger.domain.case_terms import due_term
from ledger.domain.days import days_between
from ledger.domain.decide import FOUNDED
from ledger.domain.dispute import OPEN, Disclosed, Dispute, Ruling
from ledger.domain.event import Event
from ledger.domain.organisation import ROOT_UNIT, Organisation
from ledger.domain.world import World
from ledger.errors import NotFoundError
from ledger.rules.calendar import Calendar
from projections.columns import Id, MaybeId, Note
from projections.fold import AsOf, Need, ReadModel, Rows, Table
from projections.sql import query

NEAR_DAYS = 5
"""A term is near in its last days: a warning is due (natural days)."""
PASSED, NEAR, RUNNING = "passed", "near", "running"


class CaseRow(NamedTuple):
    """A dispute as it stands: the fields of `ledger.domain.dispute.Dispute` but its parts."""

    id: Annotated[str, Note("The dispute's id.")]
    version: Annotated[int, Note("Entries in its stream so far.", "entries")]
    unit: Annotated[str, Note("The unit where it is handled.")]
    kind: Annotated[str, Note("entry or ranking.")]
    target: Annotated[str, Note("Commitment to what it is about.")]
    filer: Annotated[str, Note("Commitment to what the filer signed.")]
    anonymous: Annotated[bool, Note("Whether nobody signed the report.")]
    state: Annotated[str, Note("Where it stands, as `ledger.domain.dispute` names it.")]
    received_at: Annotated[str, Note("When it was received, RFC 3339 in UTC.")]
    term_at: Annotated[str, Note("When the term that runs began, RFC 3339 in UTC.")]
    accepted_at: Annotated[str | None, Note("When who may decide was fixed, RFC 3339 in UTC.")]
    ended_at: Annotated[str | None, Note("When it was decided or ended, RFC 3339 in UTC.")]
    evidence: Annotated[int, Note("Pieces of evidence that were added.", "pieces")]
    appeal_index: Annotated[int | None, Note("Index in the log of the appeal.")]
    pool: Annotated[str, Note("Who may be drawn for the re-examination, with spaces between.")]
    drawn: Annotated[str, Note("Who was drawn, with spaces between.")]
    reexamined: Annotated[bool, Note("Whether the decision is a re-examination's.")]
    resumes: Annotated[str | None, Note("The state in which it was withdrawn.")]
    lapses: Annotated[int, Note("How often the term that runs has lapsed.", "lapses")]
    lengthened: Annotated[str | None, Note("The end to which the term was lengthened.")]
    extended: Annotated[bool, Note("Whether the term was lengthened.")]
    ruling: Annotated[MaybeId, Note("The decision.")]
    outcome: Annotated[str | None, Note("dismissed, reversed or corrected.")]
    about_stream: Annotated[str | None, Note("Stream of the entry that the decision opened.")]
    about_entry: Annotated[MaybeId, Note("The entry that the decision opened.")]


class PartRow(NamedTuple):
    """A step of a dispute; `said` is its step, outcome, term, new unit or scope."""

    dispute: Annotated[str, Note("The dispute's id.")]
    seq: Annotated[int, Note("Place in the dispute's stream, from 1.")]
    statement: Id
    type: Annotated[str, Note("The statement's type.")]
    actor: Annotated[str, Note("Who said it; others may have signed too.")]
    signatures: Annotated[int, Note("How many keys signed it.", "keys")]
    said: Annotated[str | None, Note("Its step, outcome, term, new unit, or scope.")]
    recorded_at: Annotated[str, Note("When it was recorded, RFC 3339 in UTC.")]


class SettingRow(NamedTuple):
    """What terms are counted by: the time zone, and each published year of the calendar."""

    name: Annotated[str, Note("zone, or the index of the calendar's entry.")]
    recorded_at: Annotated[str, Note("When it was recorded, RFC 3339 in UTC.")]
    value: Annotated[str, Note("The zone's name, or the calendar's body as JSON.")]


CASE = Table("dispute", CaseRow)
PART = Table("part", PartRow, key_size=2)
SETTING = Table("setting", SettingRow)


@dataclass(frozen=True, slots=True)
class Standing:
    """A case with the term that runs, its last day, and whether that is near or passed."""

    case: CaseRow
    term: str | None
    due: str | None
    warning: str | None


@dataclass(frozen=True, slots=True)
class Cases:
    """Cases at a position of the log, looked at on a day."""

    as_of: AsOf
    today: str
    standings: tuple[Standing, ...]


@dataclass(frozen=True, slots=True)
class CaseFile:
    """One case with its steps in order, and the day in the zone on which it was received."""

    as_of: AsOf
    standing: Standing
    received_on: str
    parts: tuple[PartRow, ...]


def needs(event: Event) -> Iterable[Need]:
    """Name the row that `fold` reads for an event."""
    kind, _, ident = event.proposal.stream.partition("/")
    return ((CASE, ident),) if kind == "dispute" else ()


def fold(event: Event, rows: Rows) -> None:
    """Fold one event into cases, parts and settings."""
    proposal = event.proposal
    kind, body = proposal.type, proposal.body
    if not proposal.stream.startswith("dispute/"):
        if kind == FOUNDED:
            rows.put(SETTING, SettingRow("zone", event.recorded_at, body["time_zone"]))
        elif kind == PUBLISHED:
            said = orjson.dumps(body).decode()
            rows.put(SETTING, SettingRow(f"{event.index:020d}", event.recorded_at, said))
        return
    ident = proposal.stream.partition("/")[2]
    known = rows.get(CASE, ident)
    if known is None and kind != "dispute.received":
        raise ValueError(f"dispute {ident} was not received")
    rows.put(CASE, _row(disputes.evolve(_dispute(known) if known else None, event)))
    said_of = ("step", "outcome", "term", "scope", "unit")
    step = next((body[name] for name in said_of if name in body), None)
    rows.put(
        PART,
        PartRow(
            ident,
            event.seq,
            proposal.id,
            kind,
            proposal.actor,
            len(proposal.keyids),
            step,
            event.recorded_at,
        ),
    )


def _row(case: Dispute) -> CaseRow:
    ruling = case.ruling
    about = ruling.about if ruling is not None else None
    same = {_NAMES.get(name, name): getattr(case, name) for name in _SAME}
    return CaseRow(
        **same | {"pool": " ".join(case.pool), "drawn": " ".join(case.drawn)},
        ruling=ruling.id if ruling is not None else None,
        outcome=ruling.outcome if ruling is not None else None,
        about_stream=about.stream if about is not None else None,
        about_entry=about.entry if about is not None else None,
    )


_NAMES = {"index": "appeal_index", "until": "lengthened"}
_LEFT_OUT = {"parts", "ruling", "texts", "erased"}
_SAME = tuple(each.name for each in fields(Dispute) if each.name not in _LEFT_OUT)


def _dispute(row: CaseRow) -> Dispute:
    """Return the aggregate of a row: who signed which part is not needed to fold on."""
    same = row._asdict()
    for name, column in _NAMES.items():
        same[name] = same.pop(column)
    ruling, outcome = same.pop("ruling"), same.pop("outcome")
    stream, entry = same.pop("about_stream"), same.pop("about_entry")
    about = Disclosed(stream, entry) if stream is not None else None
    return Dispute(
        **same
        | {
            "parts": (),
            "pool": tuple(row.pool.split()),
            "drawn": tuple(row.drawn.split()),
            "ruling": Ruling(ruling, outcome, (), about) if ruling is not None else None,
        }
    )


DISPUTES = ReadModel(
    "disputes",
    1,
    (CASE, PART, SETTING),
    frozenset({"dispute", "ledger", "unit"}),
    needs,
    fold,
)


def _counting(settings: Iterable[SettingRow]) -> World:
    """Return a world that holds what terms are counted by, and nothing else."""
    world = World()
    changes: list[tuple[str, Calendar]] = [("", Calendar())]
    for name, recorded_at, value in sorted(settings):
        if name == "zone":
            world.organisations[ROOT_UNIT] = Organisation(0, value, 0, ())
            continue
        body = orjson.loads(value)
        after = changes[-1][1].with_year(body["year"], body["holidays"], body["workdays"])
        changes.append((recorded_at, after))
    world.calendars[ROOT_UNIT] = Calendars(tuple(changes))
    return world


def _standing(world: World, row: CaseRow, today: str) -> Standing:
    due = due_term(world, _dispute(row))
    if due is None:
        return Standing(row, None, None, None)
    warning = RUNNING
    if today > due.due:
        warning = PASSED
    elif days_between(today, due.due) <= NEAR_DAYS:
        warning = NEAR
    return Standing(row, due.term, due.due, warning)


def _day(world: World, when: str) -> str:
    """Return the day that is meant: a day as it is, or the zone's date of an instant."""
    if len(when) == len("2026-01-01") or world.organisation is None:
        return when[:10]
    return world.today(when)


def _cases(
    as_of: AsOf, settings: Iterable[SettingRow], rows: Iterable[CaseRow], when: str
) -> Cases:
    world = _counting(settings)
    today = _day(world, when)
    found = [_standing(world, each, today) for each in rows]
    found.sort(key=lambda each: (each.due or "~", each.case.received_at, each.case.id))
    return Cases(as_of, today, tuple(found))


def from_rows(rows: Rows, as_of: AsOf, when: str, *, every: bool = False) -> Cases:
    """Return the open cases, or with `every` all, by what is due first, looked at on `when`.

    That is a day, or an RFC 3339 instant in UTC.
    """
    cases = (each for each in rows.all(CASE) if every or each.state in OPEN)
    return _cases(as_of, rows.all(SETTING), cases, when)


def from_database(
    connection: psycopg.Connection[Any],
    build: int,
    as_of: AsOf,
    when: str,
    *,
    every: bool = False,
) -> Cases:
    """Return the open cases, or with `every` all, from a build's tables."""
    asked = {"size": as_of.size, "open": sorted(OPEN), "every": every}
    found = connection.execute(query("disputes", "cases", build).encode(), asked)
    cases = [CaseRow(*each) for each in found]
    return _cases(as_of, _settings(connection, build, as_of), cases, when)


def file_from_database(
    connection: psycopg.Connection[Any], build: int, as_of: AsOf, ident: str, when: str
) -> CaseFile:
    """Return one case with its steps. Raises NotFoundError for an unknown one."""
    asked = {"size": as_of.size, "dispute": ident}
    found = connection.execute(query("disputes", "case", build).encode(), asked).fetchone()
    if found is None:
        raise NotFoundError(f"no dispute {ident!r} is recorded: ask for one by its id")
    parts = connection.execute(query("disputes", "parts", build).encode(), asked)
    world = _counting(_settings(connection, build, as_of))
    case = CaseRow(*found)
    standing = _standing(world, case, _day(world, when))
    received_on = _day(world, case.received_at)
    return CaseFile(as_of, standing, received_on, tuple(PartRow(*each) for each in parts))


def _settings(connection: psycopg.Connection[Any], build: int, as_of: AsOf) -> list[SettingRow]:
    asked = {"size": as_of.size}
    found = connection.execute(query("disputes", "settings", build).encode(), asked)
    return [SettingRow(*each) for each in found]
