"""How fast the read models follow the log, are folded from tiles, and answer.

The large tables hold what the folds make of synthetic statements, copied in member by member.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from random import Random
from statistics import median, quantiles
from typing import Any

import psycopg
from psycopg import sql
from psycopg_pool import ConnectionPool

from ledger.store.postgres import open_database
from ledger.store.table import EntryTable
from ops.bench import library_view, synthetic
from ops.bench.report import Row
from ops.bench.synthetic import YEAR, Events, Log, Size
from projections import builds, rankings
from projections.advance import Advance, open_connection
from projections.batch import UNTIL_NOW, Build, Connection
from projections.dossier import STATEMENTS
from projections.entries import ENTRIES
from projections.finding import Wanted
from projections.fold import AsOf, ReadModel, Rows, Table
from projections.period import parse_period
from projections.replay import replay
from projections.scores import RANKINGS
from projections.views import Views

LIVE = Size("l", 4, 20, 1_000, 40)
REPLAYED = Size("r", 4, 100, 5_000, 40)
LARGE = Size("s", 10, 1_000, 100_000, 10)
LIBRARY_ENTRIES = 2_000
PAGE = 50
_ASKED = 400
_WARM_UP = 50
_SEED = 19_491_001
_CHUNK_MEMBERS = 10_000


def measure(folder: Path, owner: str, rounds: int, live: Size, large: Size) -> Iterator[Row]:
    """Yield the results on a database of their own, which `owner` may fill."""
    database = open_database(folder / "views", owner)
    log = Log(live)
    table = EntryTable(database.connect)
    log.store(table)
    table.close()
    size = len(log.entries)
    yield from _replaying(folder / "views-log", rounds)
    with open_connection(database.connect) as connection:
        builds.set_up(connection, [RANKINGS, STATEMENTS, ENTRIES])
        yield from _following(connection, database.conninfo, size, rounds)
        with psycopg.connect(owner, autocommit=True) as filling:
            filled, filled_size = _filled(connection, filling, large)
        yield from _full(connection, filled, size, large)
        # Of a log as large as what the tables hold: a page looks at nothing behind its position.
        as_of = AsOf(filled_size, f"{YEAR}-12-31T00:00:00.000000Z")
        with connection.transaction():
            for each in filled:
                builds.move(connection, each, as_of)
                builds.serve(connection, each)
    with database.pool(1, 1) as pool:
        yield from _answering(pool, large)


def _following(connection: Connection, conninfo: str, size: int, rounds: int) -> Iterator[Row]:
    """Fold the same log into empty tables, turn by turn with the library.

    The library folds the first LIBRARY_ENTRIES; a round's ratio is of that round.
    """
    _fold(connection, _empty(connection, RANKINGS), size)
    baselines, rates, ratios = [], [], []
    for turn in range(rounds):
        baselines.append(library_view.rate(conninfo, LIBRARY_ENTRIES, turn))
        rates.append(_fold(connection, _empty(connection, RANKINGS), size))
        ratios.append(rates[-1] / baselines[-1])
    yield Row("the library's ProjectionRunner, entries", "1", f"{median(baselines):,.0f}/s")
    yield Row(
        "live projection of the rankings, entries",
        f"{median(ratios):.1f} ×",
        f"{median(rates):,.0f}/s",
        20.0,
        median(ratios),
    )
    statements = _fold(connection, _empty(connection, STATEMENTS), size)
    yield Row("live projection of the statements, entries", "", f"{statements:,.0f}/s")


def _full(
    connection: Connection, filled: tuple[Build, ...], size: int, large: Size
) -> Iterator[Row]:
    """Fold the log into tables that hold a large one already: it must cost the same."""
    ratios, rates = [], []
    empty = _fold(connection, _empty(connection, RANKINGS), size)
    rates.append(_fold(connection, filled[0], size))
    ratios.append(rates[-1] / empty)
    yield Row(
        f"rankings, on tables that hold {_entries(large):,} entries",
        f"{median(ratios):.2f} ×",
        f"{median(rates):,.0f}/s",
        0.5,
        median(ratios),
    )


def _entries(size: Size) -> int:
    return size.members * size.acts_each


def _empty(connection: Connection, model: ReadModel) -> Build:
    with connection.transaction():
        return builds.create(connection, model)


def _fold(connection: Connection, build: Build, size: int) -> float:
    """Fold the log into a build as the runner does, and return entries a second."""
    advance = Advance([build.model])
    began_s = time.perf_counter()
    done = 0
    while done < size:
        with connection.transaction():
            connection.execute("SET LOCAL synchronous_commit = off")
            mine = builds.lock_one(connection, build.model, build.number)
            done = advance.fold(connection, [mine], size)
        advance.done()
    return size / (time.perf_counter() - began_s)


def _filled(
    connection: Connection, filling: Connection, large: Size
) -> tuple[tuple[Build, ...], int]:
    """Return builds that hold the folds of a large organisation, and the size of its log."""
    found = tuple(_empty(connection, each) for each in (RANKINGS, STATEMENTS, ENTRIES))
    for build in found:
        for table in build.model.tables:
            _alter(filling, build, table, "SET UNLOGGED")
        events = Events(large)
        first = Rows(build.model.tables)
        build.model.fold_all(map(events.of, synthetic.frame(large)), first)
        known = {
            each.name: {each.key(row) for row in first.all(each)} for each in build.model.tables
        }
        for start in range(0, large.members, _CHUNK_MEMBERS):
            stop = min(start + _CHUNK_MEMBERS, large.members)
            rows = Rows(build.model.tables)
            for table in build.model.tables:
                for row in first.all(table):
                    rows.put(table, row)
            rows.keep()
            for source in (synthetic.members, synthetic.acts):
                build.model.fold_all(map(events.of, source(large, start, stop)), rows)
            if rows.parked:
                raise RuntimeError(f"the synthetic log does not fold: {rows.parked}")
            if build.model.finish is not None:
                build.model.finish(rows)
            for table in build.model.tables:
                new = (r for r in rows.all(table) if table.key(r) not in known[table.name])
                _copy(filling, build, table, new)
        for table in build.model.tables:
            _copy(filling, build, table, first.all(table))
            _alter(filling, build, table, None)
    return found, events.size


def _place(build: Build, table: Table[Any]) -> sql.Composable:
    return sql.Identifier("mingzhang_views", build.model.table_name(table, build.number))


def _alter(filling: Connection, build: Build, table: Table[Any], change: str | None) -> None:
    """Change a table, or do what the server does by itself for tables that grow slowly."""
    place = _place(build, table)
    if change is None:
        filling.execute(sql.SQL("VACUUM ANALYZE {}").format(place))
    else:
        filling.execute(sql.SQL("ALTER TABLE {} " + change).format(place))


def _copy(filling: Connection, build: Build, table: Table[Any], rows: Iterable[Any]) -> None:
    columns = [*table.columns, "since", *(["until"] if table.past else [])]
    ends = (0, UNTIL_NOW) if table.past else (0,)
    names = sql.SQL(", ").join(map(sql.Identifier, columns))
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(_place(build, table), names)
    with filling.cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row((*row, *ends))


def _replaying(folder: Path, rounds: int) -> Iterator[Row]:
    """Fold a published log and work out the whole organisation's table of the year."""
    log = Log(REPLAYED)
    log.publish(folder)
    root, year, rates = REPLAYED.prefix, parse_period(f"{YEAR}"), []
    for _ in range(rounds):
        began_s = time.perf_counter()
        folded = replay(str(folder), RANKINGS, log.vkey)
        found = rankings.from_rows(folded.rows, folded.as_of, root, year)
        rates.append(folded.as_of.size / (time.perf_counter() - began_s))
        if len(found.standings) != REPLAYED.members:
            raise RuntimeError(f"{len(found.standings)} members are ranked")
    yield Row(
        "replay of the ranking from tiles, entries",
        "",
        f"{median(rates):,.0f}/s",
        50_000.0,
        median(rates),
    )


