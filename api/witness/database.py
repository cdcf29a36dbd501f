"""Keeps a witness's heads in PostgreSQL, in a schema of its own, one autocommit statement each."""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg_pool import ConnectionPool

from api.witness.heads import need_same
from api.witness.sql import query
from ledger.errors import BusyError, StartRefusedError

CONNECTIONS_MAX = 4
TIMEOUT_S = 5
_SETTINGS = {"fsync": "on", "full_page_writes": "on"}


class DatabaseHeads:
    """See `heads.Heads`; `url` is a PostgreSQL URI whose user may make a schema."""

    def __init__(self, url: str, vkey: str) -> None:
        try:
            given = str(conninfo_to_dict(url).get("options") or "")
            options = f"{given} -c synchronous_commit=on -c statement_timeout={TIMEOUT_S}s".strip()
            conninfo = make_conninfo(url, options=options, connect_timeout=TIMEOUT_S)
            with psycopg.connect(conninfo, autocommit=True) as connection:
                for name, needed in _SETTINGS.items():
                    _need_setting(connection, name, needed)
                with connection.transaction():
                    connection.execute(query("lock"))
                    connection.execute(query("create"))
                    connection.execute(query("identify"), (vkey,))
                    (found,) = connection.execute(query("identity")).fetchone() or ("",)
        except psycopg.ProgrammingError as error:
            raise StartRefusedError(
                f"cannot keep heads in the database: {str(error).strip()}"
            ) from None
        except psycopg.OperationalError as error:
            raise StartRefusedError(f"the database does not answer: {error}".strip()) from None
        need_same(found, vkey, "the database")
        self._pool: ConnectionPool[Any] = ConnectionPool(
            conninfo,
            min_size=1,
            max_size=CONNECTIONS_MAX,
            kwargs={"autocommit": True},
            timeout=TIMEOUT_S,
            open=True,
        )

    def read(self, origin: str) -> bytes | None:
        """See `heads.Heads`. Raises BusyError."""
        try:
            with self._pool.connection() as connection:
                row = connection.execute(query("read"), (origin,)).fetchone()
        except psycopg.OperationalError as error:
            raise BusyError(f"the database does not answer: {error}") from error
        return None if row is None else bytes(row[0])

    def replace(self, origin: str, old: bytes | None, new: bytes) -> bool:
        """See `heads.Heads`. Raises BusyError; then it may have been replaced or not."""
        warnings: list[psycopg.errors.Diagnostic] = []
        try:
            with self._pool.connection() as connection:
                connection.add_notice_handler(warnings.append)
                try:
                    if old is None:
                        cursor = connection.execute(query("insert"), (origin, new))
                    else:
                        cursor = connection.execute(query("replace"), (new, origin, old))
                finally:
                    connection.remove_notice_handler(warnings.append)
        except psycopg.OperationalError as error:
            raise BusyError(f"the database does not answer: {error}") from error
        if warnings:
            # A cancelled wait for a synchronous standby looks just like a success but for this.
            raise BusyError("the commit may not have reached its standbys: try again")
        return bool(cursor.rowcount == 1)

    def close(self) -> None:
        """See `heads.Heads`."""
        self._pool.close()


def _need_setting(connection: psycopg.Connection[Any], name: str, needed: str) -> None:
    (found,) = connection.execute(query("setting"), (name,)).fetchone() or ("",)
    if found != needed:
        raise StartRefusedError(
            f"the database has {name} = {found}: a head could be lost, and a fork cosigned after "
            f"it. Set it to {needed} and start again"
        )
