"""What came of the school branch's year, read back from the recorded entries, for whom it matters.

The state is folded again from the log, so nothing here rests on what the demo meant to record; each
sentence is told only if the log bears it out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from ledger.domain.account import (
    FILED,
    IMPORT,
    PUBLISHED,
    REJECTED,
    REVERSED,
    REVIEW,
    UPPER,
    WITHDRAWN,
    Account,
    PointsEntry,
)
from ledger.domain.closing import adjusts
from ledger.domain.days import zone_date
from ledger.domain.eligibility import acting
from ledger.domain.event import Event
from ledger.domain.period import SEALED
from ledger.domain.rulebook import IN_FORCE
from ledger.domain.world import World
from ledger.entry import parse_entry
from ledger.errors import MingzhangError
from ledger.store.ledger import Ledger
from ops.demo import school
from ops.demo.case import CASE
from ops.demo.cast import TIME_ZONE
from projections import render

_PAGE = 2_000


def recorded(ledger: Ledger) -> Iterator[Event]:
    """Yield every entry of a ledger, in order."""
    for start in range(0, ledger.size(), _PAGE):
        for index, data in enumerate(ledger.entries(start, start + _PAGE), start):
            yield Event.of(parse_entry(data), index)


class Outcome(NamedTuple):
    """Who it concerns, in Chinese and English, and what they see."""

    whom: str
    seen: str


class Outcomes:
    """The state after all `events` of a log; `named` are entries by member and statement id."""

    def __init__(
        self, events: Iterable[Event], named: Mapping[str, tuple[str, str]], year_number: int
    ) -> None:
        self._world = World()
        self._named = named
        self._year = year_number
        self._lapses: Counter[str] = Counter()
        for each in school.members():
            self._world.accounts[f"member/{each.id}"] = Account()
        for event in events:
            self._world.evolve(event)
            if event.proposal.type == "points.lapsed":
                self._lapses[event.proposal.body["term"]] += 1

    def told(self) -> Iterator[Outcome]:
        """Yield what each party sees. Raises MingzhangError where the log does not bear it out."""
        yield Outcome("期初 opening", self._opening())
        yield Outcome("党员 members", self._members())
        yield Outcome("异议 objector", self._objection())
        yield Outcome("支委 committee", self._recusals())
        yield Outcome("上级 unit above", self._late())
        yield Outcome("封账 sealed", self._sealed())
        yield Outcome("细则 rulebook", self._rulebook())
        yield Outcome("基金 fund", self._fund())
        yield Outcome("评议 review", self._review())
        yield Outcome("时限 lapses", self._lapsed())

    def case(self) -> Outcome:
        """Return what is seen of the case. Raises MingzhangError as `told` does."""
        found = self._world.disputes.get(CASE)
        _bear(found is not None and found.ruling is not None, "a decided case")
        assert found is not None  # noqa: S101
        assert found.ruling is not None  # noqa: S101
        decided = acting(self._world, found.ruling.keyids)
        _bear(len(decided) > 1 and found.filer != found.target, "a case decided by two")
        return Outcome(
            "纪检 discipline",
            f"case {CASE}: received, checked, heard and {found.ruling.outcome} by {len(decided)} "
            "without part in the entry; who filed it and about what is in no entry of the log",
        )

    # -- sentences -----------------------------------------------------------------------------

    def _opening(self) -> str:
        found = [
            entry
            for member in school.members()
            for entry in self._account(member.id).entries.values()
            if entry.origin == IMPORT
        ]
        last = max(_of(each.final_at) for each in found)
        start = self._unit_start()
        _bear(len(found) == 2 * len(school.members()) and last < start, "balances taken over")
        _bear(all(len(self._people(each, "claim")) == 2 for each in found), "two signatures")
        return (
            f"{len(found)} balances of {self._year - 1} from the old sheet, each by two people, "
            f"up for objections, final on {last}; the branch begins on {start}"
        )

    def _members(self) -> str:
        returned, rejected = self._of("returned", FILED), self._of("rejected", REJECTED)
        slip, forgotten = self._of("slip", FILED), self._of("forgotten", WITHDRAWN)
        _bear(returned.returns == 1 and returned.settled, "a returned claim")
        _bear(self._people(slip, "claim") == (school.RECORDER,), "a claim on a slip")
        return (
            f"{self._who('returned')}'s claim came back, was put right and is final since "
            f"{_of(returned.final_at)}; {self._who('rejected')}'s was rejected with its reason on "
            f"{_of(rejected.state_since)}; {self._who('slip')} has no key, a recorder claimed on a "
            f"signed slip; {self._who('forgotten')} left a returned claim lying, it lapsed on "
            f"{_of(forgotten.state_since)}"
        )

    def _objection(self) -> str:
        old, new = self._of("lesson", REVERSED), self._of("correction", FILED)
        decided = set(self._people(old, "reconsideration"))
        _bear(new.reverses == old.id and old.reversed_by == new.id, "a correction")
        _bear(
            len(decided) > 1 and decided.isdisjoint(self._people(old, "check", REVIEW)),
            "reconsidered by others",
        )
        was, now = (render.points_total(each.points or 0) for each in (old, new))
        return (
            f"{was} for {self._who('lesson')}'s open lesson, stopped within its notice; "
            f"{len(decided)} who had no part before decided, and {now} was shown anew until "
            f"{new.closes}"
        )

    def _recusals(self) -> str:
        related, kin = self._of("related", FILED), self._of("kin", FILED)
        apart = school.COMMITTEE[1]
        _bear(apart not in self._people(related), "a recusal")
        reviewers = self._people(kin, REVIEW)
        void = [each for each in reviewers if self._related(each, "kin")]
        _bear(len(void) == 1 and len(reviewers) == len(void) + kin.reviewers, "a void part")
        return (
            f"{apart} declared a relation to {self._who('related')} and had no part in that claim; "
            f"{void[0]} declared one to {self._who('kin')} after reviewing: {reviewers[-1]} "
            "repeated the step before publicity"
        )

    def _late(self) -> str:
        late = self._of("late", FILED)
        assert late.final_index is not None  # noqa: S101 - it is filed
        adjusted = adjusts(
            self._world, school.UNIT, school.RULEBOOK, late.act_date, late.final_index
        )
        _bear(late.dual and len(self._people(late, UPPER)) == 1, "dual review")
        _bear(self._quarter in adjusted, "an adjustment after the seal")
        return (
            f"{self._who('late')}'s act of {late.act_date} was claimed on {_of(late.claimed_at)}: "
            f"late, so {self._people(late, UPPER)[0]} reviewed it too; final after the seal, it "
            f"adjusts {self._quarter} and leaves the seal as it is"
        )

    def _sealed(self) -> str:
        period = self._world.periods.get(self._quarter)
        _bear(period is not None and period.state == SEALED, "a sealed quarter")
        assert period is not None  # noqa: S101
        table, seal = period.steps[PUBLISHED], period.steps[SEALED]
        return (
            f"{self._quarter}: cut off, its table published as of {table.as_of:,} entries, "
            f"objections closed, sealed on {_of(seal.recorded_at)} as of {seal.as_of:,}"
        )

    def _rulebook(self) -> str:
        book = self._world.rulebooks.get(school.RULEBOOK)
        last_day = f"{self._year}-12-31"
        _bear(book is not None and book.stage("1.2.0", last_day) == IN_FORCE, "a revised version")
        assert book is not None  # noqa: S101
        pilot = book.trials["1.1.0"].version.pilot
        assert pilot is not None  # noqa: S101 - a trial's version always has one
        tried = sum(
            each.version == "1.1.0"
            for member in school.members()
            for each in self._account(member.id).entries.values()
        )
        _bear(tried > 0, "acts under the pilot")
        return (
            f"1.1.0 was laid open, tried in one group from {pilot.first} to {pilot.last} "
            f"({tried} entries), revised as 1.2.0, in force for all since "
            f"{book.versions[-1].effective_from}"
        )

    def _fund(self) -> str:
        fund = self._world.funds.get(school.UNIT)
        _bear(fund is not None and fund.balanced, "a balanced fund")
        assert fund is not None  # noqa: S101
        back = [each for each in fund.moves.values() if each.reversed]
        _bear(len(back) == 1 and fund.redeemed > 0, "a redemption taken back")
        endowed, redeemed, stock, gone = (
            render.points_total(n)
            for n in (fund.endowed, fund.redeemed, fund.stock, back[0].points)
        )
        return (
            f"endowed {endowed} = redeemed {redeemed} + stock {stock}; {back[0].member} brought "
            f"{gone} back; nobody's merit changed"
        )

    def _review(self) -> str:
        period = self._world.periods.get(f"{school.UNIT}-{self._year}")
        review = period.review if period is not None else None
        _bear(review is not None and review.closed, "a closed review")
        assert review is not None  # noqa: S101
        _bear(len(review.figures) == len(review.present), "sheets for everyone")
        count = len(review.present)
        return (
            f"{count} members, a sheet of every one of {count} voters for each, a receipt a sheet; "
            f"closed on {review.held_on}, so its figures count"
        )

    def _lapsed(self) -> str:
        waiting = [
            each.id
            for member in school.members()
            for each in self._account(member.id).entries.values()
            if each.state == PUBLISHED
        ]
        _bear(not waiting and self._lapses["returned"] == 1, "lapses")
        return (
            f"{self._lapses.total()} terms ended by the calendar, each signed once by the ledger's "
            "own actor; whoever verifies the log works them out again"
        )

    # -- what they rest on ---------------------------------------------------------------------

    @property
    def _quarter(self) -> str:
        return f"{school.UNIT}-{self._year}-q1"

    def _account(self, member: str) -> Account:
        return self._world.accounts.get(f"member/{member}") or Account()

    def _of(self, name: str, state: str) -> PointsEntry:
        member, ident = self._named[name]
        entry = self._account(member).entries[ident]
        _bear(entry.state == state, f"{name} is {entry.state}, not {state}")
        return entry

    def _who(self, name: str) -> str:
        return self._named[name][0]

    def _people(self, entry: PointsEntry, *steps: str) -> tuple[str, ...]:
        """Return who signed these steps of an entry, or any step."""
        names = steps or tuple({each.name for each in entry.steps})
        return acting(self._world, entry.keys_of(*names))

    def _related(self, actor: str, name: str) -> bool:
        known = self._world.actors.get(actor)
        return known is not None and self._who(name) in (known.related or ())

    def _unit_start(self) -> str:
        unit = self._world.units.get(school.UNIT)
        assert unit is not None  # noqa: S101 - it is open
        return unit.start


def _of(instant: str | None) -> str:
    """Return the day of an instant where the organisation lives."""
    assert instant is not None  # noqa: S101 - asked of what has happened
    return zone_date(TIME_ZONE, instant)


def _bear(holds: object, what: str) -> None:
    """Raise MingzhangError unless the log bears out what the demo tells."""
    if not holds:
        raise MingzhangError(f"the log does not bear out what the demo tells: {what}")
