"""Cheats 8 to 11, shown by what witnesses and time-stamping authorities outside the log say.

Each is staged twice: with cosignatures that the test makes, and with the product's own witness,
asked over HTTP, whose clock the test sets.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest

from ledger.domain.draw import drawn
from ledger.errors import NotFoundError, ProofError
from ledger.log import deposit
from ledger.log.timestamp import query, stamped_note
from ledger.refusal import make
from tests.support.audit import VKEY, run
from tests.support.organisation import COMMITMENT, ORIGIN, key_of
from tests.support.seen import WITNESSES, Seen, by_witnesses, scripted
from tests.support.static_log import LOG_SIGNER
from tests.support.tsa import Tsa
from tests.support.watched import Watched
from tests.support.witnesses import cosigner, running

WHY = {"reason": COMMITMENT}


@pytest.fixture(params=["scripted", "witness"])
def log(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Seen]:
    """A log whose witnesses have seen its beginning."""
    with ExitStack() as stack:
        if request.param == "scripted":
            made = Seen(scripted)
        else:
            place: list[Seen] = []
            urls = [
                stack.enter_context(
                    running(n, LOG_SIGNER.vkey, tmp_path, lambda: float(place[0].clock()))
                )
                for n in WITNESSES
            ]
            made = Seen(by_witnesses(urls))
            place.append(made)
        made.witness("2026-01-05T02:00:05Z", "2026-01-05")
        yield made


def checks(log: Watched, folder: Path, cheat: int, *more: object) -> list[dict[str, Any]]:
    """Write the log and run the command on it, as an outsider does."""
    log.write(folder / "log")
    words = ("checks", folder / "log", "--vkey", VKEY, "--json", "--cheat", cheat, *more)
    found: list[dict[str, Any]] = orjson.loads(run(*words))["found"]
    return found


def notice(log: Seen, opened: str, seen: str) -> None:
    """Open a notice on 12 January by the log's clock, seen at `seen`; it ends on the 20th."""
    ident = log.reviewed()
    log.on("published", {"entry": ident, "closes": "2026-01-19"}, "east-sec", day=opened)
    log.witness(seen, opened)
    log.put("points.lapsed", "member/m-2",
            {"entry": ident, "term": "publicity", "due": "2026-01-19"}, "clerk",
            day="2026-01-20")  # fmt: skip


def test_cheat_9_a_notice_that_witnesses_saw_in_time_shows_nothing(
    log: Seen, tmp_path: Path
) -> None:
    notice(log, "2026-01-12", "2026-01-12T02:00:03Z")
    log.witness("2026-01-20T02:00:03Z", "2026-01-20")
    assert checks(log, tmp_path, 9, "--policy", log.policy(tmp_path)) == []


def test_cheat_9_a_clock_put_back_shows_in_the_cosignatures(log: Seen, tmp_path: Path) -> None:
    notice(log, "2026-01-12", "2026-01-16T02:00:00Z")
    assert checks(log, tmp_path, 9) == []
    (found,) = checks(log, tmp_path, 9, "--policy", log.policy(tmp_path))
    assert "could be seen from 2026-01-16T02:00:00Z and was over on 2026-01-20" in found["reason"]


def test_cheat_9_a_clock_put_ahead_at_the_end_shows_in_the_cosignatures(
    log: Seen, tmp_path: Path
) -> None:
    notice(log, "2026-01-12", "2026-01-12T02:00:03Z")
    log.witness("2026-01-14T02:00:00Z", "2026-01-20")
    found = checks(log, tmp_path, 9, "--policy", log.policy(tmp_path))
    assert any("was over on 2026-01-14" in each["reason"] for each in found)
    assert any("the log's clock ran ahead" in each["reason"] for each in found)


