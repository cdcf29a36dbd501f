"""The SQL of the store, in files: `queries.sql` holds named queries, `schema.sql` the schema."""

from __future__ import annotations

import re
from functools import cache
from importlib import resources

_NAME = re.compile(r"^-- ([a-z_]+): .*$", re.MULTILINE)


@cache
def query(name: str) -> str:
    """Return the named query of `queries.sql`. Raises KeyError if there is none."""
    return _queries()[name]


@cache
def _queries() -> dict[str, str]:
    text = resources.files("ledger.store.sql").joinpath("queries.sql").read_text()
    parts = _NAME.split(text)[1:]
    return {name: sql.strip() for name, sql in zip(parts[::2], parts[1::2], strict=True)}
