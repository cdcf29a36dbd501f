"""The baseline of a live ranking: the library's ProjectionRunner with a table of postings.

It does less than the ledger's read model: no past, no scores of periods, no units and members.
"""

from __future__ import annotations

from typing import ClassVar

from eventsourcing.application import Application
from eventsourcing.postgres import PostgresTrackingRecorder


class Log(Application[str]):
    """The ledger, read up to its newest signed checkpoint."""

    name = "log"
    env: ClassVar[dict[str, str]] = {
        "APPLICATION_RECORDER_TOPIC": "ledger.store.recorder:SignedRecorder",
        "MAPPER_TOPIC": "ledger.store.mapper:EntryMapper",
    }


class PostingsView(PostgresTrackingRecorder):
    """Postings by statement id, each written with its position in one transaction."""
