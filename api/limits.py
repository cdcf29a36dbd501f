"""What a batch of statements may have at most; both ends of the wire keep to it."""

from __future__ import annotations

BATCH_TYPE = "application/x-ndjson"
BATCH_LINES_MAX = 1_000
BATCH_BYTES_MAX = 4 * 1024 * 1024