def test_cheat_9_a_notice_that_nobody_outside_saw_is_shown(log: Seen, tmp_path: Path) -> None:
    ident = log.reviewed()
    log.on("published", {"entry": ident, "closes": "2026-01-19"}, "east-sec", day="2026-01-12")
    log.put("points.lapsed", "member/m-2",
            {"entry": ident, "term": "publicity", "due": "2026-01-19"}, "clerk",
            day="2026-01-20")  # fmt: skip
    (found,) = checks(log, tmp_path, 9, "--policy", log.policy(tmp_path))
    assert found["reason"].startswith("nobody outside had seen the notice on m-2")


@pytest.mark.parametrize("made_up", ["time", "tree", "one witness"])
def test_cheat_9_cosignatures_that_the_server_made_up_are_shown(
    made_up: str, tmp_path: Path
) -> None:
    log = Seen()
    signed = log.head()
    text = log.head(signed.size - 1).body() if made_up == "tree" else signed.body()
    lines = [cosigner(n).line(text, log.clock()) for n in WITNESSES]
    if made_up == "time":
        name, _, blob = lines[0].rpartition(" ")
        # Behind the key's id stands the time, in eight bytes.
        lines[0] = f"{name} {blob[:14]}{'B' if blob[14] == 'A' else 'A'}{blob[15:]}"
    elif made_up == "one witness":
        del lines[1]
    body = {"size": signed.size, "cosignatures": lines}
    log.put("checkpoint.witnessed", "ledger/root", body, "clerk", day="2026-01-06")
    (found,) = checks(log, tmp_path, 9, "--policy", log.policy(tmp_path))
    said = "do not meet the policy's quorum" if made_up == "one witness" else "is bad"
    assert said in found["reason"]
    assert found["index"] == signed.size


def stamp(log: Watched, folder: Path, tsa: Tsa) -> None:
    """Write the log with a token on its checkpoint beside it, as an export does."""
    size = log.write(folder / "log").size
    note = stamped_note((folder / "log/checkpoint").read_bytes(), LOG_SIGNER.vkey)
    place = folder / "log/timestamps" / str(size)
    place.mkdir(parents=True)
    (place / "checkpoint").write_bytes(note)
    (place / "here.tsr").write_bytes(tsa.reply(query(note).data))
    (place.parent / "index").write_text(f"{size} here\n")


def test_cheat_9_a_timestamp_shows_a_notice_dated_back(tmp_path: Path) -> None:
    tsa = Tsa(tmp_path / "tsa")
    log = Watched()
    log.published()
    stamp(log, tmp_path, tsa)
    ident = log.ids[-4]
    log.lapse(ident, "publicity", "2026-01-19", "2026-01-20")
    assert checks(log, tmp_path, 9) == []
    (found,) = checks(log, tmp_path, 9, "--tsa-roots", tsa.roots)
    assert f"could be seen from {datetime.now(UTC):%Y}" in found["reason"]


def test_cheat_9_a_timestamp_shows_entries_from_a_clock_that_ran_ahead(tmp_path: Path) -> None:
    tsa = Tsa(tmp_path / "tsa")
    log = Watched()
    log.direct("rec-1", "east-com-1", day=f"{datetime.now(UTC).year + 1}-02-01")
    stamp(log, tmp_path, tsa)
    (found,) = checks(log, tmp_path, 9, "--tsa-roots", tsa.roots)
    assert "the log's clock ran ahead" in found["reason"]
    assert found["entries"] == [len(log.ids) - 1]


# -- cheat 10 --------------------------------------------------------------------------------------


def appeal(log: Seen) -> str:
    """Appeal an entry of m-2 on 22 January, with four above who could re-examine."""
    for name in ("up-3", "up-4"):
        log.give(name, "upper", "root")
    ident = log.published()
    log.witness("2026-01-12T02:10:00Z", "2026-01-12")
    log.lapse(ident, "publicity", "2026-01-19", "2026-01-20")
    body = {"entry": ident, "filer": COMMITMENT}
    log.on("appealed", body, "in-1", day="2026-01-22")
    return ident


