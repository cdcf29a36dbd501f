from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from ledger.domain.account import Account
from ledger.domain.redeeming import lapsed_of, wallet
from ledger.errors import Refused
from ledger.rules.components import Wallet
from tests.support.chronicle import PAIR, Chronicle, item
from tests.support.organisation import COMMITMENT

STREAM = "fund/red"
DAY = "2026-06-20"
HANDS_OUT = "east-sec"
RECEIVER = "member-2"
ITEMS = [
    item("C-1"),
    item("D-1", "debit"),
    item("S-1", account="service", points=1000),
    item("S-9", "debit", account="service", points=800),
]
SLIP = [{"kind": "signed_slip", "commitment": COMMITMENT}]


def begin(**more: Any) -> Chronicle:
    """Member m-2, whose actor is member-2, earned 10.00 service points; the fund holds 15.00."""
    log = Chronicle()
    log.publish(items=ITEMS, **more)
    log.envelope(log.organisation.key(RECEIVER))
    log.say("member.linked", "member/m-2", {"actor": RECEIVER})
    act(log, "S-1")
    log.say("fund.opened", STREAM, {"unit": "east"}, PAIR)
    log.say("fund.endowed", STREAM, endowment(1500), PAIR)
    return log


@pytest.fixture
def log() -> Chronicle:
    return begin()


def act(log: Chronicle, code: str, day: str = "2026-02-01", kind: str = "points.awarded") -> str:
    points = next(each["points"] for each in ITEMS if each["code"] == code)
    body = log.organisation.act(points, item=code) | {"act_date": day}
    return log.plant(kind, "member/m-2", body, day)


def endowment(points: int) -> dict[str, Any]:
    return {"points": points, "source": "budget", "evidence": []}


def redemption(points: int, **more: Any) -> dict[str, Any]:
    return {"member": "m-2", "rulebook": "rules", "points": points} | more


def balances(log: Chronicle) -> tuple[int, int, int]:
    fund = log.world.funds.get("red")
    assert fund is not None
    return fund.endowed, fund.redeemed, fund.stock


def held(log: Chronicle, today: str = DAY) -> Wallet:
    account = log.world.accounts.get("member/m-2") or Account()
    return wallet(log.world, "m-2", account, log.world.spent.get("m-2") or (), today)


def redeem(log: Chronicle, points: int, day: str = DAY, **more: Any) -> str:
    body = redemption(points, **more)
    return log.say("fund.redeemed", STREAM, body, (HANDS_OUT, RECEIVER), day)


def test_a17_a_redemption_moves_stock_to_redeemed_and_empties_the_wallet(log: Chronicle) -> None:
    redeem(log, 400)
    assert balances(log) == (1500, 400, 1100)
    assert held(log) == Wallet(earned=1000, redeemed=400, lapsed=0)


def test_a17_nothing_is_redeemed_beyond_the_wallet_or_the_stock(log: Chronicle) -> None:
    sign = (HANDS_OUT, RECEIVER)
    assert "1000" in log.refused("wallet", "fund.redeemed", STREAM, redemption(1001), sign, DAY)
    log.refused("fund-stock", "fund.redeemed", STREAM, redemption(1501), sign, DAY)
    redeem(log, 700)
    log.refused("wallet", "fund.redeemed", STREAM, redemption(301), sign, DAY)
    redeem(log, 300)
    log.refused("wallet", "fund.redeemed", STREAM, redemption(1), sign, DAY)


def test_a17_from_a_wallet_below_zero_nothing_is_redeemed(log: Chronicle) -> None:
    redeem(log, 900)
    act(log, "S-9", "2026-06-01", "points.deducted")
    assert held(log).balance == -700
    reason = log.refused(
        "wallet", "fund.redeemed", STREAM, redemption(1), (HANDS_OUT, RECEIVER), DAY
    )
    assert "-700" in reason


def test_a17_a_reversed_award_takes_the_wallet_below_zero(log: Chronicle) -> None:
    ident = act(log, "S-1", "2026-02-02")
    redeem(log, 1500)
    log.plant("points.corrected", "member/m-2", {"reverses": ident, "reason": COMMITMENT}, DAY)
    assert held(log).balance == -500
    assert held(log).redeemable == 0


def test_redeeming_never_lowers_merit_and_merit_is_never_redeemed(log: Chronicle) -> None:
    for _ in range(3):
        act(log, "C-1")
    assert held(log).earned == 1000
    before = log.world.accounts.get("member/m-2")
    redeem(log, 1000)
    assert log.world.accounts.get("member/m-2") == before


