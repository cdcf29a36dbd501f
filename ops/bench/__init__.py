"""Benchmarks: the ledger beside the plain eventsourcing library, on one PostgreSQL."""
