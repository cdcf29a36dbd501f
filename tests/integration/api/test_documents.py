"""Documents, trials and signed refusals over HTTP, at a serving process."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from ledger import keyfile
from ledger.commitment import commit
from ledger.entry import parse_envelope
from ledger.refusal import verify_refusal
from ledger.signing import PrivateKey
from ledger.store.ledger import initialise
from ledger.store.media import XLSX
from tests.support import archives
from tests.support.organisation import ORIGIN, Organisation
from tests.support.server import Server, environment, mingzhang

TOKEN = "a token of the tests"
ALLOWED = {"Authorization": f"Bearer {TOKEN}"}
TEXT = {"Content-Type": "text/plain"}


def start(data: Path, *, token: bool = True) -> PrivateKey:
    """Make a ledger's folder; return its service key."""
    initialise(data, ORIGIN)
    if token:
        with (data / "ledger.toml").open("a") as config:
            digest = hashlib.sha256(TOKEN.encode()).hexdigest()
            config.write(f'documents_token_sha256 = "{digest}"\n')
    return keyfile.load(data / "service.key")


@pytest.fixture
def server(tmp_path: Path, database_url: str) -> Iterator[Server]:
    start(tmp_path / "data")
    with Server(tmp_path / "data", environment(database_url), tmp_path / "serve.log") as made:
        yield made


def put(server: Server, data: bytes, headers: dict[str, str]) -> httpx.Response:
    return httpx.post(f"{server.url}/v1/documents", content=data, headers=ALLOWED | headers)


def code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["type"].rpartition(":")[2]


def test_a_text_is_kept_and_given_back_with_its_salt(server: Server) -> None:
    data = "参加整治".encode()
    answer = put(server, data, TEXT)
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    made = answer.json()
    salt = bytes.fromhex(made["salt"])
    assert commit(salt, data) == made["commitment"]
    got = server.get(f"/v1/documents/{made['commitment']}", headers=ALLOWED)
    assert (got.status_code, got.content) == (200, data)
    assert got.headers["document-salt"] == made["salt"]
    assert got.headers["content-disposition"] == "attachment"
    assert got.headers["x-content-type-options"] == "nosniff"
    again = put(server, data, TEXT | {"Document-Salt": made["salt"]})
    assert again.json() == made, "with its own salt, an upload can be repeated"


def test_without_the_token_nothing_goes_in_or_out(server: Server) -> None:
    made = put(server, b"reason", TEXT).json()["commitment"]
    for headers in ({}, {"Authorization": "Bearer other"}, {"Authorization": f"Basic {TOKEN}"}):
        for answer in (
            server.get(f"/v1/documents/{made}", headers=headers),
            httpx.post(f"{server.url}/v1/documents", content=b"x", headers=TEXT | headers),
            httpx.post(f"{server.url}/v1/trials", content=b"x", headers=headers),
        ):
            assert code(answer) == (401, "unauthorized")
            assert answer.headers["www-authenticate"] == "Bearer"


def test_without_a_configured_token_documents_are_closed(tmp_path: Path, database_url: str) -> None:
    start(tmp_path / "data", token=False)
    with Server(tmp_path / "data", environment(database_url), tmp_path / "log") as server:
        assert code(put(server, b"x", TEXT)) == (403, "closed")
        assert code(server.get(f"/v1/documents/{'ab' * 32}", headers=ALLOWED)) == (403, "closed")


@pytest.mark.parametrize(
    ("data", "kind", "expected"),
    [
        (b"<html>", "text/html", (415, "media-type")),
        (b"<html>", "image/png", (400, "malformed")),
        (archives.png(50_000, 50_000), "image/png", (400, "malformed")),
        (archives.zipped({"../x": b"x"}), XLSX, (400, "malformed")),
        (archives.many_names(1_000_000), XLSX, (413, "too-large")),
        (b"", "text/plain", (400, "malformed")),
        (b"x" * (64 * 1024 + 1), "text/plain", (400, "malformed")),
    ],
)
def test_what_is_not_taken_is_refused(
    server: Server, data: bytes, kind: str, expected: tuple[int, str]
) -> None:
    assert code(put(server, data, {"Content-Type": kind})) == expected


