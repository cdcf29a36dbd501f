"""Erasing what a commitment stands for: B22."""

from __future__ import annotations

import pytest

from ledger.domain.account import Account, matters
from ledger.domain.event import Proposal
from ledger.domain.texts import commitments
from tests.support.organisation import COMMITMENT
from tests.support.passage import Passage, why

FILER, DECISION = "f1" * 32, "d1" * 32
ERASED = "text.erased"


class Erasing(Passage):
    """A passage with a committee member and a registrar who order erasures."""

    def erase(self, day: str, commitment: str = COMMITMENT, member: str = "m-2") -> None:
        body = {"commitment": commitment, "cause": "request"}
        self.say(ERASED, f"member/{member}", body, ("reg-1", "east-com-1"), day)

    def kept(self, rule: str, day: str, commitment: str = COMMITMENT, *signers: str) -> str:
        body = {"commitment": commitment, "cause": "request"}
        signed = signers or ("reg-1", "east-com-1")
        return self.refused(rule, ERASED, "member/m-2", body, signed, day)


@pytest.fixture
def passage() -> Erasing:
    return Erasing()


def test_b22_nothing_is_erased_while_an_entry_is_on_its_way(passage: Erasing) -> None:
    ident = passage.claim()
    assert ident in passage.kept("erasure-term", "2026-01-13")
    passage.check(ident)
    passage.review(ident)
    passage.on("published", {"entry": ident, "closes": "2026-01-19"}, "east-sec")
    assert "on its way" in passage.kept("erasure-term", "2027-01-01")


def test_b22_what_is_final_is_kept_until_its_last_day_of_appeal(passage: Erasing) -> None:
    passage.final()
    assert "until 2026-02-19" in passage.kept("erasure-term", "2026-02-19")
    passage.erase("2026-02-20")


def test_b22_a_seal_of_the_period_keeps_it_for_thirty_days_more(passage: Erasing) -> None:
    passage.final()
    period = {"unit": "east", "rulebook": "rules", "kind": "quarter"} | {
        "start": "2026-01-01",
        "end": "2026-03-31",
    }
    pair = ("east-sec", "east-com-1")
    passage.say("period.opened", "period/q1", period, pair, "2026-01-20")
    for kind, day in (("cut_off", "2026-04-01"), ("published", "2026-04-01")):
        body = {"as_of": passage.world.size} if kind == "published" else {}
        passage.say(f"period.{kind}", "period/q1", body, pair, day)
    passage.say("period.closed", "period/q1", {}, pair, "2026-04-20")
    passage.say("period.sealed", "period/q1", {"as_of": passage.world.size}, pair, "2026-04-20")
    assert "until 2026-05-20" in passage.kept("erasure-term", "2026-05-20")
    passage.erase("2026-05-21")


def test_b22_an_open_appeal_keeps_reasons_and_the_filer(passage: Erasing) -> None:
    ident = passage.final()
    passage.on("appealed", {"entry": ident, "filer": FILER}, "in-1", day="2026-02-10")
    for each in (COMMITMENT, FILER):
        passage.kept("erasure-term", "2027-01-01", each)
    body = {"entry": ident, "reason": DECISION, "outcome": "upheld"}
    passage.on("reexamined", body, "up-1", "up-2", day="2026-03-01")
    assert "until 2026-03-31" in passage.kept("erasure-term", "2026-03-31", DECISION)
    for each in (COMMITMENT, FILER, DECISION):
        passage.erase("2026-04-01", each)


def test_b22_a_decision_that_is_not_carried_out_keeps_them(passage: Erasing) -> None:
    ident = passage.final()
    passage.on("appealed", {"entry": ident, "filer": FILER}, "in-1", day="2026-02-10")
    body = why(ident, outcome="reversed")
    passage.on("reexamined", body, "up-1", "up-2", day="2026-03-01")
    assert "on its way" in passage.kept("erasure-term", "2027-01-01")


def test_b22_a_correction_under_way_keeps_the_reasons_of_what_it_corrects(
    passage: Erasing,
) -> None:
    ident = passage.final(reason=DECISION)
    passage.on(
        "corrected", {"reverses": ident, "reason": FILER, "path": "full"}, "mem-2", day="2026-02-20"
    )
    assert "on its way" in passage.kept("erasure-term", "2026-02-21", DECISION)


def test_b22_a_rejected_or_withdrawn_claim_is_kept_for_thirty_days(passage: Erasing) -> None:
    ident = passage.claim()
    passage.on("withdrawn", {"entry": ident}, "mem-2")
    assert "until 2026-02-11" in passage.kept("erasure-term", "2026-02-11")
    passage.erase("2026-02-12")


def test_b22_the_reason_of_a_suspension_is_kept_for_thirty_days(passage: Erasing) -> None:
    body = {"date": "2026-01-12", "reason": DECISION}
    passage.say("member.suspended", "member/m-2", body, day="2026-01-12")
    assert "until 2026-02-11" in passage.kept("erasure-term", "2026-02-11", DECISION)
    passage.erase("2026-02-12", DECISION)


def test_an_erasure_takes_a_registrar_and_a_committee_member(passage: Erasing) -> None:
    passage.final()
    day = "2026-02-20"
    passage.kept("needs-committee", day, COMMITMENT, "reg-1")
    passage.kept("needs-registrar", day, COMMITMENT, "east-com-1")
    passage.kept("needs-registrar", day, COMMITMENT, "rec-1", "east-com-1")


def test_only_what_the_stream_holds_is_erased_and_once(passage: Erasing) -> None:
    passage.final()
    passage.kept("commitment-known", "2026-02-20", "cd" * 32)
    passage.erase("2026-02-20")
    passage.kept("erased-once", "2026-02-20")


def test_b22_a_use_recorded_later_holds_it_longer(passage: Erasing) -> None:
    passage.final()
    passage.claim(day="2026-02-19", act_date="2026-02-18")
    passage.kept("erasure-term", "2026-02-20")


def test_commitments_are_found_wherever_a_body_holds_them() -> None:
    body = {
        "reason": "aa",
        "opened": ["bb", "cc"],
        "replacement": {"reason": "dd", "evidence": [{"kind": "photo", "commitment": "ee"}]},
        "filled": "ff",
        "leave": "gg",
        "rulebook": "rules",
    }
    assert list(commitments(body)) == ["aa", "bb", "cc", "dd", "ee", "ff", "gg"]


def test_statements_that_hold_nothing_leave_the_account_alone() -> None:
    enrolled = Proposal("member.enrolled", "i", "l", "member/m-1", "a", {"unit": "east"}, ())
    assert not matters(enrolled)
    assert matters(enrolled._replace(type="member.left", body={"reason": COMMITMENT}))
    assert Account().others == ()
