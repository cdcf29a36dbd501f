"""What witnesses said of recorded checkpoints: kept beside the log, only ever added to."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

import psycopg

from ledger.errors import BusyError
from ledger.log.cosignature import Cosignature
from ledger.log.policy import Policy, Verdict, judge
from ledger.store.sql import query

if TYPE_CHECKING:
    from psycopg_pool import ConnectionPool

LOOKED_AT_MAX = 256
"""How many of the newest cosigned sizes are looked at for one that has its quorum."""


class Witnessed(NamedTuple):
    """A recorded checkpoint whose quorum is met."""

    size: int
    note: bytes
    verdict: Verdict


class Cosignatures:
    """The kept cosignatures, over `pool`. Every call may raise BusyError."""

    def __init__(self, pool: ConnectionPool[Any]) -> None:
        self._pool = pool

    def put(self, size: int, found: Iterable[Cosignature]) -> None:
        """Keep cosignatures, which were checked, of the recorded checkpoint of `size`."""
        for each in found:
            self._rows("put_cosignature", (size, each.name, each.key_id, each.time, each.line))

    def of(self, size: int) -> list[Cosignature]:
        """Return all cosignatures of a checkpoint, oldest first."""
        return [
            Cosignature(name, bytes(key_id), time, line)
            for name, key_id, time, line in self._rows("cosignatures", (size,))
        ]

    def last(self) -> dict[tuple[str, bytes], tuple[int, int]]:
        """Return of each witness (key name and id) the largest size it cosigned, and the time."""
        return {
            (name, bytes(key_id)): (size, time)
            for name, key_id, size, time in self._rows("last_cosigned", ())
        }

    def witnessed(self, policy: Policy) -> Witnessed | None:
        """Return the newest checkpoint whose quorum is met."""
        for size, note in self._rows("cosigned_sizes", (LOOKED_AT_MAX,)):
            verdict = judge(policy, self.of(size))
            if verdict.met:
                return Witnessed(size, bytes(note), verdict)
        return None

    def _rows(self, name: str, params: tuple[Any, ...]) -> list[Any]:
        try:
            with self._pool.connection() as connection:
                cursor = connection.cursor(binary=True).execute(query(name).encode(), params)
                return cursor.fetchall() if cursor.description is not None else []
        except psycopg.OperationalError as error:
            raise BusyError(f"the database does not answer: {error}") from error
