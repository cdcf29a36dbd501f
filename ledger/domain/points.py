"""What every points statement must fit: the act, its price, its quantity; and the short path.

An act is priced by the version of its date in its member's unit of that date (A1, A2, A4), its
quantity and points fit the item (A5, A6), and a month, quarter or year item names what it covers,
each once (A8). On the short path, which a unit's recorded policy must allow, a recorder and a
committee member sign one statement and the entry is final at once (A29).
"""

from __future__ import annotations

from typing import Any, NamedTuple

from ledger.domain import policy
from ledger.domain.account import CREDIT, ENDED, KIND, Account, PointsEntry, effective
from ledger.domain.acts import whole_to_unit
from ledger.domain.days import days_between, real_date
from ledger.domain.eligibility import Case, deciding_unit, refuse
from ledger.domain.event import Proposal
from ledger.domain.member import ACTIVE, Member
from ledger.domain.pricing import item_for, price, right_figure, right_points, righted
from ledger.domain.rights import holds, need_pair, signers
from ledger.domain.world import World
from ledger.errors import Refused
from ledger.rules.book import Rule
from ledger.rules.period import Periods
from ledger.rules.rulebook import Item, Version
from ledger.rules.stages import worth_of

CORRECTED = "points.corrected"
_PERIODIC = ("month", "quarter", "year")


class Priced(NamedTuple):
    """An act with what it is worth before any cap: positive hundredths."""

    unit: str
    version: Version
    item: Item
    worth: int


def needs(proposal: Proposal) -> tuple[str, ...]:
    """Name the member's account only where a month may not be covered twice (A8)."""
    return (proposal.stream,) if "covers" in proposal.body else ()


def decide(world: World, proposal: Proposal, ident: str, today: str) -> None:
    """Raise Refused unless the short path is allowed, two people signed, and the rules fit.

    A late entry (A30) and an item of dual review (A33) need one of the unit above as well.
    """
    signed = signers(world, proposal)
    active(world, ident)
    body = proposal.body
    act = direct_act(body)
    priced = priced_act(world, ident, act, KIND[proposal.type], today, direct=True)
    case = Case(world, ident, deciding_unit(world, ident, priced.unit, today), today)
    need_short_path(case, signed)
    need_direct_review(case, signed, act, priced)
    if "covers" in body:
        account = world.accounts.get(proposal.stream) or Account()
        covered_once(account, act, None)


def need_short_path(case: Case, signed: tuple[str, ...]) -> None:
    """Raise Refused unless the unit allows the short path and two people with the roles signed.

    They are a recorder and a committee member over the unit of the act's date (A4); nobody who
    signs is the member, compared through the linked actor, or declared related to it (B6).
    """
    world, unit = case.world, case.unit
    if not policy.short_path(world, unit):
        raise Refused(
            "short-path",
            f"no recorded policy allows unit {unit} a short path: claim the entry instead",
        )
    for actor in signed:
        refuse(case.unfit(actor, ""))
    need_pair(world, signed, "recorder", "committee", unit, case.today)


def active(world: World, ident: str) -> Member:
    """Return the member, who must be enrolled and able to take points."""
    member = world.members.get(ident)
    if member is None:
        raise Refused("member-known", f"member {ident} is not enrolled")
    if member.status != ACTIVE:
        raise Refused("member-state", f"member {ident} is {member.status} and takes no points")
    return member


def direct_act(body: dict[str, Any]) -> dict[str, Any]:
    """Return the act of a direct statement, with points per unit.

    Direct statements say the points of the whole entry, so that they read without the rulebook.
    """
    act = dict(body)
    quantity = act.setdefault("quantity", 100)
    if "points" not in act:
        raise Refused("points-needed", "a statement of the short path says the points of the entry")
    if act["points"] * 100 % quantity:
        raise Refused("points-whole", f"{act['points']} for {quantity} are no whole points a unit")
    return whole_to_unit(act)


def unit_on(world: World, ident: str, act_date: str) -> tuple[str, str]:
    """Return the member's unit and type on the act date (A4).

    Raises Refused where the member was not enrolled yet, or is exempt on that day (A23).
    """
    history = world.histories.get(ident)
    stay = history.on(act_date) if history is not None else None
    if history is None or stay is None:
        raise Refused("member-then", f"{ident} was no member of a unit here on {act_date}")
    if history.exempt_on(act_date):
        raise Refused("member-exempt", f"{ident} is exempt on {act_date}: acts then take no points")
    return stay.unit, stay.member_type


def priced_act(
    world: World, ident: str, act: dict[str, Any], kind: str, today: str, *, direct: bool = False
) -> Priced:
    """Return what an act is worth, or raise Refused for one that the rules do not allow.

    `act` has points per unit of the item. A fixed item takes none (A5), but a `direct` statement
    may repeat its figure.
    """
    act_date = real_date(act["act_date"], "act_date")
    if act_date > today:
        raise Refused("act-past", f"an act of {act_date} has not happened yet on {today}")
    unit, member_type = unit_on(world, ident, act_date)
    named = (act["rulebook"], act["version"], act["item"], kind)
    version, item, rule, periods = _rule(world, (unit, act_date, member_type, *named))
    if act.get("erratum") is not None:
        rule = righted(rule, right_figure(world, act["erratum"], act))
    quantity = act.get("quantity", 100)
    points = act.get("points")
    if direct and rule.points is not None:
        if points != rule.points:
            raise Refused(
                "points-fixed", f"{item.code} is worth {rule.points} a unit, not {points}"
            )
        points = None
    worth = worth_of(rule, item.code, quantity, points)
    _placed(rule, item, act)
    if item.unit in _PERIODIC:
        _covers(periods, item, act, quantity)
    elif "covers" in act:
        raise Refused("covers-none", f"{item.code} is per {item.unit}: it covers no months")
    return Priced(unit, version, item, worth)


