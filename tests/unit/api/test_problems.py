from __future__ import annotations

import asyncio
import logging as standard_logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import orjson
import psycopg
import pytest
import structlog

from api import bodies, gate, logging
from api.bodies import Bodies, BodyBudget
from api.limits import BATCH_BYTES_MAX, BATCH_LINES_MAX
from ledger.entry import ENTRY_SIZE_MAX
from ledger.errors import (
    BusyError,
    ConflictError,
    FormatError,
    MingzhangError,
    OutcomeUnknownError,
    Refused,
    StoppedError,
)
from tests.support.organisation import Organisation, key_of
from tests.support.web import FakeLedger, Outcome, app_of, ask

ENVELOPE = {"Content-Type": "application/json"}
BATCH = {"Content-Type": "application/x-ndjson"}


def post(app: Any, body: Any, headers: dict[str, str] = ENVELOPE) -> httpx.Response:
    return ask(app, "POST", "/v1/statements", content=body, headers=headers)


def problem(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["cache-control"] == "no-store"
    found: dict[str, Any] = answer.json()
    assert found["type"] == f"urn:mingzhang:problem:{code}"
    assert found["status"] == status
    assert found["title"]
    assert found["detail"]
    assert found["request_id"] == answer.headers["x-request-id"]
    return found


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (FormatError("not canonical"), 400, "malformed"),
        (Refused("key-known", "no such key"), 422, "refused"),
        (ConflictError("id-reused", "used already"), 409, "conflict"),
        (BusyError("queue full", 7), 503, "busy"),
        (OutcomeUnknownError("no answer in time"), 503, "outcome-unknown"),
        (StoppedError("the clock jumped"), 503, "stopped"),
    ],
)
def test_each_error_of_the_ledger_has_its_status_and_problem(
    error: MingzhangError, status: int, code: str
) -> None:
    found = problem(post(app_of(FakeLedger(lambda _: error)), b"{}"), status, code)
    assert found["detail"] == error.message
    assert found.get("rule") == getattr(error, "rule", None)


def test_a_full_queue_says_when_to_come_back() -> None:
    answer = post(app_of(FakeLedger(lambda _: BusyError("full", 7))), b"{}")
    assert answer.headers["retry-after"] == "7"


def test_the_words_of_the_database_driver_stay_inside() -> None:
    def answer(_: bytes) -> Outcome:
        error = BusyError("the database does not answer: host db.internal, user admin")
        error.__cause__ = psycopg.OperationalError("host db.internal")
        return error

    found = problem(ask(app_of(FakeLedger(answer)), "GET", "/v1/entries/1"), 503, "busy")
    assert "internal" not in str(found)


@contextmanager
def serving_logs() -> Iterator[None]:
    """Log as the serving process does, for a while."""
    root = standard_logging.getLogger()
    handlers, level = root.handlers, root.level
    logging.configure()
    yield
    root.handlers, root.level = handlers, level
    structlog.reset_defaults()


def test_an_unexpected_error_shows_nothing_outside_and_only_its_place_in_the_log(
    capsys: pytest.CaptureFixture[str],
) -> None:
    def answer(_: bytes) -> Outcome:
        raise ZeroDivisionError("secret of a person")

    with serving_logs():
        found = problem(post(app_of(FakeLedger(answer)), b"{}"), 500, "internal")
    assert "secret" not in str(found)
    assert "ZeroDivision" not in str(found)
    logged = capsys.readouterr().err
    assert "secret" not in logged
    lines = [orjson.loads(line) for line in logged.splitlines()]
    (line,) = [line for line in lines if line["level"] == "error"]
    assert line["error"] == "ZeroDivisionError"
    assert line["request_id"] == found["request_id"]
    assert any("test_problems.py" in place for place in line["passed"])


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nowhere", 404, "no-such-path"),
        ("GET", "/v1/entries/1/", 404, "no-such-path"),
        ("DELETE", "/v1/entries/1", 405, "wrong-method"),
        ("GET", "/v1/entries/x", 422, "invalid-request"),
        ("GET", "/v1/entries/01", 422, "invalid-request"),
        ("GET", "/v1/entries/-1", 422, "invalid-request"),
        ("GET", "/v1/entries/99999999999999999999", 422, "invalid-request"),
        ("GET", "/v1/streams/nothing/m-1", 422, "invalid-request"),
        ("GET", "/v1/streams/member/M%201", 422, "invalid-request"),
        ("GET", "/v1/streams/member/m-1?limit=0", 422, "invalid-request"),
        ("GET", "/v1/streams/member/m-1?afterseq=1", 422, "invalid-request"),
        ("GET", "/v1/streams/member/m-1", 404, "not-found"),
        ("GET", "/v1/receipts/1", 422, "invalid-request"),
        ("GET", "/v1/schemas/points.invented", 404, "not-found"),
        ("GET", "/log/tile/0/1", 404, "not-found"),
        ("GET", "/log/tile/0/x000/001", 404, "not-found"),
    ],
)
def test_what_the_framework_refuses_is_a_problem_too(
    method: str, path: str, status: int, code: str
) -> None:
    problem(ask(app_of(FakeLedger()), method, path), status, code)


def test_a_wrong_method_names_the_right_ones() -> None:
    assert ask(app_of(FakeLedger()), "PUT", "/v1/statements").headers["allow"] == "POST"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/jsonx"},
        {"Content-Type": "application/json; charset=latin-1"},
        {"Content-Type": "application/json", "Content-Encoding": "gzip"},
    ],
)
def test_a_body_of_another_type_is_refused_unread(headers: dict[str, str]) -> None:
    ledger = FakeLedger()
    problem(post(app_of(ledger), b"{}", headers), 415, "media-type")
    assert ledger.taken == []


