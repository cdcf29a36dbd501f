"""The past of every read model: its rows as of a prefix are those of a replay of that prefix."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import pytest
from psycopg_pool import ConnectionPool

from ledger.store.postgres import Database
from ledger.store.reader import Reader
from ledger.store.table import EntryTable
from projections.asof import parse_as_of
from projections.catalogue import MODELS
from projections.fold import ReadModel
from projections.replay import replay
from projections.runner import Runner
from projections.views import Views
from tests.support.folded import assert_same, rows_then
from tests.support.journal import SIGNER, Journal
from tests.support.medley import a_medley


@pytest.fixture(scope="module")
def journal() -> Journal:
    return a_medley()


@pytest.fixture
def size(journal: Journal, database: Database, pool: ConnectionPool[Any], table: EntryTable) -> int:
    journal.store(table)
    return Runner(database.connect, Reader(pool).size, batch_entries=37).catch_up()


@pytest.mark.parametrize("model", MODELS, ids=lambda each: each.name)
def test_rows_as_of_a_prefix_are_those_of_its_replay(
    journal: Journal, size: int, pool: ConnectionPool[Any], tmp_path: Path, model: ReadModel
) -> None:
    assert size == len(journal.entries)
    where, views = journal.write(tmp_path / "export"), Views(pool)
    replayed = [each for each in model.tables if model.rows().has(each)]
    seen = dict.fromkeys([each.name for each in replayed], 0)
    for at in (0, 1, *Random(model.name).sample(range(2, size), 12), size):
        asked = parse_as_of(str(at))
        again = replay(where, model, SIGNER.vkey, as_of=asked, workers=0)
        assert again.as_of == views.read(model, lambda found: found.as_of, asked)
        for each in replayed:
            if not each.past and at < size:
                continue  # it holds the newest rows only
            held = views.read(model, partial(rows_then, model=model, table=each), asked)
            clean = list(map(tuple, again.rows.all(each)))
            assert_same(each.name, sorted(map(repr, held)), sorted(map(repr, clean)))
            seen[each.name] += len(clean)
    assert all(seen.values()), f"the log fills no row of {seen}"
