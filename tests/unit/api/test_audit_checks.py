from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from api.cli.console import CommandError
from ledger.errors import ProofError
from tests.support.audit import VKEY, run
from tests.support.organisation import COMMITMENT
from tests.support.watched import Watched, honest


@pytest.fixture
def bent() -> Watched:
    """An honest log that goes on with an edited calendar and three entries of one act."""
    log = honest()
    edited = {"year": 2026, "holidays": ["2026-02-18"], "workdays": []}
    log.say("calendar.published", "unit/root", edited, ("reg-1", "reg-2"), "2026-07-02")
    for number in range(3):
        log.direct("rec-1", "east-com-1", member="m-5", activity=f"a-{number}",
                   act_date="2026-06-30", day="2026-07-03")  # fmt: skip
    return log


def test_an_honest_log_has_nothing_to_look_at(tmp_path: Path) -> None:
    honest().write(tmp_path / "log")
    shown = run("checks", tmp_path / "log", "--vkey", VKEY).splitlines()
    assert shown[-1] == "0 to look at; a finding is no verdict"
    assert len(shown) == 3


def test_findings_name_cheat_entry_people_and_reason(bent: Watched, tmp_path: Path) -> None:
    signed = bent.write(tmp_path / "log")
    found = orjson.loads(run("checks", tmp_path / "log", "--vkey", VKEY, "--json"))
    assert (found["size"], found["root"]) == (signed.size, signed.root.hex())
    assert [(each["cheat"], each["index"]) for each in found["found"]] == [
        (3, signed.size - 1), (18, signed.size - 4)
    ]  # fmt: skip
    text = run("checks", tmp_path / "log", "--vkey", VKEY, "--cheat", "18").splitlines()
    assert text[2].startswith(f"cheat 18  entry {signed.size - 4} (with ")
    assert "reg-1, reg-2: the calendar of 2026 is replaced" in text[2]
    assert len(text) == 4


def test_as_of_an_earlier_size_or_day_later_cheats_are_not_there(
    bent: Watched, tmp_path: Path
) -> None:
    signed = bent.write(tmp_path / "log")
    for as_of in (signed.size - 1, "2026-07-02"):
        found = orjson.loads(
            run("checks", tmp_path / "log", "--vkey", VKEY, "--as-of", as_of, "--json")
        )
        assert [each["cheat"] for each in found["found"]] == [18]
        assert found["size"] in (signed.size - 1, signed.size - 3)


def test_entries_that_are_not_what_was_signed_end_in_an_error(
    bent: Watched, tmp_path: Path
) -> None:
    bent.write(tmp_path / "log")
    (bundle,) = (tmp_path / "log/tile/entries").glob("000.p/*")
    data = bundle.read_bytes()
    at = data.rindex(b"2026-07-03T02:00:00.000000Z")
    bundle.write_bytes(data[: at + 9] + b"4" + data[at + 10 :])
    with pytest.raises(ProofError, match="do not have the root"):
        run("checks", tmp_path / "log", "--vkey", VKEY)


def test_disclosed_files_show_the_same_evidence_twice(tmp_path: Path) -> None:
    log, other = honest(), "cd" * 32
    log.direct("rec-1", "east-com-1", member="m-5", day="2026-07-03",
               evidence=[{"kind": "photo", "commitment": other}])  # fmt: skip
    log.write(tmp_path / "log")
    files = tmp_path / "files.json"
    files.write_bytes(orjson.dumps({COMMITMENT: "11" * 32, other: "11" * 32}))
    words = ("checks", tmp_path / "log", "--vkey", VKEY, "--cheat", "3")
    assert "the same file" not in run(*words)
    assert "the same file, SHA-256 1111111111111111…" in run(*words, "--disclosed", files)


def test_a_number_that_no_check_can_show_is_refused_with_those_that_can(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="no check shows cheat 4 here: choose among 1, 2, 3"):
        run("checks", tmp_path, "--cheat", "4")
