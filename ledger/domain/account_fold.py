"""How the statements of `member/<id>` fold into a member's account: what each does to its entry."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from ledger.domain.account import (
    CHECK,
    CHECKED,
    CLAIM,
    CLAIM_STEP,
    CLAIMED,
    CORRECTION,
    CREDIT,
    DIRECT,
    FILED,
    FINAL,
    IMPORT,
    INTAKE,
    KIND,
    NOTICE,
    OBJECTED,
    ORDERED,
    PUBLISHED,
    RECONSIDERATION,
    REEXAMINATION,
    RETURNED,
    REVERSAL,
    REVERSED,
    REVIEW,
    REVIEWED,
    UPPER,
    WITHDRAWN,
    Account,
    Half,
    PointsEntry,
    Step,
    move,
    name_of,
)
from ledger.domain.acts import act_fields, new_entry, whole_to_unit
from ledger.domain.event import Event, Proposal
from ledger.domain.texts import ERASED, Held, commitments


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


Entries = dict[str, PointsEntry]


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


def _note_texts(entries: Entries, proposal: Proposal) -> None:
    """Note the commitments of a statement with the entry that it is about."""
    entry = entries[proposal.body["entry"]]
    new = dict.fromkeys(commitments(proposal.body)).keys() - set(entry.texts)
    if new:
        entries[entry.id] = replace(entry, texts=(*entry.texts, *sorted(new)))


def _direct(entries: Entries, event: Event) -> Entries:
    proposal = event.proposal
    act = whole_to_unit(act_fields(proposal.body))
    entries[proposal.id] = new_entry(event, KIND[proposal.type], DIRECT, FINAL, act)
    return entries


def _claimed(entries: Entries, event: Event) -> Entries:
    body = event.proposal.body
    entries[event.proposal.id] = new_entry(
        event, body.get("kind", CREDIT), CLAIM, CLAIMED, act_fields(body)
    )
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
    entry = new_entry(event, body["kind"], IMPORT, PUBLISHED, act)
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
        act = act_fields(raw) if way or closes else whole_to_unit(act_fields(raw))
    else:
        kind = REVERSAL
        act = {"points": None, "quantity": 100}
        for name in ("rulebook", "version", "item", "act_date"):
            act[name] = getattr(target, name) if target is not None else ""
    half = body.get("counterpart")
    entry = replace(
        new_entry(event, kind, CORRECTION, state, act),
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
        **act_fields(body),
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
