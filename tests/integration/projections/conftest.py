"""A database with the log's tables, connections to it, and the table that journals are put in."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from psycopg_pool import ConnectionPool

from ledger.store.postgres import Database, open_database
from ledger.store.table import EntryTable


@pytest.fixture
def database(tmp_path: Path, database_url: str) -> Database:
    return open_database(tmp_path / "data", database_url)


@pytest.fixture
def pool(database: Database) -> Iterator[ConnectionPool[Any]]:
    with database.pool(1, 4) as pool:
        yield pool


@pytest.fixture
def table(database: Database) -> Iterator[EntryTable]:
    table = EntryTable(database.connect)
    yield table
    table.close()
