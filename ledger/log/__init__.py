"""The Merkle log: tree, signed notes, checkpoints, tiles and receipts, all pure."""
