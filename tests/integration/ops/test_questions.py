"""`ops/questions.md`: every command and address of it answers, on the demo's ledger."""

from __future__ import annotations

import base64
import hashlib
import io
import os
import re
import shlex
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from string import Template
from typing import Any

import httpx
import orjson
import pytest

from ledger import keyfile
from ledger.entry import parse_entry
from ledger.log import receipt
from ledger.log.checkpoint import parse_body
from ledger.log.note import VerifierKey, parse
from ledger.signing import PrivateKey
from ledger.store.documents import Documents
from ledger.store.ledger import Ledger, Options
from ledger.store.queue import raised
from ledger.store.register import Register
from ops.demo import cast, school
from ops.demo.folders import Folders
from ops.demo.sign import Pen
from ops.demo.whole import Year
from tests.support.server import Server, command, environment
from tests.support.waiting import wait_until

PAGE = (Path(__file__).parents[3] / "ops" / "questions.md").read_text()
PARTS = re.split(r"^## .*$", PAGE, flags=re.MULTILINE)[1:]
TITLE = re.compile(r"^### (.+?) · (.+)$", re.MULTILINE)
BLOCK = re.compile(r"^```(sh|http)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
YEAR = 2025
TOKEN, ALLOWED = "the committee's token", {"Authorization": "Bearer the committee's token"}
DEMO = f"""
from pathlib import Path
from rich.console import Console
from ops.demo.folders import Folders
from ops.demo.story import Story
Story(Console(quiet=True), Folders(Path("demo")), {YEAR}).tell()
"""

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


def sections() -> dict[str, str]:
    """The text below each heading, by its English words."""
    found = {}
    for part in PARTS:
        for each in re.split(r"^### ", part, flags=re.MULTILINE)[1:]:
            title, _, text = each.partition("\n")
            found[title.split(" · ")[0]] = text
    return found


SECTIONS = sections()


@dataclass
class Said:
    """What a heading's commands and addresses answered; JSON where it is JSON."""

    commands: list[Any] = field(default_factory=list)
    http: list[Any] = field(default_factory=list)

    @property
    def one(self) -> Any:
        """The answer over HTTP, which the command gave too."""
        (found,) = self.http
        assert found in self.commands
        return found

    @property
    def both(self) -> tuple[Any, Any]:
        one, two = self.http
        assert one in self.commands
        assert two in self.commands
        return one, two


class Place:
    """The demo's ledger with a case, a claim whose evidence is kept, a lost key and a query."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.folders = folder, Folders(folder / "demo")
        done = subprocess.run(
            [sys.executable, "-c", DEMO], cwd=folder, env=environment(), check=False,
            capture_output=True, text=True, timeout=240,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        self.keys: dict[str, PrivateKey] = {
            path.stem: keyfile.load(path, None) for path in self.folders.keys.glob("*.key")
        }
        self.keys[school.SERVICE] = keyfile.load(self.folders.data / "service.key", None)
        planned = Year(YEAR, self.keys)
        for _ in planned.statements():
            pass
        self.named = {name: ident for name, (_, ident) in planned.way.named.items()}
        self.pen = Pen(self.keys, Random(7))
        self.old = parse_body(parse((self.folders.exported / "checkpoint").read_bytes()).text).size
        with Ledger.open(self.folders.data) as self.ledger:
            with self.ledger.database.pool(1, 2) as pool:
                self._go_on(Documents(pool), Register(pool))
            self.size = self.ledger.size()
            self._files()
        with (self.folders.data / "ledger.toml").open("a") as config:
            digest = hashlib.sha256(TOKEN.encode()).hexdigest()
            left = hashlib.sha256(b"of one without a role").hexdigest()
            config.write(f'publish_rankings = true\n[committee]\na-up-1 = "{digest}"\n')
            config.write(f'a-com-school-4 = "{left}"\n')
        self.url = ""

    def say(self, kind: str, stream: str, body: dict[str, Any], *signers: str) -> str:
        planned = self.pen.signed(datetime.now(UTC), kind, stream, body, *signers)
        raised(*self.ledger.append_batch([planned.envelope]))
        return planned.id

    def _go_on(self, documents: Documents, register: Register) -> None:
        why = {"reason": self.pen.commitment("why")}
        for each in cast.UPPER:
            role = {"role": "discipline", "unit": "school"}
            self.say("role.granted", f"actor/{each}", role, cast.REGISTRARS[0])
        today = datetime.now(cast.ZONE).date()
        self.evidence, _ = documents.put(b"the visit log", "text/plain")
        act = {"rulebook": "school", "version": "1.2.0", "act_date": f"{today - timedelta(2)}"}
        proof = [{"kind": "visit_log", "commitment": self.evidence}]
        visit = act | why | {"item": "E-A-03", "evidence": proof}
        self.claim = self.say("points.claimed", "member/m-0127", visit, "a-m-0127")
        body = {"target": {"stream": "member/m-0127", "entry": self.named["correction"]}}
        filed = self.pen.signed(
            datetime.now(UTC), "dispute.filed", "dispute/d-1", body | why | {"evidence": []},
            "a-m-0127",
        )  # fmt: skip
        filer, target = register.file("d-1", filed.envelope, "m-0127")
        case = {"unit": "school", "kind": "entry", "filer": filer, "target": target}
        both = cast.UPPER
        for kind, said, signers in (
            ("received", case, (school.INTAKE,)),
            ("acknowledged", {}, (school.INTAKE,)),
            ("accepted", {}, both[:1]),
            ("checked", {"step": "preliminary", **why}, both[:1]),
            ("heard", {"held_on": f"{today}", "bundle": self.pen.commitment("zip")}, both),
            ("decided", {"outcome": "dismissed", **why}, both),
            ("notified", {}, (school.INTAKE,)),
            ("announced", {"scope": "school", "notice": self.pen.commitment("notice")}, both[:1]),
        ):
            self.say(f"dispute.{kind}", "dispute/d-1", said, *signers)
        absent = [{"kind": "sign_in_sheet", "commitment": self.pen.commitment("sheet")}]
        debit = act | why | {"item": "E-D-01", "kind": "debit", "evidence": absent}
        self.debit = self.say("points.claimed", "member/m-0127", debit, school.RECORDER)
        lost = {"keyid": self.keys[school.LEADERS[school.OFFICE]].keyid, "cause": "lost"}
        stream = f"actor/{school.LEADERS[school.OFFICE]}"
        self.say("key.revoked", stream, lost, cast.REGISTRARS[0])
        self.auditor = "a-aud-rural"
        query = {"query": {"kinds": ["debit"]}, "count": 3, "weighting": "none"}
        unit = next(e.unit.id for e in cast.BRANCHES if e.rulebook == "rural")
        self.query = self.say("audit.queried", f"unit/{unit}", query, self.auditor)

    def _files(self) -> None:
        for name, ident in (("receipt", self.named["lesson"]), ("query", self.query)):
            (self.folder / f"{name}.tlog-proof").write_bytes(self.ledger.receipt(ident))
        (self.folder / "log.vkey").write_bytes(self.folders.vkey.read_bytes())
        older = (self.folders.exported / "checkpoint").read_bytes()
        (self.folder / "older.checkpoint").write_bytes(older)

    @property
    def words(self) -> dict[str, str]:
        """What the page's names in capitals stand for."""
        return {
            "MEMBER": "m-0127",
            "ENTRY": self.named["lesson"],
            "CORRECTION": self.named["correction"],
            "LATE": self.named["late"],
            "KIN": self.named["kin"],
            "COMMON": self.named["related"],
            "CLAIM": self.claim,
            "CLIPPED": self.clipped,
            "EVIDENCE": self.evidence,
            "DISPUTE": "d-1",
            "AUDITOR": self.auditor,
            "OLD": str(self.old),
            "SIZE": str(self.size),
            "URL": self.url,
        }

    @property
    def clipped(self) -> str:
        """A member one of whose entries a cap clipped."""
        for number in range(1, 134):
            found = self.get(f"/v1/members/m-{number:04}/statement?limit=1000").json()
            if any(each["clipped"] for each in found["entries"]):
                return str(found["member"])
        raise AssertionError("no cap clips anything in the demo")

    def get(self, path: str, headers: dict[str, str] | None = None) -> httpx.Response:
        return httpx.get(self.url + path, headers=headers or {}, timeout=60)

    def run(self, line: str) -> subprocess.CompletedProcess[str]:
        words = shlex.split(line)
        assert words[0] == "mingzhang"
        env = environment(MINGZHANG_DATA=str(self.folders.data), COLUMNS="100")
        return subprocess.run(
            [*command(), *words[1:]], cwd=self.folder, env=env, check=False,
            capture_output=True, text=True, timeout=100,
        )  # fmt: skip

    def ask(self, title: str) -> Said:
        """Run what stands below a heading, as it stands there."""
        said = Said()
        for kind, text in BLOCK.findall(SECTIONS[title]):
            for line in Template(text).substitute(self.words).splitlines():
                if kind == "sh":
                    done = self.run(line)
                    assert done.returncode == 0, (line, done.stdout, done.stderr)
                    said.commands.append(read(done.stdout))
                else:
                    said.http.append(self._asked(line))
        assert said.commands
        assert said.http
        return said

    def _asked(self, line: str) -> Any:
        method, path, *body = line.split(" ", 2)
        headers = ALLOWED if path.startswith("/v1/committee/") else {}
        if body:
            headers = headers | {"Content-Type": "application/json"}
        answer = httpx.request(
            method, self.url + path, headers=headers, content=body[0] if body else None, timeout=60
        )
        assert answer.status_code == 200, (line, answer.text)
        return answer.content if "zip" in answer.headers["content-type"] else read(answer.text)


def read(text: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return text


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    for name in [each for each in os.environ if each.startswith("MINGZHANG_DATA")]:
        del os.environ[name]
    made = Place(tmp_path_factory.mktemp("asked"))
    with Server(made.folders.data, environment(), made.folder / "serve.log") as server:
        made.url = server.url
        path = f"/v1/ask/changes?member=m-0127&as_of={made.size}"
        wait_until(lambda: made.get(path).status_code == 200, 60)
        yield made


CHECKS: dict[str, Callable[[Place, Said], None]] = {}


def check(title: str) -> Callable[[Callable[[Place, Said], None]], Callable[[Place, Said], None]]:
    def keep(one: Callable[[Place, Said], None]) -> Callable[[Place, Said], None]:
        assert title not in CHECKS
        CHECKS[title] = one
        return one

    return keep


def at(place: Place, said: Any) -> None:
    """Assert that an answer holds for the newest position."""
    assert said["as_of"]["size"] == place.size
    assert not said["as_of"].get("not_counted")


def by_id(entries: list[dict[str, Any]], name: str = "id") -> dict[str, dict[str, Any]]:
    return {each[name]: each for each in entries}


# -- members ---------------------------------------------------------------------------------------


@check("My score and every step to it")
def _(place: Place, said: Said) -> None:
    found = said.one
    at(place, found)
    assert any(each["year"] == "2025-01-01" and each["annual"] for each in found["figures"])
    steps = [each["type"] for each in by_id(found["entries"])[place.named["lesson"]]["steps"]]
    assert steps[:3] == ["points.claimed", "points.checked", "points.reviewed"]


@check("Which clause and version")
def _(place: Place, said: Said) -> None:
    found = said.one
    at(place, found)
    assert (found["rulebook"], found["version"], found["item"]) == ("school", "1.1.0", "E-A-02")
    assert found["pilot"]["units"] == ["school-teaching"]


@check("Who proposed, reviewed, approved")
def _(place: Place, said: Said) -> None:
    found = said.one
    at(place, found)
    first, second, third = found["steps"][:3]
    assert first["signers"] == [{"actor": "a-m-0127", "roles": []}]
    assert second["signers"] == [{"actor": "a-lead-school-1", "roles": ["group_leader"]}]
    assert [each["roles"] for each in third["signers"]] == [["committee"], ["committee"]]


@check("What a cap clipped")
def _(place: Place, said: Said) -> None:
    found = said.one
    at(place, found)
    clipped = [each for each in found["entries"] if each["clipped"]]
    assert clipped
    for each in clipped:
        taken = sum(one["by"] for one in each["clipped"])
        assert abs(each["worth"]) - abs(each["counted"]) == taken > 0


@check("Is my entry in the sealed log")
def _(place: Place, said: Said) -> None:
    found = said.one
    at(place, found)
    key = VerifierKey.parse((place.folder / "log.vkey").read_text().strip())
    given = receipt.parse(found["receipt"].encode())
    assert receipt.verify_receipt(given, key).size == found["checkpoint"]["size"]
    assert given.index == found["log_index"] < found["checkpoint"]["size"]


@check("What of mine changed since last quarter")
def _(place: Place, said: Said) -> None:
    found = said.one
    assert found["since"]["size"] < found["as_of"]["size"] < place.size
    assert found["as_of"]["recorded_at"] < "2025-07-01"
    moved = by_id(found["entries"], "entry")
    lesson, anew = moved[place.named["lesson"]], moved[place.named["correction"]]
    assert (lesson["was"], lesson["now"]["state"]) == (None, "reversed")
    assert anew["now"]["counted"] == 400
    (figure,) = (each for each in found["figures"] if each["year"] == "2025-01-01")
    assert figure["now"]["daily"] > figure["was"]["daily"]
    quarter = place.get("/v1/ask/changes?member=m-0127&as_of=2025-06-30").json()
    assert quarter == found


@check("When do objections close")
def _(place: Place, said: Said) -> None:
    found = said.one
    assert found["as_of"]["recorded_at"] < "2025-07-01"
    assert found["entries"]
    for each in found["entries"]:
        assert each["opened_on"] <= "2025-06-30" <= each["until"]


@check("What others got for the same act")
def _(place: Place, said: Said) -> None:
    found = said.one
    at(place, found)
    assert found["act_type"] == "pupil.visit"
    assert len({each["member"] for each in found["entries"]}) > 3
    assert [each["id"] for each in found["entries"] if each["yours"]] == [place.named["related"]]
    assert all(each["least"] == each["most"] == 100 for each in found["summary"])


@check("Who viewed my record")
def _(place: Place, said: Said) -> None:
    at(place, said.one)
    place.get(f"/v1/committee/ask/effect?entry={place.named['lesson']}", ALLOWED)
    place.get("/v1/committee/entries?member=m-0127", ALLOWED)
    found = place.get("/v1/committee/ask/viewers?member=m-0127", ALLOWED).json()
    newest = [(each["actor"], each["question"]) for each in found["looks"][:2]]
    assert newest == [("a-up-1", "entries"), ("a-up-1", "effect")]
    assert "no name" in found["kept"]
    nobody = place.get("/v1/committee/ask/viewers?member=m-0001", ALLOWED).json()
    assert nobody["looks"] == []


@check("Can I check off line, on paper")
def _(place: Place, said: Said) -> None:
    checked, _ = said.commands
    given, page = said.http
    assert "points.claimed" in checked
    assert given == (place.folder / "receipt.tlog-proof").read_text()
    assert page == (place.folder / "verify.html").read_text()
    assert "connect-src" not in page


@check("Where is my objection and when is it due")
def _(place: Place, said: Said) -> None:
    entry, dispute = said.both
    at(place, entry)
    at(place, dispute)
    assert [each["type"] for each in entry["steps"]] == [
        "points.objected",
        "points.acknowledged",
        "points.reconsidered",
    ]
    assert (entry["open"], entry["replaced_by"]) == (False, place.named["correction"])
    assert (dispute["state"], dispute["outcome"]) == ("announced", "dismissed")
    told = orjson.dumps(dispute).decode()
    assert "m-0127" not in told
    waiting = place.get(f"/v1/ask/objection?entry={place.claim}").json()
    assert (waiting["state"], waiting["due"] > waiting["on"]) == ("claimed", True)


@check("What would lift me to the next band")
def _(place: Place, said: Said) -> None:
    found = said.one
    at(place, found)
    assert found["figure"] + found["lacking"] == found["next"]["from"]
    items = by_id(found["items"], "item")
    # What was reckoned for one more lesson is what a lesson is worth: 80 % of five points.
    assert items["E-A-02"]["would_count"] == 400
    # A full cap leaves nothing of one more meeting.
    assert min(each["would_count"] for each in found["items"]) >= 0


@check("Was the rule published before it was used on me")
def _(place: Place, said: Said) -> None:
    found = said.one
    at(place, found)
    assert found["version"] == "1.0.0"
    assert found["published_before_the_act"]
    assert found["published_before_the_entry"]
    assert found["in_force_from"] <= found["act_date"]
    (published,) = (e for e in found["steps"] if e["type"] == "rulebook.published")
    assert published["log_index"] < found["recorded"]["log_index"]


@check("How do I correct or erase personal data")
def _(place: Place, said: Said) -> None:
    found = said.one
    at(place, found)
    texts = by_id(found["texts"], "commitment")
    assert texts[place.evidence] == {
        "commitment": place.evidence,
        "statement": place.claim,
        "state": "kept",
        "kind": "text/plain",
        "erasable_after": None,
    }
    settled = [each["erasable_after"] for each in texts.values() if each["erasable_after"]]
    assert min(settled).startswith("2025-")


# -- auditors --------------------------------------------------------------------------------------


@check("Rebuild the ranking of any date: does it equal what was published")
def _(place: Place, said: Said) -> None:
    ranking, published = said.both
    assert ranking["as_of"]["recorded_at"] < "2025-04-11"
    replayed = place.run(
        f"mingzhang replay {place.url}/log ranking --unit school --period 2025-Q1 "
        f"--as-of {ranking['as_of']['size']} --vkey log.vkey"
    )
    assert f"size {ranking['as_of']['size']:,}".replace(",", "") in replayed.stdout.replace(",", "")
    for each in ranking["standings"]:
        assert each["member"] in replayed.stdout
    at(place, published)
    steps = {(each["step"], each["tree"]): each for each in published["tables"]}
    assert steps["published", "ranking"]["count"] == len(ranking["standings"])
    assert all(each["equal"] is not False for each in published["tables"])
    compared = said.commands[2]
    assert compared["size"] == place.size


@check("Do chain and tree match every witness")
def _(place: Place, said: Said) -> None:
    _, verified = said.commands
    (found,) = said.http
    assert f"{place.size:,}" in verified
    assert (found["size"], found["quorum"]) == (place.size, "none")


@check("Entries without evidence or with a missing file")
def _(place: Place, said: Said) -> None:
    found = said.one
    at(place, found)
    listed = by_id(found["entries"])
    assert place.claim not in listed
    assert listed[place.debit]["not_kept"]
    assert not listed[place.debit]["no_evidence"]
    bare = [each for each in found["entries"] if each["no_evidence"]]
    assert {each["origin"] for each in bare} == {"import"}


@check("Late entries by branch")
def _(place: Place, said: Said) -> None:
    found = said.one
    at(place, found)
    late = by_id(found["entries"])[place.named["late"]]
    assert (late["days"], late["dual"]) == (36, True)
    counts = {each["unit"]: each["late"] for each in found["by_unit"]}
    assert counts["school-office"] == 1
    assert sum(counts.values()) == len(found["entries"])


@check("Entries outside a rule's scope or time")
def _(place: Place, said: Said) -> None:
    found = said.one
    at(place, found)
    assert found["entries"] == []
    assert found["looked_at"] > 6_000
    assert found["after"] is None


@check("Self-approved or recusal breaches")
def _(place: Place, said: Said) -> None:
    found = said.one
    at(place, found)
    (part,) = by_id(found["entries"])[place.named["kin"]]["parts"]
    assert (part["why"], part["step"], part["repeated"]) == ("declared relation", "review", True)
    assert not any(p["why"] == "own entry" for e in found["entries"] for p in e["parts"])


@check("All reversals, by whom and why")
def _(place: Place, said: Said) -> None:
    found = said.one
    at(place, found)
    listed = by_id(found["reversals"])
    anew = listed[place.named["correction"]]
    assert anew["reverses"]["id"] == place.named["lesson"]
    assert (anew["reverses"]["amount"], anew["amount"]) == (800, 400)
    assert len(anew["reason"]) == 64
    assert len(listed) > 10
    for each in found["reversals"]:
        assert len({one["actor"] for one in each["people"]}) >= 2


@check("Fund: issued, redeemed, stock")
def _(place: Place, said: Said) -> None:
    found = said.one
    at(place, found)
    assert found["endowed"] == found["redeemed"] + found["stock"] == 6000
    assert any(each["reversed"] for each in found["moves"])


@check("A reproducible random or risk sample")
def _(place: Place, said: Said) -> None:
    found = said.one
    at(place, found)
    (query,) = found["queries"]
    assert (query["statement"], query["auditor"]) == (place.query, place.auditor)
    paper = orjson.loads((place.folder / "sample.json").read_bytes())
    assert bytes.fromhex(query["seed"]["root"])
    assert int(paper["log_head"][1]) == query["seed"]["size"]
    assert len(paper["result"]) == 3
    assert "OK" in said.commands[2]


@check("Which rulebook change moved ranks")
def _(place: Place, said: Said) -> None:
    found = said.one
    at(place, found)
    assert (found["version"], found["instead_of"]) == ("1.2.0", "1.0.0")
    moved = by_id(found["moves"], "member")
    first = moved["m-0127"]
    assert first["rank"] < first["rank_without"]
    assert [each["item"] for each in first["causes"]] == ["E-A-02"]


@check("Signatures by revoked keys")
def _(place: Place, said: Said) -> None:
    found = said.one
    at(place, found)
    (key,) = found["revoked"]
    assert (key["actor"], key["cause"]) == (school.LEADERS[school.OFFICE], "lost")
    assert key["signed_steps"] > 10
    assert (key["signed_after"], found["signed_after"]) == ([], 0)


@check("Was each notice up long enough")
def _(place: Place, said: Said) -> None:
    found = said.one
    at(place, found)
    assert (found["short"], found["after"]) == (0, None)
    walked = [each for each in found["entries"] if each["origin"] == "claim"]
    assert len(walked) > 30
    for each in walked:
        assert each["opened_on"] < each["must_stand_until"] <= each["closes"]
    (table,) = found["tables"]
    assert table["must_stand_until"] < table["closed_on"]


@check("Exempt and scored are the roster")
def _(place: Place, said: Said) -> None:
    found = said.one
    at(place, found)
    assert found["balanced"]
    assert sum(each["roster"] for each in found["units"]) == 13


@check("Export working papers")
def _(place: Place, said: Said) -> None:
    (found,) = said.http
    at(place, found)
    paper = orjson.loads((place.folder / "paper.json").read_bytes())
    names = ("title", "index_number", "preparer", "reviewer", "procedure", "query", "log_head")
    assert [bool(paper[name]) for name in (*names, "seed", "result")] == [True] * 9
    assert paper["query"]["index"] == found["queries"][0]["log_index"]
    assert (place.folder / "entries.sqlite").read_bytes().startswith(b"SQLite format 3")


@check("Show that no event is missing")
def _(place: Place, said: Said) -> None:
    proof, checkpoint = said.http
    assert (proof["old"], proof["new"]) == (place.old, place.size)
    assert proof["hashes"]
    assert all(len(base64.b64decode(each)) == 32 for each in proof["hashes"])
    assert checkpoint.splitlines()[1] == str(place.size)
    assert f"{place.size:,}" in said.commands[0]


# -- the committee ---------------------------------------------------------------------------------


@check("All entries by a scorer on a branch under a rule between dates")
def _(place: Place, said: Said) -> None:
    found = said.one
    at(place, found)
    assert len(found["entries"]) == 3
    for each in found["entries"]:
        assert each["item"] == "E-A-01"
        assert "2025-03-01" <= each["act_date"] <= "2025-09-30"
        assert "a-lead-school-1" in [step["actor"] for step in each["steps"]]


@check("Approver chain and timings")
def _(place: Place, said: Said) -> None:
    found = said.one
    at(place, found)
    reviews = [each for each in found["steps"] if each["type"] == "points.reviewed"]
    assert len(reviews) == 2
    assert [each["hours"] is None for each in found["steps"]][:2] == [True, False]
    assert sum(each["hours"] or 0 for each in found["steps"]) > 24 * 7


@check("Every correction around an act")
def _(place: Place, said: Said) -> None:
    found = said.one
    at(place, found)
    chain = {each["entry"]: each["how"] for each in found["entries"]}
    assert chain[place.named["lesson"]] == "asked"
    assert place.named["correction"] in chain
    assert [each["points"] for each in found["entries"]] == [800, 400]


@check("Evidence originals and digests")
def _(place: Place, said: Said) -> None:
    found = said.one
    at(place, found)
    (piece,) = found["evidence"]
    assert piece["sha256"] == hashlib.sha256(b"the visit log").hexdigest()
    assert (piece["kind"], piece["state"], piece["bytes"]) == ("visit_log", "kept", 13)
    assert said.commands[1] == "the visit log"
    reviewed = place.get(f"/v1/committee/ask/evidence?entry={place.named['lesson']}", ALLOWED)
    (other,) = reviewed.json()["evidence"]
    assert (other["state"], len(other["opened_by"])) == ("not kept here", 2)


@check("Comparable cases and outcomes")
def _(place: Place, said: Said) -> None:
    found = said.one
    at(place, found)
    assert sum(found["outcomes"].values()) == len(found["entries"])
    assert found["outcomes"]["filed"] > 3
    mine = by_id(found["entries"])
    assert mine[place.named["returned"]]["returns"] == 1
    assert all(each["people"] for each in found["entries"])


@check("Relations declared or missed")
def _(place: Place, said: Said) -> None:
    then, now = said.both
    assert then["as_of"]["recorded_at"] < "2026-01-01"
    at(place, now)
    kin = {each["actor"]: each["related"] for each in then["declared"]}
    assert "m-0130" in kin["a-com-school-2"]
    assert then["missed"] == []
    late = {each["entry"]: each["actor"] for each in then["late"]}
    # Which of its two reviewers declared it afterwards follows from their keys, new in every run.
    assert "m-0131" in kin[late[place.named["kin"]]]
    assert place.named["related"] not in late
    # Nobody has declared anything for the year in which the test runs.
    assert {each["actor"] for each in now["missed"]} >= set(kin)
    assert {each["declared"] for each in now["missed"] if each["actor"] in kin} == {2025}


@check("What could the member see, and when")
def _(place: Place, said: Said) -> None:
    found = said.one
    at(place, found)
    assert found["own_key"]
    for each in found["steps"]:
        assert each["log_index"] < each["checkpoint"] <= place.size
    (table,) = (each for each in found["tables"] if each["what"] == "table school-2025-q1")
    assert not table["counted_in_it"]
    opened = next(e["seen_from"] for e in found["steps"] if e["what"] == "points.published")
    assert opened[:10] < found["could_object_until"]


@check("Deadlines passed or near")
def _(place: Place, said: Said) -> None:
    (found,) = said.http
    at(place, found)
    (case,) = found["disputes"]
    assert (case["id"], case["state"]) == ("d-1", "announced")
    assert f"d-1  school  entry  {case['state']}" in said.commands[0]
    assert f"as of size {place.size}" in said.commands[0]


@check("Who may not sit on this re-examination")
def _(place: Place, said: Said) -> None:
    entry, dispute = said.both
    at(place, entry)
    at(place, dispute)
    why = {each["actor"]: each["rule"] for each in entry["may_not"]}
    assert set(why) >= set(school.COMMITTEE)
    assert set(why.values()) == {"one-step"}
    assert set(cast.UPPER) <= set(entry["may"])
    # Those who decided the dispute do not examine it again.
    assert set(cast.UPPER) <= {each["actor"] for each in dispute["may_not"]}
    kin = place.get(f"/v1/committee/ask/may-not-sit?entry={place.named['kin']}", ALLOWED).json()
    assert "recused" in {each["rule"] for each in kin["may_not"]}


@check("Was the complainant debited since")
def _(place: Place, said: Said) -> None:
    found = said.one
    at(place, found)
    assert (found["filer"], found["member"]) == ("a-m-0127", "m-0127")
    assert [each["id"] for each in found["retaliation"]] == [place.debit]


@check("One bundle for the hearing, checkable without us")
def _(place: Place, said: Said) -> None:
    (data,) = said.http
    assert data == (place.folder / "hearing.zip").read_bytes()
    assert "OK" in said.commands[1]
    types = {
        parse_entry(receipt.parse(each).entry).statement.type
        for name, each in unpacked(data).items()
        if name.startswith("receipts/")
    }
    assert types >= {"points.claimed", "points.corrected", "points.reviewed", "key.registered"}
    assert types >= {"rulebook.drafted", "rulebook.piloted", "role.granted", "ledger.founded"}
    kept = unpacked(place.get(f"/v1/committee/bundles/{place.claim}", ALLOWED).content)
    assert b"the visit log" in kept.values()


def unpacked(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@check("Effect on rank and rewards if reversed")
def _(place: Place, said: Said) -> None:
    found = said.one
    assert found["as_of"]["size"] == place.old
    assert found["counts_now"]
    # 4.00 of the daily figure, of which the year takes 80 %.
    assert found["was"]["score"] - found["would_be"]["score"] == 320
    assert found["was"]["rank"] < found["would_be"]["rank"]
    assert all(each["would_be"] < each["was"] for each in found["others"])
    assert found["service"]["redeemed"] == 400
    service = [
        each["service"]
        for each in place.get("/v1/members/m-0127/statement").json()["figures"]
        if each["year"] == "2025-01-01"
    ]
    assert service == [found["service"]["earned"]]


@check("Repeat patterns of the same pair")
def _(place: Place, said: Said) -> None:
    found = said.one
    at(place, found)
    counts = [each["entries"] for each in found["pairs"]]
    assert counts == sorted(counts, reverse=True)
    assert counts[-1] >= 5
    top = found["pairs"][0]
    path = f"scorer={top['scorer']}&member={top['member']}&limit=1000"
    entries = place.get(f"/v1/committee/entries?{path}", ALLOWED).json()["entries"]
    assert top["entries"] == len([e for e in entries if e["kind"] != "reversal"])


@check("Who opened this confidential case")
def _(place: Place, said: Said) -> None:
    at(place, said.one)
    body = {"purpose": "to see who looks"}
    path = f"{place.url}/v1/committee/disputes/d-1/open"
    assert httpx.post(path, json=body, headers=ALLOWED).status_code == 200
    found = place.get("/v1/committee/ask/openings?dispute=d-1", ALLOWED).json()
    newest = found["openings"][0]
    assert (newest["actor"], newest["purpose"]) == ("a-up-1", "to see who looks")


@check("The decision notice and the scope of its announcement")
def _(place: Place, said: Said) -> None:
    found = said.one
    at(place, found)
    assert (found["outcome"], found["scope"], found["open"]) == ("dismissed", "school", False)
    assert sorted(found["notices"]["decided"]["signers"]) == sorted(cast.UPPER)
    assert (
        found["notices"]["announced"]["recorded_at"] >= found["notices"]["decided"]["recorded_at"]
    )


@pytest.mark.parametrize("title", SECTIONS)
def test_a_question_of_the_page_is_answered_by_command_and_over_http(
    place: Place, title: str
) -> None:
    CHECKS[title](place, place.ask(title))


def test_the_page_has_every_question_with_both_languages_and_each_is_checked() -> None:
    assert [len(TITLE.findall(part)) for part in PARTS] == [14, 15, 15]
    assert set(SECTIONS) == set(CHECKS)
    for text in SECTIONS.values():
        assert {kind for kind, _ in BLOCK.findall(text)} == {"sh", "http"}


def test_what_is_unknown_is_said_with_what_to_do(place: Place) -> None:
    nothing = "01900000-0000-7000-8000-000000000000"
    for path, status, word in (
        ("changes?member=m-9999", 404, "no member 'm-9999'"),
        ("late?unit=nowhere", 404, "no unit 'nowhere'"),
        (f"chain?entry={nothing}", 404, "no signed entry holds"),
        ("decision?dispute=d-9", 404, "no dispute 'd-9'"),
        ("published?period=none", 404, "no period 'none'"),
        ("rule-moves?rulebook=none", 404, "no rulebook 'none'"),
        ("rule-moves?rulebook=school&version=9.9.9", 404, "1.2.0"),
        ("same-act", 400, "one of the two"),
        ("changes?member=m-0127&since=soon", 400, "neither a log size"),
        ("changes?member=m-0127&as_of=10000000", 404, "the log has no size"),
    ):
        answer = place.get(f"/v1/ask/{path}")
        assert (answer.status_code, word in answer.json()["detail"]) == (status, True), answer.text
        name, _, query = path.partition("?")
        pairs = [each.partition("=") for each in query.split("&") if each]
        options = [f"--{each.replace('_', '-')} {value}" for each, _, value in pairs]
        done = place.run(f"mingzhang ask {name} {' '.join(options)}")
        assert (done.returncode, word in done.stderr) == (1, True), done.stderr


def test_an_answer_for_the_past_knows_nothing_of_what_came_later(place: Place) -> None:
    early = place.get("/v1/ask/self-approved?unit=school&as_of=2025-05-07").json()
    assert place.named["kin"] not in by_id(early["entries"])
    before = place.get("/v1/ask/revoked-keys", {}).json()
    assert len(before["revoked"]) == 1
    assert place.get(f"/v1/ask/revoked-keys?as_of={place.old}").json()["revoked"] == []
    gone = place.get(f"/v1/ask/chain?entry={place.claim}&as_of={place.old}")
    assert gone.status_code == 404


def test_pages_of_an_answer_join_to_the_whole(place: Place) -> None:
    whole = place.get("/v1/ask/unevidenced?unit=school&limit=1000").json()
    found: list[Any] = []
    after = ""
    while True:
        page = place.get(f"/v1/ask/unevidenced?unit=school&limit=7{after}").json()
        found += page["entries"]
        if page["after"] is None:
            break
        after = f"&after={page['after']}"
    assert found == whole["entries"]


def test_a_token_is_of_use_only_while_its_owner_holds_the_office_in_the_log(place: Place) -> None:
    path = "/v1/committee/ask/pairs"
    assert place.get(path).status_code == 401
    refused = place.get(path, {"Authorization": "Bearer of one without a role"})
    assert (refused.status_code, "neither of discipline" in refused.text) == (403, True)
    assert (
        place.get(
            "/v1/committee/disputes", {"Authorization": "Bearer of one without a role"}
        ).status_code
        == 403
    )
    with Ledger.open(place.folders.data, options=Options(append=False)) as ledger:
        assert ledger.size() == place.size
