"""A record whose entries stand in every state: what its pages say of each, and of the figures."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from html import unescape

import pytest

from api.app import create_app
from api.service import Service
from api.web import record as records
from api.web import show
from api.web.register import Register
from api.web.settings import PageSettings
from api.web.words import Words
from projections.runner import Runner
from projections.statements import Shown
from projections.views import Views
from tests.support.clock import SteadyClock
from tests.support.database import OpenLedger, set_up
from tests.support.organisation import COMMITMENT, START, Organisation
from tests.support.passage import SLIP, act
from tests.support.states import CLOSES, LATER, EveryState, record
from tests.support.web import ask

ENGLISH, CHINESE = {"Accept-Language": "en"}, {"Accept-Language": "zh"}


class Pages:
    """What the pages of the record of `m-2` say, as text."""

    def __init__(self, service: Service, passage: EveryState) -> None:
        self._app = create_app(service)
        self._passage = passage

    def get(self, path: str, lang: dict[str, str] = ENGLISH) -> str:
        """A page; it must be there."""
        answer = ask(self._app, "GET", path, headers=lang)
        assert answer.status_code == 200, answer.text
        return answer.text

    def all(self, lang: dict[str, str] = ENGLISH) -> list[str]:
        """Both pages of the record, the newest first."""
        first = self.get("/record/m-2", lang)
        older = re.search(r'href="(/record/m-2\?before=\d+)"', first)
        assert older is not None
        return [first, self.get(older[1], lang)]

    def entry(self, name: str, lang: dict[str, str] = ENGLISH) -> str:
        """What is said of the entry that is named for its state."""
        ident = self._passage.named[name]
        for body in re.findall(r"<tbody.*?</tbody>", "".join(self.all(lang)), re.DOTALL):
            if f'href="/v1/receipts/{ident}"' in body:
                return text_of(body)
        raise AssertionError(f"no entry {name} on the pages")


def text_of(html: str) -> str:
    parted = re.sub(r"(?=<t[dh]|<span|<p)", " ", html)
    return " ".join(unescape(re.sub(r"<[^>]*>", "", parted)).split())


@pytest.fixture
def pages(open_ledger: OpenLedger, clock: SteadyClock) -> Iterator[Pages]:
    passage, ledger = EveryState(), open_ledger()
    record(passage.said, ledger, clock)
    Runner.of(ledger).catch_up()
    with closing(Views(ledger.database.pool(0, 2))) as views:
        settings = PageSettings(contact="mailto:jw@example.org")
        service = Service(ledger, views=views, publish_rankings=True, pages=settings)
        yield Pages(service, passage)


def test_each_entry_says_its_state_what_counts_and_what_a_cap_clipped(pages: Pages) -> None:
    for name, said in {
        "claimed": "+1 (pending, would count +1) Claimed, waits for the group check",
        "checked": "+1 (pending, would count +1) Checked, waits for review",
        "reviewed": "+1 (pending, would count +1) Reviewed, waits for publicity",
        "published": f"+1 (pending, would count +1) In publicity until {CLOSES}",
        "objected": "+1 (pending, would count +1) Objected to",
        "returned": "+1 (pending, would count +1) Returned, to be put right",
        "rejected": "+1 (does not count) Rejected",
        "filed": "+2 Final, filed",
        "capped": "+2 (counts 1, cap of a quarter: 3) Final",
        "reversed": "+3 (does not count) Reversed",
        "final": "+2 Final",
        "debit": "−1 Final",
        "appealed": "+1 Appealed, counts meanwhile",
    }.items():
        assert said in pages.entry(name), name
    assert "+2 (记 1, 季度封顶 3) 已生效" in pages.entry("capped", CHINESE)
    assert "replaces entry" in pages.entry("final")
    assert "reversed by entry" in pages.entry("reversed")


def test_an_entry_shows_its_whole_way_with_who_signed_in_which_role(pages: Pages) -> None:
    said = pages.entry("capped")
    way = said[said.index("Its way (5 steps)") :]
    steps = [
        "Claim",
        "mem-2",
        "Group check",
        "lead-1 (group leader)",
        "Review",
        "east-com-1 (committee), east-com-2 (committee)",
        "Publicity begins",
        "east-sec (secretary)",
        "Publicity ends",
        "clerk (the service)",
    ]
    places = [way.index(each) for each in steps]
    assert places == sorted(places)
    assert "2026-01-20 09:00" in way


def test_an_objection_to_an_entry_stands_in_its_way_and_names_no_filer(pages: Pages) -> None:
    """Its target is public, its filer a commitment that the page leaves out (rules B9, B10)."""
    said = pages.entry("objected")
    way = said[said.index("Its way (") :]
    assert "Objection" in way
    assert "in-1 (intake)" in way
    assert "filer" not in "".join(pages.all())
    assert COMMITMENT not in "".join(pages.all())


def test_a_step_whose_entry_is_on_an_older_page_says_who_signed_in_which_role(
    pages: Pages, monkeypatch: pytest.MonkeyPatch
) -> None:
    for size in (1, 2, 3):
        monkeypatch.setattr(records, "PAGE_ENTRIES", size)
        seen, path = "", "/record/m-2"
        while True:
            html = pages.get(path)
            for body in re.findall(r"<tbody.*?</tbody>", html, re.DOTALL):
                if "about entry" in text_of(body):
                    seen += text_of(body)
            older = re.search(r'href="(/record/m-2\?before=\d+)"', html)
            if older is None:
                break
            path = older[1]
        for said in ("lead-1 (group leader)", "east-sec (secretary)", "clerk (the service)"):
            assert said in seen, size


def test_an_objection_comes_with_the_last_day_of_publicity(pages: Pages) -> None:
    assert f"Publicity lasts until {CLOSES}: object by then." in pages.entry("published")
    assert "object once it is in publicity" in pages.entry("checked")
    assert "the rulebook says until when" in pages.entry("final")
    assert 'href="mailto:jw@example.org?subject=' in pages.all()[0]


def test_the_figure_comes_with_how_it_comes_about(pages: Pages) -> None:
    said = text_of(pages.get("/record/m-2"))
    assert "65 points 2026 · daily figure, so far" in said
    about = said[said.index("How the figure comes about") :]
    for part in ("Base 60", "Credits, after caps +6", "Debits −1", "Daily figure 65"):
        assert part in about
    assert "this page checks entries, not the sum" in about


def test_v13_each_entry_that_counts_says_the_figure_before_and_after_it(pages: Pages) -> None:
    said = text_of("".join(pages.all()))
    steps = re.findall(r"Daily figure (\d+) → (\d+)", said)
    moves = sorted((int(before), int(after)) for before, after in steps)
    # From the base to the figure, each beginning where another ends.
    assert sum(after - before for before, after in moves) == 65 - 60
    at, left = 60, list(moves)
    while left:
        step = next(each for each in left if each[0] == at)
        left.remove(step)
        at = step[1]
    assert at == 65
    assert "→" not in pages.entry("rejected")
    assert "→" not in pages.entry("claimed")


def test_every_statement_of_the_stream_is_on_the_pages_once(pages: Pages) -> None:
    shown: list[int] = []
    carried: list[int] = []
    for html in pages.all():
        shown += map(int, re.findall(r'data-index="(\d+)"', html))
        (data,) = re.findall(r'id="record-data">(.*?)</script>', html, re.DOTALL)
        carried += map(int, re.findall(r'\[(\d+),"', data.partition('"keys"')[0]))
    assert sorted(shown) == sorted(carried)
    assert len(set(shown)) == len(shown)


def test_while_the_read_model_lags_an_entry_is_shown_and_said_not_to_count_yet(
    open_ledger: OpenLedger, clock: SteadyClock
) -> None:
    passage, ledger = EveryState(), open_ledger()
    record(passage.said[:-20], ledger, clock)
    Runner.of(ledger).catch_up()
    for _, envelope in passage.said[-20:]:
        ledger.append(envelope)
    with closing(Views(ledger.database.pool(0, 2))) as views:
        said = Pages(Service(ledger, views=views), passage).entry("rejected")
    assert "not in the figures yet" in said
    assert "Its way (3 steps)" in said
    assert "Rejected, " not in said


def test_what_was_imported_came_late_adjusts_or_fits_no_rule_is_marked(
    open_ledger: OpenLedger, clock: SteadyClock
) -> None:
    passage, ledger = EveryState(), open_ledger()
    record(passage.said, ledger, clock)
    Runner.of(ledger).catch_up()
    stream = records.read_stream(ledger, "m-2", None)
    with closing(Views(ledger.database.pool(0, 2))) as views:
        found = views.statement("m-2", after=stream.after)
    shown = [Shown("y1", 10, counted=False, state="sealed"), Shown("y2", 90, True, "published")]
    line = next(each for each in found.lines if each.entry.id == passage.named["final"])
    marked = line._replace(
        entry=line.entry._replace(origin="import", half_stream="member/m-5"),
        unpriced=True,
        adjusts=("y0",),
        shown=tuple(shown),
    )
    lines = tuple(marked if each is line else each for each in found.lines)
    log = show.log_view(ledger.checkpoint(), ledger.vkey, has_policy=False)
    known, now = Register(ledger).read(), clock.now()
    statement = replace(found, lines=lines)
    page = records.record_view(Words("en"), stream, statement, known, log, "", now)
    (entry,) = (each for each in page.entries if each.statement == line.entry.id)
    assert [each for each in entry.marks if not each.startswith("replaces")] == [
        "taken over from the old book",
        "the rules in force do not fit it",
        "final after y0 was sealed: an adjustment",
        "not yet final in the table of y1",
        "the other half is with member m-5",
    ]


def test_a_revised_entry_shows_what_holds_now_and_what_was_signed_first(
    open_ledger: OpenLedger, clock: SteadyClock
) -> None:
    passage, ledger = EveryState(), open_ledger()
    revised = passage.named["returned"]
    body = act(item="R-1", points=250, act_date="2026-01-18", evidence=SLIP)
    passage.on("revised", body | {"entry": revised}, "rec-1", day=LATER)
    record(passage.said, ledger, clock)
    Runner.of(ledger).catch_up()
    with closing(Views(ledger.database.pool(0, 2))) as views:
        said = Pages(Service(ledger, views=views), passage).entry("returned")
    assert "2026-01-18" in said
    assert "+2.5 (pending, would count +2.5) Claimed" in said
    assert "As it was signed: Act 2026-01-16 Clause C-1" in said


def test_the_public_page_has_rankings_only_where_they_are_published(
    open_ledger: OpenLedger, clock: SteadyClock
) -> None:
    ledger = open_ledger()
    organisation = Organisation()
    set_up(ledger, organisation, clock)
    ledger.append(organisation.award("m-2"))
    with closing(Views(ledger.database.pool(0, 2))) as views:
        service = Service(ledger, views=views, publish_rankings=True)
        Runner.of(ledger).catch_up()
        shown = text_of(ask(create_app(service), "GET", "/", headers=ENGLISH).text)
        assert "Rankings · root · Rules" in shown
        assert "1 m-2 east 1" in shown
        service.publish_rankings = False
        assert "Rankings" not in ask(create_app(service), "GET", "/", headers=ENGLISH).text


def test_who_is_not_ranked_is_told_with_the_reason(
    open_ledger: OpenLedger, clock: SteadyClock
) -> None:
    days = 300
    clock.pass_days(days)
    ledger = open_ledger()
    set_up(ledger, Organisation(start=START + timedelta(days=days)), clock)
    Runner.of(ledger).catch_up()
    with closing(Views(ledger.database.pool(0, 2))) as views:
        service = Service(ledger, views=views, publish_rankings=True)
        shown = text_of(ask(create_app(service), "GET", "/", headers=ENGLISH).text)
    assert "Nobody is ranked. 4 more are not ranked: here for less than half of it 4" in shown
