"""What the read models make of a way is what decisions make of it, whatever was said.

Walks draw statements of every type; refused ones leave no trace.
"""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from ledger.domain.account import effective
from ledger.rules.book import Book
from ledger.rules.member import Member, Spell
from ledger.rules.rulebook import of_body
from ledger.rules.scoring import Reading, score
from projections import dossier
from projections.acts import ACT, ActRow
from projections.dossier import ENTRY, STATEMENTS
from projections.fold import AsOf, Group, ReadModel, Rows
from projections.frame import Frame, frame_of
from projections.period import parse_period
from projections.rankings import from_rows, table
from projections.reckoning import reckon, segments
from projections.scope import Asked, scope_of
from projections.scores import RANKINGS, REACH, SCORE
from tests.support.chronicle import document, item
from tests.support.walk import MEMBERS, Walk
from tests.unit.projections.test_scores import BANDS, QUOTA, TYPES, Tale
from tests.unit.projections.test_scores import ITEMS as TALE_ITEMS


@pytest.mark.parametrize("seed", range(12))
def test_a29_the_lean_fold_counts_what_decisions_count(seed: int) -> None:
    walk = Walk(seed).walk(200)
    rows = RANKINGS.rows()
    RANKINGS.fold_all(walk.events, rows)
    assert rows.parked == {}
    for member in MEMBERS:
        account = walk.account(member)
        assert len(account.entries) == len(rows.some(ACT, member))
        for entry in account.entries.values():
            act = rows.get(ACT, entry.id)
            assert act is not None
            assert act.counts == effective(account, entry, walk.world.accounts.get), entry
            if act.counts:
                said = (entry.item, entry.act_date, entry.quantity, entry.points, entry.kind)
                assert (act.item, act.act_date, act.quantity, act.points, act.kind) == said
                assert act.final_index == entry.final_index


@pytest.mark.parametrize("seed", range(6))
def test_a_dossier_holds_every_entry_as_decisions_see_it(seed: int) -> None:
    walk = Walk(seed).walk(200)
    rows = STATEMENTS.rows()
    STATEMENTS.fold_all(walk.events, rows)
    assert rows.parked == {}
    for member in MEMBERS:
        entries = walk.account(member).entries
        found = {each.id: dossier.aggregate(each) for each in rows.some(ENTRY, member)}
        assert found == entries
        assert {each.final_index for each in found.values()} == {
            each.final_index for each in entries.values()
        }


@pytest.mark.parametrize("model", [RANKINGS, STATEMENTS], ids=lambda model: str(model.name))
def test_a_batch_names_every_row_that_it_reads(model: ReadModel) -> None:
    """What a fold gets, its `needs` have named, else a batch in the database would park it."""
    walk = Walk(3).walk(150)
    rows = model.rows()
    for event in walk.events:
        named = [*model.needs(event), *model.needs_more(event, rows)]
        keys = {(each[0].name, each[1]) for each in named if not isinstance(each, Group)}
        body = event.proposal.body
        for name in ("entry", "reverses"):
            if event.proposal.type.startswith("points.") and body.get(name):
                table = "act" if model is RANKINGS else "entry"
                assert (table, body[name]) in keys
        model.fold_all([event], rows)


ITEMS = [
    item("C-1", min=50, max=300, cap={"per": "month", "points": 400}),
    item("C-2", category="B", points=150, cap={"per": "quarter", "points": 500}),
    item("H-1", exclusive_group="honour", points=300),
    item("H-2", exclusive_group="honour", points=200),
    item("W-1", unit="hour", points=100, cap={"per": "activity", "points": 300}),
    item("D-1", "debit", points=400),
    item("D-2", "debit", category="B", points=250, scope="global"),
    item("S-1", account="service", points=100),
]
MERIT = {
    "base": 6000,
    "bases": [
        {"category": "A", "points": 1000, "floor": 0},
        {"category": "B", "points": 5000, "floor": 4000},
    ],
    "floor": 5500,
    "ceiling": 7000,
    "credit_cap": 1500,
}


