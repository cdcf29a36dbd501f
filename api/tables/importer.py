"""Turns a table's drafts into signed statements, the same ones whenever it is done again.

A statement's id derives from the log, the file's digest, the row and its cells, and the salts of
its commitments from these and the importer's key: whoever imports a file twice, or once more after
a lost answer, hands in what is recorded already, and gets the first receipts.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from api.tables.cells import Text
from api.tables.kinds import Kind
from api.tables.rows import Draft, RowError, with_commitments
from ledger import canonical, schema
from ledger.commitment import commit
from ledger.entry import Statement, format_instant, new_id, parse_envelope, statement_payload
from ledger.errors import FormatError
from ledger.signing import StatementKey, sign_envelope
from ledger.store.media import SUFFIXES, TEXT, check_media

_SALT_USE = b"mingzhang import salt v1\n"


class Upload(NamedTuple):
    """A text or file that a commitment of the import stands for."""

    data: bytes
    media_type: str
    salt: bytes


class Signed(NamedTuple):
    """A draft with its signed statement."""

    draft: Draft
    envelope: bytes
    statement: Statement


@dataclass(slots=True)
class Importer:
    """Signs drafts of one file with `keys`, of which the first is the importer's (`actor`).

    Files that cells name are looked for in `folder` only.
    """

    kind: Kind
    log: str
    actor: str
    keys: Sequence[StatementKey]
    file_digest: bytes
    folder: Path
    uploads: dict[str, Upload] = field(default_factory=dict)
    """By commitment, what must be kept before the statements are handed in."""

    def sign(self, drafts: Sequence[Draft]) -> tuple[list[Signed], list[RowError]]:
        """Return signed statements, and which rows name files that cannot be taken."""
        signed, bad = [], []
        now = datetime.now(UTC)
        for draft in drafts:
            try:
                signed.append(self._sign(draft, now))
            except FormatError as error:
                bad.append(RowError(draft.rows[0], "", error.message))
        return signed, bad

    def _sign(self, draft: Draft, now: datetime) -> Signed:
        uploads: dict[str, Upload] = {}

        def commitment_of(text: Text) -> str:
            upload = self._upload(draft, text, len(uploads))
            commitment = commit(upload.salt, upload.data)
            uploads[commitment] = upload
            return commitment

        body = with_commitments(draft.body, commitment_of)
        schema.validate(draft.type, body)
        payload = statement_payload(
            type=draft.type,
            id=self._id(draft),
            log=self.log,
            stream=draft.stream,
            actor=self.actor,
            signed_at=format_instant(now),
            body=body,
        )
        envelope = sign_envelope(payload, self.keys)
        self.uploads |= uploads
        return Signed(draft, envelope, parse_envelope(envelope))

    def _id(self, draft: Draft) -> str:
        """Return the draft's UUIDv7, whose time is its act date and row.

        So entries of one day fill their caps in the order of the rows (A11).
        """
        act_date = draft.body.get("act_date")
        start = datetime.fromisoformat(act_date) if act_date else datetime(1970, 1, 1)  # noqa: DTZ001
        millis = int(start.replace(tzinfo=UTC).timestamp()) * 1000 + draft.rows[0]
        at = datetime.fromtimestamp(max(0, millis) / 1000, UTC)
        return new_id(at, self._content(draft)[:10])

    def _content(self, draft: Draft) -> bytes:
        about = {
            "cells": [list(each) for each in draft.cells],
            "file": self.file_digest.hex(),
            "log": self.log,
            "rows": list(draft.rows),
            "type": draft.type,
        }
        return hashlib.sha256(canonical.dumps(about)).digest()

    def _upload(self, draft: Draft, text: Text, number: int) -> Upload:
        use = _SALT_USE + self._content(draft) + number.to_bytes(4, "big")
        # As random as the key is to everyone but its owner, who gets the same salt again.
        salt = hmac.digest(self.keys[0].seed, use, "sha256")
        if not text.is_file:
            data = text.text.encode()
            check_media(data, TEXT)
            return Upload(data, TEXT, salt)
        path = PurePosixPath(text.text)
        media_type = SUFFIXES.get(path.suffix.lower())
        if media_type is None:
            raise FormatError(f"{text.text[:60]!r} is no file of a kind that is taken")
        whole = (self.folder / path).resolve()
        if path.is_absolute() or not whole.is_relative_to(self.folder.resolve()):
            raise FormatError(f"{text.text[:60]!r} is not beside the table")
        try:
            data = whole.read_bytes()
        except OSError as error:
            raise FormatError(f"{text.text[:60]!r} cannot be read: {error.strerror}") from None
        check_media(data, media_type)
        return Upload(data, media_type, salt)


def same_statement(recorded: Statement, wanted: Statement) -> bool:
    """Tell whether a recorded statement says what is wanted; when it was signed may differ."""
    return (
        recorded.type,
        recorded.stream,
        recorded.actor,
        recorded.body,
    ) == (wanted.type, wanted.stream, wanted.actor, wanted.body)
