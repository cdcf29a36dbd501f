from __future__ import annotations

import pytest

from tests.support.chronicle import PAIR, START_DAY, item
from tests.support.organisation import COMMITMENT
from tests.support.watched import Watched

ERASE = {"commitment": COMMITMENT, "cause": "request"}
BOTH = ("reg-1", "east-com-1")
ITEMS = [item("C-1"), item("D-1", "debit"), item("S-1", account="service", points=1000)]


@pytest.fixture
def log() -> Watched:
    return Watched(items=ITEMS)


def test_cheat_19_an_entry_that_counts_without_evidence_is_listed(log: Watched) -> None:
    log.direct("rec-1", "east-com-1")
    assert log.found(19) == []
    empty = log.direct("rec-1", "east-com-1", evidence=[])
    (found,) = log.found(19)
    assert found.index == log.index(empty)
    assert found.people == ("east-com-1", "m-2", "rec-1")


def test_cheat_19_evidence_erased_before_the_appeal_term_is_shown() -> None:
    for day, shown in (("2026-01-18", True), ("2026-02-19", True), ("2026-02-20", False)):
        log = Watched()
        log.final()
        # The whole-log verifier holds no texts, so the terms are not its matter: B22 is checked
        # by the sequencer, and here.
        log.put("text.erased", "member/m-2", ERASE, *BOTH, day=max(day, "2026-01-20"))
        assert [each.people[1:] for each in log.found(19)] == ([("m-2", "reg-1")] * shown)


def test_cheat_19_evidence_erased_while_its_entry_is_on_its_way_is_shown() -> None:
    log = Watched()
    log.claim()
    log.put("text.erased", "member/m-2", ERASE, *BOTH, day="2026-01-13")
    assert ["its entry is claimed" in each.reason for each in log.found(19)] == [True]


def test_cheat_20_a_correction_that_raises_points_and_walked_no_path_is_shown(
    log: Watched,
) -> None:
    debit = log.direct("rec-1", "east-com-1", kind="deducted", item="D-1", member="m-5")
    walked = {"reverses": debit, "reason": COMMITMENT, "path": "full"}
    log.on("corrected", walked, "rec-1", day="2026-01-20", member="m-5")
    assert log.found(20) == []
    bypass = log.put("points.corrected", "member/m-5", {"reverses": debit, "reason": COMMITMENT},
                     "rec-1", "east-com-1")  # fmt: skip
    (found,) = log.found(20)
    assert found.index == log.index(bypass)
    assert "raises -1 to 0" in found.reason


def test_cheat_20_where_the_short_path_is_allowed_a_short_correction_is_none(log: Watched) -> None:
    log.say("policy.adopted", "unit/east", {"short_path": True}, PAIR)
    debit = log.direct("rec-1", "east-com-1", kind="deducted", item="D-1", member="m-5")
    log.put("points.corrected", "member/m-5", {"reverses": debit, "reason": COMMITMENT},
            "rec-1", "east-com-1")  # fmt: skip
    assert log.found(20) == []


def test_cheat_20_a_correction_that_lowers_points_is_no_bypass(log: Watched) -> None:
    credit = log.direct("rec-1", "east-com-1")
    log.put("points.corrected", "member/m-2", {"reverses": credit, "reason": COMMITMENT},
            "rec-1", "east-com-1")  # fmt: skip
    assert log.found(20) == []


def balance(log: Watched, *signers: str) -> str:
    body = {
        "rulebook": "rules", "account": "merit", "kind": "credit", "points": 8650,
        "period": "2025-01-01", "act_date": "2025-12-31", "sheet": COMMITMENT,
        "reason": COMMITMENT, "closes": "2026-01-12",
    }  # fmt: skip
    return log.put("points.imported", "member/m-2", body, *signers, day=START_DAY)


def test_cheat_21_an_import_by_one_after_the_start_and_twice_is_shown(log: Watched) -> None:
    balance(log, "reg-1", "east-sec")
    assert [each.reason for each in log.found(21)] == [f"an import: east started on {START_DAY}"]
    balance(log, "reg-1")
    assert log.found(21)[1].reason == (
        f"an import: one person signed it; east started on {START_DAY}; merit of 2025-01-01 is "
        "imported 2 times"
    )


def funded(log: Watched) -> str:
    earned = log.direct("rec-1", "east-sec", item="S-1", points=1000)
    log.say("fund.opened", "fund/red", {"unit": "east"}, PAIR)
    body = {"points": 5000, "source": "budget", "evidence": []}
    log.say("fund.endowed", "fund/red", body, PAIR)
    return earned


def redeem(log: Watched, *signers: str, day: str = "2026-02-01") -> str:
    body = {"member": "m-2", "rulebook": "rules", "points": 100}
    return log.put("fund.redeemed", "fund/red", body, *signers, day=day)


def reverse(log: Watched, ident: str, day: str, *signers: str) -> None:
    body = {"reverses": ident, "reason": COMMITMENT}
    log.put("points.corrected", "member/m-2", body, *signers, day=day)


@pytest.mark.parametrize(
    ("day", "signers", "shown"),
    [
        ("2026-02-20", ("east-sec", "east-com-1"), [("east-sec", "m-2")]),
        ("2026-03-04", ("east-sec", "east-com-1"), []),
    ],
)
def test_cheat_25_points_redeemed_and_soon_reversed_by_the_same_people(
    log: Watched, day: str, signers: tuple[str, ...], shown: list[tuple[str, ...]]
) -> None:
    earned = funded(log)
    redeem(log, "east-sec", "mem-2")
    reverse(log, earned, day, *signers)
    assert [each.people for each in log.found(25)] == shown


def test_cheat_25_a_reversal_by_others_shows_nothing(log: Watched) -> None:
    earned = log.direct("rec-1", "east-com-1", item="S-1", points=1000)
    funded(log)
    redeem(log, "east-com-2", "mem-2")
    reverse(log, earned, "2026-02-20", "rec-1", "east-com-1")
    assert log.found(25) == []


def test_cheat_25_three_redemptions_that_no_receiver_signed_are_listed(log: Watched) -> None:
    funded(log)
    for number in range(3):
        assert log.found(25) == []
        redeem(log, "east-sec", "east-com-1", "rec-1", day=f"2026-02-0{number + 1}")
    assert ["east-sec handed out 3 times" in each.reason for each in log.found(25)] == [True]
