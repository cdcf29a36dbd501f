"""A member's points entries and where each stands on its way (folded from `member/<id>`).

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
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from ledger.domain.event import Event, Proposal
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


def evolve_account(account: Account | None, event: Event) -> Account:
    """Fold an event of `member/<id>` into the member's entries."""
    account = account or Account()
    proposal = event.proposal
    fold = _FOLDS.get(proposal.type)
    if fold is not None:
        entries = fold(dict(account.entries), event)
        if "entry" in proposal.body:
            _note_texts(entries, proposal)
        return Account(event.seq, entries, account.others, account.erased)
    if proposal.type == ERASED:
        erased = account.erased | {proposal.body["commitment"]}
        return replace(account, version=event.seq, erased=erased)
    held = tuple(dict.fromkeys(commitments(proposal.body)))
    others = (*account.others, Held(proposal.id, event.recorded_at, held)) if held else ()
    return replace(account, version=event.seq, others=others or account.others)


def matters(proposal: Proposal) -> bool:
    """Tell whether a statement of a member's stream changes more of an account than its version."""
    if proposal.type.startswith("points.") or proposal.type == ERASED:
        return True
    return next(commitments(proposal.body), None) is not None


Entries = dict[str, PointsEntry]


def move(entry: PointsEntry, statement: str) -> str | None:
    """Return the state that `statement` leads to from where the entry is, None if it cannot."""
    return WAY[statement].get(entry.state)


def name_of(kind: str, body: dict[str, Any]) -> str:
    """Return a statement's name in `WAY`: its type, with its outcome or term if it has one."""
    qualifier = body.get("outcome") or (body.get("term") if kind == "points.lapsed" else None)
    if body.get("objection"):
        qualifier = "objection"
    return f"{kind} {qualifier}" if qualifier else kind


def _opened(entry: PointsEntry, state: str, event: Event, step: str | None) -> PointsEntry:
    """Put an entry in a state (anew if it was in it), with the step that led there."""
    steps = entry.steps
    if step is not None:
        proposal = event.proposal
        steps = (*steps, Step(step, proposal.id, proposal.keyids, event.recorded_at))
    return replace(
        entry,
        state=state,
        opened_at=event.recorded_at,
        opened_index=event.index,
        state_since=event.recorded_at,
        steps=steps,
        lapses=0,
        until=None,
        extended_at=None,
        extended=False,
        paused=False,
    )


def _act(body: dict[str, Any]) -> dict[str, Any]:
    """Return the fields of an entry that say which act it is for."""
    return {
        "rulebook": body["rulebook"],
        "version": body["version"],
        "item": body["item"],
        "points": body.get("points"),
        "quantity": body.get("quantity", 100),
        "act_date": body["act_date"],
        "activity": body.get("activity"),
        "deed": body.get("deed"),
        "erratum": body.get("erratum"),
        "covers": tuple(body.get("covers", ())),
        "evidence": tuple([each["commitment"] for each in body["evidence"]]),
    }


def _new(event: Event, kind: str, origin: str, state: str, act: dict[str, Any]) -> PointsEntry:
    proposal, at = event.proposal, event.recorded_at
    return PointsEntry(
        id=proposal.id,
        kind=kind,
        origin=origin,
        state=state,
        claimed_at=at,
        opened_at=at,
        opened_index=event.index,
        state_since=at,
        steps=(Step(CLAIM_STEP, proposal.id, proposal.keyids, at),),
        texts=tuple(dict.fromkeys(commitments(proposal.body))),
        final_at=at if state == FINAL else None,
        final_index=event.index if state == FINAL else None,
        **act,
    )


def brought(ident: str, kind: str, act: dict[str, Any]) -> PointsEntry:
    """Return the entry that an act would be if it were final, `act` with points per unit."""
    fields = _act(act)
    return PointsEntry(ident, kind, CORRECTION, state=FINAL, claimed_at="", opened_at="",
                       state_since="", steps=(), **fields)  # fmt: skip


def _note_texts(entries: Entries, proposal: Proposal) -> None:
    """Note the commitments of a statement with the entry that it is about."""
    entry = entries[proposal.body["entry"]]
    new = dict.fromkeys(commitments(proposal.body)).keys() - set(entry.texts)
    if new:
        entries[entry.id] = replace(entry, texts=(*entry.texts, *sorted(new)))


KIND = {"points.awarded": CREDIT, "points.deducted": DEBIT}


def whole_to_unit(act: dict[str, Any]) -> dict[str, Any]:
    """Turn the points of a direct statement, which are the whole entry's, into those per unit."""
    if act["points"] is not None and act["quantity"] != 100:
        act["points"] = act["points"] * 100 // act["quantity"]
    return act


def _direct(entries: Entries, event: Event) -> Entries:
    proposal = event.proposal
    act = whole_to_unit(_act(proposal.body))
    entries[proposal.id] = _new(event, KIND[proposal.type], DIRECT, FINAL, act)
    return entries


