"""Tables and documents on the command line: preview, import, again, export, and what is refused."""

from __future__ import annotations

import hashlib
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from api.tables.reader import read_table
from api.tables.writer import write_table
from ledger import keyfile
from ledger.domain.days import zone_date
from ledger.entry import format_instant, parse_entry
from ledger.store.ledger import Ledger, Options, initialise
from ledger.store.media import CSV, XLSX
from tests.support import archives
from tests.support.clock import SteadyClock
from tests.support.database import set_up
from tests.support.organisation import ORIGIN, ZONE, Organisation, key_of
from tests.support.server import Server, environment, mingzhang

HEADER = ["member", "kind", "rulebook", "version", "item", "points", "act_date", "reason"]
HEADER += ["evidence"]
TOKEN = "a token of the tests"


class Place:
    """A ledger with the test's organisation, founded yesterday; commands run on its data folder."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder, self.url = folder, url
        self.data = folder / "data"
        self.env = environment(url, MINGZHANG_DOCUMENTS_TOKEN=TOKEN)
        start = datetime.now(UTC) - timedelta(days=1)
        self.made = Organisation(start=start)
        self.today = zone_date(ZONE, format_instant(datetime.now(UTC)))
        initialise(self.data, ORIGIN)
        digest = hashlib.sha256(TOKEN.encode()).hexdigest()
        with (self.data / "ledger.toml").open("a") as config:
            config.write(f'documents_token_sha256 = "{digest}"\n')
        for name in ("reg-1", "rec-1", "com-1"):
            keyfile.save(folder / f"{name}.key", key_of(name), None)
        clock = SteadyClock(start)
        with Ledger.open(self.data, url=url, clock=clock) as ledger:
            set_up(ledger, self.made, clock)

    def row(self, **changed: str) -> list[str]:
        row = dict(zip(HEADER, ["m-2", "credit", "rules", "1.0.0", "C-1"], strict=False))
        row |= {"points": "2.50", "act_date": self.today, "reason": "参加整治", "evidence": ""}
        row |= changed
        return [row[name] for name in HEADER]

    def write(self, name: str, *rows: list[str]) -> Path:
        path = self.folder / name
        path.write_bytes(write_table(HEADER, rows, XLSX if path.suffix == ".xlsx" else CSV))
        return path

    def take(
        self, file: Path, *more: str | Path, url: str = ""
    ) -> subprocess.CompletedProcess[str]:
        where = ("--url", url, "--log", ORIGIN) if url else ("--data", self.data)
        return mingzhang(
            *("import", file, "--kind", "claims", "--actor", "rec-1"),
            *("--key", self.folder / "rec-1.key", "--second-key", self.folder / "com-1.key"),
            *where,
            *more,
            env=self.env,
        )

    def entries(self) -> list[bytes]:
        with Ledger.open(self.data, url=self.url, options=Options(append=False)) as ledger:
            return ledger.entries(0, ledger.size())

    @property
    def size(self) -> int:
        return len(self.entries())


@pytest.fixture
def place(tmp_path: Path, database_url: str) -> Place:
    return Place(tmp_path, database_url)


def test_a_table_is_recorded_once_however_often_it_is_imported(place: Place) -> None:
    (place.folder / "photo.png").write_bytes(archives.png(10, 10))
    file = place.write(
        "march.xlsx",
        place.row(),
        place.row(evidence="photo:photo.png", member="m-3"),
        place.row(kind="debit", item="D-1"),
    )
    before = place.size
    shown = place.take(file, "--preview")
    assert shown.returncode == 0, shown.stderr
    assert "3 statements would be recorded" in shown.stdout
    assert "row 2: points.awarded m-2" in shown.stdout
    assert place.size == before

    first = place.take(file, "--receipts", place.folder / "first")
    assert first.returncode == 0, first.stderr
    assert len(first.stdout.splitlines()) == 3
    again = place.take(file, "--receipts", place.folder / "again")
    assert again.returncode == 0, again.stderr
    assert again.stdout == first.stdout
    assert place.size == before + 3
    receipts = sorted((place.folder / "first").iterdir())
    assert len(receipts) == 3
    for each in receipts:
        assert (place.folder / "again" / each.name).read_bytes() == each.read_bytes()

    statement = parse_entry(place.entries()[before]).statement
    text = mingzhang("document", statement.body["reason"], "--data", place.data, env=place.env)
    assert text.stdout == "参加整治"
    assert "参加".encode() not in b"".join(place.entries())


def test_one_wrong_row_keeps_all_back_or_only_itself_by_choice(place: Place) -> None:
    file = place.write(
        "march.csv",
        place.row(),
        place.row(points="x"),
        place.row(item="C-9"),
        place.row(member="m-4"),
    )
    before = place.size
    nothing = place.take(file)
    assert nothing.returncode == 1
    assert "row 3, column 积分 points: 'x' is no number" in nothing.stderr
    assert "row 4: version 1.0.0 has no item C-9" in nothing.stderr
    assert "nothing was recorded" in nothing.stderr
    assert place.size == before

    rest = place.folder / "rest.csv"
    some = place.take(file, "--valid-only", "--rejected", rest)
    assert some.returncode == 1
    assert len(some.stdout.splitlines()) == 2
    assert place.size == before + 2
    kept = read_table(rest.read_bytes(), CSV)
    assert [dict(zip(HEADER, cells, strict=False))["item"] for _, cells in kept[1:]] == [
        "C-1",
        "C-9",
    ]


def test_rows_are_tried_together_so_that_a_second_enrolment_is_found_before_the_first(
    place: Place,
) -> None:
    file = place.folder / "members.csv"
    file.write_text(
        "党员编号,单位,类型\nm-90,east,ordinary\nm-91,nowhere,ordinary\nm-1,east,ordinary\n"
        "m-90,root,ordinary\n"
    )
    words = ("import", file, "--kind", "members", "--actor", "reg-1", "--key")
    result = mingzhang(*words, place.folder / "reg-1.key", "--data", place.data, env=place.env)
    assert result.returncode == 1
    assert result.stdout == ""
    for said in ("row 3: unit nowhere", "row 4: member m-1", "row 5: member m-90"):
        assert said in result.stderr


def test_a_table_goes_in_over_http_too_and_comes_out_as_it_went_in(place: Place) -> None:
    file = place.write("march.csv", place.row(), place.row(member="m-3", reason="=1+1"))
    with Server(place.data, place.env, place.folder / "serve.log") as server:
        first = place.take(file, url=server.url)
        assert first.returncode == 0, first.stderr
        assert place.take(file, url=server.url).stdout == first.stdout
    assert place.take(file).stdout == first.stdout, "and where it was recorded makes no difference"

    for name in ("out.xlsx", "out.csv"):
        out = place.folder / name
        words = ("export-table", "claims", out, "--data", place.data)
        done = mingzhang(*words, env=place.env)
        assert done.returncode == 0, done.stderr
        shown = place.take(out, "--preview")
        assert "2 statements would be recorded" in shown.stdout, shown.stderr
    bodies = [parse_entry(each).statement.body for each in place.entries()[-2:]]
    rows = read_table((place.folder / "out.csv").read_bytes(), CSV)[1:]
    assert [cells[11] for _, cells in rows] == [each["reason"] for each in bodies]

    size, older = len(place.entries()), place.folder / "older.csv"
    then = ("export-table", "claims", older, "--as-of", str(size - 1), "--data", place.data)
    assert f"as of log size {size - 1}" in mingzhang(*then, env=place.env).stdout
    assert read_table(older.read_bytes(), CSV)[1:] == rows[:1]


def test_the_server_needs_the_token(place: Place) -> None:
    file = place.write("march.csv", place.row())
    place.env.pop("MINGZHANG_DOCUMENTS_TOKEN")
    with Server(place.data, place.env, place.folder / "serve.log") as server:
        refused = place.take(file, url=server.url)
    assert refused.returncode == 2
    assert "MINGZHANG_DOCUMENTS_TOKEN" in refused.stderr


def test_other_keys_do_not_pass_for_the_same_import(place: Place) -> None:
    file = place.write("march.csv", place.row())
    assert place.take(file).returncode == 0
    keyfile.save(place.folder / "rec-2.key", key_of("rec-2"), None)
    other = mingzhang(
        *("import", file, "--kind", "claims", "--actor", "rec-2"),
        *("--key", place.folder / "rec-2.key", "--second-key", place.folder / "com-1.key"),
        *("--data", place.data),
        env=place.env,
    )
    assert other.returncode == 1
    assert "recorded already with other signers" in other.stderr


def test_a_template_is_written_and_never_over_a_file(place: Place) -> None:
    out = place.folder / "template.xlsx"
    assert mingzhang("template", "claims", out).returncode == 0
    assert read_table(out.read_bytes(), XLSX)[0][1][0] == "党员编号 member"
    assert mingzhang("template", "claims", out).returncode == 2


def test_commit_keeps_a_text_or_file_and_erase_waits_for_its_term(place: Place) -> None:
    (place.folder / "scan.pdf").write_bytes(b"%PDF-1.7\n%%EOF\n")
    for what in ("事由", f"@{place.folder / 'scan.pdf'}"):
        made = mingzhang("commit", what, "--data", place.data, env=place.env)
        assert made.returncode == 0, made.stderr
    commitment = made.stdout.split()[1]
    out = place.folder / "out.pdf"
    mingzhang("document", commitment, "--data", place.data, "--out", out, env=place.env)
    assert out.read_bytes() == b"%PDF-1.7\n%%EOF\n"

    file = place.write("march.csv", place.row(reason=commitment))
    assert place.take(file).returncode == 0
    refused = mingzhang(
        *("erase", commitment, "--stream", "member/m-2", "--cause", "request"),
        *("--actor", "reg-1", "--log", ORIGIN, "--data", place.data),
        *("--key", place.folder / "reg-1.key", "--key", place.folder / "com-1.key"),
        env=place.env,
    )
    assert refused.returncode == 1
    assert "erase after that day [erasure-term]" in refused.stderr
