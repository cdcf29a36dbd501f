"""What a table's cells become, and how errors name their place."""

from __future__ import annotations

from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import pytest

from api.tables.importer import Importer, same_statement
from api.tables.kinds import CHECKS, CLAIMS, KINDS, OPENING, REVIEW, TYPES, Kind, cells_of
from api.tables.reader import read_table, table_type
from api.tables.rows import drafts
from api.tables.template import make_template
from api.tables.writer import write_table
from ledger import schema
from ledger.commitment import check_opening
from ledger.errors import FormatError
from ledger.store.media import CSV, XLSX
from tests.support import archives
from tests.support.organisation import ORIGIN, key_of

HEADER = ["党员编号", "kind", "细则 rulebook", "版本", "条目", "积分", "行为日期", "事由", "佐证"]
GOOD = ["m-2", "加分", "rules", "1.0.0", "C-1", "2.5", "2026-01-05", "参加整治", ""]


def table(*rows: list[str]) -> list[tuple[int, list[str]]]:
    return [(number, row) for number, row in enumerate([HEADER, *rows], start=1)]


def changed(**cells: str) -> list[str]:
    places = {"member": 0, "kind": 1, "version": 3, "points": 5, "act_date": 6, "evidence": 8}
    row = list(GOOD)
    for name, cell in cells.items():
        row[places[name]] = cell
    return row


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        ({"points": "2.505"}, "row 2, column 积分 points: '2.505' has more than two decimals"),
        ({"points": "-1"}, "row 2, column 积分 points: '-1' is not above 0"),
        ({"points": "NaN"}, "row 2, column 积分 points: 'NaN'"),
        ({"points": "1e999"}, "row 2, column 积分 points: '1e999'"),
        ({"points": ""}, "row 2, column 积分 points: it is empty"),
        ({"member": "M 2"}, "row 2, column 党员编号 member: 'M 2' is no id"),
        ({"member": ""}, "row 2, column 党员编号 member: it is empty"),
        ({"kind": "bonus"}, "row 2, column 加减 kind: 'bonus' is none of 加分 credit"),
        ({"act_date": "2026-02-30"}, "row 2, column 行为日期 act_date: '2026-02-30' is no date"),
        ({"act_date": "5.1.2026"}, "row 2, column 行为日期 act_date"),
        ({"version": "1.0"}, "row 2, column 版本 version: '1.0' is no version"),
        ({"evidence": "photo"}, "row 2, column 佐证 evidence: 'photo' is not of the form"),
        ({"evidence": ";".join(["p:" + "ab" * 32] * 9)}, "row 2, column 佐证 evidence:"),
    ],
)
def test_an_error_names_row_and_column(cells: dict[str, str], said: str) -> None:
    good, bad = drafts(CLAIMS, table(changed(**cells)), direct=True)
    assert good == []
    assert str(bad[0]).startswith(said)


def test_every_wrong_cell_of_every_row_is_named_at_once() -> None:
    good, bad = drafts(
        CLAIMS, table(changed(points="x", member=""), GOOD, changed(kind="?")), direct=True
    )
    assert [each.rows for each in good] == [(3,)]
    assert [(each.row, each.column.split()[1]) for each in bad] == [
        (2, "member"),
        (2, "points"),
        (4, "kind"),
    ]


def test_rows_become_awards_and_deductions_of_the_shorter_path() -> None:
    good, bad = drafts(CLAIMS, table(GOOD, changed(kind="debit")), direct=True)
    assert bad == []
    assert [each.type for each in good] == ["points.awarded", "points.deducted"]
    assert good[0].stream == "member/m-2"
    assert good[0].body["points"] == 250


def test_empty_rows_and_the_example_are_passed_over_and_doubles_are_not() -> None:
    example = changed(member="示例 example", points="?")
    good, bad = drafts(CLAIMS, table(example, [""] * 9, GOOD, GOOD), direct=True)
    assert [each.rows for each in good] == [(4,)]
    assert [str(each) for each in bad] == ["row 5: the same as row 4: delete one of them"]


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        ([*HEADER, "密码"], "'密码' is no column"),
        ([*HEADER, "points"], "积分 points stands there twice"),
        (HEADER[1:], "missing: 党员编号 member"),
    ],
)
def test_a_header_that_cannot_be_used_is_refused(header: list[str], reason: str) -> None:
    with pytest.raises(FormatError, match=reason):
        drafts(CLAIMS, [(1, header), (2, GOOD)], direct=True)


