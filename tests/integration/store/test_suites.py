"""Keys of the suite SM2: refused unless the settings name it, and then like any other."""

from __future__ import annotations

from pathlib import Path

import pytest

from api.cli.keys import new as new_key
from ledger import keyfile
from ledger.entry import format_instant, statement_payload
from ledger.errors import FormatError, Refused, StartRefusedError
from ledger.log.note import VerifierKey
from ledger.signing import StatementKey, encode_base64, sign_envelope
from ledger.sm2 import Sm2PrivateKey
from ledger.store.ledger import Ledger, Options, initialise
from ledger.store.publish import export
from ledger.store.trial import try_statements
from ledger.verify.whole import verify_log
from tests.support.clock import SteadyClock
from tests.support.database import OpenLedger, set_up
from tests.support.organisation import ORIGIN, START, Organisation, key_of

SM2 = Sm2PrivateKey.generate()


def registration(
    organisation: Organisation, actor: str, key: Sm2PrivateKey, suite: str = "sm2"
) -> bytes:
    payload = statement_payload(
        type="key.registered",
        id=organisation.new_id(),
        log=organisation.origin,
        stream=f"actor/{actor}",
        actor="reg-1",
        signed_at=format_instant(organisation.now),
        body={"suite": suite, "public_key": encode_base64(key.public_key)},
    )
    return sign_envelope(payload, [key, key_of("reg-1")])


def award(organisation: Organisation, actor: str, *keys: StatementKey) -> bytes:
    payload = statement_payload(
        type="points.awarded",
        id=organisation.new_id(),
        log=organisation.origin,
        stream="member/m-3",
        actor=actor,
        signed_at=format_instant(organisation.now),
        body=organisation.act(),
    )
    return sign_envelope(payload, list(keys))


def take_sm2(data: Path) -> None:
    initialise(data, ORIGIN)
    with (data / "ledger.toml").open("a") as file:
        file.write('suites = ["ed25519", "sm2"]\n')


def append(ledger: Ledger, *envelopes: bytes) -> None:
    for outcome in ledger.append_batch(envelopes):
        assert isinstance(outcome, bytes), outcome


@pytest.mark.parametrize("workers", [0, 1])
def test_sm2_is_off_unless_the_settings_name_it(
    workers: int, open_ledger: OpenLedger, clock: SteadyClock
) -> None:
    organisation = Organisation()
    ledger = open_ledger(options=Options(admission_workers=workers))
    set_up(ledger, organisation, clock)
    refused = registration(organisation, "rec-3", SM2)
    # So many that a helper process admits them, where there is one.
    awards = [organisation.award("m-3") for _ in range(20)]
    outcome, *others = ledger.append_batch([refused, *awards])
    assert isinstance(outcome, Refused)
    assert outcome.rule == "suite-accepted"
    assert "no keys of the suite sm2" in outcome.message
    assert all(isinstance(each, bytes) for each in others)
    (tried,) = try_statements(ledger, [refused], START)
    assert isinstance(tried, Refused)
    assert tried.rule == "suite-accepted"


@pytest.mark.parametrize("workers", [0, 1])
def test_a_registered_sm2_key_signs_and_every_verifier_takes_it(
    workers: int, open_ledger: OpenLedger, clock: SteadyClock, tmp_path: Path
) -> None:
    take_sm2(tmp_path / "data")
    organisation = Organisation()
    ledger = open_ledger(options=Options(admission_workers=workers))
    set_up(ledger, organisation, clock)
    append(ledger, registration(organisation, "rec-3", SM2))
    append(ledger, organisation.role("rec-3", "recorder"))
    append(ledger, *[award(organisation, "rec-3", SM2, key_of("com-1")) for _ in range(300)])
    impostor = Sm2PrivateKey(Sm2PrivateKey.generate().seed, SM2.public_key)
    with pytest.raises(Refused, match="does not verify"):
        ledger.append(award(organisation, "rec-3", impostor, key_of("com-1")))
    export(ledger, tmp_path / "log", VerifierKey.parse(ledger.vkey))
    for helping in (0, 2):
        report = verify_log(str(tmp_path / "log"), VerifierKey.parse(ledger.vkey), workers=helping)
        assert report.ok, report.lines()
        assert report.sm2_keys == 1
        assert "suites      1 of the keys are SM2, not certified" in report.lines()


def test_a_key_of_another_length_than_its_suites_is_refused(
    open_ledger: OpenLedger, tmp_path: Path
) -> None:
    take_sm2(tmp_path / "data")
    organisation = Organisation()
    ledger = open_ledger()
    append(ledger, *organisation.set_up())
    with pytest.raises(FormatError, match="65 bytes where 32 are needed"):
        ledger.append(registration(organisation, "rec-3", SM2, "ed25519"))


def test_a_suite_that_nobody_knows_stops_the_start(open_ledger: OpenLedger, tmp_path: Path) -> None:
    initialise(tmp_path / "data", ORIGIN)
    with (tmp_path / "data" / "ledger.toml").open("a") as file:
        file.write('suites = ["rsa"]\n')
    with pytest.raises(StartRefusedError, match="of ed25519, sm2"):
        open_ledger()


def test_a_new_sm2_key_is_labelled_as_not_certified(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    new_key(tmp_path / "k", no_passphrase=True, suite="sm2", second_holder="reg-1")
    assert "suite      sm2 (not certified)" in capsys.readouterr().out
    assert isinstance(keyfile.load_any(tmp_path / "k"), Sm2PrivateKey)
