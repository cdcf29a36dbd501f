"""The disputes read model: what the domain's aggregate says, with what is due and when."""

from __future__ import annotations

from ledger.domain.case_terms import due_term
from projections import disputes
from projections.disputes import CASE, DISPUTES, PART, Standing
from projections.fold import AsOf, Rows
from tests.support.hearing import CASE as IDENT
from tests.support.hearing import Hearing
from tests.support.organisation import COMMITMENT

WHY = {"reason": COMMITMENT}


def folded(hearing: Hearing) -> Rows:
    rows = Rows(DISPUTES.tables)
    DISPUTES.fold_all(hearing.events, rows)
    assert not rows.parked
    return rows


def standing(hearing: Hearing, today: str, *, every: bool = False) -> Standing | None:
    rows = folded(hearing)
    as_of = AsOf(len(hearing.events), "")
    found = disputes.from_rows(rows, as_of, today, every=every).standings
    return found[0] if found else None


def test_a_case_is_near_in_its_last_days_and_then_passed() -> None:
    hearing = Hearing()
    hearing.received()
    for today, warning in (
        ("2026-02-05", "running"),
        ("2026-02-06", "near"),
        ("2026-02-11", "near"),
        ("2026-02-12", "passed"),
    ):
        found = standing(hearing, today)
        assert found is not None
        assert (found.due, found.warning) == ("2026-02-11", warning)


def test_a_later_calendar_moves_what_is_due_to_later_only() -> None:
    hearing = Hearing()
    hearing.received()
    for holidays, due in ((["2026-02-10"], "2026-02-12"), ([], "2026-02-12")):
        body = {"year": 2026, "holidays": holidays, "workdays": []}
        hearing.say("calendar.published", "unit/root", body, ("reg-1", "reg-2"), "2026-01-22")
        found = standing(hearing, "2026-01-22")
        assert found is not None
        assert found.due == due


def test_it_follows_a_case_all_the_way_and_agrees_with_the_domain() -> None:
    hearing = Hearing()
    ident = hearing.final()
    hearing.decided(ident, "reversed")
    hearing.appealed(stream="member/m-2")
    chosen = hearing.draw()
    hearing.do("extended", "up-1", day="2026-01-25", until="2026-05-01", **WHY)
    row = None
    for today in ("2026-01-26", "2026-05-02"):
        found = standing(hearing, today)
        term = due_term(hearing.world, hearing.case)
        assert found is not None
        assert term is not None
        assert (found.term, found.due) == term
        row = found.case
    assert row is not None
    assert (row.state, row.outcome, row.about_entry) == ("drawn", "reversed", ident)
    assert row.drawn == " ".join(chosen)
    hearing.do("reexamined", *chosen, day="2026-01-26", **hearing.deciding(ident, "reversed"))
    assert standing(hearing, "2026-01-27") is None
    ended = standing(hearing, "2026-01-27", every=True)
    assert ended is not None
    assert ended.case.reexamined
    said = [(each.type, each.said) for each in folded(hearing).all(PART)]
    assert said[0] == ("dispute.received", "east")
    assert ("dispute.checked", "preliminary") in said
    assert said[-1] == ("dispute.reexamined", "reversed")
    assert folded(hearing).get(CASE, IDENT) is not None


def test_b9_neither_filer_nor_target_stands_in_the_tables() -> None:
    hearing = Hearing()
    ident = hearing.final()
    hearing.accepted(ident)
    said = str([list(folded(hearing).all(each)) for each in DISPUTES.tables])
    assert ident not in said
    assert "m-2" not in said
