"""Brings a database's schema up to date: numbered SQL files, each applied once, in order.

A file is applied in one transaction and never changed afterwards; its digest is kept, so that a
database that was migrated by other files than these is noticed.
"""

from __future__ import annotations

import hashlib
import re
from functools import cache
from importlib import resources
from typing import Any, NamedTuple

import psycopg
from psycopg import errors

from ledger.errors import StartRefusedError
from ledger.store.sql import query

_NAME = re.compile(r"([0-9]{4})_([a-z_]+)\.sql").fullmatch


class Migration(NamedTuple):
    """One file: its number (from 1), name, text, and lower-case hex SHA-256."""

    number: int
    name: str
    sql: str
    digest: str


@cache
def migrations() -> tuple[Migration, ...]:
    """Return all migrations in their order."""
    found = []
    for file in resources.files("ledger.store.sql").joinpath("migrations").iterdir():
        parts = _NAME(file.name)
        if parts is not None:
            text = file.read_text()
            digest = hashlib.sha256(text.encode()).hexdigest()
            found.append(Migration(int(parts[1]), parts[2], text, digest))
    return tuple(sorted(found))


def migrate(connection: psycopg.Connection[Any]) -> int:
    """Apply what is missing; return how many files were applied.

    `connection` is in autocommit mode. Raises StartRefusedError where the database is newer than
    this program, was migrated by other files, or where the user lacks the rights.
    """
    if not _pending(connection):
        return 0
    try:
        with connection.transaction():
            # Whoever else starts at this moment waits here, and then finds nothing to do.
            connection.execute(query("lock_migrations"))
            connection.execute(query("create_role"))
            pending = _pending(connection)
            for each in pending:
                connection.execute(each.sql.encode())
                connection.execute(query("record_migration"), (each.number, each.name, each.digest))
    except errors.InsufficientPrivilege as error:
        raise StartRefusedError(
            f"the database's user may not set up the schema: {error.diag.message_primary}. Start "
            "once with a user who owns the database and may create roles, or have an administrator "
            "run: CREATE ROLE mingzhang_service; GRANT mingzhang_service TO that user WITH ADMIN "
            "OPTION; GRANT CREATE ON DATABASE … TO that user"
        ) from None
    return len(pending)


def _pending(connection: psycopg.Connection[Any]) -> list[Migration]:
    """Return what is to be applied, after comparing what was."""
    (there,) = connection.execute(query("migrated_once")).fetchone() or (False,)
    applied = dict(connection.execute(query("applied_migrations")).fetchall()) if there else {}
    known = {each.number: each for each in migrations()}
    for number, digest in applied.items():
        if number not in known:
            raise StartRefusedError(
                f"the database's schema is at version {number}, this program knows {max(known)}: "
                "start a newer version of it"
            )
        if known[number].digest != digest:
            raise StartRefusedError(
                f"migration {number} ({known[number].name}) is not the one that this database was "
                "migrated with: use the program that made it"
            )
    return [each for number, each in known.items() if number not in applied]
