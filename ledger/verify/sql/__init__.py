"""The SQL of the monitor's SQLite file: `place.sql` makes it, `queries.sql` has the queries.

A file's version says which of the scripts have run: each makes the next one.
"""

from __future__ import annotations

import re
from functools import cache
from importlib import resources

_NAME = re.compile(r"^-- ([a-z_]+): .*$", re.MULTILINE)


SCRIPTS = ("place.sql", "witnesses.sql")


def script(version: int) -> str:
    """Return the statements that bring a file of `version` to the next one."""
    return resources.files("ledger.verify.sql").joinpath(SCRIPTS[version]).read_text()


@cache
def query(name: str) -> str:
    """Return a named query. Raises KeyError if there is none."""
    return _queries()[name]


@cache
def _queries() -> dict[str, str]:
    text = resources.files("ledger.verify.sql").joinpath("queries.sql").read_text()
    parts = _NAME.split(text)[1:]
    return {name: sql.strip() for name, sql in zip(parts[::2], parts[1::2], strict=True)}
