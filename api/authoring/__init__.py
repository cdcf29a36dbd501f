"""What rulebook authors write: YAML in, the canonical form of a rulebook out, each with lines."""
