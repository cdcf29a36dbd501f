"""Keys, signing, and wrong use: what needs no database."""

from __future__ import annotations

import stat
import sys
from importlib import metadata
from pathlib import Path

import pytest

from ledger.entry import parse_envelope
from ledger.keyfile import load
from ledger.signing import keyid, pae, verify
from tests.support.server import environment, mingzhang

SIGN = ("sign", "key.revoked", "actor/ann", "--actor", "ann", "--log", "test.example/points")
HOLDER = ("--second-holder", "reg-1")
BODY = '{"cause":"lost","keyid":"' + "ab" * 32 + '"}'


def test_a_key_is_encrypted_private_and_never_written_over(tmp_path: Path) -> None:
    file = tmp_path / "ann.key"
    env = environment(MINGZHANG_PASSPHRASE="correct horse")
    made = mingzhang("key", "new", file, *HOLDER, env=env)
    assert made.returncode == 0
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert file.read_bytes().startswith(b"-----BEGIN ENCRYPTED PRIVATE KEY-----")
    shown = mingzhang("key", "show", file, env=env)
    assert made.stdout.startswith(shown.stdout)
    assert load(file, b"correct horse").keyid in shown.stdout

    before = file.read_bytes()
    again = mingzhang("key", "new", file, *HOLDER, env=env)
    assert again.returncode == 2
    assert "exists" in again.stderr
    assert file.read_bytes() == before


def test_a_wrong_or_missing_passphrase_is_said_in_one_line(tmp_path: Path) -> None:
    file = tmp_path / "ann.key"
    mingzhang("key", "new", file, *HOLDER, env=environment(MINGZHANG_PASSPHRASE="right"))
    for env, said in (
        (environment(MINGZHANG_PASSPHRASE="wrong"), "passphrase"),
        (environment(), "MINGZHANG_PASSPHRASE"),
    ):
        result = mingzhang("key", "show", file, env=env)
        assert (result.returncode, result.stdout) == (2, "")
        assert said in result.stderr
        assert len(result.stderr.splitlines()) == 1


def test_a_key_that_others_can_read_is_not_used(tmp_path: Path) -> None:
    file = tmp_path / "ann.key"
    mingzhang("key", "new", file, "--no-passphrase", *HOLDER)
    file.chmod(0o644)
    result = mingzhang("key", "show", file)
    assert result.returncode == 2
    assert "chmod 600" in result.stderr


def test_a_rotation_gives_two_statements_that_hold(tmp_path: Path) -> None:
    old, new, out = tmp_path / "old.key", tmp_path / "new.key", tmp_path / "out"
    mingzhang("key", "new", old, "--no-passphrase", *HOLDER)
    words = ("key", "rotate", old, new, "--log", "test.example/points", "--actor", "ann", *HOLDER)
    assert mingzhang(*words, "--out-dir", out, "--no-passphrase").returncode == 0
    registered, revoked = (parse_envelope(file.read_bytes()) for file in sorted(out.iterdir()))
    keys = {key.keyid: key.public_key for key in (load(old), load(new))}
    assert {each.keyid for each in registered.signatures} == set(keys)
    assert [each.keyid for each in revoked.signatures] == [load(new).keyid]
    assert revoked.body == {"cause": "rotated", "keyid": load(old).keyid}
    for statement in (registered, revoked):
        for each in statement.signatures:
            assert verify(keys[each.keyid], pae(statement.payload), each.sig)
            assert keyid(keys[each.keyid]) == each.keyid
    # A second time nothing is touched, not even by half.
    before = new.read_bytes()
    assert mingzhang(*words, "--out-dir", out, "--no-passphrase").returncode == 2
    assert new.read_bytes() == before


def test_what_cannot_be_signed_is_refused_before_a_file_is_written(tmp_path: Path) -> None:
    key, out = tmp_path / "ann.key", tmp_path / "out.json"
    mingzhang("key", "new", key, "--no-passphrase", *HOLDER)
    for body, status, said in (
        ("{", 2, "not JSON"),
        ("[]", 2, "object"),
        ("@" + str(tmp_path / "none"), 2, "cannot read"),
        ('{"cause":"bored","keyid":"' + "ab" * 32 + '"}', 1, "cause"),
        ('{"cause":"lost"}', 1, "keyid"),
    ):
        result = mingzhang(*SIGN, "--body", body, "--key", key, "--out", out)
        assert (result.returncode, result.stdout) == (status, ""), result.stderr
        assert said in result.stderr
        assert not out.exists()
    twice = mingzhang(*SIGN, "--body", BODY, "--key", key, "--key", key, "--out", out)
    assert twice.returncode == 1
    assert not out.exists()


