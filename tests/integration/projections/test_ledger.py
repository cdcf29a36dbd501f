"""From a signed statement to a ranking: the read models over a ledger that really appends."""

from __future__ import annotations

from pathlib import Path

from ledger.log.note import VerifierKey
from ledger.log.tiles import encode_entries, entry_tiles_for_size, tile_path
from ledger.store.ledger import Ledger
from projections import rankings
from projections.period import parse_period
from projections.render import ranking_text
from projections.replay import replay
from projections.runner import Runner
from projections.scores import RANKINGS
from projections.views import Views
from tests.support.clock import SteadyClock
from tests.support.database import set_up
from tests.support.organisation import Organisation


def test_what_is_appended_is_in_the_ranking_and_in_its_replay(
    ledger: Ledger, clock: SteadyClock, tmp_path: Path
) -> None:
    organisation = Organisation()
    size = len(set_up(ledger, organisation, clock))
    award = organisation.new_id()
    envelopes = [
        organisation.award("m-1", 150, ident=award, signers=("rec-1", "com-1")),
        organisation.award("m-2", 225),
        organisation.award("m-3", 50, kind="points.deducted"),
        organisation.correction("m-1", award, 75),
    ]
    for envelope in envelopes:
        ledger.append(envelope)
    assert Runner.of(ledger).catch_up() == size + len(envelopes)
    with ledger.database.pool(1, 2) as pool:
        found = Views(pool).ranking("root", "2026")
        assert [(each.rank, each.member, each.score) for each in found.standings] == [
            (1, "m-2", 225),
            (2, "m-1", 75),
            (3, "m-4", 0),
            (4, "m-3", -50),
        ]
        lines = Views(pool).statement("m-1").lines
        assert [(each.entry.state, each.worth, each.counted) for each in lines] == [
            ("reversed", 150, None),
            ("final", 75, 75),
        ]
    note = ledger.checkpoint()
    for n, width in entry_tiles_for_size(size + len(envelopes)):
        path = tmp_path / "export" / tile_path("entries", n, width)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encode_entries(ledger.entries(n * 256, n * 256 + width)))
    (tmp_path / "export" / "checkpoint").write_bytes(note)
    again = replay(str(tmp_path / "export"), RANKINGS, VerifierKey.parse(ledger.vkey))
    other = rankings.from_rows(again.rows, again.as_of, "root", parse_period("2026"))
    assert ranking_text(other).encode() == ranking_text(found).encode()
