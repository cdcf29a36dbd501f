"""The event table on PostgreSQL: the sequencer's store, over one connection of its own.

A batch is one autocommit statement, VALUES for one row and COPY for more, whose fence the
statement trigger checks; no transaction is ever left open in which a process could be paused.
"""

from __future__ import annotations

import struct
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any
from uuid import UUID

import psycopg
from psycopg import errors

from ledger.log.merkle import Node
from ledger.store.port import DuplicateId, Fenced, Row, Stored, Unconfirmed
from ledger.store.sql import query
from ledger.store.tree import node_hashes

RECONNECT_S = 20.0
_COPY_HEAD = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_COPY_END = struct.pack("!h", -1)
_NULL = struct.pack("!i", -1)
_LONG = struct.Struct("!iq")
_SIZE = struct.Struct("!i")


class EntryTable:
    """Implements `port.Store`; `connect` opens a fresh connection with the service's role."""

    def __init__(self, connect: Callable[[], psycopg.Connection[Any]]) -> None:
        self._connect = connect
        self._warnings: list[str] = []
        self._connection = self._open()

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def head(self) -> tuple[int, bytes]:
        """See `port.Store`."""
        size, leaf = self._rows(query("head"))[0]
        return size, leaf

    def append(
        self, rows: Sequence[Row], expected: bytes, note: bytes | None
    ) -> list[Stored] | None:
        """See `port.Store`."""
        self._warnings.clear()
        stored: list[Stored] | None = None
        try:
            if len(rows) == 1:
                row = rows[0]
                values = (*row[:4], UUID(row.id), row.state, expected, note)
                cursor = self._connection.cursor(binary=True)
                cursor.execute(query("insert_entry").encode(), values, prepare=True)
                stored = [Stored(*each) for each in cursor.fetchall()]
            else:
                with self._connection.cursor().copy(query("copy_entries")) as copy:
                    copy.write(_copy_rows(rows, expected, note))
        except errors.UniqueViolation as error:
            if error.diag.constraint_name == "entry_id":
                raise DuplicateId from None
            # The same index or stream position: another process was first.
            raise Fenced from None
        except psycopg.Error as error:
            if error.sqlstate == "MZ002":
                raise Fenced from None
            raise Unconfirmed(str(error)) from error
        if self._warnings:
            # A cancelled wait for a synchronous standby looks just like a success but for this.
            raise Unconfirmed(self._warnings[0])
        return stored

    def read(self, start: int, stop: int) -> list[Stored]:
        """See `port.Store`."""
        rows = self._rows(query("read_entries"), (start, stop))
        return [Stored(state, leaf) for state, leaf in rows]

    def find(self, ids: Sequence[str]) -> dict[str, tuple[int, bytes]]:
        """See `port.Store`."""
        rows = self._rows(query("find_ids"), (list(ids),)) if ids else []
        return {ident: (index, state) for ident, index, state in rows}

    def stream_heads(self, streams: Sequence[str], size: int) -> dict[str, tuple[int, bytes]]:
        """See `port.Store`."""
        rows = self._rows(query("stream_heads"), (list(streams), size))
        return {stream: (seq, leaf) for stream, seq, leaf in rows}

    def stream(self, stream: str, size: int) -> list[tuple[int, bytes]]:
        """See `port.Store`."""
        return self._rows(query("stream_entries"), (stream, 0, size, None))

    def structural(self, start: int, stop: int) -> list[tuple[int, bytes]]:
        """See `port.Store`."""
        return self._rows(query("structural_entries"), (start, stop))

    def newest_note(self) -> tuple[int, bytes] | None:
        """See `port.Store`."""
        rows = self._rows(query("newest_note"))
        return rows[0] if rows else None

    def note_covering(self, index: int) -> tuple[int, bytes] | None:
        """See `port.Store`."""
        rows = self._rows(query("note_covering"), (index,))
        return rows[0] if rows else None

    def keep_note(self, size: int, note: bytes) -> None:
        """See `port.Store`."""
        self._warnings.clear()
        self._rows(query("keep_note"), (size, note))
        if self._warnings:
            raise Unconfirmed(self._warnings[0])

    def nodes(self, nodes: Sequence[Node]) -> dict[Node, bytes]:
        """See `port.Store`."""
        return node_hashes(self._rows, nodes)

    def recover(self) -> None:
        """See `port.Store`: reconnect within 20 s, then commit once without a warning."""
        with suppress(psycopg.Error):
            self._connection.close()
        deadline_s = time.monotonic() + RECONNECT_S
        while True:
            try:
                self._connection = self._open()
                break
            except psycopg.OperationalError as error:
                if time.monotonic() > deadline_s:
                    raise Unconfirmed(f"the database does not answer: {error}") from error
                time.sleep(0.1)
        self.confirm()

    def confirm(self) -> None:
        """See `port.Store`: commit once more without a warning, after all that was read."""
        self._warnings.clear()
        self._rows(query("confirm"))
        if self._warnings:
            raise Unconfirmed(self._warnings[0])

    def _open(self) -> psycopg.Connection[Any]:
        connection = self._connect()
        connection.add_notice_handler(
            lambda diagnostic: self._warnings.append(diagnostic.message_primary or "a warning")
        )
        return connection

    def _rows(self, sql: str, params: Sequence[Any] = ()) -> list[Any]:
        with _unconfirmed():
            cursor = self._connection.cursor(binary=True)
            return cursor.execute(sql.encode(), params, prepare=True).fetchall()


@contextmanager
def _unconfirmed() -> Iterator[None]:
    try:
        yield
    except psycopg.Error as error:
        raise Unconfirmed(str(error)) from error


def _copy_rows(rows: Sequence[Row], expected: bytes, note: bytes | None) -> bytes:
    """Return PostgreSQL's binary COPY stream; the first row carries the fence and the note."""
    parts = [_COPY_HEAD]
    fence = _field(expected) + (_NULL if note is None else _field(note))
    for row in rows:
        stream, kind = row.stream.encode(), row.type.encode()
        parts += (
            b"\x00\x08",
            _LONG.pack(8, row.index),
            _SIZE.pack(len(stream)),
            stream,
            _LONG.pack(8, row.seq),
            _SIZE.pack(len(kind)),
            kind,
            b"\x00\x00\x00\x10",
            bytes.fromhex(row.id.replace("-", "")),
            _SIZE.pack(len(row.state)),
            row.state,
            fence,
        )
        fence = _NULL + _NULL
    parts.append(_COPY_END)
    return b"".join(parts)


def _field(value: bytes) -> bytes:
    return _SIZE.pack(len(value)) + value
