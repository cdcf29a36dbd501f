"""Folds a log once for all checks, in memory that grows with people and streams.

The log is taken as it stands: whether each entry was allowed is `mingzhang verify log`, which
applies the sequencer's own rules. What is looked for here was allowed, or slipped past them.
"""

from __future__ import annotations

from collections.abc import Iterable
from types import TracebackType
from typing import Self

from ledger.domain.account import Account
from ledger.domain.eligibility import acting
from ledger.domain.event import Event
from ledger.domain.texts import ERASED
from ledger.domain.world import World
from ledger.verify.accounts import Accounts
from ledger.verify.checks.finding import Check, Ending, Finding, Moment

ACCOUNT_WEIGHT_MAX = 50_000
"""Points entries in memory; what rests longest is put aside in a temporary database."""


class Fold:
    """Gives every entry to every check; a context that closes its temporary database."""

    def __init__(self, checks: Iterable[Check]) -> None:
        self._checks = tuple(checks)
        self._accounts = Accounts(ACCOUNT_WEIGHT_MAX)
        self._numbers: dict[str, bytes] = {}
        self._found: list[Finding] = []
        self._today = ""
        self.world = World()

    def __enter__(self) -> Self:
        self._accounts.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._accounts.__exit__(kind, error, trace)

    def apply(self, event: Event) -> None:
        """Fold the next entry of the log."""
        proposal, world = event.proposal, self.world
        points = proposal.type.startswith("points.")
        before = after = None
        ident = proposal.body.get("entry", proposal.id) if points else ""
        if points or proposal.type == ERASED:
            # An erasure is held against the entries that name what it erases.
            before = self._account(proposal.stream).entries.get(ident)
        world.evolve(event)
        self._today = world.today(event.recorded_at)
        if points:
            self._accounts.put_aside(self._numbers[proposal.stream], event)
            account = world.accounts.get(proposal.stream)
            after = account.entries.get(ident) if account is not None else None
        signed = acting(world, proposal.keyids)
        moment = Moment(world, event, self._today, signed, before, after)
        for check in self._checks:
            self._found += check.see(moment)
        if points:
            self._accounts.make_room(world, (proposal.stream,))

    def findings(self) -> list[Finding]:
        """Return everything found, by cheat and then in the order of the log; the fold ends."""
        ending = Ending(self.world, self._today, self._member)
        for check in self._checks:
            self._found += check.finish(ending)
        return sorted(self._found, key=lambda each: (each.cheat, each.index, each.people))

    def _member(self, member: str) -> Account:
        stream = f"member/{member}"
        account = self._account(stream)
        # Whether an entry counts may rest on its other half on another stream (B13).
        others = account.counterparts()
        for each in others:
            self._account(each)
        self._accounts.make_room(self.world, (stream, *others))
        return account

    def _account(self, stream: str) -> Account:
        number = self._numbers.setdefault(stream, len(self._numbers).to_bytes(8))
        return self._accounts.load(self.world, stream, number)


def run(events: Iterable[Event], checks: Iterable[Check]) -> list[Finding]:
    """Return what `checks` find in a whole log's events, given in order."""
    with Fold(checks) as fold:
        for event in events:
            fold.apply(event)
        return fold.findings()
