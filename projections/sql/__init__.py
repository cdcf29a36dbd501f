"""The SQL of the read models, in files of named queries: one a model, and the runner's."""

from __future__ import annotations

import re
from functools import cache
from importlib import resources

_NAME = re.compile(r"^-- ([a-z_]+): .*$", re.MULTILINE)


@cache
def query(file: str, name: str, build: int = 0) -> str:
    """Return a named query of `<file>.sql`, for the tables of `build` where it names any.

    Raises KeyError if there is none.
    """
    return _queries(file)[name].replace("{b}", str(build))


@cache
def _queries(file: str) -> dict[str, str]:
    text = resources.files("projections.sql").joinpath(f"{file}.sql").read_text()
    parts = _NAME.split(text)[1:]
    return {name: sql.strip() for name, sql in zip(parts[::2], parts[1::2], strict=True)}
