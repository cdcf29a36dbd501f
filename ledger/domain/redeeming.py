"""Decides the reward fund: endow, redeem, reverse; and works out what a wallet holds (A17).

    endowed = redeemed + stock, after every entry

A redemption is signed by who hands out and who receives; without a key of the receiver there are
the signed slip and two witnesses (B20), so that no receiver is made up (cheat 25). Nothing is
redeemed from a wallet below 0, and nothing here reads or lowers merit.
"""

from __future__ import annotations

from collections.abc import Iterable

from ledger.domain.account import CREDIT, Account, PointsEntry, effective
from ledger.domain.event import Proposal
from ledger.domain.fund import ENDOWED, Fund, Spent
from ledger.domain.member import LEFT
from ledger.domain.policy import version_of
from ledger.domain.pricing import books_on, path_on, right_points, scored_member
from ledger.domain.rights import covers, holds, need, need_pair, signers
from ledger.domain.world import World
from ledger.errors import Refused
from ledger.rules.book import SERVICE_CREDITS, SERVICE_DEBITS, Book
from ledger.rules.components import Wallet
from ledger.rules.period import following
from ledger.rules.rulebook import SERVICE, Version
from ledger.rules.stages import Entry, attribute

WITNESSES_MIN = 2
SLIP = "signed_slip"
"""The kind of evidence that stands for the signature of a member without a key (B20)."""
_ROLES = ("recorder", "group_leader", "committee", "secretary", "upper", "intake", "discipline")


def needs(proposal: Proposal) -> tuple[str, ...]:
    """Name the account that a redemption is decided on: the receiver's."""
    return (f"member/{proposal.body['member']}",)


def opened(world: World, proposal: Proposal, ident: str, today: str) -> None:
    """Raise Refused unless two people of the unit open a fund that is not open."""
    signed = signers(world, proposal)
    if world.funds.get(ident) is not None:
        raise Refused("fund-once", f"fund {ident} is open already")
    unit = proposal.body["unit"]
    if world.units.get(unit) is None:
        raise Refused("unit-known", f"unit {unit} is not opened")
    need_pair(world, signed, "secretary", "committee", unit, today)


def endowed(world: World, proposal: Proposal, ident: str, today: str) -> None:
    """Raise Refused unless two people of the fund's unit record what came into it."""
    fund = _fund(world, ident)
    need_pair(world, signers(world, proposal), "secretary", "committee", fund.unit, today)


def redeemed(world: World, proposal: Proposal, ident: str, today: str) -> None:
    """Raise Refused unless the fund and the wallet hold the points, and the receiver is there."""
    fund = _fund(world, ident)
    signed = signers(world, proposal)
    body = proposal.body
    member = world.members.get(body["member"])
    history = world.histories.get(body["member"])
    stay = history.on(today) if history is not None else None
    if member is None or stay is None or member.status == LEFT:
        raise Refused("member-known", f"member {body['member']} is not here on {today}")
    if not covers(world, fund.unit, stay.unit):
        raise Refused("fund-unit", f"fund {ident} is for {fund.unit}, not for {stay.unit}")
    need(world, proposal.actor, "secretary", fund.unit, today)
    if proposal.actor == member.actor:
        raise Refused("no-self-review", f"{proposal.actor} is the receiver: another hands out")
    _need_receiver(world, proposal, signed, member.actor, fund, today)
    version = _version(world, body["rulebook"], stay.unit, today)
    kind = version.member_types.get(stay.member_type)
    if kind is None or SERVICE not in kind.accounts:
        raise Refused("no-service", f"a member of type {stay.member_type} has no service account")
    _need_price(world, body, today)
    if body["points"] > fund.stock:
        raise Refused("fund-stock", f"the fund has {fund.stock} hundredths in stock")
    account = world.accounts.get(f"member/{member.id}") or Account()
    found = wallet(world, member.id, account, world.spent.get(member.id) or (), today)
    if body["points"] > found.redeemable:
        raise Refused(
            "wallet",
            f"the wallet holds {found.balance} hundredths: {found.redeemable} can be redeemed",
        )


def taken_back(world: World, proposal: Proposal, ident: str, today: str) -> None:
    """Raise Refused unless a move of this fund is taken back once, whole, within the stock."""
    fund = _fund(world, ident)
    need_pair(world, signers(world, proposal), "secretary", "committee", fund.unit, today)
    move = fund.moves.get(proposal.body["reverses"])
    if move is None:
        raise Refused("reverses-known", f"{proposal.body['reverses']} is no move of this fund")
    if move.reversed:
        raise Refused("reverses-last", "it is reversed already, and a reversal is never reversed")
    if move.kind == ENDOWED and move.points > fund.stock:
        raise Refused("fund-stock", f"only {fund.stock} hundredths of it are still in stock")