def test_utf_8_may_be_named() -> None:
    headers = {"Content-Type": "application/json; charset=UTF-8"}
    assert post(app_of(FakeLedger()), b"{}", headers).status_code == 200


def test_an_envelope_above_the_size_of_an_entry_is_refused_whether_or_not_it_says_so() -> None:
    async def parts() -> Any:
        for _ in range(ENTRY_SIZE_MAX // 1000 + 1):
            yield b"x" * 1000

    ledger = FakeLedger()
    problem(post(app_of(ledger), b"x" * (ENTRY_SIZE_MAX + 1)), 413, "too-large")
    problem(post(app_of(ledger), parts()), 413, "too-large")
    assert ledger.taken == []
    assert post(app_of(ledger), b"x" * ENTRY_SIZE_MAX).status_code == 200


def test_a_batch_has_a_limit_of_lines_and_of_bytes() -> None:
    ledger = FakeLedger()
    problem(post(app_of(ledger), b"{}\n" * (BATCH_LINES_MAX + 1), BATCH), 413, "too-large")
    problem(post(app_of(ledger), b"x" * (BATCH_BYTES_MAX + 1), BATCH), 413, "too-large")
    assert ledger.taken == []
    answer = post(app_of(ledger), b"{}\n" * BATCH_LINES_MAX, BATCH)
    assert answer.status_code == 200
    assert len(answer.text.splitlines()) == BATCH_LINES_MAX


def test_an_empty_batch_is_malformed() -> None:
    problem(post(app_of(FakeLedger()), b"\n", BATCH), 400, "malformed")


def test_each_line_of_a_batch_has_its_own_result_in_order() -> None:
    def answer(envelope: bytes) -> Outcome:
        return Refused("key-known", "no such key") if envelope == b"bad" else b"for " + envelope

    answered = post(app_of(FakeLedger(answer)), b"one\nbad\ntwo", BATCH)
    assert answered.headers["content-type"] == "application/x-ndjson"
    first, second, third = [httpx.Response(200, text=line).json() for line in answered.iter_lines()]
    assert first == {"line": 1, "receipt": "for one"}
    assert third == {"line": 3, "receipt": "for two"}
    assert second["line"] == 2
    assert second["problem"]["status"] == 422
    assert second["problem"]["rule"] == "key-known"


def test_bodies_held_together_stay_under_the_budget_and_give_their_share_back() -> None:
    app = app_of(FakeLedger())
    app.state.bodies = Bodies(envelopes=BodyBudget(1_000), batches=BodyBudget(0))
    answer = post(app, b"x" * 1_001)
    problem(answer, 503, "busy")
    assert answer.headers["retry-after"] == "5"
    problem(post(app, b"{}", BATCH), 503, "busy")
    for _ in range(3):
        assert post(app, b"x" * 900).status_code == 200


def test_a_body_that_does_not_come_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "BODY_WAIT_S", 0.05)

    async def never() -> Any:
        yield b"{"
        await asyncio.Event().wait()

    app = app_of(FakeLedger())
    problem(post(app, never()), 408, "too-slow")


def test_long_headers_and_addresses_are_refused() -> None:
    app = app_of(FakeLedger())
    long = {"X-Long": "x" * gate.HEADERS_BYTES_MAX}
    problem(ask(app, "GET", "/healthz", headers=long), 431, "too-large")
    problem(ask(app, "GET", "/healthz?" + "x" * gate.TARGET_BYTES_MAX), 414, "too-large")


def test_a_sane_request_id_is_kept_and_any_other_replaced() -> None:
    app = app_of(FakeLedger())
    kept = ask(app, "GET", "/healthz", headers={"X-Request-ID": "a.b-C_1"})
    assert kept.headers["x-request-id"] == "a.b-C_1"
    for odd in ("a b", "x" * 65, "<script>"):
        made = ask(app, "GET", "/healthz", headers={"X-Request-ID": odd}).headers["x-request-id"]
        assert len(made) == 32
        assert made != odd


def test_every_answer_has_the_security_headers() -> None:
    app = app_of(FakeLedger())
    for path in ("/healthz", "/nowhere", "/openapi.json"):
        headers = ask(app, "GET", path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["content-security-policy"].startswith("default-src 'none'")


def test_a_founding_over_http_needs_every_signer_to_be_configured() -> None:
    founding = Organisation().founding()
    both = frozenset(key_of(name).keyid for name in ("reg-1", "reg-2"))
    ledger = FakeLedger()
    ledger.length = 0
    for founders in (frozenset[str](), frozenset({key_of("reg-1").keyid})):
        found = problem(post(app_of(ledger, founders), founding), 403, "founding-not-allowed")
        assert "mingzhang submit" in found["detail"]
    assert ledger.taken == []
    assert post(app_of(ledger, both), founding).status_code == 200
    assert ledger.taken == [founding]


def test_a_founding_inside_a_batch_is_refused_alone() -> None:
    founding = Organisation().founding()
    ledger = FakeLedger()
    ledger.length = 0
    answered = post(app_of(ledger), b"one\n" + founding + b"\ntwo\n", BATCH)
    lines = [httpx.Response(200, text=line).json() for line in answered.iter_lines()]
    assert [line["line"] for line in lines] == [1, 2, 3]
    assert lines[1]["problem"]["status"] == 403
    assert ledger.taken == [b"one", b"two"]
