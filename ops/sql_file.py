"""Named queries in a `.sql` file: each begins with a line `-- name: what it does`."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

_NAME = re.compile(r"^-- ([a-z_]+): .*$", re.MULTILINE)


@cache
def queries(path: Path) -> dict[str, bytes]:
    """Return the queries of a file by name."""
    parts = _NAME.split(path.read_text("utf-8"))[1:]
    return {name: sql.strip().encode() for name, sql in zip(parts[::2], parts[1::2], strict=True)}
