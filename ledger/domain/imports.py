"""Decides what is taken over from paper and Excel (issue 4 point 9; cheat 21).

An import is an entry of its own type: the opening balance of the year in which the unit starts, or
a whole past year, of one account. It comes before the unit's start date and once for each
(member, account, year), signed by a registrar and a second person, with the old sheet as
evidence, and it is up for objections like any other entry before it counts.
"""

from __future__ import annotations

from ledger.domain.account import Account
from ledger.domain.days import real_date
from ledger.domain.deadlines import NOW, working_end
from ledger.domain.event import Proposal
from ledger.domain.member import ACTIVE
from ledger.domain.policy import DEFAULTS
from ledger.domain.rights import covers, holds, need, signers
from ledger.domain.world import World
from ledger.errors import Refused

SECOND = ("secretary", "committee", "registrar")
"""Roles of which the second signer has one over the unit."""


def decide(world: World, proposal: Proposal, ident: str, today: str) -> None:
    """Raise Refused unless it is a first import, by two people, before the unit starts."""
    signed = signers(world, proposal)
    body = proposal.body
    member = world.members.get(ident)
    if member is None or member.status != ACTIVE:
        raise Refused("member-known", f"member {ident} is not active here")
    unit = world.units.get(member.unit)
    assert unit is not None  # noqa: S101 - a member's unit is open
    for actor in signed:
        if actor == member.actor:
            raise Refused("no-self-review", f"{actor} is member {ident} and may not sign for it")
    need(world, proposal.actor, "registrar", member.unit, today)
    if not any(
        actor != proposal.actor and holds(world, actor, role, member.unit, today)
        for actor in signed
        for role in SECOND
    ):
        raise Refused("four-eyes", f"a second person of {member.unit} must sign an import")
    if today >= unit.start:
        raise Refused(
            "import-start", f"{unit.id} started on {unit.start}: from then on acts are claimed"
        )
    _need_year(world, proposal, unit.id, unit.start)
    account = world.accounts.get(proposal.stream) or Account()
    for entry in account.entries.values():
        if entry.account == body["account"] and entry.covers == (body["period"],):
            raise Refused(
                "import-once", f"{body['account']} of {body['period']} is imported already"
            )
    closes = working_end(world, NOW, today, publicity_days(world, body["rulebook"]))
    if body["closes"] != closes:
        raise Refused("closes", f"an import recorded today is up for objections until {closes}")


def publicity_days(world: World, rulebook: str) -> int:
    """Return how many working days an import is up: as the rulebook's first version says."""
    known = world.rulebooks.get(rulebook)
    name = "publicity_working_days"
    policy = known.versions[0].policy if known and known.versions else {}
    return int(policy.get(name, DEFAULTS[name]))


def _need_year(world: World, proposal: Proposal, unit: str, start: str) -> None:
    body = proposal.body
    known = world.rulebooks.get(body["rulebook"])
    if known is None or known.book is None or not known.versions:
        raise Refused("version-published", f"{body['rulebook']} is not published in this log")
    if not covers(world, known.unit, unit):
        raise Refused("rulebook-scope", f"{known.id} does not apply to {unit}")
    year = known.book.periods.of(real_date(body["period"], "period"))
    if year.first != body["period"]:
        raise Refused(
            "import-period", f"a year of {known.id} starts on {year.first}, not {body['period']}"
        )
    act_date = real_date(body["act_date"], "act_date")
    if not year.first <= act_date <= year.last or act_date >= start:
        raise Refused(
            "import-period",
            f"act_date is the balance's last day: in the year from {year.first} and before the "
            f"unit's start, {start}",
        )
    if year.last < start and act_date != year.last:
        raise Refused("import-period", f"a whole past year carries its last day, {year.last}")
