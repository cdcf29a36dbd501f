"""The ledger: signed statements in, a Merkle log with proofs out."""
