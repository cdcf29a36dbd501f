"""Each parser under a fuzzer for a moment: it raises MingzhangError or nothing, and stays small."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.fuzz import run as fuzz
from tests.support import parsers

SECONDS = 2


@pytest.mark.slow
@pytest.mark.skipif(find_spec("atheris") is None, reason="atheris has no wheel for this machine")
@pytest.mark.parametrize("parser", parsers.PARSERS)
def test_nothing_but_an_error_of_ours_comes_out_of_a_parser(parser: str, tmp_path: Path) -> None:
    done = fuzz.run(parser, SECONDS, tmp_path)
    assert done.returncode == 0, done.stderr[-4_000:]
    assert "Done " in done.stderr, "it ran to its end"
