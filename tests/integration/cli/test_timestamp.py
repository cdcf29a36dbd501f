"""Timestamps from a local TSA: asked for, kept, exported, and checked without the ledger."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from ledger.errors import FormatError, NotFoundError
from ledger.log.note import VerifierKey
from ledger.log.timestamp import Trust, query
from ledger.store import tsa as asking
from ledger.store.ledger import Ledger
from ledger.store.publish import export
from ledger.store.tsa import Timestamps, ask, tsa_name
from tests.support.organisation import Organisation
from tests.support.server import environment, mingzhang
from tests.support.tsa import Tsa, TsaServer
from tests.support.waiting import wait_until


@pytest.fixture(scope="module")
def tsa(tmp_path_factory: pytest.TempPathFactory) -> Tsa:
    return Tsa(tmp_path_factory.mktemp("tsa") / "one")


@pytest.fixture
def server(tsa: Tsa) -> Iterator[TsaServer]:
    with TsaServer(tsa.reply) as server:
        yield server


@pytest.fixture
def organisation() -> Organisation:
    return Organisation()


@pytest.fixture
def filled(ledger: Ledger, organisation: Organisation) -> Ledger:
    """A ledger whose newest note is recorded, as it is once the sequencer was idle."""
    for outcome in ledger.append_batch(list(organisation.set_up())):
        assert isinstance(outcome, bytes), outcome
    with closing(ledger.database.pool(1, 1)) as pool:
        stamps = Timestamps(pool, VerifierKey.parse(ledger.vkey))

        def recorded() -> bool:
            try:
                return stamps.note()[0] == ledger.size()
            except NotFoundError:
                return False

        wait_until(recorded, 30)
    return ledger


def done(result: subprocess.CompletedProcess[str], status: int = 0) -> str:
    assert result.returncode == status, result.stdout + result.stderr
    return result.stdout


def test_a_checkpoint_is_stamped_kept_exported_and_checked_off_line(
    filled: Ledger, database_url: str, tmp_path: Path, tsa: Tsa, server: TsaServer
) -> None:
    env = environment(database_url)
    size = filled.size()
    here = ("--data", tmp_path / "data", "--tsa-roots", tsa.roots)
    shown = done(mingzhang("timestamp", "--tsa", server.url, *here, env=env))
    name = tsa_name(server.url)
    assert shown.startswith(f"{name}: size {size} existed at 20")
    again = done(mingzhang("timestamp", str(size), "--tsa", server.url, *here, env=env))
    assert again == f"every TSA has stamped size {size} already\n"

    log = tmp_path / "log"
    vkey = tmp_path / "data" / "log.vkey"
    done(mingzhang("export", log, "--data", tmp_path / "data", env=env))
    place = log / "timestamps" / str(size)
    assert sorted(each.name for each in place.iterdir()) == sorted(["checkpoint", f"{name}.tsr"])
    assert (place.parent / "index").read_text() == f"{size} {name}\n"
    done(mingzhang("export", log, "--data", tmp_path / "data", env=env))

    verify = ("verify", "log", log, "--vkey", vkey)
    whole = done(mingzhang(*verify, "--tsa-roots", tsa.roots))
    assert f"timestamp   size {size} existed at 20" in whole
    assert "CN=test TSA" in whole
    one = done(
        mingzhang(
            *("verify", "timestamp", place / f"{name}.tsr", place / "checkpoint"),
            *("--vkey", vkey, "--tsa-roots", tsa.roots),
        )
    )
    assert "existed at" in one
    openssl = subprocess.run(
        [
            "openssl",
            "ts",
            "-verify",
            "-data",
            "checkpoint",
            "-in",
            f"{name}.tsr",
            "-CAfile",
            tsa.roots,
        ],
        cwd=place,
        capture_output=True,
        text=True,
        check=False,
    )
    assert openssl.returncode == 0, openssl.stderr

    (place / f"{name}.tsr").write_bytes(tsa.reply(query(b"something else").data))
    broken = done(mingzhang(*verify, "--tsa-roots", tsa.roots), status=1)
    assert "stamps other bytes than this checkpoint" in broken
    (tmp_path / "none.pem").write_bytes(b"")
    wrong = mingzhang(*verify, "--tsa-roots", tmp_path / "none.pem")
    assert (wrong.returncode, "no certificates" in wrong.stderr) == (2, True)


def test_a_stamped_checkpoint_of_another_history_is_refused(
    filled: Ledger, tmp_path: Path, tsa: Tsa, server: TsaServer
) -> None:
    vkey = VerifierKey.parse(filled.vkey)
    with closing(filled.database.pool(0, 2)) as pool:
        size, _ = Timestamps(pool, vkey).stamp(None, [server.url], Trust.load(tsa.roots))
    export(filled, tmp_path / "log", vkey)
    place = tmp_path / "log" / "timestamps" / str(size)
    place.rename(place.with_name("3"))
    index = place.parent / "index"
    index.write_text(index.read_text().replace(f"{size} ", "3 "))
    words = ("verify", "log", tmp_path / "log", "--vkey", filled.vkey, "--tsa-roots", tsa.roots)
    assert "the checkpoint is of size" in done(mingzhang(*words), status=1)


def test_nothing_of_a_kept_token_can_be_changed(
    filled: Ledger, tsa: Tsa, server: TsaServer, database_url: str
) -> None:
    with closing(filled.database.pool(0, 2)) as pool:
        stamps = Timestamps(pool, VerifierKey.parse(filled.vkey))
        size, asked = stamps.stamp(None, [server.url], Trust.load(tsa.roots))
        assert stamps.kept(size) == {asked[0].tsa}
        for change in ("DELETE FROM", "TRUNCATE"):
            with pool.connection() as connection, pytest.raises(psycopg.Error):
                connection.execute(f"{change} mingzhang.timestamp_token".encode())
    with (
        psycopg.connect(database_url, autocommit=True) as owner,
        pytest.raises(psycopg.Error, match="append-only"),
    ):
        owner.execute("UPDATE mingzhang.timestamp_token SET tsa = 'x'")


def test_bad_slow_and_dead_tsas_stall_nobody_and_are_refused_with_the_reason(
    tsa: Tsa, server: TsaServer, tmp_path: Path
) -> None:
    stranger = Tsa(tmp_path / "stranger", "stranger")
    released = threading.Event()
    old = tsa.reply(query(b"note").data)

    def slow(_: bytes) -> bytes:
        released.wait(60)
        return b""

    trust = Trust.load(tsa.roots)
    with (
        TsaServer(slow) as late,
        TsaServer(lambda asked: asked) as echo,
        TsaServer(lambda _: old) as replaying,
        TsaServer(lambda _: bytes(100_000)) as flood,
        TsaServer(tsa.reply, status=503) as busy,
        TsaServer(stranger.reply) as unknown,
        TsaServer(lambda _: tsa.reply(query(b"other").data)) as other,
    ):
        servers = (late, echo, replaying, flood, busy, unknown, other, server)
        urls = [each.url for each in servers]
        asked = ask(b"note", [*urls, "http://127.0.0.1:9"], trust, timeout_s=2)
        released.set()
    reasons = [each.reason for each in asked]
    for reason, part in zip(
        reasons,
        [
            "no answer within 2 s",
            "no time-stamp response",
            "answers another query",
            "larger than 65536 bytes",
            "status 503",
            "no root given here vouches",
            "answers another query",
            "",
            "no answer: ",
        ],
        strict=True,
    ):
        assert part in reason
    good = [each for each in asked if each.stamp is not None]
    assert [each.tsa for each in good] == [tsa_name(server.url)]


def test_a_token_far_from_our_clock_is_refused(
    tsa: Tsa, server: TsaServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "SKEW_MAX", -asking.SKEW_MAX)
    (asked,) = ask(b"note", [server.url], Trust.load(tsa.roots))
    assert asked.stamp is None
    assert "away from this machine's clock" in asked.reason


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("http://tsa.example/", "tsa.example"),
        ("https://TSA.example:8443/tsr/v1?x=1", "tsa.example-8443-tsr-v1"),
    ],
)
def test_a_tsas_file_name_is_made_of_its_url(url: str, name: str) -> None:
    assert tsa_name(url) == name


@pytest.mark.parametrize("url", ["tsa.example", "ftp://tsa.example", "http://", ""])
def test_what_is_no_url_of_a_tsa_is_refused(url: str) -> None:
    with pytest.raises(FormatError, match="URL"):
        tsa_name(url)
