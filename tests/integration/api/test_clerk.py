"""The clerk on a real ledger: what lapsed is recorded once, whoever does it and when (B2, B21)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing
from datetime import date, timedelta
from pathlib import Path

import httpx
import pytest

from api.app import create_app
from api.clerk import Clerk, lapse
from api.desk import Desk
from api.service import Service
from ledger.domain.lapses import Due
from ledger.entry import parse_entry, parse_envelope
from ledger.log.note import VerifierKey
from ledger.store import publish
from ledger.store.ledger import Ledger
from ledger.verify.whole import verify_log
from projections.runner import Runner
from tests.support.clock import SteadyClock
from tests.support.database import OpenLedger
from tests.support.organisation import COMMITMENT, ORIGIN, START, ZONE, key_of
from tests.support.passage import SLIP
from tests.support.walk import Walk
from tests.support.web import ask

FOUNDED = date(2026, 1, 5)


class Office:
    """A ledger that follows a passage in memory, its read models, and clerks over it."""

    def __init__(self, open_ledger: OpenLedger, clock: SteadyClock, stack: ExitStack) -> None:
        self.passage = Walk(0)
        self.clock = clock
        self.ledger: Ledger = open_ledger()
        self._open = open_ledger
        self._stack = stack
        self._day, self._told = FOUNDED, 0

    def follow(self) -> None:
        """Record what was said in memory, each on its day."""
        for day, envelope in self.passage.said[self._told :]:
            self.go_to(day)
            self.ledger.append(envelope)
        self._told = len(self.passage.said)
        Runner.of(self.ledger).catch_up()

    def go_to(self, day: str) -> None:
        wanted = date.fromisoformat(day)
        if wanted > self._day:
            self.clock.pass_days((wanted - self._day).days)
            self._day = wanted

    def clerk(self, ledger: Ledger | None = None, name: str = "clerk") -> Clerk:
        used = ledger or self.ledger
        desk = self._stack.enter_context(closing(Desk(used, self.clock)))
        return Clerk(used, key_of(name), desk)

    def another_ledger(self) -> Ledger:
        return self._open()

    def types(self) -> list[str]:
        size = self.ledger.size()
        return [parse_entry(each).statement.type for each in self.ledger.entries(0, size)]


@pytest.fixture
def office(open_ledger: OpenLedger, clock: SteadyClock) -> Iterator[Office]:
    with ExitStack() as stack:
        yield Office(open_ledger, clock, stack)


def test_b21_a_lapse_is_the_same_bytes_whoever_makes_it_and_when() -> None:
    due = Due("0198c3a0-0000-7000-8000-000000000000", "publicity", "2026-01-19")
    made = lapse(key_of("clerk"), ORIGIN, "clerk", ZONE, "m-2", due)
    assert made == lapse(key_of("clerk"), ORIGIN, "clerk", ZONE, "m-2", due)
    statement = parse_envelope(made)
    assert statement.signed_at == "2026-01-19T16:00:00Z", "the end of the day in Shanghai"
    later = lapse(key_of("clerk"), ORIGIN, "clerk", ZONE, "m-2", due._replace(due="2026-01-20"))
    assert parse_envelope(later).id > statement.id


def test_b21_what_lapsed_in_weeks_of_downtime_is_recorded_once_by_two_clerks(
    office: Office, tmp_path: Path
) -> None:
    walk = office.passage
    shown, claimed = walk.published(), walk.claim("rec-1", member="m-5", evidence=SLIP)
    office.follow()
    office.go_to("2026-01-20")
    first, second = office.clerk(), office.clerk(office.another_ledger())
    assert first.run_once() == 1
    assert office.types().count("points.lapsed") == 1
    office.go_to("2026-03-20")
    # Neither has seen all that the other recorded; the same bytes get their first receipts.
    assert second.run_once() >= 1
    assert first.run_once() <= 1
    assert office.types().count("points.lapsed") == 2
    Runner.of(office.ledger).catch_up()
    assert first.run_once() == 0
    with first._desk.today():
        assert first._desk.outlook.account("m-2").entries[shown].state == "final"
        waiting = first._desk.outlook.account("m-5").entries[claimed]
    assert (waiting.state, waiting.lapses) == ("claimed", 1)
    vkey = VerifierKey.parse(office.ledger.vkey)
    publish.export(office.ledger, tmp_path / "export", vkey)
    assert verify_log(str(tmp_path / "export"), vkey, workers=0).ok


def test_b2_silence_passes_a_task_on_twice_and_then_it_stays(office: Office) -> None:
    claimed = office.passage.claim()
    office.follow()
    clerk = office.clerk()
    for day, lapses in (("2026-01-27", 0), ("2026-01-28", 1), ("2026-02-13", 1), ("2026-06-01", 0)):
        office.go_to(day)
        assert clerk.run_once() == lapses
        Runner.of(office.ledger).catch_up()
    with clerk._desk.today():
        assert clerk._desk.outlook.account("m-2").entries[claimed].lapses == 2


def test_b2_a_disputes_terms_lapse_once_each_also_after_downtime_and_are_recomputed(
    office: Office, tmp_path: Path
) -> None:
    about = {"unit": "east", "kind": "entry", "filer": COMMITMENT, "target": COMMITMENT}
    office.passage.say("dispute.received", "dispute/d-1", about, ("in-1",), "2026-01-12")
    office.follow()
    first, second = office.clerk(), office.clerk(office.another_ledger())
    # Fifteen working days after 12 January.
    office.go_to("2026-02-02")
    assert first.run_once() == 0
    office.go_to("2026-06-01")
    assert first.run_once() == 1
    assert second.run_once() <= 1
    assert office.types().count("dispute.lapsed") == 1
    entry = parse_entry(office.ledger.entry(office.ledger.size() - 1)).statement
    assert entry.body == {"term": "acknowledgement", "due": "2026-02-02"}
    assert entry.signed_at == "2026-02-02T16:00:00Z"
    for _ in range(4):
        Runner.of(office.ledger).catch_up()
        office.go_to(f"{office._day + timedelta(days=60)}")
        first.run_once()
    assert office.types().count("dispute.lapsed") == 2, "it stays with the unit above"
    vkey = VerifierKey.parse(office.ledger.vkey)
    publish.export(office.ledger, tmp_path / "export", vkey)
    assert verify_log(str(tmp_path / "export"), vkey, workers=0).ok


def test_b21_a_clerk_without_the_role_records_nothing(office: Office) -> None:
    office.passage.published()
    office.follow()
    office.go_to("2026-02-01")
    assert office.clerk(name="rec-1").run_once() == 0
    assert office.clerk(name="nobody").run_once() == 0
    assert "points.lapsed" not in office.types()


def test_b21_the_same_lapse_again_has_its_first_receipt(office: Office) -> None:
    ident = office.passage.claim()
    office.follow()
    clerk = office.clerk()
    office.go_to("2026-01-28")
    made, _ = clerk._page(("0001-01-01", ident))
    assert len(made) == 1
    office.ledger.append(made[0])
    assert clerk._append(made) == 1
    assert office.types().count("points.lapsed") == 1


def test_b21_a_start_after_an_outage_records_it_and_its_days_do_not_count(office: Office) -> None:
    office.passage.published()
    office.follow()
    clerk = office.clerk()
    assert not clerk.record_outage(), "nobody ever served: nothing can be shown"
    clerk._work()
    office.go_to("2026-01-15")
    assert clerk.record_outage()
    assert not clerk.record_outage(), "the outage itself is recorded now"
    body = parse_entry(office.ledger.entry(office.ledger.size() - 1)).statement.body
    assert body["from"][:10] == "2026-01-12"
    assert body["to"][:10] == "2026-01-15"
    Runner.of(office.ledger).catch_up()
    office.go_to("2026-01-20")
    assert clerk.run_once() == 0
    office.go_to("2026-01-23")
    assert clerk.run_once() == 1


def test_b21_an_outage_begins_no_earlier_than_the_last_entry(office: Office) -> None:
    office.passage.claim()
    office.follow()
    clerk = office.clerk()
    clerk._desk.heartbeat.beat(START + timedelta(days=1))
    office.go_to("2026-01-14")
    assert clerk.record_outage()
    body = parse_entry(office.ledger.entry(office.ledger.size() - 1)).statement.body
    assert body["from"][:10] == "2026-01-12", "the claim shows that something was up then"


def test_a_restart_and_another_serving_process_are_no_outage(office: Office) -> None:
    office.passage.claim()
    office.follow()
    clerk, other = office.clerk(), office.clerk(office.another_ledger())
    clerk._work()
    assert not clerk.record_outage()
    office.go_to("2026-01-20")
    other._desk.heartbeat.beat(office.clock.now())
    assert not clerk.record_outage()


def test_what_was_acted_on_in_between_is_refused_and_no_failure(office: Office) -> None:
    ident = office.passage.claim()
    office.follow()
    clerk = office.clerk()
    office.go_to("2026-01-28")
    made, _ = clerk._page(("0001-01-01", ident))
    office.passage.check(ident, day="2026-01-28")
    office.follow()
    assert clerk._append(made) == 0


# -- what waits for whom, over HTTP ------------------------------------------------------------


def get(office: Office, path: str) -> httpx.Response:
    app = create_app(Service(office.ledger, desk=office.clerk()._desk))
    return ask(app, "GET", path)


def test_b2_tasks_and_way_are_told_over_http(office: Office) -> None:
    walk = office.passage
    first = walk.claim()
    second = walk.claim("rec-1", member="m-5", evidence=SLIP)
    walk.check(second, member="m-5")
    office.follow()
    waits = {each["entry"]: each for each in get(office, "/v1/tasks?actor=lead-1").json()["tasks"]}
    assert set(waits) == {first}, "the other is the committee's now"
    assert waits[first]["statement"] == "points.checked"
    assert waits[first]["due"] == "2026-01-27"
    committee = get(office, "/v1/tasks?actor=east-com-1").json()
    assert [each["entry"] for each in committee["tasks"]] == [second]
    assert committee["more"] is False
    assert get(office, "/v1/tasks?actor=mem-2").json()["tasks"] == []
    assert get(office, "/v1/tasks?actor=nobody").status_code == 404

    way = get(office, f"/v1/way/{second}").json()
    assert (way["member"], way["state"], way["due"]) == ("m-5", "checked", "2026-01-27")
    assert [(step["name"], step["people"]) for step in way["steps"]] == [
        ("claim", ["rec-1"]),
        ("check", ["lead-1"]),
    ]
    assert [each["statement"] for each in way["waits"]] == ["points.reviewed"]
    assert get(office, f"/v1/way/{walk.ids[0]}").status_code == 404
    assert get(office, "/v1/way/0198c3a0-0000-7000-8000-000000000000").status_code == 404


def test_what_is_said_about_an_entry_follows_the_log(office: Office) -> None:
    walk = office.passage
    ident = walk.claim()
    office.follow()
    assert get(office, f"/v1/way/{ident}").json()["state"] == "claimed"
    walk.say("member.suspended", "member/m-2", {"date": "2026-01-13"}, day="2026-01-13")
    walk.check(ident, day="2026-01-13")
    walk.say("member.reinstated", "member/m-2", {"date": "2026-01-13"}, day="2026-01-13")
    office.follow()
    assert get(office, f"/v1/way/{ident}").json()["state"] == "checked"
