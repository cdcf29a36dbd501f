"""The file of a finding: what a monitor saw, for somebody who trusts neither it nor the log.

A JSON object with the two signed checkpoints `seen` and `shown`, and where they contradict over
different sizes, `proof` (a consistency proof, base64) and `prefix` (the root, base64, that the
larger tree has at the smaller one's size). Two checkpoints that the log's key signed and that
cannot both be true prove that it signed two histories; nobody but who holds the key can make them.
"""

from __future__ import annotations

from typing import Any

import orjson

from ledger.errors import FormatError, ProofError
from ledger.log.checkpoint import Checkpoint, open_checkpoint
from ledger.log.merkle import verify_consistency
from ledger.log.note import VerifierKey
from ledger.log.receipt import PROOF_MAX
from ledger.signing import decode_base64

EVIDENCE_SIZE_MAX = 256 * 1024


def verify_evidence(data: bytes, vkey: VerifierKey) -> str:
    """Return in words what the file proves against the log's key.

    Raises FormatError where it is no such file, ProofError where it proves nothing by itself.
    """
    found = _read(data)
    notes = [_text(found, name).encode() for name in ("seen", "shown")]
    one, two = (open_checkpoint(each, vkey) for each in notes)
    old, new = sorted((one, two), key=lambda each: each.size)
    if old.size == new.size:
        if old.root == new.root:
            raise ProofError("both checkpoints sign the same tree: they prove nothing")
        return (
            f"the key of {vkey.name} signed two trees of size {old.size}: {one.root.hex()} and "
            f"{two.root.hex()}"
        )
    if "proof" not in found:
        raise ProofError(
            f"sizes {old.size} and {new.size} were signed, and the file holds no proof that they "
            "contradict: check the log itself"
        )
    return _rewritten(found, old, new, vkey)


def _rewritten(found: dict[str, Any], old: Checkpoint, new: Checkpoint, vkey: VerifierKey) -> str:
    hashes = found["proof"]
    if type(hashes) is not list or len(hashes) > PROOF_MAX:
        raise FormatError(f"`proof` is a list of {PROOF_MAX} hashes at most")
    if not all(type(each) is str for each in hashes):
        raise FormatError("a hash of `proof` is base64 text")
    proof = [decode_base64(each, 32) for each in hashes]
    prefix = decode_base64(_text(found, "prefix"), 32)
    verify_consistency(old.size, new.size, proof, prefix, new.root)
    if prefix == old.root:
        raise ProofError("the larger tree continues the smaller one: they do not contradict")
    return (
        f"the key of {vkey.name} signed {old.root.hex()} at size {old.size}, and at size "
        f"{new.size} a tree that begins with {prefix.hex()} there: history was rewritten"
    )


def _read(data: bytes) -> dict[str, Any]:
    if len(data) > EVIDENCE_SIZE_MAX:
        raise FormatError(f"{len(data)} bytes of evidence, at most {EVIDENCE_SIZE_MAX} are read")
    try:
        found = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise FormatError(f"the evidence is not JSON: {error}") from None
    if type(found) is not dict:
        raise FormatError("the evidence is a JSON object")
    return found


def _text(found: dict[str, Any], name: str) -> str:
    value = found.get(name)
    if type(value) is not str:
        raise FormatError(f"the evidence has no text `{name}`")
    return value
