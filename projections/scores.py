"""The read model behind rankings: members, what counts of their acts, and their figures.

Figures are derived: after a batch, the members that it touched are reckoned again from their acts
as they stand, so that its cost follows from those members alone. The table has no past; for an
earlier size, and in a replay, figures are reckoned when they are asked for, by the same function.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Annotated, NamedTuple

from ledger.domain.event import Event
from ledger.rules.book import Book
from ledger.rules.member import Member
from ledger.rules.period import Period, following
from ledger.rules.rulebook import WEIGHTED3
from projections import acts, roster
from projections.acts import ACT
from projections.columns import DATE, Note
from projections.fold import Group, Need, ReadModel, Rows, Table
from projections.frame import FRAME, Frame, frame_of
from projections.reckoning import ScoreRow, reckon, segments
from projections.roster import MEMBER, UNIT, history_of

ALL = ""
"""Instead of a day: every year of the member is reckoned again."""
_SWEEPING = frozenset(
    {"unit.moved", "rulebook.published", "rulebook.piloted", "rulebook.extended", "period.opened",
     "review.closed"}
)  # fmt: skip
"""What changes the figures of all members of a unit."""


class ReachRow(NamedTuple):
    """How far a member's figures under a rulebook are kept; later years have no acts yet."""

    member: Annotated[str, Note("The member's id.")]
    rulebook: Annotated[str, Note("The rulebook's id.")]
    scored_to: Annotated[str, Note("First day of the last year with figures.", kind=DATE)]
    left_on: Annotated[str, Note("The last day of a member who left, else 9999-12-31.", kind=DATE)]


SCORE = Table("score", ScoreRow, key_size=4, past=False, group="member")
REACH = Table("reach", ReachRow, key_size=2, past=False, group="member")


def stream_needs(stream: str) -> Iterable[Need]:
    """Name the rows that `fold` and `finish` read for all events of a stream."""
    kind, _, ident = stream.partition("/")
    if kind == "member":
        return _of_member(ident)
    return (Group(MEMBER, ident),) if kind == "unit" else ()


def needs(event: Event) -> Iterable[Need]:
    """Name the rows that `fold` and `finish` read for an event besides."""
    proposal = event.proposal
    if proposal.type.startswith("points."):
        return acts.needs(event)
    named: list[Need] = list(roster.needs(event))
    for each in (*roster.moved_by(event), *roster.merged_into(event)):
        named += _of_member(each)
    if proposal.type == "review.recorded":
        named += _of_member(proposal.body["member"])
    return named


def needs_more(event: Event, rows: Rows) -> Iterable[Need]:
    """Name the members that a change around them touches, and their acts and figures."""
    proposal = event.proposal
    if proposal.type.startswith("points."):
        named = list(acts.needs_more(event, rows))
        for each in list(named):
            if isinstance(each, Group):
                named += _of_member(each.value)
        return named
    named = []
    for unit in _swept(event, frame_of(rows)):
        named.append(Group(MEMBER, unit))
        try:
            for member in rows.some(MEMBER, unit):
                named += _of_member(member.id)
        except LookupError:
            continue  # the next round has them
    return named


def _of_member(ident: str) -> list[Need]:
    return [(MEMBER, ident), Group(ACT, ident), Group(SCORE, ident), Group(REACH, ident)]


def fold(event: Event, rows: Rows) -> None:
    """Fold one event, and note whom it touches."""
    proposal = event.proposal
    if proposal.type.startswith("points."):
        changed = acts.fold(event, rows)
        if rows.has(SCORE):
            for act in changed:
                _touch(rows, act.member, str(act.act_date), event)
        return
    roster.fold(event, rows)
    if not rows.has(SCORE):
        return
    kind, _, ident = proposal.stream.partition("/")
    for each in roster.moved_by(event):
        _touch(rows, each, ALL, event)
    if kind == "member" and proposal.type != "member.linked":
        for each in (ident, *roster.merged_into(event)):
            _touch(rows, each, ALL, event)
    elif proposal.type == "review.recorded":
        period = frame_of(rows).world.periods.get(ident)
        _touch(rows, proposal.body["member"], period.start if period else ALL, event)
    elif proposal.type in _SWEEPING:
        frame = frame_of(rows)
        opened = frame.world.periods.get(ident) if kind == "period" else None
        for unit in _swept(event, frame):
            for member in rows.some(MEMBER, unit):
                _touch(rows, member.id, opened.start if opened else ALL, event)


