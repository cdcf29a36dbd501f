"""A passage that keeps its events and envelopes, for what is folded or written from them again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ledger.log.checkpoint import Checkpoint
from ledger.verify.checks.catalogue import Outside, all_checks
from ledger.verify.checks.finding import Finding
from ledger.verify.checks.fold import run
from tests.support.organisation import COMMITMENT
from tests.support.passage import Passage, act
from tests.support.static_log import Recorder, write_log


class Watched(Passage):
    """What is said is recorded at `time` of its day; events and envelopes are kept in order."""

    def __init__(self, **rules: Any) -> None:
        self.said: list[tuple[str, bytes]] = []
        self.time = "02:00:00"
        super().__init__(**rules)

    def envelope(self, envelope: bytes, day: str = "2026-01-05", *, judged: bool = True) -> str:
        ident = super().envelope(envelope, day, judged=judged)
        at = f"{day}T{self.time}.000000Z"
        self.events[-1] = self.events[-1]._replace(recorded_at=at)
        self.said.append((at, envelope))
        return ident

    def put(
        self, kind: str, stream: str, body: dict[str, Any], *signers: str, day: str = "2026-01-12"
    ) -> str:
        """Record a statement that nobody judges, as a server that cheats would."""
        signed = self.organisation.statement(kind, stream, signers[0], body, also=signers[1:])
        return self.envelope(signed, day, judged=False)

    def direct(
        self,
        *signers: str,
        member: str = "m-2",
        day: str = "2026-01-12",
        kind: str = "awarded",
        **changed: Any,
    ) -> str:
        """Put an award of the short path, final at once."""
        body = act(points=100) | changed
        return self.put(f"points.{kind}", f"member/{member}", body, *signers, day=day)

    def found(
        self, cheat: int, digests: dict[str, str] | None = None, **outside: Any
    ) -> list[Finding]:
        """Return what the checks find of one cheat, by what people outside know."""
        checks = all_checks(digests, Outside(**outside))
        return [each for each in run(self.events, checks) if each.cheat == cheat]

    def index(self, ident: str) -> int:
        """Return the log index of a statement."""
        return self.ids.index(ident)

    def write(self, folder: Path) -> Checkpoint:
        """Write the log as an export does."""
        recorder = Recorder()
        entries = [recorder.place(e, checked=False, recorded_at=at) for at, e in self.said]
        return write_log(folder, entries)


def declare(log: Watched, *actors: str, year: int = 2026, day: str = "2026-01-06") -> None:
    """Let people declare that they are related to nobody."""
    for actor in actors:
        body = {"year": year, "related": []}
        log.say("relation.declared", f"actor/{actor}", body, (actor,), day)


def honest() -> Watched:
    """A log in which everybody kept the rules and nothing looks odd."""
    log = Watched()
    declare(log, "lead-1", "rec-1", "in-1", "up-1", "up-2", "east-sec", "east-com-1", "east-com-2")
    declare(log, "east-com-3")
    calendar = {"year": 2026, "holidays": ["2026-02-17"], "workdays": ["2026-02-14"]}
    log.say("calendar.published", "unit/root", calendar, ("reg-1", "reg-2"), "2026-01-07")
    first = log.final()
    log.on("filed", {"entry": first}, "east-sec", day="2026-01-21")
    log.final("rec-1", member="m-5", evidence=[{"kind": "signed_slip", "commitment": COMMITMENT}])
    debit = log.final("rec-1", member="m-5", item="D-1", kind="debit")
    log.on("corrected", {"reverses": debit, "reason": COMMITMENT, "path": "full"}, "rec-1",
           day="2026-01-22", member="m-5")  # fmt: skip
    away = {"from": "2026-06-01", "until": "2026-06-30", "cause": "illness"}
    log.say("member.exempted", "member/m-6", away, ("reg-1", "east-com-1"), "2026-05-20")
    log.say("member.transferred", "member/m-6", {"unit": "west"}, ("reg-1",), "2026-07-01")
    return log
