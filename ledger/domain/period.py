"""A period of a unit's tables (stream `period/<id>`), with its democratic review and its votes.

    opened ─▶ cut off ─▶ published ─▶ objections closed ─▶ sealed

What is recorded later changes later reads and is marked there (A31); the seal and the published
table stay. What each step needs is decided in `ledger.domain.closing` and `ledger.domain.review`.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import NamedTuple

from ledger.domain.event import Event
from ledger.rules.components import review_of

OPEN, CUT_OFF, PUBLISHED, CLOSED, SEALED = "open", "cut_off", "published", "closed", "sealed"
STATES = (OPEN, CUT_OFF, PUBLISHED, CLOSED, SEALED)
MONTH, QUARTER, YEAR = "month", "quarter", "year"
ROSTER = "roster.confirmed"

_STEP = {
    "period.cut_off": CUT_OFF,
    "period.published": PUBLISHED,
    "period.closed": CLOSED,
    "period.sealed": SEALED,
}


class Step(NamedTuple):
    """When a step was recorded, and the log size that its table or seal is of."""

    recorded_at: str
    as_of: int | None = None


@dataclass(frozen=True, slots=True)
class Review:
    """A democratic review: who was present, the figure of each member reviewed (hundredths).

    A member without a single valid sheet has None: not reviewed, which is not 0 (A19).
    """

    held_on: str
    present: tuple[str, ...]
    figures: dict[str, int | None] = field(default_factory=dict)
    closed: bool = False


@dataclass(frozen=True, slots=True)
class Period:
    """From `start` to `end`, both in it, for a unit under a rulebook; `steps` by state."""

    id: str
    version: int
    unit: str
    rulebook: str
    kind: str
    start: str
    end: str
    steps: dict[str, Step]
    review: Review | None = None
    votes: dict[str, tuple[str, ...]] = field(default_factory=dict)
    roots: frozenset[tuple[str, int]] = frozenset()
    """The state trees whose roots were sealed: each by its name and log size."""
    roster: int | None = None
    """How many members the unit above signed last, None before it signed (cheat 17)."""

    @property
    def state(self) -> str:
        """The last step that was taken."""
        return next(each for each in reversed(STATES) if each in self.steps)

    @property
    def reviewed(self) -> bool:
        """Whether the democratic review is closed: its figures count from then on (A21)."""
        return self.review is not None and self.review.closed


def evolve(period: Period | None, event: Event) -> Period:
    """Fold an event of `period/<id>`."""
    proposal = event.proposal
    kind, body = proposal.type, proposal.body
    if period is None:
        return Period(
            proposal.stream.partition("/")[2],
            event.seq,
            body["unit"],
            body["rulebook"],
            body["kind"],
            body["start"],
            body["end"],
            {OPEN: Step(event.recorded_at)},
        )
    period = replace(period, version=event.seq)
    if kind in _STEP:
        step = Step(event.recorded_at, body.get("as_of"))
        return replace(period, steps={**period.steps, _STEP[kind]: step})
    if kind == "state.sealed":
        return replace(period, roots=period.roots | {(body["tree"], body["as_of"])})
    if kind == ROSTER:
        return replace(period, roster=body["total"])
    if kind == "vote.recorded":
        return replace(period, votes={**period.votes, body["grade"]: tuple(body["chosen"])})
    if kind == "review.opened":
        return replace(period, review=Review(body["held_on"], tuple(body["present"])))
    review = period.review
    assert review is not None  # noqa: S101 - decided before it was recorded
    if kind == "review.closed":
        return replace(period, review=replace(review, closed=True))
    valid = [each["score"] for each in body["sheets"] if "score" in each]
    figures = {**review.figures, body["member"]: review_of(valid)}
    return replace(period, review=replace(review, figures=figures))


def renamed(period: Period, closed: str, kept: str) -> Period:
    """Return an unsealed period with a closed id's sheets and votes under the id that goes on.

    Of two figures or votes for one person the one under `kept` stays (B14).
    """

    def once(names: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(kept if name == closed else name for name in names))

    review = period.review
    if review is not None:
        figures = dict(review.figures)
        if closed in figures:
            moved = figures.pop(closed)
            figures.setdefault(kept, moved)
        review = replace(review, present=tuple(sorted(once(review.present))), figures=figures)
    votes = {grade: once(chosen) for grade, chosen in period.votes.items()}
    return replace(period, review=review, votes=votes)


class Seal(NamedTuple):
    """A sealed period: its days and rulebook, when it was sealed and as of which log size."""

    period: str
    rulebook: str
    start: str
    end: str
    day: str
    as_of: int
