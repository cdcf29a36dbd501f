"""Brings a checkpoint to one witness: what to send, and what its answers mean (C2SP tlog-witness).

Pure over a `send` that carries a request: the same code runs over HTTP and under scripted answers.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from ledger.errors import FormatError, ProofError
from ledger.log import note
from ledger.log.checkpoint import parse_body
from ledger.log.cosignature import (
    Cosignature,
    CosignerKey,
    can_check,
    find_cosignatures,
    parse_lines,
)
from ledger.log.witness import Request, encode_request

TURNS_MAX = 4
_SIZE = re.compile(rb"(0|[1-9][0-9]{0,18})\n").fullmatch

Prove = Callable[[int, int], tuple[bytes, ...]]
"""Gives the consistency proof between two sizes of this log, the older from 1."""


class Reply(NamedTuple):
    """An HTTP answer: status and body; its media type is of no use, for the status says it all."""

    status: int
    body: bytes


Send = Callable[[bytes], Reply]
"""Posts a body to `add-checkpoint`. Raises OSError with the reason where there is no answer."""


class Kind(StrEnum):
    """What a witness answered."""

    COSIGNED = "cosigned"
    AHEAD = "ahead"
    """It says that it cosigned a larger tree of this log."""
    INCONSISTENT = "inconsistent"
    """It says that it cosigned another history."""
    ABSENT = "absent"
    """No use could be made of it: it did not answer, does not know the log, or broke the format."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The outcome with one witness, under its name in the policy, for a checkpoint of `size`.

    `known` is the size that the witness has cosigned, by its own word; None where it gave none.
    """

    witness: str
    size: int
    kind: Kind
    known: int | None = None
    cosignature: Cosignature | None = None
    reason: str = ""

    @property
    def contradicts(self) -> bool:
        """Whether the witness says that the log it cosigned is not a prefix of this one."""
        return self.kind in (Kind.AHEAD, Kind.INCONSISTENT)


def submit(
    name: str, key: CosignerKey, signed: bytes, known: int, prove: Prove, send: Send
) -> Answer:
    """Bring the note `signed` to a witness that is thought to be at size `known`.

    Where it is at another size, it says so, and is given the proof from there.
    """
    parsed = note.parse(signed)
    size = parse_body(parsed.text).size
    old = known if known <= size else 0
    for _ in range(TURNS_MAX):
        proof = prove(old, size) if 0 < old < size else ()
        try:
            reply = send(encode_request(Request(old, proof, signed)))
        except OSError as error:
            return Answer(name, size, Kind.ABSENT, reason=str(error))
        if reply.status == 200:
            return _cosigned(name, key, parsed.text, size, reply.body)
        if reply.status == 422 and old > 0:
            reason = f"it cosigned another history of {old} entries than this log has"
            return Answer(name, size, Kind.INCONSISTENT, old, reason=reason)
        if reply.status != 409:
            reason = f"it answered with status {reply.status}"
            return Answer(name, size, Kind.ABSENT, reason=reason)
        found = _SIZE(reply.body)
        if found is None:
            return Answer(name, size, Kind.ABSENT, reason="its 409 names no size")
        told = int(found[1])
        if told > size:
            reason = f"it cosigned {told} entries of this log, here are {size}"
            return Answer(name, size, Kind.AHEAD, told, reason=reason)
        if told == old == size:
            # The text before 2026 answered so where the roots of one size differ.
            reason = f"it cosigned another history of {size} entries than this log has"
            return Answer(name, size, Kind.INCONSISTENT, told, reason=reason)
        if told == old:
            break
        old = told
    return Answer(name, size, Kind.ABSENT, reason="its answers contradict each other")


def _cosigned(name: str, key: CosignerKey, text: str, size: int, body: bytes) -> Answer:
    try:
        found = find_cosignatures(text, parse_lines(body), [key])
    except (FormatError, ProofError) as error:
        return Answer(name, size, Kind.ABSENT, reason=f"it answered badly: {error.message}")
    if not found:
        reason = "it answered without a cosignature by its key in the policy"
        if not can_check(key):
            reason = "its kind of key (ML-DSA-44) cannot be checked on this machine"
        return Answer(name, size, Kind.ABSENT, size, reason=reason)
    return Answer(name, size, Kind.COSIGNED, size, max(found, key=lambda each: each.time))
