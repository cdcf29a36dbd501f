"""Decides objections, reconsideration, appeals and re-examination (B10, B18, B19, B22).

Intake records an objection within publicity, and it stops that entry only; the committee decides
by a meeting. After final comes the appeal, decided by people of the unit above who had no part in
the entry. Whoever filed stands in the log as a salted commitment (B9).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ledger.domain.account import (
    ACKNOWLEDGED,
    APPEALED,
    INTAKE,
    PUBLISHED,
    RECONSIDERATION,
    REEXAMINATION,
    REJECTED,
    WITHDRAWN,
    PointsEntry,
)
from ledger.domain.calendar import Calendars
from ledger.domain.deadlines import outage_days, term_end
from ledger.domain.eligibility import Case, refuse
from ledger.domain.event import Proposal
from ledger.domain.lapses import PUBLICITY, due_term, end_of, publicity_begun
from ledger.domain.organisation import ROOT_UNIT
from ledger.domain.policy import PEOPLE_MIN, figure
from ledger.domain.pricing import path_on
from ledger.domain.rights import signers
from ledger.domain.way import closing, found
from ledger.domain.way import withdrawn as claim_withdrawn
from ledger.domain.world import World
from ledger.errors import Refused
from ledger.rules.period import following


def _by_intake(case: Case, signed: tuple[str, ...]) -> None:
    for actor in signed:
        refuse(case.over(actor, "intake", INTAKE))


def objected(world: World, proposal: Proposal, ident: str, today: str) -> None:
    """Raise Refused unless intake records an objection within publicity (B10, A34).

    Others may join while one is being decided; they are decided together.
    """
    del ident
    signed = signers(world, proposal)
    _, case, entry = found(world, proposal, today)
    _by_intake(case, signed)
    due = due_term(world, case.member, entry)
    if entry.state == PUBLISHED and (due is None or today > due.due):
        raise Refused("publicity-over", "publicity has closed: from final on an entry is appealed")


def acknowledged(world: World, proposal: Proposal, ident: str, today: str) -> None:
    """Raise Refused unless intake accepts the objection: who may decide is fixed then (B22)."""
    del ident
    signed = signers(world, proposal)
    _, case, _ = found(world, proposal, today)
    _by_intake(case, signed)


def rest_of_term(world: World, entry: PointsEntry) -> int:
    """Return how many working days of publicity were left when an objection stopped it."""
    assert entry.stopped_at is not None  # noqa: S101 - asked of stopped entries
    assert entry.shown_at is not None  # noqa: S101
    shown = replace(entry, opened_at=entry.shown_at, opened_index=entry.shown_index)
    begun = publicity_begun(world, shown)
    if begun is None or begun > entry.stopped_at:
        return figure(world, entry, "publicity_working_days")
    end = end_of(world, shown, PUBLICITY)
    calendar = (world.calendars.get(ROOT_UNIT) or Calendars()).at(entry.stopped_at)
    calendar = calendar.without(outage_days(world))
    day, rest = world.today(entry.stopped_at), 0
    while day < end:
        day = following(day)
        rest += calendar.is_working(day)
    return rest


def withdrawn(world: World, proposal: Proposal, ident: str, today: str) -> None:
    """Raise Refused unless intake withdraws an objection, or its claimant the claim (B8).

    With the last objection the rest of publicity runs. After acceptance the committee may go on
    without one who objects, for a signed reason.
    """
    if "objection" not in proposal.body:
        claim_withdrawn(world, proposal, ident, today)
        return
    signed = signers(world, proposal)
    _, case, entry = found(world, proposal, today)
    if "goes_on" in proposal.body:
        _goes_on(case, signed, entry, proposal.body)
        return
    _by_intake(case, signed)
    if entry.objections == 0:
        raise Refused("objection-open", "no objection is open: the committee went on by itself")
    if entry.objections > 1:
        if {"closes", "rest"} & proposal.body.keys():
            raise Refused("closes", "other objections are open: publicity does not run yet")
        return
    _need_rest(world, entry, proposal.body, today)


def _goes_on(case: Case, signed: tuple[str, ...], entry: PointsEntry, body: dict[str, Any]) -> None:
    """Raise Refused unless intake withdraws, and a meeting of the committee goes on (B1, B8)."""
    if entry.state != ACKNOWLEDGED or entry.objections != 1:
        raise Refused(
            "goes-on", "the committee goes on only where the last objection was accepted before"
        )
    if {"closes", "rest"} & body.keys():
        raise Refused("closes", "publicity does not run while the committee goes on")
    intake = tuple(a for a in signed if case.over(a, "intake", INTAKE) is None)
    if not intake:
        raise Refused("needs-intake", "intake records a withdrawal: a person with that role signs")
    deciding = tuple(actor for actor in signed if actor not in intake)
    if not deciding:
        raise Refused("needs-committee", "a meeting of the committee signs why it goes on")
    case.need_quorum(deciding, RECONSIDERATION, filled="filled" in body)


def _need_rest(world: World, entry: PointsEntry, body: dict[str, Any], today: str) -> None:
    """Raise Refused unless the statement says how much publicity is left, and to when (B10)."""
    rest = rest_of_term(world, entry)
    closes = closing(world, entry, today, rest)
    if body.get("rest") != rest or body.get("closes") != closes:
        raise Refused("closes", f"{rest} working days of publicity are left, to {closes}")


def reconsidered(world: World, proposal: Proposal, ident: str, today: str) -> None:
    """Raise Refused unless a meeting of the committee, by others than before, decides (B1, B10).

    Upheld: the rest of publicity runs, and the statement says how much and to which day.
    Corrected: a correction that names this decision follows.
    """
    del ident
    signed = signers(world, proposal)
    _, case, entry = found(world, proposal, today)
    body = proposal.body
    case.need_quorum(signed, RECONSIDERATION, filled="filled" in body)
    if body["outcome"] != "upheld":
        if "closes" in body or "rest" in body:
            raise Refused("closes", "a corrected entry has a publicity of its own: leave it out")
        return
    _need_rest(world, entry, body, today)


def appeal_end(world: World, case: Case, entry: PointsEntry) -> str | None:
    """Return the last day for an appeal without leave, None while the entry is not final (B18).

    30 natural days of final, of the decision, or of the seal of its period, whichever is last.
    """
    days = [world.today(at) for at in (entry.final_at, entry.decided_at) if at is not None]
    if entry.final_at is None:
        return None
    history = world.histories.get(case.member)
    stay = history.on(entry.act_date) if history is not None else None
    days += [
        seal.day
        for unit in path_on(world, stay.unit if stay else case.unit, entry.act_date)
        for seal in world.seals.get(unit) or ()
        if seal.rulebook == entry.rulebook and seal.start <= entry.act_date <= seal.end
    ]
    return term_end(world, max(days), figure(world, entry, "appeal_days"))


def appealed(world: World, proposal: Proposal, ident: str, today: str) -> None:
    """Raise Refused unless intake records an appeal in time, or by leave from above (B18)."""
    del ident
    signed = signers(world, proposal)
    _, case, entry = found(world, proposal, today)
    if entry.reversed_by is not None or entry.order is not None:
        raise Refused("appeal-open", "a correction of this entry is ordered or recorded already")
    end = appeal_end(world, case, entry)
    assert end is not None  # noqa: S101 - the table lets final entries through only
    late = today > end
    if late != ("leave" in proposal.body):
        raise Refused(
            "appeal-late" if late else "appeal-leave",
            f"appeals were in time until {end}: later the unit above signs too and says why in "
            "`leave`"
            if late
            else f"the appeal is in time until {end} and needs no leave",
        )
    above = [a for a in signed if case.upper(a, INTAKE) is None] if late else []
    if late and not above:
        raise Refused("appeal-late", f"a person of the unit above {case.seat} must sign its leave")
    intake = tuple(actor for actor in signed if actor not in above)
    if not intake:
        raise Refused("needs-intake", "intake records an appeal: a person with that role must sign")
    _by_intake(case, intake)


def reexamined(world: World, proposal: Proposal, ident: str, today: str) -> None:
    """Raise Refused unless two of the unit above, who had no part in it, decide (B18, B19)."""
    del ident
    signed = signers(world, proposal)
    _, case, _ = found(world, proposal, today)
    for actor in signed:
        refuse(case.upper(actor, REEXAMINATION))
    if len(signed) < PEOPLE_MIN:
        raise Refused("four-eyes", f"{signed[0]} alone signed: two of the unit above must decide")


def kept_until(world: World, case: Case, entry: PointsEntry) -> str | None:
    """Return the last day before which nothing of the entry may be erased, None while it is open.

    No reason or evidence is erased before the last objection and appeal term has passed, or while
    a case is open (B22).
    """
    if entry.state in (REJECTED, WITHDRAWN):
        ended = world.today(entry.state_since)
        return term_end(world, ended, figure(world, entry, "appeal_days"))
    if entry.final_at is None or entry.state == APPEALED:
        return None
    if entry.order is not None and entry.reversed_by is None:
        return None  # what was ordered is not carried out yet
    return appeal_end(world, case, entry)