def reexamine(log: Seen, ident: str, *people: str) -> None:
    body = {"entry": ident, "outcome": "upheld"} | WHY
    log.on("reexamined", body, *people, day="2026-01-26")


def right_pair(log: Seen, ident: str, size: int) -> tuple[tuple[str, ...], list[str]]:
    """Return who is drawn by the checkpoint of a size, and the list."""
    pool = ["up-1", "up-2", "up-3", "up-4"]
    return drawn(log.head(size).root, ident, pool, 2), pool


@pytest.mark.parametrize("honest", [True, False])
def test_cheat_10_others_than_those_drawn_re_examine_an_entry(
    log: Seen, tmp_path: Path, honest: bool
) -> None:
    ident = appeal(log)
    size = log.witness("2026-01-22T02:10:00Z", "2026-01-23")
    right, pool = right_pair(log, ident, size)
    wrong = tuple(name for name in pool if name not in right)
    reexamine(log, ident, *(right if honest else wrong))
    found = checks(log, tmp_path, 10, "--policy", log.policy(tmp_path))
    if honest:
        assert found == []
    else:
        assert f"of size {size}, draws {', '.join(right)}" in found[0]["reason"]
        assert set(wrong) < set(found[0]["people"])
    assert checks(log, tmp_path, 10) == []


def test_cheat_10_the_pair_that_is_drawn_can_be_known_before_it_decides(
    log: Seen, tmp_path: Path
) -> None:
    ident = appeal(log)
    words = ("panel", tmp_path / "log", ident, "--vkey", VKEY, "--policy", log.policy(tmp_path))
    log.write(tmp_path / "log")
    with pytest.raises(NotFoundError, match="no witnessed checkpoint covers the appeal"):
        run(*words)
    size = log.witness("2026-01-22T02:10:00Z", "2026-01-23")
    log.write(tmp_path / "log")
    right, pool = right_pair(log, ident, size)
    shown = run(*words)
    assert f"drawn       {', '.join(right)}, by the checkpoint of size {size}" in shown
    assert f"list        {', '.join(pool)}" in shown


def test_cheat_10_a_decision_before_the_draw_could_be_known_is_shown(
    log: Seen, tmp_path: Path
) -> None:
    ident = appeal(log)
    reexamine(log, ident, "up-1", "up-2")
    log.witness("2026-01-27T02:10:00Z", "2026-01-27")
    (found,) = checks(log, tmp_path, 10, "--policy", log.policy(tmp_path))
    assert "before anybody outside had seen the appeal" in found["reason"]


def dispute(log: Seen) -> list[str]:
    """Carry a dispute to its appeal, with four on the list."""
    for name, unit in (("disc-1", "east"), ("disc-2", "east"), ("high-1", "root"),
                       ("high-2", "root")):  # fmt: skip
        log.give(name, "discipline", unit)

    def say(kind: str, body: dict[str, Any], *signers: str, day: str) -> None:
        log.say(f"dispute.{kind}", "dispute/d-1", body, signers, day)

    about = {"unit": "east", "kind": "entry", "filer": COMMITMENT, "target": COMMITMENT}
    say("received", about, "in-1", day="2026-01-21")
    say("acknowledged", {}, "in-1", day="2026-01-21")
    say("accepted", {}, "disc-1", day="2026-01-21")
    say("checked", {"step": "talk"} | WHY, "disc-1", day="2026-01-21")
    heard = {"held_on": "2026-01-21", "bundle": COMMITMENT}
    say("heard", heard, "disc-1", day="2026-01-21")
    say("decided", {"outcome": "dismissed"} | WHY, "disc-1", "disc-2", day="2026-01-21")
    pool = ["high-1", "high-2", "up-1", "up-2"]
    say("appealed", {"filer": COMMITMENT, "pool": pool}, "in-1", day="2026-01-22")
    return pool


