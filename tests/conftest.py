"""Fixtures for every test; those that a test does not ask for cost nothing."""

import signal

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

# What a shell starts in the background ignores Ctrl-C, and so would every command that tests press
# it for: programs inherit that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
