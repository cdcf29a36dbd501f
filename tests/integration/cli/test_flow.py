"""The commands as an operator, a signer and an outsider run them, one after the other."""

from __future__ import annotations

import subprocess
from pathlib import Path

import orjson
import pytest

from ledger.entry import parse_envelope
from ledger.log import receipt
from ledger.store.ledger import Ledger, initialise
from tests.support.clock import SteadyClock
from tests.support.database import set_up
from tests.support.organisation import ORIGIN, Organisation
from tests.support.server import Server, environment, mingzhang

FOUNDERS = ("ann", "bob")
HOLDER = ("--no-passphrase", "--second-holder", "bob")


def done(result: subprocess.CompletedProcess[str]) -> str:
    assert result.returncode == 0, result.stderr
    return result.stdout


def field(shown: str, name: str) -> str:
    return next(line.split()[1] for line in shown.splitlines() if line.startswith(name))


def found(folder: Path) -> Path:
    """Make the founders' keys and their founding statement, each signing for themselves."""
    keys = []
    for actor in FOUNDERS:
        shown = done(mingzhang("key", "new", folder / f"{actor}.key", *HOLDER))
        keys.append({"actor": actor, "suite": "ed25519", "public_key": field(shown, "public_key")})
    body = {"time_zone": "Asia/Shanghai", "threshold": 2, "keys": keys}
    (folder / "body.json").write_bytes(orjson.dumps(body))
    statement = folder / "founding.json"
    done(
        mingzhang(
            *("sign", "ledger.founded", "ledger/root", "--actor", "ann", "--log", ORIGIN),
            *("--body", f"@{folder / 'body.json'}", "--key", folder / "ann.key"),
            *("--out", statement),
        )
    )
    cosigned = mingzhang("cosign", statement, "--key", folder / "bob.key")
    done(cosigned)
    assert '"threshold": 2' in cosigned.stderr, "what is signed is shown"
    return statement


def test_from_an_empty_folder_to_a_verified_log(tmp_path: Path, database_url: str) -> None:
    env = environment(database_url)
    data, receipts = tmp_path / "data", tmp_path / "receipts"
    vkey = done(mingzhang("init", "--origin", ORIGIN, "--data", data)).strip()
    founding = found(tmp_path)

    here = ("--data", data, "--receipts", receipts)
    first = done(mingzhang("submit", founding, *here, env=env))
    assert first.startswith("0 ledger.founded ledger/root ")
    (kept,) = receipts.iterdir()
    before = kept.read_bytes()
    assert receipt.parse(before).index == 0

    unit = tmp_path / "unit.json"
    unit.write_text(
        done(
            mingzhang(
                *("sign", "unit.opened", "unit/root", "--actor", "ann", "--log", ORIGIN),
                *("--body", '{"name_zh":"根","name_en":"Root","start":"2026-01-01"}'),
                *("--key", tmp_path / "ann.key"),
            )
        )
    )
    with Server(data, env, tmp_path / "serve.log") as server:
        there = ("--url", server.url, "--receipts", receipts)
        again = done(mingzhang("submit", founding, unit, *there)).splitlines()
        assert [line.split()[0] for line in again] == ["0", "1"]
        assert kept.read_bytes() == before, "sent again, it is answered with the same bytes"

        rotate = ("key", "rotate", tmp_path / "ann.key", tmp_path / "ann-2.key", "--log", ORIGIN)
        out = tmp_path / "rotation"
        done(mingzhang(*rotate, "--actor", "ann", "--out-dir", out, *HOLDER))
        done(mingzhang("submit", *sorted(out.iterdir()), "--url", server.url))
        late = mingzhang(
            *("sign", "unit.opened", "unit/east", "--actor", "ann", "--log", ORIGIN, "--out"),
            *(tmp_path / "late.json", "--key", tmp_path / "ann.key", "--body"),
            '{"name_zh":"东","name_en":"East","start":"2026-01-01","parent":"root"}',
        )
        done(late)
        refused = mingzhang("submit", tmp_path / "late.json", "--url", server.url)
        assert refused.returncode == 1
        assert "1 of 1 not recorded" in refused.stderr
        assert "revoked" in refused.stderr

        export = tmp_path / "export"
        assert "size 4" in done(mingzhang("export", export, "--data", data, env=env))
        for where in (str(export), f"{server.url}/log"):
            report = done(mingzhang("verify", "log", where, "--vkey", vkey))
            assert "size 4" in report
            assert "\nOK " in report
    for file in receipts.iterdir():
        shown = done(mingzhang("verify", "receipt", file, "--vkey", data / "log.vkey"))
        assert "\nOK " in shown


