"""`mingzhang audit pictures` on a ledger whose entries show photographs."""

from __future__ import annotations

from pathlib import Path

import orjson

from ledger.store.documents import Documents
from tests.support.clock import SteadyClock
from tests.support.database import OpenLedger, set_up
from tests.support.organisation import Organisation
from tests.support.pictures import photograph, saved
from tests.support.server import environment, mingzhang


def test_a_photograph_used_again_is_listed_with_entries_members_and_scorers(
    open_ledger: OpenLedger, clock: SteadyClock, tmp_path: Path, database_url: str
) -> None:
    made, ledger = Organisation(members=4), open_ledger()
    set_up(ledger, made, clock)
    documents = Documents(ledger.database.pool(0, 1))
    photo = photograph(1)
    handed_in = {
        "m-1": saved(photo),
        "m-2": saved(photo.resize((320, 240)), quality=60),
        "m-3": saved(photograph(2)),
        "m-4": (b"words", "text/plain"),
    }
    entries = {}
    for member, (data, kind) in handed_in.items():
        evidence = [{"kind": "photo", "commitment": documents.put(data, kind)[0]}]
        entries[member] = made.new_id()
        award = made.award(member, ident=entries[member], evidence=evidence)
        (outcome,) = ledger.append_batch([award])
        assert isinstance(outcome, bytes), outcome
    documents.close()

    ask = ("audit", "pictures", "--data", tmp_path / "data")
    told = mingzhang(*ask, env=environment(database_url))
    assert told.returncode == 0, told.stderr
    pair, last = told.stdout.splitlines()
    assert f"{entries['m-1']} m-1 by " in pair
    assert pair.index(entries["m-1"]) < pair.index(entries["m-2"])
    assert "rec-1" in pair
    assert last.startswith("1 pairs to look at among 3 pictures, 0 not compared")
    strict = mingzhang(*ask, "--json", "--bits", "24", env=environment(database_url))
    found = orjson.loads(strict.stdout)
    assert found["pairs"][0]["second"]["member"] == "m-2"
    assert (found["compared"], found["not_compared"]) == (3, [])
    assert found["as_of"]["size"] == ledger.size()
