"""Operations: the demo, the benchmarks, and what runs the ledger day by day."""