def test_a_cell_under_no_header_and_a_table_without_rows_are_refused() -> None:
    _, bad = drafts(CLAIMS, table([*GOOD, "left over"]), direct=True)
    assert str(bad[0]) == "row 2: cell 10 stands under no header"
    for rows in ([], table()):
        with pytest.raises(FormatError, match=r"empty|no rows"):
            drafts(CLAIMS, rows, direct=True)


def test_review_sheets_of_one_member_are_one_statement_in_the_order_of_receipts() -> None:
    header = ["period", "member", "receipt", "score"]
    rows = [["2026", "m-1", "cd" * 32, "90.5"], ["2026", "m-2", "ef" * 32, "80"]]
    rows += [["2026", "m-1", "ab" * 32, ""], ["2026", "m-3", "0" * 64, "101"]]
    rows += [["2026", "m-3", "1" * 64, "100"]]
    good, bad = drafts(REVIEW, [(n, row) for n, row in enumerate([header, *rows], start=1)])
    assert [(each.stream, each.rows) for each in good] == [
        ("period/2026", (2, 4)),
        ("period/2026", (3,)),
    ]
    assert good[0].body == {
        "member": "m-1",
        "sheets": [{"receipt": "ab" * 32}, {"receipt": "cd" * 32, "score": 9_050}],
    }
    assert [str(each) for each in bad] == [
        "row 5, column 分数 score: a score of '101' is above 100",
        "row 6: it belongs together with row 5",
    ]


def test_opening_balances_hold_what_the_old_sheet_says() -> None:
    header = [each.header for each in OPENING.columns]
    row = [each.example for each in OPENING.columns]
    ((_, _, kind, stream, body),), bad = drafts(OPENING, [(1, header), (2, row)])
    assert (kind, stream, bad) == ("points.imported", "member/m-1", [])
    assert body["points"] == 8_500
    assert (body["account"], body["kind"]) == ("merit", "credit")


# -- files -----------------------------------------------------------------------------------

DAY = date(2026, 3, 31)
NASTY = ["=1+1", "+1", "-1", "@SUM(A1)", "'=x", "''=x", "'plain", 'a,b"c\nd', "＝1", "\t=1"]


@pytest.mark.parametrize("kind", [XLSX, CSV])
def test_what_is_written_is_read_again_and_nothing_is_a_formula(kind: str) -> None:
    data = write_table(["a", "b"], [[each, "x"] for each in NASTY], kind)
    rows = read_table(data, kind)
    assert [cells[0] for _, cells in rows] == ["a", *NASTY]
    if kind == CSV:
        cells = data.decode("utf-8-sig").split("\r\n")
        assert not any(each.startswith(("=", "+", "-", "@", "\t")) for each in cells)


def test_numbers_and_dates_of_a_spreadsheet_come_as_plain_text() -> None:
    data = archives.workbook(
        ["a", 2.5, 3.0, 7, DAY, datetime.combine(DAY, time()), True, None, "x"]
    )
    assert read_table(data, XLSX) == [
        (1, ["a", "2.5", "3", "7", "2026-03-31", "2026-03-31", "true", "", "x"])
    ]


def test_a_formula_is_not_guessed_at() -> None:
    with pytest.raises(FormatError, match="row 2, cell A2: a formula"):
        read_table(archives.workbook(["a"], ["=1+1"]), XLSX)


def test_tables_of_chinese_office_programs_are_read() -> None:
    assert read_table("积分,事由\r\n".encode("gb18030"), CSV) == [(1, ["积分", "事由"])]