@pytest.mark.parametrize("seed", range(25))
def test_a28_a_years_segments_are_the_engines_scores_of_each_month(seed: int) -> None:
    random = Random(seed)
    versions = [
        document("1.0.0", "2025-01-01", items=ITEMS, merit=MERIT),
        document("2.0.0", "2025-07-01", items=ITEMS, merit=MERIT | {"base": 6000}),
    ]
    codes = [each["code"] for each in ITEMS if seed % 2 or each["code"][0] != "H"]
    book = Book("rules", [of_body(each) for each in versions])
    spells = (Spell("2025-01-01", "ordinary", ("east", "root"), "rules"),)
    member = Member("m-1", spells)
    acts = [_act(random, number, random.choice(codes)) for number in range(random.randrange(60))]
    reckoned = reckon(Frame(), member, acts, book)
    year = book.periods.of("2025-06-01")
    rows = segments(Frame(), reckoned, year)
    assert [each.until_month for each in rows[:-1]] == [each.from_month for each in rows[1:]]
    for month in range(1, 13):
        (row,) = [each for each in rows if each.from_month <= month < each.until_month]
        whole = score(
            book, member, reckoned.entries, Reading(year, book.periods.month_end(year, month))
        )
        assert (row.daily, row.credit, row.category_debit, row.global_debit) == (
            whole.daily, whole.credit, whole.category_debit, whole.global_debit
        )  # fmt: skip
        assert (row.lifted, row.cut) == (whole.lifted_to_floor, whole.cut_at_ceiling)
        assert (row.annual, row.service, row.base_total) == (
            whole.annual, whole.service, whole.base_total
        )  # fmt: skip
        assert segments(Frame(), reckoned, year, month) == [
            each for each in rows if each.until_month >= month
        ]


def _act(random: Random, number: int, code: str) -> ActRow:
    day = f"2025-{random.randint(1, 12):02}-{random.randint(1, 28):02}"
    debit = code[0] == "D"
    return ActRow(
        id=f"{random.randrange(10**6):06}-{number}",
        member="m-1",
        rulebook="rules",
        version="1.0.0",
        kind="debit" if debit else "credit",
        origin="direct",
        account=None,
        item=code,
        act_date=day,
        quantity=random.choice((50, 100, 150)) if code == "W-1" else 100,
        points=random.randint(50, 300) if code == "C-1" else None,
        activity=random.choice("ab") if code == "W-1" else None,
        deed=random.choice("xyz") if code[0] == "H" else None,
        state="final",
        counts=True,
        final_index=number,
        reverses=None,
        reversed_by=None,
        half=None,
    )


RULES: list[dict[str, Any]] = [
    {"merit": {"base": 6000, "floor": 5900, "ceiling": 6800}, "bands": BANDS, "quota": QUOTA},
    {"merit": {"carry_over": 20}},
    {"annual": {"kind": "weighted3", "last": 20, "daily": 70, "review": 10}},
]


LATER: dict[str, Any] = {
    "effective_from": "2025-04-01",
    "member_types": TYPES,
    "items": [each | {"points": 60} if each["code"] == "K-1" else each for each in TALE_ITEMS],
}


