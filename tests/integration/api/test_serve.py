"""A real server process on a real PostgreSQL, asked over a socket."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson
import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from ledger.entry import parse_entry, parse_envelope
from ledger.log import receipt
from ledger.log.checkpoint import open_checkpoint
from ledger.log.merkle import leaf_hash, verify_consistency, verify_inclusion
from ledger.log.note import VerifierKey
from ledger.log.tiles import decode_entries
from ledger.signing import decode_base64
from ledger.store.ledger import Ledger, initialise
from tests.support.clock import SteadyClock
from tests.support.database import set_up
from tests.support.organisation import ORIGIN, Organisation
from tests.support.server import Server, environment
from tests.support.waiting import wait_until

BATCH = "application/x-ndjson"
IMMUTABLE = "public, max-age=31536000, immutable"


@pytest.fixture
def organisation() -> Organisation:
    return Organisation(start=datetime.now(UTC) - timedelta(days=1))


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    initialise(folder, ORIGIN)
    return folder


@pytest.fixture
def vkey(data: Path) -> VerifierKey:
    return VerifierKey.parse((data / "log.vkey").read_text().strip())


@pytest.fixture
def server(
    tmp_path: Path, data: Path, database_url: str, organisation: Organisation
) -> Iterator[Server]:
    """A server on a ledger in which the organisation is set up."""
    clock = SteadyClock(organisation.now)
    with Ledger.open(data, url=database_url, clock=clock) as ledger:
        set_up(ledger, organisation, clock)
    with Server(data, environment(database_url), tmp_path / "serve.log") as running:
        yield running


def test_a_statement_is_answered_with_its_receipt_and_again_with_the_same(
    server: Server, organisation: Organisation, vkey: VerifierKey
) -> None:
    envelope = organisation.award("m-2")
    first = server.post(envelope)
    assert first.status_code == 200
    assert first.headers["content-type"] == "text/plain; charset=utf-8"
    assert first.headers["cache-control"] == "no-store"
    parsed = receipt.parse(first.content)
    receipt.verify_receipt(parsed, vkey)
    statement = parse_envelope(envelope)
    assert parse_entry(parsed.entry).statement.payload == statement.payload

    server.post(organisation.award("m-3"))
    again = server.post(envelope)
    assert (again.status_code, again.content) == (200, first.content)
    kept = server.get(f"/v1/receipts/{statement.id}")
    assert kept.content == first.content
    assert kept.headers["cache-control"] == IMMUTABLE


def test_each_refusal_has_its_status_and_rule(server: Server, organisation: Organisation) -> None:
    envelope = organisation.award("m-2")
    assert server.post(envelope).status_code == 200
    other = organisation.award("m-2", 200, ident=parse_envelope(envelope).id)
    stale = organisation.award("m-2", after="0" * 64)
    for body, status, rule in (
        (b"{", 400, None),
        (envelope + b"\n", 400, None),
        (organisation.award("m-9"), 422, "member-active"),
        (organisation.award("m-2", signers=("rec-1",)), 422, None),
        (other, 409, "id-reused"),
        (stale, 409, None),
    ):
        answer = server.post(body)
        assert answer.status_code == status, answer.text
        assert answer.headers["content-type"] == "application/problem+json"
        found = answer.json()
        assert found["request_id"] == answer.headers["x-request-id"]
        if status > 400:
            assert found["rule"]
        if rule == "id-reused":
            assert found["rule"] == rule


def test_a_batch_records_what_it_can_and_says_line_by_line(
    server: Server, organisation: Organisation, vkey: VerifierKey
) -> None:
    good, bad, last = (
        organisation.award("m-2"),
        organisation.award("m-9"),
        organisation.award("m-3"),
    )
    answer = server.post(b"\n".join([good, b"{}", bad, good, last]) + b"\n", BATCH)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == BATCH
    lines = [orjson.loads(line) for line in answer.content.splitlines()]
    assert [line["line"] for line in lines] == [1, 2, 3, 4, 5]
    assert [line.get("problem", {}).get("status") for line in lines] == [None, 400, 422, None, None]
    assert lines[0]["receipt"] == lines[3]["receipt"]
    for line in (lines[0], lines[4]):
        receipt.verify_receipt(receipt.parse(line["receipt"].encode()), vkey)


def test_reads_are_exact_and_say_how_long_they_may_be_kept(
    server: Server, organisation: Organisation, vkey: VerifierKey
) -> None:
    answer = server.get("/log/checkpoint")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.headers["cache-control"] == "no-cache"
    signed = open_checkpoint(answer.content, vkey)
    size = signed.size

    entry = server.get("/v1/entries/3")
    assert entry.headers["cache-control"] == IMMUTABLE
    proof = server.get(f"/v1/proofs/inclusion/{size}/3")
    assert proof.headers["cache-control"] == IMMUTABLE
    hashes = [decode_base64(each) for each in proof.json()["hashes"]]
    verify_inclusion(leaf_hash(entry.content), 3, size, hashes, signed.root)

    bundle = server.get(f"/log/tile/entries/000.p/{size}")
    assert bundle.headers["content-type"] == "application/octet-stream"
    assert bundle.headers["cache-control"] == IMMUTABLE
    assert decode_entries(bundle.content)[3] == entry.content
    tile = server.get(f"/log/tile/0/000.p/{size}")
    assert tile.content[3 * 32 : 4 * 32] == leaf_hash(entry.content)

    server.post(organisation.award("m-2"))
    newer = open_checkpoint(server.get("/log/checkpoint").content, vkey)
    proof = server.get(f"/v1/proofs/consistency/{size}/{newer.size}")
    hashes = [decode_base64(each) for each in proof.json()["hashes"]]
    verify_consistency(size, newer.size, hashes, signed.root, newer.root)


def test_nothing_is_served_beyond_the_signed_size(server: Server, vkey: VerifierKey) -> None:
    size = open_checkpoint(server.get("/log/checkpoint").content, vkey).size
    for path in (
        f"/v1/entries/{size}",
        f"/v1/proofs/inclusion/{size + 1}/0",
        f"/v1/proofs/inclusion/{size}/{size}",
        f"/v1/proofs/consistency/1/{size + 1}",
        "/v1/proofs/consistency/0/1",
        f"/log/tile/0/000.p/{size + 1}",
        f"/log/tile/entries/000.p/{size + 1}",
        "/log/tile/0/000",
        "/log/tile/1/000.p/1",
    ):
        answer = server.get(path)
        assert answer.status_code == 404, path
        assert answer.headers["cache-control"] == "no-store"


def test_committed_entries_without_a_signed_checkpoint_are_not_there_for_a_reader(
    server: Server, organisation: Organisation, vkey: VerifierKey, database_url: str
) -> None:
    size = open_checkpoint(server.get("/log/checkpoint").content, vkey).size
    server.post(organisation.award("m-2"))
    newest = server.get("/log/checkpoint").content
    assert open_checkpoint(newest, vkey).size == size + 1
    # What a crash between commit and signing leaves: an entry behind the head, without a note.
    state, ident = server.get(f"/v1/entries/{size}").content, organisation.new_id()
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(
            "INSERT INTO mingzhang.entry (index, stream, seq, type, id, state, expected, note) "
            "VALUES (%s, 'member/m-2', 99, 'points.awarded', %s, %s, %s, %s)",
            (size + 1, ident, state, leaf_hash(state), newest),
        )
    assert server.get("/log/checkpoint").content == newest
    assert server.get(f"/v1/entries/{size + 1}").status_code == 404
    assert server.get(f"/v1/receipts/{ident}").status_code == 404
    assert server.get(f"/log/tile/entries/000.p/{size + 2}").status_code == 404
    listed = server.get("/v1/streams/member/m-2").content.splitlines()
    assert max(orjson.loads(line)["index"] for line in listed) == size


def test_a_stream_is_paged_by_key_and_every_entry_is_exact(
    server: Server, organisation: Organisation
) -> None:
    for _ in range(4):
        server.post(organisation.award("m-2"))
    path, pages, seqs = "/v1/streams/member/m-2?limit=2", 0, []
    while path:
        answer = server.get(path)
        assert answer.headers["content-type"] == BATCH
        assert answer.headers["cache-control"] == "no-cache"
        for line in answer.content.splitlines():
            index = orjson.loads(line)["index"]
            entry = server.get(f"/v1/entries/{index}").content
            assert line == b'{"index":%d,"entry":%b}' % (index, entry)
            seqs.append(parse_entry(entry).seq)
        path = answer.links.get("next", {}).get("url", "")
        pages += 1
    assert seqs == [1, 2, 3, 4, 5]
    assert pages == 3


def test_the_published_schema_is_the_enforced_one(server: Server) -> None:
    answer = server.get("/v1/schemas/points.awarded")
    assert answer.headers["content-type"] == "application/schema+json"
    assert answer.json()["title"] == "points.awarded"


def test_the_logs_are_json_with_the_request_id_and_nothing_of_a_person(
    server: Server, organisation: Organisation
) -> None:
    envelope = organisation.award("m-2")
    server.post(envelope, **{"X-Request-ID": "asked-1"})
    server.get("/v1/streams/member/m-2?limit=7", headers={"X-Request-ID": "asked-2"})
    server.get("/v1/receipts/" + parse_envelope(envelope).id)
    server.stop()
    lines = {line["request_id"]: line for line in server.log_lines() if "request_id" in line}
    first, second = lines["asked-1"], lines["asked-2"]
    assert (first["method"], first["route"], first["status"]) == ("POST", "/v1/statements", 200)
    assert second["route"] == "/v1/streams/{kind}/{ident}"
    assert second["duration_ms"] > 0
    text = server.log_text()
    statement = parse_envelope(envelope)
    for private in ("m-2", "limit", statement.id, "payload", statement.signatures[0].keyid):
        assert private not in text, private


def test_it_ends_cleanly_and_nothing_that_was_answered_is_lost(
    server: Server, organisation: Organisation, data: Path, database_url: str
) -> None:
    envelopes = [organisation.award("m-2") for _ in range(200)]
    answers: list[tuple[bytes, bytes]] = []
    half = threading.Event()

    def send() -> None:
        for at, envelope in enumerate(envelopes):
            if at == 20:
                half.set()
            try:
                answer = server.post(envelope)
            except OSError:
                return
            except Exception as error:
                if type(error).__module__.startswith("httpx"):
                    return
                raise
            if answer.status_code == 200:
                answers.append((envelope, answer.content))

    caller = threading.Thread(target=send)
    caller.start()
    assert half.wait(60)
    assert server.stop() == 0
    caller.join(60)
    assert server.log_lines()[-1]["event"] == "stopped"
    assert len(answers) >= 20
    with psycopg.connect(database_url) as connection:
        row = connection.execute(
            "SELECT h.size, (SELECT max(c.size) FROM mingzhang.checkpoint c) FROM mingzhang.head h"
        ).fetchone()
    assert row is not None
    assert row[0] == row[1], "the newest note is kept"
    with Ledger.open(data, url=database_url) as ledger:
        for envelope, answer in answers:
            assert ledger.append(envelope) == answer


def test_its_own_database_server_ends_with_it(tmp_path: Path, data: Path) -> None:
    with Server(data, environment(), tmp_path / "serve.log") as server:
        assert (data / "postgres" / "postmaster.pid").exists()
        assert server.stop() == 0
    assert not (data / "postgres" / "postmaster.pid").exists()


def test_it_is_ready_only_while_the_database_answers(server: Server, database_url: str) -> None:
    assert server.get("/healthz").json() == {"status": "ok"}
    assert server.get("/readyz").json() == {"status": "ready", "read_models": "following"}
    name = conninfo_to_dict(database_url)["dbname"]
    with psycopg.connect(database_url, autocommit=True, dbname="postgres") as admin:
        admin.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false".encode())
        try:
            admin.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (name,)
            )
            answer = server.get("/readyz", timeout=60)
            assert answer.status_code == 503
            assert answer.headers["content-type"] == "application/problem+json"
            assert server.get("/healthz").status_code == 200
        finally:
            admin.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true".encode())


def test_a_server_on_an_empty_log_takes_a_founding_only_from_configured_keys(
    tmp_path: Path, data: Path, database_url: str, organisation: Organisation
) -> None:
    founding = organisation.founding()
    env = environment(database_url)
    with Server(data, env, tmp_path / "closed.log") as server:
        assert server.get("/log/checkpoint").status_code == 404
        answer = server.post(founding)
        assert answer.status_code == 403
        assert "mingzhang submit" in answer.json()["detail"]
    keyids = [each.keyid for each in parse_envelope(founding).signatures]
    with (data / "ledger.toml").open("a") as file:
        file.write(f"founders = {orjson.dumps(keyids).decode()}\n")
    with Server(data, env, tmp_path / "open.log") as server:
        assert server.post(founding).status_code == 200
        assert server.get("/v1/entries/0").status_code == 200


def test_what_is_not_http_is_answered_with_a_problem_too(server: Server) -> None:
    answer = talk(server, b"nonsense\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"application/problem+json" in answer


def test_a_head_that_does_not_end_is_hung_up_on(server: Server) -> None:
    answer = talk(server, b"GET / HTTP/1.1\r\nX: " + b"x" * 1024 * 1024)
    # Who still sends while the other side hangs up may see a reset in the place of the answer.
    assert answer == b"" or answer.startswith(b"HTTP/1.1 431 ")
    assert server.get("/healthz").status_code == 200


def talk(server: Server, sent: bytes) -> bytes:
    """Send bytes on a connection of their own; return all that comes until it ends."""
    port = int(server.url.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        try:
            connection.sendall(sent)
            return b"".join(iter(lambda: connection.recv(65_536), b""))
        except ConnectionError:
            return b""


def test_an_oversized_body_is_refused_and_others_are_still_served(server: Server) -> None:
    answer = server.post(b"x" * (4 * 1024 * 1024 + 1), BATCH)
    assert answer.status_code == 413
    assert answer.headers["connection"] == "close"
    assert server.get("/healthz").status_code == 200


def test_b21_a_serving_process_beats_and_says_why_nothing_lapses(
    server: Server, database_url: str
) -> None:
    wait_until(lambda: "no term lapses" in server.log_text(), 30)
    (line,) = [each for each in server.log_lines() if each["event"] == "no term lapses"]
    assert "mingzhang key service" in line["reason"]
    with psycopg.connect(database_url) as connection:
        found = connection.execute("SELECT at FROM mingzhang.heartbeat").fetchone()
    assert found is not None
    assert abs(datetime.now(UTC) - found[0]) < timedelta(minutes=2)
    # Until the read model is built, the answer says so.
    asked = {"actor": "rec-1"}
    wait_until(lambda: server.get("/v1/tasks", params=asked).status_code == 200, 30)
    assert server.get("/v1/tasks", params=asked).json()["tasks"] == []