def wallet(world: World, ident: str, account: Account, spent: Spent, today: str) -> Wallet:
    """Return what a member earned in service points, redeemed, and lost by lapse (A17).

    Where the rulebook has a day of lapse, what of a year is unspent at the end of that day in the
    next year is gone; the oldest points are spent first.
    """
    by_year: dict[str, int] = {}
    member = scored_member(world, ident)
    if member is None:
        return Wallet(0, 0, 0)
    entries = [e for e in account.entries.values() if effective(account, e, world.accounts.get)]
    for rulebook in sorted({each.rulebook for each in entries if each.account is None}):
        known = world.rulebooks.get(rulebook)
        if known is None or known.book is None:
            continue
        mine = (scored(world, e) for e in entries if e.rulebook == rulebook and e.account is None)
        for year, found in attribute(known.book, member, mine).items():
            earned = found.sums[SERVICE_CREDITS] - found.sums[SERVICE_DEBITS]
            by_year[year.last] = by_year.get(year.last, 0) + earned
    here = member.spell_on(min(today, member.left))
    nearest = world.rulebooks.get(here.rulebook) if here is not None else None
    book = nearest.book if nearest is not None else None
    for each in entries:
        if each.account == SERVICE and book is not None:
            last = book.periods.of(each.act_date).last
            signed = (each.points or 0) * (1 if each.kind == CREDIT else -1)
            by_year[last] = by_year.get(last, 0) + signed
    redeemed_total = sum(points for _, _, points in spent)
    version = book.version_on(today, here.path) if book is not None and here is not None else None
    day = version.service.lapse if version is not None else None
    lapsed = 0 if day is None else lapsed_of(by_year, spent, day, today)
    return Wallet(sum(by_year.values()), redeemed_total, lapsed)


def lapsed_of(by_year: dict[str, int], spent: Spent, lapse: str, today: str) -> int:
    """Return what has lapsed by `today` of what each year, named by its last day, brought (A17)."""
    earned = lapsed = 0
    for last in sorted(by_year):
        earned += by_year[last]
        day = _next_day(last, lapse)
        if today > day:
            gone = sum(points for _, when, points in spent if when <= day)
            lapsed += max(earned - lapsed - gone, 0)
    return lapsed


def scored(world: World, entry: PointsEntry) -> Entry:
    """Return an entry as the scoring engine reads it: a fixed item brings its own points."""
    version = version_of(world, entry.rulebook, entry.version)
    item = version.items.get(entry.item) if version is not None else None
    fixed = item is not None and item.points is not None
    points = None if fixed else entry.points
    if entry.erratum is not None:
        points = right_points(world, entry.rulebook, entry.erratum, entry.points)
    return Entry(
        entry.act_date,
        entry.id,
        entry.item,
        entry.quantity,
        points,
        entry.activity,
        entry.deed,
        entry.erratum is not None,
    )


def _next_day(last: str, day: str) -> str:
    """Return the first `day` (MM-DD) after the day `last`; there is always one within a year."""
    first = following(last)
    year = int(first[:4])
    return f"{year}-{day}" if f"{year}-{day}" >= first else f"{year + 1}-{day}"


def _fund(world: World, ident: str) -> Fund:
    fund = world.funds.get(ident)
    if fund is None:
        raise Refused("fund-known", f"fund {ident} is not opened")
    return fund


def _need_receiver(
    world: World,
    proposal: Proposal,
    signed: tuple[str, ...],
    receiver: str | None,
    fund: Fund,
    today: str,
) -> None:
    """The receiver signs, or two witnesses do on the receiver's slip (B20, cheat 25)."""
    if receiver is not None and receiver in signed:
        return
    slip = any(each["kind"] == SLIP for each in proposal.body.get("evidence", ()))
    witnesses = [
        actor
        for actor in signed
        if actor != proposal.actor
        and any(holds(world, actor, role, fund.unit, today) for role in _ROLES)
    ]
    if not slip or len(witnesses) < WITNESSES_MIN:
        raise Refused(
            "receiver-signs",
            f"the receiver must sign, or {WITNESSES_MIN} witnesses with evidence of kind {SLIP}",
        )


def _version(world: World, rulebook: str, unit: str, today: str) -> Version:
    path = path_on(world, unit, today)
    books: Iterable[Book] = books_on(world, unit, today)
    for book in books:
        version = book.version_on(today, path)
        if book.id == rulebook and version is not None:
            return version
    raise Refused("rulebook-scope", f"{rulebook} does not apply to {unit} on {today}")


def _need_price(world: World, body: dict[str, object], today: str) -> None:
    """Where the rulebook has windows and a catalogue, they bind."""
    known = world.rulebooks.get(str(body["rulebook"]))
    redemption = known.redemption_on(today) if known is not None else {}
    windows = redemption.get("windows", ())
    if windows and not any(each["from"] <= today[5:] <= each["to"] for each in windows):
        said = ", ".join(f"{each['from']} to {each['to']}" for each in windows)
        raise Refused("redeem-window", f"points are redeemed from {said}, not on {today}")
    goods = body.get("goods")
    if goods is None:
        return
    assert isinstance(goods, list)  # noqa: S101 - the schema's types
    prices = {each["code"]: each["points"] for each in redemption.get("catalogue", ())}
    total = 0
    for each in goods:
        if each["code"] not in prices:
            raise Refused("goods-known", f"{body['rulebook']} has no {each['code']} to redeem")
        total += prices[each["code"]] * each["count"]
    if total != body["points"]:
        raise Refused("goods-price", f"these cost {total} hundredths, not {body['points']}")
