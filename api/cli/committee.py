"""`mingzhang dispute` and `mingzhang query`: what intake and the discipline committee work with."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer

from api import shown
from api.cli import console
from api.cli.ask import read_wanted
from api.committee import debits_on
from api.tables.cells import amount
from api.tables.cells import day as read_day
from api.tables.writer import write_table
from ledger.domain.draw import drawn
from ledger.domain.ruling import DRAWN_PEOPLE
from ledger.domain.witnessed import WITNESSED
from ledger.entry import format_instant, parse_entry
from ledger.errors import NotFoundError
from ledger.log import note, receipt
from ledger.log.checkpoint import parse_body
from ledger.store.ledger import Ledger, Options
from ledger.store.media import SUFFIXES
from ledger.store.register import Register
from ledger.verify.source import root_at
from projections.disputes import Standing
from projections.finding import HEADER, Wanted, table_rows
from projections.runner import Runner
from projections.views import Views

Dispute = Annotated[str, typer.Argument(metavar="ID", help="The dispute's id, such as d-1.")]
Who = Annotated[str, typer.Option("--actor", help="Who you are: it is written down.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    disputes = typer.Typer(help="Disputes: what is due, and intake's confidential register.")
    for each in (due, show, file, draw, access):
        disputes.command()(each)
    disputes.command("open")(open_case)
    app.add_typer(disputes, name="dispute", no_args_is_help=True)
    queries = typer.Typer(help="The committee's questions.")
    queries.command("entries")(entries)
    app.add_typer(queries, name="query", no_args_is_help=True)


def due(
    every: Annotated[bool, typer.Option("--every", help="Also those that have ended.")] = False,
    as_of: console.AsOf = None,
    data: console.DataDir = console.DATA_DIR,
) -> None:
    """List disputes with the term that runs, what is near or passed first.

    With --as-of they are looked at on the day on which that position was recorded.
    """
    wanted = read_wanted(as_of, data)
    with _open(data) as (_, views, _register):
        found = views.disputes(_now() if wanted is None else None, wanted, every=every)
    for each in found.standings:
        typer.echo(_line(each))
    count = f"{len(found.standings)} dispute{'' if len(found.standings) == 1 else 's'}"
    typer.echo(f"{count} on {found.today}, as of size {found.as_of.size}")


_WARNING = {"passed": "逾期 passed", "near": "临近 near", "running": "", None: ""}


def _line(found: Standing) -> str:
    case = found.case
    term = f"{found.term} until {found.due}" if found.term is not None else "no term runs"
    return f"{case.id}  {case.unit}  {case.kind}  {case.state}  {term}  {_WARNING[found.warning]}"


def show(
    ident: Dispute, as_of: console.AsOf = None, data: console.DataDir = console.DATA_DIR
) -> None:
    """Show a dispute as the log tells it, with its steps, as JSON."""
    wanted = read_wanted(as_of, data)
    with _open(data) as (_, views, _register):
        when = _now() if wanted is None else None
        _echo(shown.case_file(views.dispute(ident, when, wanted)))


def file(
    ident: Dispute,
    envelope: Annotated[Path, typer.Argument(help="The filer's signed dispute.filed.")],
    member: Annotated[str | None, typer.Option("--member", help="Which member filed.")] = None,
    target: Annotated[
        str | None,
        typer.Option("--target", help="For an anonymous report: the target as JSON."),
    ] = None,
    data: console.DataDir = console.DATA_DIR,
) -> None:
    """Keep what a filer handed in.

    Prints the commitments that dispute.received carries into the log.
    """
    given = orjson.loads(target) if target is not None else None
    with _open(data) as (_, _views, cases):
        filer, about = cases.file(ident, console.read_file(envelope), member, given)
    _echo({"filer": filer, "target": about})


def open_case(
    ident: Dispute,
    actor: Who,
    purpose: Annotated[str, typer.Option("--purpose", help="What for: it is written down.")],
    data: console.DataDir = console.DATA_DIR,
) -> None:
    """Open a confidential case, as JSON.

    Who opened it and what for is written down first. Debits on the filer soon after filing are
    listed, where the filer is a known member.
    """
    with _open(data) as (_, views, cases):
        found = cases.open(ident, actor, purpose)
        _echo(shown.filed(found, debits_on(views, found)))


def access(
    ident: Annotated[str | None, typer.Argument(metavar="[ID]", help="One dispute only.")] = None,
    data: console.DataDir = console.DATA_DIR,
) -> None:
    """List who opened confidential cases, newest first."""
    with _open(data) as (_, _views, cases):
        for each in cases.accesses(ident):
            when = format_instant(each.opened_at)
            typer.echo(f"{when}  {each.dispute}  {each.actor}  {each.purpose}")


def draw(ident: Dispute, data: console.DataDir = console.DATA_DIR) -> None:
    """Print the body of dispute.drawn for an appealed dispute.

    Drawn by the first witnessed checkpoint after the appeal, without witnesses by that of the
    appeal's own receipt, which is the first one signed after it.
    """
    with _open(data) as (ledger, views, _register):
        found = views.dispute(ident, _now())
        appeals = [each for each in found.parts if each.type == "dispute.appealed"]
        if not appeals:
            raise NotFoundError(f"dispute {ident} is not appealed: nobody is drawn")
        size, root = _drawing(ledger, appeals[-1].statement)
        chosen = drawn(root, ident, found.standing.case.pool.split(), DRAWN_PEOPLE)
    _echo({"size": size, "root": root.hex(), "chosen": list(chosen)})


def _drawing(ledger: Ledger, appeal: str) -> tuple[int, bytes]:
    """Return size and root of the checkpoint that draws for an appeal."""
    index, _ = ledger.find(appeal)
    witnessed = [(at, parse_entry(data).statement.body["size"])
                 for at, data in ledger.typed((WITNESSED,))]  # fmt: skip
    if not any(at < index for at, _ in witnessed):
        signed = parse_body(note.parse(receipt.parse(ledger.receipt(appeal)).checkpoint).text)
        return signed.size, signed.root
    size = next((size for _, size in witnessed if size > index), None)
    if size is None:
        raise NotFoundError("no witnessed checkpoint covers the appeal yet: wait for one")
    return size, root_at(ledger.tile, size, ledger.size())


def entries(
    scorer: Annotated[str | None, typer.Option(help="Who proposed, checked or reviewed.")] = None,
    reviewer: Annotated[
        str | None, typer.Option(help="Who reviewed, or signed it on the short path.")
    ] = None,
    unit: Annotated[str | None, typer.Option(help="With its sub-units.")] = None,
    member: Annotated[str | None, typer.Option(help="Whose entries.")] = None,
    rulebook: Annotated[str | None, typer.Option(help="Under which rulebook.")] = None,
    item: Annotated[str | None, typer.Option(help="Under which item.")] = None,
    act_type: Annotated[str | None, typer.Option(help="What kind of act.")] = None,
    kind: Annotated[str | None, typer.Option(help="credit, debit or reversal.")] = None,
    origin: Annotated[str | None, typer.Option(help="claim, direct, import, correction.")] = None,
    state: Annotated[str | None, typer.Option(help="claimed, final, rejected and so on.")] = None,
    act_from: Annotated[str | None, typer.Option(help="Acts from this day on.")] = None,
    act_to: Annotated[str | None, typer.Option(help="Acts up to this day.")] = None,
    recorded_from: Annotated[str | None, typer.Option(help="Recorded from this day on.")] = None,
    recorded_to: Annotated[str | None, typer.Option(help="Recorded up to this day.")] = None,
    amount_min: Annotated[
        int | None, typer.Option(parser=amount, metavar="POINTS", help="2.50; debits below 0.")
    ] = None,
    amount_max: Annotated[
        int | None, typer.Option(parser=amount, metavar="POINTS", help="-2.50; debits below 0.")
    ] = None,
    is_reversed: Annotated[
        bool | None, typer.Option("--reversed/--not-reversed", help="Taken back, or not.")
    ] = None,
    limit: Annotated[int, typer.Option(help="Entries of a page.", min=1, max=1000)] = 100,
    after: Annotated[int | None, typer.Option(help="Go on behind this log index.")] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="Write all of them: .xlsx or .csv.")
    ] = None,
    as_of: console.AsOf = None,
    data: console.DataDir = console.DATA_DIR,
) -> None:
    """Find entries by any conditions together, newest first.

    As JSON, a page at a time, or all of them as a table with --out.
    """
    given = {**locals(), "reversed": is_reversed}
    wanted = Wanted(**{each.name: given[each.name] for each in fields(Wanted)})
    for name in ("act_from", "act_to", "recorded_from", "recorded_to"):
        if given[name] is not None:
            read_day(given[name])
    position = read_wanted(as_of, data)
    if out is None:
        with _open(data) as (_, views, _register):
            _echo(shown.page(views.entries(wanted, limit, after, position, patient=True)))
        return
    console.need_free(out)
    media_type = SUFFIXES.get(out.suffix.lower())
    if out.suffix.lower() not in (".xlsx", ".csv") or media_type is None:
        raise console.CommandError(f"{out}: a table is written as .xlsx or .csv")
    with _open(data) as (_, views, _register):
        page = views.all_entries(wanted, position)
    console.write_file(out, write_table(HEADER, table_rows(page), media_type))
    typer.echo(f"wrote {out}: {len(page.found)} entries as of log size {page.as_of.size}")


@contextmanager
def _open(data: Path) -> Iterator[tuple[Ledger, Views, Register]]:
    """Open the read models, folded up to what is signed now, and the register."""
    with Ledger.open(data, options=Options(append=False)) as ledger:
        Runner.of(ledger).catch_up()
        with ledger.database.pool(1, 2) as pool:
            yield ledger, Views(pool), Register(pool)


def _now() -> str:
    return format_instant(datetime.now(UTC))


def _echo(value: Any) -> None:
    typer.echo(orjson.dumps(value, option=orjson.OPT_INDENT_2).decode())
