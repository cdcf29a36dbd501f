"""Decides the steps of a period, and says what is late and what is an adjustment (A28 to A31).

The seal is of the log up to and with the closing of objections: `as_of` is that entry's index
plus 1, so nobody picks the moment, and it comes within days or the unit above signs too
(cheat 12).
"""

from __future__ import annotations

from datetime import date

from ledger.domain.days import days_between, real_date
from ledger.domain.deadlines import natural_end, working_end
from ledger.domain.event import Proposal
from ledger.domain.period import CLOSED, CUT_OFF, OPEN, PUBLISHED, SEALED, YEAR, Period, Seal
from ledger.domain.policy import DEFAULTS
from ledger.domain.pricing import path_on
from ledger.domain.rights import need, need_above, need_pair, path, signers
from ledger.domain.world import World
from ledger.errors import Refused
from ledger.rules.book import Book
from ledger.rules.period import MONTHS, QUARTERS
from ledger.rules.rulebook import Version

SEAL_DAYS_MAX = 15
"""Natural days after the closing of objections in which the unit alone can seal (cheat 12)."""

_SAYS = {
    OPEN: "open",
    CUT_OFF: "cut off",
    PUBLISHED: "published",
    CLOSED: "closed to objections",
    SEALED: "sealed",
}


def opened(world: World, proposal: Proposal, ident: str, today: str) -> None:
    """Raise Refused unless the days are a month, quarter or year of the unit's rulebook (A9)."""
    body = proposal.body
    signers(world, proposal)
    if world.periods.get(ident) is not None:
        raise Refused("period-once", f"period {ident} is open already")
    unit = body["unit"]
    known_unit = world.units.get(unit)
    if known_unit is None:
        raise Refused("unit-known", f"unit {unit} is not opened")
    need(world, proposal.actor, "secretary", unit, today)
    start, end = real_date(body["start"], "start"), real_date(body["end"], "end")
    ended = known_unit.closed
    if ended is not None and start >= ended:
        raise Refused("unit-closed", f"unit {unit} is closed from {ended} on")
    known = world.rulebooks.get(body["rulebook"])
    book = known.book if known else None
    if book is None or governing_version(world, book, unit, start) is None:
        raise Refused("rulebook-scope", f"{body['rulebook']} does not apply to {unit} in {start}")
    if (start, end) not in spans(book, body["kind"], start):
        raise Refused(
            "period-days",
            f"{start} to {end} is no {body['kind']} of {book.id}, whose year starts on "
            f"{book.periods.start}",
        )
    same = world.spans.get(f"{unit} {book.id} {body['kind']} {start}")
    if same is not None:
        raise Refused("period-once", f"{same} is that {body['kind']} of {unit} already")


def cut_off(world: World, proposal: Proposal, ident: str, today: str) -> None:
    """Raise Refused unless the cut-off day of an open period is past (A30)."""
    period = _next(world, ident, OPEN)
    signers(world, proposal)
    need(world, proposal.actor, "secretary", period.unit, today)
    last = cut_off_day(world, period)
    if today <= last:
        raise Refused("cut-off-day", f"entries are taken until {last}, that day included")


def published(world: World, proposal: Proposal, ident: str, today: str) -> None:
    """Raise Refused unless the table is of the log after the cut-off, and the period is over."""
    period = _next(world, ident, CUT_OFF)
    need_pair(world, signers(world, proposal), "secretary", "committee", period.unit, today)
    if today <= period.end:
        raise Refused("period-over", f"the period runs until {period.end}, that day included")
    cut = world.positions.get(f"{ident} period.cut_off") or 0
    if not cut < proposal.body["as_of"] <= world.size:
        raise Refused(
            "as-of", f"a table is of a log size from {cut + 1} (its cut-off) to {world.size} (now)"
        )


