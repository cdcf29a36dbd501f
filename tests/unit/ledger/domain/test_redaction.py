"""Erasing what a commitment stands for: B22."""

from __future__ import annotations

import pytest

from ledger.domain.decide import decide
from ledger.domain.event import Event, Proposal
from ledger.domain.redaction import Use, check_erasable
from ledger.domain.texts import Texts, commitments, evolve
from ledger.domain.world import World
from ledger.entry import parse_envelope
from ledger.errors import Refused
from tests.support.organisation import COMMITMENT, Organisation

SET_UP, EARLY, TERM, LATE = (
    f"2026-{each}T01:00:00.000000Z" for each in ("01-05", "01-06", "02-05", "02-06")
)


def refused(uses: list[Use], today: str) -> str:
    with pytest.raises(Refused) as error:
        check_erasable(uses, today)
    return error.value.rule


def test_b22_nothing_is_erased_before_the_last_term_of_every_use() -> None:
    uses = [Use("a", "2026-02-01"), Use("b", "2026-03-01")]
    assert refused(uses, "2026-03-01") == "erasure-term"
    check_erasable(uses, "2026-03-02")


def test_b22_nothing_is_erased_while_an_entry_is_on_its_way_or_a_case_is_open() -> None:
    assert refused([Use("a", None)], "2030-01-01") == "erasure-term"
    assert refused([Use("a", "2026-02-01", "case-1")], "2030-01-01") == "erasure-case"
    assert refused([], "2030-01-01") == "commitment-known"


class Log:
    """A world with one award to m-2, recorded on 6 January."""

    def __init__(self) -> None:
        self.made = Organisation()
        self.world = World()
        for each in self.made.set_up():
            self.record(each, SET_UP)
        self.stream = "member/m-2"
        self.world.texts[self.stream] = Texts()
        self.record(self.made.award("m-2"), EARLY)

    def record(self, envelope: bytes, at: str) -> None:
        proposal = Proposal.of(parse_envelope(envelope))
        decide(self.world, proposal, at)
        self.world.evolve(Event(proposal, 1, 0, at))

    def erasure(self, *signers: str, commitment: str = COMMITMENT) -> bytes:
        body = {"commitment": commitment, "cause": "request"}
        return self.made.statement("text.erased", self.stream, signers[0], body, also=signers[1:])


def rule_of(log: Log, envelope: bytes, at: str) -> str:
    with pytest.raises(Refused) as error:
        log.record(envelope, at)
    return error.value.rule


def test_b22_an_award_is_kept_for_its_thirty_days_of_appeal() -> None:
    log = Log()
    assert rule_of(log, log.erasure("reg-1", "com-1"), TERM) == "erasure-term"
    log.record(log.erasure("reg-1", "com-1"), LATE)


def test_an_erasure_takes_a_registrar_and_a_committee_member() -> None:
    log = Log()
    assert rule_of(log, log.erasure("reg-1"), LATE) == "needs-committee"
    assert rule_of(log, log.erasure("com-1"), LATE) == "needs-registrar"
    assert rule_of(log, log.erasure("rec-1", "com-1"), LATE) == "needs-registrar"


def test_only_what_the_stream_holds_is_erased_and_once() -> None:
    log = Log()
    other = log.erasure("reg-1", "com-1", commitment="cd" * 32)
    assert rule_of(log, other, LATE) == "commitment-known"
    log.record(log.erasure("reg-1", "com-1"), LATE)
    assert rule_of(log, log.erasure("reg-1", "com-1"), LATE) == "erased-once"


def test_a_use_recorded_later_holds_it_longer() -> None:
    log = Log()
    log.record(log.made.award("m-2"), TERM)
    assert rule_of(log, log.erasure("reg-1", "com-1"), LATE) == "erasure-term"


def test_commitments_are_found_wherever_a_body_holds_them() -> None:
    body = {
        "reason": "aa",
        "opened": ["bb", "cc"],
        "replacement": {"reason": "dd", "evidence": [{"kind": "photo", "commitment": "ee"}]},
        "rulebook": "rules",
    }
    assert list(commitments(body)) == ["aa", "bb", "cc", "dd", "ee"]
    assert (
        evolve(Texts(), Event(Proposal("member.left", "i", "l", "s", "a", {}, ()), 1, 0, ""))
        == Texts()
    )
