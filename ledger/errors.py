"""Every error that the ledger raises on purpose.

    MingzhangError
    ├── FormatError            bytes are not exactly the format they claim to be
    ├── ProofError             a signature, hash, proof or chain does not hold
    ├── Refused                a well-formed statement that a rule does not allow
    ├── ConflictError          the request contradicts what the log already holds
    ├── NotFoundError          nothing is recorded under that name
    ├── ErasedError            a text or file was erased, its stub is left
    ├── BusyError              the queue is full, try again later
    ├── OutcomeUnknownError    it may or may not have been recorded, ask again by id
    ├── StoppedError           the sequencer stopped signing and must be looked at
    ├── StartRefusedError      start-up found something that it will not run with
    └── KeyFileError           a private key's file cannot be read or written

`code` is the stable name of the error on the wire (RFC 9457 `type`), `status` the HTTP
status code it is answered with.
"""

from __future__ import annotations

from typing import ClassVar


class MingzhangError(Exception):
    """Base of all: its message says what is wrong and what to do about it."""

    code: ClassVar[str] = "error"
    status: ClassVar[int] = 500

    refusal: bytes | None = None
    """The refusal that the service signed (`ledger.refusal`), where there is one."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class FormatError(MingzhangError):
    """Bytes are not exactly the format they claim to be."""

    code = "malformed"
    status = 400


class ProofError(MingzhangError):
    """A signature, hash, proof or chain does not hold."""

    code = "proof-failed"
    status = 422


class Refused(MingzhangError):  # noqa: N818 - the domain's own word for it
    """A well-formed statement that a rule does not allow; `rule` is its stable name."""

    code = "refused"
    status = 422

    def __init__(self, rule: str, message: str) -> None:
        super().__init__(message)
        self.rule = rule


class ConflictError(MingzhangError):
    """The request contradicts what the log already holds."""

    code = "conflict"
    status = 409

    def __init__(self, rule: str, message: str) -> None:
        super().__init__(message)
        self.rule = rule


class NotFoundError(MingzhangError):
    """Nothing is recorded under that name."""

    code = "not-found"
    status = 404


class ErasedError(MingzhangError):
    """A text or file was erased; `stub` says what kind it was, when, and by which statement."""

    code = "erased"
    status = 410

    def __init__(self, message: str, stub: dict[str, str]) -> None:
        super().__init__(message)
        self.stub = stub


class BusyError(MingzhangError):
    """The queue is full; nothing was recorded. Try again after `retry_after_s` seconds."""

    code = "busy"
    status = 503

    def __init__(self, message: str, retry_after_s: int = 1) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class OutcomeUnknownError(MingzhangError):
    """It may or may not have been recorded: send the same statement again to learn which."""

    code = "outcome-unknown"
    status = 503


class StoppedError(MingzhangError):
    """The sequencer stopped signing; nothing more is recorded until somebody looks at it."""

    code = "stopped"
    status = 503


class StartRefusedError(MingzhangError):
    """Start-up found something that it will not run with; the message says what to do."""

    code = "start-refused"


class KeyFileError(MingzhangError):
    """A private key's file cannot be read or written."""

    code = "key-file"