@pytest.mark.parametrize(
    "part",
    [
        '<!DOCTYPE a [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;">]><a>&b;</a>',
        '<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>',
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_fault_22_an_entity_bomb_in_a_workbook_is_refused(part: str, encoding: str) -> None:
    book = archives.repacked(
        archives.workbook(["a"]), {"xl/sharedStrings.xml": part.encode(encoding)}
    )
    with pytest.raises(FormatError, match="declares a document type"):
        read_table(book, XLSX)


def test_fault_22_a_parser_that_takes_too_much_memory_dies_alone(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    cells = b'<row><c t="inlineStr"><is><t>' + b"x" * 100 + b"</t></is></c></row>"
    head = (
        b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
    )
    sheet = head + cells * 30_000 + b"</sheetData></worksheet>"
    book = archives.repacked(archives.workbook(["a"]), {"xl/worksheets/sheet1.xml": sheet})
    with pytest.raises(FormatError, match="more than 10000 rows"):
        read_table(book, XLSX)
    deep = archives.repacked(
        archives.workbook(["a"]), {"xl/workbook.xml": b"<a>" * 4_000_000 + b"</a>" * 4_000_000}
    )
    with pytest.raises(FormatError, match=r"memory|cannot be read|could not be read"):
        read_table(deep, XLSX)


def test_fault_22_a_cell_far_away_is_not_lost_and_costs_little() -> None:
    head = (
        b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
    )
    cell = b'<row r="1048576"><c r="XFD1048576" t="inlineStr"><is><t>x</t></is></c></row>'
    book = archives.repacked(
        archives.workbook(["a"]),
        {"xl/worksheets/sheet1.xml": head + cell + b"</sheetData></worksheet>"},
    )
    with pytest.raises(FormatError, match="row 1048576 stands after 1048575 empty rows"):
        read_table(book, XLSX)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"a," * 70 + b"\n", "70 cells"),
        (b"x" * 5_000 + b"\n", "more than 4000 characters"),
        (b"a\n" * 10_002, "more than 10000 rows"),
        (b'"a', "no CSV table"),
    ],
)
def test_a_table_has_limits(data: bytes, reason: str) -> None:
    with pytest.raises(FormatError, match=reason):
        read_table(data, CSV)


def test_a_file_of_another_kind_is_no_table() -> None:
    with pytest.raises(FormatError, match=r"\.xlsx or \.csv"):
        table_type("points.xls")
    with pytest.raises(FormatError, match="end is missing"):
        read_table(b"points", XLSX)


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_a_template_can_be_read_and_its_example_is_valid(kind: Kind) -> None:
    rows = read_table(make_template(kind), XLSX)
    assert list(rows[0][1])[: len(kind.columns)] == [each.header for each in kind.columns]
    with pytest.raises(FormatError, match="no rows"):
        drafts(kind, rows)
    example = ["m-1" if kind.columns[0].name == "member" else "2026", *list(rows[1][1])[1:]]
    good, bad = drafts(kind, [rows[0], (3, example)])
    assert bad == []
    assert len(good) == 1


# -- signing ---------------------------------------------------------------------------------


def importer(folder: Path, digest: bytes = bytes(32), actor: str = "rec-1") -> Importer:
    keys = [key_of(actor), key_of("com-1")]
    return Importer(CLAIMS, ORIGIN, actor, keys, digest, folder)


def test_the_same_file_gives_the_same_statements_and_another_file_others(tmp_path: Path) -> None:
    good, _ = drafts(CLAIMS, table(GOOD, changed(points="3")), direct=True)
    first, _ = importer(tmp_path).sign(good)
    again, _ = importer(tmp_path).sign(good)
    other, _ = importer(tmp_path, b"x" * 32).sign(good)
    for one, two, three in zip(first, again, other, strict=True):
        assert one.statement.id == two.statement.id
        assert same_statement(one.statement, two.statement)
        assert one.statement.id != three.statement.id
        assert one.statement.body["reason"] != three.statement.body["reason"]
    assert first[0].statement.id < first[1].statement.id, "in the order of the rows (A11)"


def test_texts_and_files_stand_behind_commitments_with_salts_that_only_the_key_gives(
    tmp_path: Path,
) -> None:
    (tmp_path / "photo.png").write_bytes(archives.png(10, 10))
    good, _ = drafts(CLAIMS, table(changed(evidence="photo:photo.png")), direct=True)
    made = importer(tmp_path)
    ((_, _, statement),), _ = made.sign(good)
    reason, evidence = statement.body["reason"], statement.body["evidence"][0]["commitment"]
    assert made.uploads[reason].data.decode() == "参加整治"
    assert made.uploads[evidence].media_type == "image/png"
    for commitment, upload in made.uploads.items():
        check_opening(commitment, upload.salt, upload.data)
    assert made.uploads[reason].salt != made.uploads[evidence].salt
    other = importer(tmp_path, actor="rec-2")
    other.sign(good)
    assert not set(other.uploads) & set(made.uploads)
    assert "参加".encode() not in statement.payload


