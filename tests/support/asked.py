"""The questions of `ops/questions.md`, and the demo's ledger that they are asked of."""

from __future__ import annotations

import hashlib
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from string import Template
from typing import Any

import httpx
import orjson

from ledger import keyfile
from ledger.log.checkpoint import parse_body
from ledger.log.note import parse
from ledger.signing import PrivateKey
from ledger.store.documents import Documents
from ledger.store.ledger import Ledger
from ledger.store.queue import raised
from ledger.store.register import Register
from ops.demo import cast, school
from ops.demo.folders import Folders
from ops.demo.sign import Pen
from ops.demo.whole import Year
from tests.support.server import command, environment

PAGE = (Path(__file__).parents[2] / "ops" / "questions.md").read_text()
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
    """Return what a text holds as JSON, else the text."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return text


Check = Callable[[Place, Said], None]
"""Asserts that what a question's commands and addresses said is right."""


def keeping(checks: dict[str, Check]) -> Callable[[str], Callable[[Check], Check]]:
    """Return a decorator that keeps the check of a question by the question's English title."""

    def check(title: str) -> Callable[[Check], Check]:
        def keep(one: Check) -> Check:
            assert title not in checks
            checks[title] = one
            return one

        return keep

    return check


def at(place: Place, said: Any) -> None:
    """Assert that an answer holds for the newest position."""
    assert said["as_of"]["size"] == place.size
    assert not said["as_of"].get("not_counted")


def by_id(entries: list[dict[str, Any]], name: str = "id") -> dict[str, dict[str, Any]]:
    """Return entries by their ids, or by another name."""
    return {each[name]: each for each in entries}
