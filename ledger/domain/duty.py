"""Whose turn it is: the steps that wait for somebody, their last day, and who may take them.

Nothing is decided here. Who may take a step is asked of the rules that decide it (`eligibility`),
so that the answer is the one that a statement would get. One of them is named first; when a term
lapses the next is, and after that the unit above (B2). All who may act may still act.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

from ledger.domain import policy
from ledger.domain.account import (
    ACKNOWLEDGED,
    APPEALED,
    CHECKED,
    CLAIM_STEP,
    CLAIMED,
    DIRECT,
    FINAL,
    INTAKE,
    NOTICE,
    OBJECTED,
    ORDERED,
    PENDING,
    RECONSIDERATION,
    REEXAMINATION,
    RETURNED,
    REVIEW,
    REVIEWED,
    UPPER,
    Account,
    PointsEntry,
)
from ledger.domain.closing import review_month
from ledger.domain.eligibility import Case, acting
from ledger.domain.lapses import PASSES_MAX, due_term
from ledger.domain.member import LEFT
from ledger.domain.objections import rest_of_term
from ledger.domain.organisation import ROOT_UNIT
from ledger.domain.policy import PEOPLE_MIN
from ledger.domain.rights import path
from ledger.domain.ruling import standing_order
from ledger.domain.way import case_of, closing, route
from ledger.domain.world import World
from ledger.errors import Refused


class Duty(NamedTuple):
    """A step of an entry that waits: `statement` is the type that takes it.

    `due` is the last day of its term, None where none runs (any more); `people` are those who may
    take it, in the order of their turns, and it is `turn`'s. `wanted` is how many people must
    sign. `lapses` tells how often the task passed on. `month` is the month in whose review a
    claim is taken up, the next one after the cut-off day (A30). `body` is what the statement must
    say as the rules have it today, reasons and decisions apart.
    """

    entry: str
    member: str
    state: str
    statement: str
    body: dict[str, Any]
    due: str | None
    people: tuple[str, ...]
    turn: str | None
    wanted: int = 1
    lapses: int = 0
    month: str | None = None


Fits = Callable[[str], Refused | None]


def duties(world: World, account: Account, member: str, ident: str, today: str) -> list[Duty]:
    """Return the steps of an entry that wait for somebody on `today`."""
    entry, known = account.entries[ident], world.members.get(member)
    if known is not None and known.status == LEFT and entry.state in PENDING:
        return []
    case = case_of(world, member, entry, today)
    due = due_term(world, member, entry)
    version = policy.version_of(world, entry.rulebook, entry.version)
    month = None
    if version is not None and entry.state in (CLAIMED, CHECKED):
        month = review_month(version, world.today(entry.claimed_at))
    found = []
    for statement, body, people, wanted in _steps(case, account, entry):
        ranked = _ranked(case, entry, people)
        found.append(
            Duty(
                entry.id,
                member,
                entry.state,
                statement,
                body,
                due.due if due is not None else None,
                ranked,
                ranked[0] if ranked else None,
                wanted,
                entry.lapses,
                month,
            )
        )
    return found


Step = tuple[str, dict[str, Any], list[str], int]


def _steps(case: Case, account: Account, entry: PointsEntry) -> Iterator[Step]:
    """Yield statement type, what it must say, who may sign it, and how many must."""
    state, world = entry.state, case.world
    body: dict[str, Any] = {"entry": entry.id}
    if state == CLAIMED:
        review, reviewers = route(world, case, account, entry)
        body |= {"review": review, "reviewers": reviewers}
        yield "points.checked", body, _checkers(case), 1
    elif state == CHECKED:
        yield from _reviews(case, entry, body | {"opened": list(entry.evidence)})
    elif state == REVIEWED:
        body["closes"] = closing(world, entry, case.today)
        yield "points.published", body, _over(case, NOTICE, "secretary", "committee"), 1
    elif state == RETURNED:
        yield "points.revised", body, list(acting(world, entry.keys_of(CLAIM_STEP))), 1
    elif state == OBJECTED:
        yield "points.acknowledged", body, _over(case, INTAKE, "intake"), 1
    elif state == ACKNOWLEDGED:
        people = _deciders(case, RECONSIDERATION, PEOPLE_MIN)
        # As for an entry that is upheld, whose publicity goes on.
        rest = rest_of_term(world, entry)
        body |= {"rest": rest, "closes": closing(world, entry, case.today, rest)}
        yield "points.reconsidered", body, people, PEOPLE_MIN
    elif state == ORDERED or (entry.order is not None and entry.reversed_by is None):
        body = {"reverses": entry.id, "orders": entry.order}
        body["closes"] = closing(world, entry, case.today)
        decided = [each.keyids for each in entry.steps if each.id == entry.order]
        yield "points.corrected", body, _carriers(case, *decided), 1
    elif state == APPEALED:
        yield "points.reexamined", body, reexaminers(case), PEOPLE_MIN
    elif state == FINAL and entry.origin != DIRECT:
        yield "points.filed", body, _over(case, NOTICE, "secretary"), 1
    ruling = standing_order(world, f"member/{case.member}", entry, account)
    if ruling is not None:
        body = {"reverses": entry.id, "orders": ruling.id}
        body["closes"] = closing(world, entry, case.today)
        yield "points.corrected", body, _carriers(case, ruling.keyids), 1


def _carriers(case: Case, *decided: tuple[str, ...]) -> list[str]:
    """Return who may carry a decision on an entry out: all but those who decided."""
    fresh = Case(case.world, case.member, case.unit, case.today)
    deciders = {actor for keyids in decided for actor in acting(case.world, keyids)}
    return [
        each for each in _over(fresh, "order", "secretary", "committee") if each not in deciders
    ]


def reexaminers(case: Case) -> list[str]:
    """Return who may re-examine an appealed entry: of the unit above, without part in it (B18)."""
    return _fitting(_above(case), lambda actor: case.upper(actor, REEXAMINATION))


def _checkers(case: Case) -> list[str]:
    candidates = [*_granted(case, "group_leader"), *_granted(case, "secretary"), *_above(case)]
    if case.scorer() is not None:
        candidates += _granted_below(case, "group_leader")
    found = _fitting(candidates, lambda actor: case.checks(actor, filled=False))
    return found or _fitting(candidates, lambda actor: case.checks(actor, filled=True))


def _reviews(case: Case, entry: PointsEntry, body: dict[str, Any]) -> Iterator[Step]:
    done = set(acting(case.world, entry.in_round(REVIEW, UPPER)))
    left = entry.reviewers - len(acting(case.world, entry.in_round(REVIEW)))
    if entry.figure is not None:
        body["points"] = entry.figure
    if left > 0:
        people = [each for each in _deciders(case, REVIEW, entry.reviewers) if each not in done]
        yield "points.reviewed", body | {"place": "committee"}, people, left
    if entry.dual and not entry.in_round(UPPER):
        people = _fitting(_above(case), lambda actor: case.upper(actor, UPPER))
        people = [each for each in people if each not in done]
        yield "points.reviewed", body | {"place": "upper"}, people, 1


def _deciders(case: Case, step: str, wanted: int) -> list[str]:
    """Return who may take a committee's place: its own members, and others where they lack."""
    candidates = [*_granted(case, "committee"), *_above(case)]
    own = _fitting(candidates, lambda actor: case.decides(actor, step, wanted, filled=False))
    if len(own) >= wanted:
        return own
    return _fitting(candidates, lambda actor: case.decides(actor, step, wanted, filled=True))