def closed(world: World, proposal: Proposal, ident: str, today: str) -> None:
    """Raise Refused unless the table was up for the rulebook's working days (A34)."""
    period = _next(world, ident, PUBLISHED)
    signers(world, proposal)
    need(world, proposal.actor, "secretary", period.unit, today)
    last = objections_until(world, period)
    if today <= last:
        raise Refused("objections-open", f"objections are taken until {last}, that day included")


def sealed(world: World, proposal: Proposal, ident: str, today: str) -> None:
    """Raise Refused unless the seal is of the log with the closing as its last entry (cheat 12)."""
    period = _next(world, ident, CLOSED)
    signed = signers(world, proposal)
    need_pair(world, signed, "secretary", "committee", period.unit, today)
    as_of = (world.positions.get(f"{ident} period.closed") or 0) + 1
    if proposal.body["as_of"] != as_of:
        raise Refused("seal-as-of", f"the seal is of log size {as_of}, where objections closed")
    latest = seal_until(world, period)
    if today > latest:
        try:
            need_above(world, signed, period.unit, today)
        except Refused:
            raise Refused(
                "seal-day", f"after {latest} a seal needs the unit above {period.unit} as well"
            ) from None
    version = governing(world, period)
    if (
        period.kind == YEAR
        and version is not None
        and version.annual.has_review
        and not period.reviewed
    ):
        raise Refused("review-open", "the democratic review is not closed: its figures count")


def committed(world: World, proposal: Proposal, ident: str, today: str) -> None:
    """Raise Refused unless a root is of the table that was published, or of the seal, once.

    Whether the root is that of the state then, every verifier recomputes: a decision does not
    score anybody.
    """
    period, body = find(world, ident), proposal.body
    need_pair(world, signers(world, proposal), "secretary", "committee", period.unit, today)
    for name, own in (("period", ident), ("unit", period.unit), ("rulebook", period.rulebook)):
        if body[name] != own:
            raise Refused("state-of-period", f"the {name} of this period is {own}")
    sizes = [
        step.as_of
        for state, step in period.steps.items()
        if state in (PUBLISHED, SEALED) and step.as_of is not None
    ]
    if body["as_of"] not in sizes:
        raise Refused(
            "state-as-of",
            f"a state is of a size that was published or sealed: {sizes or 'none was yet'}",
        )
    if (body["tree"], body["as_of"]) in period.roots:
        raise Refused("state-once", f"the {body['tree']} tree of that size is sealed already")


def rostered(world: World, proposal: Proposal, ident: str, today: str) -> None:
    """Raise Refused unless the unit above says how many members a unit has, its period being over.

    It counts by its own books, so the figure is not held against the log here: whether they agree
    is for `roster_on`, and a count that was wrong is put right by a later one (cheat 17).
    """
    period = find(world, ident)
    if proposal.body["unit"] != period.unit:
        raise Refused("roster-unit", f"the unit of this period is {period.unit}")
    need_above(world, signers(world, proposal), period.unit, today)
    if today <= period.end:
        raise Refused("period-over", f"the period runs until {period.end}, that day included")


def roster_on(world: World, unit: str, day: str) -> tuple[str, ...]:
    """Return the members of a unit and its sub-units on a day, by id, whatever their type.

    Exempt and suspended ones are among them, those who left before that day are not.
    """
    under: dict[str, bool] = {}
    found = []
    for ident in sorted(world.histories):
        history = world.histories.get(ident)
        stay = history.on(day) if history is not None else None
        if stay is None:
            continue
        if stay.unit not in under:
            under[stay.unit] = unit in path_on(world, stay.unit, day)
        if under[stay.unit]:
            found.append(ident)
    return tuple(found)


def governing(world: World, period: Period) -> Version | None:
    """Return the version whose base, bands, quota and policy hold for a period's year (A16)."""
    known = world.rulebooks.get(period.rulebook)
    book = known.book if known else None
    return governing_version(world, book, period.unit, period.start) if book else None