def draw_body(log: Seen, size: int, pool: list[str]) -> dict[str, Any]:
    root = log.head(size).root
    return {"size": size, "root": root.hex(), "chosen": list(drawn(root, "d-1", pool, 2))}


def test_cheat_10_only_the_first_witnessed_checkpoint_draws_a_disputes_panel(log: Seen) -> None:
    pool = dispute(log)
    appealed = len(log.ids)
    refused = (("in-1",), "2026-01-23")
    stream = "dispute/d-1"
    log.refused("draw-witnessed", "dispute.drawn", stream, draw_body(log, appealed, pool), *refused)
    first = log.witness("2026-01-22T03:00:00Z", "2026-01-22")
    second = log.witness("2026-01-22T04:00:00Z", "2026-01-22")
    for size in (first + 1, second):
        body = draw_body(log, size, pool)
        log.refused("draw-checkpoint", "dispute.drawn", stream, body, *refused)
    log.say("dispute.drawn", stream, draw_body(log, first, pool), *refused)


def test_cheat_10_a_panel_drawn_by_a_later_checkpoint_is_shown(log: Seen, tmp_path: Path) -> None:
    pool = dispute(log)
    first = log.witness("2026-01-22T03:00:00Z", "2026-01-22")
    second = log.witness("2026-01-22T04:00:00Z", "2026-01-22")
    log.put("dispute.drawn", "dispute/d-1", draw_body(log, second, pool), "in-1", day="2026-01-23")
    (found,) = checks(log, tmp_path, 10, "--policy", log.policy(tmp_path))
    assert f"the first witnessed one after the appeal is of {first}" in found["reason"]


# -- cheat 11 --------------------------------------------------------------------------------------


def ask(log: Seen, day: str = "2026-03-01") -> int:
    body = {"query": {"from": "2026-01-01"}, "count": 3, "weighting": "none"}
    log.say("audit.queried", "unit/east", body, ("aud-1",), day)
    return len(log.ids) - 1


def test_cheat_11_the_same_query_recorded_again_is_shown(log: Seen, tmp_path: Path) -> None:
    log.give("aud-1", "auditor", "root")
    first = ask(log)
    assert checks(log, tmp_path, 11) == []
    second = ask(log, "2026-03-04")
    ask(log, "2026-05-01")
    (found,) = checks(log, tmp_path, 11)
    assert found["entries"] == [first, second]


def test_cheat_11_the_first_witnessed_checkpoint_gives_the_seed_and_no_other(
    log: Seen, tmp_path: Path
) -> None:
    from ledger import canonical
    from ledger.verify.draw import seed_of
    from tests.unit.api.test_audit_sample import receipt_of

    log.give("aud-1", "auditor", "root")
    for _ in range(8):
        log.direct("rec-1", "east-com-1", day="2026-02-02")
    index = ask(log)
    policy = log.policy(tmp_path)
    words = ("--vkey", VKEY, "--index-number", "A-1", "--preparer", "王", "--policy", policy)

    def sample(name: str) -> dict[str, Any]:
        given = receipt_of(log, tmp_path, index)
        run("sample", tmp_path / f"log-{len(log.ids)}", *words, "--query", given,
            "--out", tmp_path / name)  # fmt: skip
        paper: dict[str, Any] = canonical.loads((tmp_path / name).read_bytes().removesuffix(b"\n"))
        return paper

    with pytest.raises(NotFoundError, match="no witnessed checkpoint covers the query"):
        sample("early")
    first = log.witness("2026-03-01T03:00:00Z", "2026-03-01")
    log.direct("rec-1", "east-com-1", day="2026-03-02")
    log.witness("2026-03-02T03:00:00Z", "2026-03-02")
    paper = sample("paper")
    assert paper["log_head"][1] == str(first)
    assert paper["seed"] == seed_of(log.head(first)).hex()
    where = tmp_path / f"log-{len(log.ids)}"
    run("verify-sample", tmp_path / "paper", where, "--vkey", VKEY, "--policy", policy)
    # A later checkpoint, whose seed suits better.
    other = log.head(first + 1)
    paper["log_head"] = [*other.body().split("\n"), *paper["log_head"][4:]]
    paper["seed"] = seed_of(other).hex()
    (tmp_path / "paper").write_bytes(canonical.dumps(paper) + b"\n")
    with pytest.raises(ProofError, match="the working paper's"):
        run("verify-sample", tmp_path / "paper", where, "--vkey", VKEY)