def test_a_second_signature_by_the_same_key_is_refused(tmp_path: Path) -> None:
    key, out = tmp_path / "ann.key", tmp_path / "out.json"
    mingzhang("key", "new", key, "--no-passphrase", *HOLDER)
    assert mingzhang(*SIGN, "--body", BODY, "--key", key, "--out", out).returncode == 0
    before = out.read_bytes()
    result = mingzhang("cosign", out, "--key", key)
    assert result.returncode == 1
    assert "signed" in result.stderr
    assert out.read_bytes() == before


def test_wrong_use_ends_with_status_2(tmp_path: Path) -> None:
    (tmp_path / "checkpoint").write_text("x")
    for words in (
        ("nonsense",),
        ("key", "new"),
        ("serve", "--port", "70000"),
        ("serve", "--data", tmp_path / "none", "--port", "0"),
        ("init", "--origin", "no spaces please", "--data", tmp_path / "new"),
        ("verify", "log", tmp_path, "--vkey", "nonsense"),
        ("verify", "receipt", tmp_path / "none", "--vkey", "nonsense"),
        ("submit", tmp_path / "none"),
        ("export", tmp_path / "out", "--data", tmp_path / "none"),
    ):
        result = mingzhang(*words)
        assert result.returncode == 2, (words, result.stderr)
        assert "Traceback" not in result.stderr


def test_a_log_that_cannot_be_reached_is_no_failed_verification(tmp_path: Path) -> None:
    mingzhang("init", "--origin", "test.example/points", "--data", tmp_path)
    vkey = tmp_path / "log.vkey"
    for where in (tmp_path / "none", "http://127.0.0.1:9/log"):
        result = mingzhang("verify", "log", where, "--vkey", vkey)
        assert result.returncode == 2, result.stdout
        assert result.stderr.startswith("mingzhang: ")


def test_a_port_in_use_is_said_in_one_line(tmp_path: Path) -> None:
    import socket

    mingzhang("init", "--origin", "test.example/points", "--data", tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = mingzhang("serve", "--data", tmp_path, "--port", str(port))
    assert result.returncode == 2
    assert "cannot listen" in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_the_version_is_the_distributions() -> None:
    assert mingzhang("--version").stdout == f"mingzhang {metadata.version('mingzhang')}\n"


@pytest.mark.parametrize("module", ["keys", "sign", "verify", "main"])
def test_commands_without_a_ledger_import_no_database_and_no_web_server(module: str) -> None:
    import subprocess

    code = (
        f"import sys, api.cli.{module}\n"
        "heavy = {'psycopg', 'fastapi', 'uvicorn', 'eventsourcing', 'ledger.store'}\n"
        "sys.exit(', '.join(sorted(heavy & set(sys.modules))) or 0)"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], env=environment(), capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize(
    "words",
    [
        ("tasks", "--actor", "ann"),
        ("where", "01900000-0000-7000-8000-000000000000"),
        ("record", "key.revoked", "actor/ann", "--actor", "ann", "--key", "ann.key"),
    ],
    ids=lambda words: words[0],
)
def test_the_ledger_is_the_one_that_the_environment_names_unless_another_is_given(
    words: tuple[str, ...], tmp_path: Path
) -> None:
    place = tmp_path / "nothing-here"
    named = environment(MINGZHANG_DATA=str(place))
    for env, more, said in (
        (environment(), (), "say which ledger"),
        (named, (), "nothing-here"),
        (named, ("--data", tmp_path / "other"), "other"),
        (named, ("--data", place, "--url", "http://127.0.0.1:9"), "not both"),
    ):
        done = mingzhang(*words, *more, env=env)
        assert done.returncode == 2, done
        assert said in done.stderr
    served = mingzhang(*words, "--url", "http://127.0.0.1:9", env=named)
    assert "nothing-here" not in served.stderr
