"""Overlays: what was decided but not recorded leaves no trace."""

from __future__ import annotations

from ledger.domain.event import Event, Proposal
from ledger.domain.world import Table
from ledger.entry import parse_envelope
from tests.support.book import Book
from tests.support.organisation import Organisation


def test_an_overlay_changes_nothing_until_it_is_merged(book: Book, made: Organisation) -> None:
    overlay = book.world.overlay()
    proposal = Proposal.of(parse_envelope(made.enrolment("n-1", actor="com-1")))
    overlay.evolve(Event(proposal, 1, 99, "2026-01-05T01:00:00.000000Z"))
    assert book.world.members.get("n-1") is None
    assert book.world.linked.get("com-1") is None
    assert overlay.linked.get("com-1") == "n-1"
    assert overlay.members.get("m-1") == book.world.members.get("m-1")
    overlay.merge()
    assert book.world.linked.get("com-1") == "n-1"


def test_a_table_shows_every_key_of_its_layers_once() -> None:
    base: Table[int] = Table()
    base["a"], base["b"] = 1, 2
    layer = Table(base)
    layer["b"], layer["c"] = 3, 4
    assert sorted(layer) == ["a", "b", "c"]
    assert len(layer) == 3
    assert (layer.get("a"), layer.get("b"), base.get("b")) == (1, 3, 2)
