"""A monitor with a policy: the quorum by its own clock, silent witnesses, what a witness has seen.

Requirements 5 and 6 of the design's `verification.md`: freshness is of the verifier's clock and the
cosignatures' times, and without the quorum nothing is green.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson
import pytest

from ledger.log import note, policy
from ledger.log.checkpoint import open_checkpoint
from ledger.log.policy import Policy
from ledger.verify.evidence import verify_evidence
from ledger.verify.monitor import Monitor, Outcome
from ledger.verify.place import FILE, Place
from ledger.verify.report import Report
from ledger.verify.source import open_source
from ledger.verify.whole import verify_log
from ledger.verify.witnessed import Witnessed
from tests.support.organisation import ORIGIN, Organisation
from tests.support.static_log import LOG_SIGNER, Recorder, rewrite_log, small_log, write_log
from tests.support.witnesses import Answer, cosigner, policy_of, scripted

VKEY = LOG_SIGNER.vkey
NOW = datetime(2026, 3, 1, tzinfo=UTC)
DAY_S = 86_400
NOWHERE = "http://127.0.0.1:9"
TWO_OF_THREE = policy.parse(policy_of(dict.fromkeys((1, 2, 3), NOWHERE), 2))


class Watch:
    """A monitor with a policy, started anew for each look."""

    def __init__(self, log: Path, state: Path) -> None:
        self.log, self.state, self.now = log, state, NOW
        self.policy: Policy = TWO_OF_THREE

    def look(self) -> Outcome:
        with Place(self.state, VKEY) as place:
            source = open_source(str(self.log))
            return Monitor(
                source, VKEY, place, lambda: self.now, reports=True, policy=self.policy
            ).look()

    def posts(self) -> list[tuple[str, list[str]]]:
        with Place(self.state, VKEY) as place:
            found = [orjson.loads(body) for _, body in place.posts(100)]
        return [(each["event"], each["silent"]) for each in found if "silent" in each]

    def asking(self, stack: ExitStack, **answers: Callable[[str], bytes]) -> None:
        """Give witnesses addresses: each answers a path with a note."""
        urls = dict.fromkeys((1, 2, 3), NOWHERE)
        for name, say in answers.items():

            def answer(path: str, _: bytes, say: Callable[[str], bytes] = say) -> Answer:
                return 200, "text/plain", say(path)

            urls[int(name[1:])] = stack.enter_context(scripted(answer))
        self.policy = policy.parse(policy_of(urls, 2))


@pytest.fixture
def watch(tmp_path: Path) -> Watch:
    return Watch(tmp_path / "log", tmp_path / "state")


def cosigned(data: bytes, *witnesses: int, age_s: int = 0) -> bytes:
    """Return a note with the lines of witnesses, so many seconds old."""
    at = int(NOW.timestamp()) - age_s
    text = note.parse(data).text
    return note.with_signatures(data, [cosigner(n).line(text, at) for n in witnesses])


def show(log: Path, *witnesses: int, age_s: int = 0) -> bytes:
    """Cosign the checkpoint that a log's folder shows."""
    file = log / "checkpoint"
    plain = file.read_bytes().split(b"\n\n")[0] + b"\n\n"
    line = file.read_bytes().split(b"\n\n")[1].splitlines(keepends=True)[0]
    file.write_bytes(cosigned(plain + line, *witnesses, age_s=age_s))
    return file.read_bytes()


def witnessed(outcome: Outcome) -> Witnessed:
    assert (outcome.findings, outcome.trouble) == ((), None)
    assert outcome.witnessed is not None
    return outcome.witnessed


def test_a_quorum_is_waited_for_and_who_does_not_sign_is_named(watch: Watch) -> None:
    write_log(watch.log, small_log(Organisation()).entries)
    show(watch.log, 1)
    found = witnessed(watch.look())
    assert found.waiting == "too few witnesses have seen this checkpoint"
    assert found.silent == ("w2", "w3")
    show(watch.log, 1, 2)
    found = witnessed(watch.look())
    assert (found.waiting, found.silent) == (None, ("w3",))
    show(watch.log, 1, 2, 3)
    assert witnessed(watch.look()).silent == ()
    assert watch.posts() == [
        ("waiting-for-witnesses", ["w2", "w3"]),
        ("witnessed", ["w3"]),
        ("witnessed", []),
    ]


