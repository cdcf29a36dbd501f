"""Admits statements: strict parsing, schema and signatures, before any decision.

Signatures are verified in batches: in the sequencing thread, with a second thread beside it for
larger ones (libsodium works without the interpreter's lock), or in helper processes
(`admission_worker`). Keys are looked up where the statement is decided: what is not
known here yet is verified again there, so an admission never refuses for a stale key table.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import IO, Any

from ledger import helpers, schema
from ledger.domain.decide import founding_keys, proving_key
from ledger.domain.event import Proposal
from ledger.entry import Statement, parse_envelope
from ledger.errors import MingzhangError, Refused
from ledger.signing import SUITE_ED25519, Signature, keyid, pae, verify

KeyOf = Callable[[str], bytes | None]
"""Returns the raw public key of a key id, or None while it is not known."""

HELP_FROM_STATEMENTS = 8
SHARE_FROM_STATEMENTS = 16
"""Smaller batches are done before a second thread would have begun."""
ED25519_ONLY = frozenset({SUITE_ED25519})
_REGISTERING = ("key.registered", "ledger.founded")


class Admitted:
    """A statement whose form is right, and whether every signature was verified already."""

    __slots__ = ("proposal", "statement", "verified")

    def __init__(self, statement: Statement, *, verified: bool) -> None:
        self.statement = statement
        self.proposal = Proposal.of(statement)
        self.verified = verified


def parse(envelope: bytes, origin: str) -> Statement:
    """Parse an envelope and apply its type's schema. Raises FormatError or Refused."""
    statement = parse_envelope(envelope)
    schema.validate(statement.type, statement.body)
    if statement.log != origin:
        raise Refused(
            "this-log", f"the statement is meant for the log {statement.log}, this one is {origin}"
        )
    return statement


def check_signatures(statement: Statement, key_of: KeyOf) -> bool:
    """Verify every signature; False where a key is not known. Raises Refused for a bad one."""
    message = pae(statement.payload)
    own = _own_keys(statement)
    complete = True
    for each in statement.signatures:
        public_key = own.get(each.keyid) or key_of(each.keyid)
        if public_key is None:
            complete = False
        elif not verify(public_key, message, each.sig):
            raise Refused(
                "signature",
                f"the signature by key {each.keyid[:16]}… does not verify over this statement",
            )
    return complete


def check_suites(statement: Statement, suites: frozenset[str]) -> None:
    """Raise Refused where a statement registers a key of a suite that is not in `suites`.

    A setting of this ledger, no rule of the log: whoever verifies takes what is registered.
    """
    if statement.type not in _REGISTERING:
        return
    listed = statement.body.get("keys", [statement.body])
    for each in listed:
        if each["suite"] not in suites:
            raise Refused(
                "suite-accepted",
                f"this ledger registers no keys of the suite {each['suite']}, only of "
                f"{', '.join(sorted(suites))}: `suites` in its ledger.toml says which",
            )


def _own_keys(statement: Statement) -> dict[str, bytes]:
    if statement.type not in _REGISTERING:
        return {}
    proposal = Proposal.of(statement)
    new = proving_key(proposal)
    return founding_keys(proposal) if new is None else {keyid(new): new}


