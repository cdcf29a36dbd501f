"""State trees from the database and from tiles alone, and against a slow oracle."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Any

import pytest
from psycopg_pool import ConnectionPool

from ledger.entry import parse_entry
from ledger.errors import NotFoundError
from ledger.log.merkle import leaf_hash
from ledger.store.postgres import Database
from ledger.store.reader import Reader
from ledger.store.table import EntryTable
from projections.asof import Wanted
from projections.runner import Runner
from projections.sealed import Wish, states
from projections.views import Views
from tests.support.journal import SIGNER, Journal, random_journal

WRITTEN = {"y": "2025", "q2": "2025-Q2", "feb": "2025-02"}
PERIODS = {
    "y": ("root", "year", "2025-01-01", "2025-12-31"),
    "q2": ("east", "quarter", "2025-04-01", "2025-06-30"),
    "feb": ("west", "month", "2025-02-01", "2025-02-28"),
}


def journal_with_periods(seed: int, size: int) -> Journal:
    """A random journal with three open periods right behind its first entries."""
    journal = random_journal(seed, 60)
    for name, (unit, kind, start, end) in PERIODS.items():
        body = {"unit": unit, "kind": kind, "start": start, "end": end, "rulebook": "rules"}
        journal.add("period.opened", f"period/{name}", body)
    rng = Random(seed)
    while len(journal.entries) < size:
        name = f"m-{rng.randrange(40)}"
        if rng.random() < 0.1:
            journal.transfer(name, rng.choice(["root", "east", "west", "group"]))
        elif rng.random() < 0.05:
            journal.move("group", rng.choice(["east", "west"]))
        else:
            day = f"2025-{rng.randint(1, 12):02d}-{rng.randint(1, 28):02d}"
            journal.award(name, rng.choice([50, 100, 100, 225]), day)
    return journal


def heads_of(journal: Journal, size: int) -> dict[str, tuple[int, str]]:
    found = {}
    for data in journal.entries[:size]:
        entry = parse_entry(data)
        kind, _, ident = entry.stream.partition("/")
        if kind == "member":
            found[ident] = (entry.seq, leaf_hash(data).hex())
    return found


def below(journal: Journal, unit: str, size: int) -> set[str]:
    """Who is in a unit or below it as of a size, by a walk over the raw statements."""
    parents: dict[str, str | None] = {}
    homes: dict[str, str] = {}
    for event in journal.events()[:size]:
        said, body = event.proposal, event.proposal.body
        ident = said.stream.partition("/")[2]
        if said.type in ("unit.opened", "unit.moved"):
            parents[ident] = body.get("parent")
        elif said.type in ("member.enrolled", "member.transferred"):
            homes[ident] = body["unit"]

    def inside(at: str | None) -> bool:
        while at is not None and at != unit:
            at = parents[at]
        return at == unit

    return {member for member, home in homes.items() if inside(home)}


@pytest.mark.parametrize("workers", [0, 2])
def test_database_and_tiles_give_the_same_roots_at_random_prefixes(
    database: Database,
    pool: ConnectionPool[Any],
    table: EntryTable,
    tmp_path: Path,
    workers: int,
) -> None:
    journal = journal_with_periods(seed=61 + workers, size=600)
    journal.store(table)
    Runner(database.connect, Reader(pool).size, batch_entries=70).catch_up()
    views, rng = Views(pool), Random(62)
    sizes = [63, 255, 256, 257, *rng.sample(range(64, 600), 5), 600]
    wishes = [Wish(period, size) for size in sizes for period in PERIODS]
    where = journal.write(tmp_path / "export")
    again = states(where, SIGNER.vkey, wishes=wishes, workers=workers)
    assert again.found.keys() == set(wishes)
    assert again.seals == ()
    ties = 0
    for wish in wishes:
        found = views.state(*wish)
        assert found == again.found[wish]
        unit = PERIODS[wish.period][0]
        heads = heads_of(journal, wish.size)
        assert [each.member for each in found.members] == sorted(below(journal, unit, wish.size))
        assert all((each.seq, each.head) == heads[each.member] for each in found.members)
        table_then = views.ranking(
            unit,
            {"y": "2025", "q2": "2025-Q2", "feb": "2025-02"}[wish.period],
            Wanted(size=wish.size),
        )
        assert [(p.rank, p.member, p.score) for p in found.ranking] == [
            (p.rank, p.member, p.score) for p in table_then.standings
        ]
        merits = {each.member: each.merit for each in found.members}
        assert all(merits.get(each.member, each.score) == each.score for each in found.ranking)
        assert [each.position for each in found.ranking] == list(range(len(found.ranking)))
        ties += len(found.ranking) - len({each.rank for each in found.ranking})
    assert ties, "equal ranks are part of it"


def test_a_period_that_is_not_there_or_not_yet_has_no_state(
    database: Database, pool: ConnectionPool[Any], table: EntryTable, tmp_path: Path
) -> None:
    journal = journal_with_periods(seed=63, size=80)
    journal.store(table)
    Runner(database.connect, Reader(pool).size).catch_up()
    with pytest.raises(NotFoundError, match="no period 'z'"):
        Views(pool).state("z", 80)
    with pytest.raises(NotFoundError, match="no period 'y'"):
        Views(pool).state("y", 50)
    where = journal.write(tmp_path)
    assert "no period 'y'" in states(where, wishes=[Wish("y", 50)]).missing[Wish("y", 50)]
    with pytest.raises(NotFoundError, match="no size 81"):
        states(where, wishes=[Wish("y", 81)])
