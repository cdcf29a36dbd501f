"""A log in memory whose days a test sets: statements are decided and folded as the ledger does.

The organisation is that of `tests.support.organisation` with more people: `up-1`, `upper` over
root; the branches `east` and `west` have a secretary and a committee of three of their own.
Nothing is stored, so a test of a rule is a few lines: on a day, somebody says something.
"""

from __future__ import annotations

from typing import Any

import pytest

from ledger import schema
from ledger.domain.account import Account
from ledger.domain.decide import decide
from ledger.domain.event import Event, Proposal
from ledger.domain.world import World
from ledger.entry import parse_envelope
from ledger.errors import Refused
from tests.support.organisation import Organisation

START_DAY = "2026-01-05"
PAIR = ("east-sec", "east-com-1")
ABOVE = "up-1"


def item(code: str, kind: str = "credit", **more: Any) -> dict[str, Any]:
    """An item of a rulebook, worth 1.00 unless `more` says otherwise."""
    names = {"code": code, "category": "A", "name_zh": code, "name_en": code}
    value = {} if "min" in more else {"points": 100}
    return {**names, "act_type": "test.act", "kind": kind, "unit": "occurrence"} | value | more


ITEMS = [
    item("C-1"),
    item("D-1", "debit"),
    item("R-1", min=50, max=300),
    item("S-1", account="service"),
]


def document(version: str, effective_from: str, unit: str = "east", **more: Any) -> dict[str, Any]:
    """A whole rulebook document, with the members `more`."""
    return {
        "unit": unit,
        "version": version,
        "effective_from": effective_from,
        "title_zh": "细则",
        "title_en": "Rules",
        "member_types": [
            {"code": "ordinary", "name_zh": "普通党员"},
            {"code": "cadre", "name_zh": "党员干部"},
        ],
        "items": ITEMS,
    } | more


class Chronicle:
    """Records statements on given days; `ids` are those of what was recorded, in order."""

    def __init__(self, east_start: str = START_DAY) -> None:
        self.world = World()
        self.organisation = Organisation(members=8)
        self.ids: list[str] = []
        self.events: list[Event] = []
        self._seqs: dict[str, int] = {}
        self._set_up(east_start)

    def _set_up(self, east_start: str) -> None:
        made = self.organisation
        self.envelope(made.founding())
        self.envelope(made.unit("root", None))
        for branch, start in (("east", east_start), ("west", START_DAY)):
            names = {"name_zh": branch, "name_en": branch}
            self.say("unit.opened", f"unit/{branch}", names | {"start": start, "parent": "root"})
        self.give("up-1", "upper", "root")
        self.give("rec-1", "recorder", "root")
        for branch in ("east", "west"):
            self.give(f"{branch}-sec", "secretary", branch)
            for number in (1, 2, 3):
                self.give(f"{branch}-com-{number}", "committee", branch)
        for number, member in enumerate(made.members):
            self.envelope(made.enrolment(member, "east" if number < 6 else "west"))

    def give(self, name: str, role: str, unit: str, day: str = START_DAY) -> None:
        """Register a key of `name`, the first time, and grant a role."""
        if self.world.actors.get(name) is None:
            self.envelope(self.organisation.key(name), day)
        self.envelope(self.organisation.role(name, role, unit), day)

    def say(
        self,
        kind: str,
        stream: str,
        body: dict[str, Any],
        signers: tuple[str, ...] = ("reg-1",),
        day: str = START_DAY,
    ) -> str:
        """Record a statement on a day and return its id; raises Refused if a rule forbids it."""
        envelope = self.organisation.statement(kind, stream, signers[0], body, also=signers[1:])
        return self.envelope(envelope, day)

    def envelope(self, envelope: bytes, day: str = START_DAY, *, judged: bool = True) -> str:
        """Record an envelope at 10:00 of a day in the organisation's zone."""
        statement = parse_envelope(envelope)
        schema.validate(statement.type, statement.body)
        proposal, at = Proposal.of(statement), f"{day}T02:00:00.000000Z"
        if (
            proposal.stream.startswith("member/")
            and self.world.accounts.get(proposal.stream) is None
        ):
            self.world.accounts[proposal.stream] = Account()
        if judged:
            decide(self.world, proposal, at)
        seq = self._seqs[proposal.stream] = self._seqs.get(proposal.stream, 0) + 1
        event = Event(proposal, seq, len(self.ids), at)
        self.world.evolve(event)
        self.events.append(event)
        self.ids.append(proposal.id)
        return proposal.id

    def plant(self, kind: str, stream: str, body: dict[str, Any], day: str) -> str:
        """Fold a statement that nobody judges: how an entry came in plays no part in the test."""
        envelope = self.organisation.statement(kind, stream, "rec-1", body)
        return self.envelope(envelope, day, judged=False)

    def refused(
        self,
        rule: str,
        kind: str,
        stream: str,
        body: dict[str, Any],
        signers: tuple[str, ...] = ("reg-1",),
        day: str = START_DAY,
    ) -> str:
        """Assert that a statement is refused by that rule, and return the reason."""
        with pytest.raises(Refused) as caught:
            self.say(kind, stream, body, signers, day)
        assert caught.value.rule == rule, f"{caught.value.rule}: {caught.value.message}"
        return caught.value.message

    def publish(
        self,
        version: str = "1.0.0",
        effective_from: str = "2026-01-06",
        day: str = START_DAY,
        rulebook: str = "rules",
        unit: str = "east",
        **more: Any,
    ) -> None:
        """Publish a version of a rulebook for a branch (or with the upper pair for root)."""
        signers = (f"{unit}-sec", f"{unit}-com-1")
        body = document(version, effective_from, unit, **more)
        self.say("rulebook.published", f"rulebook/{rulebook}", body, signers, day)
