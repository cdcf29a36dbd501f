"""Asks the witnesses of a policy for the newest checkpoint of a log that each has cosigned.

That is `GET <prefix>/<hex SHA-256 of the origin>/checkpoint` at the address that the policy gives
(C2SP tlog-witness). What a witness has cosigned and the log does not show is how a log that shows
each reader another history is found; where the log itself has no cosignature yet, it tells, too,
whether the witness is still there.
"""

from __future__ import annotations

import hashlib
from contextlib import closing
from typing import NamedTuple

from ledger.errors import MingzhangError, ProofError
from ledger.log import note
from ledger.log.checkpoint import Checkpoint, open_checkpoint
from ledger.log.cosignature import Cosignature, find_cosignatures
from ledger.log.note import VerifierKey
from ledger.log.policy import Policy, Witness
from ledger.verify.source import open_source


class Heard(NamedTuple):
    """A checkpoint that the log's key signed, as a witness shows it, and its word on it."""

    checkpoint: Checkpoint
    note: bytes
    cosignature: Cosignature


def ask(witness: Witness, vkey: VerifierKey) -> Heard | str:
    """Return what a witness cosigned last of the log of `vkey`, or in words why there is none."""
    assert witness.url is not None  # noqa: S101 - the caller asks those who have an address
    ident = hashlib.sha256(vkey.name.encode()).hexdigest()
    try:
        with closing(open_source(f"{witness.url.rstrip('/')}/{ident}")) as source:
            data = source.checkpoint()
        opened = open_checkpoint(data, vkey)
        parsed = note.parse(data)
        found = find_cosignatures(parsed.text, parsed.signatures, [witness.key])
        if not found:
            raise ProofError("it shows a checkpoint that it has not cosigned")
    except MingzhangError as error:
        return error.message
    return Heard(opened, data, max(found, key=lambda each: each.time))


def not_heard(policy: Policy, data: bytes) -> list[Witness]:
    """Return the witnesses with an address who have not cosigned a signed note."""
    signed = {(each.name, each.key_id) for each in note.parse(data).signatures}
    return [
        each
        for each in policy.witnesses
        if each.url is not None and (each.key.name, each.key.key_id) not in signed
    ]
