"""The words of the full path: each is one signed statement of the school branch.

What a statement must say (the day on which a notice closes, which review follows, who may sign) is
worked out by the ledger's own rules on the state so far.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from ledger.domain.account import (
    CHECK,
    CHECKED,
    CLAIM,
    CLAIMED,
    CORRECTION,
    FINAL,
    REVIEW,
    REVIEWED,
    UPPER,
    PointsEntry,
)
from ledger.domain.calendar import Calendars
from ledger.domain.eligibility import Case, acting
from ledger.domain.organisation import ROOT_UNIT
from ledger.domain.pricing import books_on, path_on
from ledger.domain.way import SLIP, case_of, closing, route
from ledger.domain.world import World
from ledger.rules.rulebook import Version
from ops.demo import cast, clerk, school
from ops.demo.follow import Follower
from ops.demo.school import COMMITTEE, LEADERS, SECRETARY
from ops.demo.sign import Pen, Planned

PAIR = (SECRETARY, COMMITTEE[0])
_PACE = timedelta(seconds=20)


class Way:
    """Says statements one after the other; `said` are those since `begin`.

    `named` are the entries that the demo tells of: name → member and statement id. What is in
    `held` is left alone by `routine`.
    """

    def __init__(self, pen: Pen, follower: Follower) -> None:
        self.pen = pen
        self.named: dict[str, tuple[str, str]] = {}
        self.held: set[str] = set()
        self.said: list[Planned] = []
        self._follower = follower
        self._now: datetime | None = None
        self._units = {each.id: each.unit for each in school.members()}
        self._own = {each.id: each.actor for each in school.members()}

    @property
    def world(self) -> World:
        """The state so far."""
        return self._follower.world

    @property
    def now(self) -> datetime:
        """The instant of what was said last."""
        assert self._now is not None  # noqa: S101 - `begin` comes first
        return self._now

    def begin(self, when: datetime) -> None:
        """Go on at an instant; what was said before is forgotten."""
        self._now, self.said = when, []

    def today(self) -> str:
        """Return the day of the statement that is said next."""
        return self.now.astimezone(cast.ZONE).date().isoformat()

    def is_working(self, day: str) -> bool:
        """Tell whether people work on a day, by the newest calendar."""
        calendars = self.world.calendars.get(ROOT_UNIT) or Calendars()
        return calendars.at("~").is_working(day)

    def take(self, planned: Planned) -> str:
        """Say a statement that is made already; return its id."""
        self._follower.follow(planned)
        self.said.append(planned)
        return planned.id

    def say(self, kind: str, stream: str, body: dict[str, Any], *signers: str) -> str:
        """Say a statement, signed by these actors; return its id."""
        self._now = self.now + _PACE
        return self.take(self.pen.signed(self.now, kind, stream, body, *signers))

    def of(self, name: str) -> PointsEntry:
        """Return an entry that was named."""
        return self._follower.entry(*self.named[name])

    def on(self, name: str, kind: str, *signers: str, **body: Any) -> str:
        """Say something of a named entry."""
        member, ident = self.named[name]
        return self.say(f"points.{kind}", f"member/{member}", {"entry": ident, **body}, *signers)

    def why(self, text: str) -> str:
        """Return the commitment to a reason."""
        return self.pen.commitment(text)

    # -- claims --------------------------------------------------------------------------------

    def claim(
        self, name: str, member: str, item: str, acted: str, by: str = "", **more: Any
    ) -> str:
        """Claim an act of the day `acted`, for the member where `by` is somebody else."""
        own = self._own[member]
        signer = by or own
        assert signer is not None  # noqa: S101 - who has no key is claimed for
        body = self.act(member, item, acted, **more)
        if by and body.get("kind") != "debit":
            body["evidence"].append({"kind": SLIP, "commitment": self.why("signed slip")})
        ident = self.say("points.claimed", f"member/{member}", body, signer)
        self.named[name or ident] = (member, ident)
        return ident

    def act(self, member: str, item: str, acted: str, **more: Any) -> dict[str, Any]:
        """Return the body of a claim, priced by the version of its day in its unit (A2)."""
        found = self.version(member, acted).items[item]
        return {
            "rulebook": school.RULEBOOK,
            "version": self.version(member, acted).version,
            "item": item,
            "act_date": acted,
            "reason": self.why(f"{item} on {acted}"),
            "evidence": [
                {"kind": each, "commitment": self.why(each)} for each in found.evidence[:1]
            ],
        } | more

    def version(self, member: str, day: str) -> Version:
        """Return the version that prices a member's acts of a day."""
        unit = self._units[member]
        (book,) = books_on(self.world, unit, day)
        version = book.version_on(day, path_on(self.world, unit, day))
        assert version is not None  # noqa: S101 - a book that holds has a version
        return version

    # -- the steps that follow -----------------------------------------------------------------

    def lapse(self) -> None:
        """Let the service actor record what has run out."""
        members = [each.id for each in school.members()]
        for stream, body in list(clerk.lapses(self.world, self.today(), members)):
            self.say(clerk.LAPSED, stream, body, school.SERVICE)

    def routine(self) -> None:
        """Take every entry that is not held one step on, as its people do on a working day."""
        todo = [
            (member.id, entry)
            for member in school.members()
            for entry in self._follower.account(member.id).entries.values()
            if entry.id not in self.held
        ]
        for member, entry in todo:
            if entry.state == FINAL and entry.origin in (CLAIM, CORRECTION):
                self.file(member, entry)
            elif entry.state == REVIEWED:
                self.publish(member, entry)
            elif entry.state == CHECKED:
                self.review(member, entry)
            elif entry.state == CLAIMED:
                self.check(member, entry)

    def check(self, member: str, entry: PointsEntry) -> None:
        """Do the group check, which names the review that the rules ask for."""
        case = self._case(member, entry)
        account = self._follower.account(member)
        review, reviewers = route(self.world, case, account, entry)
        body = {"entry": entry.id, "review": review, "reviewers": reviewers}
        leader = LEADERS[self._units[member]]
        self.say("points.checked", f"member/{member}", body, leader)

    def review(self, member: str, entry: PointsEntry) -> None:
        """Let as many of the committee review as are needed, in turn, and the unit above."""
        case = self._case(member, entry)
        there = case.committee(REVIEW)
        turn = self.world.size % len(there)
        self.reviewed_by(member, entry, *(there[turn:] + there[:turn])[: entry.reviewers])
        if entry.dual:
            above = [each for each in cast.UPPER if case.upper(each, UPPER) is None]
            self.reviewed_by(member, entry, above[0], place="upper")

    def reviewed_by(
        self, member: str, entry: PointsEntry, *reviewers: str, place: str = "committee"
    ) -> None:
        """Review with all the evidence opened, at the figure that was claimed."""
        opened = sorted(entry.evidence)
        body: dict[str, Any] = {"entry": entry.id, "place": place, "opened": opened}
        if entry.points is not None:
            body["points"] = entry.points
        self.say("points.reviewed", f"member/{member}", body, *reviewers)

    def publish(self, member: str, entry: PointsEntry) -> None:
        """Open publicity until the day that the calendar gives."""
        body = {"entry": entry.id, "closes": closing(self.world, entry, self.today())}
        self.say("points.published", f"member/{member}", body, SECRETARY)

    def file(self, member: str, entry: PointsEntry) -> None:
        """File a final entry."""
        self.say("points.filed", f"member/{member}", {"entry": entry.id}, SECRETARY)

    def free(self, name: str, step: str) -> list[str]:
        """Return who of the committee may still take a step of a named entry."""
        return self._case(self.named[name][0], self.of(name)).committee(step)

    def reviewers(self, name: str) -> tuple[str, ...]:
        """Return who reviewed a named entry."""
        return acting(self.world, self.of(name).in_round(CHECK, REVIEW))[1:]

    def _case(self, member: str, entry: PointsEntry) -> Case:
        return case_of(self.world, member, entry, self.today())
