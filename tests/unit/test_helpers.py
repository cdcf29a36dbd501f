"""Helper processes: what is left of them when whoever started them is gone."""

from __future__ import annotations

import os
import subprocess
import sys
from io import BytesIO
from pathlib import Path

import pytest

from ledger import helpers
from tests.support.journal import random_journal

READER = ("projections.reader", "{log}", "600", "3", "600", "member", "0", "1")
CHECKER = ("ledger.verify.worker", "{log}", "example.org/points", "600", "0", "1")


@pytest.mark.parametrize("words", [READER, CHECKER], ids=lambda each: str(each[0]))
def test_a_helper_ends_without_a_word_when_nobody_reads_its_answers(
    tmp_path: Path, words: tuple[str, ...]
) -> None:
    """After Ctrl-C or a kill the terminal shows no traceback of theirs."""
    log = random_journal(seed=60, size=600).write(tmp_path)
    asked = BytesIO()
    helpers.write_frame(asked, [])
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [sys.executable, "-m", *(word.format(log=log) for word in words)],
        input=asked.getvalue(),
        stdout=write,
        stderr=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        check=False,
        timeout=60,
    )
    os.close(write)
    assert (done.returncode, done.stderr) == (0, b"")
