"""Tokens of a local TSA: which hold, and why the others do not."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from ledger.errors import FormatError, ProofError
from ledger.log import checkpoint
from ledger.log.checkpoint import Checkpoint
from ledger.log.note import Signer
from ledger.log.timestamp import Trust, check_token, query, stamped_note
from tests.support.organisation import key_of
from tests.support.static_log import LOG_SIGNER
from tests.support.tsa import Tsa

SIGNED = Checkpoint(LOG_SIGNER.name, 7, bytes(32))
NOTE = checkpoint.sign(SIGNED, LOG_SIGNER)


@pytest.fixture(scope="module")
def tsa(tmp_path_factory: pytest.TempPathFactory) -> Tsa:
    return Tsa(tmp_path_factory.mktemp("tsa") / "one")


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Tsa:
    return Tsa(tmp_path_factory.mktemp("tsa") / "other", "other TSA")


@pytest.fixture(scope="module")
def trust(tsa: Tsa) -> Trust:
    return Trust.load(tsa.roots)


@pytest.fixture(scope="module")
def token(tsa: Tsa) -> bytes:
    return tsa.reply(query(NOTE).data)


def test_a_token_holds_for_its_checkpoint_and_says_when(tsa: Tsa, trust: Trust) -> None:
    asked = query(NOTE)
    stamp = check_token(tsa.reply(asked.data), NOTE, trust, asked.nonce)
    assert stamp.tsa == "CN=test TSA"
    assert stamp.at.tzinfo is not None


def test_openssl_says_the_same_of_our_token_and_we_of_its(
    tsa: Tsa, trust: Trust, token: bytes, tmp_path: Path
) -> None:
    (tmp_path / "checkpoint").write_bytes(NOTE)
    (tmp_path / "t.tsr").write_bytes(token)
    words = ["openssl", "ts", "-verify", "-data", "checkpoint", "-in", "t.tsr"]
    ran = subprocess.run(
        [*words, "-CAfile", str(tsa.roots)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Verification: OK" in ran.stdout + ran.stderr
    assert check_token(tsa.reply(tsa.query(NOTE)), NOTE, trust).tsa == "CN=test TSA"


def test_a_token_over_other_bytes_is_refused(trust: Trust, token: bytes) -> None:
    another = checkpoint.sign(Checkpoint(LOG_SIGNER.name, 8, bytes(32)), LOG_SIGNER)
    with pytest.raises(ProofError, match="stamps other bytes"):
        check_token(token, another, trust)


def test_an_answer_to_another_query_is_refused(trust: Trust, token: bytes) -> None:
    with pytest.raises(ProofError, match="answers another query"):
        check_token(token, NOTE, trust, query(NOTE).nonce)


def test_a_token_of_an_unknown_root_is_refused(other: Tsa, trust: Trust) -> None:
    reason = r"vouches for its TSA \(unable to get local issuer certificate\)$"
    with pytest.raises(ProofError, match=reason):
        check_token(other.reply(query(NOTE).data), NOTE, trust)


def test_only_named_tsas_are_believed_where_some_are(tsa: Tsa, other: Tsa, token: bytes) -> None:
    roots = tsa.roots.read_bytes() + other.roots.read_bytes()
    both = Trust.parse(roots + tsa.certificate.read_bytes() + other.certificate.read_bytes())
    assert check_token(token, NOTE, both).tsa == "CN=test TSA"
    only_other = Trust.parse(roots + other.certificate.read_bytes())
    with pytest.raises(ProofError, match="does not match"):
        check_token(token, NOTE, only_other)


@pytest.mark.parametrize("at", [40, 200, 500, -10])
def test_a_broken_token_is_refused(at: int, trust: Trust, token: bytes) -> None:
    broken = bytearray(token)
    broken[at] ^= 0x01
    with pytest.raises((FormatError, ProofError)):
        check_token(bytes(broken), NOTE, trust)


@pytest.mark.parametrize("change", ["cut", "longer", "empty", "text", "large"])
def test_what_is_no_token_is_refused_with_the_reason(
    change: str, trust: Trust, token: bytes
) -> None:
    bad, reason = {
        "cut": (token[:-1], "no time-stamp response in DER"),
        "longer": (token + b"\0", "DER"),
        "empty": (b"", "no time-stamp response in DER"),
        "text": (b"<html>", "no time-stamp response in DER"),
        "large": (bytes(70_000), "at most 65536"),
    }[change]
    with pytest.raises(FormatError, match=reason):
        check_token(bad, NOTE, trust)


def test_a_refusal_by_the_tsa_is_said_in_its_words(tsa: Tsa, trust: Trust) -> None:
    refused = tsa.reply(b"no query at all")
    with pytest.raises(FormatError, match="granted no token: rejected"):
        check_token(refused, NOTE, trust)


def test_cosignatures_do_not_change_what_is_stamped(trust: Trust, token: bytes) -> None:
    witness = Signer("witness.example", key_of("a witness"))
    cosigned = NOTE + witness.sign(SIGNED.body()).split(b"\n\n")[1]
    assert stamped_note(cosigned, LOG_SIGNER.vkey) == NOTE
    assert check_token(token, stamped_note(cosigned, LOG_SIGNER.vkey), trust)
    with pytest.raises(ProofError):
        stamped_note(NOTE, witness.vkey)


@pytest.mark.parametrize("pem", [b"", b"no certificates"])
def test_trust_without_certificates_is_refused(pem: bytes) -> None:
    with pytest.raises(FormatError, match="no certificates in PEM"):
        Trust.parse(pem)


def test_trust_without_a_root_is_refused(tsa: Tsa) -> None:
    with pytest.raises(FormatError, match="no root"):
        Trust.load(tsa.certificate)
