"""Fault 13, where it is met: the machine is copied while a process goes on writing."""

from __future__ import annotations

import shutil
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from ledger.errors import StartRefusedError
from ledger.store.ledger import Ledger, keep_policy
from ledger.store.postgres import open_database
from ledger.store.table import EntryTable
from tests.faults.test_rolled_back import settle
from tests.support.processes import Workers, award_now, found, verify_export
from tests.support.servers import base_backup, scratch_folder
from tests.support.witnesses import policy_of, running


def test_a_copy_taken_under_load_is_whole_and_signs_nothing(tmp_path: Path) -> None:
    with scratch_folder() as folder, ExitStack() as stack:
        data, copied = folder / "data", folder / "copied"
        vkey = found(data, None)
        keep_policy(data, policy_of({1: stack.enter_context(running(1, vkey, tmp_path))}, 1))
        workers = Workers(tmp_path, data, None)
        stack.callback(workers.close)
        writer = workers.start(threads=8)
        writer.await_ready()
        writer.await_receipts(8)
        before = len(writer.read().receipts)
        base_backup(data, copied)
        after = len(writer.read().receipts)
        assert after > before, "it was copied while the other one wrote"
        writer.await_receipts(8)
        writer.quit()
        with Ledger.open(data) as ledger:
            settle(ledger)
            whole = ledger.size()

        # What was acknowledged before is in it, what came after is not, and all of it verifies.
        size = verify_export(copied, None, tmp_path / "export")
        assert whole - len(writer.answers.receipts) + before <= size < whole
        noted = newest_note(copied)
        # A machine that is put back with its anchor, or a clone of it: the witness has seen more.
        with pytest.raises(StartRefusedError, match="witness w1 contradicts this ledger"):
            Ledger.open(copied)
        # A backup that is put back beside the anchor: that one has seen more.
        shutil.copy(data / "anchor", copied / "anchor")
        with pytest.raises(StartRefusedError, match="the anchor was signed at size"):
            Ledger.open(copied)
        assert newest_note(copied) == noted, "nothing was signed"
        with Ledger.open(data) as ledger:
            ledger.append(award_now())


def newest_note(data: Path) -> tuple[int, bytes] | None:
    """Return the newest note that is recorded in a folder's own database."""
    with (
        closing(open_database(data, None)) as database,
        closing(EntryTable(database.connect)) as table,
    ):
        return table.newest_note()
