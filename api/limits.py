"""What both ends of the wire keep to: limits of a batch of statements, names of headers."""

from __future__ import annotations

BATCH_TYPE = "application/x-ndjson"
BATCH_LINES_MAX = 1_000
BATCH_BYTES_MAX = 4 * 1024 * 1024

SALT_HEADER = "Document-Salt"
"""Carries the salt of a document, 64 lower-case hex digits, both ways."""
