"""Checks a bundle by itself, with neither database nor server, and says what was not checked."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ledger import canonical
from ledger.archive import read_stored
from ledger.commitment import check_opening
from ledger.domain.texts import commitments
from ledger.errors import FormatError, MingzhangError, ProofError
from ledger.log import policy as policies
from ledger.log.checkpoint import Checkpoint, open_checkpoint
from ledger.log.merkle import leaf_hash, verify_consistency
from ledger.log.note import VerifierKey
from ledger.log.policy import Policy
from ledger.log.timestamp import Trust, stamped_note
from ledger.log.witness import parse_request
from ledger.state import MemberLeaf, StateProof, parse_proof
from ledger.verify import bundle_entries, manifest
from ledger.verify.bundle_entries import Entries, receipt_name
from ledger.verify.manifest import Fault, Manifest
from ledger.verify.state import StateReport, verify_state_file
from ledger.verify.timestamps import Stamped, verify_token
from ledger.verify.witnessed import Witnessed

BUNDLE_BYTES_MAX = 512 * 1024 * 1024
VERIFIED, WAITING, MISMATCH = "verified", "waiting", "mismatch"
_STAMP = re.compile(r"timestamps/([1-9][0-9]{0,18})/([a-z0-9.-]+)").fullmatch
_SALT = re.compile(r"[0-9a-f]{64}").fullmatch
_OPENING = ("commitment", "file", "kind", "salt")

NOT_SHOWN = (
    "that the signers were entitled, and each step allowed: `mingzhang verify log` computes that",
    "that nothing was recorded after the bundle's checkpoint, such as a correction",
    "that the report and paper.json say what the entries say: the receipts count, not they",
    "that what is recorded happened: unchanged since recorded is what a log shows",
)


@dataclass(slots=True)
class BundleReport:
    """What a bundle shows; `faults` are all that does not hold, each by the name of its file."""

    manifest: Manifest | None = None
    checkpoint: Checkpoint | None = None
    entries: Entries = field(default_factory=Entries)
    states: list[StateReport] = field(default_factory=list)
    disclosed: int = 0
    stamps: list[Stamped] = field(default_factory=list)
    witnessed: Witnessed | None = None
    faults: list[Fault] = field(default_factory=list)
    not_shown: list[str] = field(default_factory=list)

    @property
    def state(self) -> str:
        """The verdict, one of VERIFIED, WAITING (no quorum is shown) and MISMATCH."""
        if self.faults:
            return MISMATCH
        witnessed = self.witnessed is not None and self.witnessed.policy.quorum != policies.NONE
        return VERIFIED if witnessed and self.witnessed and self.witnessed.met else WAITING

    @property
    def ok(self) -> bool:
        """Whether all holds, and the checkpoint has the quorum of the policy, if there is one."""
        return not self.faults and (self.witnessed is None or self.witnessed.met)

    def lines(self) -> list[str]:
        """Return the report for a reader, the verdict before what is not shown."""
        lines = list(self._head())
        if self.witnessed is not None:
            lines += self.witnessed.lines()
        lines += [str(each) for each in self.stamps]
        lines += [f"BAD         {each}" for each in self.faults]
        if self.faults:
            count = len(self.faults)
            lines.append(
                f"FAILED      {count} {'thing does' if count == 1 else 'things do'} not hold"
            )
        elif not self.ok:
            lines.append("WAITING     all holds, but too few witnesses have seen this checkpoint")
        else:
            lines.append("OK          every file, entry, signature, chain, text and state holds")
        return [*lines, *(f"not shown   {each}" for each in (*self.not_shown, *NOT_SHOWN))]

    def _head(self) -> Iterator[str]:
        if self.manifest is not None:
            yield f"bundle      {self.manifest.kind} {self.manifest.about}"
        if self.checkpoint is not None:
            yield f"log         {self.checkpoint.origin}"
            yield (f"checkpoint  size {self.checkpoint.size:,}, root {self.checkpoint.root.hex()}")
        yield (
            f"checked     {len(self.entries.by_index):,} entries of "
            f"{len(self.entries.streams):,} streams, {self.entries.signatures:,} signatures, "
            f"{self.disclosed:,} texts and files, {len(self.states):,} sealed states"
        )
        for each in self.states:
            # Whether all holds is said once, of the whole bundle.
            lines = each.lines()[1:]
            yield from (f"  {line}" for line in lines if not line.startswith(("OK", "not shown")))


def verify_bundle(
    data: bytes,
    vkey: VerifierKey | None,
    policy: Policy | None = None,
    trust: Trust | None = None,
) -> BundleReport:
    """Check a bundle's bytes: `vkey`, `policy` and `trust` (of TSAs) are the reader's own.

    Without them the bundle's own key and policy are used, and the report says so. Raises
    FormatError where it is no ZIP archive that is safe to open, or names no key; everything else
    is a fault of the report.
    """
    files = read_stored(data)
    report = BundleReport()
    _read_manifest(files, report)
    key = vkey or _own_key(files)
    if vkey is None:
        report.not_shown.append(
            "that the log's key is the right one: it was taken from the bundle; compare it with "
            "the notice, or give --vkey"
        )
    elif files.get(manifest.VKEY, b"").strip() not in (b"", vkey.text.encode()):
        report.faults.append(Fault(manifest.VKEY, "it is another key than the one you gave"))
    note = files.get(manifest.CHECKPOINT, b"")
    try:
        report.checkpoint = open_checkpoint(note, key)
        _check_same_log(report)
    except MingzhangError as error:
        report.faults.append(Fault(manifest.CHECKPOINT, error.message))
    _judge_witnesses(files, note, policy, report)
    report.entries = bundle_entries.read_entries(files, report.checkpoint, note, report.manifest)
    report.faults += report.entries.faults
    _open_texts(files, report)
    _check_states(files, key, report)
    _check_stamps(files, key, trust, report)
    named = {each.name: each for each in reversed(report.faults)}
    report.faults = sorted(named.values())
    return report


def _read_manifest(files: Mapping[str, bytes], report: BundleReport) -> None:
    data = files.get(manifest.NAME)
    if data is None:
        report.faults.append(Fault(manifest.NAME, "it is missing: this is no whole bundle"))
        return
    try:
        report.manifest = manifest.parse(data)
    except FormatError as error:
        report.faults.append(Fault(manifest.NAME, error.message))
        return
    report.faults += report.manifest.compare(files)


def _own_key(files: Mapping[str, bytes]) -> VerifierKey:
    try:
        return VerifierKey.parse(files[manifest.VKEY].decode().strip())
    except (KeyError, UnicodeDecodeError):
        raise FormatError(f"the bundle holds no key in {manifest.VKEY}: give --vkey") from None


def _check_same_log(report: BundleReport) -> None:
    said, signed = report.manifest, report.checkpoint
    if said is None or signed is None:
        return
    if (said.log, said.size, said.root) != (signed.origin, signed.size, signed.root.hex()):
        raise ProofError("the manifest names another checkpoint than the bundle has")


def _judge_witnesses(
    files: Mapping[str, bytes], note: bytes, given: Policy | None, report: BundleReport
) -> None:
    name = manifest.POLICY if given is None else manifest.CHECKPOINT
    try:
        policy = given
        if given is None and manifest.POLICY in files:
            policy = policies.parse(files[manifest.POLICY])
        if policy is None:
            report.not_shown.append(
                "that everyone is shown the same log: there is no policy to check witnesses by"
            )
        elif report.checkpoint is not None:
            name = manifest.CHECKPOINT
            report.witnessed = Witnessed.of(note, policy)
            if given is None:
                report.not_shown.append(
                    "that these are the right witnesses: the policy was taken from the bundle; "
                    "give --policy"
                )
    except MingzhangError as error:
        report.faults.append(Fault(name, error.message))


# -- texts and files -------------------------------------------------------------------------------


def _open_texts(files: Mapping[str, bytes], report: BundleReport) -> None:
    data = files.get(manifest.OPENINGS)
    if data is None:
        return
    try:
        openings = canonical.loads(data)
        if type(openings) is not list:
            raise FormatError("it is no list of openings")
    except FormatError as error:
        report.faults.append(Fault(manifest.OPENINGS, error.message))
        return
    committed = {
        each
        for found in report.entries.by_index.values()
        for each in commitments_of(found.entry.statement.body)
    }
    for each in openings:
        name = manifest.OPENINGS
        try:
            name, commitment = _opened(each, files)
            if commitment not in committed:
                raise ProofError("no entry of the bundle commits to it")
            report.disclosed += 1
        except MingzhangError as error:
            named = each.get("file") if type(each) is dict else None
            report.faults.append(Fault(named if type(named) is str else name, error.message))


def commitments_of(body: dict[str, Any]) -> Iterator[str]:
    """Yield every commitment in a body, that to a dispute's target among them."""
    yield from commitments(body)
    if type(body.get("target")) is str:
        yield body["target"]


