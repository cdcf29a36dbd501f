from __future__ import annotations

from pathlib import Path

import pytest

from ledger.errors import FormatError, MingzhangError, ProofError
from ledger.log.note import VerifierKey
from ledger.log.tiles import encode_entries, tile_path
from projections.replay import replay
from projections.roster import MEMBER
from projections.scores import RANKINGS
from tests.support.journal import SIGNER, random_journal
from tests.support.organisation import ORIGIN, key_of


def test_a_replay_holds_for_the_checkpoint_of_the_log(tmp_path: Path) -> None:
    journal = random_journal(seed=2, size=600)
    seen: list[tuple[int, int]] = []
    found = replay(
        journal.write(tmp_path), RANKINGS, SIGNER.vkey, lambda done, of: seen.append((done, of))
    )
    assert found.origin == ORIGIN
    assert found.as_of == (600, journal.events()[-1].recorded_at, ())
    assert found.signed
    assert len(found.rows.all(MEMBER)) == 40
    assert seen == [(256, 600), (512, 600), (600, 600)]


def test_without_a_key_it_says_that_the_signature_was_not_verified(tmp_path: Path) -> None:
    found = replay(random_journal(seed=2, size=100).write(tmp_path), RANKINGS)
    assert not found.signed


def test_a_checkpoint_by_another_key_is_refused(tmp_path: Path) -> None:
    where = random_journal(seed=2, size=100).write(tmp_path)
    with pytest.raises(ProofError, match="no known key signed"):
        replay(where, RANKINGS, VerifierKey(ORIGIN, key_of("somebody").public_key))


@pytest.mark.parametrize("damage", ["swapped", "changed", "replaced"])
def test_entries_that_the_checkpoint_does_not_cover_are_refused(
    tmp_path: Path, damage: str
) -> None:
    journal = random_journal(seed=3, size=300)
    where = journal.write(tmp_path)
    entries = journal.entries[:256]
    if damage == "swapped":
        entries[200], entries[201] = entries[201], entries[200]
    elif damage == "changed":
        entries[100] = entries[100].replace(b'"v":1', b'"v":2')
    else:
        entries[255] = random_journal(seed=4, size=300).entries[255]
    (tmp_path / tile_path("entries", 0)).write_bytes(encode_entries(entries))
    with pytest.raises(ProofError, match="do not have the root"):
        replay(where, RANKINGS, SIGNER.vkey)


def test_a_dropped_entry_is_refused(tmp_path: Path) -> None:
    journal = random_journal(seed=3, size=300)
    where = journal.write(tmp_path)
    (tmp_path / tile_path("entries", 0)).write_bytes(encode_entries(journal.entries[:255]))
    with pytest.raises(FormatError, match="255 entries"):
        replay(where, RANKINGS, SIGNER.vkey)


def test_an_entry_that_is_no_entry_is_named(tmp_path: Path) -> None:
    journal = random_journal(seed=3, size=100)
    journal.entries[57] = b'{"stream":"member/m-1"}'
    with pytest.raises(MingzhangError, match="entry 57 is no entry"):
        replay(journal.write(tmp_path), RANKINGS, SIGNER.vkey)
