"""The demo's year: who did what, when it was recorded, by whom, and what was corrected later.

`plan(year)` draws it from the items' own values and from `habits`, with a fixed seed: the same year
gives the same plan on every machine. It is plain data; `python -m ops.demo` makes signed statements
of it.
"""

from __future__ import annotations

import calendar
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from itertools import count
from pathlib import Path
from random import Random
from typing import Any, Literal
from zoneinfo import ZoneInfo

from api.authoring.reader import Authored, load
from ops.demo import cast
from ops.demo.cast import BRANCHES, TIME_ZONE, Branch, Member
from ops.demo.habits import HABITS, Habit
from ops.demo.whereabouts import Whereabouts

SEED = 19_490_101
RULEBOOKS = Path(__file__).parent / "rulebooks"
# The versions of each rulebook: the file, and month and day of its first day in the year.
VERSIONS = {
    "rural": (("rural.yaml", 1, 1), ("rural-1.1.yaml", 7, 1)),
    "office": (("office.yaml", 1, 1),),
    "community": (("community.yaml", 1, 1),),
}
# The school's: published at first, tried as a draft, and published as revised.
SCHOOL_DRAFT = "school-1.1.yaml"
SCHOOL = ("school.yaml", "school-1.2.yaml")

_ZONE = ZoneInfo(TIME_ZONE)
_CORRECTED_SHARE = 0.012
# Range items are drawn in half points, quantities in half hours.
_HALF = 50
_PERIOD_UNITS = frozenset({"month", "quarter", "year"})
_END_OF_DAY = time(23, 59)


@dataclass(frozen=True, slots=True)
class Act:
    """What is said of an act; points are the whole entry's, in hundredths, and positive.

    `quantity` is in hundredths of the item's unit, None where the unit is counted once. `activity`
    names the occasion where a cap counts by it, `deed` what an honour is for, `covers` the last day
    of the month, quarter or year that such an item is for. `evidence` are kinds.
    """

    kind: Literal["award", "deduct"]
    rulebook: str
    version: str
    item: str
    points: int
    quantity: int | None
    act_date: date
    activity: str | None
    deed: str | None
    covers: tuple[date, ...]
    evidence: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PlannedAct:
    """One statement of the plan; `number` counts from 1 in the order of recording.

    Without `reverses` it awards or deducts `act`. With it, it corrects the planned act of that
    number: a reversal, and `act` is the replacement, or None where there is none.
    """

    number: int
    when_recorded: datetime
    branch: str
    member: str
    recorder: str
    approver: str
    act: Act | None
    reverses: int | None = None


def last_complete_year(now: datetime) -> int:
    """Return the calendar year that ended last before `now`, an aware instant."""
    return now.astimezone(_ZONE).year - 1


def versions(year: int, rulebook: str) -> tuple[tuple[date, Authored], ...]:
    """Return the versions of a rulebook with their first days in `year`, earliest first."""
    return tuple(
        (date(year, month, day), read_rulebook(name)) for name, month, day in VERSIONS[rulebook]
    )


def published(year: int) -> Iterator[Authored]:
    """Yield every version of every rulebook that is published, the school's last."""
    for rulebook in VERSIONS:
        yield from (authored for _, authored in versions(year, rulebook))
    yield from map(read_rulebook, SCHOOL)


def plan(year: int) -> Iterator[PlannedAct]:
    """Yield the year's statements in the order of recording.

    Every `when_recorded` lies in the year and never before the act's date, and the member is active
    in that branch then. Recorder and approver are two people, neither of them the member.
    """
    draw = _Draw(year)
    drawn = list(draw.acts())
    drawn += draw.corrections(drawn)
    drawn.sort(key=lambda each: (each.when_recorded, each.number))
    number = {each.number: place for place, each in enumerate(drawn, 1)}
    for each in drawn:
        reverses = None if each.reverses is None else number[each.reverses]
        yield replace(each, number=number[each.number], reverses=reverses)


@cache
def read_rulebook(name: str) -> Authored:
    """Return one of the demo's rulebooks by its file's name."""
    return load(RULEBOOKS / name)


