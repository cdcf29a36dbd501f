"""Tables of the full path and the frame: claims, checks, reviews, sheets, exemptions, imports."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import zip_longest
from pathlib import Path
from typing import Any

import pytest

from api.tables.kinds import KINDS
from api.tables.reader import read_table
from api.tables.writer import write_table
from ledger import keyfile
from ledger.domain.days import zone_date
from ledger.entry import Statement, format_instant, parse_entry
from ledger.rules.calendar import Calendar, working_term_end
from ledger.store.ledger import Ledger, Options, initialise
from ledger.store.media import CSV
from tests.support.clock import SteadyClock
from tests.support.organisation import ORIGIN, ZONE, Organisation, key_of
from tests.support.server import environment, mingzhang

KEYS = ("reg-1", "rec-1", "com-1", "com-2", "sec-1", "lead-1")


class Place:
    """A ledger set up yesterday: `east` takes the full path, `new` starts in two months."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder, self.url, self.data = folder, url, folder / "data"
        self.env = environment(url)
        start = datetime.now(UTC) - timedelta(days=1)
        self.made = Organisation(start=start)
        self.today = zone_date(ZONE, format_instant(datetime.now(UTC)))
        initialise(self.data, ORIGIN)
        for name in KEYS:
            keyfile.save(folder / f"{name}.key", key_of(name), None)
        with Ledger.open(self.data, url=url, clock=SteadyClock(start)) as ledger:
            for outcome in ledger.append_batch(list(self._set_up())):
                assert isinstance(outcome, bytes), outcome

    def _set_up(self) -> Iterator[bytes]:
        made = self.made
        yield from made.set_up()
        yield made.policy("east", short_path=False)
        yield made.key("lead-1")
        yield made.role("lead-1", "group_leader", "east")
        later = {"name_zh": "新", "name_en": "new", "parent": "root", "start": self.day(60)}
        yield made.statement("unit.opened", "unit/new", "reg-1", later)
        yield made.enrolment("m-80", "new")

    def day(self, days: int) -> str:
        return (date.fromisoformat(self.today) + timedelta(days=days)).isoformat()

    def take(
        self, kind: str, rows: list[dict[str, str]], *signers: str, more: tuple[str, ...] = ()
    ) -> subprocess.CompletedProcess[str]:
        """Import a table of `kind`; the first of `signers` is the importer."""
        columns = KINDS[kind].columns
        cells = [[row.get(each.name, "") for each in columns] for row in rows]
        file = self.folder / f"{kind}.csv"
        file.write_bytes(write_table([each.header for each in columns], cells, CSV))
        keys = [self.folder / f"{name}.key" for name in signers]
        second = ("--second-key", keys[1]) if len(keys) > 1 else ()
        return mingzhang(
            *("import", file, "--kind", kind, "--actor", signers[0], "--key", keys[0]),
            *second,
            *("--data", self.data),
            *more,
            env=self.env,
        )

    def done(self, kind: str, rows: list[dict[str, str]], *signers: str) -> list[Statement]:
        """Import twice, see the same answer, and return what was recorded, once."""
        before = len(self.statements())
        first = self.take(kind, rows, *signers)
        assert first.returncode == 0, first.stderr
        again = self.take(kind, rows, *signers)
        assert again.stdout == first.stdout
        return self.statements()[before:]

    def statements(self) -> list[Statement]:
        with Ledger.open(self.data, url=self.url, options=Options(append=False)) as ledger:
            return [parse_entry(each).statement for each in ledger.entries(0, ledger.size())]

    def exported(self, kind: str) -> list[dict[str, str]]:
        out = self.folder / f"out-{kind}.csv"
        words = ("export-table", kind, out, "--data", self.data)
        done = mingzhang(*words, env=self.env)
        assert done.returncode == 0, done.stderr
        names = [each.name for each in KINDS[kind].columns]
        rows = read_table(out.read_bytes(), CSV)[1:]
        return [dict(zip_longest(names, cells, fillvalue="")) for _, cells in rows]

    def claim(self, **changed: str) -> dict[str, str]:
        row = {"member": "m-2", "kind": "credit", "rulebook": "rules", "version": "1.0.0"}
        row |= {"item": "C-1", "points": "2.50", "act_date": self.today, "reason": "参加整治"}
        return row | {"evidence": "signed_slip:" + "ab" * 32} | changed


@pytest.fixture
def place(tmp_path: Path, database_url: str) -> Place:
    return Place(tmp_path, database_url)


