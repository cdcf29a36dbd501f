"""A unit: a branch, a group under it, or the whole organisation (stream `unit/<id>`)."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ledger.domain.event import Event

CLOSED = "unit.closed"


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit under its parent (None for the root), open from the date `start`.

    `short_path` is what its own recorded policy says, None where it recorded none. `closed` is the
    first day on which its members are in the units `into` (B16).
    """

    id: str
    version: int
    parent: str | None
    start: str
    name_zh: str
    name_en: str
    short_path: bool | None = None
    closed: str | None = None
    into: tuple[str, ...] = ()


def evolve(unit: Unit | None, event: Event) -> Unit:
    """Fold an event of `unit/<id>`."""
    proposal = event.proposal
    body = proposal.body
    if unit is None:
        ident = proposal.stream.partition("/")[2]
        return Unit(
            ident, event.seq, body.get("parent"), body["start"], body["name_zh"], body["name_en"]
        )
    if proposal.type == "policy.adopted":
        return replace(unit, version=event.seq, short_path=body["short_path"])
    if proposal.type == CLOSED:
        into = tuple(each["unit"] for each in body["into"])
        return replace(unit, version=event.seq, closed=body["date"], into=into)
    return replace(unit, version=event.seq, parent=body.get("parent", unit.parent))