def _over(case: Case, step: str, *roles: str) -> list[str]:
    """Return who may take a step by one of these roles over the unit, in the roles' order."""
    found: dict[str, None] = {}
    for role in roles:
        for actor in _granted(case, role):
            if case.over(actor, role, step) is None:
                found[actor] = None
    return list(found)


def _above(case: Case) -> list[str]:
    found = [*_at(case.world, "upper", case.above), *_at(case.world, "committee", case.above)]
    organisation = case.world.organisation
    founders = organisation.founders if organisation is not None else ()
    return [*found, *founders] if case.above == (ROOT_UNIT,) else found


def _granted(case: Case, role: str) -> list[str]:
    return _at(case.world, role, path(case.world, case.unit))


def _granted_below(case: Case, role: str) -> list[str]:
    """Return holders of a role at units below the committee's: another group's head (B5)."""
    below = [each for each in case.world.units if case.seat in path(case.world, each)]
    return _at(case.world, role, below)


def _at(world: World, role: str, units: Iterable[str]) -> list[str]:
    return [name for unit in units for name in world.holders.get(f"{role} {unit}") or ()]


def _fitting(candidates: Iterable[str], fits: Fits) -> list[str]:
    return [each for each in dict.fromkeys(candidates) if fits(each) is None]


def _ranked(case: Case, entry: PointsEntry, people: list[str]) -> tuple[str, ...]:
    """Order people by turns, which begin elsewhere for each entry; each lapse moves them on by one.

    A task that passed on twice is the unit above's (B2).
    """
    if not people:
        return ()
    start = (int(entry.id[-4:], 16) + entry.lapses) % len(people)
    turns = (*people[start:], *people[:start])
    if entry.lapses < PASSES_MAX:
        return turns
    above = set(_above(case))
    return tuple(sorted(turns, key=lambda actor: actor not in above))