def _opened(value: Any, files: Mapping[str, bytes]) -> tuple[str, str]:
    """Check an opening against its file, and return the file's name and the commitment."""
    if type(value) is not dict or tuple(value) != _OPENING:
        raise FormatError(f"an opening has exactly the members {', '.join(_OPENING)}")
    if not all(type(each) is str for each in value.values()):
        raise FormatError("the members of an opening are text")
    name, commitment = value["file"], value["commitment"]
    if name not in files:
        raise ProofError("the text or file is missing")
    if _SALT(value["salt"]) is None:
        raise FormatError("a salt is 64 lower-case hex digits")
    check_opening(commitment, bytes.fromhex(value["salt"]), files[name])
    return name, commitment


# -- sealed states and timestamps ------------------------------------------------------------------


def _check_states(files: Mapping[str, bytes], key: VerifierKey, report: BundleReport) -> None:
    for name in sorted(each for each in files if each.startswith(manifest.STATES)):
        try:
            proof = parse_proof(files[name])
            if not isinstance(proof, StateProof):
                raise FormatError("it proves an absence, a bundle holds proofs of a leaf")
            found = verify_state_file(files[name], key)
            if files.get(receipt_name(found.receipt.index)) != proof.receipt:
                raise ProofError("its receipt is not the bundle's of the entry that seals it")
            if isinstance(found.leaf, MemberLeaf):
                _check_head(found.leaf, report.entries)
            report.states.append(found)
        except MingzhangError as error:
            report.faults.append(Fault(name, error.message))


