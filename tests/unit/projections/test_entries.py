"""The entries read model: every state and amount is the domain's, and people are by step."""

from __future__ import annotations

from typing import Any

from ledger.domain.account import PointsEntry
from ledger.domain.points import worth_now
from projections.entries import ENTRIES, ENTRY, HAND, EntryRow
from projections.fold import Rows
from projections.packed import pack, unpack
from tests.support.busy import a_busy_log
from tests.support.chronicle import ABOVE
from tests.support.organisation import COMMITMENT
from tests.support.passage import Passage, act


def folded(passage: Passage) -> Rows:
    rows = Rows(ENTRIES.tables)
    ENTRIES.fold_all(passage.events, rows)
    assert not rows.parked
    return rows


def row(passage: Passage, ident: str) -> EntryRow:
    found = folded(passage).get(ENTRY, ident)
    assert found is not None
    return found


def everything(passage: Passage) -> dict[str, tuple[str, PointsEntry]]:
    found = {}
    for stream in passage.world.accounts:
        account = passage.world.accounts.get(stream)
        for ident, entry in account.entries.items() if account else ():
            found[ident] = stream.partition("/")[2], entry
    return found


def assert_same(passage: Passage) -> None:
    rows = {each.id: each for each in folded(passage).all(ENTRY)}
    known = everything(passage)
    assert rows.keys() == known.keys()
    for ident, (member, entry) in known.items():
        each = rows[ident]
        assert (each.member, each.state) == (member, entry.state)
        assert unpack(each.packed) == entry
        if entry.kind != "reversal":
            assert each.amount == worth_now(passage.world, entry)


def test_every_state_and_amount_is_the_domains() -> None:
    assert_same(a_busy_log())


def test_an_entry_that_was_corrected_says_so_and_its_replacement_counts() -> None:
    passage = Passage()
    ident = passage.final()
    body = {"reverses": ident, "reason": COMMITMENT, "path": "full"}
    reversal = passage.on("corrected", body, "rec-1", day="2026-01-20")
    assert not row(passage, ident).reversed
    passage.check(reversal, day="2026-01-20")
    passage.review(reversal, day="2026-01-20", opened=[])
    closes = {"entry": reversal, "closes": "2026-01-27"}
    passage.on("published", closes, "east-sec", day="2026-01-20")
    passage.lapse(reversal, "publicity", "2026-01-27", "2026-01-28")
    assert row(passage, ident).reversed
    assert (row(passage, reversal).kind, row(passage, reversal).amount) == ("reversal", 0)
    assert row(passage, reversal).act_type == "test.act"
    assert_same(passage)


def test_people_are_kept_by_the_step_that_they_took() -> None:
    passage = Passage()
    ident = passage.final()
    hands = [(each.step, each.actor) for each in folded(passage).all(HAND) if each.entry == ident]
    assert sorted(hands) == [
        ("check", "lead-1"),
        ("claim", "mem-2"),
        ("notice", "east-sec"),
        ("review", "east-com-1"),
        ("review", "east-com-2"),
    ]


def test_a4_an_entrys_unit_is_that_of_its_day() -> None:
    passage = Passage()
    passage.publish(rulebook="western", unit="west")
    before = passage.claim()
    moved = {"unit": "west", "date": "2026-01-15"}
    passage.say("member.transferred", "member/m-2", moved, day="2026-01-12")
    after: dict[str, Any] = act(act_date="2026-01-16") | {"rulebook": "western"}
    later = passage.on("claimed", after, "mem-2", day="2026-01-19")
    assert (row(passage, before).unit, row(passage, later).unit) == ("east", "west")


def test_b16_a_closed_units_members_have_later_acts_in_the_new_one() -> None:
    passage = Passage()
    passage.publish(rulebook="western", unit="west")
    members = [f"m-{n}" for n in range(1, 7)]
    body = {
        "date": "2026-01-21",
        "into": [{"unit": "west", "members": members}],
        "reason": COMMITMENT,
    }
    passage.say("unit.closed", "unit/east", body, ("reg-1", "up-1"), "2026-01-20")
    claim: dict[str, Any] = act(act_date="2026-01-21") | {"rulebook": "western"}
    ident = passage.on("claimed", claim, "mem-2", day="2026-01-22")
    assert row(passage, ident).unit == "west"


def test_b15_the_amount_is_at_the_right_price() -> None:
    passage = Passage()
    entry = passage.final()
    body = {
        "version": "1.0.0",
        "item": "C-1",
        "field": "points",
        "value": 250,
        "from": "2026-01-06",
        "until": "2026-01-15",
        "reason": COMMITMENT,
    }
    erratum = passage.say("rulebook.erratum", "rulebook/rules", body, (ABOVE,), "2026-01-20")
    new = {"type": "points.awarded"} | act(erratum=erratum)
    said = {"reverses": entry, "reason": COMMITMENT, "path": "full", "replacement": new}
    correction = passage.on("corrected", said, "rec-1", day="2026-01-20")
    passage.check(correction, day="2026-01-20")
    assert row(passage, correction).amount == 250


def test_a_packed_entry_comes_back_as_it_was() -> None:
    for _, entry in everything(a_busy_log()).values():
        assert unpack(pack(entry)) == entry
