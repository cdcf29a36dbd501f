"""A process that folds a database's log in small batches, for tests that kill it.

Run as `python -m tests.support.projector CONNINFO SIZE BATCH`; it writes a line after each batch.
"""

from __future__ import annotations

import sys

import psycopg

from projections.runner import Runner


def main(conninfo: str, size: int, batch: int) -> None:
    """Fold everything below `size`, `batch` entries at a time."""
    signed = 0

    def next_size() -> int:
        return min(size, signed + batch)

    runner = Runner(
        lambda: psycopg.connect(conninfo, autocommit=True), next_size, batch_entries=batch
    )
    while signed < size:
        runner.catch_up()
        signed = runner.size
        print(signed, flush=True)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