def _rule(world: World, named: tuple[str, ...]) -> tuple[Version, Item, Rule, Periods]:
    """Return the version, item and rule that price an act, which many acts have in common."""
    found = world.memo.get(named)
    if found is None:
        unit, act_date, member_type, rulebook, number, code, kind = named
        version = price(world, unit, act_date, rulebook, number)
        item = item_for(version, code, kind, member_type)
        known = world.rulebooks.get(rulebook)
        assert known is not None  # noqa: S101 - it priced the act
        assert known.book is not None  # noqa: S101
        rule = known.book.table(version, member_type)[item.code]
        found = world.memo[named] = (version, item, rule, known.book.periods)
    return found


def _placed(rule: Rule, item: Item, act: dict[str, Any]) -> None:
    """Raise Refused where the activity or deed that a cap or group goes by is missing (A9)."""
    if rule.needs_activity and not act.get("activity"):
        raise Refused("activity-required", f"{item.code} is counted per activity: name it")
    if rule.group is not None and not act.get("deed"):
        raise Refused("deed-required", f"{item.code} counts once for one deed: name the deed")


def _covers(periods: Periods, item: Item, act: dict[str, Any], quantity: int) -> None:
    """Raise Refused unless the units covered are named by their last days, as many as counted.

    The act's date is the last of them (A1, A8).
    """
    covered = act.get("covers", ())
    if not covered:
        raise Refused(
            "covers-required", f"{item.code} is per {item.unit}: name each by its last day"
        )
    for day in covered:
        place = periods.place(real_date(day, "covers"))
        ends = {
            "month": periods.month_end(place.period, place.month),
            "quarter": periods.quarter_end(place.period, place.quarter),
            "year": place.period.last,
        }
        if day != ends[item.unit]:
            raise Refused("covers-last-day", f"{day} is not the last day of a {item.unit}")
    if len(set(covered)) * 100 != quantity:
        raise Refused(
            "covers-quantity", f"{len(set(covered))} are covered, the quantity is {quantity}"
        )
    if act["act_date"] != max(covered):
        raise Refused("covers-last-day", f"the act's date is the last day covered, {max(covered)}")


def covered_once(account: Account, act: dict[str, Any], besides: str | None) -> None:
    """Raise Refused where an entry for the item covers one of the units already (A8).

    `besides` is an entry that does not stand in the way: the one revised or reversed.
    """
    for entry in account.entries.values():
        if entry.id == besides or entry.state in ENDED or entry.item != act["item"]:
            continue
        twice = set(entry.covers) & set(act.get("covers", ()))
        if twice and entry.rulebook == act["rulebook"]:
            raise Refused("covers-once", f"{entry.id} covers {min(twice)} for {entry.item} already")


def worth_now(world: World, entry: PointsEntry) -> int:
    """Return what an entry is worth before any cap, signed: a debit is negative."""
    version = policy.version_of(world, entry.rulebook, entry.version)
    item = version.items.get(entry.item) if version is not None else None
    each = entry.points if item is None or item.points is None else item.points
    if entry.erratum is not None:
        each = right_points(world, entry.rulebook, entry.erratum, entry.points)
    worth = (each or 0) * entry.quantity // 100
    return worth if entry.kind == CREDIT else -worth


def counts(world: World, account: Account, entry: PointsEntry) -> bool:
    """Tell whether an entry is effective in this world (A29, A32, B13)."""
    return effective(account, entry, world.accounts.get)


def need_late_reason(act: dict[str, Any], version: Version, claimed_on: str) -> bool:
    """Tell whether an act is late (A30), and raise Refused where nothing says why."""
    window = int(version.policy.get("claim_window_days", policy.DEFAULTS["claim_window_days"]))
    late = days_between(act["act_date"], claimed_on) > window
    if late and "late_reason" not in act:
        raise Refused(
            "late-reason",
            f"the act of {act['act_date']} is more than {window} days before {claimed_on}: say why "
            "in late_reason",
        )
    return late


def need_direct_review(
    case: Case, signed: tuple[str, ...], act: dict[str, Any], priced: Priced
) -> None:
    """Raise Refused where a direct entry needs one of the unit above too, and none signed (A30)."""
    late = need_late_reason(act, priced.version, case.today)
    if not late and priced.item.review != "dual":
        return
    above = [actor for actor in signed if case.upper(actor, "") is None]
    if not any(_is_pair(case, signed, besides) for besides in above):
        raise Refused(
            "dual-review",
            "a late entry or an item of dual review needs, beside its recorder and committee "
            f"member, one of the unit above {case.seat}",
        )


def _is_pair(case: Case, signed: tuple[str, ...], besides: str) -> bool:
    """Tell whether a recorder and another committee member signed, without `besides`."""
    held = {
        role: {
            name
            for name in signed
            if name != besides and holds(case.world, name, role, case.unit, case.today)
        }
        for role in ("recorder", "committee")
    }
    return all(held.values()) and len(held["recorder"] | held["committee"]) > 1
