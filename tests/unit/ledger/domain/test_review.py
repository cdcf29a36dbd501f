from __future__ import annotations

from typing import Any

import pytest

from tests.support.chronicle import PAIR, Chronicle

STREAM = "period/y"
DAY = "2027-01-10"
PRESENT = ["m-1", "m-2", "m-3"]
QUOTA = {"grade": "excellent", "band": "good", "numerator": 1, "denominator": 3}
BANDS = [{"code": "good", "name_zh": "好", "min": 0}]
YEAR = {
    "unit": "east",
    "rulebook": "rules",
    "kind": "year",
    "start": "2026-01-01",
    "end": "2026-12-31",
}


def begin(annual: dict[str, Any]) -> Chronicle:
    log = Chronicle()
    log.publish(annual=annual, quota=QUOTA, bands=BANDS)
    log.say("period.opened", STREAM, YEAR, PAIR[:1])
    return log


@pytest.fixture
def log() -> Chronicle:
    """The year of a rulebook with a review, that is over and not sealed."""
    return begin({"kind": "weighted", "daily": 70, "review": 30})


@pytest.fixture
def meeting(log: Chronicle) -> Chronicle:
    body = {"held_on": "2027-01-08", "present": PRESENT}
    log.say("review.opened", STREAM, body, PAIR, DAY)
    return log


def sheets(*scores: int | None) -> list[dict[str, Any]]:
    """A sheet for each score, in the order of their receipts; None is not valid."""
    found = []
    for number, score in enumerate(scores):
        receipt = {"receipt": f"{number:02x}" * 32}
        found.append(receipt if score is None else receipt | {"score": score})
    return found


def record(log: Chronicle, member: str, *scores: int | None) -> None:
    body = {"member": member, "sheets": sheets(*scores)}
    log.say("review.recorded", STREAM, body, PAIR, DAY)


def figure(log: Chronicle, member: str) -> int | None:
    period = log.world.periods.get("y")
    assert period is not None
    assert period.review is not None
    return period.review.figures[member]


def test_a19_a_review_is_the_mean_of_the_valid_sheets_half_to_even(meeting: Chronicle) -> None:
    record(meeting, "m-2", 9000, 9001, None)
    record(meeting, "m-3", 9000, 9003, None)
    record(meeting, "m-4", 9000, 9000, 9100)
    found = [figure(meeting, member) for member in ("m-2", "m-3", "m-4")]
    assert found == [9000, 9002, 9033]


def test_a19_who_has_no_valid_sheet_is_not_reviewed_which_is_not_zero(meeting: Chronicle) -> None:
    record(meeting, "m-2", None, None, None)
    record(meeting, "m-3", 0, 0, 0)
    assert figure(meeting, "m-2") is None
    assert figure(meeting, "m-3") == 0


def test_cheat22_there_are_as_many_sheets_as_voters_present(meeting: Chronicle) -> None:
    for scores in ((9000, 9000), (9000, 9000, 9000, 9000)):
        body = {"member": "m-2", "sheets": sheets(*scores)}
        meeting.refused("review-sheets", "review.recorded", STREAM, body, PAIR, DAY)


def test_cheat22_each_sheet_has_a_receipt_of_its_own_and_no_order_but_theirs(
    meeting: Chronicle,
) -> None:
    twice = [sheets(9000)[0], *sheets(9000, 9100)]
    for wrong in (twice, sheets(9000, 9100, 9200)[::-1]):
        body = {"member": "m-2", "sheets": wrong}
        meeting.refused("review-receipts", "review.recorded", STREAM, body, PAIR, DAY)


def test_a_review_belongs_to_a_year_under_a_rulebook_that_has_one(log: Chronicle) -> None:
    body = {"held_on": "2027-01-08", "present": PRESENT}
    log.say("period.opened", "period/q", YEAR | {"kind": "quarter", "end": "2026-03-31"}, PAIR[:1])
    log.refused("review-kind", "review.opened", "period/q", body, PAIR, DAY)
    without = begin({"kind": "daily"})
    without.refused("review-kind", "review.opened", STREAM, body, PAIR, DAY)


@pytest.mark.parametrize(
    ("rule", "changed"),
    [
        ("review-held", {"held_on": "2027-01-11"}),
        ("review-present", {"present": ["m-2", "m-1"]}),
        ("member-unit", {"present": ["m-1", "m-8"]}),
        ("member-unit", {"present": ["m-1", "nobody"]}),
    ],
)
def test_a_meeting_was_held_by_members_of_the_unit(
    log: Chronicle, rule: str, changed: dict[str, Any]
) -> None:
    body = {"held_on": "2027-01-08", "present": PRESENT} | changed
    log.refused(rule, "review.opened", STREAM, body, PAIR, DAY)


def test_a_member_is_reviewed_once_by_others_in_an_open_review(meeting: Chronicle) -> None:
    log = meeting
    body = {"member": "m-2", "sheets": sheets(9000, 9000, 9000)}
    log.refused("needs-committee", "review.recorded", STREAM, body, PAIR[:1], DAY)
    log.refused("member-unit", "review.recorded", STREAM, body | {"member": "m-8"}, PAIR, DAY)
    log.say("member.linked", "member/m-2", {"actor": "east-sec"})
    log.refused("no-self-review", "review.recorded", STREAM, body, PAIR, DAY)
    record(log, "m-3", 9000, 9000, 9000)
    again = body | {"member": "m-3"}
    log.refused("review-once", "review.recorded", STREAM, again, PAIR, DAY)


