"""A rulebook's published versions (stream `rulebook/<id>`)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from ledger.domain.event import Event


class Version(NamedTuple):
    """A published version: where and from when it applies, and each item's kind by its code."""

    version: str
    unit: str
    effective_from: str
    kinds: dict[str, str]


@dataclass(frozen=True, slots=True)
class Rulebook:
    """All published versions, in the order in which they come into force."""

    id: str
    version: int
    versions: tuple[Version, ...]

    def find(self, version: str) -> Version | None:
        """Return the version of that number."""
        return next((each for each in self.versions if each.version == version), None)

    def in_force(self, day: str) -> Version | None:
        """Return the version in force on `day` (YYYY-MM-DD), None before the first."""
        begun = [each for each in self.versions if each.effective_from <= day]
        return begun[-1] if begun else None


def evolve(rulebook: Rulebook | None, event: Event) -> Rulebook:
    """Fold an event of `rulebook/<id>`."""
    proposal = event.proposal
    body = proposal.body
    kinds = {item["code"]: item["kind"] for item in body["items"]}
    new = Version(body["version"], body["unit"], body["effective_from"], kinds)
    before = rulebook.versions if rulebook else ()
    ordered = sorted((*before, new), key=lambda each: each.effective_from)
    return Rulebook(proposal.stream.partition("/")[2], event.seq, tuple(ordered))
