"""A rulebook's documents in the log (stream `rulebook/<id>`): drafts, pilots, published versions.

    drafted ─▶ consulted ─▶ piloted ─▶ revised ─▶ published ─▶ in force ─▶ superseded

A version is a whole document, never a patch (A3), and its number names one document for good: a
revision is a draft under a number of its own. Nothing reaches back: a version is published, and a
pilot ordered, before the first day on which it prices an act (A2). What the stages allow is
decided in `ledger.domain.lifecycle`, what an act is worth in `ledger.domain.pricing`.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from ledger.domain.event import Event
from ledger.errors import FormatError
from ledger.rules import rulebook as rules
from ledger.rules.book import Book
from ledger.rules.rulebook import Version

DRAFTED, CONSULTED, PILOT, REVISED = "drafted", "consulted", "pilot", "revised"
PUBLISHED, IN_FORCE, SUPERSEDED = "published", "in_force", "superseded"


class Draft(NamedTuple):
    """A document that is no version yet; `consulted` are the first and last day of its talks.

    `document` is the whole scoring form, parts put together; a revision has what was consulted
    of the draft that it `revises`.
    """

    document: dict[str, Any]
    consulted: tuple[str, str] | None = None
    revises: str | None = None
    revised_by: str | None = None


class Trial(NamedTuple):
    """A pilot of a version, which says where and when; `extended` once at most."""

    version: Version
    extended: bool = False


class Erratum(NamedTuple):
    """A figure of one item that was wrong from one day to another, and the right one (B15)."""

    version: str
    item: str
    field: str
    value: int
    first: str
    last: str


@dataclass(frozen=True, slots=True)
class Rulebook:
    """All documents of one rulebook; `versions` are the published ones by first day in force.

    `unit` is where it applies with all sub-units. `book` is what the scoring engine reads
    of them, and follows from them.
    """

    id: str
    version: int
    unit: str
    versions: tuple[Version, ...] = ()
    drafts: dict[str, Draft] = field(default_factory=dict)
    trials: dict[str, Trial] = field(default_factory=dict)
    errata: dict[str, Erratum] = field(default_factory=dict)
    parts: dict[str, dict[str, Any]] = field(default_factory=dict)
    redemption: dict[str, dict[str, Any]] = field(default_factory=dict)
    """What can be redeemed and when, by published version: the engine has no use for it."""
    book: Book | None = field(default=None, compare=False)

    def find(self, version: str) -> Version | None:
        """Return the published version of that number."""
        return next((each for each in self.versions if each.version == version), None)

    def in_force(self, day: str) -> Version | None:
        """Return the version in force on `day`, pilots apart; None before the first."""
        begun = [each for each in self.versions if each.effective_from <= day]
        return begun[-1] if begun else None

    def redemption_on(self, day: str) -> dict[str, Any]:
        """Return the windows and the catalogue of the version in force on `day`."""
        version = self.in_force(day)
        return self.redemption.get(version.version, {}) if version is not None else {}

    def stage(self, version: str, today: str) -> str | None:
        """Return where a version stands on `today`, None where no document has that number."""
        published = self.find(version)
        if published is not None:
            if today < published.effective_from:
                return PUBLISHED
            return IN_FORCE if self.in_force(today) is published else SUPERSEDED
        draft = self.drafts.get(version)
        if draft is None:
            return None
        trial = self.trials.get(version)
        if trial is not None and trial.version.pilot is not None:
            pilot = trial.version.pilot
            if pilot.first <= today <= pilot.last:
                return PILOT
        if draft.revised_by is not None:
            return REVISED
        return CONSULTED if draft.consulted is not None else DRAFTED


def whole(parts: dict[str, dict[str, Any]], body: dict[str, Any]) -> dict[str, Any]:
    """Return the document of a body whose items may lie in parts, named by their statements' ids.

    Raises FormatError for a part that this stream has not got, or that belongs to another version.
    """
    document = {key: value for key, value in body.items() if key not in ("parts", "revises")}
    for ident in body.get("parts", ()):
        part = parts.get(ident)
        if part is None or part["version"] != body["version"]:
            raise FormatError(f"{ident} is no part of version {body['version']} in this stream")
        document["items"] = [*document["items"], *part["items"]]
    return document


def evolve(rulebook: Rulebook | None, event: Event) -> Rulebook:
    """Fold an event of `rulebook/<id>`."""
    proposal = event.proposal
    kind, body, ident = proposal.type, proposal.body, proposal.stream.partition("/")[2]
    known = replace(rulebook or Rulebook(ident, 0, body["unit"]), version=event.seq)
    if kind == "rulebook.part":
        return replace(known, parts={**known.parts, proposal.id: body})
    if kind in ("rulebook.drafted", "rulebook.revised"):
        return _drafted(known, body)
    if kind == "rulebook.consulted":
        draft = known.drafts[body["version"]]._replace(consulted=(body["from"], body["until"]))
        return replace(known, drafts={**known.drafts, body["version"]: draft})
    if kind == "rulebook.piloted":
        pilot = rules.Pilot(frozenset(body["units"]), body["from"], body["until"])
        tried = rules.of_body(known.drafts[body["version"]].document, pilot)
        return _with_trial(known, Trial(tried))
    if kind == "rulebook.extended":
        trial = known.trials[body["version"]]
        now = trial.version.pilot
        assert now is not None  # noqa: S101 - a trial's version always has one
        longer = replace(trial.version, pilot=replace(now, last=body["until"]))
        return _with_trial(known, Trial(longer, extended=True))
    if kind == "rulebook.erratum":
        erratum = Erratum(
            body["version"], body["item"], body["field"], body["value"], body["from"], body["until"]
        )
        return replace(known, errata={**known.errata, proposal.id: erratum})
    new = rules.of_body(whole(known.parts, body))
    ordered = sorted((*known.versions, new), key=lambda each: each.effective_from)
    redemption = {**known.redemption, new.version: body.get("redemption", {})}
    return _booked(replace(known, versions=tuple(ordered), redemption=redemption))


def _drafted(known: Rulebook, body: dict[str, Any]) -> Rulebook:
    drafts, revises = dict(known.drafts), body.get("revises")
    consulted = None
    if revises is not None:
        drafts[revises] = drafts[revises]._replace(revised_by=body["version"])
        consulted = drafts[revises].consulted
    drafts[body["version"]] = Draft(whole(known.parts, body), consulted, revises)
    return replace(known, drafts=drafts)


def _with_trial(known: Rulebook, trial: Trial) -> Rulebook:
    return _booked(replace(known, trials={**known.trials, trial.version.version: trial}))


def _booked(known: Rulebook) -> Rulebook:
    trials = (each.version for each in known.trials.values())
    return replace(known, book=Book(known.id, (*known.versions, *trials)))
