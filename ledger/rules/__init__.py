"""The scoring engine: rulebook versions and effective entries give totals, pure and in integers."""
