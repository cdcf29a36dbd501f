"""`mingzhang template`, `import` and `export-table`: tables of statements, in and out."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from api.cli import console
from api.cli.ask import read_wanted
from api.cli.submit import Item, Outcome, batches
from api.cli.transport import Transport, origin_of, transport
from api.tables.importer import Importer, Signed, same_statement
from api.tables.kinds import KINDS, TYPES, Kind, cells_of
from api.tables.reader import read_table, table_type
from api.tables.rows import RowError, drafts
from api.tables.template import make_template
from api.tables.writer import write_table
from ledger.entry import parse_entry
from ledger.errors import NotFoundError
from ledger.log import receipt
from ledger.store.ledger import Ledger, Options
from ledger.verify.source import root_at
from projections.asof import Wanted, check_same

SHOWN_MAX = 20
PAGE_ENTRIES = 5_000


class KindName(StrEnum):
    """Kinds of tables."""

    CLAIMS = "claims"
    CHECKS = "checks"
    COMMITTEE = "committee"
    MEMBERS = "members"
    EXEMPTIONS = "exemptions"
    REVIEW = "review"
    OPENING = "opening"


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(template)
    app.command("import")(import_table)
    app.command("export-table")(export_table)


def template(
    kind: Annotated[KindName, typer.Argument(help="What the rows are.")],
    out: Annotated[Path, typer.Argument(help="The new .xlsx file.")],
) -> None:
    """Write an empty table to fill in."""
    console.need_free(out)
    console.write_file(out, make_template(KINDS[kind]))
    typer.echo(f"wrote {out}")


def import_table(
    file: Annotated[Path, typer.Argument(help="An .xlsx or .csv file.")],
    kind: Annotated[KindName, typer.Option("--kind", help="What the rows are.")],
    actor: console.Actor,
    key: Annotated[Path, typer.Option("--key", help="The importer's key file.")],
    second_key: Annotated[
        Path | None,
        typer.Option(
            "--second-key",
            help="A second person's. Claims then are entries of the shorter path; the committee's "
            "reviews, review sheets, exemptions and opening balances need two people anyway.",
        ),
    ] = None,
    data: console.MaybeData = None,
    url: console.Url = None,
    log: Annotated[
        str | None, typer.Option("--log", help="The log's origin; read from --data if not given.")
    ] = None,
    preview: Annotated[
        bool, typer.Option("--preview", help="Show what would be recorded, and record nothing.")
    ] = False,
    valid_only: Annotated[
        bool,
        typer.Option(
            "--valid-only/--all-or-nothing",
            help="Record the valid rows, or nothing unless every row is valid (the default).",
        ),
    ] = False,
    rejected: Annotated[
        Path | None,
        typer.Option("--rejected", help="A new file for rows that were not recorded."),
    ] = None,
    receipts: Annotated[
        Path | None, typer.Option("--receipts", help="A folder for the receipts.")
    ] = None,
) -> None:
    """Record the rows of a table.

    Every row is checked first, also against the log as it stands. Errors name row and column. It
    can be repeated: the same file gives the same statements, which are recorded once. To record
    more after --valid-only, import the file of the rejected rows, not the whole again. Exit
    status 1 if any row was not recorded.
    """
    if rejected is not None:
        console.need_free(rejected)
    content = console.read_file(file)
    media_type = table_type(file.name)
    table = read_table(content, media_type)
    origin = origin_of(log, data, url)
    keys = [console.load_key(path) for path in (key, second_key) if path is not None]
    good, bad = drafts(KINDS[kind], table, direct=second_key is not None)
    importer = Importer(
        KINDS[kind], origin, actor, keys, hashlib.sha256(content).digest(), file.parent
    )
    signed, unreadable = importer.sign(good)
    bad += unreadable
    with transport(data, url) as there:
        good_ones, refused = _try(there, signed)
        bad += refused
        _show(bad, table)
        if preview:
            _preview(good_ones, bad)
        elif bad and not valid_only:
            typer.echo(f"nothing was recorded: {len(good_ones)} statements are valid", err=True)
        else:
            for upload in importer.uploads.values():
                there.put(*upload)
            bad += _record(there, good_ones, receipts)
    if rejected is not None and bad and not preview:
        _write_rejected(rejected, table, bad, [] if valid_only else good_ones)
    if bad:
        raise typer.Exit(console.FAILED)


def export_table(
    kind: Annotated[KindName, typer.Argument(help="What the rows are.")],
    out: Annotated[Path, typer.Argument(help="The new .xlsx or .csv file.")],
    as_of: console.AsOf = None,
    data: console.DataDir = console.DATA_DIR,
) -> None:
    """Write recorded statements as a table that can be imported again.

    Reasons and evidence stand there as commitments; corrections are not applied.
    """
    console.need_free(out)
    media_type = table_type(out.name)
    wanted, position = KINDS[kind], read_wanted(as_of, data)
    with Ledger.open(data, options=Options(append=False)) as ledger:
        size = ledger.size() if position is None else _prefix(ledger, position)
        rows = list(_recorded(ledger, wanted, size))
    header = [each.header for each in wanted.columns]
    console.write_file(out, write_table(header, rows, media_type))
    typer.echo(f"wrote {len(rows)} rows to {out}, as of log size {size}")


def _prefix(ledger: Ledger, wanted: Wanted) -> int:
    """Return the signed size that is asked for. Raises NotFoundError or ProofError."""
    signed = ledger.size()
    size = wanted.resolve(signed, ledger.entry)
    if size > signed:
        raise NotFoundError(f"the log has no size {size}: {signed} entries are signed")
    if wanted.checkpoint is not None:
        check_same(wanted.checkpoint, ledger.origin, root_at(ledger.tile, size, signed))
    return size


def _recorded(ledger: Ledger, kind: Kind, size: int) -> Iterator[list[str]]:
    for start in range(0, size, PAGE_ENTRIES):
        for data in ledger.entries(start, min(size, start + PAGE_ENTRIES)):
            statement = parse_entry(data).statement
            if TYPES.get(statement.type) is kind:
                yield from cells_of(kind, statement.type, statement.stream, statement.body)


def _try(there: Transport, signed: Sequence[Signed]) -> tuple[list[Signed], list[RowError]]:
    """Part the statements that the log would take from those that it would refuse."""
    reasons: list[str | None] = []
    for batch in batches([_item(each) for each in signed]):
        reasons += there.trial([each.envelope for each in batch])
    good, bad = [], []
    for each, reason in zip(signed, reasons, strict=True):
        if reason is None:
            good.append(each)
        else:
            bad += [RowError(row, "", reason) for row in each.draft.rows]
    return good, bad


def _record(there: Transport, signed: Sequence[Signed], folder: Path | None) -> list[RowError]:
    """Hand statements in and report each; return what was not recorded."""
    bad: list[RowError] = []
    rest = iter(signed)
    for batch in batches([_item(each) for each in signed]):
        for item, outcome in zip(batch, there.append(batch), strict=True):
            each = next(rest)
            kept = _recorded_already(there, each, outcome)
            if not isinstance(kept, bytes):
                bad += [RowError(row, "", str(kept)) for row in each.draft.rows]
                typer.echo(f"mingzhang: {bad[-1]}", err=True)
                continue
            index = receipt.parse(kept).index
            typer.echo(f"{index} {each.statement.type} {each.statement.stream} {item.place}")
            if folder is not None:
                console.write_file(folder / f"{each.statement.id}.tlog-proof", kept)
    return bad


def _recorded_already(there: Transport, signed: Signed, outcome: Outcome) -> Outcome:
    """Return the first receipt where an earlier import recorded the same, else the outcome."""
    if isinstance(outcome, bytes):
        return outcome
    found = there.receipt(signed.statement.id)
    if found is None:
        return outcome
    recorded = parse_entry(receipt.parse(found).entry).statement
    if not same_statement(recorded, signed.statement):
        return type(outcome)(
            "it is recorded already with other signers or texts: import with the same keys"
        )
    return found


def _item(signed: Signed) -> Item:
    rows = signed.draft.rows
    place = f"row {rows[0]}" if len(rows) == 1 else f"rows {rows[0]}-{rows[-1]}"
    return Item(place, signed.envelope, signed.statement)


def _show(bad: Sequence[RowError], table: Sequence[tuple[int, Sequence[str]]]) -> None:
    for each in sorted(bad):
        typer.echo(f"mingzhang: {each}", err=True)
    if bad:
        wrong = len({each.row for each in bad})
        typer.echo(f"mingzhang: {wrong} of {len(table) - 1} rows are not valid", err=True)


def _preview(good: Sequence[Signed], bad: Sequence[RowError]) -> None:
    for each in good[:SHOWN_MAX]:
        shown = " · ".join(cell for cell in each.draft.cells[0] if cell)
        typer.echo(f"{_item(each).place}: {each.statement.type} {shown}")
    if len(good) > SHOWN_MAX:
        typer.echo(f"… and {len(good) - SHOWN_MAX} more")
    typer.echo(
        f"preview: {len(good)} statements would be recorded, "
        f"{len({each.row for each in bad})} rows are wrong; nothing was recorded"
    )


def _write_rejected(
    out: Path,
    table: Sequence[tuple[int, Sequence[str]]],
    bad: Sequence[RowError],
    kept_back: Sequence[Signed],
) -> None:
    wrong = {each.row for each in bad} | {row for each in kept_back for row in each.draft.rows}
    rows = [cells for number, cells in table[1:] if number in wrong]
    console.write_file(out, write_table(table[0][1], rows, table_type(out.name)))
    typer.echo(f"wrote the {len(rows)} rows that were not recorded to {out}", err=True)
