"""The witness itself: decides, keeps the new head, and only then hands out the cosignature."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping, Sequence

import structlog

from api.witness.heads import Heads
from ledger.entry import parse_envelope
from ledger.errors import BusyError, FormatError, NotFoundError, ProofError, StoppedError
from ledger.log import deposit, note, witness
from ledger.log.cosignature import Cosigner, find_cosignatures
from ledger.log.note import VerifierKey
from ledger.log.policy import Policy
from ledger.log.witness import NOTHING, Kept, Rejected

ATTEMPTS_MAX = 20
_logger = structlog.stdlib.get_logger("mingzhang.witness")


def logs_of(policy: Policy) -> dict[str, tuple[VerifierKey, ...]]:
    """Return the keys by origin of the logs that a policy file names."""
    found: dict[str, tuple[VerifierKey, ...]] = {}
    for each in policy.logs:
        found[each.vkey.name] = (*found.get(each.vkey.name, ()), each.vkey)
    return found


class Witness:
    """Cosigns checkpoints of `logs` (keys by origin); may be called from any thread.

    `clock` gives the POSIX time in seconds.
    """

    def __init__(
        self,
        cosigner: Cosigner,
        logs: Mapping[str, Sequence[VerifierKey]],
        heads: Heads,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._cosigner = cosigner
        self._logs = dict(logs)
        self._heads = heads
        self._clock = clock
        self._origins = {witness.origin_hash(origin): origin for origin in logs}
        self._stopped: str | None = None

    def add(self, body: bytes) -> Rejected | bytes:
        """Answer an `add-checkpoint` body: the cosignature's line, or why there is none.

        Raises StoppedError once a head could not be kept, BusyError where the store does not
        answer.
        """
        try:
            request = witness.parse_request(body)
            origin = witness.origin_of(request)
        except FormatError as error:
            return Rejected(400, f"{error.message}\n".encode())
        for _ in range(ATTEMPTS_MAX):
            old = self._read(origin) if origin in self._logs else None
            decided = witness.decide(request, self._logs, self._kept(origin, old))
            if isinstance(decided, Rejected):
                self._tell(decided, origin, request)
                return decided
            line, new = decided.cosigned(self._cosigner, int(self._clock()))
            if self._replace(origin, old, new):
                _logger.info("cosigned", origin=origin, size=decided.checkpoint.size)
                return f"{line}\n".encode()
        raise BusyError("too many requests for this log at once: try again")

    def deposit(self, envelope: bytes) -> bytes:
        """Return a signed note that a statement was shown, and when (`ledger.log.deposit`).

        Nothing is kept, and the statement's signatures are not judged: that is the log's part.
        Raises FormatError, NotFoundError for a log that is not watched here.
        """
        statement = parse_envelope(envelope.removesuffix(b"\n"))
        if statement.log not in self._logs:
            raise NotFoundError(f"this witness does not watch the log {statement.log[:200]!r}")
        digest = hashlib.sha256(statement.payload).hexdigest()
        _logger.info("deposited", origin=statement.log, statement=digest)
        return deposit.sign(self._cosigner, statement.log, digest, int(self._clock()))

    def checkpoint(self, origin_hash: str) -> bytes:
        """Return the newest cosigned note of a log. Raises NotFoundError."""
        origin = self._origins.get(origin_hash)
        found = self._read(origin) if origin is not None else None
        if found is None:
            raise NotFoundError("no checkpoint of that log was cosigned here")
        return found

    def _tell(self, rejected: Rejected, origin: str, request: witness.Request) -> None:
        evidence = {}
        if rejected.status == 422:
            # Signed by the log, and not what was cosigned before: this may prove a fork.
            evidence["checkpoint"] = request.checkpoint.decode()
        level = _logger.warning if evidence else _logger.info
        level("rejected", origin=origin, status=rejected.status, old=request.old, **evidence)

    def _kept(self, origin: str, kept: bytes | None) -> Kept:
        """Return the head of a kept note, which must carry this witness's own cosignature."""
        if kept is None:
            return NOTHING
        try:
            parsed = note.parse(kept)
            if find_cosignatures(parsed.text, parsed.signatures, [self._cosigner.vkey]):
                return witness.head_of(kept)
        except (FormatError, ProofError):
            pass
        raise StoppedError(
            f"the kept head of {origin} is not what this witness cosigned: it was damaged. Restore "
            "it from a copy of the newest checkpoint that anyone has with this witness's line"
        )

    def _read(self, origin: str) -> bytes | None:
        if self._stopped is not None:
            raise StoppedError(f"this witness cosigns nothing more: {self._stopped}")
        try:
            return self._heads.read(origin)
        except OSError as error:
            raise BusyError(f"the kept heads cannot be read: {error.strerror}") from error

    def _replace(self, origin: str, old: bytes | None, new: bytes) -> bool:
        try:
            return self._heads.replace(origin, old, new)
        except OSError as error:
            # A sync that failed once may report success when it is tried again.
            self._stopped = f"a head could not be kept ({error.strerror}): look at the disk"
            _logger.critical("stopped", reason=self._stopped)
            raise StoppedError(f"this witness cosigns nothing more: {self._stopped}") from error
