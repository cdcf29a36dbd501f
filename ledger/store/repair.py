"""Derives the stored tiles again, for `mingzhang repair tiles`.

Tiles are a cache of what the entries give, so they may be thrown away; the service's role may not
do that, only the owner of the database.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import psycopg
from psycopg.conninfo import make_conninfo

from ledger.errors import ProofError, StartRefusedError
from ledger.log.checkpoint import open_checkpoint
from ledger.log.merkle import Edge, peak_nodes
from ledger.log.note import VerifierKey
from ledger.store.embedded import SUPERUSER
from ledger.store.ledger import VKEY_FILE
from ledger.store.postgres import open_database
from ledger.store.sql import query
from ledger.store.tiler import write_tiles
from ledger.store.tree import node_hashes


def repair_tiles(data_dir: Path, url: str | None = None) -> int:
    """Delete all stored tiles and derive them again; return how many there are.

    Everything happens in one transaction, which ends only if the tree has the root of the newest
    signed note. Raises StartRefusedError, or ProofError where the entries themselves differ.
    """
    url = url or os.environ.get("MINGZHANG_DATABASE_URL")
    try:
        vkey = VerifierKey.parse((data_dir / VKEY_FILE).read_text().strip())
    except OSError as error:
        raise StartRefusedError(
            f"cannot read {data_dir / VKEY_FILE}: {error.strerror}; name the ledger's folder"
        ) from None
    database = open_database(data_dir, url)
    try:
        owner = url or make_conninfo(database.conninfo, user=SUPERUSER)
        with psycopg.connect(owner, autocommit=True) as connection, connection.transaction():
            return _derive(connection, vkey)
    finally:
        database.close()


def _derive(connection: psycopg.Connection[Any], vkey: VerifierKey) -> int:
    def rows(sql: str, params: Any = ()) -> list[Any]:
        return connection.cursor(binary=True).execute(sql.encode(), params).fetchall()

    connection.execute(query("delete_tiles").encode())
    newest = rows(query("newest_note"))
    if not newest:
        return 0
    signed = open_checkpoint(newest[0][1], vkey)
    written = write_tiles(connection, signed.size)
    peaks = peak_nodes(signed.size)
    found = node_hashes(rows, peaks)
    if Edge(signed.size, tuple(found[node] for node in peaks)).root() != signed.root:
        raise ProofError(
            f"the entries themselves do not have the root signed at size {signed.size}: history "
            "was changed, and no tile was touched. Compare with an export or a witness"
        )
    return written