# -- cheat 8 ---------------------------------------------------------------------------------------


@pytest.fixture
def dropped(log: Seen) -> bytes:
    """A statement that was made on 12 January and is not recorded."""
    body = {"entry": log.claim(), "review": "normal", "reviewers": 2}
    return log.organisation.statement("points.checked", "member/m-2", "lead-1", body)


def payload_hash(envelope: bytes) -> str:
    from ledger.entry import parse_envelope

    return hashlib.sha256(parse_envelope(envelope).payload).hexdigest()


@pytest.fixture
def deposited(log: Seen, dropped: bytes, tmp_path: Path) -> Path:
    """The witness's note on it, as the product's witness gives it."""
    from api.witness.heads import FolderHeads
    from api.witness.service import Witness

    key = cosigner(1)
    heads = FolderHeads(tmp_path / "deposits", key.vkey.text)
    log.now = "2026-01-12T02:00:00Z"
    witness = Witness(key, {ORIGIN: [LOG_SIGNER.vkey]}, heads, lambda: float(log.clock()))
    path = tmp_path / "note.deposit"
    path.write_bytes(witness.deposit(dropped))
    return path


def test_cheat_8_a_deposited_statement_that_the_log_never_took_is_shown(
    log: Seen, deposited: Path, dropped: bytes, tmp_path: Path
) -> None:
    given = ("--policy", log.policy(tmp_path), "--deposit", deposited)
    assert checks(log, tmp_path, 8, *given) == []
    log.witness("2026-01-13T02:00:01Z", "2026-01-13")
    (found,) = checks(log, tmp_path, 8, *given)
    assert (
        f"the statement {payload_hash(dropped)[:16]}… lay with witness.example/w1"
        in (found["reason"])
    )
    log.envelope(dropped, "2026-01-14")
    assert checks(log, tmp_path, 8, *given) == []


def test_cheat_8_a_deposit_that_no_known_witness_signed_is_refused(
    log: Seen, dropped: bytes, tmp_path: Path
) -> None:
    path = tmp_path / "note"
    path.write_bytes(deposit.sign(cosigner(7), ORIGIN, payload_hash(dropped), 1_768_000_000))
    with pytest.raises(ProofError, match="no witness of the policy signed the deposit"):
        checks(log, tmp_path, 8, "--policy", log.policy(tmp_path), "--deposit", path)


def test_cheat_8_a_signed_refusal_names_the_statement_and_the_rule(
    log: Seen, dropped: bytes, tmp_path: Path
) -> None:
    def refusal(name: str) -> Path:
        path = tmp_path / name
        now = datetime(2026, 1, 12, tzinfo=UTC)
        digest = payload_hash(dropped)
        made = make(key_of(name), log=ORIGIN, statement=digest, rule="role-age", now=now, size=9)
        path.write_bytes(made)
        return path

    (found,) = checks(log, tmp_path, 8, "--refusal", refusal("clerk"))
    assert f"{payload_hash(dropped)[:16]}… was refused at 2026-01-12" in found["reason"]
    assert "by the rule role-age" in found["reason"]
    with pytest.raises(ProofError, match="never a service's key in this log"):
        checks(log, tmp_path, 8, "--refusal", refusal("lead-1"))
    log.envelope(dropped, "2026-01-14")
    assert checks(log, tmp_path, 8, "--refusal", refusal("clerk")) == []
