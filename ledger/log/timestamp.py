"""Timestamps (RFC 3161) on checkpoints: that a tree was signed no later than a TSA says.

What is stamped is the SHA-256 of the note as the log alone signed it, without cosignatures, so
the bytes are the same whenever they are asked for. A token is kept as the whole response (`.tsr`),
which `openssl ts -verify` reads. Certificates need to hold at the token's own time, not now, so a
token can be checked long after its TSA is gone.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID
from rfc3161_client import (
    HashAlgorithm,
    TimestampRequestBuilder,
    TimeStampResponse,
    VerificationError,
    VerifierBuilder,
    decode_timestamp_response,
)

from ledger.errors import FormatError, ProofError
from ledger.log import note
from ledger.log.note import VerifierKey
from ledger.signing import encode_base64

TOKEN_SIZE_MAX = 65_536
_TRUST_SIZE_MAX = 1024 * 1024
_VERIFY_ERROR = re.compile(r'Verify error: ([^"]+)')
_STATUS = {
    0: "granted",
    1: "granted with changes",
    2: "rejected",
    3: "waiting",
    4: "a revocation is imminent",
    5: "a revocation has occurred",
}


class Query(NamedTuple):
    """The bytes to send to a TSA, and the nonce that its answer must carry."""

    data: bytes
    nonce: int


class Stamp(NamedTuple):
    """What a good token says: the instant (UTC), and the TSA by its certificate's subject."""

    at: datetime
    tsa: str


@dataclass(frozen=True, slots=True)
class Trust:
    """Whom to believe: root certificates, those between, and TSAs; if any are named, only those."""

    roots: tuple[x509.Certificate, ...]
    between: tuple[x509.Certificate, ...]
    tsas: tuple[x509.Certificate, ...]

    @classmethod
    def parse(cls, pem: bytes) -> Trust:
        """Read certificates in PEM: self-issued ones are roots, those for time stamping TSAs.

        Raises FormatError, also where there is no root.
        """
        try:
            found = x509.load_pem_x509_certificates(pem)
            stamping = [_is_stamping(each) for each in found]
        except ValueError as error:
            raise FormatError(f"no certificates in PEM: {error}") from None
        roots: list[x509.Certificate] = []
        between: list[x509.Certificate] = []
        tsas: list[x509.Certificate] = []
        for each, is_tsa in zip(found, stamping, strict=True):
            if each.subject == each.issuer:
                roots.append(each)
            else:
                (tsas if is_tsa else between).append(each)
        if not roots:
            raise FormatError("among the certificates is no root, one that is issued by itself")
        return cls(tuple(roots), tuple(between), tuple(tsas))

    @classmethod
    def load(cls, path: Path) -> Trust:
        """Read a file of certificates. Raises FormatError."""
        try:
            with path.open("rb") as file:
                pem = file.read(_TRUST_SIZE_MAX)
        except OSError as error:
            raise FormatError(f"cannot read {path}: {error.strerror}") from None
        try:
            return cls.parse(pem)
        except FormatError as error:
            raise FormatError(f"{path}: {error.message}") from None


def stamped_note(data: bytes, vkey: VerifierKey) -> bytes:
    """Return a signed note with the log's own signature only, which is what is stamped.

    Raises FormatError or ProofError where it is no note that the log signed.
    """
    opened = note.verify(data, [vkey])
    own = next(
        each for each in opened.signatures if (each.name, each.key_id) == (vkey.name, vkey.key_id)
    )
    return f"{opened.text}\n— {own.name} {encode_base64(own.key_id + own.signature)}\n".encode()


def query(stamped: bytes) -> Query:
    """Make a query for the stamped note's SHA-256, which asks for the TSA's certificate too."""
    builder = TimestampRequestBuilder().data(stamped).hash_algorithm(HashAlgorithm.SHA256)
    made = builder.cert_request(cert_request=True).nonce(nonce=True).build()
    if made.nonce is None:
        raise ProofError("the time-stamp query has no nonce")
    return Query(made.as_bytes(), made.nonce)


def check_token(token: bytes, stamped: bytes, trust: Trust, nonce: int | None = None) -> Stamp:
    """Check a TSA's response for the note `stamped`; with `nonce`, that it answers that query.

    Raises FormatError where it is no granted response, ProofError where it is of other bytes, by
    somebody else, or signed wrongly.
    """
    if len(token) > TOKEN_SIZE_MAX:
        raise FormatError(f"a token of {len(token)} bytes, at most {TOKEN_SIZE_MAX} are read")
    response = _decode(token)
    if response.status != 0:
        status = _STATUS.get(response.status, f"status {response.status}")
        words = "; ".join(response.status_string)
        raise FormatError(f"the TSA granted no token: {status}{f' ({words})' if words else ''}")
    # An empty list names no TSA: any that a root vouches for will do.
    tried: Sequence[x509.Certificate | None] = trust.tsas or (None,)
    reasons = [_reason(token, stamped, trust, nonce, tsa) for tsa in tried]
    if all(reasons):
        raise ProofError(f"the token does not hold: {reasons[0]}")
    try:
        info = response.tst_info
        signer = next(iter(_decode(token).signed_data.signer_infos))
        return Stamp(info.gen_time, _name(response, signer.serial_number))
    except ValueError as error:
        raise FormatError(f"not a time-stamp token: {error}") from None


def _decode(token: bytes) -> TimeStampResponse:
    try:
        return decode_timestamp_response(token)
    except ValueError as error:
        raise FormatError(f"no time-stamp response in DER: {error}") from None


def _reason(
    token: bytes,
    stamped: bytes,
    trust: Trust,
    nonce: int | None,
    tsa: x509.Certificate | None,
) -> str | None:
    """Return why the token does not hold under one TSA's certificate, None if it does."""
    verifier = VerifierBuilder(
        nonce=nonce,
        tsa_certificate=tsa,
        roots=list(trust.roots),
        intermediates=list(trust.between),
    ).build()
    try:
        # The library takes the signer out of what it checks: each check has a response of its own.
        verifier.verify_message(_decode(token), stamped)
    except (VerificationError, ValueError, TypeError) as error:
        return _in_words(str(error))
    return None


def _in_words(reason: str) -> str:
    if "Mismatch between messages" in reason:
        return "it stamps other bytes than this checkpoint"
    if "Nonce mismatch" in reason:
        return "it answers another query than ours"
    if "unable to get" in reason or "self-signed" in reason:
        # The library hands on OpenSSL's words inside its own debugging output.
        said = _VERIFY_ERROR.search(reason)
        return f"no root given here vouches for its TSA ({said[1] if said else 'unknown issuer'})"
    return reason[:200]


def _name(response: TimeStampResponse, serial: int) -> str:
    for each in response.signed_data.certificates:
        certificate = x509.load_der_x509_certificate(each)
        if certificate.serial_number == serial:
            return certificate.subject.rfc4514_string()
    return f"the certificate of serial number {serial}"


def _is_stamping(certificate: x509.Certificate) -> bool:
    try:
        usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage)
    except x509.ExtensionNotFound:
        return False
    return ExtendedKeyUsageOID.TIME_STAMPING in usage.value
