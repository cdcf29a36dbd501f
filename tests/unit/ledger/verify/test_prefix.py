from __future__ import annotations

from pathlib import Path

import pytest

from ledger.domain.event import Event
from ledger.errors import NotFoundError, ProofError
from ledger.log.checkpoint import Checkpoint
from ledger.log.merkle import leaf_hash, root_of
from ledger.verify.prefix import Prefix
from tests.support.organisation import Organisation
from tests.support.static_log import LOG_SIGNER, OTHER_SIGNER, Recorder, small_log, write_log

VKEY = LOG_SIGNER.vkey


@pytest.fixture(scope="module")
def made() -> Recorder:
    """A log that is longer than a bundle."""
    return small_log(Organisation(), 300)


@pytest.fixture
def folder(made: Recorder, tmp_path: Path) -> str:
    write_log(tmp_path / "log", made.entries)
    return str(tmp_path / "log")


def root(made: Recorder, size: int) -> bytes:
    return root_of([leaf_hash(data) for data in made.entries[:size]])


@pytest.mark.parametrize("size", [None, 0, 1, 255, 256, 257, 300])
def test_a_prefix_gives_its_events_and_its_own_checkpoint(
    made: Recorder, folder: str, size: int | None
) -> None:
    events: list[Event] = []
    head = Prefix(folder, VKEY).fold(events.append, size=size)
    wanted = made.size if size is None else size
    assert [each.index for each in events] == list(range(wanted))
    assert head == Checkpoint(VKEY.name, wanted, root(made, wanted))


@pytest.mark.parametrize("size", [1, 256, 290])
def test_an_older_checkpoint_proves_its_own_prefix(made: Recorder, folder: str, size: int) -> None:
    events: list[Event] = []
    older = Checkpoint(VKEY.name, size, root(made, size))
    assert Prefix(folder, VKEY).fold(events.append, proving=older) == older
    assert len(events) == size
    with pytest.raises(ProofError, match="do not have the root"):
        Prefix(folder, VKEY).fold(events.append, proving=Checkpoint(VKEY.name, size, bytes(32)))


def test_a_size_that_is_not_there_and_a_wrong_key_are_told(made: Recorder, folder: str) -> None:
    with pytest.raises(NotFoundError, match="its checkpoint is of"):
        Prefix(folder, VKEY).fold(list[Event]().append, size=made.size + 1)
    with pytest.raises(ProofError):
        Prefix(folder, OTHER_SIGNER.vkey)
    assert Prefix(folder, None).signed is False
