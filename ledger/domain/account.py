"""A member's points entries and where each stands on its way (`account_fold` of `member/<id>`).

    claimed → checked → reviewed → published → final → filed
       any of these may go back to its claimant (returned → claimed again), or end (rejected,
       withdrawn); published → objected → acknowledged → published again, or ordered corrected;
       final and filed → appealed → final again. What a final correction takes back is reversed.

Nothing here looks outside the stream, so the fold of a stream is the same wherever it runs. What
needs rules, roles or the calendar is read beside it (`way`, `lapses`, `eligibility`); what must
stay fixed though those change is named by the statements themselves: how many reviewers
(`points.checked`), the last day of publicity (`closes`), the term that lapsed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ledger.domain.event import Proposal
from ledger.domain.texts import ERASED, Held, commitments

CREDIT, DEBIT, REVERSAL = "credit", "debit", "reversal"
CLAIM, DIRECT, IMPORT, CORRECTION = "claim", "direct", "import", "correction"

CLAIMED, CHECKED, REVIEWED, PUBLISHED = "claimed", "checked", "reviewed", "published"
OBJECTED, ACKNOWLEDGED, ORDERED = "objected", "acknowledged", "ordered"
FINAL, FILED, APPEALED = "final", "filed", "appealed"
RETURNED, REJECTED, WITHDRAWN, REVERSED = "returned", "rejected", "withdrawn", "reversed"

EFFECTIVE = frozenset({FINAL, FILED, APPEALED})
"""Only in these states an entry counts, also while an appeal runs (rule A29)."""
ENDED = frozenset({REJECTED, WITHDRAWN, REVERSED})
PENDING = frozenset(
    {CLAIMED, CHECKED, REVIEWED, PUBLISHED, OBJECTED, ACKNOWLEDGED, ORDERED, RETURNED}
)

CLAIM_STEP, CHECK, REVIEW, UPPER, NOTICE = "claim", "check", "review", "upper", "notice"
RECONSIDERATION, REEXAMINATION, INTAKE = "reconsideration", "reexamination", "intake"

WAY: dict[str, dict[str, str]] = {
    "points.checked": {CLAIMED: CHECKED, CHECKED: CHECKED, REVIEWED: REVIEWED},
    "points.reviewed": {CHECKED: REVIEWED, REVIEWED: REVIEWED},
    "points.published": {REVIEWED: PUBLISHED},
    "points.filed": {FINAL: FILED},
    "points.returned": {CLAIMED: RETURNED, CHECKED: RETURNED, REVIEWED: RETURNED},
    "points.revised": {RETURNED: CLAIMED},
    "points.rejected": {CLAIMED: REJECTED, CHECKED: REJECTED, REVIEWED: REJECTED},
    "points.withdrawn": {
        CLAIMED: WITHDRAWN,
        CHECKED: WITHDRAWN,
        REVIEWED: WITHDRAWN,
        PUBLISHED: WITHDRAWN,
        OBJECTED: WITHDRAWN,
        ACKNOWLEDGED: WITHDRAWN,
        ORDERED: WITHDRAWN,
        RETURNED: WITHDRAWN,
    },
    "points.withdrawn objection": {OBJECTED: PUBLISHED, ACKNOWLEDGED: PUBLISHED},
    "points.objected": {PUBLISHED: OBJECTED, OBJECTED: OBJECTED, ACKNOWLEDGED: ACKNOWLEDGED},
    "points.acknowledged": {OBJECTED: ACKNOWLEDGED},
    "points.reconsidered upheld": {ACKNOWLEDGED: PUBLISHED},
    "points.reconsidered corrected": {ACKNOWLEDGED: ORDERED},
    "points.appealed": {FINAL: APPEALED, FILED: APPEALED},
    "points.reexamined upheld": {APPEALED: FINAL},
    "points.reexamined reversed": {APPEALED: FINAL},
    "points.reexamined corrected": {APPEALED: FINAL},
    "points.lapsed publicity": {PUBLISHED: FINAL},
    "points.lapsed returned": {RETURNED: WITHDRAWN},
    "points.lapsed first_review": {CLAIMED: CLAIMED, CHECKED: CHECKED, REVIEWED: REVIEWED},
    "points.lapsed objection_ack": {OBJECTED: OBJECTED},
    "points.lapsed reconsideration": {ACKNOWLEDGED: ACKNOWLEDGED, ORDERED: ORDERED},
    "points.lapsed appeal": {APPEALED: APPEALED},
    "points.extended": {
        each: each
        for each in (
            CLAIMED, CHECKED, REVIEWED, RETURNED, OBJECTED, ACKNOWLEDGED, ORDERED, APPEALED
        )
    },
}  # fmt: skip
"""Statement (with its outcome or term) → state → state: every move that there is.

A lapse that leaves the state passes the task on: silence never approves (B2). A review leads to
`reviewed` only with the last reviewer, before that it stays `checked`; a check or review in a
later state takes the place of one that a relation found later has voided (B6).
"""


class Step(NamedTuple):
    """Who signed what of an entry's way: the step, its statement, its keys, and when."""

    name: str
    id: str
    keyids: tuple[str, ...]
    recorded_at: str


class Half(NamedTuple):
    """The other half of a correction over two members: its stream and statement id (B13)."""

    stream: str
    id: str


