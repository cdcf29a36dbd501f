"""Checks for cheats from inside: pure folds over a log that flag and explain, and never judge."""
