"""The baseline: the plain eventsourcing library with its own PostgreSQL module and defaults.

One event a save is a caller of `Application.save`; the events are unsigned and nothing is proved.
Only `save` is timed: making the events is left out, as signing is for the ledger.
"""

from __future__ import annotations

import subprocess
import sys
import time
from types import TracebackType
from uuid import UUID

from eventsourcing.application import Application
from eventsourcing.domain import Aggregate, event
from psycopg.conninfo import conninfo_to_dict

_PADDING_FIRST = 600
_WARM_UP = 50
_HANG_S = 10.0


class Note(Aggregate):
    """Holds texts."""

    @event("Noted")
    def note(self, text: str) -> None:
        """Add a text."""


class Plain:
    """An application of the library on the database at `conninfo`; a context manager.

    The state of each of its events has `state_bytes` bytes, like an entry of the ledger.
    """

    def __init__(self, conninfo: str, state_bytes: int) -> None:
        self._conninfo = conninfo
        self._state_bytes_wanted = state_bytes
        given = conninfo_to_dict(conninfo)
        self._application: Application[UUID] = Application(
            {
                "PERSISTENCE_MODULE": "eventsourcing.postgres",
                "POSTGRES_DBNAME": str(given["dbname"]),
                "POSTGRES_HOST": str(given["host"]),
                "POSTGRES_PORT": str(given["port"]),
                "POSTGRES_USER": str(given["user"]),
                "POSTGRES_PASSWORD": "",
            }
        )
        self._text = "x" * (_PADDING_FIRST + state_bytes - self._state_bytes(_PADDING_FIRST))
        self._notes: list[Note] = []

    def _state_bytes(self, padding: int) -> int:
        note = Note()
        note.note("x" * padding)
        stored = self._application.mapper.to_stored_event(note.pending_events[-1])
        return len(stored.state)

    def single_rate(self, count: int) -> float:
        """Return events a second of one caller who saves `count` events, one a save."""
        while len(self._notes) < count:
            note = Note()
            self._application.save(note)
            self._notes.append(note)
        notes = self._notes[:count]
        for note in notes:
            note.note(self._text)
        began_s = time.perf_counter()
        for note in notes:
            self._application.save(note)
        return count / (time.perf_counter() - began_s)

    def batch_rate(self, count: int, batch: int) -> float:
        """Return events a second of one caller who saves `batch` events at a time.

        It is 0 where a save does not end, which happens from some hundred events on: the library
        sends them in a pipeline that can block on both sides. So a process of its own does it.
        """
        command = [
            sys.executable,
            "-m",
            "ops.bench.library",
            self._conninfo,
            str(self._state_bytes_wanted),
        ]
        try:
            done = subprocess.run(
                [*command, str(count), str(batch)],
                check=True,
                capture_output=True,
                text=True,
                timeout=_HANG_S,
            )
        except subprocess.TimeoutExpired:
            return 0.0
        return float(done.stdout)

    def batch_rate_here(self, count: int, batch: int) -> float:
        """Do what `batch_rate` says, without an end if a save has none."""
        self.single_rate(_WARM_UP)
        saves = max(1, count // batch)
        taken_s = 0.0
        for _ in range(saves):
            note = Note()
            self._application.save(note)
            for _ in range(batch):
                note.note(self._text)
            began_s = time.perf_counter()
            self._application.save(note)
            taken_s += time.perf_counter() - began_s
        return saves * batch / taken_s

    def __enter__(self) -> Plain:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._application.close()


if __name__ == "__main__":
    with Plain(sys.argv[1], int(sys.argv[2])) as plain:
        print(plain.batch_rate_here(int(sys.argv[3]), int(sys.argv[4])))
