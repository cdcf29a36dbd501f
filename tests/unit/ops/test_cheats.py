"""`ops/cheats.md` names a test for each of the 25 cheats, and each of these tests is there."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[3]
TABLE = ROOT / "ops" / "cheats.md"
NAMED = re.compile(r"`(tests/[^:`]+)::(test_\w+)`").findall


def rows() -> dict[int, list[str]]:
    found = {}
    for line in TABLE.read_text().splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if cells[0].isdigit():
            found[int(cells[0])] = cells
    return found


def test_all_25_cheats_stand_in_the_table_with_what_shows_or_hides_them() -> None:
    assert sorted(rows()) == list(range(1, 26))
    for number, cells in rows().items():
        assert len(cells) == 5, number
        assert all(cells), f"cheat {number} has an empty cell"


def test_every_test_that_the_table_names_exists_and_names_its_cheat() -> None:
    for number, cells in rows().items():
        named = NAMED(cells[4])
        assert named, f"no test stages cheat {number}"
        for path, name in named:
            text = (ROOT / path).read_text()
            assert f"\ndef {name}(" in text, f"cheat {number}: {path} has no {name}"
            told = re.match(r"test_cheat_?(\d+)_", name)
            assert told is None or int(told[1]) == number, f"{name} is not of cheat {number}"
