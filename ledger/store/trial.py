"""Tries statements out: what the log would say to them now, without recording any.

They are decided in order on a copy of the signed state that is read for the purpose, so that the
sequencer's own is never touched; another process may still record something in between.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from ledger.domain.decide import decide, needs
from ledger.domain.event import Event, Proposal
from ledger.entry import Statement, format_instant
from ledger.errors import MingzhangError, Refused
from ledger.store.admission import check_signatures, check_suites, parse
from ledger.store.ledger import Ledger
from ledger.store.port import Store
from ledger.store.start import edge_at
from ledger.store.table import EntryTable
from ledger.store.tip import NO_LEAF, Tip

TRIAL_MAX = 10_000


def try_statements(
    ledger: Ledger, envelopes: Sequence[bytes], now: datetime
) -> list[MingzhangError | None]:
    """Return for each envelope why it would be refused, None where it would not.

    What is recorded already is not refused. `now` is the time that it would be recorded at.
    """
    store = EntryTable(ledger.database.connect)
    try:
        tip, _ = Tip.load(store, edge_at(store, ledger.size()))
        recorded_at = max(format_instant(now, micros=True), tip.recorded_at)
        return [_try(store, tip, each, ledger, recorded_at) for each in envelopes]
    finally:
        store.close()


def _try(
    store: Store, tip: Tip, envelope: bytes, ledger: Ledger, recorded_at: str
) -> MingzhangError | None:
    try:
        statement = parse(envelope, ledger.origin)
        check_suites(statement, ledger.suites)
        if store.find([statement.id]):
            return None
        if not check_signatures(statement, tip.public_key):
            raise Refused("key-known", "a signature is by a key that this log does not know")
        _decide(store, tip, statement, recorded_at)
    except MingzhangError as error:
        return error
    return None


def _decide(store: Store, tip: Tip, statement: Statement, recorded_at: str) -> None:
    proposal = Proposal.of(statement)
    tip.load_heads(store, [proposal.stream])
    tip.load_accounts(store, needs(proposal))
    decide(tip.world, proposal, recorded_at)
    seq, leaf = tip.heads.get(proposal.stream) or (0, NO_LEAF)
    tip.world.evolve(Event(proposal, seq + 1, tip.size, recorded_at))
    tip.heads[proposal.stream] = (seq + 1, leaf)
