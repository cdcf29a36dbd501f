"""Makes every broken input: the same bytes each time, apart from what zlib's builds differ in."""

from __future__ import annotations

import shutil

import orjson

from tests.support.corpus import CORPUS, REASONS, files, notes, statements, tiles
from tests.support.corpus.changes import Case, Makers
from tests.support.parsers import PARSERS

MAKERS: Makers = {**notes.MAKERS, **tiles.MAKERS, **statements.MAKERS, **files.MAKERS}


def made() -> dict[str, list[Case]]:
    """Return the cases by parser."""
    return {parser: list(MAKERS[parser]()) for parser in PARSERS}


def write() -> None:
    """Write the files of all cases, and what is said of each."""
    reasons: dict[str, dict[str, str]] = {}
    for parser, cases in made().items():
        shutil.rmtree(CORPUS / parser, ignore_errors=True)
        (CORPUS / parser).mkdir(parents=True)
        for name, data, reason in cases:
            (CORPUS / parser / name).write_bytes(data)
            reasons.setdefault(parser, {})[name] = reason
    option = orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE
    (CORPUS / REASONS).write_bytes(orjson.dumps(reasons, option=option))
