"""Fault 1: every step and every call of the sequencer fails, and then its recovery fails, too."""

from __future__ import annotations

import pytest

from ledger.store.sequencer import STEPS
from tests.support.simulation.script import CRASH, ERROR, Script

KINDS = (ERROR, CRASH)


CLEAN = Script()
CLEAN.play()
POINTS, SETTLED = CLEAN.points, CLEAN.settled


def test_a_round_passes_every_step_and_call() -> None:
    passed = {point.partition(" ")[2] for point in POINTS}
    assert passed >= {name for name, _ in STEPS}
    assert passed >= {"append", "find", "stream_heads", "newest_note", "head", "note_covering"}


@pytest.mark.parametrize("kind", KINDS)
def test_after_any_fault_the_log_is_whole_and_answers_the_same(kind: str) -> None:
    for first in range(len(POINTS)):
        Script({first: kind}).play()


@pytest.mark.parametrize("first", range(SETTLED), ids=lambda n: f"{n} {POINTS[n]}")
@pytest.mark.parametrize("kind", KINDS)
def test_a_second_fault_before_the_answer_changes_nothing(first: int, kind: str) -> None:
    once = Script({first: kind})
    once.play()
    for second in range(first + 1, once.settled):
        for other in KINDS:
            Script({first: kind, second: other}).play()


def test_a_fault_during_a_recovery_stops_signing_until_the_next_start() -> None:
    stopped = set()
    for first in range(len(POINTS)):
        once = Script({first: ERROR})
        once.play()
        for second in range(first + 1, once.settled):
            if once.recovering[second]:
                # The script asserts that the sequencer stopped, and signs nothing after it.
                Script({first: ERROR, second: ERROR}).play()
                stopped.add(once.points[second].partition(" ")[2])
    assert stopped >= {"recover", "newest_note", "head", "read", "confirm", "find"}
