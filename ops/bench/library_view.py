"""The baseline of a live ranking: the library's ProjectionRunner with a table of postings.

It does less than the ledger's read model: no past, no scores of periods, no units and members.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any, ClassVar

from eventsourcing.application import Application
from eventsourcing.dispatch import singledispatchmethod
from eventsourcing.persistence import Tracking
from eventsourcing.postgres import PostgresTrackingRecorder
from eventsourcing.projection import Projection, ProjectionRunner
from psycopg.conninfo import conninfo_to_dict
from psycopg.sql import SQL

from ledger.domain.member import posting
from ledger.store.recorded import Recorded
from ledger.store.way_events import PointsAwarded, PointsCorrected, PointsDeducted
from ops.sql_file import queries

_SQL = {
    name: SQL(text.decode())
    for name, text in queries(Path(__file__).with_name("views.sql")).items()
    if name.startswith("library_")
}
_WAIT_S = 300


class Log(Application[str]):
    """The ledger, read up to its newest signed checkpoint."""

    name = "log"
    env: ClassVar[dict[str, str]] = {
        "APPLICATION_RECORDER_TOPIC": "ledger.store.recorder:SignedRecorder",
        "MAPPER_TOPIC": "ledger.store.mapper:EntryMapper",
    }


class PostingsView(PostgresTrackingRecorder):
    """Postings by statement id, each written with its position in one transaction."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.sql_create_statements.append(_SQL["library_drop"].format())
        self.sql_create_statements.append(_SQL["library_create"].format())

    def keep(self, tracking: Tracking, event: Recorded) -> None:
        """Insert a posting, and mark the one that it reverses."""
        entry, kind = event.entry, event.topic
        act: dict[str, Any] | None = event.body
        with self.datastore.transaction(commit=True) as cursor:
            self._insert_tracking(cursor, tracking)
            if "reverses" in event.body:
                cursor.execute(_SQL["library_reverse"], (event.body["reverses"],))
                act = event.body.get("replacement")
                kind = act["type"] if act else ""
            if act:
                new = posting(kind, act)
                member = entry.stream.partition("/")[2]
                values = (entry.statement.id, member, new.act_date, new.points)
                cursor.execute(_SQL["library_insert"], values)


class Postings(Projection[PostingsView]):
    """Gets every entry once, in the order of the log."""

    name = "bench_postings"

    @singledispatchmethod
    def process_event(self, domain_event: Any, tracking: Tracking) -> None:
        """Pass over an entry of any other type."""
        self.view.insert_tracking(tracking)

    @process_event.register(PointsAwarded)
    @process_event.register(PointsDeducted)
    @process_event.register(PointsCorrected)
    def points(self, domain_event: Recorded, tracking: Tracking) -> None:
        """Keep a points entry."""
        self.view.keep(tracking, domain_event)


def rate(conninfo: str, size: int, turn: int) -> float:
    """Return entries a second over a log of `size`, from its first entry on.

    A projection of another name, one for each turn, begins anew.
    """
    projection = type("Postings", (Postings,), {"name": f"bench_postings_{turn}"})
    given = conninfo_to_dict(conninfo)
    env = {
        "PERSISTENCE_MODULE": "eventsourcing.postgres",
        "POSTGRES_DBNAME": str(given["dbname"]),
        "POSTGRES_HOST": str(given["host"]),
        "POSTGRES_PORT": str(given["port"]),
        "POSTGRES_USER": str(given["user"]),
        "POSTGRES_PASSWORD": "",
        "POSTGRES_SCHEMA": "mingzhang_views",
    }
    with ProjectionRunner(
        application_class=Log, projection_class=projection, view_class=PostingsView, env=env
    ) as runner:
        began_s = time.perf_counter()
        runner.wait(size, timeout=_WAIT_S)
        return size / (time.perf_counter() - began_s)