def test_cheat25_the_receiver_signs(log: Chronicle) -> None:
    body = redemption(100)
    log.refused("receiver-signs", "fund.redeemed", STREAM, body, (HANDS_OUT,), DAY)
    log.refused("receiver-signs", "fund.redeemed", STREAM, body, (HANDS_OUT, "east-com-1"), DAY)


def test_b20_without_a_key_two_witnesses_sign_on_the_receivers_slip(log: Chronicle) -> None:
    with_slip, kind = redemption(100, evidence=SLIP), "fund.redeemed"
    witnesses = ("east-com-1", "rec-1")
    log.refused("receiver-signs", kind, STREAM, with_slip, (HANDS_OUT, "rec-1"), DAY)
    log.refused("receiver-signs", kind, STREAM, redemption(100), (HANDS_OUT, *witnesses), DAY)
    # A witness has a role over the fund's unit.
    strangers = (HANDS_OUT, "east-com-1", "west-com-1")
    log.refused("receiver-signs", kind, STREAM, with_slip, strangers, DAY)
    log.say(kind, STREAM, with_slip, (HANDS_OUT, *witnesses), DAY)


def test_nobody_hands_out_to_themselves(log: Chronicle) -> None:
    log.give(RECEIVER, "secretary", "east")
    body = redemption(100)
    log.refused("no-self-review", "fund.redeemed", STREAM, body, (RECEIVER, HANDS_OUT), DAY)
    log.refused("needs-secretary", "fund.redeemed", STREAM, body, ("west-sec", RECEIVER), DAY)


@pytest.mark.parametrize(
    ("name", "changed"),
    [
        ("member-known", {"member": "nobody"}),
        ("fund-unit", {"member": "m-8"}),
        ("rulebook-scope", {"rulebook": "other"}),
    ],
)
def test_a_fund_is_for_members_of_its_unit_under_their_rulebook(
    log: Chronicle, name: str, changed: dict[str, Any]
) -> None:
    body = redemption(100) | changed
    log.refused(name, "fund.redeemed", STREAM, body, (HANDS_OUT, RECEIVER), DAY)


def test_a_type_without_a_service_account_redeems_nothing() -> None:
    types = [{"code": "ordinary", "name_zh": "普通党员", "accounts": ["merit"]}]
    log = Chronicle()
    log.publish(member_types=types)
    log.say("fund.opened", STREAM, {"unit": "east"}, PAIR)
    body = redemption(100, evidence=SLIP)
    signers = (HANDS_OUT, "east-com-1", "rec-1")
    log.refused("no-service", "fund.redeemed", STREAM, body, signers, DAY)


def test_b17_who_has_left_redeems_nothing(log: Chronicle) -> None:
    actor = log.world.actors.get(RECEIVER)
    assert actor is not None
    revocation = {"keyid": actor.keys[0][0], "cause": "left"}
    log.say("key.revoked", f"actor/{RECEIVER}", revocation, day="2026-06-01")
    log.say("member.left", "member/m-2", {"date": "2026-06-01"}, day="2026-06-01")
    body = redemption(100, evidence=SLIP)
    signers = (HANDS_OUT, "east-com-1", "rec-1")
    log.refused("member-known", "fund.redeemed", STREAM, body, signers, DAY)


REDEMPTION = {
    "windows": [{"from": "06-15", "to": "06-30"}],
    "catalogue": [{"code": "G1", "name_zh": "牙膏", "points": 200}],
}


def test_the_rulebooks_windows_and_catalogue_bind() -> None:
    log = begin(redemption=REDEMPTION)
    sign, kind = (HANDS_OUT, RECEIVER), "fund.redeemed"
    for day in ("2026-06-14", "2026-07-01"):
        log.refused("redeem-window", kind, STREAM, redemption(400), sign, day)
    for name, code, points in (("goods-known", "G9", 400), ("goods-price", "G1", 300)):
        body = redemption(points, goods=[{"code": code, "count": 2}])
        log.refused(name, kind, STREAM, body, sign, "2026-06-15")
    redeem(log, 400, "2026-06-30", goods=[{"code": "G1", "count": 2}])


def test_b12_a_move_is_reversed_once_and_a_reversal_never(log: Chronicle) -> None:
    ident = redeem(log, 400)
    body = {"reverses": ident, "reason": COMMITMENT}
    log.refused("needs-committee", "fund.reversed", STREAM, body, PAIR[:1], DAY)
    reversal = log.say("fund.reversed", STREAM, body, PAIR, DAY)
    assert balances(log) == (1500, 0, 1500)
    assert held(log).balance == 1000
    log.refused("reverses-last", "fund.reversed", STREAM, body, PAIR, DAY)
    log.refused("reverses-known", "fund.reversed", STREAM, body | {"reverses": reversal}, PAIR, DAY)


