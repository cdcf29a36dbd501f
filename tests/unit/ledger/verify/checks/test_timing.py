from __future__ import annotations

import pytest

from ledger.signing import keyid
from tests.support.organisation import COMMITMENT, key_of
from tests.support.watched import Watched

CHECK = {"review": "normal", "reviewers": 2}


@pytest.fixture
def log() -> Watched:
    return Watched()


def checked(log: Watched, member: str, day: str) -> str:
    """Claim for a member on 12 January, and let lead-1 check on `day`."""
    slip = [{"kind": "signed_slip", "commitment": COMMITMENT}]
    ident = log.claim("rec-1", member=member, evidence=slip)
    return log.put("points.checked", f"member/{member}", CHECK | {"entry": ident}, "lead-1",
                   day=day)  # fmt: skip


def test_cheat_7_a_leader_who_sits_on_one_members_claims_is_shown(log: Watched) -> None:
    for member in ("m-5", "m-6", "m-5", "m-6", "m-5"):
        checked(log, member, "2026-01-13")
    for _ in range(2):
        checked(log, "m-2", "2026-01-23")
    assert log.found(7) == []
    checked(log, "m-2", "2026-01-23")
    (found,) = log.found(7)
    assert found.people == ("lead-1", "m-2")
    assert "11.0 days for m-2" in found.reason
    assert "1.0 for others" in found.reason


def test_cheat_7_who_is_slow_for_everybody_is_not_shown(log: Watched) -> None:
    for member in ("m-5", "m-6", "m-5", "m-6", "m-5", "m-2", "m-2", "m-2"):
        checked(log, member, "2026-01-26")
    assert log.found(7) == []


def test_cheat_7_a_publicity_that_nobody_opens_for_two_terms_is_shown(log: Watched) -> None:
    ident = log.reviewed()
    log.lapse(ident, "first_review", "2026-01-27", "2026-01-28")
    assert log.found(7) == []
    log.lapse(ident, "first_review", "2026-02-12", "2026-02-13")
    assert [each.people for each in log.found(7)] == [("m-2",)]


def test_cheat_9_a_notice_cut_short_by_the_server_is_shown(log: Watched) -> None:
    ident = log.reviewed()
    body = {"entry": ident, "closes": "2026-01-14"}
    opened = log.put("points.published", "member/m-2", body, "east-sec")
    over = log.put("points.lapsed", "member/m-2",
                   {"entry": ident, "term": "publicity", "due": "2026-01-14"}, "clerk",
                   day="2026-01-15")  # fmt: skip
    (found,) = log.found(9)
    assert found.entries == (log.index(opened), log.index(over))
    assert "5 working days ran until 2026-01-19" in found.reason


@pytest.mark.parametrize(("day", "shown"), [("2026-01-19", True), ("2026-01-20", False)])
def test_cheat_9_a_notice_stands_to_the_end_of_its_last_day(
    log: Watched, day: str, shown: bool
) -> None:
    ident = log.published()
    body = {"entry": ident, "term": "publicity", "due": "2026-01-19"}
    log.put("points.lapsed", "member/m-2", body, "clerk", day=day)
    assert bool(log.found(9)) == shown


def test_cheat_9_a_shifted_clock_shows_in_the_cosigned_time(log: Watched) -> None:
    ident = log.final()
    assert log.found(9) == []
    opened = next(e.index for e in log.events if e.proposal.type == "points.published")

    def in_time(index: int) -> str | None:
        return "2026-01-12T02:00:03.000000Z" if index == opened else None

    def days_later(index: int) -> str | None:
        return "2026-01-16T02:00:00.000000Z" if index == opened else None

    assert log.found(9, seen=in_time) == []
    (found,) = log.found(9, seen=days_later)
    assert "could be seen from 2026-01-16" in found.reason
    assert log.state(ident) == "final"


def test_cheat_24_what_a_key_signed_before_it_was_called_compromised_is_listed(
    log: Watched,
) -> None:
    log.direct("rec-1", "east-com-1", day="2026-01-31")
    recent = [log.direct("rec-1", "east-com-1", day=f"2026-02-{day}") for day in ("01", "20")]
    body = {"keyid": keyid(key_of("east-com-1").public_key), "cause": "rotated"}
    other = {"keyid": keyid(key_of("rec-1").public_key), "cause": "compromised"}
    log.say("key.revoked", "actor/east-com-1", body, ("reg-1",), "2026-03-03")
    assert log.found(24) == []
    revoked = log.say("key.revoked", "actor/rec-1", other, ("reg-1",), "2026-03-03")
    (found,) = log.found(24)
    assert found.people == ("rec-1",)
    assert found.entries == (*map(log.index, recent), log.index(revoked))


def test_cheat_24_five_reviews_within_seconds_are_no_look_at_evidence(log: Watched) -> None:
    idents = [log.claim() for _ in range(5)]
    for ident in idents:
        log.check(ident)
    for number, ident in enumerate(idents):
        log.time = f"02:00:{10 + 9 * number:02}"
        log.review(ident, "east-com-1")
        log.time = f"02:{10 + number}:00"
        log.review(ident, "east-com-2")
    (found,) = log.found(24)
    assert found.people == ("east-com-1", "m-2")
    assert "5 reviews within 36 seconds" in found.reason