def _answering(pool: ConnectionPool[Any], large: Size) -> Iterator[Row]:
    random, views = Random(_SEED), Views(pool)
    root = large.prefix
    branches = [f"{root}-{n % large.areas}-{n}" for n in range(0, large.branches, 100)]
    units = [root] * 4 + [f"{root}-3"] * 3 + branches
    # Any place of the list may be asked for: cursors are places of the whole rankings.
    places = {
        (unit, period): random.choices(views.ranking(unit, period, rulebook=root).standings, k=50)
        for unit in dict.fromkeys(units)
        for period in (f"{YEAR}", f"{YEAR}-Q1", f"{YEAR}-08")
    }
    weighted = [each for unit in units for each in places if each[0] == unit]

    def page() -> None:
        unit, period = random.choice(weighted)
        last = random.choice([None, *places[unit, period]])
        found = views.ranking_page(unit, period, PAGE, last, rulebook=root)
        if last is None and len(found.standings) < PAGE:
            raise RuntimeError(f"{unit} has {len(found.standings)} places")

    def statement() -> None:
        found = views.statement(f"{root}{random.randrange(large.members)}", limit=PAGE)
        if len(found.lines) != large.acts_each:
            raise RuntimeError(f"{found.member.id} has {len(found.lines)} entries")

    def committee() -> None:
        area = random.randrange(large.areas)
        branch = random.choice(range(area, large.branches, large.areas))
        kind, wanted = random.choice(list(_questions(large, area, branch, random).items()))
        began_s = time.perf_counter()
        found = views.entries(wanted, PAGE).found
        taken_ms.setdefault(kind, []).append((time.perf_counter() - began_s) * 1_000)
        if not found:
            raise RuntimeError(f"nothing is found for {wanted}")

    def nothing() -> None:
        area = random.randrange(large.areas)
        _, of_area = synthetic.signers(large, f"member/{root}{area}")
        never = f"{root}-{(area + 1) % large.areas}"
        if views.entries(Wanted(scorer=of_area, item="D-1", unit=never), PAGE).found:
            raise RuntimeError(f"the signer of area {area} signed in {never}")

    taken_ms: dict[str, list[float]] = {}
    at = f"{_entries(large):,} entries, {large.members:,} members"
    for name, ask in (
        (f"a page of {PAGE} places", page),
        ("a statement", statement),
        ("a question of the committee", committee),
        ("a question of theirs that nothing meets", nothing),
    ):
        middle_ms, p99_ms = _times_ms(ask)
        yield Row(
            f"{name} at {at}, p99",
            f"{p99_ms:.1f} ms",
            f"median {middle_ms:.1f} ms",
            25.0,
            p99_ms,
            at_most=True,
        )
    middles = {kind: median(taken) for kind, taken in taken_ms.items()}
    slowest = max(middles, key=lambda kind: middles[kind])
    yield Row(
        f"the slowest of its kinds: {slowest}",
        f"{middles[slowest]:.1f} ms",
        f"longest {max(taken_ms[slowest]):.1f} ms",
    )


