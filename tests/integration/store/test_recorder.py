"""Our recorder under the library's own test cases, and what it does otherwise than the library."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from eventsourcing.persistence import (
    IntegrityError,
    OperationalError,
    ProgrammingError,
    StoredEvent,
)
from eventsourcing.postgres import PostgresApplicationRecorder, PostgresTrackingRecorder
from psycopg import Connection
from psycopg.rows import DictRow

from ledger.entry import entry_bytes, format_instant, parse_entry
from ledger.errors import FormatError, StartRefusedError
from ledger.log.merkle import leaf_hash
from ledger.store import recorder as recorder_module
from ledger.store.ledger import Ledger
from ledger.store.postgres import Database, open_database
from ledger.store.recorder import Columns, EntryDatastore, EntryRecorder, Head, SignedRecorder
from ledger.store.sql import query
from tests.support.clock import SteadyClock
from tests.support.database import set_up
from tests.support.library_cases import library
from tests.support.organisation import START, Organisation


class AnyBytes(EntryRecorder):
    """Our recorder where it is shown the library's test events.

    They are no entries (`b"state1"`), so they have no statement id; and nobody signs, so there
    are no notes. Both are made up here, all the rest is the recorder's own.
    """

    def columns(self, stored_event: StoredEvent) -> Columns:
        e = stored_event
        return Columns(str(e.originator_id), e.originator_version, e.topic, uuid4(), e.state)

    def head(self, connection: Connection[DictRow]) -> Head:
        found = connection.execute(query("library_head").encode()).fetchone()
        assert found is not None
        return Head(found["size"], found["leaf"], b"a note" if found["size"] else None)


class LibraryCase:
    """What the library's cases need here: a database, and streams whose versions begin at 1.

    Some of them begin a stream at version 0, where ours begin at 1 (the entry's `seq`).
    """

    @pytest.fixture(autouse=True)
    def _use(self, datastore: EntryDatastore, monkeypatch: pytest.MonkeyPatch) -> None:
        self.datastore = datastore
        from_zero: set[UUID | str] = set()

        def stored_event(
            originator_id: str, originator_version: int, topic: str, state: bytes
        ) -> StoredEvent:
            if originator_version == 0:
                from_zero.add(originator_id)
            shift = 1 if originator_id in from_zero else 0
            return StoredEvent(originator_id, originator_version + shift, topic, state)

        monkeypatch.setattr(library, "StoredEvent", stored_event)

    def new_originator_id(self) -> str:
        return f"member/{uuid4()}"

    def create_recorder(self) -> Any:
        return AnyBytes(self.datastore)


class TestApplicationRecorder(LibraryCase, library.ApplicationRecorderTestCase[Any]):
    def test_insert_subscribe(self) -> None:
        self.optional_test_insert_subscribe()


class TestAggregateRecorder(LibraryCase, library.AggregateRecorderTestCase):
    def create_recorder(self) -> Any:
        class NoIds(AnyBytes):
            """An aggregate recorder has no notification ids to return; ours has."""

            def insert_events(self, stored_events: Any, **kwargs: Any) -> None:
                super().insert_events(stored_events, **kwargs)

        return NoIds(self.datastore)


class TestNonInterleaving(LibraryCase, library.NonInterleavingNotificationIDsBaseCase):
    pass


class TestTrackingRecorder(LibraryCase, library.TrackingRecorderTestCase):
    """Read models made with the library keep their position where ours keep theirs."""

    def create_recorder(self) -> Any:
        self.datastore.schema = "mingzhang_views"
        recorder = PostgresTrackingRecorder(self.datastore)
        recorder.create_table()
        return recorder


@pytest.fixture
def database(tmp_path: Path, database_url: str) -> Iterator[Database]:
    opened = open_database(tmp_path, database_url)
    yield opened
    opened.close()


@pytest.fixture
def datastore(database: Database) -> Iterator[EntryDatastore]:
    with EntryDatastore(database.conninfo, connections_max=16) as opened:
        yield opened


@pytest.fixture
def organisation() -> Organisation:
    return Organisation()


@pytest.fixture
def reads(ledger: Ledger) -> Iterator[EntryDatastore]:
    """The datastore of the test's open ledger."""
    with EntryDatastore(ledger.database.conninfo) as opened:
        yield opened


def event(number: int = 1, stream: str = "member/a") -> StoredEvent:
    return StoredEvent(stream, number, "topic", b"state")


def count(database: Database) -> int:
    with database.connect() as connection:
        found = connection.execute("SELECT count(*) FROM mingzhang.entry").fetchone()
    assert found is not None
    return int(found[0])


def next_entry(ledger: Ledger, organisation: Organisation, member: str) -> StoredEvent:
    """The entry that an award to `member` would be."""
    stream = f"member/{member}"
    *_, (_, last) = ledger.stream(stream)
    before = parse_entry(last)
    envelope = organisation.award(member)
    next_day = format_instant(START + timedelta(days=1), micros=True)
    data = entry_bytes(stream, before.seq + 1, leaf_hash(last).hex(), next_day, envelope)
    return StoredEvent(stream, before.seq + 1, "points.awarded", data)


def test_a_python_error_does_not_leave_behind_what_it_says_failed(
    database: Database, datastore: EntryDatastore
) -> None:
    """The library's own insert does: this is the hazard that ours must not have."""

    class Failing:
        def _fetch_ids_after_insert_events(self, *args: object, **kwargs: object) -> list[int]:
            raise RuntimeError("a bug after the INSERT")

    class LibraryRecorder(Failing, PostgresApplicationRecorder):
        pass

    class OurRecorder(Failing, AnyBytes):
        pass

    with EntryDatastore(database.conninfo) as other:
        other.schema = "mingzhang_views"
        theirs = LibraryRecorder(other)
        theirs.create_table()
        with pytest.raises(RuntimeError):
            theirs.insert_events([event()])
        assert len(theirs.select_events("member/a")) == 1, "the library records, and raises"

    ours = OurRecorder(datastore)
    assert ours.insert_events([event(1)]) == [1]
    unserialisable = StoredEvent("member/a", 3, "topic", state=object())  # type: ignore[arg-type]
    with pytest.raises(ProgrammingError, match="cannot adapt"):
        ours.insert_events([event(2), unserialisable])
    assert count(database) == 1


def test_an_insert_that_lost_the_head_goes_behind_the_winner(
    database: Database, datastore: EntryDatastore
) -> None:
    class Late(AnyBytes):
        """Somebody else appends between its look at the head and its insert, once."""

        overtaken = False

        def head(self, connection: Connection[DictRow]) -> Head:
            seen = super().head(connection)
            if not self.overtaken:
                self.overtaken = True
                AnyBytes(self.datastore).insert_events([event(1, "member/winner")])
            return seen

    late = Late(datastore)
    assert late.insert_events([event(1), event(2)]) == [2, 3]
    assert [each.originator_id for each in late.select_notifications(1, 10)] == [
        "member/winner",
        "member/a",
        "member/a",
    ]
    with database.connect() as connection:
        size, _ = connection.execute(query("head").encode()).fetchone() or (0, b"")
    assert size == 3


def test_a_commit_that_comes_with_a_warning_is_no_success(
    datastore: EntryDatastore, database_url: str
) -> None:
    """As a cancelled wait for a synchronous standby does: the standby may not have it."""
    with psycopg.connect(database_url) as connection:
        connection.execute(
            "CREATE FUNCTION mingzhang.warn() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE WARNING 'canceling wait'; RETURN NULL; END $$"
        )
        connection.execute(
            "CREATE TRIGGER warns AFTER INSERT ON mingzhang.entry EXECUTE FUNCTION mingzhang.warn()"
        )
    with pytest.raises(OperationalError, match=r"outcome is not known.*canceling wait"):
        AnyBytes(datastore).insert_events([event()])


def test_a_head_that_is_always_stale_is_refused_and_stores_nothing(
    database: Database, datastore: EntryDatastore, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Stale(AnyBytes):
        def head(self, connection: Connection[DictRow]) -> Head:
            return super().head(connection)._replace(leaf=bytes(32))

    AnyBytes(datastore).insert_events([event(1)])
    monkeypatch.setattr(recorder_module, "ATTEMPTS_MAX", 3)
    with pytest.raises(OperationalError, match="others kept winning"):
        Stale(datastore).insert_events([event(2)])
    assert count(database) == 1


def test_only_entries_of_the_row_that_they_name_are_inserted(
    database: Database, datastore: EntryDatastore
) -> None:
    recorder = EntryRecorder(datastore)
    with pytest.raises(FormatError, match="no statement type"):
        recorder.insert_events([event()])
    with pytest.raises(FormatError, match="not JSON"):
        recorder.insert_events([StoredEvent("member/a", 1, "points.awarded", b"state")])
    founding = Organisation().founding()
    data = entry_bytes("ledger/root", 1, "0" * 64, "2026-01-05T01:00:00.000000Z", founding)
    with pytest.raises(FormatError, match="the row was changed"):
        recorder.insert_events([StoredEvent("ledger/root", 2, "ledger.founded", data)])
    with pytest.raises(ProgrammingError, match="tracking"):
        recorder.insert_events([], tracking=None)
    assert count(database) == 0
    entry = StoredEvent("ledger/root", 1, "ledger.founded", data)
    assert recorder.insert_events([entry]) == [1]
    assert recorder.select_events("ledger/root") == [entry]


def test_nothing_is_inserted_behind_a_head_that_nobody_signed(datastore: EntryDatastore) -> None:
    AnyBytes(datastore).insert_events([event(1)])
    with pytest.raises(OperationalError, match="no signed checkpoint of size 1 is recorded"):
        EntryRecorder(datastore).head(_connection(datastore))


def _connection(datastore: EntryDatastore) -> Connection[DictRow]:
    with datastore.get_connection() as connection:
        return connection


def test_the_library_makes_no_tables_in_the_ledgers_schema(
    database: Database, datastore: EntryDatastore
) -> None:
    names = "SELECT relname FROM pg_class WHERE relnamespace = 'mingzhang'::regnamespace"
    with database.connect() as connection:
        before = set(connection.execute(names).fetchall())
        EntryRecorder(datastore).create_table()
        assert set(connection.execute(names).fetchall()) == before


def test_inserting_by_database_functions_is_refused(database: Database) -> None:
    with EntryDatastore(database.conninfo) as datastore:
        datastore.enable_db_functions = True
        with pytest.raises(StartRefusedError, match="POSTGRES_ENABLE_DB_FUNCTIONS"):
            EntryRecorder(datastore)


def test_the_ledgers_entries_are_the_librarys_notification_log(
    ledger: Ledger, reads: EntryDatastore, organisation: Organisation, clock: SteadyClock
) -> None:
    set_up(ledger, organisation, clock)
    recorder = EntryRecorder(reads)
    size = ledger.size()
    assert recorder.max_notification_id() == size
    found = recorder.select_notifications(1, size)
    assert [each.id for each in found] == list(range(1, size + 1))
    assert [each.state for each in found] == ledger.entries(0, size)
    enrolled = recorder.select_notifications(None, 2, topics=["member.enrolled"])
    assert [each.originator_id for each in enrolled] == ["member/m-1", "member/m-2"]


def test_a_signed_recorder_ends_at_the_newest_recorded_checkpoint(
    ledger: Ledger, reads: EntryDatastore, organisation: Organisation, clock: SteadyClock
) -> None:
    set_up(ledger, organisation, clock)
    size = ledger.size()
    entry = next_entry(ledger, organisation, "m-2")
    committed, signed = EntryRecorder(reads), SignedRecorder(reads)
    # The insert waits in the library's way until the idle ledger has recorded its newest note.
    library_retry(lambda: committed.insert_events([entry]))
    assert committed.max_notification_id() == size + 1
    assert signed.max_notification_id() == size
    assert [each.id for each in signed.select_notifications(size, 10)] == [size]
    assert [each.id for each in signed.select_notifications(size, 10, stop=size + 1)] == [size]
    assert entry in committed.select_events("member/m-2")
    assert entry not in signed.select_events("member/m-2")
    assert signed.select_events("member/m-2", desc=True, limit=1)[0].originator_version == 1
    # The sequencer follows what came through the library, signs it, and goes on behind it.
    ledger.append(organisation.award("m-3"))
    assert ledger.entry(size) == entry.state
    library_retry(lambda: None if signed.max_notification_id() == size + 2 else _again())
    assert entry in signed.select_events("member/m-2")


def library_retry(call: Callable[[], object]) -> None:
    waiting = threading.Event()
    for _ in range(200):
        try:
            call()
        except OperationalError:
            waiting.wait(0.02)
        else:
            return
    call()


def _again() -> None:
    raise OperationalError("not yet")


@pytest.mark.parametrize("kind", [EntryRecorder, SignedRecorder])
def test_a_subscription_outlives_its_listening_connection(
    ledger: Ledger,
    reads: EntryDatastore,
    database_url: str,
    organisation: Organisation,
    kind: type[EntryRecorder],
    clock: SteadyClock,
) -> None:
    set_up(ledger, organisation, clock)
    size = ledger.size()
    with kind(reads).subscribe(gt=size - 1) as subscription:
        assert next(subscription).id == size
        library_retry(lambda: None if _end_listeners(database_url) else _again())
        for n in range(3):
            ledger.append(organisation.award("m-2"))
            assert next(subscription).id == size + 1 + n


def _end_listeners(database_url: str) -> int:
    kill = (
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
        "WHERE datname = current_database() AND query LIKE 'LISTEN%'"
    )
    with psycopg.connect(database_url) as connection:
        found = connection.execute(kill.encode()).fetchone()
    assert found is not None
    return int(found[0])


def test_a_taken_statement_id_or_position_is_an_integrity_error(
    ledger: Ledger, reads: EntryDatastore, organisation: Organisation, clock: SteadyClock
) -> None:
    set_up(ledger, organisation, clock)
    recorder = EntryRecorder(reads)
    entry = next_entry(ledger, organisation, "m-2")
    library_retry(lambda: recorder.insert_events([entry]))
    ledger.append(organisation.award("m-3"))
    size = ledger.size()
    twice = [next_entry(ledger, organisation, "m-3")] * 2
    library_retry(lambda: _conflicts(recorder, [entry]))
    library_retry(lambda: _conflicts(recorder, twice))
    assert recorder.max_notification_id() == size


def _conflicts(recorder: EntryRecorder, events: list[StoredEvent]) -> None:
    with pytest.raises(IntegrityError):
        recorder.insert_events(events)
