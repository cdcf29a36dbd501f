"""Bundles through the command line on PostgreSQL: made, checked as they are, and tampered with."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import orjson
import pytest

from api.bundles.gather import Gathering, head_of
from api.witnessing import Witnessing
from ledger import canonical
from ledger.archive import read_stored, write_stored
from ledger.entry import parse_entry
from ledger.log import receipt
from ledger.log.note import VerifierKey
from ledger.store.documents import Documents
from ledger.store.ledger import Ledger, keep_policy
from ledger.store.media import PNG, TEXT
from ledger.store.register import Register
from ledger.store.witnesses import Witnesses
from ledger.verify import manifest
from tests.support import archives
from tests.support.clock import SteadyClock
from tests.support.database import set_up
from tests.support.organisation import COMMITMENT, Organisation
from tests.support.sealing import done, published_month, seal
from tests.support.server import environment, mingzhang
from tests.support.tsa import Tsa, TsaServer
from tests.support.waiting import wait_until
from tests.support.witnesses import policy_of, running

REASON = "三月里做了两天志愿服务".encode()
PICTURE = archives.png(40, 30)
FILED_BY = "rec-2"


class Place:
    """A witnessed, stamped ledger with a sealed month; `awarded` is the id of an entry of `m-2`."""

    def __init__(self, folder: Path, url: str, stack: ExitStack) -> None:
        self.folder, self.data, self.env = folder, folder / "data", environment(url)
        self.filed = b""
        self.awarded = ""
        self.organisation, _ = published_month(folder, url, self._record)
        self.vkey = ("--vkey", self.data / "log.vkey")
        self.policy = ("--policy", self.data / "policy")
        done(self.run("seal", "p", "--out", folder / "state"))
        for tree in ("members", "ranking"):
            seal(folder, self.env, tree, folder / "state" / f"{tree}.json")
        self._witness(url, stack)
        self.tsa = Tsa(folder / "tsa")
        server = stack.enter_context(TsaServer(self.tsa.reply))
        done(self.run("timestamp", "--tsa", server.url, "--tsa-roots", self.tsa.roots))

    def _record(self, ledger: Ledger, organisation: Organisation) -> None:
        with ledger.database.pool(1, 2) as pool:
            kept = Documents(pool)
            reason, picture = kept.put(REASON, TEXT)[0], kept.put(PICTURE, PNG)[0]
            shown = [{"kind": "photo", "commitment": picture}]
            award = organisation.award("m-2", 225, reason=reason, evidence=shown)
            found = parse_entry(receipt.parse(ledger.append(award)).entry)
            self.awarded = found.statement.id
            for member in ("m-1", "m-3"):
                ledger.append(organisation.award(member))
            self._dispute(ledger, organisation, Register(pool))
        ledger.append(organisation.key("aud-1"))
        ledger.append(organisation.role("aud-1", "auditor"))
        query = {"query": {"kinds": ["credit"]}, "count": 2, "weighting": "none"}
        asked = organisation.statement("audit.queried", "unit/east", "aud-1", query)
        (self.folder / "query.tlog-proof").write_bytes(ledger.append(asked))

    def _dispute(self, ledger: Ledger, organisation: Organisation, register: Register) -> None:
        ledger.append(organisation.key("in-1"))
        ledger.append(organisation.role("in-1", "intake"))
        target = {"stream": "member/m-2", "entry": self.awarded}
        said = {"target": target, "reason": COMMITMENT, "evidence": []}
        self.filed = organisation.statement("dispute.filed", "dispute/d-1", FILED_BY, said)
        filer, told = register.file("d-1", self.filed, "m-1")
        body = {"unit": "east", "kind": "entry", "filer": filer, "target": told}
        ledger.append(organisation.statement("dispute.received", "dispute/d-1", "in-1", body))

    def _witness(self, url: str, stack: ExitStack) -> None:
        """Let two of three witnesses cosign the newest checkpoint; the third is not there."""
        vkey = VerifierKey.parse((self.data / "log.vkey").read_text().strip())
        urls = {n: stack.enter_context(running(n, vkey, self.folder)) for n in (1, 2)}
        policy = keep_policy(self.data, policy_of(urls | {3: "http://127.0.0.1:9"}, 2))
        with (
            Ledger.open(self.data, url=url) as ledger,
            closing(Witnessing(ledger, policy, Witnesses(policy))) as witnessing,
        ):
            wait_until(lambda: ledger.recorded() == ledger.signed(), 30)
            witnessing.round()
            seen = ledger.cosignatures.witnessed(policy)
            assert seen is not None
            assert seen.size == ledger.size()

    def run(self, *words: str | Path) -> Any:
        return mingzhang(*words, "--data", self.data, env=self.env)

    def verify(self, file: Path, *more: str | Path) -> Any:
        """Check a bundle as somebody who has nothing but key and policy."""
        return mingzhang("verify", "bundle", file, *self.vkey, *self.policy, *more)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, module_database_url: str) -> Iterator[Place]:
    with ExitStack() as stack:
        yield Place(tmp_path_factory.mktemp("bundles"), module_database_url, stack)


@pytest.fixture(scope="module")
def dossier(place: Place) -> Path:
    file = place.folder / "m-2.zip"
    shown = done(place.run("bundle", "member", "m-2", "--out", file))
    assert "mingzhang verify bundle" in shown
    return file


def test_a_members_dossier_holds_with_all_that_was_ever_shown_of_it(
    place: Place, dossier: Path
) -> None:
    shown = done(place.verify(dossier, "--tsa-roots", place.tsa.roots))
    assert "bundle      member m-2" in shown
    assert "2 texts and files, 2 sealed states" in shown
    assert "merit       2.25" in shown
    assert "rank        1" in shown
    assert "quorum      met: 2 of 3 witnesses" in shown
    assert "existed at 20" in shown
    assert "OK          every file" in shown
    assert "not shown   the timestamps" not in shown
    files = read_stored(dossier.read_bytes())
    assert REASON in files.values()
    assert PICTURE in files.values()
    for name in ("verify.html", "report.zh.html", "report.en.html", "report.zh.pdf"):
        assert name in files
    assert REASON.decode() in files["report.zh.html"].decode()
    again = place.folder / "again.zip"
    done(place.run("bundle", "member", "m-2", "--out", again))
    assert again.read_bytes() == dossier.read_bytes()
    refused = place.run("bundle", "member", "m-2", "--out", again)
    assert (refused.returncode, "is not written over" in refused.stderr) == (2, True), (
        refused.stderr
    )


def text_swapped(files: dict[str, bytes]) -> str:
    (name,) = (each for each, data in files.items() if data == REASON)
    files[name] = "没有做".encode()
    return name


def picture_removed(files: dict[str, bytes]) -> str:
    (name,) = (each for each, data in files.items() if data == PICTURE)
    del files[name]
    return name


def award_left_out(files: dict[str, bytes]) -> str:
    for name in [each for each in files if each.startswith(manifest.RECEIPTS)]:
        entry = parse_entry(receipt.parse(files[name]).entry)
        if (entry.stream, entry.statement.type) == ("member/m-2", "points.awarded"):
            del files[name]
    return next(each for each in files if each.startswith(f"{manifest.STATES}p-members"))


def state_of_another_leaf(files: dict[str, bytes]) -> str:
    name = next(each for each in files if each.startswith(f"{manifest.STATES}p-ranking"))
    value = canonical.loads(files[name])
    files[name] = canonical.dumps(value | {"index": value["index"] ^ 1})
    return name


def token_of_another(files: dict[str, bytes]) -> str:
    name = next(each for each in files if each.endswith(".tsr"))
    files[name] = files[name][:-1] + bytes([files[name][-1] ^ 1])
    return name


def cosignatures_removed(files: dict[str, bytes]) -> str:
    note = files[manifest.CHECKPOINT]
    files[manifest.CHECKPOINT] = note[: note.index("— witness".encode())]
    return next(each for each in sorted(files) if each.startswith(manifest.RECEIPTS))


@pytest.mark.parametrize(
    "tamper",
    [
        text_swapped,
        picture_removed,
        award_left_out,
        state_of_another_leaf,
        token_of_another,
        cosignatures_removed,
    ],
)
def test_a_dossier_that_was_tampered_with_fails_and_names_the_file(
    place: Place, dossier: Path, tamper: Callable[[dict[str, bytes]], str], tmp_path: Path
) -> None:
    files = read_stored(dossier.read_bytes())
    name = tamper(files)
    listed = manifest.parse(files.pop(manifest.NAME))
    # Whoever tampers on purpose writes the manifest again.
    made = manifest.Manifest.of(
        listed.kind, listed.about, listed.log, listed.size, listed.root, listed.streams, files
    )
    bad = tmp_path / "bad.zip"
    bad.write_bytes(write_stored({**files, manifest.NAME: made.data()}))
    shown = done(place.verify(bad, "--tsa-roots", place.tsa.roots), status=1)
    assert f"BAD         {name}: " in shown
    assert "OK  " not in shown


def test_who_filed_a_dispute_stands_in_its_hearing_and_in_no_dossier(
    place: Place, dossier: Path
) -> None:
    hearing = place.folder / "d-1.zip"
    closed = place.run("bundle", "hearing", "d-1", "--out", hearing)
    assert (closed.returncode, "confidential" in closed.stderr) == (1, True)
    assert not hearing.exists()
    done(place.run("bundle", "hearing", "d-1", "--out", hearing, "--actor", "in-1"))
    shown = done(place.verify(hearing))
    assert "bundle      hearing d-1" in shown
    assert "OK          every file" in shown
    files = read_stored(hearing.read_bytes())
    assert place.filed in files.values()
    assert place.awarded in files["report.en.html"].decode()
    assert PICTURE in files.values()

    own = read_stored(dossier.read_bytes())
    entries = [parse_entry(receipt.parse(own[n]).entry) for n in own if n.endswith(".tlog-proof")]
    assert not [each for each in entries if each.stream.startswith("dispute/")]
    payload = orjson.loads(place.filed)["payload"].encode()
    assert not [name for name, data in own.items() if payload in data or b"dispute/d-1" in data]
    accesses = done(place.run("dispute", "access", "d-1"))
    assert "in-1" in accesses
    assert "the hearing's papers" in accesses


def test_an_entrys_hearing_needs_no_case_to_be_opened(place: Place) -> None:
    hearing = place.folder / "entry.zip"
    done(place.run("bundle", "hearing", place.awarded, "--out", hearing))
    assert "OK          every file" in done(place.verify(hearing))
    files = read_stored(hearing.read_bytes())
    assert REASON in files.values()
    assert place.filed not in files.values()
    unknown = place.run("bundle", "hearing", "d-9", "--out", place.folder / "none.zip")
    assert (unknown.returncode, "neither a dispute nor an entry" in unknown.stderr) == (1, True)


def test_a_working_paper_comes_with_the_entries_that_were_drawn(place: Place) -> None:
    export, paper, file = (place.folder / each for each in ("log", "paper.json", "paper.zip"))
    done(place.run("export", export))
    done(
        mingzhang(
            *("audit", "sample", export, "--query", place.folder / "query.tlog-proof"),
            *("--index-number", "A-1", "--preparer", "aud-1", "--out", paper, *place.vkey),
        )
    )
    done(place.run("bundle", "paper", paper, "--out", file))
    shown = done(place.verify(file))
    assert "bundle      paper A-1" in shown
    assert "OK          every file" in shown
    files = read_stored(file.read_bytes())
    assert files[manifest.PAPER_FILE] == paper.read_bytes()
    drawn = [each["index"] for each in orjson.loads(paper.read_bytes())["result"]]
    assert len(drawn) == 2
    for index in drawn:
        assert f"{manifest.RECEIPTS}{index:012d}.tlog-proof" in files
    other = orjson.loads(paper.read_bytes())
    for line, wrong, said in ((0, "another.example/log", "about the log another"), (1, "3", "")):
        changed = other | {"log_head": [*other["log_head"]]}
        changed["log_head"][line] = wrong
        paper.write_bytes(orjson.dumps(changed))
        refused = place.run("bundle", "paper", paper, "--out", place.folder / "none.zip")
        assert refused.returncode == 1, refused.stderr
        assert said in refused.stderr
    # A log with witnesses draws by a recorded cosigned head, which has no signature of the log.
    head = (export / "checkpoint").read_text().split("\n")
    other["log_head"] = [each for each in head if not each.startswith(f"— {head[0]} ")]
    assert len(other["log_head"]) == len(head) - 1 > 6
    paper.write_bytes(orjson.dumps(other))
    done(place.run("bundle", "paper", paper, "--out", place.folder / "witnessed.zip"))
    assert place.verify(place.folder / "witnessed.zip").returncode == 0


def test_a_bundle_that_waits_for_its_witnesses_has_an_exit_status_of_its_own(
    place: Place, dossier: Path
) -> None:
    stricter = place.folder / "all-three"
    text = Path(place.policy[1]).read_text()
    stricter.write_text(re.sub(r"^group (\S+) 2 ", r"group \1 3 ", text, flags=re.MULTILINE))
    assert stricter.read_text() != text
    waiting = mingzhang("verify", "bundle", dossier, *place.vkey, "--policy", stricter)
    assert waiting.returncode == 3, waiting.stdout
    assert "WAITING     all holds" in waiting.stdout


def test_a_text_of_a_filer_in_a_members_stream_is_disclosed_to_a_hearing_only(
    ledger: Ledger, clock: SteadyClock
) -> None:
    """Such as `points.objected` has it, on the stream of the member whose entry it is (B9)."""
    set_up(ledger, Organisation(), clock)
    wait_until(lambda: ledger.signed() is not None, 30)
    with ledger.database.pool(1, 2) as pool:
        kept = Documents(pool)
        filer, reason = kept.put("张三：我反对".encode(), TEXT)[0], kept.put(REASON, TEXT)[0]
        body = {"entry": "0198c3a0-0000-7000-8000-000000000000", "filer": filer, "reason": reason}
        for filers, wanted in ((False, {reason}), (True, {reason, filer})):
            gathering = Gathering(ledger, head_of(ledger, ledger.cosignatures, None, None))
            gathering.disclose(kept, [body], filers=filers)
            assert set(gathering.openings) == wanted