def test_v05_a_quorum_older_than_seven_days_by_the_own_clock_is_waiting(watch: Watch) -> None:
    write_log(watch.log, small_log(Organisation()).entries)
    show(watch.log, 1, 2, age_s=7 * DAY_S - 1)
    assert witnessed(watch.look()).waiting is None
    watch.now += timedelta(seconds=1)
    found = witnessed(watch.look())
    assert found.met
    assert found.waiting is not None
    assert "7 days old, by this machine's clock" in found.waiting
    assert found.silent == ("w1", "w2", "w3")
    show(watch.log, 1, 2)
    assert witnessed(watch.look()).waiting is None


def test_v05_a_clock_that_is_a_day_slow_is_said_and_checking_goes_on(watch: Watch) -> None:
    write_log(watch.log, small_log(Organisation()).entries)
    data = show(watch.log, 1, 2)
    slow = Witnessed.of(data, TWO_OF_THREE, NOW.timestamp() - DAY_S)
    assert slow.fresh
    assert sum("ahead of this machine's clock" in line for line in slow.lines()) == 2
    right = Witnessed.of(data, TWO_OF_THREE, NOW.timestamp())
    assert not [line for line in right.lines() if "ahead" in line]
    watch.now -= timedelta(days=1)
    assert witnessed(watch.look()).waiting is None


def test_what_witnesses_said_is_remembered_while_the_newest_checkpoint_is_pending(
    watch: Watch,
) -> None:
    entries = small_log(Organisation(), 20).entries
    write_log(watch.log, entries[:25])
    show(watch.log, 1, 2)
    assert witnessed(watch.look()).waiting is None
    write_log(watch.log, entries)
    assert witnessed(watch.look()).waiting is None
    watch.now += timedelta(days=8)
    assert witnessed(watch.look()).waiting is not None


def test_a_witness_that_has_not_signed_what_is_shown_is_asked_itself(watch: Watch) -> None:
    entries = small_log(Organisation(), 20).entries
    write_log(watch.log, entries[:25])
    older = cosigned((watch.log / "checkpoint").read_bytes(), 2)
    write_log(watch.log, entries)
    show(watch.log, 1)
    asked: list[str] = []

    def say(path: str) -> bytes:
        asked.append(path)
        return older

    with ExitStack() as stack:
        watch.asking(stack, w2=say, w3=lambda _: b"<html>\n")
        outcome = watch.look()
    found = witnessed(outcome)
    assert (found.waiting, found.silent) == (None, ("w3",))
    assert [name for name, _ in outcome.unheard] == ["w3"]
    assert asked == [f"/{hashlib.sha256(ORIGIN.encode()).hexdigest()}/checkpoint"]


@pytest.mark.parametrize("awards", [4, 11, 30])
def test_another_history_that_a_witness_has_cosigned_is_a_finding_that_convinces(
    watch: Watch, awards: int, tmp_path: Path
) -> None:
    """A log that shows its readers one history and its witnesses another is caught."""
    write_log(watch.log, small_log(Organisation(), 12).entries)
    other = tmp_path / "other"
    write_log(other, small_log(Organisation(members=5), awards).entries)
    theirs = cosigned((other / "checkpoint").read_bytes(), 3)
    size = open_checkpoint(theirs, VKEY).size
    own = open_checkpoint((watch.log / "checkpoint").read_bytes(), VKEY).size
    with ExitStack() as stack:
        watch.asking(stack, w3=lambda _: theirs)
        outcome = watch.look()
    if size > own:
        # What the log does not show cannot be compared yet: it is said, and not counted.
        assert outcome.findings == ()
        assert dict(outcome.unheard)["w3"].startswith(f"it cosigned size {size}, which the log")
        return
    (found,) = outcome.findings
    assert found["kind"] == ("split-view" if size == own else "history")
    assert verify_evidence(orjson.dumps(found), VKEY)
    assert outcome.witnessed is not None
    assert "w3" in outcome.witnessed.silent


def test_a_bad_line_by_a_witness_of_the_policy_is_a_finding(watch: Watch) -> None:
    write_log(watch.log, small_log(Organisation()).entries)
    show(watch.log, 1, 2)
    file = watch.log / "checkpoint"
    bad = cosigner(3).line("another.example/log\n3\n" + "A" * 43 + "=\n", 1_700_000_000)
    file.write_bytes(note.with_signatures(file.read_bytes(), [bad]))
    (found,) = watch.look().findings
    assert found["kind"] == "cosignature"