def governing_version(world: World, book: Book, unit: str, day: str) -> Version | None:
    """Return the version that governs the year in which `day` lies, in `unit` (A16)."""
    year = book.periods.of(day)
    return book.governing(year, path_on(world, unit, year.first))


def spans(book: Book, kind: str, day: str) -> tuple[tuple[str, str], ...]:
    """Return first and last days of the months, quarters or year of the rulebook's year (A9)."""
    year = book.periods.of(day)
    if kind == YEAR:
        return ((year.first, year.last),)
    count, end = (
        (MONTHS, book.periods.month_end)
        if kind == "month"
        else (QUARTERS, book.periods.quarter_end)
    )
    ends = [end(year, number) for number in range(1, count + 1)]
    starts = [year.first, *(_after(each) for each in ends[:-1])]
    return tuple(zip(starts, ends, strict=True))


def cut_off_day(world: World, period: Period) -> str:
    """Return the last day on which entries are taken for the period's own review (A30)."""
    version = governing(world, period)
    day = version.policy.get("entry_cutoff_day") if version else None
    if day is None:
        return period.end
    in_month = min(int(day), int(period.end[8:]))
    return f"{period.end[:8]}{in_month:02d}"


def objections_until(world: World, period: Period) -> str:
    """Return the last day on which a published table can be objected to (A34)."""
    at = period.steps[PUBLISHED].recorded_at
    version = governing(world, period)
    name = "publicity_working_days"
    days = int(version.policy.get(name, DEFAULTS[name])) if version else DEFAULTS[name]
    return working_end(world, at, world.today(at), days)


def seal_until(world: World, period: Period) -> str:
    """Return the last day on which the unit can seal the period by itself (cheat 12)."""
    return natural_end(world.today(period.steps[CLOSED].recorded_at), SEAL_DAYS_MAX)


def is_late(version: Version, act_date: str, claimed_on: str) -> bool:
    """Tell whether a claim recorded on a zone date is late: dual review and a reason (A30)."""
    window = int(version.policy.get("claim_window_days", DEFAULTS["claim_window_days"]))
    return days_between(act_date, claimed_on) > window


def review_month(version: Version, claimed_on: str) -> str:
    """Return the month (YYYY-MM) in whose review a claim is taken (A30).

    After the cut-off day that is the next month's; it still counts in the period of its act date.
    """
    day = version.policy.get("entry_cutoff_day")
    at = date.fromisoformat(claimed_on)
    months = at.year * 12 + at.month - 1 + (day is not None and at.day > int(day))
    return f"{months // 12:04d}-{months % 12 + 1:02d}"


def last_seal(world: World, unit: str) -> Seal | None:
    """Return the newest seal of the unit or of one above it."""
    found = [each for at in path(world, unit) for each in world.seals.get(at) or ()]
    return max(found, key=lambda seal: seal.as_of, default=None)


def adjusts(
    world: World, unit: str, rulebook: str, act_date: str, final_index: int
) -> tuple[str, ...]:
    """Return the sealed periods that an entry adjusts: it became final after them (A31).

    `unit` is the one of the act date, `final_index` the log index of what made the entry final.
    Its points count in the period of the act date, marked; the seal and the table stay.
    """
    return tuple(
        seal.period
        for at in path_on(world, unit, act_date)
        for seal in world.seals.get(at) or ()
        if seal.rulebook == rulebook
        and seal.start <= act_date <= seal.end
        and final_index >= seal.as_of
    )


def find(world: World, ident: str) -> Period:
    """Return an opened period or raise Refused."""
    period = world.periods.get(ident)
    if period is None:
        raise Refused("period-known", f"period {ident} is not opened")
    return period


def _next(world: World, ident: str, state: str) -> Period:
    period = find(world, ident)
    if period.state != state:
        raise Refused(
            "period-state",
            f"period {ident} is {_SAYS[period.state]}; this step comes when it is {_SAYS[state]}",
        )
    return period


def _after(day: str) -> str:
    return natural_end(day, 1)
