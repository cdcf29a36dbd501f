"""Signed statements to measure with: the demo's people, and acts as its year has them, of today.

Signing is the callers' work, so all of it is done before a clock runs.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import cycle
from random import Random
from zoneinfo import ZoneInfo

from ledger.signing import PrivateKey
from ledger.store.ledger import Ledger
from ledger.store.queue import raised
from ops.demo import cast, sign, year
from ops.demo.cast import BRANCHES, REGISTRARS, TIME_ZONE
from ops.demo.sign import Pen, Publication
from ops.demo.year import PlannedAct

SEED = 19_780_501
MOVERS = 64
_KIND = {"award": "points.awarded", "deduct": "points.deducted"}


class Load:
    """Statements of an organisation founded yesterday, acts of today, in any number.

    Its rulebooks are published before the first day that they price (A2), so `found` is for a
    ledger whose clock shows the instant `founded`.
    """

    def __init__(self) -> None:
        self._now = datetime.now(UTC).replace(microsecond=0)
        self.founded = self._now - timedelta(days=1)
        self._today = self._now.astimezone(ZoneInfo(TIME_ZONE)).date()
        keys = {each.id: PrivateKey.generate() for each in cast.build().actors}
        self._pen = Pen(keys, Random(SEED))
        self._acts = self._endless()
        self._moves = self._moving()

    def found(self, ledger: Ledger) -> None:
        """Record the founding and everything that acts need."""
        start = self._today.isoformat()
        for each in sign.set_up(self._pen, self.founded, start, self._rulebooks()):
            ledger.append(each.envelope)

    def take(self, count: int) -> list[bytes]:
        """Return the envelopes of `count` new acts, each signed by two people."""
        return [next(self._acts) for _ in range(count)]

    def take_moves(self, count: int) -> list[bytes]:
        """Return the envelopes of `count` moves of members between groups, by one signature each.

        They keep to the order of MOVERS members: what is MOVERS apart is of the same member.
        """
        return [next(self._moves) for _ in range(count)]

    def _rulebooks(self) -> Iterator[Publication]:
        for branch in BRANCHES:
            _, rulebook = year.versions(self._today.year, branch.rulebook)[0]
            yield Publication(self.founded, branch.unit.id, rulebook, self._today.isoformat())

    def _moving(self) -> Iterator[bytes]:
        movers = cast.build().members[:MOVERS]
        at = {each.id: each.unit for each in movers}
        for each in cycle(movers):
            groups = [group.id for group in cast.branch_of(each.unit).groups]
            at[each.id] = groups[(groups.index(at[each.id]) + 1) % len(groups)]
            yield self._pen.signed(
                self._now,
                "member.transferred",
                f"member/{each.id}",
                {"unit": at[each.id]},
                REGISTRARS[0],
            ).envelope

    def _endless(self) -> Iterator[bytes]:
        for planned in cycle(_templates(self._today)):
            assert planned.act is not None  # noqa: S101 - templates are acts
            act = replace(planned.act, act_date=self._today)
            yield self._pen.signed(
                self._now,
                _KIND[act.kind],
                f"member/{planned.member}",
                sign.act_body(self._pen, act),
                planned.recorder,
                planned.approver,
            ).envelope


def _templates(today: date) -> list[PlannedAct]:
    """Return acts of a planned year that hold today: of first versions, by members who stay.

    An act for a month or quarter is one on its last day, which today mostly is not.
    """
    number = today.year
    moved = {each.member for each in cast.changes(number)}
    first = {each.rulebook: year.versions(number, each.rulebook)[0][1] for each in BRANCHES}
    return [
        each
        for each in year.plan(number)
        if each.act is not None
        and each.reverses is None
        and not each.act.covers
        and each.member not in moved
        and each.act.version == first[each.act.rulebook].body["version"]
    ]


def record_all(ledger: Ledger, envelopes: list[bytes], batch: int = 1_000) -> None:
    """Record envelopes in batches. Raises MingzhangError for the first that is refused."""
    for start in range(0, len(envelopes), batch):
        for outcome in ledger.append_batch(envelopes[start : start + batch]):
            raised(outcome)
