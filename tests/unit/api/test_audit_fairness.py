from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from ledger.errors import FormatError
from tests.support.audit import VKEY, run
from tests.support.organisation import COMMITMENT
from tests.support.watched import Watched


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """In east rec-1 puts R-1 at its top for group g-1 and at its bottom for all others."""
    log = Watched()
    names = {"name_zh": "组", "name_en": "group", "start": "2026-01-05"}
    log.say("unit.opened", "unit/g-1", names | {"parent": "east"})
    log.envelope(log.organisation.enrolment("m-9", "g-1"), "2026-01-06")
    for number in range(15):
        day = f"2026-02-{number + 1:02}"
        for member, points in (("m-9", 300 - number), ("m-5", 50 + number)):
            log.direct("rec-1", "east-com-1", member=member, item="R-1", points=points,
                       act_date=day, day=day)  # fmt: skip
        log.direct("lead-1", "east-com-2", member="m-9", item="R-1", points=100 + number,
                   act_date=day, day=day)  # fmt: skip
    log.direct("rec-1", "east-com-1", act_date="2026-01-10", day="2026-02-20")
    ident = log.claim(day="2026-02-21", act_date="2026-02-20", activity="x")
    returned = {"entry": ident, "reason": COMMITMENT}
    log.on("returned", returned, "lead-1", day="2026-02-22")
    log.write(tmp_path / "log")
    return tmp_path / "log"


def test_favour_shows_with_its_figures_from_the_tiles_alone(folder: Path) -> None:
    found = orjson.loads(run("fairness", folder, "--vkey", VKEY, "--period", "2026-Q1", "--json"))
    assert (found["acts"], found["period"]) == (47, "2026-Q1")
    flags = [each for each in found["flags"] if each["kind"] == "favour"]
    assert [each["subject"] for each in flags] == [["east-com-1", "g-1"], ["rec-1", "g-1"]]
    assert flags[0]["sample"] == [15, 15, 15]
    assert flags[0]["q"] < 0.001
    assert len(flags[0]["entries"]) == 15
    text = run("fairness", folder, "--vkey", VKEY, "--period", "2026")
    assert "评分者与小组 Scorer and group · rec-1, g-1" in text
    assert text.splitlines()[-1] == f"{len(found['flags'])} to look at; a flag is no verdict"


def test_a_period_without_enough_acts_says_nothing(folder: Path) -> None:
    found = orjson.loads(run("fairness", folder, "--vkey", VKEY, "--period", "2026-01", "--json"))
    assert (found["acts"], found["asked"], found["flags"]) == (1, 0, [])
    with pytest.raises(FormatError, match="is no period"):
        run("fairness", folder, "--period", "spring")


def test_as_of_an_earlier_day_only_earlier_entries_count(folder: Path) -> None:
    words = ("--vkey", VKEY, "--period", "2026", "--json", "--as-of", "2026-02-03")
    assert orjson.loads(run("fairness", folder, *words))["acts"] == 9
