"""Other suites as a user runs them: ML-DSA-44 cosignatures are read, SM2 is off unless named."""

from __future__ import annotations

import struct
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey

from ledger import keyfile
from ledger.log import note
from ledger.log.cosignature import TYPE_ML_DSA_44, CosignerKey, _subtree_message, can_check
from ledger.store.ledger import Ledger, initialise
from tests.support.clock import SteadyClock
from tests.support.database import set_up
from tests.support.organisation import ORIGIN, Organisation, key_of
from tests.support.server import environment, mingzhang
from tests.support.static_log import LOG_SIGNER, small_log, write_log

NAME = "pq.example/witness"


def test_a_quorum_by_an_ml_dsa_witness_is_met_and_its_bad_line_is_refused(tmp_path: Path) -> None:
    private = MLDSA44PrivateKey.generate()
    key = CosignerKey(NAME, TYPE_ML_DSA_44, private.public_key().public_bytes_raw())
    assert can_check(key)
    log, policy = tmp_path / "log", tmp_path / "policy"
    write_log(log, small_log(Organisation()).entries)
    policy.write_text(f"witness pq {key.text}\nquorum pq\n")
    file = log / "checkpoint"
    plain = file.read_bytes()
    text, now = note.parse(plain).text, int(time.time())

    def verify(signed: int) -> tuple[int, str]:
        """Verify with a line that signs the time `signed` and says that it is of now."""
        raw = struct.pack(">Q", now) + private.sign(_subtree_message(NAME, text, signed))
        line = note.signature_line(NAME, key.key_id, raw).removesuffix("\n")
        file.write_bytes(note.with_signatures(plain, [line]))
        words = ("verify", "log", log, "--vkey", LOG_SIGNER.vkey.text, "--policy", policy)
        done = mingzhang(*words)
        return done.returncode, done.stdout

    status, said = verify(now)
    assert status == 0, said
    assert "quorum      met: 1 of 1 witnesses" in said
    status, said = verify(now - 1)
    assert status == 1
    assert "[cosignature]" in said


def test_an_sm2_key_is_refused_until_the_settings_name_the_suite_and_is_then_labelled(
    tmp_path: Path, database_url: str
) -> None:
    data, env = tmp_path / "data", environment(database_url)
    initialise(data, ORIGIN)
    start = datetime.now(UTC).replace(microsecond=0) - timedelta(days=10)
    people, clock = Organisation(start=start), SteadyClock(start)
    with Ledger.open(data, url=database_url, clock=clock) as ledger:
        set_up(ledger, people, clock)
    keyfile.save(tmp_path / "reg-1.key", key_of("reg-1"), None)
    key, statement = tmp_path / "sm2.key", tmp_path / "register.json"
    words = ("--suite", "sm2", "--no-passphrase", "--second-holder", "reg-1")
    made = mingzhang("key", "new", key, *words)
    assert "sm2 (not certified)" in made.stdout
    public = next(x.split()[1] for x in made.stdout.splitlines() if x.startswith("public_key"))
    signed = mingzhang(
        *("sign", "key.registered", "actor/rec-3", "--actor", "reg-1", "--log", ORIGIN),
        *("--body", f'{{"suite":"sm2","public_key":"{public}"}}', "--out", statement),
        *("--key", key, "--key", tmp_path / "reg-1.key"),
    )
    assert signed.returncode == 0, signed.stderr
    refused = mingzhang("submit", statement, "--data", data, env=env)
    assert refused.returncode == 1
    assert "[suite-accepted]" in refused.stderr
    with (data / "ledger.toml").open("a") as settings:
        settings.write('suites = ["ed25519", "sm2"]\n')
    taken = mingzhang("submit", statement, "--data", data, env=env)
    assert taken.returncode == 0, taken.stderr
    assert mingzhang("export", tmp_path / "out", "--data", data, env=env).returncode == 0
    report = mingzhang("verify", "log", tmp_path / "out", "--vkey", data / "log.vkey")
    assert report.returncode == 0, report.stdout
    assert "1 of the keys are SM2, not certified" in report.stdout
