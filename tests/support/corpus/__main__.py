"""Writes `tests/corpus` anew."""

from __future__ import annotations

import shutil

import orjson

from tests.support.corpus import CORPUS, REASONS, files, notes, statements, tiles
from tests.support.corpus.changes import Makers
from tests.support.parsers import PARSERS

MAKERS: Makers = {**notes.MAKERS, **tiles.MAKERS, **statements.MAKERS, **files.MAKERS}


def write() -> None:
    """Write all of them."""
    reasons: dict[str, dict[str, str]] = {}
    for parser in PARSERS:
        shutil.rmtree(CORPUS / parser, ignore_errors=True)
        (CORPUS / parser).mkdir(parents=True)
        for name, data, reason in MAKERS[parser]():
            (CORPUS / parser / name).write_bytes(data)
            reasons.setdefault(parser, {})[name] = reason
    option = orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE
    (CORPUS / REASONS).write_bytes(orjson.dumps(reasons, option=option))


if __name__ == "__main__":
    write()