def test_an_endowment_is_taken_back_only_while_it_is_in_stock(log: Chronicle) -> None:
    ident = log.say("fund.endowed", STREAM, endowment(300), PAIR, DAY)
    redeem(log, 1000)
    body = {"reverses": ident, "reason": COMMITMENT}
    log.say("fund.reversed", STREAM, body, PAIR, DAY)
    assert balances(log) == (1500, 1000, 500)
    first = next(iter(log.world.funds.get("red").moves))  # type: ignore[union-attr]
    log.refused("fund-stock", "fund.reversed", STREAM, body | {"reverses": first}, PAIR, DAY)


def test_a_fund_is_opened_once_by_two_people_in_a_unit(log: Chronicle) -> None:
    log.refused("fund-once", "fund.opened", STREAM, {"unit": "east"}, PAIR)
    log.refused("unit-known", "fund.opened", "fund/new", {"unit": "nowhere"}, PAIR)
    log.refused("needs-committee", "fund.opened", "fund/new", {"unit": "east"}, PAIR[:1])
    log.refused("fund-known", "fund.endowed", "fund/new", endowment(100), PAIR)


def test_a17_what_one_fund_gave_is_spent_in_every_fund(log: Chronicle) -> None:
    log.say("fund.opened", "fund/second", {"unit": "east"}, PAIR)
    log.say("fund.endowed", "fund/second", endowment(5000), PAIR)
    redeem(log, 900)
    body, sign = redemption(101), (HANDS_OUT, RECEIVER)
    log.refused("wallet", "fund.redeemed", "fund/second", body, sign, DAY)


def test_a17_unspent_points_of_a_year_lapse_after_their_day_in_the_next() -> None:
    log = begin(service={"lapse": "03-31"})
    redeem(log, 400)
    assert held(log, "2027-03-31") == Wallet(1000, 400, 0)
    assert held(log, "2027-04-01") == Wallet(1000, 400, 600)
    act(log, "S-1", "2027-02-01")
    assert held(log, "2027-04-01") == Wallet(2000, 400, 600)
    assert held(log, "2028-04-01") == Wallet(2000, 400, 1600)


def test_a17_the_oldest_points_are_spent_first() -> None:
    by_year = {"2025-12-31": 1000, "2026-12-31": 500}
    spent = (("a", "2026-02-01", 300), ("b", "2026-08-01", 200))
    assert lapsed_of(by_year, spent, "03-31", "2026-03-31") == 0
    assert lapsed_of(by_year, spent, "03-31", "2026-04-01") == 700
    assert lapsed_of(by_year, spent, "03-31", "2027-04-01") == 1000


@given(st.dictionaries(st.sampled_from(["2024-12-31", "2025-12-31"]), st.integers(-500, 2000)))
@settings(max_examples=200, deadline=None)
def test_a17_a_lapse_takes_no_more_than_was_earned(by_year: dict[str, int]) -> None:
    lapsed = lapsed_of(by_year, (), "03-31", "2030-01-01")
    most = running = 0
    for last in sorted(by_year):
        running += by_year[last]
        most = max(most, running)
    assert 0 <= lapsed <= most


class Fund(RuleBasedStateMachine):
    """Any statements, allowed or refused: the fund balances after each, and so do wallets."""

    def __init__(self) -> None:
        super().__init__()
        self.log = begin()

    def _try(self, kind: str, body: dict[str, Any], signers: tuple[str, ...]) -> None:
        try:
            self.log.say(kind, STREAM, body, signers, DAY)
        except Refused:
            return

    @rule(points=st.integers(1, 2000))
    def endow(self, points: int) -> None:
        self._try("fund.endowed", endowment(points), PAIR)

    @rule(points=st.integers(1, 1500))
    def redeem(self, points: int) -> None:
        self._try("fund.redeemed", redemption(points), (HANDS_OUT, RECEIVER))

    @rule(number=st.integers(0, 40))
    def reverse(self, number: int) -> None:
        ids = self.log.ids
        body = {"reverses": ids[-1 - number % len(ids)], "reason": COMMITMENT}
        self._try("fund.reversed", body, PAIR)

    @rule()
    def earn(self) -> None:
        act(self.log, "S-1")

    @invariant()
    def balanced(self) -> None:
        fund = self.log.world.funds.get("red")
        assert fund is not None
        assert fund.balanced
        assert fund.stock >= 0
        standing = [m for m in fund.moves.values() if m.member is not None and not m.reversed]
        assert fund.redeemed == sum(m.points for m in standing)
        assert held(self.log).redeemed == fund.redeemed
        assert held(self.log).balance >= 0


TestTheFundBalancesWhateverHappens = Fund.TestCase
TestTheFundBalancesWhateverHappens.settings = settings(
    max_examples=25, stateful_step_count=20, deadline=None
)