def _check_head(leaf: MemberLeaf, entries: Entries) -> None:
    """Raise ProofError unless the stream's last entry at the seal is there, and the one sealed."""
    stream = entries.stream(f"member/{leaf.member}")
    heads = [each for each in stream if each.entry.seq == leaf.seq]
    if not heads:
        last = stream[-1].entry.seq if stream else 0
        raise ProofError(
            f"number {leaf.seq} of member/{leaf.member} was recorded before the seal, and the "
            f"bundle ends with number {last}: entries are left out"
        )
    if leaf_hash(heads[0].data).hex() != leaf.head:
        raise ProofError(f"number {leaf.seq} of member/{leaf.member} is not the one sealed")


def _check_stamps(
    files: Mapping[str, bytes], key: VerifierKey, trust: Trust | None, report: BundleReport
) -> None:
    """Check tokens on older checkpoints of the log, each joined to the bundle's by a proof."""
    names = sorted(each for each in files if each.startswith(manifest.STAMPS))
    if names and trust is None:
        report.not_shown.append("the timestamps: give --tsa-roots, the certificates to believe")
    for name in names:
        place = _STAMP(name)
        try:
            if place is None:
                raise FormatError("a token lies in timestamps/<size>/")
            if place[2].endswith(".tsr"):
                if trust is not None:
                    _check_stamp(files, name, key, trust, report)
            elif place[2] == "consistency":
                _check_joined(files, int(place[1]), key, report)
            elif place[2] != "checkpoint":
                raise FormatError("it is neither checkpoint, consistency nor a token")
        except MingzhangError as error:
            report.faults.append(Fault(name, error.message))


def _check_joined(
    files: Mapping[str, bytes], size: int, key: VerifierKey, report: BundleReport
) -> None:
    """Check that the stamped checkpoint of a size is a prefix of the bundle's."""
    old = open_checkpoint(_need(files, f"{manifest.STAMPS}{size}/checkpoint"), key)
    request = parse_request(files[f"{manifest.STAMPS}{size}/consistency"])
    signed = report.checkpoint
    if signed is None or request.checkpoint != files[manifest.CHECKPOINT]:
        raise ProofError("it does not lead to the bundle's checkpoint")
    if (old.size, request.old) != (size, size):
        raise ProofError("its checkpoint is of another size")
    verify_consistency(size, signed.size, request.proof, old.root, signed.root)


def _check_stamp(
    files: Mapping[str, bytes], name: str, key: VerifierKey, trust: Trust, report: BundleReport
) -> None:
    folder, _, file = name.rpartition("/")
    size = int(folder.removeprefix(manifest.STAMPS))
    note = stamped_note(_need(files, f"{folder}/checkpoint"), key)
    _need(files, f"{folder}/consistency")
    found = verify_token(files[name], note, size, file.removesuffix(".tsr"), trust)
    if found.stamp is None:
        raise ProofError(found.reason)
    report.stamps.append(found)


def _need(files: Mapping[str, bytes], name: str) -> bytes:
    if name not in files:
        raise ProofError(f"{name} is missing")
    return files[name]