@pytest.fixture
def year(tmp_path: Path, database_url: str) -> tuple[Path, Path, dict[str, str]]:
    """A ledger with points: its data folder, its export, and the environment to use it in."""
    data, export, env = tmp_path / "data", tmp_path / "export", environment(database_url)
    organisation, clock = Organisation(), SteadyClock()
    initialise(data, ORIGIN)
    with Ledger.open(data, url=database_url, clock=clock) as ledger:
        set_up(ledger, organisation, clock)
        envelopes = [organisation.award("m-2", 250), organisation.award("m-3", 100)]
        envelopes += [organisation.award("m-3", 50, kind="points.deducted")]
        for outcome in ledger.append_batch(envelopes):
            assert isinstance(outcome, bytes), outcome
    done(mingzhang("export", export, "--data", data, env=env))
    return data, export, env


def test_the_ranking_is_the_same_from_the_database_and_from_the_files(
    year: tuple[Path, Path, dict[str, str]],
) -> None:
    data, export, env = year
    asked = ("ranking", "--unit", "root", "--period", "2026")
    shown = done(mingzhang(*asked, "--data", data, env=env))
    assert "m-2" in shown
    assert "2.5" in shown
    replayed = mingzhang("replay", export, *asked, "--vkey", data / "log.vkey")
    assert done(replayed) == shown
    assert replayed.stderr == ""
    unsigned = mingzhang("replay", export, *asked)
    assert done(unsigned) == shown
    assert "not verified" in unsigned.stderr
    steps = done(mingzhang("statement", "m-3", "--data", data, env=env))
    assert "D-1" in steps


def test_a_question_that_has_no_answer_says_so_in_one_line(
    year: tuple[Path, Path, dict[str, str]],
) -> None:
    data, export, env = year
    for words in (
        ("ranking", "--unit", "nowhere", "--period", "2026", "--data", data),
        ("ranking", "--unit", "root", "--period", "2026-13", "--data", data),
        ("statement", "m-99", "--data", data),
        ("replay", export, "ranking", "--unit", "nowhere", "--period", "2026"),
    ):
        result = mingzhang(*words, env=env)
        assert result.returncode == 1, words
        assert result.stdout == ""
        assert "mingzhang: " in result.stderr
        assert "Traceback" not in result.stderr


def test_a_changed_log_fails_with_status_1_and_the_entry_is_named(
    year: tuple[Path, Path, dict[str, str]], tmp_path: Path
) -> None:
    data, export, _ = year
    vkey = data / "log.vkey"
    older = tmp_path / "older"
    older.write_bytes((export / "checkpoint").read_bytes())
    assert mingzhang("verify", "log", export, "--vkey", vkey, "--from", older).returncode == 0
    (bundle,) = (export / "tile" / "entries").rglob("*.p/*")
    changed = bundle.read_bytes().replace(
        b'"seq":1,"stream":"rulebook', b'"seq":2,"stream":"rulebook'
    )
    assert changed != bundle.read_bytes()
    bundle.write_bytes(changed)
    result = mingzhang("verify", "log", export, "--vkey", vkey)
    assert result.returncode == 1
    assert "FAILED      entry 14" in result.stdout
    replayed = mingzhang("replay", export, "ranking", "--unit", "root", "--period", "2026")
    assert replayed.returncode == 1
    assert replayed.stdout == ""


def test_a_changed_receipt_fails_with_status_1(
    year: tuple[Path, Path, dict[str, str]], tmp_path: Path, database_url: str
) -> None:
    data, _, env = year
    organisation = Organisation()
    first = organisation.founding()
    (tmp_path / "founding.json").write_bytes(first)
    out = tmp_path / "receipts"
    words = ("submit", tmp_path / "founding.json", "--data", data, "--receipts", out)
    done(mingzhang(*words, env=env))
    file = out / f"{parse_envelope(first).id}.tlog-proof"
    file.write_bytes(file.read_bytes().replace(b"index 0", b"index 1"))
    result = mingzhang("verify", "receipt", file, "--vkey", data / "log.vkey")
    assert result.returncode == 1
    assert result.stdout == ""
    assert result.stderr.startswith("mingzhang: ")


def test_stored_tiles_are_derived_again(
    tmp_path: Path, data_of_300: Path, database_url: str
) -> None:
    import psycopg

    env = environment(database_url)
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("DELETE FROM mingzhang.tile")
        connection.execute(
            "INSERT INTO mingzhang.tile (level, n, data, root) VALUES (0, 0, %s, %s)",
            (bytes(8192), bytes(32)),
        )
    with pytest.raises(Exception, match="mingzhang repair tiles"):
        Ledger.open(data_of_300, url=database_url).close()
    repaired = mingzhang("repair", "tiles", "--data", data_of_300, env=env)
    assert done(repaired).startswith("1 tiles")
    Ledger.open(data_of_300, url=database_url).close()


@pytest.fixture
def data_of_300(tmp_path: Path, database_url: str) -> Path:
    """A ledger of more than one full tile."""
    data, organisation, clock = tmp_path / "data", Organisation(), SteadyClock()
    initialise(data, ORIGIN)
    with Ledger.open(data, url=database_url, clock=clock) as ledger:
        set_up(ledger, organisation, clock)
        envelopes = [organisation.award("m-2") for _ in range(300)]
        for outcome in ledger.append_batch(envelopes):
            assert isinstance(outcome, bytes), outcome
    return data
