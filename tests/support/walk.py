"""Random walks of entries: people say what usually comes next, or anything at all.

Refused statements leave no trace; what was recorded is kept, as statements by day and as events.
"""

from __future__ import annotations

from random import Random
from typing import Any

from ledger.domain.account import PointsEntry
from ledger.domain.lapses import due_term
from ledger.domain.way import case_of, closing, route
from ledger.errors import Refused
from tests.support.organisation import COMMITMENT
from tests.support.passage import SLIP, Passage, act

PEOPLE = (
    "mem-2", "rec-1", "lead-1", "east-sec", "east-com-1", "east-com-2", "east-com-3", "up-1",
    "up-2", "in-1", "clerk",
)  # fmt: skip
MEMBERS = ("m-2", "m-5")
TYPES = (
    "claimed", "claimed", "checked", "reviewed", "published", "lapsed", "returned", "revised",
    "rejected", "withdrawn", "objected", "acknowledged", "reconsidered", "appealed", "reexamined",
    "corrected", "filed", "related",
)  # fmt: skip
USUAL = {
    "claimed": ("rec-1",),
    "checked": ("lead-1",),
    "reviewed": ("east-com-1", "east-com-2"),
    "published": ("east-sec",),
    "lapsed": ("clerk",),
    "returned": ("lead-1",),
    "rejected": ("east-com-1", "east-com-2"),
    "objected": ("in-1",),
    "acknowledged": ("in-1",),
    "appealed": ("in-1",),
    "reconsidered": ("east-com-3", "up-1"),
    "reexamined": ("up-1", "up-2"),
    "corrected": ("rec-1",),
    "filed": ("east-sec",),
}
NEXT = {
    "claimed": "checked",
    "checked": "reviewed",
    "reviewed": "published",
    "published": "lapsed",
    "returned": "revised",
    "objected": "acknowledged",
    "acknowledged": "reconsidered",
    "ordered": "corrected",
    "final": "corrected",
    "appealed": "reexamined",
}


class Walk(Passage):
    """A passage that draws statements, keeps what it recorded, and goes on from day to day."""

    def __init__(self, seed: int) -> None:
        self.said: list[tuple[str, bytes]] = []
        self.random = Random(seed)
        self.day = 12
        super().__init__()

    def envelope(self, envelope: bytes, day: str = "2026-01-05", *, judged: bool = True) -> str:
        ident = super().envelope(envelope, day, judged=judged)
        self.said.append((day, envelope))
        return ident

    @property
    def today(self) -> str:
        month, day = divmod(self.day - 1, 28)
        return f"2026-{month + 1:02}-{day + 1:02}"

    def take(self) -> None:
        """Try one statement; a refused one leaves no trace."""
        draw = self.random
        member = draw.choice(MEMBERS)
        entries = list(self.account(member).entries.values())
        entry = draw.choice(entries[-4:]) if entries else None
        kind = draw.choice(TYPES)
        if entry is not None and draw.random() < 0.6:
            kind = NEXT.get(entry.state, kind)
        if kind == "lapsed":
            self.day = min(self.day + draw.choice((1, 8, 40)), 330)
        who = USUAL.get(kind, ("mem-2",))
        if draw.random() < 0.25:
            who = tuple(draw.sample(PEOPLE, draw.randint(1, 3)))
        try:
            if kind == "related":
                if draw.random() < 0.1:
                    related = {"year": 2026, "related": [member]}
                    self.say("relation.declared", f"actor/{who[0]}", related, who[:1], self.today)
            elif kind == "claimed":
                self.on(kind, self._claim(), *who, day=self.today, member=member)
            elif entry is not None:
                body = self._body(kind, member, entry)
                self.on(kind, body, *who, day=self.today, member=member)
        except Refused:
            pass

    def _claim(self) -> dict[str, Any]:
        debit = self.random.random() < 0.3
        item = {"item": "D-1", "kind": "debit"} if debit else {"item": "C-1"}
        return act(evidence=SLIP, late_reason=COMMITMENT, **item)

    def _body(self, kind: str, member: str, entry: PointsEntry) -> dict[str, Any]:
        body: dict[str, Any] = {"entry": entry.id}
        odd = self.random.random() < 0.5
        if kind == "corrected":
            body = {"reverses": entry.id, "reason": COMMITMENT}
            if entry.order is not None and odd:
                body |= {"orders": entry.order, "closes": closing(self.world, entry, self.today)}
            else:
                body["path"] = "full"
            if self.random.random() < 0.5:
                given = {"type": "points.awarded", "late_reason": COMMITMENT}
                body["replacement"] = given | act()
        elif kind == "checked":
            case = case_of(self.world, member, entry, self.today)
            review, reviewers = route(self.world, case, self.account(member), entry)
            body |= {"review": review, "reviewers": reviewers}
        elif kind == "reviewed":
            place = "upper" if entry.dual and odd else "committee"
            body |= {"place": place, "opened": list(entry.evidence)}
        elif kind == "published":
            body["closes"] = closing(self.world, entry, self.today)
        elif kind == "lapsed":
            due = due_term(self.world, member, entry)
            body |= (
                {"term": due.term, "due": due.due} if due else {"term": "appeal", "due": self.today}
            )
        elif kind in ("returned", "rejected"):
            body["reason"] = COMMITMENT
        elif kind == "revised":
            body |= act(evidence=SLIP, late_reason=COMMITMENT, item=entry.item)
        elif kind in ("objected", "appealed"):
            body["filer"] = COMMITMENT
        elif kind in ("reconsidered", "reexamined"):
            body |= {"reason": COMMITMENT, "outcome": "corrected"}
            body |= {"filled": COMMITMENT} if kind == "reconsidered" else {}
        return body

    def walk(self, steps: int) -> Walk:
        """Try that many statements."""
        for _ in range(steps):
            self.take()
        return self
