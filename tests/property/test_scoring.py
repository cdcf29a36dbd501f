"""The engine against an evaluator that takes the stages one by one, as the rules' text does."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.rules.book import Book
from ledger.rules.period import Periods
from ledger.rules.rulebook import Item, Version
from ledger.rules.stages import STAGES, Entry
from tests.support.rules import book, debit, item, scored, version

POINTS = st.integers(1, 12).map(lambda n: n * 50)
PERS = st.sampled_from([None, "month", "quarter", "year", "activity"])


def credit_of(code: str, points: int, per: str | None, cap: int, group: bool) -> dict[str, Any]:
    more: dict[str, Any] = {"category": "CD"[int(code[1:]) % 2]}
    if per is not None:
        more["cap"] = {"per": per, "points": cap}
    if group:
        more["exclusive_group"] = "honour"
    return item(code, points, **more)


@st.composite
def rulebooks(draw: st.DrawFn) -> Book:
    """Two versions of a rulebook with caps at every stage, the second from some day of 2026."""
    versions = []
    for number, start in (
        (0, "2020-01-01"),
        (1, draw(st.sampled_from(["2026-04-01", "2026-09-15"]))),
    ):
        items = [
            credit_of(f"I{n}", draw(POINTS), draw(PERS), draw(POINTS), draw(st.booleans()))
            for n in range(3)
        ]
        items.append(debit("B0", draw(POINTS), scope="category"))
        items.append(debit("G0", draw(POINTS), scope="global", cap={"per": "month", "points": 500}))
        merit: dict[str, Any] = {"base": 1000, "bases": [{"category": "B", "points": 1000}]}
        if draw(st.booleans()):
            merit["period_caps"] = [
                {"per": draw(st.sampled_from(["month", "quarter"])), "points": draw(POINTS)}
            ]
        if draw(st.booleans()):
            merit["category_caps"] = [{"category": "C", "points": draw(POINTS)}]
        if draw(st.booleans()):
            merit["credit_cap"] = draw(POINTS) * 2
        if draw(st.booleans()):
            merit |= {"floor": 900, "ceiling": 1200}
        versions.append(version(*items, version=f"1.{number}.0", effective_from=start, merit=merit))
    return book(*versions)


DAYS = st.sampled_from(
    [
        "2025-12-31",
        "2026-01-01",
        "2026-01-31",
        "2026-03-31",
        "2026-04-01",
        "2026-09-15",
        "2026-12-31",
    ]
)
ENTRIES = st.lists(
    st.tuples(
        DAYS,
        st.sampled_from(["I0", "I1", "I2", "B0", "G0"]),
        st.sampled_from([100, 200, 300]),
        st.sampled_from(["a", "b"]),
        st.sampled_from(["d", "e"]),
    ),
    max_size=14,
).map(
    lambda rows: [
        Entry(day, f"e{number:02d}", code, quantity, None, activity, deed)
        for number, (day, code, quantity, activity, deed) in enumerate(rows)
    ]
)  # fmt: skip


def stage_by_stage(rules: Book, entries: list[Entry]) -> dict[str, dict[str, int]]:
    """Return for each entry its worth and what each stage took, one whole stage after another."""
    places = Periods()
    ordered = sorted(entries, key=lambda e: (e.date, e.id))
    at: dict[str, tuple[Version, Item]] = {}
    for each in ordered:
        in_force = rules.version_on(each.date)
        assert in_force is not None
        at[each.id] = (in_force, in_force.items[each.code])
    left = {e.id: (at[e.id][1].points or 0) * e.quantity // 100 for e in ordered}
    out: dict[str, dict[str, int]] = {e.id: {"worth": left[e.id]} for e in ordered}

    def run(stage: str, bucket_and_cap: Any) -> None:
        filled: dict[object, int] = defaultdict(int)
        for each in ordered:
            for bucket, cap in bucket_and_cap(each):
                taken = min(left[each.id], max(cap - filled[bucket], 0))
                if taken != left[each.id]:
                    lost = left[each.id] - taken
                    out[each.id][stage] = out[each.id].get(stage, 0) + lost
                    left[each.id] = taken
                filled[bucket] += taken

    deeds = defaultdict(list)
    for each in ordered:
        if at[each.id][1].exclusive_group and at[each.id][1].kind == "credit":
            deeds[places.of(each.date), each.deed].append(each)
    for rivals in deeds.values():
        winner = max(rivals, key=lambda e: left[e.id])
        for each in rivals:
            if each is not winner:
                out[each.id]["exclusive_group"], left[each.id] = left[each.id], 0

    def item_cap(e: Entry) -> Any:
        cap, place = at[e.id][1].cap, places.place(e.date)
        if cap is None:
            return
        where = {"month": place.month, "quarter": place.quarter, "year": 0}.get(cap.per)
        bucket = (
            (e.code, e.activity)
            if cap.per == "activity"
            else (place.period, cap.per, where, e.code)
        )
        yield bucket, cap.points

    def credit(e: Entry) -> bool:
        return at[e.id][1].kind == "credit"

    def period_cap(e: Entry) -> Any:
        place = places.place(e.date)
        for per, most in at[e.id][0].merit.period_caps if credit(e) else ():
            yield (place.period, per, place.quarter if per == "quarter" else place.month), most

    def category_cap(e: Entry) -> Any:
        caps = at[e.id][0].merit.category_caps or {}
        category = at[e.id][1].category
        if credit(e) and category in caps:
            yield (places.of(e.date), category), caps[category]

    def total_cap(e: Entry) -> Any:
        most = at[e.id][0].merit.credit_cap
        if credit(e) and most is not None:
            yield places.of(e.date), most

    def category_floor(e: Entry) -> Any:
        if e.code == "B0":
            yield places.of(e.date), 1000

    stages = (item_cap, period_cap, category_cap, total_cap, category_floor)
    for stage, of in zip(STAGES[1:], stages, strict=True):
        run(stage, of)
    return out


@settings(max_examples=300, deadline=None)
@given(rulebooks(), ENTRIES)
def test_a10_one_pass_equals_stage_after_stage(rules: Book, entries: list[Entry]) -> None:
    expected = stage_by_stage(rules, entries)
    found = scored(rules, entries)
    for each in found.entries:
        assert dict(each.clipped) == {
            k: v for k, v in expected[each.id].items() if k != "worth" and v
        }
        assert abs(each.worth) == expected[each.id]["worth"]
        assert list(dict(each.clipped)) == [s for s in STAGES if s in dict(each.clipped)]
    assert {e.id for e in found.entries} == {e.id for e in entries if e.date >= "2026"}


@settings(max_examples=150, deadline=None)
@given(rulebooks(), ENTRIES, st.randoms())
def test_the_order_of_recording_changes_nothing(
    rules: Book, entries: list[Entry], draw: Any
) -> None:
    shuffled = list(entries)
    draw.shuffle(shuffled)
    assert scored(rules, shuffled) == scored(rules, entries)


@settings(max_examples=150, deadline=None)
@given(rulebooks(), ENTRIES)
def test_a15_base_and_counted_and_the_lines_make_daily(rules: Book, entries: list[Entry]) -> None:
    found = scored(rules, entries)
    assert found.daily is not None
    assert found.base_total is not None
    assert found.lifted_to_floor is not None
    assert found.cut_at_ceiling is not None
    total = found.base_total + sum(each.counted for each in found.entries)
    assert total + found.lifted_to_floor - found.cut_at_ceiling == found.daily
    for each in found.entries:
        sign = -1 if each.worth < 0 else 1
        assert each.counted == each.worth - sign * sum(by for _, by in each.clipped)
        assert all(by > 0 for _, by in each.clipped)


@settings(max_examples=150, deadline=None)
@given(rulebooks(), ENTRIES, st.integers(0, 13))
def test_a32_without_an_entry_the_rest_is_as_if_it_had_never_been(
    rules: Book, entries: list[Entry], which: int
) -> None:
    rest = [each for each in entries if each.id != f"e{which:02d}"]
    expected = stage_by_stage(rules, rest)
    for each in scored(rules, rest).entries:
        assert abs(each.worth) - sum(by for _, by in each.clipped) == expected[each.id][
            "worth"
        ] - sum(by for stage, by in expected[each.id].items() if stage != "worth")
