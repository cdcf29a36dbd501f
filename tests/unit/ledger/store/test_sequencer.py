"""What the sequencer does with single statements and single faults, without a database."""

from __future__ import annotations

import pytest

from ledger.domain import decide as rules
from ledger.domain.rule import Rule
from ledger.entry import parse_entry
from ledger.errors import (
    ConflictError,
    MingzhangError,
    OutcomeUnknownError,
    Refused,
    StartRefusedError,
    StoppedError,
)
from ledger.log import receipt
from ledger.store.batch import Pending
from ledger.store.port import Unconfirmed
from ledger.store.sequencer import Sequencer
from tests.support.organisation import Organisation
from tests.support.simulation.machine import SIGNER, SimulatedAnchor, SimulatedClock, Time
from tests.support.simulation.statements import ADMISSION, founded, organisation, set_up
from tests.support.simulation.store import Calm, Effect, SimulatedStore


class Site:
    """One machine with its database; `start` starts a process on it."""

    def __init__(self) -> None:
        set_up()
        self.server = founded().clone()
        self.time = Time()
        self.clock = SimulatedClock(self.time)
        self.anchor = SimulatedAnchor()

    def start(self, network: Calm | None = None) -> Sequencer:
        store = SimulatedStore(self.server, network)
        return Sequencer(store, SIGNER, self.anchor, self.clock, ADMISSION)


@pytest.fixture
def site() -> Site:
    return Site()


@pytest.fixture
def made() -> Organisation:
    return organisation()


def run(sequencer: Sequencer, *envelopes: bytes) -> list[bytes | MingzhangError]:
    answers: dict[int, bytes | MingzhangError] = {}

    def pending(place: int) -> Pending:
        return Pending(envelopes[place], lambda outcome: answers.update({place: outcome}))

    sequencer.run([pending(place) for place in range(len(envelopes))])
    return [answers[place] for place in range(len(envelopes))]


def rule(outcome: bytes | MingzhangError) -> str:
    assert isinstance(outcome, (Refused, ConflictError)), outcome
    return outcome.rule


def test_a_key_and_its_first_statement_fit_one_batch(site: Site, made: Organisation) -> None:
    name = "fresh"
    outcomes = run(
        site.start(),
        made.key(name),
        made.role(name, "recorder"),
        made.award("m-2", signers=(name, "com-1")),
    )
    assert all(isinstance(each, bytes) for each in outcomes)


def test_a_forged_signature_by_a_key_of_the_same_batch_is_refused(
    site: Site, made: Organisation
) -> None:
    # The key is unknown when the award is admitted: its signature is checked when deciding.
    award = made.award("m-2", signers=("forger", "com-1"))
    at = award.index(b'"sig":"') + 10
    forged = [award[:at] + b"AA" + award[at + 2 :]]
    at = award.rindex(b'"sig":"') + 10
    forged.append(award[:at] + b"AA" + award[at + 2 :])
    outcomes = run(site.start(), made.key("forger"), made.role("forger", "recorder"), *forged)
    assert [rule(each) for each in outcomes[2:]] == ["signature", "signature"]


def test_one_key_that_is_known_elsewhere_is_looked_up_again(site: Site, made: Organisation) -> None:
    first, second = site.start(), site.start()
    run(first, made.key("elsewhere"), made.role("elsewhere", "recorder"))
    (outcome,) = run(second, made.award("m-2", signers=("elsewhere", "com-1")))
    assert isinstance(outcome, bytes)


def test_copies_in_one_batch_have_one_receipt(site: Site, made: Organisation) -> None:
    award = made.award("m-2")
    size = len(site.server.rows)
    first, second = run(site.start(), award, award)
    assert isinstance(first, bytes)
    assert first == second
    assert len(site.server.rows) == size + 1


def test_a_refused_statement_does_not_hold_the_others(site: Site, made: Organisation) -> None:
    outcomes = run(
        site.start(),
        made.award("nobody"),
        made.award("m-2"),
        b"no envelope at all",
        made.award("m-3", signers=("rec-1",)),
        made.award("m-3"),
    )
    assert [isinstance(each, bytes) for each in outcomes] == [False, True, False, False, True]


def test_a_statement_signed_ahead_is_refused_but_its_receipt_is_not(
    site: Site, made: Organisation
) -> None:
    ahead = made.statement(
        "member.enrolled",
        "member/early",
        "reg-1",
        {"unit": "east", "member_type": "ordinary"},
        signed_at=site.clock.now().replace(microsecond=0),
    )
    site.clock.skew_s = -601
    assert rule(run(site.start(), ahead)[0]) == "signed-ahead"
    site.clock.skew_s = -599
    (first,) = run(site.start(), ahead)
    assert isinstance(first, bytes)
    site.clock.skew_s = -900
    assert run(site.start(), ahead) == [first]


def test_recorded_at_never_falls(site: Site, made: Organisation) -> None:
    (first,) = run(site.start(), made.award("m-2"))
    site.clock.skew_s = -500
    (second,) = run(site.start(), made.award("m-2"))
    assert isinstance(first, bytes)
    assert isinstance(second, bytes)
    at = [parse_entry(receipt.parse(each).entry).recorded_at for each in (first, second)]
    assert at[0] == at[1]