@pytest.mark.parametrize(
    "name", ["../secret.txt", "/etc/passwd.txt", "link.txt", "gone.txt", "a.exe"]
)
def test_a_cell_names_files_beside_the_table_only(name: str, tmp_path: Path) -> None:
    folder = tmp_path / "tables"
    folder.mkdir()
    (tmp_path / "secret.txt").write_text("secret")
    (folder / "link.txt").symlink_to(tmp_path / "secret.txt")
    good, _ = drafts(CLAIMS, table(changed(evidence=f"text:{name}")), direct=True)
    signed, bad = importer(folder).sign(good)
    assert signed == []
    assert bad[0].row == 2
    assert name in bad[0].message


ENTRY = "0198c3a0-0000-7000-8000-000000000000"
OTHER = "cd" * 32
ACT = {
    "rulebook": "rules",
    "version": "1.0.0",
    "item": "C-1",
    "kind": "debit",
    "quantity": 200,
    "points": 150,
    "act_date": "2026-02-28",
    "activity": "spring",
    "deed": "deed-1",
    "covers": ["2026-01-31", "2026-02-28"],
    "reason": OTHER,
    "evidence": [{"kind": "signed_slip", "commitment": OTHER}],
    "late_reason": OTHER,
}
BODIES = [
    ("member.enrolled", {"unit": "east", "member_type": "ordinary", "actor": "rec-2"}),
    ("member.exempted", {"from": "2026-07-01", "until": "2026-12-31", "cause": "illness"}),
    ("points.claimed", ACT),
    ("points.checked", {"entry": ENTRY, "review": "dual", "reviewers": 12, "filled": OTHER}),
    ("points.reviewed", {"entry": ENTRY, "place": "upper", "points": 250, "opened": [OTHER]}),
    ("points.reviewed", {"entry": ENTRY, "place": "committee", "opened": []}),
    (
        "review.recorded",
        {"member": "m-1", "sheets": [{"receipt": "ab" * 32, "score": 0}, {"receipt": OTHER}]},
    ),
    (
        "points.imported",
        {
            "rulebook": "rules",
            "account": "service",
            "kind": "debit",
            "points": 8_650,
            "period": "2025-01-01",
            "act_date": "2025-12-31",
            "sheet": OTHER,
            "reason": OTHER,
            "closes": "2026-01-12",
        },
    ),
]


@pytest.mark.parametrize(("statement_type", "body"), BODIES, ids=[name for name, _ in BODIES])
@pytest.mark.parametrize("media_type", [XLSX, CSV], ids=["xlsx", "csv"])
def test_what_is_exported_is_imported_again(
    statement_type: str, body: dict[str, Any], media_type: str
) -> None:
    schema.validate(statement_type, body)
    kind = TYPES[statement_type]
    stream = "period/2026" if kind is REVIEW else "member/m-1"
    rows = cells_of(kind, statement_type, stream, body)
    header = [each.header for each in kind.columns]
    good, bad = drafts(kind, read_table(write_table(header, rows, media_type), media_type))
    assert bad == []
    assert [(each.type, each.stream, each.body) for each in good] == [
        (statement_type, stream, body)
    ]


def test_a_claim_that_says_no_kind_comes_out_as_a_credit() -> None:
    body = {name: value for name, value in ACT.items() if name != "kind"}
    ((_, kind, *_),) = cells_of(CLAIMS, "points.claimed", "member/m-1", body)
    assert kind == "credit"


def test_reviewers_are_a_whole_number_and_an_entry_is_named_by_its_id() -> None:
    header = [each.header for each in CHECKS.columns]
    rows = [["m-1", ENTRY, "normal", "2.5", ""], ["m-1", "row 7", "normal", "2", ""]]
    _, bad = drafts(CHECKS, [(n, row) for n, row in enumerate([header, *rows], start=1)])
    assert [str(each) for each in bad] == [
        "row 2, column 审定人数 reviewers: '2.5' is no whole number from 1 to 99",
        "row 3, column 申报编号 entry: 'row 7' is no statement's id: copy it from the receipt",
    ]