class Admission:
    """Admits batches, with `workers` helper processes (0: all in the calling thread).

    Keys of the suites `suites` may be registered.

    Each helper may be used by one thread at a time.
    """

    def __init__(self, origin: str, workers: int, suites: frozenset[str] = ED25519_ONLY) -> None:
        self._origin = origin
        self._suites = suites
        self._helpers: list[_Helper | None] = [_Helper(origin) for _ in range(workers)]
        self._second = (
            ThreadPoolExecutor(1, "admission-second")
            if workers == 0 and len(os.sched_getaffinity(0)) > 1
            else None
        )

    @property
    def helpers(self) -> int:
        """The number of helper processes."""
        return len(self._helpers)

    def admit(
        self, envelopes: Sequence[bytes], key_of: KeyOf, helper: int | None = None
    ) -> list[Admitted | MingzhangError]:
        """Return for each envelope what was admitted, or why not; by a helper process if given."""
        process = self._helpers[helper] if helper is not None else None
        if process is not None and helper is not None:
            try:
                answers = process.ask(envelopes, key_of)
            except (EOFError, OSError):
                # A helper that died takes no statement with it: this thread does its work now.
                self._helpers[helper] = None
                process.close()
            else:
                return [
                    self._from_helper(envelope, answer, key_of)
                    for envelope, answer in zip(envelopes, answers, strict=True)
                ]
        if self._second is None or len(envelopes) < SHARE_FROM_STATEMENTS:
            return self._admit_all(envelopes, key_of)
        half = len(envelopes) // 2
        first = self._second.submit(self._admit_all, envelopes[:half], key_of)
        rest = self._admit_all(envelopes[half:], key_of)
        return first.result() + rest

    def close(self) -> None:
        """End the helper processes and the second thread."""
        if self._second is not None:
            self._second.shutdown()
        for helper in self._helpers:
            if helper is not None:
                helper.close()

    def _admit_all(
        self, envelopes: Sequence[bytes], key_of: KeyOf
    ) -> list[Admitted | MingzhangError]:
        return [self._admit_one(each, key_of) for each in envelopes]

    def _admit_one(self, envelope: bytes, key_of: KeyOf) -> Admitted | MingzhangError:
        try:
            statement = parse(envelope, self._origin)
            check_suites(statement, self._suites)
            return Admitted(statement, verified=check_signatures(statement, key_of))
        except MingzhangError as error:
            return error
        except Exception as error:  # noqa: BLE001 - what a stranger sends must not stop the log
            return MingzhangError(f"reading it failed, it is not recorded: {error!r}")

    def _from_helper(
        self, envelope: bytes, answer: tuple[Any, ...], key_of: KeyOf
    ) -> Admitted | MingzhangError:
        if len(answer) == 2:
            # The reason is worked out again here, where the errors are made: it is rare.
            return self._admit_one(envelope, key_of)
        *fields, signatures, verified = answer
        statement = Statement._make([*fields, tuple([Signature(*s) for s in signatures]), envelope])
        try:
            check_suites(statement, self._suites)
        except Refused as error:
            return error
        return Admitted(statement, verified=verified)


class _Helper:
    """One helper process; keys that it asks for are sent with the next batch."""

    def __init__(self, origin: str) -> None:
        self._process = helpers.start("ledger.store.admission_worker", origin)
        self._known: set[str] = set()
        self._new: dict[str, bytes] = {}

    def ask(self, envelopes: Sequence[bytes], key_of: KeyOf) -> list[tuple[Any, ...]]:
        """Have envelopes admitted; keys that it lacks are sent with the next ones."""
        assert self._process.stdin is not None  # noqa: S101 - both are pipes
        assert self._process.stdout is not None  # noqa: S101
        helpers.write_frame(self._process.stdin, (self._new, list(envelopes)))
        self._known |= self._new.keys()
        self._new = {}
        asked, answers = helpers.read_frame(self._process.stdout)
        for ident in asked:
            public_key = key_of(ident)
            if public_key is not None and ident not in self._known:
                self._new[ident] = public_key
        return list(answers)

    def close(self) -> None:
        assert self._process.stdin is not None  # noqa: S101 - both are pipes
        assert self._process.stdout is not None  # noqa: S101
        with contextlib.suppress(OSError):
            self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait()


def serve(origin: str, source: IO[bytes], sink: IO[bytes]) -> None:
    """Answer batches until the pipe closes: what a helper process does."""
    keys: dict[str, bytes] = {}
    while True:
        try:
            new, envelopes = helpers.read_frame(source)
        except EOFError:
            return
        keys.update(new)
        asked: dict[str, None] = {}
        answers = _answers(origin, envelopes, keys, asked)
        helpers.write_frame(sink, (list(asked), answers))


def _answers(
    origin: str, envelopes: Sequence[bytes], keys: Mapping[str, bytes], asked: dict[str, None]
) -> list[tuple[Any, ...]]:
    def key_of(ident: str) -> bytes | None:
        found = keys.get(ident)
        if found is None:
            asked[ident] = None
        return found

    answers: list[tuple[Any, ...]] = []
    for envelope in envelopes:
        try:
            statement = parse(envelope, origin)
            verified = check_signatures(statement, key_of)
        except MingzhangError as error:
            answers.append((error.code, error.message))
        else:
            signatures = [tuple(each) for each in statement.signatures]
            answers.append((*statement[:-2], signatures, verified))
    return answers