@dataclass(frozen=True, slots=True)
class PointsEntry:
    """One entry. `points` are per unit of the item, None where the item fixes them.

    Steps from `round_start` on are those since the last revision; earlier ones keep their people.
    `opened_at` is when the term that now runs began, at the log's `opened_index`; a publicity
    begins once that is witnessed (B21). `state_since` is when the state did; `lapses` counts the
    terms that lapsed in it, `until` is the last day of an extension, recorded at `extended_at`.
    `closes` is the last day of publicity as the statement that opened it says, and `rest` how many
    working days of it were left when an objection stopped it, None for a whole publicity;
    `stopped_at` is when, `shown_at` (and `shown_index`) when the publicity that it stopped had
    opened.
    `reviewers` and `dual` are what the group check named; a `dual` entry needs one of the unit
    above as well (A33). `texts` are the commitments in all statements about it. `account` is that
    of an import, which names no item; else the item says it. `erratum` is what gives the right
    figure in place of the item's (B15).
    """

    id: str
    kind: str
    origin: str
    rulebook: str
    version: str
    item: str
    points: int | None
    quantity: int
    act_date: str
    state: str
    claimed_at: str
    opened_at: str
    state_since: str
    steps: tuple[Step, ...]
    activity: str | None = None
    deed: str | None = None
    covers: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()
    round_start: int = 0
    reviewers: int = 0
    dual: bool = False
    figure: int | None = None
    returns: int = 0
    closes: str | None = None
    stopped_at: str | None = None
    shown_at: str | None = None
    lapses: int = 0
    until: str | None = None
    extended_at: str | None = None
    extended: bool = False
    paused: bool = False
    objections: int = 0
    rest: int | None = None
    final_at: str | None = None
    final_index: int | None = field(default=None, compare=False)
    opened_index: int | None = field(default=None, compare=False)
    shown_index: int | None = field(default=None, compare=False)
    decided_at: str | None = None
    filed: bool = False
    order: str | None = None
    order_kind: str | None = None
    reverses: str | None = None
    corrections: tuple[str, ...] = ()
    reversed_by: str | None = None
    counterpart: Half | None = None
    orders: str | None = None
    account: str | None = None
    erratum: str | None = None

    @property
    def settled(self) -> bool:
        """Whether the entry itself is final; what takes it back is looked at in `effective`."""
        return self.state in EFFECTIVE

    def keys_of(self, *names: str) -> tuple[str, ...]:
        """Return the key ids that signed one of these steps, in the order of signing."""
        return tuple(k for step in self.steps if step.name in names for k in step.keyids)

    def in_round(self, *names: str) -> tuple[str, ...]:
        """Return the key ids that signed one of these steps since the claim's last revision."""
        recent = self.steps[self.round_start :]
        return tuple(k for step in recent if step.name in names for k in step.keyids)


@dataclass(frozen=True, slots=True)
class Account:
    """A member's entries by id, in the order in which they came in.

    `others` are statements about the member that hold commitments, `erased` what was erased (B22).
    """

    version: int = 0
    entries: dict[str, PointsEntry] = field(default_factory=dict)
    others: tuple[Held, ...] = ()
    erased: frozenset[str] = frozenset()

    def counterparts(self) -> tuple[str, ...]:
        """Return the streams that hold the other halves of this member's corrections (B13)."""
        found = {each.counterpart.stream for each in self.entries.values() if each.counterpart}
        return tuple(sorted(found))


Accounts = Callable[[str], Account | None]
"""Gives the account of a member's stream, None where it is not loaded or empty."""


def complete(entry: PointsEntry, accounts: Accounts) -> bool:
    """Tell whether a final entry has its other half, final too, where it is one half (B13)."""
    if entry.counterpart is None:
        return True
    other = accounts(entry.counterpart.stream)
    half = other.entries.get(entry.counterpart.id) if other is not None else None
    return half is not None and half.state in (*EFFECTIVE, REVERSED)


def effective(account: Account, entry: PointsEntry, accounts: Accounts) -> bool:
    """Tell whether an entry counts at this position (A29, A32, B12, B13).

    It is final, has its other half if it is one half, and no correction with effect takes it
    back. A reversal itself counts nothing.
    """
    if entry.kind == REVERSAL or not entry.settled or not complete(entry, accounts):
        return False
    if entry.reversed_by is None:
        return True
    return not complete(account.entries[entry.reversed_by], accounts)


def matters(proposal: Proposal) -> bool:
    """Tell whether a statement of a member's stream changes more of an account than its version."""
    if proposal.type.startswith("points.") or proposal.type == ERASED:
        return True
    return next(commitments(proposal.body), None) is not None


def move(entry: PointsEntry, statement: str) -> str | None:
    """Return the state that `statement` leads to from where the entry is, None if it cannot."""
    return WAY[statement].get(entry.state)


def name_of(kind: str, body: dict[str, Any]) -> str:
    """Return a statement's name in `WAY`: its type, with its outcome or term if it has one."""
    qualifier = body.get("outcome") or (body.get("term") if kind == "points.lapsed" else None)
    if body.get("objection"):
        qualifier = "objection"
    return f"{kind} {qualifier}" if qualifier else kind


KIND = {"points.awarded": CREDIT, "points.deducted": DEBIT}