class _Draw:
    """One year's draw; its numbers are those of drawing, not yet of recording."""

    def __init__(self, year: int) -> None:
        self._year = year
        self._random = Random(SEED + year)
        self._whereabouts = Whereabouts(year)
        self._number = count(1)

    def acts(self) -> Iterator[PlannedAct]:
        """Yield what happened, month by month and branch by branch."""
        for month in range(1, 13):
            for branch in BRANCHES:
                for habit in HABITS[branch.rulebook]:
                    if month in habit.months:
                        for _ in range(self._times(habit)):
                            yield from self._occasion(branch, habit, month)

    def corrections(self, acts: list[PlannedAct]) -> list[PlannedAct]:
        """Return corrections of a few of the acts, each recorded some days after its act."""
        found = []
        for planned in acts:
            if self._random.random() >= _CORRECTED_SHARE:
                continue
            day = planned.when_recorded.date() + timedelta(days=self._random.randint(3, 25))
            if day.year != self._year:
                continue
            when = self._working_time(day)
            if self._whereabouts.stays(planned.member, planned.when_recorded, when):
                correction = self._planned(planned.branch, planned.member, when)
                act = planned.act and self._replacement(planned.act)
                found.append(replace(correction, act=act, reverses=planned.number))
        return found

    def _times(self, habit: Habit) -> int:
        busy = habit.times * self._random.uniform(0.75, 1.25) if habit.times > 1 else habit.times
        whole = int(busy)
        return whole + (self._random.random() < busy - whole)

    def _occasion(self, branch: Branch, habit: Habit, month: int) -> Iterator[PlannedAct]:
        """Yield the entries of one occasion: the same day, recorded one after the other."""
        day, item = self._day_and_item(branch, habit, month)
        then = _instant(day, _END_OF_DAY)
        present = self._whereabouts.present(branch.unit.id, item["applies_to"], then)
        name = f"{branch.rulebook}-{day:%Y%m%d}-{self._random.randrange(16**4):04x}"
        when = self._recording_time(day)
        for member in self._choose(present, habit, item["kind"]):
            when += timedelta(seconds=self._random.randint(15, 50))
            act = self._act(branch, habit, item, day, name)
            if self._whereabouts.at(member.id, when) == self._whereabouts.at(member.id, then):
                yield replace(self._planned(branch.unit.id, member.id, when), act=act)

    def _day_and_item(
        self, branch: Branch, habit: Habit, month: int
    ) -> tuple[date, dict[str, Any]]:
        last = calendar.monthrange(self._year, month)[1]
        day = date(self._year, month, self._random.randint(1, last))
        item = _item(self._year, branch.rulebook, day, habit.item)
        if item["unit"] in _PERIOD_UNITS:
            # A month, quarter or year carries its last day; the habit names months that end one.
            day = date(self._year, month, last)
        return day, item

    def _choose(self, present: list[Member], habit: Habit, kind: str) -> list[Member]:
        """Return some of the members: the zealous earn more often, the others lose more often."""
        wanted = self._random.randint(habit.people_min, habit.people_max)
        # Efraimidis and Spirakis: the largest random()^(1/weight) are a weighted sample.
        rank = {
            each.id: self._random.random()
            ** (1 / (each.zeal if kind == "credit" else each.zeal**-2))
            for each in present
        }
        chosen = sorted(present, key=lambda each: rank[each.id], reverse=True)[:wanted]
        return sorted(chosen, key=lambda each: each.id)

    def _act(
        self, branch: Branch, habit: Habit, item: dict[str, Any], day: date, occasion: str
    ) -> Act:
        by_activity = item.get("cap", {}).get("per") == "activity"
        each = item.get("points") or self._halves(max(item["min"], _HALF), item["max"])
        quantity = None
        if habit.quantity_max > 100:
            quantity = self._quantity(item, habit.quantity_min, habit.quantity_max)
        return Act(
            kind="award" if item["kind"] == "credit" else "deduct",
            rulebook=branch.rulebook,
            version=_in_force(self._year, branch.rulebook, day).body["version"],
            item=item["code"],
            points=each * (quantity or 100) // 100,
            quantity=quantity,
            act_date=day,
            activity=occasion if by_activity else None,
            deed=occasion if item["act_type"].startswith("honour.") else None,
            covers=(day,) if item["unit"] in _PERIOD_UNITS else (),
            evidence=(self._random.choice(item["evidence"]),),
        )

    def _replacement(self, act: Act) -> Act | None:
        """Return what should have been recorded, None where nothing should."""
        item = _item(self._year, act.rulebook, act.act_date, act.item)
        if "min" in item:
            allowed = range(max(item["min"], _HALF), item["max"] + 1, _HALF)
            other = self._random.choice([each for each in allowed if each != act.points])
            return replace(act, points=other)
        if act.quantity is not None and act.quantity > 100:
            return replace(act, quantity=100, points=item["points"])
        earlier = act.act_date - timedelta(days=self._random.randint(1, 3))
        moved = item["unit"] not in _PERIOD_UNITS and earlier.month == act.act_date.month
        return replace(act, act_date=earlier) if moved and self._random.random() < 0.5 else None

    def _quantity(self, item: dict[str, Any], least: int, most: int) -> int:
        if item["unit"] == "hour":
            return self._halves(least, most)
        return 100 * self._random.randint(least // 100, most // 100)

    def _halves(self, least: int, most: int) -> int:
        return _HALF * self._random.randint(least // _HALF, most // _HALF)

    def _planned(self, branch: str, member: str, when: datetime) -> PlannedAct:
        """Draw who records and who approves."""
        people = cast.build()
        own = people.member(member).actor
        recorder, approver = (
            self._random.choice([each for each in people.actors_with(role, branch) if each != own])
            for role in ("recorder", "committee")
        )
        return PlannedAct(next(self._number), when, branch, member, recorder, approver, None)

    def _recording_time(self, day: date) -> datetime:
        """Return when an act of `day` is recorded: mostly within days, seldom after weeks."""
        delay = self._random.choices(
            (self._random.randint(0, 3), self._random.randint(4, 12), self._random.randint(13, 44)),
            weights=(60, 32, 8),
        )[0]
        # The year's book is closed on its last day, whatever is still to be recorded.
        return self._working_time(min(day + timedelta(days=delay), date(self._year, 12, 31)))

    def _working_time(self, day: date) -> datetime:
        """Return an instant in office hours on `day`, on the Monday after if it is a weekend."""
        monday = day + timedelta(days=(7 - day.weekday()) if day.weekday() >= 5 else 0)
        if monday.year == self._year:
            day = monday
        morning = self._random.random() < 0.5
        opens = time(9) if morning else time(14)
        return _instant(day, opens) + timedelta(seconds=self._random.randint(0, 150 * 60))


def _in_force(year: int, rulebook: str, day: date) -> Authored:
    return [version for first, version in versions(year, rulebook) if first <= day][-1]


@cache
def _item(year: int, rulebook: str, day: date, code: str) -> dict[str, Any]:
    for item in _in_force(year, rulebook, day).body["items"]:
        if item["code"] == code:
            return dict(item)
    raise KeyError(f"{rulebook} has no item {code} on {day}")


def _instant(day: date, at: time) -> datetime:
    return datetime.combine(day, at, _ZONE).astimezone(UTC)