def _questions(large: Size, area: int, branch: int, random: Random) -> dict[str, Wanted]:
    """Return what a committee asks about an area and one of its branches."""
    root = large.prefix
    of_branch, of_area = synthetic.signers(large, f"member/{root}{branch}")
    month = f"{YEAR}-{random.randrange(1, 13):02d}"
    within = Wanted(act_from=f"{month}-01", act_to=f"{month}-28")
    return {
        "signer, unit, item, days": replace(
            within, scorer=of_branch, unit=f"{root}-{area}", item="C-1"
        ),
        "signer, debits": Wanted(scorer=of_branch, kind="debit"),
        "signer of many, days": replace(within, scorer=of_area),
        "signer of many, item": Wanted(scorer=of_area, item="D-1"),
        "branch, amount": Wanted(unit=f"{root}-{area}-{branch}", amount_max=-100),
        "everywhere, item, days": replace(within, unit=root, item="S-1"),
        "act type, area, state": Wanted(act_type="bench.act", unit=f"{root}-{area}", state="final"),
        "member": Wanted(member=f"{root}{branch}"),
    }


def _times_ms(ask: Callable[[], None]) -> tuple[float, float]:
    """Return the median and the 99th percentile of the time that a question takes."""
    taken_ms = []
    for turn in range(_ASKED + _WARM_UP):
        began_s = time.perf_counter()
        ask()
        if turn >= _WARM_UP:
            taken_ms.append((time.perf_counter() - began_s) * 1_000)
    return median(taken_ms), quantiles(taken_ms, n=100)[98]
