"""The domain: aggregates as pure decide and evolve, without I/O and without any framework."""
