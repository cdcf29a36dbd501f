"""Notices and certificates as whoever keeps the ledger prints them."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pypdfium2
import pytest

from api.paper.locator import locator_of
from api.web.show import grouped
from ledger.log.merkle import leaf_hash, root_of
from ledger.store.ledger import Ledger, Options, initialise
from tests.support.clock import SteadyClock
from tests.support.database import set_up
from tests.support.organisation import ORIGIN, Organisation
from tests.support.server import environment, mingzhang

PLACES = ("--url", "https://points.example.org/", "--contact", "纪检 010-5550 1234")


class Office:
    """A ledger with a published month and an entry in publicity; `size` is the log's."""

    def __init__(self, folder: Path, database_url: str, made: Organisation, size: int) -> None:
        self.folder, self.made, self.size = folder, made, size
        self.env = environment(database_url)

    def run(self, *words: str | Path) -> subprocess.CompletedProcess[str]:
        return mingzhang(*words, "--data", self.folder / "data", env=self.env)

    def print(self, *words: str, name: str = "paper.pdf") -> bytes:
        out = self.folder / name
        done = self.run(*words, "--out", out)
        assert done.returncode == 0, done.stderr
        return out.read_bytes()


def text_of(data: bytes) -> str:
    document = pypdfium2.PdfDocument(data)
    try:
        pages = [page.get_textpage().get_text_range() for page in document]
    finally:
        document.close()
    return " ".join(" ".join(pages).split())


@pytest.fixture
def office(clock: SteadyClock, tmp_path: Path, database_url: str) -> Office:
    made = Organisation()
    initialise(tmp_path / "data", ORIGIN)
    pair: dict[str, Any] = {"also": ("com-1",)}
    month = {"unit": "east", "rulebook": "rules", "kind": "month"}
    month |= {"start": "2026-01-01", "end": "2026-01-31"}
    with Ledger.open(tmp_path / "data", url=database_url, clock=clock) as ledger:
        set_up(ledger, made, clock)
        ledger.append(made.award("m-1", 150))
        ledger.append(made.award("m-2", 225))
        ledger.append(made.statement("period.opened", "period/jan", "sec-1", month))
        clock.pass_days(30)
        ledger.append(made.statement("period.cut_off", "period/jan", "sec-1", {}))
        table = {"as_of": ledger.size()}
        ledger.append(made.statement("period.published", "period/jan", "sec-1", table, **pair))
        return Office(tmp_path, database_url, made, ledger.size())


def test_a_notice_has_the_published_table_with_masked_names_and_the_whole_root(
    office: Office, database_url: str
) -> None:
    names = office.folder / "names.csv"
    names.write_text("m-1,张小三\nm-2,欧阳小明\n")
    data = office.print("notice", "jan", *PLACES, "--names", str(names))
    text = text_of(data)
    assert "公布的积分表 The published table" in text
    assert "1 欧**明 m-2" in text
    assert "2 张*三 m-1" in text
    assert "小三" not in text
    assert f"按账本第 {office.size - 1} 条为止的记录。到 2026-" in text
    with Ledger.open(
        office.folder / "data", url=database_url, options=Options(append=False)
    ) as ledger:
        root = root_of([leaf_hash(each) for each in ledger.entries(0, office.size)])
    assert grouped(root) in text
    assert locator_of(office.size) in text
    assert "纪检 010-5550 1234" in text
    assert "open https://points.example.org/notice and type" in text


def test_the_same_position_gives_the_same_file_after_the_log_has_grown(
    office: Office, clock: SteadyClock, database_url: str
) -> None:
    first = office.print("notice", "jan", *PLACES)
    with Ledger.open(office.folder / "data", url=database_url, clock=clock) as ledger:
        said = {"unit": "root"}
        more = office.made.statement("fund.opened", "fund/red", "sec-1", said, also=("com-1",))
        ledger.append(more)
    assert office.print("notice", "jan", *PLACES) != first
    again = office.print("notice", "jan", *PLACES, "--as-of", str(office.size))
    assert again == first


def test_a_period_that_is_not_published_has_no_table(office: Office) -> None:
    text = text_of(office.print("notice", "jan", *PLACES, "--as-of", str(office.size - 1)))
    assert "table" not in text
    assert "没有公示中的记录。 Nothing is in publicity." in text


def test_a_certificate_has_the_members_figures_and_leads_to_the_record(office: Office) -> None:
    text = text_of(office.print("certificate", "m-2", *PLACES))
    assert "积分证明 Certificate of points" in text
    assert "2.25" in text
    assert "https://points.example.org/record/m-2" in text
    assert locator_of(office.size) in text


def test_where_to_check_and_whom_to_call_come_from_the_configuration_or_are_asked_for(
    office: Office,
) -> None:
    out = office.folder / "never.pdf"
    for words, lacking in (((), "--url"), (PLACES[:2], "--contact")):
        refused = office.run("notice", "jan", "--out", out, *words)
        assert (refused.returncode, out.exists()) == (2, False)
        assert f"give {lacking}" in refused.stderr
    with (office.folder / "data" / "ledger.toml").open("a") as config:
        config.write('url = "https://jf.example.cn"\ncontact = "mailto:jw@example.cn"\n')
    text = text_of(office.print("certificate", "m-1"))
    assert "jf.example.cn/notice" in text
    assert "Whom to call: jw@example.cn" in text


def test_an_unknown_period_or_member_is_said(office: Office) -> None:
    out = office.folder / "never.pdf"
    for words in (("notice", "feb"), ("certificate", "m-77")):
        refused = office.run(*words, "--out", out, *PLACES)
        assert (refused.returncode, out.exists()) == (1, False)
        assert words[1] in refused.stderr
