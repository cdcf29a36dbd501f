"""A witness (C2SP tlog-witness) as a pure machine: request and kept head in, decision out.

A head only grows, and only along proofs of consistency, so that what a witness cosigned at any
time is a prefix of all that it cosigns later. Whoever runs this keeps the new head, if no other
request moved the old one meanwhile, before the answer leaves.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from ledger.errors import FormatError, ProofError
from ledger.log import note
from ledger.log.checkpoint import SIZE_MAX, Checkpoint, parse_any_body
from ledger.log.cosignature import Cosigner
from ledger.log.merkle import EMPTY_ROOT, verify_consistency
from ledger.log.note import VerifierKey, signature_line
from ledger.signing import decode_base64, encode_base64

REQUEST_SIZE_MAX = 16 * 1024
PROOF_MAX = 63
SIZE_TYPE = "text/x.tlog.size"
TEXT_TYPE = "text/plain; charset=utf-8"
_OLD = re.compile(r"old (0|[1-9][0-9]{0,18})", re.ASCII).fullmatch


class Request(NamedTuple):
    """An `add-checkpoint` request: the client's old size, the proof's hashes, the signed note."""

    old: int
    proof: tuple[bytes, ...]
    checkpoint: bytes


class Kept(NamedTuple):
    """The head that a witness keeps of a log; of one that it never cosigned size 0."""

    size: int
    root: bytes


NOTHING = Kept(0, EMPTY_ROOT)


class Rejected(NamedTuple):
    """An answer other than 200: status, media type and body."""

    status: int
    body: bytes
    media_type: str = TEXT_TYPE


@dataclass(frozen=True, slots=True)
class Accepted:
    """A checkpoint to cosign: its text, and the log's signature lines that were checked."""

    checkpoint: Checkpoint
    text: str
    lines: tuple[str, ...]

    @property
    def kept(self) -> Kept:
        """The head to keep from now on."""
        return Kept(self.checkpoint.size, self.checkpoint.root)

    def cosigned(self, cosigner: Cosigner, time: int) -> tuple[str, bytes]:
        """Return the cosignature's line at POSIX `time`, and the note to keep and show.

        The note has the log's checked signatures and this one, nothing else.
        """
        line = cosigner.line(self.text, time)
        shown = "".join(f"{each}\n" for each in (*self.lines, line))
        return line, f"{self.text}\n{shown}".encode()


def parse_request(data: bytes) -> Request:
    """Read the body of `add-checkpoint`; the note in it is not read yet. Raises FormatError."""
    if len(data) > REQUEST_SIZE_MAX:
        raise FormatError(f"a request of {len(data)} bytes, at most {REQUEST_SIZE_MAX} are read")
    head, blank, checkpoint = data.partition(b"\n\n")
    if not blank:
        raise FormatError("the request has no blank line with a checkpoint after it")
    try:
        lines = head.decode("ascii").split("\n")
    except UnicodeDecodeError:
        raise FormatError("the request's proof is not ASCII") from None
    old = _OLD(lines[0])
    if old is None or int(old[1]) > SIZE_MAX:
        raise FormatError("the first line is `old ` and a size without leading zeros")
    if len(lines) - 1 > PROOF_MAX:
        raise FormatError(f"the proof has {len(lines) - 1} hashes, {PROOF_MAX} at most")
    return Request(int(old[1]), tuple(decode_base64(line, 32) for line in lines[1:]), checkpoint)


def encode_request(request: Request) -> bytes:
    """Return the body of `add-checkpoint`."""
    lines = [f"old {request.old}", *(encode_base64(each) for each in request.proof)]
    return "".join(f"{line}\n" for line in lines).encode() + b"\n" + request.checkpoint


def origin_of(request: Request) -> str:
    """Return the origin that a request's checkpoint names, nothing of it checked yet.

    Raises FormatError.
    """
    return parse_any_body(note.parse(request.checkpoint).text).origin


def origin_hash(origin: str) -> str:
    """Return the lower-case hex SHA-256 of an origin: the path that its checkpoint is read at."""
    return hashlib.sha256(origin.encode()).hexdigest()


def head_of(data: bytes) -> Kept:
    """Return the head that a kept note shows. Raises FormatError."""
    kept = parse_any_body(note.parse(data).text)
    return Kept(kept.size, kept.root)


def decide(
    request: Request, logs: Mapping[str, Sequence[VerifierKey]], kept: Kept
) -> Accepted | Rejected:
    """Decide on a request; `logs` are the trusted keys by origin, `kept` is this origin's head.

    Nothing is changed here: an Accepted is cosigned once its head is kept in the place of `kept`.
    """
    try:
        parsed = note.parse(request.checkpoint)
        checkpoint = parse_any_body(parsed.text)
    except FormatError as error:
        return _rejected(400, error.message)
    keys = logs.get(checkpoint.origin)
    if not keys:
        return _rejected(404, "this log is not known here")
    try:
        note.verify(request.checkpoint, keys)
    except ProofError as error:
        return _rejected(403, error.message)
    if request.old > checkpoint.size:
        return _rejected(400, f"old size {request.old} is above the size {checkpoint.size}")
    if request.old != kept.size:
        return Rejected(409, f"{kept.size}\n".encode(), SIZE_TYPE)
    try:
        _check_history(request, checkpoint, kept)
    except ProofError as error:
        return _rejected(422, error.message)
    known = {(key.name, key.key_id) for key in keys}
    lines = dict.fromkeys(
        signature_line(*each).removesuffix("\n")
        for each in parsed.signatures
        if (each.name, each.key_id) in known
    )
    return Accepted(checkpoint, parsed.text, tuple(lines))


def _check_history(request: Request, checkpoint: Checkpoint, kept: Kept) -> None:
    if checkpoint.size == 0 and checkpoint.root != EMPTY_ROOT:
        raise ProofError("a tree of size 0 has the root of the empty tree")
    if request.old == 0:
        if request.proof:
            raise ProofError("a proof from size 0 is empty")
        return
    verify_consistency(request.old, checkpoint.size, request.proof, kept.root, checkpoint.root)


def _rejected(status: int, reason: str) -> Rejected:
    return Rejected(status, f"{reason}\n".encode())
