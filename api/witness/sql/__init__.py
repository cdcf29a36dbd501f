"""The SQL of a witness's database, as named queries in `witness.sql`."""

from __future__ import annotations

import re
from functools import cache
from importlib import resources

_NAME = re.compile(r"^-- ([a-z_]+): .*$", re.MULTILINE)


@cache
def query(name: str) -> bytes:
    """Return a named query. Raises KeyError if there is none."""
    text = resources.files("api.witness.sql").joinpath("witness.sql").read_text()
    parts = _NAME.split(text)[1:]
    return dict(zip(parts[::2], parts[1::2], strict=True))[name].strip().encode()
