"""The eventsourcing library's recorder over the log's own table.

Whoever knows the library reads the ledger with it: a stream as an aggregate's events, the log as
the notification log (ids are indexes plus one), a subscription that follows it. Reading is the
library's business here and appending the sequencer's; `insert_events` exists so that nothing
inserts past the fence, and is a whole one of its own:

- One autocommit statement. The library's insert catches a Python error that comes after its
  INSERT, commits, and raises the error then: told that it failed, the caller has recorded.
- The same compare-and-swap on size and last leaf hash as the sequencer's, by the same trigger.
- Only entries. It checks that they are, not that anyone may record them: no keys, rights or
  rules, nor `prev`, which the sequencer and the verifier look at.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any, NamedTuple
from uuid import UUID

import psycopg
from eventsourcing.persistence import (
    ApplicationRecorder,
    InterfaceError,
    Notification,
    OperationalError,
    ProgrammingError,
    StoredEvent,
    Subscription,
)
from eventsourcing.postgres import (
    ConnectionPool,
    PostgresApplicationRecorder,
    PostgresDatastore,
    PostgresSubscription,
)
from eventsourcing.utils import retry
from psycopg import Connection, errors
from psycopg.rows import DictRow, dict_row

from ledger.errors import StartRefusedError
from ledger.store.mapper import EntryMapper
from ledger.store.port import Fenced
from ledger.store.sql import query

CHANNEL = "mingzhang_checkpoint"
ATTEMPTS_MAX = 1_000
POLL_S = 0.2
CONNECTIONS_MAX = 8
IDLE_IN_TRANSACTION_S = 30.0
_BIGINT_MAX = 2**63 - 1


class EntryDatastore(PostgresDatastore):
    """The library's datastore on the ledger's database: `conninfo` is `Database.conninfo`."""

    def __init__(self, conninfo: str, connections_max: int = CONNECTIONS_MAX) -> None:
        super().__init__(
            *([""] * 5),
            idle_in_transaction_session_timeout=IDLE_IN_TRANSACTION_S,
            schema="mingzhang",
            originator_id_type="text",
        )
        # The library's pool knows no more than host, port and user; the role is in the options.
        self.pool = ConnectionPool(
            conninfo,
            connection_class=Connection[DictRow],
            kwargs={"row_factory": dict_row},
            min_size=1,
            max_size=connections_max,
            open=False,
            configure=self.after_connect_func(),
        )


class Columns(NamedTuple):
    """One row to insert, without its place in the log."""

    stream: str
    seq: int
    type: str
    id: UUID
    state: bytes


class Head(NamedTuple):
    """What a batch extends: size, last leaf hash, and the signed note of that size if recorded."""

    size: int
    leaf: bytes
    note: bytes | None


class EntryRecorder(PostgresApplicationRecorder):
    """Reads what is committed. Most callers want `SignedRecorder`, which ends where readers may.

    Raises StartRefusedError for a datastore with POSTGRES_ENABLE_DB_FUNCTIONS, which inserts
    without a lock, so that readers who follow the log lose events.
    """

    def __init__(self, datastore: PostgresDatastore, *, events_table_name: str = "entry") -> None:
        if datastore.enable_db_functions:
            raise StartRefusedError(
                "POSTGRES_ENABLE_DB_FUNCTIONS is set: the library then inserts by functions of its "
                "own, which know no fence; unset it"
            )
        super().__init__(datastore, events_table_name=events_table_name)
        # The library would make tables here; the ledger's migrations have made them already.
        self.sql_create_statements = []
        self.channel_name = CHANNEL
        self._mapper = EntryMapper()

    def end(self) -> int:
        """Return the size at which every read ends."""
        return _BIGINT_MAX

    def insert_events(
        self, stored_events: Sequence[StoredEvent], **kwargs: Any
    ) -> Sequence[int] | None:
        """Append entries behind the head, all or none, and return their notification ids.

        Raises FormatError for what is no entry, IntegrityError where a position of a stream or a
        statement id is taken, OperationalError where the head has no recorded note (the sequencer
        is at work) or where the outcome is not known.
        """
        if kwargs:
            raise ProgrammingError(f"an entry is recorded with nothing else, not {sorted(kwargs)}")
        # All that can fail in Python is done before the statement, which commits by itself.
        columns = [self.columns(each) for each in stored_events]
        if not columns:
            return None
        with self.datastore.get_connection() as connection:
            for _ in range(ATTEMPTS_MAX):
                try:
                    first = _append(connection, columns, self.head(connection))
                except Fenced:
                    continue
                return list(range(first + 1, first + 1 + len(columns)))
        raise OperationalError("others kept winning the head: try again")

    def columns(self, stored_event: StoredEvent) -> Columns:
        """Return the row of an entry. Raises FormatError unless it is that entry's."""
        entry = self._mapper.to_domain_event(stored_event).entry
        statement = entry.statement
        return Columns(entry.stream, entry.seq, statement.type, UUID(statement.id), entry.data)

    def head(self, connection: Connection[DictRow]) -> Head:
        """Return the head and its note. Raises OperationalError where it has no recorded one."""
        found = connection.cursor(binary=True).execute(query("library_head").encode()).fetchone()
        assert found is not None  # noqa: S101 - the head always has its one row
        head = Head(**found)
        if head.size and head.note is None:
            raise OperationalError(
                f"no signed checkpoint of size {head.size} is recorded yet: append through the "
                "ledger, which signs, or try again when it has been idle for a moment"
            )
        return head

    def select_events(
        self,
        originator_id: UUID | str,
        *,
        gt: int | None = None,
        lte: int | None = None,
        desc: bool = False,
        limit: int | None = None,
    ) -> Sequence[StoredEvent]:
        """Return a stream's entries gt < seq ≤ lte in order, or in reverse, at most `limit`."""
        params = {
            "stream": str(originator_id),
            "gt": 0 if gt is None else gt,
            "lte": _BIGINT_MAX if lte is None else lte,
            "end": self.end(),
            "limit": limit,
        }
        rows = self._rows("library_events_desc" if desc else "library_events", params)
        return [StoredEvent(r["stream"], r["seq"], r["type"], r["state"]) for r in rows]

    def select_notifications(
        self,
        start: int | None,
        limit: int,
        stop: int | None = None,
        topics: Sequence[str] = (),
        *,
        inclusive_of_start: bool = True,
    ) -> Sequence[Notification]:
        """Return the notifications from `start` to `stop`, both inclusive, at most `limit`.

        With `topics`, those statement types only; without `inclusive_of_start`, after `start`.
        """
        first = start or 0
        params = {
            "start": first - 1 if inclusive_of_start else first,
            "end": self.end() if stop is None else min(stop, self.end()),
            "topics": list(topics) or None,
            "limit": limit,
        }
        return [
            Notification(r["stream"], r["seq"], r["type"], r["state"], r["id"])
            for r in self._rows("library_notifications", params)
        ]

    def max_notification_id(self) -> int | None:
        """Return the last notification's id, which is the log's size; None while it is empty."""
        found: int | None = self._rows("library_max_notification", {"end": self.end()})[0]["max"]
        return found

    def subscribe(
        self, gt: int | None = None, topics: Sequence[str] = ()
    ) -> Subscription[ApplicationRecorder]:
        """Return an iterator over the notifications after `gt`, which waits for new ones."""
        return EntrySubscription(recorder=self, gt=gt, topics=topics)

    @retry((InterfaceError, OperationalError), max_attempts=10, wait=0.2)
    def _rows(self, name: str, params: dict[str, Any]) -> list[DictRow]:
        with self.datastore.get_connection() as connection:
            cursor = connection.cursor(binary=True)
            return cursor.execute(query(name).encode(), params, prepare=True).fetchall()


