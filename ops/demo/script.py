"""The school branch's year: what happens on which day, told with the words of `way`.

A day that is none to work on is the next one that is. Everything that is not told here by name is
everyday claims, drawn with a fixed seed, which walk to their filing by `Way.routine`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import Any

from ledger.domain.account import RECONSIDERATION, REVIEW
from ledger.domain.deadlines import NOW, working_end
from ledger.domain.imports import publicity_days
from ledger.domain.way import closing
from ops.demo import cast, school
from ops.demo.cast import REGISTRARS, ZONE
from ops.demo.school import (
    COMMITTEE,
    INTAKE,
    LEADERS,
    RECORDER,
    RULEBOOK,
    SECRETARY,
    SERVICE,
    TEACHING,
    UNIT,
    WITHOUT_KEY,
)
from ops.demo.sign import Planned, Publication, enrol, open_units, publish_by
from ops.demo.way import PAIR, Way
from ops.demo.year import SCHOOL, SCHOOL_DRAFT, read_rulebook

SEED = 20_120_901
HOLIDAYS = (
    ("01-01", 1), ("02-16", 5), ("05-01", 3), ("10-01", 7),
)  # fmt: skip
"""First days of holidays, and how many there are."""
_EARLY = time(7)
_EVERYDAY = (("E-A-01", 100), ("E-A-03", 100), ("E-A-04", 200), ("E-S-01", 200), ("E-S-02", 100))
_CHANCE = 0.9

Act = Callable[[], object]


class Script:
    """The days of one year of the branch; `way` says what happens on them."""

    def __init__(self, way: Way, year_number: int) -> None:
        self.way = way
        self._year = year_number
        self._random = Random(SEED + year_number)
        self._plain = [each.id for each in school.plain_members()]
        self._teachers = [e.id for e in school.plain_members() if e.unit == TEACHING]
        self._plan: dict[str, list[Act]] = defaultdict(list)
        self.quarter = f"school-{year_number}-q1"
        self.whole_year = f"school-{year_number}"
        self._frame()
        self._stories()
        self._everyday()

    def days(self) -> Iterator[tuple[datetime, Callable[[], list[Planned]]]]:
        """Yield each day's first instant, and what says its statements."""
        day = date(self._year, 1, 5)
        while day.year == self._year:
            yield datetime.combine(day, _EARLY, ZONE).astimezone(UTC), self._saying(day)
            day += timedelta(days=1)

    def _saying(self, day: date) -> Callable[[], list[Planned]]:
        def say() -> list[Planned]:
            self.way.begin(datetime.combine(day, _EARLY, ZONE).astimezone(UTC))
            self.way.lapse()
            if self.way.is_working(day.isoformat()):
                for act in self._due(day.isoformat()):
                    act()
                self.way.routine()
            return self.way.said

        return say

    def _due(self, day: str) -> list[Act]:
        found = sorted(each for each in self._plan if each <= day)
        return [act for each in found for act in self._plan.pop(each)]

    def _on(
        self, month: int, day: int, act: Callable[..., object], *given: Any, **more: Any
    ) -> None:
        """Plan an act for a day of the year, or the first day after it that is worked on."""
        self._plan[self._day(month, day)].append(lambda: act(*given, **more))

    def _later(self, days: int, act: Callable[..., object], *given: Any, **more: Any) -> None:
        """Plan an act for so many working days from now."""
        end = working_end(self.way.world, NOW, self.way.today(), days)
        self._plan[end].append(lambda: act(*given, **more))

    def _day(self, month: int, day: int) -> str:
        return date(self._year, month, day).isoformat()

    # -- the frame -----------------------------------------------------------------------------

    def _frame(self) -> None:
        for month, day, act in (
            (1, 5, self._join),
            (1, 6, self._declare),
            (1, 8, self._take_over),
            (2, 4, self._open_periods),
            (2, 9, self._draft),
            (3, 9, self._try),
            (6, 8, self._revise),
            (6, 12, self._publish_revised),
            (3, 3, self._endow),
            (6, 16, self._redeem),
            (4, 2, self._cut_off),
            (12, 8, self._review),
        ):
            self._on(month, day, act)

    def _join(self) -> None:
        """The branch joins: it starts in February, by a rulebook that was published before."""
        way, now = self.way, self.way.now
        start = self._day(2, 1)
        for each in open_units(way.pen, now, start, school.UNITS, school.actors()):
            way.take(each)
        for each in enrol(way.pen, now, school.members()):
            way.take(each)
        way.say("policy.adopted", f"unit/{UNIT}", {"short_path": False}, *PAIR)
        way.take(
            publish_by(way.pen, Publication(way.now, UNIT, read_rulebook(SCHOOL[0]), start), PAIR)
        )
        key = way.pen.key(SERVICE)
        way.say("key.registered", f"actor/{SERVICE}", key, REGISTRARS[0], SERVICE)
        granted = {"role": "service", "unit": cast.ROOT}
        way.say("role.granted", f"actor/{SERVICE}", granted, REGISTRARS[0])
        body = {"year": self._year, "holidays": self._holidays(), "workdays": []}
        way.say("calendar.published", f"unit/{cast.ROOT}", body, *REGISTRARS[:2])

    def _holidays(self) -> list[str]:
        return [
            (date.fromisoformat(f"{self._year}-{first}") + timedelta(days=n)).isoformat()
            for first, count in HOLIDAYS
            for n in range(count)
        ]

    def _declare(self) -> None:
        """Everyone who decides declares relations, "none" too (B6)."""
        kin = {COMMITTEE[1]: [self._plain[3]]}
        for actor in (*COMMITTEE, *LEADERS.values(), SECRETARY, RECORDER):
            self._declared(actor, kin.get(actor, []))

    def _declared(self, actor: str, related: list[str]) -> None:
        body = {"year": self._year, "related": related}
        self.way.say("relation.declared", f"actor/{actor}", body, actor)

    def _take_over(self) -> None:
        """Last year's balances come over from the old sheet, by two people (cheat 21)."""
        way, last = self.way, self._year - 1
        sheet = way.why("the old sheet")
        days = publicity_days(way.world, RULEBOOK)
        closes = working_end(way.world, NOW, way.today(), days)
        for member in school.members():
            for account, least, most in (("merit", 70, 92), ("service", 6, 14)):
                body = {
                    "rulebook": RULEBOOK,
                    "account": account,
                    "kind": "credit",
                    "points": 100 * self._random.randint(least, most),
                    "period": f"{last}-01-01",
                    "act_date": f"{last}-12-31",
                    "sheet": sheet,
                    "reason": way.why(f"balance of {last}"),
                    "closes": closes,
                }
                way.say("points.imported", f"member/{member.id}", body, REGISTRARS[0], SECRETARY)

    def _open_periods(self) -> None:
        for ident, kind, end in (
            (self.quarter, "quarter", self._day(3, 31)),
            (self.whole_year, "year", self._day(12, 31)),
        ):
            body = {"unit": UNIT, "rulebook": RULEBOOK, "kind": kind, "start": self._day(1, 1)}
            self.way.say("period.opened", f"period/{ident}", body | {"end": end}, SECRETARY)

    def _cut_off(self) -> None:
        self._period("cut_off", SECRETARY)
        self._later(2, self._publish_table)

    def _publish_table(self) -> None:
        self._period("published", *PAIR, as_of=self.way.world.size)
        self._later(6, self._close_table)

    def _close_table(self) -> None:
        self._period("closed", SECRETARY)
        self._later(1, self._period, "sealed", *PAIR, as_of=self.way.world.size)

    def _period(self, step: str, *signers: str, **body: Any) -> None:
        self.way.say(f"period.{step}", f"period/{self.quarter}", body, *signers)

    def _draft(self) -> None:
        body = read_rulebook(SCHOOL_DRAFT).publishable(UNIT, self._day(4, 1))
        self._book("drafted", body, *PAIR)
        talks = {"version": "1.1.0", "from": self._day(2, 12), "until": self._day(3, 6)}
        self._book("consulted", talks, SECRETARY)

    def _try(self) -> None:
        body = {"version": "1.1.0", "units": [TEACHING]}
        days = {"from": self._day(4, 1), "until": self._day(5, 31)}
        self._book("piloted", body | days, *PAIR)

    def _revise(self) -> None:
        body = read_rulebook(SCHOOL[1]).publishable(UNIT, self._day(7, 1))
        self._book("revised", body | {"revises": "1.1.0"}, *PAIR)

    def _publish_revised(self) -> None:
        self._book("published", read_rulebook(SCHOOL[1]).publishable(UNIT, self._day(7, 1)), *PAIR)

    def _book(self, step: str, body: dict[str, Any], *signers: str) -> None:
        self.way.say(f"rulebook.{step}", f"rulebook/{RULEBOOK}", body, *signers)

    def _endow(self) -> None:
        fund = f"fund/{UNIT}"
        self.way.say("fund.opened", fund, {"unit": UNIT}, *PAIR)
        proof = [{"kind": "receipt", "commitment": self.way.why("transfer")}]
        body = {"points": 60_00, "source": "budget", "evidence": proof}
        self.way.say("fund.endowed", fund, body, *PAIR)

    def _redeem(self) -> None:
        """One member redeems, one without a key does on a slip (B20), one brings it back."""
        first, second = self._plain[:2]
        self._redeemed(first, "G1", 4_00, f"a-{first}")
        slip = [{"kind": "signed_slip", "commitment": self.way.why("slip")}]
        self._redeemed(WITHOUT_KEY, "G1", 4_00, *COMMITTEE[:2], evidence=slip)
        ident = self._redeemed(second, "G2", 6_00, f"a-{second}")
        body = {"reverses": ident, "reason": self.way.why("brought back")}
        self._later(2, self.way.say, "fund.reversed", f"fund/{UNIT}", body, *PAIR)

    def _redeemed(self, member: str, goods: str, points: int, *also: str, **more: Any) -> str:
        body = {"member": member, "rulebook": RULEBOOK, "points": points}
        body |= {"goods": [{"code": goods, "count": 1}]} | more
        return self.way.say("fund.redeemed", f"fund/{UNIT}", body, SECRETARY, *also)

    def _review(self) -> None:
        """The democratic review: as many sheets for each as voters were present (A19)."""
        way, stream = self.way, f"period/{self.whole_year}"
        present = sorted(each.id for each in school.members())
        body: dict[str, Any] = {"held_on": way.today(), "present": present}
        way.say("review.opened", stream, body, *PAIR)
        for member in school.members():
            receipts = sorted(way.why("sheet") for _ in present)
            sheets = [
                {"receipt": each, "score": 50 * self._random.randint(156, 196)} for each in receipts
            ]
            # One sheet in some piles is not valid: it stays in the count and has no score.
            if self._random.random() < 0.3:
                del sheets[-1]["score"]
            second = next(each for each in COMMITTEE if each != member.actor)
            body = {"member": member.id, "sheets": sheets}
            way.say("review.recorded", stream, body, SECRETARY, second)
        way.say("review.closed", stream, {"count": len(present)}, *PAIR)

    # -- what the demo tells of ----------------------------------------------------------------

    def _stories(self) -> None:
        plain, teachers = self._plain, self._teachers
        claim = self.way.claim
        self._on(2, 10, self._returned, plain[0])
        self._on(2, 24, claim, "slip", WITHOUT_KEY, "E-S-02", self._day(2, 23), RECORDER)
        self._on(3, 3, self._rejected, plain[1])
        self._on(3, 10, claim, "related", plain[3], "E-A-03", self._day(3, 8))
        self._on(3, 17, self._forgotten, plain[2])
        self._on(4, 20, self._objected, teachers[0])
        self._on(5, 6, self._kin, plain[4])
        self._on(
            5, 12, claim, "debit", plain[1], "E-D-01", self._day(5, 11), RECORDER, kind="debit"
        )
        self._on(
            4, 24, claim, "late", plain[-1], "E-A-03", self._day(3, 19),
            late_reason=self.way.why("the visit log turned up late"),
        )  # fmt: skip
        self._on(
            10, 9, claim, "mentor", teachers[-1], "E-A-06", self._day(9, 30),
            covers=[self._day(9, 30)],
        )  # fmt: skip

    def _returned(self, member: str) -> None:
        """The group leader gives a claim back, the member puts the date right."""
        way = self.way
        way.held.add(way.claim("returned", member, "E-A-03", self._day(2, 6)))
        leader = LEADERS[self._unit(member)]
        reason = way.why("the log has another day")
        self._later(1, way.on, "returned", "returned", leader, reason=reason)
        self._later(3, self._put_right, member)

    def _put_right(self, member: str) -> None:
        body = self.way.act(member, "E-A-03", self._day(2, 5))
        self.way.on("returned", "revised", f"a-{member}", **body)
        self.way.held.discard(self.way.named["returned"][1])

    def _rejected(self, member: str) -> None:
        """A meeting of the committee rejects a claim after the group check."""
        way = self.way
        way.held.add(way.claim("rejected", member, "E-A-05", self._day(3, 2)))
        self._later(1, lambda: way.check(member, way.of("rejected")))
        self._later(3, lambda: self._reject("rejected"))

    def _reject(self, name: str) -> None:
        reason = self.way.why("the certificate is a private firm's")
        self.way.on(name, "rejected", *self.way.free(name, REVIEW)[:2], reason=reason)

    def _forgotten(self, member: str) -> None:
        """A returned claim that nobody puts right lapses (B2)."""
        way = self.way
        way.held.add(way.claim("forgotten", member, "E-S-02", self._day(3, 16)))
        leader, reason = LEADERS[self._unit(member)], way.why("no roster")
        self._later(1, way.on, "forgotten", "returned", leader, reason=reason)

    def _objected(self, member: str) -> None:
        """An objection within publicity stops one entry; it is corrected, and shown anew (B10)."""
        self.way.claim("lesson", member, "E-A-02", self._day(4, 17), points=8_00)
        # Check, review and publicity take a day each; the objection comes two days after.
        for days, act in (
            (5, lambda: self.way.on("lesson", "objected", INTAKE, filer=self.way.why("filer"))),
            (6, lambda: self.way.on("lesson", "acknowledged", INTAKE)),
            (9, self._reconsider),
            (10, self._correct),
        ):
            self._later(days, act)

    def _reconsider(self) -> None:
        way = self.way
        reason = way.why("half a lesson was given")
        others = way.free("lesson", RECONSIDERATION)
        way.on("lesson", "reconsidered", *others, outcome="corrected", reason=reason)

    def _correct(self) -> None:
        """The correction holds both halves, and has a full new publicity (B10, B11)."""
        way = self.way
        member, ident = way.named["lesson"]
        entry = way.of("lesson")
        body = {
            "reverses": ident,
            "reason": way.why("as decided"),
            "replacement": {
                "type": "points.awarded",
                **way.act(member, entry.item, entry.act_date, points=4_00),
            },
            "orders": entry.order,
            "closes": closing(way.world, entry, way.today()),
        }
        carried_out_by = way.reviewers("lesson")[0]
        new = way.say("points.corrected", f"member/{member}", body, carried_out_by)
        way.named["correction"] = (member, new)

    def _kin(self, member: str) -> None:
        """A relation found after the review voids that part: another repeats it (B6)."""
        way = self.way
        way.held.add(way.claim("kin", member, "E-A-03", self._day(5, 5)))
        self._later(1, lambda: way.check(member, way.of("kin")))
        self._later(2, lambda: way.review(member, way.of("kin")))
        self._later(3, lambda: self._declared(way.reviewers("kin")[0], [member]))
        self._later(4, lambda: self._repeat(member))

    def _repeat(self, member: str) -> None:
        way = self.way
        another = next(each for each in way.free("kin", REVIEW) if each not in way.reviewers("kin"))
        way.reviewed_by(member, way.of("kin"), another)
        way.held.discard(way.named["kin"][1])

    def _unit(self, member: str) -> str:
        return next(each.unit for each in school.members() if each.id == member)

    # -- everyday ------------------------------------------------------------------------------

    def _everyday(self) -> None:
        """Plan the claims of an ordinary year: acts from February on, claimed days later."""
        for month in range(2, 12):
            for member in self._plain:
                for item, most in _EVERYDAY:
                    if self._random.random() * len(_EVERYDAY) < _CHANCE:
                        self._claimed(member, item, month, most)

    def _claimed(self, member: str, item: str, month: int, most: int) -> None:
        day = self._random.randint(1, 20)
        more = {"quantity": most} if most > 100 else {}
        claimed = day + self._random.randint(1, 7)
        self._on(month, claimed, self.way.claim, "", member, item, self._day(month, day), **more)