def _claimed(entries: Entries, event: Event) -> Entries:
    body = event.proposal.body
    entries[event.proposal.id] = _new(event, body.get("kind", CREDIT), CLAIM, CLAIMED, _act(body))
    return entries


def _imported(entries: Entries, event: Event) -> Entries:
    body = event.proposal.body
    act = {
        "rulebook": body["rulebook"],
        "version": "",
        "item": "",
        "points": body["points"],
        "quantity": 100,
        "act_date": body["act_date"],
        "covers": (body["period"],),
        "account": body["account"],
    }
    # An import is up for objections like any other entry before it counts (cheat 21).
    entry = _new(event, body["kind"], IMPORT, PUBLISHED, act)
    entries[entry.id] = replace(entry, closes=body["closes"])
    return entries


def _corrected(entries: Entries, event: Event) -> Entries:
    """A correction is one statement with both halves; it takes effect when it is final (A32)."""
    body = event.proposal.body
    raw = body.get("replacement")
    reverses = body.get("reverses")
    target = entries.get(reverses) if reverses else None
    way = body.get("path") == "full"
    closes = body.get("closes")
    state = PUBLISHED if closes else CLAIMED if way else FINAL
    if raw is not None:
        kind = KIND[raw["type"]]
        act = _act(raw) if way or closes else whole_to_unit(_act(raw))
    else:
        kind = REVERSAL
        act = {"points": None, "quantity": 100}
        for name in ("rulebook", "version", "item", "act_date"):
            act[name] = getattr(target, name) if target is not None else ""
    half = body.get("counterpart")
    entry = replace(
        _new(event, kind, CORRECTION, state, act),
        reverses=reverses,
        counterpart=Half(half["stream"], half["id"]) if half else None,
        orders=body.get("orders"),
        closes=closes,
        # A correction is late only where its act was: the window runs to the first claim (A30).
        claimed_at=target.claimed_at if target is not None else event.recorded_at,
    )
    entries[entry.id] = entry
    if target is not None:
        entries[target.id] = replace(target, corrections=(*target.corrections, entry.id))
    return _taking_back(entries, entry) if state == FINAL else entries


def _taking_back(entries: Entries, entry: PointsEntry) -> Entries:
    """Mark what a correction reverses, now that the correction is final."""
    target = entries.get(entry.reverses) if entry.reverses else None
    if target is not None:
        # With another half elsewhere, `effective` looks whether that one is final too (B13).
        entries[target.id] = replace(
            target,
            reversed_by=entry.id,
            state=target.state if entry.counterpart else REVERSED,
        )
    return entries


def _moved(step: str | None, **set_by: Any) -> Callable[[Entries, Event], Entries]:
    """Make the fold of a statement that names an entry and moves it on along `WAY`."""

    def fold(entries: Entries, event: Event) -> Entries:
        proposal = event.proposal
        entry = entries[proposal.body["entry"]]
        state = move(entry, name_of(proposal.type, proposal.body)) or entry.state
        entries[entry.id] = replace(_opened(entry, state, event, step), **set_by)
        return entries

    return fold


def _checked(entries: Entries, event: Event) -> Entries:
    body = event.proposal.body
    entry = entries[body["entry"]]
    moved = replace(
        _opened(entry, CHECKED, event, CHECK),
        reviewers=body["reviewers"],
        dual=body["review"] == "dual",
    )
    # A check that is repeated (B6) voids no review: the reviewers saw the same act.
    if entry.state == REVIEWED and _places_filled(moved):
        moved = replace(moved, state=REVIEWED)
    entries[entry.id] = moved
    return entries


def _reviewed(entries: Entries, event: Event) -> Entries:
    body = event.proposal.body
    entry = entries[body["entry"]]
    place = REVIEW if body["place"] == "committee" else UPPER
    step = Step(place, event.proposal.id, event.proposal.keyids, event.recorded_at)
    entry = replace(entry, steps=(*entry.steps, step), figure=body.get("points"))
    if _places_filled(entry):
        entry = _opened(entry, REVIEWED, event, None)
        if entry.figure is not None:
            entry = replace(entry, points=entry.figure)
    entries[entry.id] = entry
    return entries


def _places_filled(entry: PointsEntry) -> bool:
    """Tell whether as many reviewers signed as the group check named (A33)."""
    enough = len(entry.in_round(REVIEW)) >= entry.reviewers
    return enough and (not entry.dual or bool(entry.in_round(UPPER)))


def _published(entries: Entries, event: Event) -> Entries:
    body = event.proposal.body
    entry = entries[body["entry"]]
    entries[entry.id] = replace(
        _opened(entry, PUBLISHED, event, NOTICE), closes=body["closes"], rest=None
    )
    return entries


def _filed(entries: Entries, event: Event) -> Entries:
    entry = entries[event.proposal.body["entry"]]
    entries[entry.id] = replace(_opened(entry, FILED, event, NOTICE), filed=True)
    return entries


def _returned(entries: Entries, event: Event) -> Entries:
    entry = entries[event.proposal.body["entry"]]
    step = CHECK if entry.state == CLAIMED else REVIEW
    moved = _opened(entry, RETURNED, event, step)
    entries[entry.id] = replace(moved, returns=entry.returns + 1)
    return entries


