"""Figures of rankings and statements by the engine: each test names the rule that it is about."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ledger.errors import FormatError, NotFoundError
from projections import rankings, statements
from projections.dossier import STATEMENTS
from projections.fold import AsOf, ReadModel, Rows
from projections.period import parse_period
from projections.rankings import Ranking
from projections.scores import RANKINGS, REACH, SCORE
from projections.statements import Line, MemberStatement
from tests.support.journal import Journal
from tests.support.organisation import COMMITMENT

YEAR = {"kind": "year", "start": "2025-01-01", "end": "2025-12-31", "rulebook": "rules"}
TYPES = [
    {"code": "ordinary", "name_zh": "普通党员"},
    {"code": "new", "name_zh": "预备党员", "standing": "probationary"},
    {"code": "old", "name_zh": "免考党员", "standing": "exempt"},
    {"code": "double", "name_zh": "双报到党员", "accounts": ["service"]},
]
BANDS = [
    {"code": "good", "name_zh": "好", "min": 6000},
    {"code": "poor", "name_zh": "差", "min": 0, "below": 6000},
]
QUOTA = {"grade": "excellent", "band": "good", "numerator": 1, "denominator": 3}


def item(code: str, kind: str = "credit", **more: Any) -> dict[str, Any]:
    names = {"code": code, "category": "A", "name_zh": code, "name_en": code}
    return {**names, "act_type": "test.act", "kind": kind, "unit": "occurrence"} | more


ITEMS = [
    item("C-1", min=1, max=100_000),
    item("D-1", "debit", min=1, max=100_000),
    item("K-1", points=100, cap={"per": "month", "points": 250}),
    item("H-1", points=300, exclusive_group="honour"),
    item("H-2", points=200, exclusive_group="honour"),
    item("B-1", category="B", points=50),
    item("S-1", points=100, account="service"),
]


class Tale(Journal):
    """A journal with a rulebook of base 60 and three members of the branch east."""

    def __init__(self, unit: str = "root", **rules: Any) -> None:
        super().__init__()
        self.unit("root")
        self.unit("east", "root")
        self.unit("west", "root")
        more: dict[str, Any] = {"member_types": TYPES, "items": ITEMS, "bands": BANDS}
        more["merit"] = {"base": 6000}
        self.rulebook(unit=unit, **more | rules)
        for number in (1, 2, 3):
            self.enrol(f"m-{number}", "east")

    def act(self, member: str, code: str, day: str = "2025-03-01", **more: Any) -> str:
        kind = "points.deducted" if code[0] == "D" else "points.awarded"
        return self.add(kind, f"member/{member}", body(code, day, **more))

    def claim(self, member: str, code: str, day: str = "2025-03-01", **more: Any) -> str:
        return self.add("points.claimed", f"member/{member}", body(code, day, **more))

    def say(self, kind: str, entry: str, member: str = "m-1", **more: Any) -> str:
        return self.add(f"points.{kind}", f"member/{member}", {"entry": entry, **more})

    def lapse(self, entry: str, member: str = "m-1", term: str = "publicity") -> str:
        return self.say("lapsed", entry, member, term=term, due="2025-01-01")

    def bring(self, member: str, points: int, year: str, day: str, **more: Any) -> str:
        given: dict[str, Any] = {"rulebook": "rules", "account": "merit", "kind": "credit"}
        given |= {"closes": "2025-01-01"}
        given |= {"points": points, "period": year, "act_date": day, "sheet": COMMITMENT}
        ident = self.add("points.imported", f"member/{member}", given | more)
        self.lapse(ident, member)
        return ident

    def year(self, unit: str = "east", name: str = "y") -> None:
        self.add("period.opened", f"period/{name}", YEAR | {"unit": unit})

    def review(self, figures: dict[str, int], name: str = "y") -> None:
        stream = f"period/{name}"
        self.add("review.opened", stream, {"held_on": "2025-12-31", "present": ["m-1"]})
        for member, score in figures.items():
            sheets = [{"receipt": COMMITMENT, "score": score}]
            self.add("review.recorded", stream, {"member": member, "sheets": sheets})

    def folded(self, model: ReadModel) -> Rows:
        rows = model.rows()
        model.fold_all(self.events(), rows)
        assert rows.parked == {}
        return rows

    def table(self, period: str = "2025", unit: str = "root", **only: str) -> Ranking:
        as_of = AsOf(len(self.entries), "2025-12-31T00:00:00Z")
        rows = self.folded(RANKINGS)
        return rankings.from_rows(rows, as_of, unit, parse_period(period), **only)

    def places(self, period: str = "2025", unit: str = "root", **only: str) -> dict[str, int]:
        return {e.member: e.score for e in self.table(period, unit, **only).standings}

    def why(self, period: str = "2025", unit: str = "root") -> dict[str, str]:
        return {each.member: each.why for each in self.table(period, unit).asides}

    def statement(self, member: str = "m-1") -> MemberStatement:
        as_of = AsOf(len(self.entries), "2025-12-31T00:00:00Z")
        return statements.from_rows(self.folded(STATEMENTS), as_of, member)

    def lines(self, member: str = "m-1") -> list[Line]:
        return list(self.statement(member).lines)


def body(code: str, day: str, **more: Any) -> dict[str, Any]:
    given: dict[str, Any] = {"rulebook": "rules", "version": "1.0.0", "item": code}
    given["act_date"] = day
    points: dict[str, Any] = {"points": {"K": 100, "B": 50, "S": 100}.get(code[0])}
    if code[0] == "H":
        points = {"points": 300 if code == "H-1" else 200}
    given |= {"reason": COMMITMENT, "evidence": []} | points | more
    return {name: value for name, value in given.items() if value is not None}


def counted(lines: list[Line]) -> list[tuple[int, int | None, tuple[tuple[str, int], ...]]]:
    return [(each.worth, each.counted, each.clipped) for each in lines]


def test_a11_a_statement_says_of_each_entry_what_it_counted_and_what_clipped_it() -> None:
    tale = Tale()
    for day in ("2025-03-03", "2025-03-01", "2025-03-02", "2025-04-01"):
        tale.act("m-1", "K-1", day)
    assert counted(tale.lines()) == [
        (100, 50, (("item_cap", 50),)),
        (100, 100, ()),
        (100, 100, ()),
        (100, 100, ()),
    ]
    assert tale.places() == {"m-1": 6350, "m-2": 6000, "m-3": 6000}
    assert tale.places("2025-Q1")["m-1"] == 6250


def test_a29_what_is_pending_shows_what_it_would_count_and_enters_no_table() -> None:
    tale = Tale()
    for _ in range(2):
        tale.act("m-1", "K-1")
    claim = tale.claim("m-1", "K-1", "2025-03-09", points=None)
    (line,) = [each for each in tale.lines() if each.entry.id == claim]
    assert (line.worth, line.counted, line.would) == (100, None, 50)
    assert tale.places()["m-1"] == 6200
    tale.say("checked", claim, reviewers=0, review="normal")
    tale.say("published", claim, closes="2025-01-08")
    tale.lapse(claim)
    (line,) = [each for each in tale.lines() if each.entry.id == claim]
    assert (line.counted, line.would, line.clipped) == (50, None, (("item_cap", 50),))
    assert [each.row.type for each in line.steps] == [
        "points.claimed", "points.checked", "points.published", "points.lapsed publicity"
    ]  # fmt: skip
    assert tale.places()["m-1"] == 6250


@pytest.mark.parametrize("how", ["withdrawn", "rejected", "lapsed"])
def test_a29_what_ended_would_count_nothing(how: str) -> None:
    tale = Tale()
    claim = tale.claim("m-1", "K-1")
    if how == "lapsed":
        tale.say("returned", claim, reason=COMMITMENT)
        tale.lapse(claim, term="returned")
    else:
        tale.say(how, claim, reason=COMMITMENT)
    (line,) = tale.lines()
    assert (line.counted, line.would) == (None, None)
    assert tale.places()["m-1"] == 6000


def test_a12_a32_reversing_the_winner_of_a_deed_revives_the_next() -> None:
    tale = Tale()
    first = tale.act("m-1", "H-1", deed="d")
    tale.act("m-1", "H-2", "2025-02-01", deed="d")
    assert [each.counted for each in tale.lines()] == [300, 0]
    # In February nothing outdid it yet (A28).
    assert tale.places("2025-02")["m-1"] == 6200
    assert tale.places()["m-1"] == 6300
    tale.correct("m-1", first)
    assert [each.counted for each in tale.lines()][:2] == [None, 200]
    assert tale.places()["m-1"] == 6200


def test_b13_halves_of_a_correction_over_two_members_count_only_together() -> None:
    tale = Tale()
    award = tale.act("m-1", "K-1")
    # The first half names the other one's id, which the journal will give it.
    there = Tale()
    there.act("m-1", "K-1")
    there.add("points.corrected", "member/m-1", {})
    other = there.add("points.corrected", "member/m-2", {})
    half = {"stream": "member/m-2", "id": other}
    mine = tale.add(
        "points.corrected",
        "member/m-1",
        {"reverses": award, "reason": COMMITMENT, "counterpart": half},
    )
    assert tale.places() == {"m-1": 6100, "m-2": 6000, "m-3": 6000}
    raw = {"type": "points.awarded", **body("K-1", "2025-03-01")}
    back = {"stream": "member/m-1", "id": mine}
    given = {"reason": COMMITMENT, "replacement": raw, "counterpart": back}
    assert tale.add("points.corrected", "member/m-2", given) == other
    assert tale.places() == {"m-2": 6100, "m-1": 6000, "m-3": 6000}
    assert [each.counted for each in tale.lines("m-1")] == [None, None]


CARRY: dict[str, Any] = {"merit": {"carry_over": 20}}


def test_a20_an_imported_year_is_its_figure_and_carries_over() -> None:
    tale = Tale(**CARRY)
    tale.bring("m-1", 8650, "2024-01-01", "2024-12-31")
    tale.act("m-1", "C-1", points=100)
    assert tale.places("2024")["m-1"] == 8650
    assert tale.places() == {"m-1": 1830, "m-2": 0, "m-3": 0}
    assert tale.places("2026")["m-1"] == 366
    (line, _) = tale.lines()
    assert (line.entry.origin, line.worth, line.counted) == ("import", 8650, 8650)


def test_an_opening_balance_stands_on_top_of_the_base_and_is_marked() -> None:
    tale = Tale()
    tale.bring("m-1", 250, "2025-01-01", "2025-02-10")
    tale.bring("m-2", 100, "2025-01-01", "2025-02-10", kind="debit")
    tale.bring("m-3", 500, "2025-01-01", "2025-02-10", account="service")
    assert tale.places("2025-01") == {"m-1": 6000, "m-2": 6000, "m-3": 6000}
    assert tale.places() == {"m-1": 6250, "m-3": 6000, "m-2": 5900}
    (figures,) = tale.statement("m-3").figures
    assert (figures.service, figures.imported) == (500, True)


REVIEW: dict[str, Any] = {"annual": {"kind": "weighted", "daily": 70, "review": 30}}


def test_a21_a_table_is_provisional_until_the_review_is_closed() -> None:
    tale = Tale(**REVIEW)
    tale.year()
    tale.act("m-2", "C-1", points=1000)
    tale.review({"m-1": 9000, "m-2": 5000})
    found = tale.table()
    assert found.provisional
    assert tale.places() == {"m-2": 7000, "m-1": 6000, "m-3": 6000}
    tale.add("review.closed", "period/y", {"count": 2})
    found = tale.table()
    assert not found.provisional
    assert tale.places() == {"m-1": 6900, "m-2": 6400}
    assert found.asides == (("m-3", "east", "not_reviewed"),)
    assert tale.table("2025-Q4").provisional, "a quarter's is a running total"


def test_a21_one_table_never_mixes_scales() -> None:
    tale = Tale(**REVIEW)
    tale.enrol("w-1", "west")
    tale.year("east", "y")
    tale.year("west", "z")
    for name, member in (("y", "m-1"), ("z", "w-1")):
        tale.review({member: 9000}, name)
    tale.add("review.closed", "period/y", {"count": 1})
    assert not tale.table(unit="east").provisional
    assert tale.table(unit="west").provisional
    assert tale.table(unit="root").provisional
    assert tale.places()["m-1"] == 6000
    tale.add("review.closed", "period/z", {"count": 1})
    assert tale.places() == {"m-1": 6900, "w-1": 6900}


def test_a23_a25_who_does_not_take_part_stands_beside_with_the_reason() -> None:
    tale = Tale()
    for member, kind in (("x-1", "old"), ("x-2", "double"), ("x-3", "stranger"), ("x-4", "new")):
        given = {"unit": "east", "member_type": kind, "date": "2024-01-01"}
        tale.add("member.enrolled", f"member/{member}", given)
    late = {"unit": "east", "member_type": "ordinary", "date": "2025-08-01"}
    tale.add("member.enrolled", "member/x-5", late)
    tale.add("member.exempted", "member/m-3", {"from": "2025-02-01", "until": "2025-06-30"})
    away = {"x-1": "exempt", "x-2": "no_merit", "x-3": "untyped", "x-5": "short"}
    assert tale.why() == away
    # Before August the last one is not here at all.
    assert tale.why("2025-Q2") == {"m-3": "exempt", "x-1": "exempt"} | {
        name: away[name] for name in ("x-2", "x-3")
    }
    assert set(tale.places()) == {"m-1", "m-2", "m-3", "x-4"}
    assert tale.table().full == 3, "a probationary member is ranked and not counted"
    assert set(tale.places("2025-Q2")) == {"m-1", "m-2", "x-4"}


def test_a24_a_tie_over_the_quota_stays_open_until_the_vote() -> None:
    tale = Tale(quota=QUOTA)
    tale.year()
    found = tale.table(unit="east").excellent
    assert found is not None
    assert (found.limit, found.members, found.tied, found.seats) == (
        1, (), ("m-1", "m-2", "m-3"), 1
    )  # fmt: skip
    vote = {"grade": "excellent", "chosen": ["m-2"]}
    tale.add("vote.recorded", "period/y", vote)
    found = tale.table(unit="east").excellent
    assert found is not None
    assert (found.members, found.tied) == (("m-2",), ())
    tale.act("m-3", "C-1", points=1)
    found = tale.table(unit="east").excellent
    assert found is not None
    assert found.members == ("m-3",), "there is no tie any more"


def test_a26_a_change_of_type_holds_from_its_day() -> None:
    tale = Tale()
    tale.add("member.typed", "member/m-1", {"member_type": "old", "date": "2025-05-01"})
    assert "m-1" in tale.places("2025-04")
    assert tale.why("2025-05") == {"m-1": "exempt"}


def test_a27_a_unit_with_several_rulebooks_has_a_table_for_each() -> None:
    tale = Tale(unit="east")
    tale.add(
        "rulebook.published",
        "rulebook/west",
        {
            "unit": "west",
            "version": "1.0.0",
            "effective_from": "2023-01-01",
            "title_zh": "细则",
            "title_en": "Rules",
            "member_types": TYPES,
            "items": ITEMS,
            "merit": {"base": 100},
        },
    )
    tale.enrol("w-1", "west")
    tale.act("m-1", "C-1", "2025-02-01", points=300)
    tale.add("member.transferred", "member/m-1", {"unit": "west", "date": "2025-06-01"})
    with pytest.raises(FormatError, match="a table for each of rules, west: say which"):
        tale.table()
    with pytest.raises(NotFoundError, match="no rulebook 'north'"):
        tale.table(rulebook="north")
    assert set(tale.places(rulebook="rules")) == {"m-2", "m-3"}
    assert tale.places(rulebook="west") == {"m-1": 100, "w-1": 100}
    assert tale.places("2025-05", rulebook="rules")["m-1"] == 6300
    assert tale.why("2025-06", "west") == {"m-1": "short"}
    figures = {each.rulebook: each.daily for each in tale.statement().figures}
    assert figures["rules"] == 6300


def test_a31_what_became_final_after_the_seal_is_marked() -> None:
    tale = Tale()
    tale.year()
    before = tale.act("m-1", "K-1")
    for step in ("cut_off", "published", "closed", "sealed"):
        given = {"as_of": len(tale.entries)} if step in ("published", "sealed") else {}
        tale.add(f"period.{step}", "period/y", given)
    after = tale.act("m-1", "K-1")
    marks = {each.entry.id: (each.adjusts, each.shown) for each in tale.lines()}
    assert marks[before][0] == ()
    assert marks[after][0] == ("y",)
    assert [each[2:] for each in marks[before][1]] == [(True, "sealed")]
    assert [each[2:] for each in marks[after][1]] == [(False, "sealed")]
    assert tale.places()["m-1"] == 6200


def test_tables_of_a_type_and_of_a_module_rank_among_themselves() -> None:
    tale = Tale()
    tale.add("member.typed", "member/m-2", {"member_type": "new", "date": "2025-01-02"})
    tale.act("m-1", "B-1")
    tale.act("m-2", "B-1")
    tale.act("m-2", "B-1")
    tale.act("m-3", "C-1", points=900)
    assert tale.places(member_type="new") == {"m-2": 6100}
    assert tale.places(category="B") == {"m-2": 100, "m-1": 50, "m-3": 0}


def test_an_act_that_the_rules_do_not_price_counts_nothing_and_says_so() -> None:
    tale = Tale()
    tale.act("m-1", "X-1", points=100)
    tale.act("m-1", "C-1", points=5)
    assert tale.places()["m-1"] == 6005
    assert [(each.counted, each.unpriced) for each in tale.lines()] == [(0, True), (5, False)]


@pytest.mark.parametrize(
    "later",
    [
        lambda tale: tale.act("m-1", "K-1", "2025-02-01"),
        lambda tale: tale.correct("m-1", tale.act("m-1", "H-1", "2025-02-01", deed="d")),
        lambda tale: tale.bring("m-1", 100, "2025-01-01", "2025-01-31"),
    ],
)
def test_what_comes_later_changes_no_other_member(later: Callable[[Tale], object]) -> None:
    tale = Tale()
    tale.act("m-1", "K-1")
    before = tale.places()
    later(tale)
    after = tale.places()
    del before["m-1"], after["m-1"]
    assert before == after


def _closed(tale: Tale) -> None:
    tale.add("review.closed", "period/y", {"count": 3})


def _other(unit: str, base: int) -> dict[str, Any]:
    return {
        "unit": unit,
        "version": "1.0.0",
        "effective_from": "2025-03-01",
        "title_zh": "细则",
        "title_en": "Rules",
        "member_types": TYPES,
        "items": ITEMS,
        "merit": {"base": base},
    }


def _nearer(tale: Tale) -> None:
    tale.add("rulebook.published", "rulebook/near", _other("east", 10))


def _moved(tale: Tale) -> None:
    tale.move("east", "west")


def _opened(tale: Tale) -> None:
    tale.add("period.opened", "period/z", YEAR | {"unit": "root", "start": "2026-01-01"})


@pytest.mark.parametrize("change", [_closed, _nearer, _moved, _opened])
def test_what_changes_around_members_changes_their_kept_figures_at_once(
    change: Callable[[Tale], None],
) -> None:
    """Nobody of them says anything: the change alone must reach every row that it touches."""
    tale = Tale(**REVIEW)
    tale.add("rulebook.published", "rulebook/west", _other("west", 20))
    tale.year()
    tale.review({f"m-{number}": 9000 for number in (1, 2, 3)})
    before = len(tale.entries)
    change(tale)
    kept, once = Rows(RANKINGS.tables), Rows(RANKINGS.tables)
    assert RANKINGS.finish is not None
    RANKINGS.fold_all(tale.events()[:before], kept)
    RANKINGS.finish(kept)
    earlier = sorted(map(repr, [*kept.all(SCORE), *kept.all(REACH)]))
    RANKINGS.fold_all(tale.events()[before:], kept)
    RANKINGS.finish(kept)
    RANKINGS.fold_all(tale.events(), once)
    RANKINGS.finish(once)
    assert kept.parked == {}
    found = sorted(map(repr, [*kept.all(SCORE), *kept.all(REACH)]))
    assert found == sorted(map(repr, [*once.all(SCORE), *once.all(REACH)]))
    assert found != earlier
