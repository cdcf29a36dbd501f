"""Templates to fill in: headers in both languages, an example row, and lists to choose from."""

from __future__ import annotations

import io

from openpyxl import Workbook
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from api.tables.cells import hundredths
from api.tables.kinds import Column, Kind
from api.tables.rows import EXAMPLE, ROWS_MAX

_NOTES = (
    "从第三行起填写；带“示例 example”的行导入时跳过。",
    "Fill in from row 3; the row marked “示例 example” is passed over when importing.",
    "佐证：种类:文件名，多个用分号隔开；文件放在本表旁边。",
    "Evidence: KIND:FILE, several with a semicolon; the files stand beside this table.",
    "必填列的标题为粗体。 Columns with a bold title must be filled in.",
)


def make_template(kind: Kind) -> bytes:
    """Return the Excel file of an empty table."""
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.title = kind.name
    sheet.freeze_panes = "A2"
    for place, column in enumerate(kind.columns, start=1):
        letter = get_column_letter(place)
        title = sheet.cell(1, place, column.header)
        title.font = Font(bold=column.required)
        example = sheet.cell(2, place, EXAMPLE if place == 1 else column.example)
        example.font = Font(italic=True, color="808080")
        sheet.column_dimensions[letter].width = max(14, len(column.header) * 1.6)
        for row in range(2, 3 + 50):
            # Text: a spreadsheet that turns 1.10.0 or 2-1 into a date changes what is signed.
            sheet.cell(row, place).number_format = "@"
        _validate(sheet, column, f"{letter}3:{letter}{ROWS_MAX + 1}")
    notes = book.create_sheet("说明 notes")
    for row, line in enumerate((f"{kind.zh} {kind.name}", *_NOTES), start=1):
        notes.cell(row, 1, line)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _validate(sheet: Worksheet, column: Column, cells: str) -> None:
    if column.choices:
        rule = DataValidation(type="list", formula1=f'"{",".join(column.choices)}"')
    elif column.read is hundredths:
        rule = DataValidation(type="custom", formula1=f"VALUE({cells.partition(':')[0]})>0")
    else:
        return
    rule.allow_blank = not column.required
    rule.showErrorMessage = True
    rule.errorTitle = column.header
    rule.error = f"{column.example}"
    sheet.add_data_validation(rule)
    rule.add(cells)
