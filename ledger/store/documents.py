"""Texts and files behind the log's commitments: outside the log, and erasable.

They are in the database, files too: any process that opens the ledger reaches them, they are
backed up with it, and an erasure is one transaction with the `text.erased` that orders it (a
trigger erases as the statement is recorded, and nothing else can). What is left is a stub, and
every proof still holds, since the log only ever held the commitment. Backups and the write-ahead
log keep what was erased until they expire.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import errors

from ledger.commitment import check_opening, commit, new_salt, parse_commitment
from ledger.entry import format_instant
from ledger.errors import BusyError, ConflictError, ErasedError, NotFoundError
from ledger.store.media import check_media
from ledger.store.sql import query

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from psycopg_pool import ConnectionPool

PUT_ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class Document:
    """A text or file: its media type, 32-byte salt and bytes, and when it was handed in."""

    commitment: str
    kind: str
    salt: bytes
    data: bytes
    stored_at: datetime


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a commitment: kind, plain SHA-256 and bytes, how many commitments share it.

    Of an erased one `digest` and `size` are None, and `erased_by` is the statement that ordered it.
    """

    kind: str
    stored_at: datetime
    digest: bytes | None
    size: int | None
    same: int
    erased_by: str | None


class Documents:
    """The erasable store, over `pool`, whose connections have the service's role.

    Every call may raise BusyError while the database does not answer.
    """

    def __init__(self, pool: ConnectionPool[Any]) -> None:
        self._pool = pool

    def close(self) -> None:
        """Close the pool."""
        self._pool.close()

    def put(self, data: bytes, media_type: str, salt: bytes | None = None) -> tuple[str, bytes]:
        """Keep `data` and return its commitment and salt; the same twice is kept once.

        `salt` is the uploader's own, where the commitment was made before. Raises FormatError for
        what is not taken (`ledger.store.media`), ConflictError where the commitment was erased or
        is kept as another kind.
        """
        check_media(data, media_type)
        salt = salt if salt is not None else new_salt()
        commitment = commit(salt, data)
        digest = hashlib.sha256(data).digest()
        row = (bytes.fromhex(commitment), media_type, salt, digest)
        for left in reversed(range(PUT_ATTEMPTS)):
            try:
                with self._connection() as connection, connection.transaction():
                    connection.execute(query("put_content").encode(), (digest, data))
                    if not connection.execute(query("put_document").encode(), row).rowcount:
                        # Kept or erased before: bytes of an erased one must not come back.
                        raise psycopg.Rollback
                break
            except errors.ForeignKeyViolation:
                # The last other document of these bytes was erased between the two.
                if not left:
                    raise BusyError("the same file is being erased: try again") from None
        try:
            kept = self._find(commitment)
        except ErasedError as error:
            raise ConflictError(
                "erased",
                f"{error.message}: it does not come back under this commitment, use a new salt",
            ) from None
        if kept.kind != media_type:
            raise ConflictError("document-kind", f"it is kept as {kept.kind} already")
        return commitment, salt

    def get(self, commitment: str) -> Document:
        """Return a document, its commitment checked against its bytes.

        Raises FormatError, NotFoundError, ErasedError with the stub, or ProofError where bytes or
        salt are not what was handed in.
        """
        found = self._find(commitment)
        check_opening(commitment, found.salt, found.data)
        return found

    def same(self, commitment: str) -> Sequence[str]:
        """Return the other commitments to the same bytes: the same evidence used again."""
        found = self._rows("same_documents", (parse_commitment(commitment),))
        return [each.hex() for (each,) in found]

    def known(self, commitments: Iterable[str]) -> dict[str, Known]:
        """Return what is kept of commitments, erased ones too; what is not here is left out."""
        asked = [parse_commitment(each) for each in commitments]
        found = self._rows("known_documents", (asked,)) if asked else ()
        return {each.hex(): Known(*known) for each, *known in found}

    def of_kinds(self, kinds: Sequence[str]) -> dict[str, str]:
        """Return the media types, by commitment, of what is kept and is one of `kinds`."""
        return {each.hex(): kind for each, kind in self._rows("documents_of", (list(kinds),))}

    def _find(self, commitment: str) -> Document:
        found = self._rows("get_document", (parse_commitment(commitment),))
        if not found:
            raise NotFoundError("no text or file is kept under that commitment")
        kind, stored_at, salt, data, erased_at, erased_by = found[0]
        if erased_by is not None:
            stub = {
                "kind": kind,
                "stored_at": format_instant(stored_at),
                "erased_at": format_instant(erased_at),
                "erased_by": erased_by,
            }
            raise ErasedError(
                f"this {kind} was erased at {stub['erased_at']} by statement {erased_by}", stub
            )
        return Document(commitment, kind, salt, data, stored_at)

    def _rows(self, name: str, params: Sequence[Any]) -> list[Any]:
        with self._connection() as connection:
            cursor = connection.cursor(binary=True)
            return cursor.execute(query(name).encode(), params).fetchall()

    @contextmanager
    def _connection(self) -> Iterator[psycopg.Connection[Any]]:
        try:
            with self._pool.connection() as connection:
                yield connection
        except psycopg.OperationalError as error:
            raise BusyError(f"the database does not answer: {error}") from error
