"""Every file of `tests/corpus` is refused, with a message that names its fault."""

from __future__ import annotations

import orjson
import pytest

from ledger.errors import MingzhangError
from tests.support.corpus import CORPUS, REASONS
from tests.support.corpus.made import made
from tests.support.parsers import PARSERS, seeds

_REASONS: dict[str, dict[str, str]] = orjson.loads((CORPUS / REASONS).read_bytes())
_ZIPPED = ("xlsx", "bundle-zip")
"""Other builds of zlib compress to other bytes, which are as broken."""
_FILES = [(parser, name) for parser, names in _REASONS.items() for name in names]


@pytest.mark.parametrize(("parser", "name"), _FILES)
def test_a_broken_input_is_refused_with_its_reason(parser: str, name: str) -> None:
    with pytest.raises(MingzhangError) as caught:
        PARSERS[parser]((CORPUS / parser / name).read_bytes())
    assert _REASONS[parser][name] in caught.value.message
    assert len(caught.value.message) < 1_000, "what a stranger sent is not sent back whole"


@pytest.mark.parametrize("parser", PARSERS)
def test_the_good_input_that_each_was_made_from_is_read(parser: str) -> None:
    for each in seeds(parser):
        PARSERS[parser](each)


def test_every_file_has_a_reason_and_every_parser_files() -> None:
    found = {(each.parent.name, each.name) for each in CORPUS.glob("*/*")}
    assert found == set(_FILES)
    assert set(_REASONS) == set(PARSERS)


def test_the_files_are_what_their_makers_make_today() -> None:
    cases = made()
    reasons = {parser: {each[0]: each[2] for each in found} for parser, found in cases.items()}
    assert reasons == _REASONS
    stale = [
        f"{parser}/{name}"
        for parser, found in cases.items()
        for name, data, _ in found
        if parser not in _ZIPPED and (CORPUS / parser / name).read_bytes() != data
    ]
    assert not stale, "write them anew: python -m tests.support.corpus"
