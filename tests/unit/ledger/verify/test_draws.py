"""Cheat 10 in a whole log: who re-examines was drawn by the tree's own root."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

from ledger.domain.draw import drawn
from ledger.log.merkle import leaf_hash, root_of
from ledger.verify.whole import verify_log
from tests.support.organisation import COMMITMENT, Organisation
from tests.support.static_log import LOG_SIGNER, Recorder, small_log, write_log

STREAM = "dispute/d-1"
WHY = {"reason": COMMITMENT}


class Case:
    """A log with an appealed dispute, in which a draw is recorded as `draw` says."""

    def __init__(self) -> None:
        self.made = Organisation(members=6)
        self.recorder: Recorder = small_log(self.made)
        for name, role in (
            ("in-1", "intake"),
            ("disc-1", "discipline"),
            ("disc-2", "discipline"),
            ("high-1", "upper"),
            ("high-2", "upper"),
            ("high-3", "upper"),
        ):
            self.recorder.record(self.made.key(name))
            self.recorder.record(self.made.role(name, role))
        self.recorder.now += timedelta(days=1)
        target = {"unit": "root", "kind": "entry", "filer": COMMITMENT, "target": COMMITMENT}
        self.say("received", target, "in-1")
        self.say("acknowledged", {}, "in-1")
        self.say("accepted", {}, "disc-1")
        self.say("checked", {"step": "talk"} | WHY, "disc-1")
        self.say("heard", {"held_on": "2026-01-06", "bundle": COMMITMENT}, "disc-1")
        self.say("decided", {"outcome": "dismissed"} | WHY, "disc-1", "disc-2")
        self.pool = ["high-1", "high-2", "high-3", "reg-1", "reg-2"]
        self.say("appealed", {"filer": COMMITMENT, "pool": self.pool}, "in-1")
        self.appeal = self.recorder.size - 1

    def say(self, kind: str, body: dict[str, Any], *signers: str) -> None:
        self.recorder.record(
            self.made.statement(f"dispute.{kind}", STREAM, signers[0], body, also=signers[1:])
        )

    def draw(self, size: int, root: bytes) -> None:
        chosen = drawn(root, "d-1", self.pool, 2)
        body = {"size": size, "root": root.hex(), "chosen": list(chosen)}
        self.say("drawn", body, "in-1")
        for member in self.made.members[1:]:
            self.recorder.record(self.made.award(member))

    def root(self, size: int) -> bytes:
        return root_of([leaf_hash(each) for each in self.recorder.entries[:size]])


def test_a_draw_by_the_trees_own_root_holds(tmp_path: Path) -> None:
    for more in (1, 3):
        case = Case()
        for member in case.made.members[1:3]:
            case.recorder.record(case.made.award(member))
        size = case.appeal + more
        case.draw(size, case.root(size))
        folder = tmp_path / str(more)
        write_log(folder, case.recorder.entries)
        assert verify_log(str(folder), LOG_SIGNER.vkey, workers=0).failure is None


def test_cheat10_a_draw_by_a_root_that_was_made_up_is_shown(tmp_path: Path) -> None:
    case = Case()
    size = case.appeal + 1
    case.draw(size, bytes(32))
    write_log(tmp_path / "log", case.recorder.entries)
    failure = verify_log(str(tmp_path / "log"), LOG_SIGNER.vkey, workers=0).failure
    assert failure is not None
    assert (failure.kind, failure.index, failure.stream) == ("draw", case.appeal + 1, STREAM)
