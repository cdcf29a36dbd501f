"""The school branch's year walks the full path, whatever weekday its year begins on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest

from ledger import schema
from ledger.domain.account import Account
from ledger.domain.decide import decide
from ledger.domain.event import Event
from ledger.domain.world import World
from ledger.entry import format_instant
from ledger.errors import MingzhangError
from ledger.signing import PrivateKey
from ops.demo import school
from ops.demo.outcomes import Outcomes
from ops.demo.sign import Planned
from ops.demo.whole import Year

SHORT = ("points.awarded", "points.deducted")


def year(number: int) -> tuple[Year, list[Planned]]:
    actors = [each.id for each in school.everyone().actors]
    made = Year(number, {each: PrivateKey.generate() for each in (*actors, school.SERVICE)})
    return made, list(made.statements())


def events(statements: list[Planned]) -> Iterator[Event]:
    seqs: Counter[str] = Counter()
    for index, each in enumerate(statements):
        seqs[each.stream] += 1
        at = format_instant(each.when, micros=True)
        yield Event(each.proposal, seqs[each.stream], index, at)


@pytest.fixture(scope="module")
def told() -> tuple[Year, list[Planned]]:
    return year(2024)


@pytest.mark.parametrize("number", [2023, 2025, 2026, 2027])
def test_the_rules_allow_every_statement_of_the_full_path(number: int) -> None:
    made, statements = year(number)
    world = World()
    for event in events(statements):
        proposal = event.proposal
        if proposal.type == "member.enrolled":
            world.accounts[proposal.stream] = Account()
        schema.validate(proposal.type, proposal.body)
        if proposal.type not in SHORT:
            decide(world, proposal, event.recorded_at)
        world.evolve(event)
    assert len(list(Outcomes(events(statements), made.way.named, number).told())) == 10


def test_every_member_of_the_school_but_one_signs_with_a_key_of_their_own(
    told: tuple[Year, list[Planned]],
) -> None:
    _, statements = told
    claims = [each.proposal for each in statements if each.type == "points.claimed"]
    by_others = [each for each in claims if each.actor == school.RECORDER]
    assert len(claims) > 50
    assert len(by_others) == 2
    assert {each.actor for each in claims} - {school.RECORDER} == {
        each.actor for each in school.plain_members()
    }


@pytest.mark.parametrize(
    "missing",
    ["period.sealed", "points.reconsidered", "points.rejected", "fund.reversed", "review.closed"],
)
def test_what_the_log_does_not_bear_out_is_not_told(
    told: tuple[Year, list[Planned]], missing: str
) -> None:
    made, statements = told
    last = max(i for i, each in enumerate(statements) if each.type == missing)
    left = [each for i, each in enumerate(statements) if i != last]
    with pytest.raises(MingzhangError, match="does not bear out"):
        list(Outcomes(events(left), made.way.named, 2024).told())
