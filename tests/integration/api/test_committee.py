"""The committee's questions and intake's register, over HTTP and on the command line."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from openpyxl import load_workbook

from ledger.canonical import dumps
from ledger.commitment import check_opening
from ledger.log.merkle import Edge, leaf_hash
from ledger.store.ledger import Ledger
from tests.support.clock import SteadyClock
from tests.support.database import OpenLedger, set_up
from tests.support.organisation import COMMITMENT, Organisation
from tests.support.server import Server, environment, mingzhang
from tests.support.waiting import wait_until

TOKENS = {"disc-1": "one token", "in-1": "another token", "disc-9": "a token of unit west"}
PEOPLE = (
    ("in-1", "intake"),
    ("disc-1", "discipline"),
    ("disc-2", "discipline"),
    ("high-1", "upper"),
    ("high-2", "upper"),
)
WHY = {"reason": COMMITMENT}


class Place:
    """A ledger with awards, a filed and received dispute of `rec-2` (member m-1), and debits."""

    def __init__(self, ledger: Ledger, made: Organisation, clock: SteadyClock) -> None:
        self.ledger, self.made = ledger, made
        set_up(ledger, made, clock)
        for name, role in PEOPLE:
            self.take(made.key(name), made.role(name, role))
        self.take(made.unit("west", "root"), made.key("disc-9"))
        self.take(made.role("disc-9", "discipline", "west"))
        clock.pass_days()
        self.awards = [made.new_id() for _ in range(5)]
        for number, ident in enumerate(self.awards):
            self.take(made.award(made.members[1 + number % 2], 100 + number, ident=ident))
        self.target = {"stream": "member/m-2", "entry": self.awards[0]}
        body = {"target": self.target, "reason": COMMITMENT, "evidence": []}
        self.filed = made.statement("dispute.filed", "dispute/d-1", "rec-2", body)

    def take(self, *envelopes: bytes) -> None:
        for each in self.ledger.append_batch(list(envelopes)):
            assert isinstance(each, bytes), each

    def say(self, kind: str, body: dict[str, Any], *signers: str) -> None:
        also = signers[1:]
        stream = "dispute/d-1"
        self.take(self.made.statement(f"dispute.{kind}", stream, signers[0], body, also=also))

    def receive(self, answer: dict[str, Any], unit: str = "root") -> None:
        commitments = {"filer": answer["filer"], "target": answer["target"]}
        self.say("received", {"unit": unit, "kind": "entry"} | commitments, "in-1")
        debit = self.made.award("m-1", 50, kind="points.deducted")
        self.take(debit, self.made.award("m-2", 70, kind="points.deducted"))


@pytest.fixture
def place(open_ledger: OpenLedger, clock: SteadyClock) -> Place:
    return Place(open_ledger(), Organisation(members=4), clock)


@pytest.fixture
def server(place: Place, tmp_path: Path, database_url: str) -> Iterator[Server]:
    with (tmp_path / "data" / "ledger.toml").open("a") as config:
        config.write("\n[committee]\n")
        for actor, token in TOKENS.items():
            config.write(f'{actor} = "{hashlib.sha256(token.encode()).hexdigest()}"\n')
    with Server(tmp_path / "data", environment(database_url), tmp_path / "serve.log") as made:
        yield made


def allowed(actor: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {TOKENS[actor]}"}


def ask(server: Server, path: str, actor: str = "disc-1", **params: Any) -> httpx.Response:
    return server.get(f"/v1/committee/{path}", headers=allowed(actor), params=params)


def folded(server: Server, place: Place) -> None:
    """Wait until the read models hold all that is recorded."""
    size = str(place.ledger.size())
    for path in ("entries", "disputes"):
        ready = partial(_answers, server, path, size)
        wait_until(ready, 60)


def _answers(server: Server, path: str, size: str) -> bool:
    return ask(server, path, as_of=size).status_code == 200


def hand(server: Server, path: str, body: dict[str, Any], actor: str) -> httpx.Response:
    headers = allowed(actor) | {"Content-Type": "application/json"}
    content = orjson.dumps(body)
    return httpx.post(f"{server.url}/v1/committee/{path}", content=content, headers=headers)


def test_a_dispute_is_filed_received_and_opened_and_every_opening_is_seen(
    server: Server, place: Place
) -> None:
    filing = {"envelope": place.filed.decode(), "member": "m-1"}
    answer = hand(server, "disputes/d-1/filed", filing, "in-1")
    assert answer.status_code == 200, answer.text
    again = hand(server, "disputes/d-1/filed", filing, "in-1")
    assert (again.status_code, again.json()["rule"]) == (409, "dispute-once")
    place.receive(answer.json())
    folded(server, place)
    listed = ask(server, "disputes").json()
    (case,) = listed["disputes"]
    assert (case["id"], case["state"], case["term"]) == ("d-1", "received", "acknowledgement")
    assert case["warning"] == "passed"
    assert listed["as_of"]["size"] == place.ledger.size()
    told = ask(server, "disputes/d-1").text
    assert place.awards[0] not in told
    assert "rec-2" not in told

    elsewhere = hand(server, "disputes/d-1/open", {"purpose": "to know"}, "disc-9")
    assert (elsewhere.status_code, elsewhere.json()["type"]) == (
        403,
        "urn:mingzhang:problem:closed",
    )
    opened = hand(server, "disputes/d-1/open", {"purpose": "to check it"}, "disc-1")
    found = opened.json()
    assert opened.headers["cache-control"] == "no-store"
    assert (found["filer"], found["member"], found["target"]) == ("rec-2", "m-1", place.target)
    check_opening(case["filer"], bytes.fromhex(found["envelope_salt"]), found["envelope"].encode())
    check_opening(case["target"], bytes.fromhex(found["target_salt"]), dumps(found["target"]))
    (debit,) = found["retaliation"]
    assert (debit["member"], debit["amount"]) == ("m-1", -50)
    lines = ask(server, "access").json()["accesses"]
    assert [(each["dispute"], each["actor"], each["purpose"]) for each in lines] == [
        ("d-1", "disc-1", "to check it")
    ]
    empty = hand(server, "disputes/d-1/open", {"purpose": ""}, "disc-1")
    assert empty.status_code == 400


def test_papers_go_to_an_office_over_the_member_or_over_the_unit_that_handles_the_case(
    server: Server, place: Place
) -> None:
    filing = {"envelope": place.filed.decode(), "member": "m-1"}
    commitments = hand(server, "disputes/d-1/filed", filing, "in-1").json()
    early = hand(server, "disputes/d-1/open", {"purpose": "to know"}, "disc-1")
    assert "till then intake opens it" in early.json()["detail"]
    place.receive(commitments, "west")
    folded(server, place)

    bundle = f"bundles/{place.awards[0]}"
    assert ask(server, bundle).status_code == 200
    assert "unit east is the member's" in ask(server, bundle, "disc-9").json()["detail"]
    assert ask(server, bundle, "disc-9", case="d-1").status_code == 200
    other = ask(server, f"bundles/{place.awards[1]}", "disc-9", case="d-1")
    assert other.status_code == 404
    assert "is not about the entry" in other.json()["detail"]
    lines = ask(server, "access").json()["accesses"]
    assert [(each["dispute"], each["actor"]) for each in lines] == [("d-1", "disc-9")] * 2


def test_entries_are_found_page_by_page_and_as_an_excel_table(server: Server, place: Place) -> None:
    folded(server, place)
    first = ask(server, "entries", scorer="com-1", unit="root", limit=3).json()
    assert [each["id"] for each in first["entries"]] == place.awards[:1:-1]
    second = ask(server, "entries", scorer="com-1", unit="root", limit=3, after=first["after"])
    assert [each["id"] for each in second.json()["entries"]] == place.awards[1::-1]
    assert second.json()["after"] is None
    steps = first["entries"][0]["steps"]
    assert {(each["actor"], each["step"]) for each in steps} == {
        ("rec-1", "direct"),
        ("com-1", "direct"),
    }
    decided = ask(server, "entries", reviewer="com-1").json()["entries"]
    assert [each["id"] for each in decided] == place.awards[::-1], "on the short path, by signing"
    assert "packed" not in first["entries"][0]
    assert first["as_of"]["size"] == place.ledger.size()
    few = ask(server, "entries", amount_min=103, reversed="false").json()["entries"]
    assert [each["amount"] for each in few] == [104, 103]
    past = ask(server, "entries", as_of=str(place.ledger.size() - 2)).json()
    assert len(past["entries"]) == 3

    table = ask(server, "entries.xlsx", member="m-2")
    assert table.headers["content-type"].startswith("application/vnd.openxmlformats")
    sheet = load_workbook(io.BytesIO(table.content)).worksheets[0]
    rows = list(sheet.iter_rows(values_only=True))
    assert len(rows) == 1 + len(place.awards[::2])
    assert {cell.data_type for row in sheet.iter_rows(min_row=2) for cell in row} == {"s"}


def test_a_question_that_makes_no_sense_is_said(server: Server, place: Place) -> None:
    folded(server, place)
    questions: tuple[tuple[dict[str, str], int], ...] = (
        ({"unit": "nowhere"}, 404),
        ({"act_from": "2026-02-30"}, 400),
        ({"kind": "gift"}, 422),
        ({"colour": "red"}, 422),
        ({"as_of": "yesterday"}, 400),
        ({"as_of": "100000"}, 404),
    )
    for params, status in questions:
        assert ask(server, "entries", **params).status_code == status, params


def test_only_who_is_named_asks(server: Server) -> None:
    for path in ("entries", "entries.xlsx", "disputes", "disputes/d-1", "access"):
        assert server.get(f"/v1/committee/{path}").status_code == 401
        wrong = {"Authorization": "Bearer wrong"}
        assert server.get(f"/v1/committee/{path}", headers=wrong).status_code == 401


def test_without_a_committee_nothing_is_open(
    place: Place, tmp_path: Path, database_url: str
) -> None:
    assert place.awards
    with Server(tmp_path / "data", environment(database_url), tmp_path / "serve.log") as made:
        answer = ask(made, "entries")
        assert (answer.status_code, answer.json()["type"]) == (403, "urn:mingzhang:problem:closed")


def test_a_decision_waits_for_who_carries_it_out_and_says_where_the_entry_is(
    place: Place, tmp_path: Path, database_url: str
) -> None:
    env, data = environment(database_url), ("--data", tmp_path / "data")
    envelope = tmp_path / "filed.json"
    envelope.write_bytes(place.filed)
    made = mingzhang("dispute", "file", "d-1", envelope, "--member", "m-1", *data, env=env)
    place.receive(orjson.loads(made.stdout))
    place.take(place.made.key("sec-9"), place.made.role("sec-9", "secretary"))
    place.say("acknowledged", {}, "in-1")
    place.say("accepted", {}, "disc-1")
    place.say("checked", {"step": "talk"} | WHY, "disc-1")
    place.say("heard", {"held_on": "2026-01-05", "bundle": COMMITMENT}, "disc-1")
    words = ("--actor", "disc-1", "--purpose", "to decide")
    opened = orjson.loads(mingzhang("dispute", "open", "d-1", *words, *data, env=env).stdout)
    entry = place.awards[0]
    assert entry not in mingzhang("tasks", "--actor", "sec-9", *data, env=env).stdout
    about = {"about": place.target | {"salt": opened["target_salt"]}}
    place.say("decided", {"outcome": "reversed"} | about | WHY, "disc-1", "disc-2")
    waits = mingzhang("tasks", "--actor", "sec-9", *data, env=env).stdout
    assert "correct as decided" in waits, mingzhang("where", entry, *data, env=env).stdout
    assert entry in waits
    assert "correct as decided" in mingzhang("where", entry, *data, env=env).stdout


def test_the_commands_do_the_same_and_draw_by_the_appeals_receipt(
    place: Place, tmp_path: Path, database_url: str
) -> None:
    env = environment(database_url)
    data = ("--data", tmp_path / "data")
    envelope = tmp_path / "filed.json"
    envelope.write_bytes(place.filed)
    made = mingzhang("dispute", "file", "d-1", envelope, "--member", "m-1", *data, env=env)
    assert made.returncode == 0, made.stderr
    place.receive(orjson.loads(made.stdout))
    place.say("acknowledged", {}, "in-1")
    place.say("accepted", {}, "disc-1")
    place.say("checked", {"step": "talk"} | WHY, "disc-1")
    place.say("heard", {"held_on": "2026-01-05", "bundle": COMMITMENT}, "disc-1")
    place.say("decided", {"outcome": "dismissed"} | WHY, "disc-1", "disc-2")
    early = mingzhang("dispute", "draw", "d-1", *data, env=env)
    assert "is not appealed" in early.stderr
    pool = ["high-1", "high-2", "reg-1", "reg-2"]
    place.say("appealed", {"filer": COMMITMENT, "pool": pool}, "in-1")
    size = place.ledger.size()
    drawn = orjson.loads(mingzhang("dispute", "draw", "d-1", *data, env=env).stdout)
    leaves = [leaf_hash(place.ledger.entry(index)) for index in range(size)]
    assert drawn["root"] == Edge.empty().extend(leaves[: drawn["size"]]).root().hex()
    place.say("drawn", drawn, "in-1")
    place.say("reexamined", {"outcome": "dismissed"} | WHY, *drawn["chosen"])

    listed = mingzhang("dispute", "due", "--every", *data, env=env)
    assert "d-1  root  entry  decided  no term runs" in listed.stdout
    shown = orjson.loads(mingzhang("dispute", "show", "d-1", *data, env=env).stdout)
    assert shown["parts"][-1]["type"] == "dispute.reexamined"
    words = ("--actor", "disc-2", "--purpose", "the files")
    opened = mingzhang("dispute", "open", "d-1", *words, *data, env=env)
    assert orjson.loads(opened.stdout)["filer"] == "rec-2"
    log = mingzhang("dispute", "access", *data, env=env).stdout
    assert "d-1  disc-2  the files" in log

    found = mingzhang("query", "entries", "--reviewer", "nobody", *data, env=env)
    assert orjson.loads(found.stdout)["entries"] == []
    out = tmp_path / "entries.csv"
    wrote = mingzhang("query", "entries", "--kind", "debit", "--out", out, *data, env=env)
    assert "2 entries" in wrote.stdout
    assert len(out.read_text("utf-8-sig").splitlines()) == 3
    wrong = mingzhang("query", "entries", "--act-from", "soon", *data, env=env)
    assert wrong.returncode == 1
    assert "no date" in wrong.stderr
