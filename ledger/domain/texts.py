"""Which commitments a stream holds, by what, and which of them were erased."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ledger.domain.event import Event

ERASED = "text.erased"
# Members of statement bodies that hold a commitment, alone or in a list.
_MEMBERS = frozenset({"commitment", "reason", "late_reason", "sheet", "filer", "opened"})


class Held(NamedTuple):
    """A statement that holds a commitment, and its RFC 3339 `recorded_at`."""

    statement: str
    recorded_at: str


@dataclass(frozen=True, slots=True)
class Texts:
    """Who holds each commitment, in the order of recording, and what was erased."""

    held: dict[str, tuple[Held, ...]] = field(default_factory=dict)
    erased: frozenset[str] = frozenset()


def evolve(texts: Texts, event: Event) -> Texts:
    """Fold an event of the stream."""
    proposal = event.proposal
    if proposal.type == ERASED:
        return Texts(texts.held, texts.erased | {proposal.body["commitment"]})
    found = dict.fromkeys(commitments(proposal.body))
    if not found:
        return texts
    held = dict(texts.held)
    for each in found:
        held[each] = (*held.get(each, ()), Held(proposal.id, event.recorded_at))
    return Texts(held, texts.erased)


def commitments(body: Any) -> Iterator[str]:
    """Yield the commitments in a statement's body, which its schema allows."""
    if isinstance(body, list):
        for each in body:
            yield from commitments(each)
    elif isinstance(body, dict):
        for name, value in body.items():
            if name in _MEMBERS and isinstance(value, str):
                yield value
            elif name in _MEMBERS and isinstance(value, list):
                yield from (each for each in value if isinstance(each, str))
            if isinstance(value, dict | list):
                yield from commitments(value)
