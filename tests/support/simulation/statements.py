"""The statements of all runs, signed once: a founded organisation, and what may follow it."""

from __future__ import annotations

from datetime import timedelta
from functools import cache

from ledger.entry import Statement, parse_envelope
from ledger.store.admission import Admission
from ledger.store.batch import Pending
from ledger.store.port import Store
from ledger.store.sequencer import Sequencer
from tests.support.organisation import ORIGIN, Organisation
from tests.support.simulation.machine import (
    SIGNER,
    SimulatedAnchor,
    SimulatedClock,
    Time,
)
from tests.support.simulation.server import Server
from tests.support.simulation.store import SimulatedStore

ADMISSION = Admission(ORIGIN, 0)
parsed = cache(parse_envelope)


@cache
def organisation() -> Organisation:
    """The organisation of all runs; `rec-3` registers within them."""
    return Organisation(members=4)


@cache
def set_up() -> tuple[bytes, ...]:
    """Everything up to the first points."""
    return tuple(organisation().set_up())


@cache
def founded() -> Server:
    """A server on which the organisation is set up."""
    server = Server()
    set_up_on(SimulatedStore(server))
    return server


def set_up_on(store: Store) -> None:
    """Set the organisation up in an empty store, half an hour after the start."""
    clock = SimulatedClock(Time(seconds=1800.0))
    sequencer = Sequencer(store, SIGNER, SimulatedAnchor(), clock, ADMISSION)
    sequencer.run([Pending(each, lambda _: None) for each in set_up()])
    sequencer.flush()
    assert sequencer.signed is not None
    assert sequencer.signed[0] == len(set_up()), sequencer.stopped


@cache
def pool() -> tuple[bytes, ...]:
    """Statements that are right, that are right only in some order, and that are wrong."""
    set_up()
    made = organisation()
    found: list[bytes] = []
    awards: list[Statement] = []
    for number in range(20):
        signers = ("rec-1", "com-1") if number % 3 else ("rec-1", "com-2")
        award = made.award(f"m-{number % 4 + 1}", 100 + number, signers=signers)
        found.append(award)
        awards.append(parse_envelope(award))
    for target in awards[:4]:
        member = target.stream.partition("/")[2]
        first = made.correction(member, target.id, 50)
        found += [first, made.correction(member, target.id)]
        found.append(made.correction(member, parse_envelope(first).id))
    # Rights that come and go: what is refused now may be right a moment later.
    committee = {"role": "committee", "unit": "root"}
    for _ in range(3):
        for kind in ("role.revoked", "role.granted"):
            found.append(made.statement(kind, "actor/com-2", "reg-1", committee))
    found += [made.key("rec-3"), made.role("rec-3", "recorder")]
    found += [made.award("m-2", 300 + n, signers=("rec-3", "com-1")) for n in range(4)]
    # One id for two contents, each of which is right alone.
    for number in range(4):
        ident = made.new_id()
        found += [made.award(f"m-{number + 1}", points, ident=ident) for points in (700, 800)]
    found += [made.enrolment(f"n-{number}") for number in (1, 2, 1, 2)]
    late = made.now + timedelta(days=300)
    ahead = {"unit": "east", "member_type": "ordinary"}
    found.append(made.statement("member.enrolled", "member/n-9", "reg-1", ahead, signed_at=late))
    other = found[0].rindex(b'"sig":"') + len(b'"sig":"') + 5
    swapped = b"A" if found[0][other : other + 1] != b"A" else b"B"
    found.append(found[0][:other] + swapped + found[0][other + 1 :])
    return tuple(found)
