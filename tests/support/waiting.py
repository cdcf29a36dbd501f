"""Conditions that tests wait for, and what the database says of who holds what."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from psycopg_pool import ConnectionPool

HELD = (
    "SELECT count(*) FROM pg_locks WHERE relation = 'mingzhang_views.build'::regclass "
    "AND pid <> pg_backend_pid()"
)
"""How many other sessions hold a lock on the positions of read models."""


def wait_until(condition: Callable[[], bool], timeout_s: float) -> float:
    """Wait for a condition and return how long it took; fail after `timeout_s`."""
    start_s = time.monotonic()
    while not condition():
        assert time.monotonic() - start_s < timeout_s, f"not so after {timeout_s} s"
        time.sleep(0.01)
    return time.monotonic() - start_s


def pool_row(pool: ConnectionPool[Any], query: str) -> Any:
    """Return the one row of a query."""
    with pool.connection() as connection:
        return connection.execute(query.encode()).fetchone()
