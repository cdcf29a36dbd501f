"""The data store: PostgreSQL, the sequencer, and the ledger on top of them."""
