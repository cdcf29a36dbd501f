"""A member whose entries stand in every state, and the recording of such a passage in a ledger."""

from __future__ import annotations

from datetime import date
from typing import Any

from ledger.store.ledger import Ledger
from tests.support.chronicle import ITEMS, item
from tests.support.clock import SteadyClock
from tests.support.organisation import COMMITMENT
from tests.support.passage import SLIP, act, why
from tests.support.walk import Walk

FOUNDED, LATER = date(2026, 1, 5), "2026-01-28"
CLOSES = "2026-02-04"
CAPPED = item("C-2", points=200, cap={"per": "quarter", "points": 300})
CAPPED |= {"name_zh": "志愿服务", "name_en": "Volunteer work"}


class EveryState(Walk):
    """`m-2` has an entry in each state; `named` has their ids, by state.

    Of two entries of `C-2`, worth 2.00 each, a quarter's cap of 3.00 lets 1.00 of the second
    through, `capped`. Also `debit`, and `final`, which corrects `reversed`. The base is 60.00.
    """

    def __init__(self) -> None:
        super().__init__(0)
        self.named: dict[str, str] = {}
        self._final()
        self._under_way()

    def publish(self, *args: Any, **more: Any) -> None:
        """Publish a rulebook with a base and with an item that has a cap."""
        super().publish(*args, items=[*ITEMS, CAPPED], merit={"base": 6000}, **more)

    def _final(self) -> None:
        first = self.published(item="C-2", act_date="2026-01-07")
        second = self.published(item="C-2", act_date="2026-01-08")
        wrong = self.published(item="R-1", points=300, act_date="2026-01-09")
        debit = self.published("rec-1", item="D-1", kind="debit", evidence=SLIP)
        appealed = self.published(item="C-1")
        for each in (first, second, wrong, debit, appealed):
            self.lapse(each, "publicity", "2026-01-19", "2026-01-20")
        self.on("filed", {"entry": first}, "east-sec", day="2026-01-20")
        replacement = {"type": "points.awarded"} | act(item="R-1", points=200)
        body = {"reverses": wrong, "reason": COMMITMENT, "path": "full", "replacement": replacement}
        right = self.on("corrected", body, "rec-1", day="2026-01-20")
        self.check(right, day="2026-01-20")
        self.review(right, day="2026-01-20", points=200)
        shown = {"entry": right, "closes": "2026-01-27"}
        self.on("published", shown, "east-sec", day="2026-01-20")
        appeal = {"entry": appealed, "filer": COMMITMENT}
        self.on("appealed", appeal, "in-1", day="2026-01-25")
        self.lapse(right, "publicity", "2026-01-27", LATER)
        self.named |= {"filed": first, "capped": second, "reversed": wrong, "final": right}
        self.named |= {"debit": debit, "appealed": appealed}

    def _under_way(self) -> None:
        named = self.named
        for number, state in enumerate(
            ("claimed", "checked", "reviewed", "published", "objected", "returned", "rejected"), 11
        ):
            day = f"2026-01-{number}"
            ident = self.claim("rec-1", day=LATER, act_date=day, evidence=SLIP)
            named[state] = ident
            if state in ("checked", "reviewed", "published", "objected"):
                self.check(ident, day=LATER)
            if state in ("reviewed", "published", "objected"):
                self.review(ident, day=LATER)
            if state in ("published", "objected"):
                self.on("published", {"entry": ident, "closes": CLOSES}, "east-sec", day=LATER)
        objection = {"entry": named["objected"], "filer": COMMITMENT}
        self.on("objected", objection, "in-1", day=LATER)
        self.on("returned", why(named["returned"]), "lead-1", day=LATER)
        self.check(named["rejected"], day=LATER)
        self.on("rejected", why(named["rejected"]), "east-com-1", "east-com-2", day=LATER)


def record(said: list[tuple[str, bytes]], ledger: Ledger, clock: SteadyClock) -> None:
    """Record statements, each on its day; the clock stands at FOUNDED."""
    today = FOUNDED
    for day, envelope in said:
        wanted = date.fromisoformat(day)
        if wanted > today:
            clock.pass_days((wanted - today).days)
            today = wanted
        ledger.append(envelope)
