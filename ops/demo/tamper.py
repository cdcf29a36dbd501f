"""What somebody with full control of the machine can do to the log, for the demo to show.

The insider is the database's superuser, past every trigger and right, holds the log's key, and has
taken the key files of the two people who signed the entry. What he does not have are the copies
outside: receipts in members' hands and checkpoints that others kept.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

import orjson
import psycopg
from psycopg.conninfo import make_conninfo

from ledger import canonical
from ledger.entry import Entry, entry_bytes, parse_entry
from ledger.log import checkpoint
from ledger.log.checkpoint import Checkpoint
from ledger.log.merkle import Edge, leaf_hash
from ledger.log.note import Signer
from ledger.signing import PrivateKey, join_envelope, sign_envelope
from ledger.store.embedded import EmbeddedServer
from ledger.store.ledger import ANCHOR_FILE
from ledger.store.postgres import DATABASE
from ops.sql_file import queries

_ANCHOR_BYTES = 8192
_SQL = queries(Path(__file__).with_name("tamper.sql"))

Resign = Callable[[bytes, Entry], bytes]
"""Makes an envelope of a forged payload for an entry."""


class Insider:
    """Holds the database of `data` as its superuser; a context manager. Keeps what it changes."""

    def __init__(self, data: Path) -> None:
        self._anchor = data / ANCHOR_FILE
        self._anchored = self._anchor.read_bytes()
        self._server = EmbeddedServer(data / "postgres")
        self._connection = psycopg.connect(
            make_conninfo(self._server.conninfo, dbname=DATABASE), autocommit=True
        )
        self._run("keep_original")
        self._run("past_triggers")

    def edit(self, index: int, points: int) -> None:
        """Change the points of one entry in its row and nothing else."""
        _, data = self._stream_from(index)[0]
        entry = parse_entry(data)
        forged = _with_points(entry, points, _keep_signatures)
        self._run("put_state", (_entry(entry, entry.prev, forged), index))

    def rewrite(
        self, index: int, points: int, stolen: Mapping[str, PrivateKey], log: Signer
    ) -> None:
        """Change the points of one entry and make everything after it fit.

        The entry is signed anew with the `stolen` keys (by key id), its stream chained again, the
        tree, the head and every checkpoint made anew and signed with the log's own key.
        """
        prev = ""
        for place, (at, data) in enumerate(self._stream_from(index)):
            entry = parse_entry(data)
            envelope = entry.statement.envelope
            if place == 0:
                prev = entry.prev
                envelope = _with_points(entry, points, _sign_again(stolen))
            forged = _entry(entry, prev, envelope)
            self._run("put_state", (forged, at))
            prev = leaf_hash(forged).hex()
        leaves = [leaf for (leaf,) in self._run("leaf_hashes")]
        edge = Edge.empty()
        for (size,) in self._run("sizes"):
            edge = edge.extend(leaves[edge.size : size])
            if size > index:
                note = checkpoint.sign(Checkpoint(log.name, size, edge.root()), log)
                self._run("put_note", (note, size))
        self._run("drop_tiles")
        self._run("mend_batches")

    def rewrite_anchor(self) -> None:
        """Put the newest note, which `rewrite` made, into the file outside the database."""
        note: bytes = self._run("newest_note")[0][0]
        self._anchor.write_bytes(note.ljust(_ANCHOR_BYTES, b"\0"))

    def restore(self) -> None:
        """Put back every byte that was changed since the beginning."""
        self._run("restore")
        self._anchor.write_bytes(self._anchored)

    def close(self) -> None:
        """Let go of the database."""
        self._run("forget_original")
        self._connection.close()
        self._server.close()

    def __enter__(self) -> Insider:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _stream_from(self, index: int) -> list[tuple[int, bytes]]:
        return self._run("stream_from", (index,))

    def _run(self, name: str, params: tuple[Any, ...] = ()) -> list[Any]:
        cursor = self._connection.execute(_SQL[name], params or None)
        return cursor.fetchall() if cursor.description else []


def _with_points(entry: Entry, points: int, resign: Resign) -> bytes:
    """Return the entry's envelope with other points in its payload, and the quantity that fits.

    The forger knows the rules: a fixed item keeps its worth, so it was done more often.
    """
    statement: dict[str, Any] = orjson.loads(entry.statement.payload)
    body = statement["body"]
    body["quantity"] = body.get("quantity", 100) * points // body["points"]
    body["points"] = points
    return resign(canonical.dumps(statement), entry)


def _keep_signatures(payload: bytes, entry: Entry) -> bytes:
    return join_envelope(payload, entry.statement.signatures)


def _sign_again(stolen: Mapping[str, PrivateKey]) -> Resign:
    def resign(payload: bytes, entry: Entry) -> bytes:
        return sign_envelope(payload, [stolen[each.keyid] for each in entry.statement.signatures])

    return resign


def _entry(entry: Entry, prev: str, envelope: bytes) -> bytes:
    return entry_bytes(entry.stream, entry.seq, prev, entry.recorded_at, envelope)
