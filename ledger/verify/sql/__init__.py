"""The SQL of the monitor's SQLite file: `place.sql` makes it, `queries.sql` has the queries."""

from __future__ import annotations

import re
from functools import cache
from importlib import resources

_NAME = re.compile(r"^-- ([a-z_]+): .*$", re.MULTILINE)


def schema() -> str:
    """Return the statements that make an empty file's tables."""
    return resources.files("ledger.verify.sql").joinpath("place.sql").read_text()


@cache
def query(name: str) -> str:
    """Return a named query. Raises KeyError if there is none."""
    return _queries()[name]


@cache
def _queries() -> dict[str, str]:
    text = resources.files("ledger.verify.sql").joinpath("queries.sql").read_text()
    parts = _NAME.split(text)[1:]
    return {name: sql.strip() for name, sql in zip(parts[::2], parts[1::2], strict=True)}