def test_a21_a_review_is_closed_with_its_count_and_nothing_is_recorded_after(
    meeting: Chronicle,
) -> None:
    log = meeting
    log.refused("review-count", "review.closed", STREAM, {"count": 1}, PAIR, DAY)
    record(log, "m-2", 9000, 9000, 9000)
    log.refused("review-count", "review.closed", STREAM, {"count": 2}, PAIR, DAY)
    log.say("review.closed", STREAM, {"count": 1}, PAIR, DAY)
    body = {"member": "m-3", "sheets": sheets(9000, 9000, 9000)}
    assert "closed" in log.refused("review-state", "review.recorded", STREAM, body, PAIR, DAY)
    opened = {"held_on": "2027-01-08", "present": PRESENT}
    log.refused("review-once", "review.opened", STREAM, opened, PAIR, DAY)


def test_a21_a_year_with_a_review_is_sealed_only_after_it_is_closed(meeting: Chronicle) -> None:
    log = meeting
    log.say("period.cut_off", STREAM, {}, PAIR[:1], DAY)
    log.say("period.published", STREAM, {"as_of": len(log.ids)}, PAIR, DAY)
    log.say("period.closed", STREAM, {}, PAIR[:1], "2027-01-20")
    seal = {"as_of": len(log.ids)}
    log.refused("review-open", "period.sealed", STREAM, seal, PAIR, "2027-01-20")
    record(log, "m-2", 9000, 9000, 9000)
    log.say("review.closed", STREAM, {"count": 1}, PAIR, "2027-01-20")
    log.say("period.sealed", STREAM, seal, PAIR, "2027-01-20")
    vote = {"grade": "excellent", "seats": 1, "tied": ["m-2", "m-3"], "chosen": ["m-2"]}
    log.refused("period-state", "vote.recorded", STREAM, vote, PAIR, "2027-01-21")


@pytest.fixture
def tie(meeting: Chronicle) -> Chronicle:
    record(meeting, "m-2", 9000, 9000, 9000)
    meeting.say("review.closed", STREAM, {"count": 1}, PAIR, DAY)
    return meeting


def vote(**changed: Any) -> dict[str, Any]:
    tied = ["m-2", "m-3", "m-4"]
    return {"grade": "excellent", "seats": 2, "tied": tied, "chosen": ["m-2", "m-4"]} | changed


VOTERS = ("east-com-1", "east-com-2")


@pytest.mark.parametrize(
    ("rule", "changed"),
    [
        ("quota", {"chosen": ["m-2", "m-3", "m-4"]}),
        ("vote-among-tied", {"chosen": ["m-5"]}),
        ("vote-needed", {"seats": 3}),
        ("vote-grade", {"grade": "splendid"}),
        ("member-unit", {"tied": ["m-2", "m-4", "m-8"]}),
    ],
)
def test_a24_a_vote_is_among_the_tied_and_never_exceeds_the_places(
    tie: Chronicle, rule: str, changed: dict[str, Any]
) -> None:
    tie.refused(rule, "vote.recorded", STREAM, vote(**changed), VOTERS, DAY)


def test_b1_half_of_the_committee_signs_a_vote_and_distinct_people_count(tie: Chronicle) -> None:
    assert "1 of the 3" in tie.refused("quorum", "vote.recorded", STREAM, vote(), VOTERS[:1], DAY)
    tie.refused("quorum", "vote.recorded", STREAM, vote(), ("west-com-1", "west-com-2"), DAY)
    tie.say("vote.recorded", STREAM, vote(), VOTERS, DAY)
    tie.refused("vote-once", "vote.recorded", STREAM, vote(), VOTERS, DAY)
    period = tie.world.periods.get("y")
    assert period is not None
    assert period.votes == {"excellent": ("m-2", "m-4")}


def test_b1_who_is_tied_has_no_part_in_the_vote(tie: Chronicle) -> None:
    tie.say("member.linked", "member/m-3", {"actor": "east-com-2"}, day=DAY)
    tie.refused("quorum", "vote.recorded", STREAM, vote(), VOTERS, DAY)
    tie.say("vote.recorded", STREAM, vote(), ("east-com-1", "east-com-3"), DAY)


def test_a24_the_places_of_a_vote_are_never_more_than_a_third_of_the_full_members(
    tie: Chronicle,
) -> None:
    # Six full members in east leave two places; five leave one, whatever the vote says.
    body = {"date": "2026-12-01"}
    tie.say("member.left", "member/m-6", body, day="2027-01-09")
    tie.refused("quota", "vote.recorded", STREAM, vote(), VOTERS, DAY)
    tie.say("vote.recorded", STREAM, vote(seats=1, chosen=["m-2"]), VOTERS, DAY)


def test_a24_a_vote_waits_for_the_figures_of_the_review(meeting: Chronicle) -> None:
    meeting.refused("review-open", "vote.recorded", STREAM, vote(), VOTERS, DAY)
