"""A log with acts of all kinds: entries on every way, cases, a fund, an erasure, the whole frame.

For what must hold of every read model, whatever it folds. The entries' ways are decided by the
rules; between them stands a valid body of every other statement type, though no rule would let all
of these through, and read models park some.
"""

from __future__ import annotations

from random import Random
from typing import Any

from ledger.domain.event import Event, Proposal
from tests.support import dispute_examples, frame_examples
from tests.support.busy import a_busy_log
from tests.support.journal import Journal
from tests.support.organisation import COMMITMENT, ORIGIN

_STREAMS = {
    "audit": "actor/rec-1",
    "calendar": "unit/root",
    "fund": "fund/red",
    "member": "member/m-4",
    "period": "period/q1",
    "points": "member/m-3",
    "review": "period/q1",
    "rulebook": "rulebook/new",
    "state": "period/q1",
    "unit": "unit/west",
    "roster": "period/q1",
    "veto": "member/m-1",
    "vote": "period/q1",
}


def a_medley() -> Journal:
    """Return the journal of a busy log with the examples between."""
    random, journal = Random(12), Journal()
    busy, examples = a_busy_log().events, _examples()
    # Each in its place behind the one before, at some place in the log.
    cuts = sorted(random.sample(range(60, len(busy)), min(len(examples), len(busy) - 60)))
    done = 0
    for number, (kind, stream, body) in enumerate(examples):
        cut = cuts[number * len(cuts) // len(examples)]
        journal.take(busy[done:cut])
        done = max(done, cut)
        ident = f"0198c3a0-0000-7000-8000-{number + 1:012x}"
        proposal = Proposal(kind, ident, ORIGIN, stream, "rec-1", body, ("a" * 64,))
        journal.take([Event(proposal, 0, 0, busy[done - 1].recorded_at)])
    journal.take(busy[done:])
    return journal


def _examples() -> list[tuple[str, str, dict[str, Any]]]:
    """Return kind, stream and body of statements that frame entries, and of those of disputes."""
    found = [
        (kind, _STREAMS[kind.partition(".")[0]], body) for kind, body in frame_examples.EXAMPLES
    ]
    found += [
        (kind, f"dispute/d-{2 + number % 2}", body)
        for number, (kind, body) in enumerate(dispute_examples.EXAMPLES)
    ]
    return [*found, ("text.erased", "member/m-2", {"commitment": COMMITMENT, "cause": "law"})]
