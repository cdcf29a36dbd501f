"""What a monitor finds in a log, what it does not take for a fault of the log, and where it is."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import orjson
import pytest

from ledger.entry import entry_bytes, parse_entry
from ledger.errors import ConflictError, FormatError, ProofError
from ledger.log import checkpoint
from ledger.log.checkpoint import Checkpoint
from ledger.log.merkle import consistency_proof
from ledger.log.tiles import node_from_tiles
from ledger.signing import encode_base64
from ledger.verify import monitor as monitoring
from ledger.verify import webhook
from ledger.verify.evidence import verify_evidence
from ledger.verify.monitor import Monitor, Outcome
from ledger.verify.place import Place
from ledger.verify.source import FolderSource, open_source
from ledger.verify.whole import verify_log
from tests.support.organisation import ORIGIN, START, Organisation, key_of
from tests.support.static_log import (
    LOG_SIGNER,
    OTHER_SIGNER,
    Recorder,
    rewrite_log,
    small_log,
    with_new_chains,
    write_log,
)

VKEY = LOG_SIGNER.vkey


class Watch:
    """A monitor that is started anew for every look, as a process that ended would be."""

    def __init__(self, where: str | Path, state: Path) -> None:
        self.where, self.state = str(where), state
        self.now = datetime(2026, 3, 1, tzinfo=UTC)

    def look(self, reports: bool = False) -> Outcome:
        with Place(self.state, VKEY) as place:
            source = open_source(self.where)
            return Monitor(source, VKEY, place, lambda: self.now, reports=reports).look()

    def kinds(self) -> list[str]:
        with Place(self.state, VKEY) as place:
            return [found["kind"] for _, found in place.findings()]

    def posts(self) -> list[dict[str, Any]]:
        with Place(self.state, VKEY) as place:
            return [orjson.loads(body) for _, body in place.posts(100)]


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "log"


@pytest.fixture
def watch(log: Path, tmp_path: Path) -> Watch:
    return Watch(log, tmp_path / "state")


@pytest.fixture
def organisation() -> Organisation:
    return Organisation()


def grown(organisation: Organisation, awards: int) -> Recorder:
    return small_log(organisation, awards)


def only(outcome: Outcome) -> dict[str, Any]:
    assert outcome.trouble is None
    (found,) = outcome.findings
    return found


def fine(outcome: Outcome, size: int) -> None:
    assert (outcome.findings, outcome.trouble, outcome.size) == ((), None, size)


@pytest.mark.parametrize("steps", [[3, 40, 230, 231, 512, 700], [260, 600], [700]])
def test_a_growing_log_is_checked_entry_by_entry_once(
    steps: list[int], log: Path, watch: Watch, organisation: Organisation
) -> None:
    entries = grown(organisation, 700).entries
    checked = 0
    for size in steps:
        write_log(log, entries[:size])
        outcome = watch.look()
        fine(outcome, size)
        checked += outcome.checked
    assert checked == steps[-1]
    fine(watch.look(), steps[-1])
    assert verify_log(str(log), VKEY).ok, "and the log was good indeed"


def test_a_place_is_kept_after_every_step_of_a_long_way(
    log: Path, watch: Watch, organisation: Organisation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(monitoring, "STEP_BUNDLES", 1)
    write_log(log, grown(organisation, 700).entries)
    (log / "tile" / "entries" / "002.p").rename(log / "away")
    found = only(watch.look())
    assert found["kind"] == "file-missing"
    assert found["checked_size"] == 512
    (log / "away").rename(log / "tile" / "entries" / "002.p")
    assert watch.look().checked == verify_log(str(log), VKEY).size - 512


def test_rewritten_history_is_found_and_both_signed_checkpoints_are_kept(
    log: Path, watch: Watch, organisation: Organisation
) -> None:
    write_log(log, grown(organisation, 20).entries)
    size = watch.look().size
    seen = (log / "checkpoint").read_text()
    rewrite_log(log, grown(Organisation(members=5), 40).entries)
    found = only(watch.look())
    assert found["kind"] == "history"
    assert "history was rewritten" in found["reason"]
    assert (found["seen"], found["shown"]) == (seen, (log / "checkpoint").read_text())
    assert found["checked_size"] == size, "its place did not move to the forged history"
    assert "history was rewritten" in verify_evidence(orjson.dumps(found), VKEY)
    harmless = found | {"shown": seen}
    with pytest.raises(ProofError, match="prove nothing"):
        verify_evidence(orjson.dumps(harmless), VKEY)
    with pytest.raises(ProofError, match="no common history"):
        verify_evidence(orjson.dumps(found | {"prefix": encode_base64(bytes(32))}), VKEY)
    with pytest.raises(ProofError, match="no known key"):
        verify_evidence(orjson.dumps(found), OTHER_SIGNER.vkey)
    del found["proof"]
    with pytest.raises(ProofError, match="no proof that they"):
        verify_evidence(orjson.dumps(found), VKEY)


def test_another_tree_of_the_same_size_is_a_split_view_and_stays_one(
    log: Path, watch: Watch, organisation: Organisation, tmp_path: Path
) -> None:
    recorder = grown(organisation, 20)
    write_log(log, recorder.entries)
    fine(watch.look(), recorder.size)
    shutil.copytree(log, tmp_path / "honest")
    other = grown(Organisation(start=START + timedelta(seconds=5)), 20)
    assert other.size == recorder.size
    rewrite_log(log, other.entries)
    found = only(watch.look())
    assert found["kind"] == "split-view"
    assert "signed two trees" in verify_evidence(orjson.dumps(found), VKEY)
    assert watch.look().findings == (), "the same finding is told once"
    shutil.rmtree(log)
    shutil.copytree(tmp_path / "honest", log)
    fine(watch.look(), recorder.size)
    assert watch.kinds() == ["split-view"], "showing the old history again heals nothing"


def test_a_forked_log_that_shows_a_smaller_tree_is_found_at_once(
    log: Path, watch: Watch, organisation: Organisation, tmp_path: Path
) -> None:
    write_log(log, grown(organisation, 40).entries)
    watch.look()
    other = write_log(tmp_path / "fork", grown(Organisation(members=5), 20).entries)
    (log / "checkpoint").write_bytes(checkpoint.sign(other, LOG_SIGNER))
    found = only(watch.look())
    assert found["kind"] == "history"
    assert "history was rewritten" in verify_evidence(orjson.dumps(found), VKEY)


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b'{"seen":1,"shown":""}', b"x" * 300_000])
def test_what_is_no_evidence_is_refused(data: bytes) -> None:
    with pytest.raises(FormatError):
        verify_evidence(data, VKEY)


def test_evidence_that_does_not_contradict_is_refused(
    log: Path, organisation: Organisation
) -> None:
    recorder = grown(organisation, 20)
    old = write_log(log, recorder.entries[:20])
    new = write_log(log, recorder.entries)
    source = FolderSource(str(log))
    proof = consistency_proof(
        old.size, new.size, lambda node: node_from_tiles(node, new.size, source.tile)
    )
    found = {
        "seen": checkpoint.sign(old, LOG_SIGNER).decode(),
        "shown": checkpoint.sign(new, LOG_SIGNER).decode(),
        "proof": [encode_base64(each) for each in proof],
        "prefix": encode_base64(old.root),
    }
    with pytest.raises(ProofError, match="do not contradict"):
        verify_evidence(orjson.dumps(found), VKEY)


def test_a_rolled_back_log_is_an_old_cache_for_ten_minutes_only(
    log: Path, watch: Watch, organisation: Organisation
) -> None:
    entries = grown(organisation, 300).entries
    write_log(log, entries[:280])
    fine(watch.look(), 280)
    write_log(log, entries)
    fine(watch.look(), len(entries))
    rewrite_log(log, entries[:280])
    outcome = watch.look()
    assert outcome.findings == ()
    assert outcome.trouble is not None
    assert "a cache" in outcome.trouble
    watch.now += timedelta(minutes=10, seconds=1)
    found = only(watch.look())
    assert found["kind"] == "rolled-back"
    assert f"after it had signed size {len(entries)}" in found["reason"]


def test_a_cache_that_caught_up_again_was_no_fault(
    log: Path, watch: Watch, organisation: Organisation
) -> None:
    entries = grown(organisation, 60).entries
    write_log(log, entries[:40])
    old = (log / "checkpoint").read_bytes()
    write_log(log, entries)
    fine(watch.look(), len(entries))
    new = (log / "checkpoint").read_bytes()
    for minutes in (0, 6, 12):
        (log / "checkpoint").write_bytes(old)
        assert watch.look().trouble is not None
        (log / "checkpoint").write_bytes(new)
        watch.now += timedelta(minutes=minutes)
        fine(watch.look(), len(entries))
    assert watch.kinds() == []


@pytest.mark.parametrize("path", ["tile/0/000", "tile/entries/000", "tile/1/000.p/1"])
def test_a_tile_that_was_cut_is_a_finding(
    path: str, log: Path, watch: Watch, organisation: Organisation
) -> None:
    write_log(log, grown(organisation, 300).entries)
    whole = (log / path).read_bytes()
    (log / path).write_bytes(whole[:-20])
    found = only(watch.look())
    assert found["kind"] in ("tile", "bundle")
    assert path in found["reason"]
    (log / path).write_bytes(whole)
    assert watch.look().trouble is None
    assert watch.kinds() == [found["kind"]]


def test_a_changed_upper_tile_is_found_when_its_entries_are_checked(
    log: Path, watch: Watch, organisation: Organisation
) -> None:
    write_log(log, grown(organisation, 600).entries)
    path = log / "tile/1/000.p/2"
    hashes = bytearray(path.read_bytes())
    hashes[40] ^= 1
    path.write_bytes(hashes)
    assert only(watch.look())["kind"] == "tile"


def test_a_bad_signature_by_an_entry_is_found_with_its_place(
    log: Path, watch: Watch, organisation: Organisation
) -> None:
    entries = grown(organisation, 30).entries
    write_log(log, entries[:35])
    fine(watch.look(), 35)
    entry = parse_entry(entries[40])
    envelope = orjson.loads(entry.statement.envelope)
    envelope["signatures"][0]["sig"] = orjson.loads(parse_entry(entries[39]).statement.envelope)[
        "signatures"
    ][0]["sig"]
    forged = entry_bytes(
        entry.stream, entry.seq, entry.prev, entry.recorded_at, orjson.dumps(envelope)
    )
    write_log(log, with_new_chains([*entries[:40], forged, *entries[41:]]))
    found = only(watch.look())
    assert (found["kind"], found["index"]) == ("signature", 40)
    assert found["statement"] == entry.statement.id
    assert watch.look().findings == ()


def test_a_history_that_was_given_up_is_a_finding_until_somebody_has_looked(
    log: Path, watch: Watch, organisation: Organisation
) -> None:
    recorder = grown(organisation, 5)
    write_log(log, recorder.entries)
    fine(watch.look(), len(recorder.entries))
    size = len(recorder.entries)
    body = {"from_size": 99, "from_root": "0" * 64, "to_size": size, "cause": "backup"}
    recorder.record(
        organisation.statement("ledger.recovered", "ledger/root", "reg-1", body, also=("reg-2",))
    )
    write_log(log, recorder.entries)
    found = only(watch.look())
    assert (found["kind"], found["index"]) == ("given-up", size)
    assert "a history of 99 entries was signed before" in found["reason"]
    fine(watch.look(), size + 1)


def test_what_depends_on_entries_before_a_restart_is_still_checked(
    log: Path, watch: Watch, organisation: Organisation
) -> None:
    recorder = grown(organisation, 5)
    twice, first = organisation.new_id(), organisation.new_id()
    for ident in (twice, first):
        recorder.record(organisation.award("m-2", ident=ident))
    recorder.record(organisation.correction("m-2", first))
    good = list(recorder.entries)

    def then(*envelopes: bytes) -> dict[str, Any]:
        write_log(log, good)
        fine(watch.look(), len(good))
        again = Recorder()
        for each in good:
            again.record(
                parse_entry(each).statement.envelope, recorded_at=parse_entry(each).recorded_at
            )
        for each in envelopes:
            again.record(each, checked=False, recorded_at=parse_entry(good[-1]).recorded_at)
        write_log(log, again.entries)
        found = only(watch.look())
        shutil.rmtree(watch.state)
        assert found["index"] == len(good) + len(envelopes) - 1
        return found

    assert then(organisation.award("m-3", ident=twice))["kind"] == "id-once"
    assert then(organisation.correction("m-2", first))["kind"] == "reverses-last"
    assert then(organisation.correction("m-3", twice))["kind"] == "reverses-known"
    assert then(organisation.award("m-9"))["kind"] == "member-known"
    alone = organisation.award("m-3", signers=("rec-1",))
    assert then(organisation.award("m-3"), alone)["kind"] == "needs-committee"


def test_a_checkpoint_by_another_key_is_a_finding(
    log: Path, watch: Watch, organisation: Organisation
) -> None:
    write_log(log, grown(organisation, 5).entries, OTHER_SIGNER)
    assert only(watch.look())["kind"] == "checkpoint-signature"


def test_another_root_signed_over_the_same_tiles_is_a_finding(
    log: Path, watch: Watch, organisation: Organisation
) -> None:
    entries = grown(organisation, 30).entries
    write_log(log, entries[:30])
    watch.look()
    signed = write_log(log, entries)
    other = Checkpoint(signed.origin, signed.size, bytes(32))
    (log / "checkpoint").write_bytes(checkpoint.sign(other, LOG_SIGNER))
    assert only(watch.look())["kind"] == "checkpoint-root"


@pytest.mark.parametrize("shown", [b"<html>sign in to the network</html>", b"", b"test.example/po"])
def test_what_is_no_checkpoint_shows_nothing_about_the_log(
    shown: bytes, log: Path, watch: Watch, organisation: Organisation
) -> None:
    write_log(log, grown(organisation, 5).entries)
    (log / "checkpoint").write_bytes(shown)
    outcome = watch.look()
    assert outcome.findings == ()
    assert outcome.trouble is not None
    assert "no checkpoint" in outcome.trouble


def test_a_log_that_moves_on_while_it_is_read_is_read_again(
    log: Path, organisation: Organisation, tmp_path: Path
) -> None:
    entries = grown(organisation, 40).entries
    write_log(log, entries[:40])

    class Moving(FolderSource):
        def bundle(self, n: int, width: int = 256) -> tuple[bytes, int]:
            if width == 40:
                rewrite_log(log, entries)
            return super().bundle(n, width)

    with Place(tmp_path / "state", VKEY) as place:
        watch = Monitor(Moving(str(log)), VKEY, place, lambda: datetime.now(UTC), reports=False)
        fine(watch.look(), len(entries))


def test_a_look_that_failed_midway_leaves_nothing_in_a_following_monitor(
    log: Path, organisation: Organisation, tmp_path: Path
) -> None:
    entries = grown(organisation, 300).entries
    write_log(log, entries)
    (log / "tile" / "entries" / "001.p").rename(tmp_path / "away")
    with Place(tmp_path / "state", VKEY) as place:
        source = open_source(str(log))
        watch = Monitor(source, VKEY, place, lambda: datetime.now(UTC), reports=False)
        assert only(watch.look())["kind"] == "file-missing"
        (tmp_path / "away").rename(log / "tile" / "entries" / "001.p")
        fine(watch.look(), len(entries))


def test_a_state_folder_serves_one_monitor_of_one_log(tmp_path: Path) -> None:
    with Place(tmp_path / "state", VKEY), pytest.raises(ConflictError, match="another monitor"):
        Place(tmp_path / "state", VKEY)
    with pytest.raises(ConflictError, match="follows the log of"):
        Place(tmp_path / "state", OTHER_SIGNER.vkey)


def test_acknowledged_findings_are_kept_but_no_longer_told(
    log: Path, watch: Watch, organisation: Organisation
) -> None:
    write_log(log, grown(organisation, 5).entries, OTHER_SIGNER)
    watch.look()
    with Place(watch.state, VKEY) as place:
        assert place.acknowledge(watch.now) == 1
    assert watch.kinds() == []
    assert only(watch.look())["kind"] == "checkpoint-signature", "the same again is a new finding"


class Server:
    """An HTTP server on a port of its own that can be stopped and started again."""

    def __init__(self, handler: Callable[..., BaseHTTPRequestHandler]) -> None:
        self._handler = handler
        self._port = 0
        self.start()

    def start(self) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", self._port), self._handler)
        self._port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"


@pytest.fixture
def hook() -> Iterator[tuple[Server, list[Any], list[int]]]:
    """A webhook, what it was sent, and the statuses that it answers with first."""
    taken: list[Any] = []
    statuses: list[int] = []

    class Hook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status = statuses.pop(0) if statuses else 204
            if status < 300:
                taken.append((self.headers["Idempotency-Key"], orjson.loads(body)))
            self.send_response(status)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            del format, args

    server = Server(Hook)
    yield server, taken, statuses
    server.stop()


def test_a_dead_webhook_loses_nothing(
    hook: tuple[Server, list[Any], list[int]], log: Path, watch: Watch, organisation: Organisation
) -> None:
    server, taken, _ = hook
    server.stop()
    write_log(log, grown(organisation, 5).entries, OTHER_SIGNER)
    watch.look(reports=True)
    with Place(watch.state, VKEY) as place:
        assert webhook.deliver(place, server.url, lambda _: None) is not None
    watch.look(reports=True)
    server.start()
    for _ in range(2):
        with Place(watch.state, VKEY) as place:
            assert webhook.deliver(place, server.url, lambda _: None) is None
    ((key, report),) = taken
    assert key == "mingzhang-1"
    assert (report["event"], report["kind"]) == ("finding", "checkpoint-signature")
    assert report["log"] == ORIGIN


def test_a_webhook_that_refuses_is_tried_again_with_growing_waits(
    hook: tuple[Server, list[Any], list[int]], log: Path, watch: Watch, organisation: Organisation
) -> None:
    server, taken, statuses = hook
    statuses += [500, 302]
    write_log(log, grown(organisation, 5).entries, OTHER_SIGNER)
    watch.look(reports=True)
    waits: list[float] = []
    with Place(watch.state, VKEY) as place:
        assert webhook.deliver(place, server.url, waits.append) is None
    assert len(taken) == 1
    assert waits == [1.0, 4.0]


def test_trouble_is_reported_when_it_begins_and_when_it_ends(
    log: Path, watch: Watch, organisation: Organisation
) -> None:
    for _ in range(3):
        assert watch.look(reports=True).trouble is not None
    write_log(log, grown(organisation, 5).entries)
    for _ in range(2):
        assert watch.look(reports=True).trouble is None
    assert [each["event"] for each in watch.posts()] == ["could-not-check", "checking-again"]


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        del format, args


def test_no_trouble_of_the_network_is_taken_for_a_fault_of_the_log(
    log: Path, organisation: Organisation, tmp_path: Path
) -> None:
    entries = grown(organisation, 300).entries
    write_log(log, entries[:270])
    fault = ["none"]

    class Proxy(Quiet):
        def do_GET(self) -> None:
            if fault[0] == "none" or "tile" not in self.path:
                super().do_GET()
            elif fault[0] == "500":
                self.send_error(500)
            elif fault[0] == "cut":
                data = (log / self.path[1:]).read_bytes() if (log / self.path[1:]).exists() else b""
                self.send_response(200)
                self.send_header("Content-Length", str(len(data) + 100))
                self.end_headers()
                self.wfile.write(data)
            else:
                self.close_connection = True

    server = Server(partial(Proxy, directory=str(log)))
    watch = Watch(server.url, tmp_path / "state")
    fine(watch.look(), 270)
    write_log(log, entries)
    for kind in ("500", "cut", "gone"):
        fault[0] = kind
        outcome = watch.look()
        assert outcome.findings == (), kind
        assert outcome.trouble is not None
        assert outcome.size == 270
    server.stop()
    assert watch.look().trouble is not None
    server.start()
    fault[0] = "none"
    fine(watch.look(), len(entries))
    server.stop()


def test_the_key_of_an_actor_who_registers_another_is_known_after_a_restart(
    log: Path, watch: Watch, organisation: Organisation
) -> None:
    recorder = grown(organisation, 3)
    recorder.record(organisation.key("rec-3"))
    recorder.record(organisation.role("rec-3", "recorder"))
    write_log(log, recorder.entries)
    fine(watch.look(), recorder.size)
    recorder.record(organisation.award("m-3", signers=("rec-3", "com-1")))
    write_log(log, recorder.entries)
    fine(watch.look(), recorder.size)
    assert key_of("rec-3").keyid in recorder.world.keys
