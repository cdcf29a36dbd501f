"""Evidence of a mismatch, as a member's browser saves it: what it shows, judged again.

One canonical JSON object: `kind`, `reason` (the browser's name for what it found), `at` (the
device's local time), `detail`, `vkey` (the key that the browser had pinned), and what there is of
`kept` and `seen` (the checkpoint verified before and the one met now, verbatim, base64), `root` and
`proof` (the newer tree's own root at the older size, with the consistency proof that binds it to
the newer root), `entry` and `index`.

Two checkpoints signed by one key prove a fork where they are of one size with two roots, or where
the newer tree demonstrably has another root at the older size than was signed there. Nobody without
the log's key can make either.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ledger import canonical
from ledger.errors import FormatError, ProofError
from ledger.log.checkpoint import Checkpoint, open_checkpoint
from ledger.log.merkle import leaf_hash, verify_consistency, verify_inclusion
from ledger.log.note import VerifierKey
from ledger.signing import decode_base64

KIND = "mingzhang.evidence.v1"
EVIDENCE_BYTES_MAX = 512 * 1024
PROOF_MAX = 64
_TEXTS = ("at", "detail", "kind", "reason", "vkey")
_MEMBERS = {*_TEXTS, "entry", "index", "kept", "proof", "root", "seen"}


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a file of evidence holds; nothing of it is verified."""

    reason: str
    at: str
    detail: str
    vkey: str
    kept: bytes | None
    seen: bytes | None
    root: bytes | None
    proof: tuple[bytes, ...] | None
    entry: bytes | None
    index: int | None


@dataclass(frozen=True, slots=True)
class EvidenceReport:
    """What evidence shows under the reader's own key.

    `fork` says whether it proves that the log's key signed two histories; `findings` say what was
    checked, in order.
    """

    evidence: Evidence
    fork: bool
    findings: tuple[str, ...]

    def lines(self) -> list[str]:
        """Return the report for a reader."""
        lines = [
            f"reason      {self.evidence.reason}",
            f"seen at     {self.evidence.at} by the device's clock",
            f"words       {self.evidence.detail}",
            *(f"checked     {each}" for each in self.findings),
        ]
        if self.fork:
            return [*lines, "FORK        the log's key signed two histories: this file proves it"]
        return [
            *lines,
            "NOT PROVEN  this file alone does not show that the log was rewritten. Keep it, run",
            "            `mingzhang verify log URL --from CHECKPOINT` with a witness's checkpoint",
        ]


def is_page_evidence(data: bytes) -> bool:
    """Tell whether bytes look like a file of evidence."""
    return data.startswith(b"{") and f'"kind":"{KIND}"'.encode() in data


def parse(data: bytes) -> Evidence:
    """Read a file of evidence; nothing is verified. Raises FormatError."""
    if len(data) > EVIDENCE_BYTES_MAX:
        raise FormatError(f"evidence of {len(data)} bytes, at most {EVIDENCE_BYTES_MAX} are read")
    value = canonical.loads(data)
    if type(value) is not dict or value.get("kind") != KIND:
        raise FormatError(f"not a file of evidence: it has no `kind` {KIND}")
    odd = sorted(value.keys() - _MEMBERS)
    if odd:
        raise FormatError(f"evidence has no member {odd[0][:40]}")
    if not all(type(value.get(name)) is str for name in _TEXTS):
        raise FormatError(f"evidence has the texts {', '.join(_TEXTS)}")
    index = value.get("index")
    if index is not None and (type(index) is not int or index < 0):
        raise FormatError("`index` is no integer from 0")
    return Evidence(
        reason=value["reason"],
        at=value["at"],
        detail=value["detail"],
        vkey=value["vkey"],
        kept=_bytes(value, "kept"),
        seen=_bytes(value, "seen"),
        root=_bytes(value, "root", 32),
        proof=_proof(value.get("proof")),
        entry=_bytes(value, "entry"),
        index=index,
    )


def verify_page_evidence(data: bytes, vkey: VerifierKey) -> EvidenceReport:
    """Judge a file of evidence under the log's key, which the reader has from elsewhere.

    Raises FormatError where it is not exactly such a file; what does not hold is in the findings.
    """
    evidence = parse(data)
    findings = []
    if evidence.vkey != vkey.text:
        findings.append("the browser had pinned another key than the one given here")
    opened: dict[str, Checkpoint] = {}
    for name, note in (("kept", evidence.kept), ("seen", evidence.seen)):
        if note is None:
            continue
        try:
            opened[name] = open_checkpoint(note, vkey)
            findings.append(f"the checkpoint {name}, of size {opened[name].size}, is signed")
        except (FormatError, ProofError) as error:
            findings.append(f"the checkpoint {name} is not the log's: {error.message}")
    if "seen" in opened and evidence.entry is not None:
        findings.append(_entry_finding(evidence, opened["seen"]))
    fork = False
    if len(opened) == 2:
        fork, found = _compare(evidence, opened["kept"], opened["seen"])
        findings.append(found)
    return EvidenceReport(evidence, fork, tuple(findings))


def _compare(evidence: Evidence, kept: Checkpoint, seen: Checkpoint) -> tuple[bool, str]:
    """Tell whether two signed checkpoints are shown to be of two histories, and how."""
    older, newer = sorted((kept, seen), key=lambda each: each.size)
    if older.size == newer.size:
        if older.root == newer.root:
            return False, "both checkpoints are of the same tree"
        return True, f"two roots are signed for size {older.size}"
    if evidence.root is None or evidence.proof is None:
        return False, "there is no proof between the two checkpoints"
    try:
        verify_consistency(older.size, newer.size, evidence.proof, evidence.root, newer.root)
    except ProofError as error:
        return False, f"the proof does not belong to the newer tree: {error.message}"
    if evidence.root == older.root:
        return False, "the newer tree continues the older one"
    return True, (
        f"the tree of size {newer.size} has the root {evidence.root.hex()} at size {older.size}, "
        f"and {older.root.hex()} was signed there"
    )


def _entry_finding(evidence: Evidence, seen: Checkpoint) -> str:
    assert evidence.entry is not None  # noqa: S101 - the caller looked
    if evidence.index is None or evidence.proof is None:
        return "there is no proof of the entry"
    leaf = leaf_hash(evidence.entry)
    try:
        verify_inclusion(leaf, evidence.index, seen.size, evidence.proof, seen.root)
    except ProofError as error:
        return f"the entry shown is not in the log: {error.message}"
    return f"the entry is number {evidence.index} of the log, exactly as it is here"


def _bytes(value: dict[str, Any], name: str, size: int | None = None) -> bytes | None:
    given = value.get(name)
    if given is None:
        return None
    if type(given) is not str:
        raise FormatError(f"`{name}` is no base64 text")
    return decode_base64(given, size)


def _proof(given: Any) -> tuple[bytes, ...] | None:
    if given is None:
        return None
    if type(given) is not list or len(given) > PROOF_MAX:
        raise FormatError(f"`proof` is no list of at most {PROOF_MAX} hashes")
    if not all(type(each) is str for each in given):
        raise FormatError("`proof` is a list of base64 texts")
    return tuple(decode_base64(each, 32) for each in given)
