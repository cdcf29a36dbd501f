"""How the time of an inclusion proof grows with the log.

The large log is synthetic: entries without signatures that the server itself makes, through the
real table with its trigger, in large batches. A proof reads hashes only.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from random import Random
from statistics import median

import psycopg

from ledger.log.merkle import leaf_hash, verify_inclusion
from ledger.store.postgres import Database
from ledger.store.reader import Reader
from ledger.store.start import edge_at
from ledger.store.table import EntryTable
from ledger.store.tiler import write_tiles
from ops.bench.report import Row
from ops.sql_file import queries

SMALL = 10_000
BATCH = 50_000
_PROOFS = 400
_SEED = 19_970_701


def measure(database: Database, owner: str, size: int) -> Iterator[Row]:
    """Yield the time of a proof at SMALL and at `size` entries, in the empty ledger `database`.

    `owner` is how to reach it as its owner (conninfo).
    """
    _grow(owner, 0, SMALL)
    small_ms = _proof_ms(database, SMALL)
    yield Row(f"inclusion proof at {SMALL:,} entries", "1", f"{small_ms:.2f} ms")
    _grow(owner, SMALL, size)
    large_ms = _proof_ms(database, size)
    yield Row(
        f"inclusion proof at {size:,} entries",
        f"{large_ms / small_ms:.2f} ×",
        f"{large_ms:.2f} ms",
        3.0,
        large_ms / small_ms,
        at_most=True,
    )


def _grow(owner: str, start: int, stop: int) -> None:
    sql = queries(Path(__file__).with_name("bench.sql"))
    with psycopg.connect(owner, autocommit=True) as connection:
        for first in range(start, stop, BATCH):
            connection.execute(sql["grow"], {"first": first, "last": min(stop, first + BATCH)})
        connection.execute(sql["note"], {"size": stop})
        write_tiles(connection, stop)
        connection.execute(sql["analyse"])


def _proof_ms(database: Database, size: int) -> float:
    random = Random(_SEED)
    store = EntryTable(database.connect)
    root = edge_at(store, size).root()
    store.close()
    taken_ms = []
    with database.pool(1, 1) as pool:
        reader = Reader(pool)
        for turn in range(_PROOFS + _PROOFS // 4):
            index = random.randrange(size)
            began_s = time.perf_counter()
            proof = reader.inclusion_proof(size, index)
            if turn >= _PROOFS // 4:
                taken_ms.append((time.perf_counter() - began_s) * 1_000)
            verify_inclusion(leaf_hash(reader.entry(index)), index, size, proof, root)
    return median(taken_ms)