def test_a_wrong_salt_or_commitment_is_refused_and_an_unknown_one_not_found(
    server: Server,
) -> None:
    assert code(put(server, b"x", TEXT | {"Document-Salt": "ab"})) == (400, "malformed")
    assert code(server.get("/v1/documents/xyz", headers=ALLOWED)) == (422, "invalid-request")
    unknown = server.get(f"/v1/documents/{'ab' * 32}", headers=ALLOWED)
    assert code(unknown) == (404, "not-found")


def test_refusals_are_signed_by_the_service_and_name_statement_and_rule(
    tmp_path: Path, database_url: str
) -> None:
    service = start(tmp_path / "data")
    made = Organisation(start=datetime.now(UTC))
    env = environment(database_url)
    (tmp_path / "founding.json").write_bytes(made.founding())
    mingzhang("submit", tmp_path / "founding.json", "--data", tmp_path / "data", env=env)
    with Server(tmp_path / "data", env, tmp_path / "serve.log") as server:
        wrong = made.role("ann", "recorder")
        answer = server.post(wrong)
        assert code(answer) == (422, "refused")
        envelope = base64.b64decode(answer.json()["refusal"])
        found = verify_refusal(envelope, service.public_key)
        assert found.statement == hashlib.sha256(parse_envelope(wrong).payload).hexdigest()
        assert (found.rule, found.log, found.size) == (answer.json()["rule"], ORIGIN, 1)

        spaced = server.post(b" " + wrong)
        assert code(spaced) == (400, "malformed")
        again = verify_refusal(base64.b64decode(spaced.json()["refusal"]), service.public_key)
        assert (again.statement, again.rule) == (found.statement, "malformed")
        assert "refusal" not in server.post(b"{}").json(), "nothing is there to be named"

        opened = made.unit("root", None)
        lines = server.post(opened + b"\n" + wrong + b"\n", "application/x-ndjson").text
        first, second = lines.splitlines()
        assert "receipt" in first
        assert '"refusal":"' in second

        # As its sender gets and shows it.
        (tmp_path / "wrong.json").write_bytes(wrong)
        words = ("submit", tmp_path / "wrong.json", "--url", server.url, "--receipts", tmp_path)
        assert "the signed refusal is in" in mingzhang(*words).stderr
    (kept,) = tmp_path.glob("*.refusal.json")
    shown = mingzhang("key", "service", "--data", tmp_path / "data")
    (tmp_path / "service.pub").write_text(shown.stdout)
    check = ("verify", "refusal", kept, "--key", tmp_path / "service.pub")
    sound = mingzhang(*check, "--statement", tmp_path / "wrong.json")
    assert sound.returncode == 0, sound.stderr
    assert "\nOK " in sound.stdout
    other = mingzhang(*check, "--statement", tmp_path / "founding.json")
    assert (other.returncode, other.stdout) == (1, "")
    kept.write_bytes(kept.read_bytes().replace(b'"sig":"', b'"sig":"A'))
    assert mingzhang(*check).returncode == 1


def test_a_trial_answers_as_the_log_would_and_records_nothing(server: Server) -> None:
    made = Organisation(start=datetime.now(UTC))
    lines = [made.founding(), made.unit("root", None), made.role("ann", "recorder"), b"{}"]
    answer = httpx.post(
        f"{server.url}/v1/trials",
        content=b"\n".join(lines),
        headers=ALLOWED | {"Content-Type": "application/x-ndjson"},
    )
    assert answer.status_code == 200
    found = [httpx.Response(200, text=line).json() for line in answer.text.splitlines()]
    assert ["problem" in each for each in found] == [False, False, True, True]
    assert found[2]["problem"]["rule"] == "actor-known"
    assert server.get("/log/checkpoint").status_code == 404
