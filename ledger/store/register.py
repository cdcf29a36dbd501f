"""Intake's confidential register: who filed which dispute about what, outside the log (B9).

The log holds commitments; what they stand for is here, in tables of their own. Every opening of a
case is written down with who and why before the case is shown, by the database itself: the
service's role can read cases in no other way, and cannot change or remove a line.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson
import psycopg

from ledger.canonical import dumps
from ledger.commitment import commit, new_salt
from ledger.entry import is_id, parse_envelope
from ledger.errors import BusyError, ConflictError, FormatError, NotFoundError
from ledger.schema import validate
from ledger.store.sql import query

if TYPE_CHECKING:
    from psycopg_pool import ConnectionPool

FILED = "dispute.filed"
ACCESS_PAGE_MAX = 1_000
PURPOSE_MAX = 200


@dataclass(frozen=True, slots=True)
class Filed:
    """What a case's commitments stand for.

    `filer` is the actor who signed and `member` the member that it is, None for an anonymous
    report. `target` is `{stream, entry}` or `{period}`.
    """

    dispute: str
    envelope: bytes
    envelope_salt: bytes
    target: dict[str, Any]
    target_salt: bytes
    filer: str | None
    member: str | None
    stored_at: datetime


class Opened(NamedTuple):
    """A line of the access log: who opened which case when, and what for."""

    number: int
    dispute: str
    actor: str
    purpose: str
    opened_at: datetime


class Look(NamedTuple):
    """A line of the access log of records: who looked at a member's with a token, and how."""

    number: int
    member: str
    actor: str
    question: str
    looked_at: datetime


class Register:
    """The register, over `pool`, whose connections have the service's role.

    Every call may raise BusyError while the database does not answer.
    """

    def __init__(self, pool: ConnectionPool[Any]) -> None:
        self._pool = pool

    def file(
        self,
        dispute: str,
        envelope: bytes,
        member: str | None,
        target: dict[str, Any] | None = None,
    ) -> tuple[str, str]:
        """Keep what was filed, and return the commitments to filer and target for the log.

        `envelope` is the DSSE envelope of a `dispute.filed` on this dispute's stream, or the bytes
        of an anonymous report with the `target` that intake read from it. Raises FormatError for
        what is neither, ConflictError where the id is taken.
        """
        if not is_id(dispute):
            raise FormatError(f"{dispute[:70]!r} is no id: a-z, 0-9 and - only, 64 at most")
        filer = None
        if target is None:
            statement = parse_envelope(envelope)
            if (statement.type, statement.stream) != (FILED, f"dispute/{dispute}"):
                raise FormatError(f"the filer signs a {FILED} on the stream dispute/{dispute}")
            validate(FILED, statement.body)
            target, filer = statement.body["target"], statement.actor
        check_target(target)
        salts = (new_salt(), new_salt())
        packed = dumps(target)
        row = (dispute, envelope, salts[0], packed, salts[1], filer, member)
        with self._connection() as connection:
            if not connection.execute(query("put_case").encode(), row).rowcount:
                raise ConflictError("dispute-once", f"dispute {dispute} is filed already")
        return commit(salts[0], envelope), commit(salts[1], packed)

    def open(self, dispute: str, actor: str, purpose: str) -> Filed:
        """Return a case, after its opening by `actor` was written down.

        Raises FormatError without a purpose, NotFoundError for an unknown case: that somebody
        asked for it is written down too.
        """
        if not 0 < len(purpose.strip()) <= PURPOSE_MAX:
            raise FormatError(f"say what the case is opened for, in up to {PURPOSE_MAX} characters")
        with self._connection() as connection:
            asked = (dispute, actor, purpose.strip())
            found = connection.execute(query("open_case").encode(), asked, binary=True).fetchone()
        if found is None:
            raise NotFoundError(f"no dispute {dispute} is in intake's register")
        envelope, envelope_salt, target, target_salt, filer, member, stored_at = found
        return Filed(
            dispute,
            envelope,
            envelope_salt,
            orjson.loads(target),
            target_salt,
            filer,
            member,
            stored_at,
        )

    def accesses(
        self, dispute: str | None = None, before: int | None = None, limit: int = 100
    ) -> Sequence[Opened]:
        """Return who opened one case, or any: `limit` lines, newest first, before `before`."""
        limit = max(1, min(limit, ACCESS_PAGE_MAX))
        asked = {"dispute": dispute, "before": before, "limit": limit}
        with self._connection() as connection:
            found = connection.execute(query("case_access").encode(), asked)
            return [Opened(*each) for each in found]

    def looked(self, member: str, actor: str, question: str) -> None:
        """Write down that an actor looked at a member's record by a question."""
        with self._connection() as connection:
            connection.execute(query("put_look").encode(), (member, actor, question))

    def looks(self, member: str, before: int | None = None, limit: int = 100) -> Sequence[Look]:
        """Return who looked at a member's record: `limit` lines, newest first, before `before`."""
        limit = max(1, min(limit, ACCESS_PAGE_MAX))
        asked = {"member": member, "before": before, "limit": limit}
        with self._connection() as connection:
            found = connection.execute(query("looks").encode(), asked)
            return [Look(*each) for each in found]

    @contextmanager
    def _connection(self) -> Iterator[psycopg.Connection[Any]]:
        try:
            with self._pool.connection() as connection:
                yield connection
        except psycopg.OperationalError as error:
            raise BusyError(f"the database does not answer: {error}") from error


def check_target(target: dict[str, Any]) -> None:
    """Raise FormatError unless a target is an entry of a member's stream, or a period."""
    if set(target) not in ({"stream", "entry"}, {"period"}):
        raise FormatError("a dispute is about one entry, {stream, entry}, or a ranking, {period}")