def tale(seed: int, steps: int = 160) -> Tale:
    """A journal of everything that figures depend on, drawn at random."""
    random, made = Random(seed), Tale(**RULES[seed % len(RULES)])
    made.unit("group", "east")
    names = [f"m-{number}" for number in range(1, 7)]
    for name in names[3:]:
        made.enrol(name, random.choice(["west", "group"]))
    live: dict[str, list[str]] = {name: [] for name in names}
    pending: dict[str, list[str]] = {name: [] for name in names}
    away: set[str] = set()
    opened = 0
    for _ in range(steps):
        name, roll = random.choice(names), random.random()
        day = f"202{random.choice('45')}-{random.randint(1, 12):02}-{random.randint(1, 28):02}"
        code = random.choice(["K-1", "K-1", "C-1", "D-1", "H-1", "H-2", "B-1", "S-1"])
        more: dict[str, Any] = {"points": random.randint(1, 400)} if code[1:] == "-1" else {}
        more = more if code in ("C-1", "D-1") else {}
        more |= {"deed": random.choice("xyz")} if code[0] == "H" else {}
        if roll < 0.4:
            live[name].append(made.act(name, code, day, **more))
        elif roll < 0.55:
            kind = {"kind": "debit"} if code[0] == "D" else {}
            pending[name].append(made.claim(name, code, day, **more | kind))
        elif roll < 0.7 and pending[name]:
            entry = pending[name].pop()
            if random.random() < 0.7:
                made.lapse(entry, name)
                live[name].append(entry)
            else:
                made.say(random.choice(["withdrawn", "rejected"]), entry, name)
        elif roll < 0.8 and live[name]:
            made.correct(name, live[name].pop(random.randrange(len(live[name]))))
        elif roll < 0.83:
            unit = {"unit": random.choice(["east", "west", "group"]), "date": day}
            made.add("member.transferred", f"member/{name}", unit)
        elif roll < 0.86:
            given = {"member_type": random.choice(["ordinary", "new", "old"]), "date": day}
            made.add("member.typed", f"member/{name}", given)
        elif roll < 0.88:
            made.add("member.exempted", f"member/{name}", {"from": day, "until": day[:8] + "28"})
        elif roll < 0.9 and name not in away:
            away.add(name)
            made.add("member.suspended", f"member/{name}", {"date": day})
        elif roll < 0.92 and name in away:
            away.remove(name)
            made.add("member.reinstated", f"member/{name}", {"date": "2025-12-30"})
        elif roll < 0.94:
            made.move("group", random.choice(["east", "west"]))
        elif roll < 0.96:
            made.bring(name, 300, "2024-01-01", "2024-12-31")
        elif opened < 3:
            opened += 1
            unit_id = ["east", "west", "group"][opened - 1]
            made.year(unit_id, f"p-{opened}")
            made.review({each: random.randint(0, 10_000) for each in names}, f"p-{opened}")
            if random.random() < 0.8:
                made.add("review.closed", f"period/p-{opened}", {"count": 1})
        elif opened == 3:
            opened += 1
            made.rulebook("2.0.0", **RULES[seed % 3] | LATER)
    return made


@pytest.mark.parametrize("seed", range(18))
def test_figures_kept_from_batch_to_batch_are_those_of_one_fold(seed: int) -> None:
    """And a table made of them is the one that a replay reckons from the acts alone."""
    made, random = tale(seed), Random(seed)
    events = made.events()
    kept, once = Rows(RANKINGS.tables), Rows(RANKINGS.tables)
    assert RANKINGS.finish is not None
    start = 0
    while start < len(events):
        stop = start + random.choice([1, 1, 2, 5, 20])
        RANKINGS.fold_all(events[start:stop], kept)
        RANKINGS.finish(kept)
        start = stop
    assert kept.parked == {}
    RANKINGS.fold_all(events, once)
    RANKINGS.finish(once)
    assert sorted(map(repr, kept.all(SCORE))) == sorted(map(repr, once.all(SCORE)))
    assert sorted(kept.all(REACH)) == sorted(once.all(REACH))
    frame, as_of = frame_of(kept), AsOf(len(events), "2025-01-01T00:00:00Z")
    for unit in ("root", "east", "west", "group"):
        for period in ("2024", "2024-07", "2025-Q1", "2025-08", "2025"):
            asked = Asked(unit, parse_period(period))
            scope = scope_of(frame, asked)
            mine = [
                row
                for row in kept.all(SCORE)
                if str(row.year) == scope.year.first
                and row.from_month <= asked.period.month < row.until_month
            ]
            assert table(frame, scope, as_of, mine) == from_rows(
                once, as_of, unit, parse_period(period)
            )