def test_claims_walk_by_tables_through_check_and_review(place: Place) -> None:
    claims = place.done("claims", [place.claim(), place.claim(member="m-3")], "rec-1")
    assert [each.type for each in claims] == ["points.claimed"] * 2
    named = [{"member": f"m-{n}", "entry": each.id} for n, each in enumerate(claims, start=2)]

    wrong = [row | {"review": "dual", "reviewers": "2"} for row in named]
    refused = place.take("checks", wrong, "lead-1")
    assert refused.returncode == 1
    assert "row 2: this entry needs normal review by 2 of the committee" in refused.stderr
    checks = [row | {"review": "普通", "reviewers": "2"} for row in named]
    assert [each.type for each in place.done("checks", checks, "lead-1")] == ["points.checked"] * 2

    opened = {"place": "committee", "points": "2.50", "opened": "ab" * 32}
    rows = [named[0] | opened, named[1] | opened | {"opened": ""}]
    half = place.take("committee", rows, "com-1", "com-2", more=("--valid-only",))
    assert half.returncode == 1
    assert "row 3: reviewers open every piece of evidence" in half.stderr
    last = place.statements()[-1]
    assert (last.type, last.body["entry"], last.body["points"]) == (
        "points.reviewed",
        claims[0].id,
        250,
    )
    assert len(last.signatures) == 2

    assert len(place.exported("claims")) == 2
    assert len(place.exported("committee")) == 1
    assert place.exported("checks") == [
        each | {"review": "normal", "filled": ""} for each in checks
    ]


def test_opening_balances_need_a_registrar_a_second_person_and_the_time_before_the_start(
    place: Place,
) -> None:
    last = int(place.today[:4]) - 1
    closes = working_term_end(Calendar(), place.today, 5)
    row = {"member": "m-80", "rulebook": "rules", "account": "考评", "kind": "加分"}
    row |= {"points": "86.5", "period": f"{last}-01-01", "act_date": f"{last}-12-31"}
    row |= {"sheet": "old.csv", "reason": "上年结转", "closes": closes}
    (place.folder / "old.csv").write_text("m-80,86.5\n")
    alone = place.take("opening", [row], "reg-1")
    assert "row 2: a second person of new must sign an import" in alone.stderr
    late = place.take("opening", [row | {"member": "m-2"}], "reg-1", "com-1")
    assert "row 2: east started on" in late.stderr
    (recorded,) = place.done("opening", [row], "reg-1", "com-1")
    assert (recorded.type, recorded.body["points"]) == ("points.imported", 8_650)
    twice = place.take("opening", [row | {"points": "90"}], "reg-1", "com-1")
    assert twice.returncode == 1
    assert "is imported already" in twice.stderr
    (out,) = place.exported("opening")
    assert out["sheet"] == recorded.body["sheet"]
    assert (out["points"], out["account"]) == ("86.50", "merit")


def test_exemptions_are_a_table_signed_by_two(place: Place) -> None:
    row = {"member": "m-4", "from": place.day(1), "until": place.day(90), "cause": "illness"}
    past = place.take("exemptions", [row | {"from": place.today}], "reg-1", "com-1")
    assert "row 2: an exemption from" in past.stderr
    (recorded,) = place.done("exemptions", [row], "reg-1", "com-1")
    assert recorded.stream == "member/m-4"
    assert place.exported("exemptions") == [row]


def test_review_sheets_of_one_member_are_recorded_together(place: Place) -> None:
    say, year = place.made.statement, place.today[:4]
    item = {"code": "E-1", "category": "A", "name_zh": "加分", "name_en": "credit"}
    item |= {"kind": "credit", "act_type": "test.act", "unit": "occurrence"}
    book: dict[str, Any] = {"unit": "east", "version": "1.0.0", "effective_from": place.day(1)}
    book |= {"title_zh": "细则", "title_en": "Rules", "items": [item | {"points": 100}]}
    book |= {"member_types": [{"code": "ordinary", "name_zh": "党员"}]}
    book |= {"annual": {"kind": "weighted", "daily": 80, "review": 20}}
    span = {"unit": "east", "rulebook": "east", "kind": "year"}
    span |= {"start": f"{year}-01-01", "end": f"{year}-12-31"}
    stream = f"period/{year}"
    voters = {"held_on": place.today, "present": ["m-2", "m-3"]}
    with Ledger.open(place.data, url=place.url) as ledger:
        for envelope in (
            say("rulebook.published", "rulebook/east", "sec-1", book, also=("com-1",)),
            say("period.opened", stream, "sec-1", span),
            say("review.opened", stream, "sec-1", voters, also=("com-1",)),
        ):
            ledger.append(envelope)
    sheets = [("m-2", "cd", "90"), ("m-2", "ab", "85.5"), ("m-3", "ef", ""), ("m-3", "12", "100")]
    rows = [
        {"period": year, "member": member, "receipt": receipt * 32, "score": score}
        for member, receipt, score in sheets
    ]
    one_short = place.take("review", rows[:3], "sec-1", "com-1")
    assert one_short.returncode == 1
    assert "row 4: 1 sheets for m-3, but 2 voters were present" in one_short.stderr
    recorded = place.done("review", rows, "sec-1", "com-1")
    assert [each.body["member"] for each in recorded] == ["m-2", "m-3"]
    assert [sheet["receipt"][:2] for sheet in recorded[0].body["sheets"]] == ["ab", "cd"]
    assert [row["score"] for row in place.exported("review")] == ["85.50", "90.00", "100.00", ""]