class SignedRecorder(EntryRecorder):
    """Ends every read, subscriptions too, where the newest recorded checkpoint ends.

    An entry beyond it is committed, but no note that anyone could check covers it yet.
    """

    def end(self) -> int:
        """Return the size of the newest recorded checkpoint, 0 while there is none."""
        size: int = self._rows("signed_size", {})[0]["size"]
        return size


class EntrySubscription(PostgresSubscription):
    """The library's subscription, that also looks for itself every POLL_S seconds.

    The library's one dies with its LISTEN connection and sees nothing that is not notified. Here
    a notification (of an idle ledger's checkpoint) only makes it look sooner.
    """

    def _listen(self) -> None:
        while not self._has_been_stopped:
            try:
                with self._recorder.datastore.get_connection() as connection:
                    connection.execute(f"LISTEN {CHANNEL}".encode())
                    while not self._has_been_stopped:
                        for _ in connection.notifies(timeout=POLL_S, stop_after=1):
                            pass
                        self._has_been_notified.set()
            except (InterfaceError, OperationalError):
                time.sleep(POLL_S)
            except BaseException as error:  # noqa: BLE001 - raised where the subscription is read
                self._thread_error = self._thread_error or error
                self.stop()


def _append(connection: Connection[DictRow], columns: Sequence[Columns], head: Head) -> int:
    """Append a batch at `head` and return its first index. Raises Fenced if the head has moved."""
    names = ("streams", "seqs", "types", "ids", "states")
    params = dict(zip(names, map(list, zip(*columns, strict=True)), strict=True))
    warnings: list[str] = []

    def warned(diagnostic: errors.Diagnostic) -> None:
        warnings.append(diagnostic.message_primary or "a warning")

    connection.add_notice_handler(warned)
    try:
        connection.execute(query("library_insert").encode(), {**params, **head._asdict()})
    except errors.UniqueViolation as error:
        if error.diag.constraint_name == "entry_pkey":
            raise Fenced from None
        raise
    except psycopg.Error as error:
        if error.sqlstate == "MZ002":
            raise Fenced from None
        raise
    finally:
        connection.remove_notice_handler(warned)
    if warnings:
        # A cancelled wait for a synchronous standby looks just like a success but for this.
        raise OperationalError(f"the outcome is not known, look it up: {warnings[0]}")
    return head.size
