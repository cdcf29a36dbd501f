"""One fuzz target: feeds a parser what libFuzzer makes up, guided by the branches it reaches.

`python -m tests.fuzz.target PARSER [libFuzzer options] [folders]`. Anything that is raised but a
MingzhangError, more than `-rss_limit_mb` of memory or `-timeout` seconds for one input is a
finding: the process ends with a status other than 0 and names the file that holds the input.
"""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["ledger", "api"], enable_loader_override=False):
    from ledger.errors import MingzhangError
    from tests.support.corpus import CORPUS
    from tests.support.parsers import PARSERS, seeds

INPUT_BYTES_MAX = 16_384
INPUT_S_MAX = 20
MEMORY_MB_MAX = 1_024


def main(parser: str, options: list[str]) -> None:
    """Run a parser's target until an option says stop."""
    parse = PARSERS[parser]

    def feed(data: bytes) -> None:
        with contextlib.suppress(MingzhangError):
            parse(data)

    given = [each for each in options if not each.startswith("-")]
    if given:
        begin = Path(given[0])
        begin.mkdir(parents=True, exist_ok=True)
        for number, each in enumerate(seeds(parser)):
            (begin / f"seed-{number}").write_bytes(each)
        options = [*options, str(CORPUS / parser)]
    limits = [
        f"-max_len={INPUT_BYTES_MAX}",
        f"-timeout={INPUT_S_MAX}",
        f"-rss_limit_mb={MEMORY_MB_MAX}",
    ]
    atheris.Setup([sys.argv[0], *limits, *options], feed)
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
