"""Fixtures for every test; those that a test does not ask for cost nothing."""

from tests.support.database import (
    clock,
    database_url,
    ledger,
    module_database_url,
    open_ledger,
    postgres,
)

__all__ = [
    "clock",
    "database_url",
    "ledger",
    "module_database_url",
    "open_ledger",
    "postgres",
]
