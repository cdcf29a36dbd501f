"""Where terms end, and who publishes the calendar by which they are counted (A34)."""

from __future__ import annotations

from ledger.domain.calendar import Calendars
from ledger.domain.days import real_date
from ledger.domain.event import Proposal
from ledger.domain.organisation import ROOT_UNIT
from ledger.domain.rights import holds, need, signers
from ledger.domain.world import World
from ledger.errors import Refused
from ledger.rules.calendar import natural_term_end, working_term_end
from ledger.rules.period import following

NOW = "~"
"""After every instant: the term opens with what is decided now, under the calendar of now."""


def working_end(world: World, opened_at: str, day: str, days: int) -> str:
    """Return the last day of a working-day term after `day` that opened at `opened_at` (A34).

    The term starts on the day after `day` and ends at 24:00 of the day returned; what is recorded
    on that day is in time. `world` gives the calendar now, and the outages, whose days do not
    count (B21).
    """
    calendars = world.calendars.get(ROOT_UNIT) or Calendars()
    down = outage_days(world)
    try:
        return max(
            working_term_end(each.without(down), day, days) for each in calendars.from_on(opened_at)
        )
    except ValueError as error:
        raise Refused("term-length", str(error)) from None


def outage_days(world: World) -> frozenset[str]:
    """Return the days that recorded outages touch: they count in no term (B21)."""
    return world.outages.get(ROOT_UNIT) or frozenset()


def term_end(world: World, day: str, days: int) -> str:
    """Return the last day of a term of natural days after `day`, outages left out (B21)."""
    return pushed(world, day, natural_end(day, days))


def pushed(world: World, day: str, end: str) -> str:
    """Return the end of a term after `day` that would end on `end` without outages since (B21)."""
    for down in sorted(outage_days(world)):
        if day < down <= end:
            end = following(end)
    return end


def natural_end(day: str, days: int) -> str:
    """Return the last day of a term of natural days after `day`."""
    try:
        return natural_term_end(day, days)
    except (ValueError, OverflowError) as error:
        raise Refused("term-length", str(error)) from None


def decide(world: World, proposal: Proposal, ident: str, today: str) -> None:
    """Raise Refused unless the registrars over the root publish a year that is not over (A34).

    Two of them sign where two stand, as for their own role.
    """
    signed = signers(world, proposal)
    if ident != ROOT_UNIT:
        raise Refused(
            "calendar-root", f"the calendar is one for all: publish it on unit/{ROOT_UNIT}"
        )
    need(world, proposal.actor, "registrar", ROOT_UNIT, today)
    standing = [a for a in world.registrars if holds(world, a, "registrar", ROOT_UNIT, today)]
    if len(standing) >= 2 and sum(a in standing for a in signed) < 2:
        raise Refused("two-registrars", "two registrars over root must sign the calendar")
    body = proposal.body
    year = f"{body['year']:04d}"
    if year < today[:4]:
        raise Refused("calendar-year", f"{year} is over: its calendar stands as it is")
    for name in ("holidays", "workdays"):
        for day in body[name]:
            if not real_date(day, name).startswith(f"{year}-"):
                raise Refused("calendar-year", f"{day} does not lie in {year}")
    both = set(body["holidays"]) & set(body["workdays"])
    if both:
        raise Refused("calendar-day", f"{min(both)} cannot be a holiday and a working day")
