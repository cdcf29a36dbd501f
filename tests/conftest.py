"""Fixtures for every test; those that a test does not ask for cost nothing."""

from tests.support.database import clock, database_url, ledger, open_ledger, postgres

__all__ = ["clock", "database_url", "ledger", "open_ledger", "postgres"]
