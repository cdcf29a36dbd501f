"""Reads a table's file to rows of text, in a child process that cannot hurt this one."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import PurePath

import orjson

from ledger.errors import FormatError
from ledger.store.media import CSV, XLSX, check_media

READ_S_MAX = 40.0
_FORMATS = {".xlsx": XLSX, ".csv": CSV}


def table_type(name: str) -> str:
    """Return the media type of a table by its file's name. Raises FormatError."""
    found = _FORMATS.get(PurePath(name).suffix.lower())
    if found is None:
        raise FormatError(f"{name}: a table is a file that ends in {' or '.join(_FORMATS)}")
    return found


def read_table(data: bytes, media_type: str) -> list[tuple[int, Sequence[str]]]:
    """Return the rows that hold anything, each with its number from 1.

    Dates come as 2026-03-31, numbers as plain decimals. Raises FormatError for what is no table,
    too large, or not safe to open: it is judged before anything is inflated.
    """
    check_media(data, media_type)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "api.tables.parse", "xlsx" if media_type == XLSX else "csv"],
            input=data,
            capture_output=True,
            timeout=READ_S_MAX,
            check=False,
        )
        answer = orjson.loads(done.stdout)
    except subprocess.TimeoutExpired:
        raise FormatError(f"the table could not be read within {READ_S_MAX:.0f} s") from None
    except orjson.JSONDecodeError:
        raise FormatError("the table takes more memory or time to read than one may") from None
    if "error" in answer:
        raise FormatError(f"the table: {answer['error']}")
    return [(number, cells) for number, cells in answer["rows"]]
