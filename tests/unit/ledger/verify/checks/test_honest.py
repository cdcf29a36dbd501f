from __future__ import annotations

from pathlib import Path

from ledger.verify.checks.catalogue import CHECKED, all_checks
from ledger.verify.checks.fold import run
from tests.support.walk import Walk
from tests.support.watched import honest


def test_an_honest_log_shows_nothing() -> None:
    log = honest()
    assert [str(each) for each in run(log.events, all_checks())] == []


def test_a_random_walk_of_allowed_statements_breaks_no_recomputed_rule() -> None:
    # What decide refuses no walk contains, so the checks that recompute a rule must be silent.
    recomputed = {9, 12, 20, 21}
    for seed in range(6):
        walk = Walk(seed).walk(400)
        found = [each for each in run(walk.events, all_checks()) if each.cheat in recomputed]
        assert [str(each) for each in found] == []


def test_every_cheat_that_is_said_to_be_checked_has_a_test_that_stages_it() -> None:
    text = "".join(each.read_text() for each in Path(__file__).parent.glob("test_*.py"))
    assert [n for n in CHECKED if f"def test_cheat_{n}_" not in text] == []
