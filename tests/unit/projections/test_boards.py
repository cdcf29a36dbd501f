"""Notice board, funds and erasures: what they say is what the domain says, by a slow look at it."""

from __future__ import annotations

from typing import Any

import pytest

from ledger.domain.account import PUBLISHED
from ledger.domain.lapses import due_term
from ledger.domain.points import worth_now
from ledger.errors import NotFoundError
from projections import funds, notices, redactions, statements
from projections.dossier import STATEMENTS
from projections.fold import AsOf, ReadModel, Rows
from projections.funds import FUNDS
from projections.notices import Board
from projections.redactions import REDACTIONS
from tests.support.busy import a_busy_log
from tests.support.chronicle import PAIR, Chronicle, item
from tests.support.organisation import COMMITMENT
from tests.support.passage import SLIP, Passage
from tests.support.walk import MEMBERS, Walk


def folded(log: Chronicle, model: ReadModel) -> tuple[Rows, AsOf]:
    rows = Rows(model.tables)
    model.fold_all(log.events, rows)
    assert not rows.parked
    return rows, AsOf(len(log.events), log.events[-1].recorded_at)


def board(log: Chronicle, unit: str = "root") -> Board:
    rows, as_of = folded(log, STATEMENTS)
    return notices.from_rows(rows, as_of, unit)


@pytest.mark.parametrize("seed", range(8))
def test_a34_what_is_in_publicity_stands_on_the_board_until_its_last_day(seed: int) -> None:
    walk, seen = Walk(seed), 0
    for _ in range(8):
        walk.walk(20)
        wanted = {}
        for member in MEMBERS:
            for entry in walk.account(member).entries.values():
                if entry.state == PUBLISHED:
                    due = due_term(walk.world, member, entry)
                    assert due is not None
                    amount = worth_now(walk.world, entry) if entry.kind != "reversal" else 0
                    wanted[entry.id] = (member, amount, due.due)
        found = {each.entry: (each.member, each.amount, each.until) for each in board(walk).entries}
        assert found == wanted
        seen += len(found)
    assert seen


def test_a_board_is_of_a_unit_and_those_below_it() -> None:
    log = a_busy_log()
    assert board(log).entries
    assert board(log, "east").entries == board(log).entries
    assert all(each.unit == "east" for each in board(log).entries)
    assert not board(log, "west").entries
    with pytest.raises(NotFoundError, match="no unit"):
        board(log, "nowhere")


def test_what_is_objected_to_or_final_is_not_on_the_board() -> None:
    log = Passage()
    ident = log.published()
    assert [each.entry for each in board(log).entries] == [ident]
    assert board(log).entries[0].opened_on == "2026-01-12"
    objection = {"entry": ident, "filer": COMMITMENT}
    log.on("objected", objection, "in-1", day="2026-01-13")
    assert not board(log).entries
    other = log.published(act_date="2026-01-11")
    log.lapse(other, "publicity", "2026-01-19", "2026-01-20")
    assert not board(log).entries


def test_b17_what_was_in_publicity_when_the_member_left_is_closed() -> None:
    log = Passage()
    log.published("rec-1", member="m-5", evidence=SLIP)
    assert len(board(log).entries) == 1
    left = {"date": "2026-01-15"}
    log.say("member.left", "member/m-5", left, ("reg-1",), "2026-01-15")
    assert not board(log).entries
    rows, as_of = folded(log, STATEMENTS)
    (line,) = statements.from_rows(rows, as_of, "m-5").lines
    assert line.due is None


def test_a_published_table_stands_on_the_board_until_objections_close() -> None:
    log = Passage(policy={"publicity_working_days": 5})
    days = {"start": "2026-01-01", "end": "2026-01-31"}
    opened = {"unit": "east", "rulebook": "rules", "kind": "month"} | days
    log.say("period.opened", "period/jan", opened, PAIR[:1])
    log.say("period.cut_off", "period/jan", {}, PAIR[:1], "2026-02-01")
    assert not board(log).tables
    size = len(log.ids)
    log.say("period.published", "period/jan", {"as_of": size}, PAIR, "2026-02-02")
    (table,) = board(log).tables
    assert (table.period, table.unit, table.size, table.until) == (
        "jan",
        "east",
        size,
        "2026-02-09",
    )
    assert not board(log, "west").tables
    log.say("period.closed", "period/jan", {}, PAIR[:1], "2026-02-10")
    assert not board(log).tables


def endowed(log: Chronicle, points: int, fund: str = "red") -> str:
    body = {"points": points, "source": "budget", "evidence": []}
    return log.plant("fund.endowed", f"fund/{fund}", body, "2026-02-01")


def redeemed(log: Chronicle, member: str, points: int, fund: str = "red") -> str:
    body: dict[str, Any] = {"member": member, "rulebook": "rules", "points": points}
    return log.plant("fund.redeemed", f"fund/{fund}", body, "2026-02-02")


def test_a_fund_is_the_domains_after_every_move() -> None:
    log = Chronicle()
    log.publish(items=[item("C-1"), item("S-1", account="service")])
    for fund in ("red", "blue"):
        log.say("fund.opened", f"fund/{fund}", {"unit": "east"}, PAIR)
    first = endowed(log, 1500)
    spent = redeemed(log, "m-2", 400)
    redeemed(log, "m-5", 100)
    endowed(log, 50, "blue")
    for back in (spent, first):
        body = {"reverses": back, "reason": COMMITMENT}
        log.plant("fund.reversed", "fund/red", body, "2026-02-03")
        rows, as_of = folded(log, FUNDS)
        for row in funds.from_rows(rows, as_of).funds:
            known = log.world.funds.get(row.id)
            assert known is not None
            assert row[2:] == (known.unit, known.endowed, known.redeemed, known.stock)
            assert row.endowed == row.redeemed + row.stock
            sheet = funds.sheet_from_rows(rows, as_of, row.id)
            assert {each.id: each[4:] for each in sheet.moves} == {
                ident: tuple(move) for ident, move in known.moves.items()
            }
    with pytest.raises(NotFoundError, match="no fund"):
        funds.sheet_from_rows(rows, as_of, "green")


def test_b14_a_closed_ids_redemptions_go_on_under_the_one_that_stays() -> None:
    log = Chronicle()
    log.publish()
    log.say("fund.opened", "fund/red", {"unit": "east"}, PAIR)
    endowed(log, 1000)
    redeemed(log, "m-6", 300)
    merged = {"into": "m-5", "reason": COMMITMENT}
    log.say("member.merged", "member/m-6", merged, ("reg-1", "reg-2"), "2026-02-05")
    rows, as_of = folded(log, FUNDS)
    assert [each.member for each in funds.sheet_from_rows(rows, as_of, "red").moves] == [
        None, "m-5"
    ]  # fmt: skip


def test_b22_an_erasure_says_what_by_whom_and_why() -> None:
    log = Passage()
    log.final()
    body = {"commitment": COMMITMENT, "cause": "request"}
    ident = log.say("text.erased", "member/m-2", body, ("reg-1", "east-com-1"), "2026-03-20")
    (row,) = redactions.from_rows(*folded(log, REDACTIONS)).found
    assert (row.id, row.stream, row.commitment) == (ident, "member/m-2", COMMITMENT)
    assert (row.cause, row.actors) == ("request", "east-com-1 reg-1")
