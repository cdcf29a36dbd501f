"""Writes full tiles with their subtree roots, behind the signing, in a thread of its own.

A tile is derived from leaf hashes (or the roots of the tiles below) that a signed checkpoint
covers, so it can be written by any process, twice, late, or again from nothing.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import psycopg
import structlog
from psycopg_pool import ConnectionPool

from ledger.log.merkle import root_of
from ledger.log.tiles import TILE_HEIGHT, TILE_WIDTH
from ledger.store.sql import query
from ledger.store.tree import level_hashes

LEVELS = 8
POLL_S = 0.5
_log = structlog.get_logger("ledger.tiler")


def write_tiles(connection: psycopg.Connection[Any], size: int) -> int:
    """Write every full tile of a tree of `size` that is missing; return how many were written."""

    def rows(sql: str, params: Any) -> list[Any]:
        return connection.cursor(binary=True).execute(sql.encode(), params).fetchall()

    written = 0
    for level in range(LEVELS):
        full = (size >> (TILE_HEIGHT * level)) // TILE_WIDTH
        (done,) = rows(query("tile_next"), (level,))[0]
        for n in range(done, full):
            hashes = level_hashes(rows, level, n * TILE_WIDTH, (n + 1) * TILE_WIDTH)
            values = (level, n, b"".join(hashes), root_of(hashes))
            connection.execute(query("insert_tile").encode(), values)
            written += 1
    return written


class Tiler:
    """Keeps the stored tiles up with `signed_size` until closed."""

    def __init__(self, pool: ConnectionPool[Any], signed_size: Callable[[], int]) -> None:
        self._pool = pool
        self._signed_size = signed_size
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="tiler", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End the thread; what is not written yet is written by the next one."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        done = -1
        while not self._stop.is_set():
            try:
                size = self._signed_size()
                if size >> TILE_HEIGHT > done >> TILE_HEIGHT or done < 0:
                    with self._pool.connection() as connection:
                        write_tiles(connection, size)
                    done = size
            except Exception as error:  # noqa: BLE001 - readers derive what is missing meanwhile
                _log.warning("tiles_wait", error=str(error))
            self._stop.wait(POLL_S)
