"""`mingzhang verify FILE` sees what a file is."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest
from typer.main import get_command

from api.cli.verify import verify
from ledger.state import MemberLeaf, prove

LEAVES = [MemberLeaf("m-1", 1, "ab" * 32, "east", "2026", 100)]


@pytest.mark.parametrize(
    ("data", "command"),
    [
        (b"c2sp.org/tlog-proof@v1\n", "receipt"),
        (b"nothing known", "receipt"),
        (b"{not JSON", "receipt"),
        (prove(LEAVES, 0, b"").data(), "state"),
        (b'{"seen":"","shown":""}', "evidence"),
        (b'{"at":"","kind":"mingzhang.evidence.v1"}', "evidence"),
    ],
)
def test_a_file_stands_for_the_command_that_checks_it(
    data: bytes, command: str, tmp_path: Path
) -> None:
    file = tmp_path / "file"
    file.write_bytes(data)
    group = cast("Any", get_command(verify))
    name, _, rest = group.resolve_command(group.make_context("verify", ["log"]), [str(file)])
    assert (name, rest) == (command, [str(file)])