def _swept(event: Event, frame: Frame) -> Iterator[str]:
    """Yield the units whose members an event touches, as far as the frame knows them."""
    proposal = event.proposal
    kind, body, ident = proposal.type, proposal.body, proposal.stream.partition("/")[2]
    if kind not in _SWEEPING:
        return
    units: Iterable[str]
    if kind == "unit.moved":
        units = (ident,)
    elif kind in ("rulebook.published", "period.opened"):
        units = (body["unit"],)
    elif kind == "rulebook.piloted":
        units = body["units"]
    elif kind == "rulebook.extended":
        known = frame.world.rulebooks.get(ident)
        trial = known.trials.get(body["version"]) if known else None
        pilot = trial.version.pilot if trial else None
        units = pilot.units if pilot else ()
    else:
        period = frame.world.periods.get(ident)
        units = (period.unit,) if period else ()
    today = frame.today(event.recorded_at)
    for unit in units:
        yield from frame.covered(unit, today)


def _touch(rows: Rows, member: str, day: str, event: Event) -> None:
    known = rows.touched.get(member)
    days = known[0] if known is not None else set()
    days.add(day)
    rows.touched[member] = days, event.recorded_at


def finish(rows: Rows) -> None:
    """Reckon every touched member again, in the years that were touched."""
    frame = frame_of(rows)
    for ident, (days, at) in rows.touched.items():
        known = rows.get(MEMBER, ident)
        if known is None:
            continue
        member = frame.member(ident, history_of(known))
        mine = rows.some(ACT, ident)
        held: dict[tuple[str, str], list[ScoreRow]] = {}
        for row in rows.some(SCORE, ident):
            held.setdefault((row.rulebook, str(row.year)), []).append(row)
        reached = {each.rulebook: str(each.scored_to) for each in rows.some(REACH, ident)}
        for rulebook in sorted(rulebooks_of(member, (each.rulebook for each in mine))):
            book = frame.book(rulebook)
            if book is None:
                continue
            reckoned = reckon(frame, member, mine, book)
            years = _years(book, member, days, reached.get(rulebook), frame.today(at))
            for year in years:
                month = _first_month(book, year, days, str(reached.get(rulebook, "")))
                new = segments(frame, reckoned, year, month)
                starts = {each.from_month for each in new}
                for row in new:
                    rows.put(SCORE, row)
                for row in held.get((rulebook, year.first), ()):
                    if row.until_month >= month and row.from_month not in starts:
                        rows.drop(SCORE, SCORE.key(row))
            last = max([each.first for each in years] + [reached.get(rulebook, "")])
            rows.put(REACH, ReachRow(ident, rulebook, last, member.left))
    rows.touched.clear()


def _first_month(book: Book, year: Period, days: set[str], reached: str) -> int:
    """Return the first month whose figures may have changed: acts count from their own on."""
    if ALL in days or year.first > reached or _carries(book):
        return 1
    return min(
        [place.month for day in days if (place := book.periods.place(day)).period == year],
        default=1,
    )


def rulebooks_of(member: Member, named: Iterable[str]) -> set[str]:
    """Return the rulebooks that a member was ever under, or has acts of."""
    return {*(each.rulebook for each in member.spells), *named} - {""}


def _years(
    book: Book, member: Member, days: set[str], reached: str | None, today: str
) -> list[Period]:
    """Return the years to reckon: those touched, those not yet reached, and what they carry to."""
    of = book.periods.of
    first = of(member.spells[0].start).first
    last = max(of(today).first, of(member.spells[-1].start).first, reached or "")
    touched = {of(day).first for day in days if day != ALL}
    last = max([last, *touched])
    whole = reached is None or ALL in days
    start = min([first, *touched] if whole or reached is None else [*touched, reached])
    found, at = [], of(start)
    while at.first <= last:
        if whole or _carries(book) or at.first in touched or at.first > (reached or ""):
            found.append(at)
        at = of(following(at.last))
    return found


def _carries(book: Book) -> bool:
    return any(
        each.merit.carry_over is not None or each.annual.kind == WEIGHTED3
        for each in (*book.published, *book.pilots)
    )


RANKINGS = ReadModel(
    "rankings",
    4,
    (UNIT, MEMBER, FRAME, ACT, SCORE, REACH),
    roster.KINDS,
    needs,
    fold,
    needs_more,
    whole=(FRAME,),
    stream_needs=stream_needs,
    finish=finish,
)
