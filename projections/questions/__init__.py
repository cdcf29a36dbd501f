"""What members, auditors and the committee ask beyond the read models' own tables."""