def _revised(entries: Entries, event: Event) -> Entries:
    body = event.proposal.body
    entry = entries[body["entry"]]
    entries[entry.id] = replace(
        _opened(entry, CLAIMED, event, CLAIM_STEP),
        round_start=len(entry.steps),
        reviewers=0,
        dual=False,
        figure=None,
        **_act(body),
    )
    return entries


def _withdrawn(entries: Entries, event: Event) -> Entries:
    body = event.proposal.body
    entry = entries[body["entry"]]
    if not body.get("objection"):
        entries[entry.id] = _opened(entry, WITHDRAWN, event, None)
        return entries
    left = replace(entry, objections=entry.objections - 1)
    if "goes_on" in body:
        # Those of the committee who sign why will decide: it is no step that they took.
        entries[entry.id] = left
        return entries
    step = Step(INTAKE, event.proposal.id, event.proposal.keyids, event.recorded_at)
    left = replace(left, steps=(*entry.steps, step))
    entries[entry.id] = _resumed(left, event) if left.objections == 0 else left
    return entries


def _resumed(entry: PointsEntry, event: Event) -> PointsEntry:
    """Let the rest of publicity run, as the statement says how much is left (B10)."""
    body = event.proposal.body
    return replace(
        _opened(entry, PUBLISHED, event, None),
        closes=body["closes"],
        rest=body["rest"],
        stopped_at=None,
        shown_at=None,
        shown_index=None,
        objections=0,
    )


def _objected(entries: Entries, event: Event) -> Entries:
    entry = entries[event.proposal.body["entry"]]
    step = Step(INTAKE, event.proposal.id, event.proposal.keyids, event.recorded_at)
    if entry.state == PUBLISHED:
        entry = replace(
            _opened(entry, OBJECTED, event, None),
            stopped_at=event.recorded_at,
            shown_at=entry.opened_at,
            shown_index=entry.opened_index,
        )
    entries[entry.id] = replace(entry, steps=(*entry.steps, step), objections=entry.objections + 1)
    return entries


def _reconsidered(entries: Entries, event: Event) -> Entries:
    body = event.proposal.body
    entry = entries[body["entry"]]
    moved = replace(_opened(entry, ORDERED, event, RECONSIDERATION), decided_at=event.recorded_at)
    if body["outcome"] == "upheld":
        entries[entry.id] = _resumed(moved, event)
    else:
        entries[entry.id] = replace(moved, order=event.proposal.id, order_kind=body["outcome"])
    return entries


def _reexamined(entries: Entries, event: Event) -> Entries:
    body = event.proposal.body
    entry = entries[body["entry"]]
    moved = _opened(entry, FILED if entry.filed else FINAL, event, REEXAMINATION)
    upheld = body["outcome"] == "upheld"
    entries[entry.id] = replace(
        moved,
        decided_at=event.recorded_at,
        order=entry.order if upheld else event.proposal.id,
        order_kind=entry.order_kind if upheld else body["outcome"],
    )
    return entries


def _lapsed(entries: Entries, event: Event) -> Entries:
    body = event.proposal.body
    entry = entries[body["entry"]]
    state = move(entry, name_of("points.lapsed", body)) or entry.state
    if state == entry.state:
        # The task passes on and a new term runs from here; the state did not begin anew.
        entry = replace(
            entry,
            opened_at=event.recorded_at,
            lapses=entry.lapses + 1,
            until=None,
            extended_at=None,
            extended=False,
        )
    else:
        entry = _opened(entry, state, event, None)
        if state == FINAL:
            entry = replace(entry, final_at=event.recorded_at, final_index=event.index)
    entries[entry.id] = entry
    if state == FINAL and entry.reverses is not None:
        return _taking_back(entries, entry)
    return entries


def _extended(entries: Entries, event: Event) -> Entries:
    body = event.proposal.body
    entry = entries[body["entry"]]
    vacancy = body.get("vacancy", False)
    entries[entry.id] = replace(
        entry,
        until=body["until"],
        extended_at=event.recorded_at,
        extended=entry.extended or not vacancy,
        paused=entry.paused or vacancy,
    )
    return entries


_FOLDS: dict[str, Callable[[Entries, Event], Entries]] = {
    "points.awarded": _direct,
    "points.deducted": _direct,
    "points.claimed": _claimed,
    "points.imported": _imported,
    "points.corrected": _corrected,
    "points.checked": _checked,
    "points.reviewed": _reviewed,
    "points.published": _published,
    "points.filed": _filed,
    "points.returned": _returned,
    "points.revised": _revised,
    "points.rejected": _moved(REVIEW),
    "points.withdrawn": _withdrawn,
    "points.objected": _objected,
    "points.acknowledged": _moved(INTAKE),
    "points.reconsidered": _reconsidered,
    "points.appealed": _moved(INTAKE),
    "points.reexamined": _reexamined,
    "points.lapsed": _lapsed,
    "points.extended": _extended,
}