@pytest.mark.parametrize("jump_s", [601, -601])
def test_a_jump_of_the_clock_stops_appending(site: Site, made: Organisation, jump_s: float) -> None:
    sequencer = site.start()
    site.time.pass_(86_400)
    site.clock.skew_s = 599
    assert isinstance(run(sequencer, made.award("m-2"))[0], bytes)
    site.clock.skew_s = jump_s
    (outcome,) = run(sequencer, made.award("m-2"))
    assert isinstance(outcome, StoppedError)
    assert "wall clock jumped" in outcome.message


def test_a_statement_that_breaks_a_rule_s_code_does_not_stop_the_log(
    site: Site, made: Organisation, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise KeyError("a bug")

    monkeypatch.setitem(rules._RULES, "member.left", Rule("member", broken))
    leaving = made.statement("member.left", "member/m-2", "reg-1", {"date": "2026-01-05"})
    sequencer = site.start()
    outcomes = run(sequencer, made.award("m-2"), leaving, made.award("m-3"))
    assert [isinstance(each, bytes) for each in outcomes] == [True, False, True]
    assert sequencer.stopped is None


def test_an_anchor_that_cannot_be_written_stops_signing_at_once(
    site: Site, made: Organisation
) -> None:
    sequencer = site.start()
    site.anchor.broken = True
    award = made.award("m-2")
    assert isinstance(run(sequencer, award)[0], StoppedError)
    # A sync that is tried again may report success for what is lost: it is not tried again.
    site.anchor.broken = False
    assert isinstance(run(sequencer, award)[0], StoppedError)
    assert isinstance(run(site.start(), award)[0], bytes)


class Failing(Calm):
    """Loses every call of some kind."""

    def __init__(self) -> None:
        self.calls: set[str] = set()

    def before(self, call: str, effect: Effect) -> None:
        if call in self.calls:
            raise Unconfirmed(f"{call} is lost")


def test_a_database_that_keeps_failing_is_answered_with_an_unknown_outcome_and_heals(
    site: Site, made: Organisation
) -> None:
    network = Failing()
    sequencer = site.start(network)
    network.calls = {"append"}
    award = made.award("m-2")
    assert isinstance(run(sequencer, award)[0], OutcomeUnknownError)
    network.calls = set()
    assert isinstance(run(sequencer, award)[0], bytes)


def test_a_note_that_cannot_be_recorded_when_idle_is_recorded_later(
    site: Site, made: Organisation
) -> None:
    network = Failing()
    sequencer = site.start(network)
    run(sequencer, made.award("m-2"))
    network.calls = {"keep_note"}
    sequencer.flush()
    assert sequencer.stopped is None
    assert sequencer.unkept
    network.calls = set()
    sequencer.flush()
    assert not sequencer.unkept
    assert site.server.newest_note() == sequencer.signed


def test_an_entry_that_no_rule_allows_is_never_signed_over(site: Site, made: Organisation) -> None:
    forger, honest = site.start(), site.start()
    with pytest.MonkeyPatch.context() as patched:
        patched.setitem(rules._RULES, "member.left", Rule("member", lambda *_: None))
        leaving = made.statement("member.left", "member/m-2", "rec-1", {"date": "2026-01-05"})
        assert isinstance(run(forger, leaving)[0], bytes)
    (outcome,) = run(honest, made.award("m-3"))
    assert isinstance(outcome, StoppedError)
    assert "against a rule" in outcome.message
    with pytest.raises(StartRefusedError, match="against a rule"):
        site.start()


def test_a_database_behind_its_anchor_refuses_the_start(site: Site, made: Organisation) -> None:
    sequencer = site.start()
    backup = len(site.server.commits)
    run(sequencer, made.award("m-2"))
    run(sequencer, made.award("m-2"))
    site.server.put_back(backup)
    with pytest.raises(StartRefusedError, match="put back to an older state"):
        site.start()


def test_a_running_process_stops_when_another_one_saw_more_than_the_database_has(
    site: Site, made: Organisation
) -> None:
    idle, busy = site.start(), site.start()
    backup = len(site.server.commits)
    run(busy, made.award("m-2"))
    site.server.put_back(backup)
    (outcome,) = run(idle, made.award("m-3"))
    assert isinstance(outcome, StoppedError)
    assert "put back" in outcome.message


def test_a_history_that_others_took_another_way_is_not_continued(
    site: Site, made: Organisation
) -> None:
    sequencer = site.start()
    before = len(site.server.commits)
    run(sequencer, made.award("m-2"))
    # A standby was promoted without the last entry, and another process went on there.
    site.server.put_back(before)
    site.anchor = SimulatedAnchor()
    other = site.start()
    site.time.pass_(5)
    run(other, made.award("m-3"), made.award("m-3"))
    (outcome,) = run(sequencer, made.award("m-4"))
    assert isinstance(outcome, StoppedError)
    assert "another one than was followed" in outcome.message
