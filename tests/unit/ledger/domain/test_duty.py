"""Whose turn it is: the people named are those whose statement would be taken (B2, B3, B5)."""

from __future__ import annotations

from typing import Any

import pytest

from ledger.domain.decide import decide
from ledger.domain.duty import Duty, duties
from ledger.domain.event import Proposal
from ledger.entry import parse_envelope
from ledger.errors import Refused
from tests.support.organisation import COMMITMENT
from tests.support.passage import Passage, act, why
from tests.support.walk import MEMBERS, PEOPLE, Walk

ALONE = ("points.checked", "points.published", "points.acknowledged", "points.filed")


def waiting(passage: Passage, ident: str, day: str = "2026-01-12", member: str = "m-2") -> Duty:
    (duty,) = duties(passage.world, passage.account(member), member, ident, day)
    return duty


def taken(walk: Walk, member: str, kind: str, body: dict[str, Any], actor: str) -> bool:
    envelope = walk.organisation.statement(kind, f"member/{member}", actor, body)
    try:
        decide(walk.world, Proposal.of(parse_envelope(envelope)), f"{walk.today}T02:00:00.000000Z")
    except Refused:
        return False
    return True


@pytest.mark.parametrize("seed", range(6))
def test_exactly_the_people_named_may_take_the_step(seed: int) -> None:
    walk, seen = Walk(seed), 0
    for step in range(120):
        walk.take()
        if step % 3:
            continue
        for member in MEMBERS:
            for entry in walk.account(member).entries.values():
                account = walk.account(member)
                for duty in duties(walk.world, account, member, entry.id, walk.today):
                    if duty.statement not in ALONE:
                        continue
                    seen += 1
                    ways = [duty.body]
                    if duty.statement == "points.checked":
                        ways.append(duty.body | {"filled": COMMITMENT})
                    for actor in PEOPLE:
                        may = any(taken(walk, member, duty.statement, each, actor) for each in ways)
                        assert may == (actor in duty.people), (duty, actor)
    assert seen > 20


def test_b2_each_state_says_what_it_waits_for_and_until_when() -> None:
    passage = Passage()
    ident = passage.claim()
    seen = [waiting(passage, ident)]
    passage.check(ident)
    seen.append(waiting(passage, ident))
    passage.review(ident, "east-com-1")
    seen.append(waiting(passage, ident))
    passage.review(ident, "east-com-2")
    seen.append(waiting(passage, ident))
    passage.on("published", {"entry": ident, "closes": "2026-01-19"}, "east-sec")
    assert duties(passage.world, passage.account(), "m-2", ident, "2026-01-12") == []
    passage.on("objected", {"entry": ident, "filer": COMMITMENT}, "in-1", day="2026-01-15")
    seen.append(waiting(passage, ident, "2026-01-15"))
    passage.on("acknowledged", {"entry": ident}, "in-1", day="2026-01-15")
    seen.append(waiting(passage, ident, "2026-01-15"))
    assert [(each.statement, each.due, sorted(each.people), each.wanted) for each in seen] == [
        ("points.checked", "2026-01-27", ["lead-1"], 1),
        ("points.reviewed", "2026-01-27", ["east-com-1", "east-com-2", "east-com-3"], 2),
        ("points.reviewed", "2026-01-27", ["east-com-2", "east-com-3"], 1),
        ("points.published", "2026-01-27", ["east-com-3", "east-sec"], 1),
        ("points.acknowledged", "2026-02-05", ["in-1"], 1),
        ("points.reconsidered", "2026-01-30", ["east-com-3", "up-1", "up-2"], 2),
    ]


def test_b2_a_lapse_gives_the_turn_to_the_next_and_then_to_the_unit_above() -> None:
    passage = Passage()
    ident = passage.claim()
    passage.check(ident)
    turns = [waiting(passage, ident).turn]
    passage.lapse(ident, "first_review", "2026-01-27", "2026-01-28")
    turns.append(waiting(passage, ident, "2026-01-28").turn)
    passage.lapse(ident, "first_review", "2026-02-12", "2026-02-13")
    above = waiting(passage, ident, "2026-02-13")
    committee = {"east-com-1", "east-com-2", "east-com-3"}
    assert turns[0] != turns[1]
    assert set(turns) < committee
    assert above.turn in {"up-1", "up-2"}
    assert above.due is None
    assert committee < set(above.people), "who may act may still act"


def test_the_first_turns_of_many_entries_fall_on_everybody() -> None:
    passage = Passage()
    turns = set()
    for number in range(12):
        ident = passage.claim(activity=f"a-{number}", points=50 + number, item="R-1")
        passage.on("checked", waiting(passage, ident).body, "lead-1")
        found = duties(passage.world, passage.account(), "m-2", ident, "2026-01-12")
        turns.add(found[0].turn)
    assert turns == {"east-com-1", "east-com-2", "east-com-3"}


def test_a_returned_claim_waits_for_its_claimant_and_a_final_one_to_be_filed() -> None:
    passage = Passage()
    ident = passage.claim()
    passage.on("returned", why(ident), "lead-1")
    assert (waiting(passage, ident).statement, waiting(passage, ident).people) == (
        "points.revised",
        ("mem-2",),
    )
    passage.on("revised", {"entry": ident} | act(), "mem-2")
    other = passage.final("rec-1", member="m-5", evidence=[{"kind": "signed_slip"} | HELD])
    duty = waiting(passage, other, "2026-01-20", "m-5")
    assert (duty.statement, duty.due) == ("points.filed", None)


HELD = {"commitment": COMMITMENT}


def test_a30_a_claim_after_the_cut_off_day_is_for_the_next_months_review() -> None:
    passage = Passage(policy={"entry_cutoff_day": 25})
    months = []
    for day in ("2026-01-25", "2026-01-26"):
        ident = passage.claim(day=day)
        months.append(waiting(passage, ident, day).month)
    assert months == ["2026-01", "2026-02"]