def test_a_place_of_an_older_version_goes_on(watch: Watch) -> None:
    write_log(watch.log, small_log(Organisation()).entries)
    size = watch.look().size
    with sqlite3.connect(watch.state / FILE) as file:
        file.executescript("DROP TABLE cosigned; DROP TABLE witnesses; PRAGMA user_version = 1;")
    outcome = watch.look()
    assert (outcome.size, outcome.checked) == (size, 0)


# -- the lines that entries hold ---------------------------------------------------------------


class Served:
    """A log with a service actor, which records cosignatures."""

    def __init__(self) -> None:
        self.made = Organisation()
        self.recorder: Recorder = small_log(self.made)
        self.recorder.record(self.made.key("robot"))
        self.recorder.record(self.made.role("robot", "service"))

    def text(self, folder: Path) -> tuple[int, str]:
        """Return size and text of the checkpoint so far."""
        rewrite_log(folder, self.recorder.entries) if folder.exists() else write_log(
            folder, self.recorder.entries
        )
        data = (folder / "checkpoint").read_bytes()
        return open_checkpoint(data, VKEY).size, note.parse(data).text

    def record(self, size: int, *lines: str) -> int:
        """Record a `checkpoint.witnessed`; return its index."""
        body = {"size": size, "cosignatures": list(lines)}
        statement = self.made.statement("checkpoint.witnessed", "ledger/root", "robot", body)
        self.recorder.record(statement)
        self.recorder.record(self.made.award(self.made.members[1]))
        return len(self.recorder.entries) - 2

    def verify(self, folder: Path) -> Report:
        rewrite_log(folder, self.recorder.entries)
        show(folder, 1, 2, 3)
        return verify_log(str(folder), VKEY, workers=0, policy=TWO_OF_THREE)


AT = 1_767_000_000


def test_the_lines_that_entries_hold_are_of_the_logs_own_tree(tmp_path: Path, watch: Watch) -> None:
    served = Served()
    size, text = served.text(watch.log)
    stranger = cosigner(9).line("elsewhere\n1\n" + "A" * 43 + "=\n", AT)
    served.record(size, cosigner(1).line(text, AT), cosigner(2).line(text, AT), stranger)
    report = served.verify(watch.log)
    assert report.failure is None, "a line by nobody of the policy is nobody's word"
    assert watch.look().findings == ()


@pytest.mark.parametrize("lie", ["another tree", "another size"])
def test_a_line_in_an_entry_that_is_not_of_this_tree_is_named_by_verify_and_monitor(
    lie: str, watch: Watch
) -> None:
    served = Served()
    size, text = served.text(watch.log)
    if lie == "another tree":
        root = text.splitlines()[2]
        text = text.replace(root, "A" * 43 + "=")
        index = served.record(size, cosigner(1).line(text, AT))
    else:
        index = served.record(size - 1, cosigner(1).line(text, AT))
    served.record(served.text(watch.log)[0], cosigner(2).line(served.text(watch.log)[1], AT))
    failure = served.verify(watch.log).failure
    assert failure is not None
    assert (failure.kind, failure.index) == ("cosignature", index)
    assert "did not cosign this log's tree" in failure.reason
    (found,) = watch.look().findings
    assert (found["kind"], found["index"]) == ("cosignature", index)
    assert verify_log(str(watch.log), VKEY, workers=0).failure is None, "without a policy unknown"


def test_an_entry_cannot_say_that_a_tree_was_witnessed_which_was_not_there_yet(
    watch: Watch,
) -> None:
    served = Served()
    size, text = served.text(watch.log)
    body = {"size": size + 1, "cosignatures": [cosigner(1).line(text, AT)]}
    statement = served.made.statement("checkpoint.witnessed", "ledger/root", "robot", body)
    served.recorder.record(statement, checked=False)
    failure = served.verify(watch.log).failure
    assert failure is not None
    assert (failure.kind, failure.index) == ("witnessed-size", size)
    (found,) = watch.look().findings
    assert (found["kind"], found["index"]) == ("witnessed-size", size)


def test_a_tile_that_is_wrong_is_not_blamed_on_a_witness(watch: Watch) -> None:
    served = Served()
    for _ in range(300):
        served.recorder.record(served.made.award(served.made.members[2]))
    size, text = served.text(watch.log)
    served.record(size, cosigner(1).line(text, AT))
    served.text(watch.log)
    show(watch.log, 1, 2, 3)
    tile = watch.log / "tile" / "1" / "000.p" / "1"
    tile.write_bytes(b"\x07" * 32)
    failure = verify_log(str(watch.log), VKEY, workers=0, policy=TWO_OF_THREE).failure
    assert failure is not None
    assert failure.kind == "tile"
