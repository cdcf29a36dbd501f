"""A process that rebuilds a read model in small batches, for tests that kill it.

Run as `python -m tests.support.rebuilder CONNINFO MODEL SIZE BATCH`; it writes a line after each
batch, and `swapped` at the end.
"""

from __future__ import annotations

import sys

import psycopg

from projections.catalogue import MODELS
from projections.rebuild import rebuild


def main(conninfo: str, name: str, size: int, batch: int) -> None:
    """Rebuild the read model `name` of a log of `size` entries."""
    rebuild(
        lambda: psycopg.connect(conninfo, autocommit=True),
        lambda: size,
        next(each for each in MODELS if each.name == name),
        lambda done, _total: print(done, flush=True),
        batch_entries=batch,
    )
    print("swapped", flush=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
