"""Connections to PostgreSQL, and everything that is checked before the ledger runs on one.

The ledger's processes work as the role `mingzhang_service`, which may read, append and keep notes.
Whoever owns the schema is needed for migrations only.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg_pool import ConnectionPool

from ledger.errors import StartRefusedError
from ledger.store import migrations
from ledger.store.embedded import EmbeddedServer
from ledger.store.sql import query

SERVICE_ROLE = "mingzhang_service"
DATABASE = "mingzhang"
VERSION_MIN = 150_000
CONNECT_TIMEOUT_S = 10
# What may make a committed entry vanish, or a damaged one look sound.
_SETTINGS = {
    "fsync": "on",
    "full_page_writes": "on",
    "zero_damaged_pages": "off",
    "ignore_checksum_failure": "off",
}
# A network that swallows everything is noticed in half a minute, not in two hours.
_LINK = {
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 4,
    "tcp_user_timeout": 30_000,
}
_TRUE = frozenset({"1", "t", "true", "y", "yes", "on"})


class Database:
    """A checked database; `connect` and `pool` give connections with the service's role."""

    def __init__(self, conninfo: str, server: EmbeddedServer | None) -> None:
        self.conninfo = conninfo
        self._server = server

    def connect(self) -> psycopg.Connection[Any]:
        """Open an autocommit connection. Raises psycopg.OperationalError."""
        return psycopg.connect(self.conninfo, autocommit=True)

    def pool(self, min_size: int, max_size: int) -> ConnectionPool[Any]:
        """Open a pool of autocommit connections; close it before the database."""
        return ConnectionPool(
            self.conninfo,
            min_size=min_size,
            max_size=max_size,
            kwargs={"autocommit": True},
            timeout=CONNECT_TIMEOUT_S,
            open=True,
        )

    def close(self) -> None:
        """Let go of the embedded server, if there is one; the last one to go stops it."""
        if self._server is not None:
            self._server.close()


def open_database(data_dir: Path, url: str | None = None) -> Database:
    """Open the embedded database of `data_dir`, or the one at `url` (a PostgreSQL URI).

    Brings the schema up to date where it may. Raises StartRefusedError with what to do.
    """
    if os.environ.get("POSTGRES_ENABLE_DB_FUNCTIONS", "").strip().lower() in _TRUE:
        raise StartRefusedError(
            "POSTGRES_ENABLE_DB_FUNCTIONS is set: the event library then inserts without a lock, "
            "and readers that follow the log lose events; unset it"
        )
    server = None if url else EmbeddedServer(data_dir / "postgres")
    try:
        owner = url or _own_database(server)
        return Database(_prepared(owner, SERVICE_ROLE if server else None), server)
    except BaseException:
        if server is not None:
            server.close()
        raise


def _own_database(server: EmbeddedServer | None) -> str:
    """Return the embedded server's database for the ledger, made if it is not there."""
    assert server is not None  # noqa: S101 - there is a server wherever there is no URL
    with psycopg.connect(server.conninfo, autocommit=True) as connection:
        if connection.execute(query("database_exists"), (DATABASE,)).fetchone() is None:
            connection.execute(f"CREATE DATABASE {DATABASE}".encode())
    return make_conninfo(server.conninfo, dbname=DATABASE)


def _prepared(owner: str, login: str | None) -> str:
    """Check the database, migrate it, and return how to connect to it as the service."""
    try:
        conninfo_to_dict(owner)
    except psycopg.ProgrammingError as error:
        raise StartRefusedError(f"MINGZHANG_DATABASE_URL is no PostgreSQL URI: {error}") from None
    try:
        with psycopg.connect(owner, autocommit=True, connect_timeout=CONNECT_TIMEOUT_S) as found:
            _check_version(found)
            migrations.migrate(found)
            (user,) = found.execute(query("current_user")).fetchone() or ("",)
    except psycopg.OperationalError as error:
        raise StartRefusedError(f"the database does not answer: {error}".strip()) from None
    except psycopg.Error as error:
        raise StartRefusedError(
            f"the database cannot be read: {str(error).strip()}. If a page is damaged, restore a "
            "backup"
        ) from None
    options = [
        # An append that waits for somebody's lock fails with that reason instead of hanging, and
        # a paused process leaves no open transaction behind.
        "-c lock_timeout=4s",
        "-c idle_in_transaction_session_timeout=30s",
        "-c timezone=UTC",
    ]
    if login is None and user != SERVICE_ROLE:
        options.append(f"-c role={SERVICE_ROLE}")
    given = conninfo_to_dict(owner)
    service = make_conninfo(
        owner,
        options=" ".join([str(given.get("options") or ""), *options]).strip(),
        application_name="mingzhang",
        connect_timeout=CONNECT_TIMEOUT_S,
        **{name: value for name, value in _LINK.items() if name not in given},
        **({"user": login} if login else {}),
    )
    _check_service(service)
    return service


def _check_version(connection: psycopg.Connection[Any]) -> None:
    found = connection.info.server_version
    if found < VERSION_MIN:
        raise StartRefusedError(
            f"the database server is PostgreSQL {found // 10_000}; {VERSION_MIN // 10_000} or "
            "later is needed"
        )


def _check_service(conninfo: str) -> None:
    """Look at the settings and rights that the service really has on a connection of its own."""
    try:
        with psycopg.connect(conninfo, autocommit=True) as connection:
            for name, needed in _SETTINGS.items():
                _need_setting(connection, name, {needed})
            _need_setting(
                connection, "synchronous_commit", {"on", "local", "remote_write", "remote_apply"}
            )
            _need_setting(connection, "server_encoding", {"UTF8"})
            rights = connection.execute(query("service_rights")).fetchone()
    except psycopg.OperationalError as error:
        raise StartRefusedError(
            f"cannot work as the role {SERVICE_ROLE}: {str(error).strip()}. As the database's "
            f"owner: GRANT {SERVICE_ROLE} TO the user of MINGZHANG_DATABASE_URL"
        ) from None
    if rights is None or not all(rights):
        raise StartRefusedError(
            f"the role {SERVICE_ROLE} lacks rights on the schema mingzhang: run this once as the "
            "database's owner, who will grant them"
        )


def _need_setting(connection: psycopg.Connection[Any], name: str, allowed: set[str]) -> None:
    (found,) = connection.execute(query("setting"), (name,)).fetchone() or ("",)
    if found not in allowed:
        raise StartRefusedError(
            f"the database has {name} = {found}: entries could be lost or damaged unseen. Set it "
            f"to {min(allowed) if len(allowed) == 1 else 'on'} and start again"
        )
