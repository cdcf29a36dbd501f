"""The entry that an act becomes: what a statement says of the act, in the fields of an entry."""

from __future__ import annotations

from typing import Any

from ledger.domain.account import CLAIM_STEP, CORRECTION, FINAL, PointsEntry, Step
from ledger.domain.event import Event
from ledger.domain.texts import commitments


def act_fields(body: dict[str, Any]) -> dict[str, Any]:
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


def new_entry(event: Event, kind: str, origin: str, state: str, act: dict[str, Any]) -> PointsEntry:
    """Return the entry that an event brings in, in `state`; `act` is what `act_fields` gives."""
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
    fields = act_fields(act)
    return PointsEntry(ident, kind, CORRECTION, state=FINAL, claimed_at="", opened_at="",
                       state_since="", steps=(), **fields)  # fmt: skip


def whole_to_unit(act: dict[str, Any]) -> dict[str, Any]:
    """Turn the points of a direct statement, which are the whole entry's, into those per unit."""
    if act["points"] is not None and act["quantity"] != 100:
        act["points"] = act["points"] * 100 // act["quantity"]
    return act
