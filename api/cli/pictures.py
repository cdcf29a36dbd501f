"""`mingzhang audit pictures`: evidence pictures that are nearly the same, by entry and scorer."""

from __future__ import annotations

from typing import Annotated

import orjson
import typer

from api import shown
from api.cli import console, progress
from api.cli.ask import read_wanted
from api.tables.cells import day as read_day
from ledger.store.documents import Documents
from ledger.store.ledger import Ledger, Options
from projections.finding import Wanted
from projections.pictures import (
    BITS_DEFAULT,
    BITS_MAX,
    PICTURES,
    Compared,
    Shown,
    compare,
    pictures_of,
)
from projections.runner import Runner
from projections.views import Views


def pictures(
    unit: Annotated[str | None, typer.Option(help="Entries of it and its sub-units.")] = None,
    recorded_from: Annotated[str | None, typer.Option(help="Recorded from this day on.")] = None,
    bits: Annotated[
        int, typer.Option(help="Differing in so many of 64 bits, at most.", min=0, max=BITS_MAX)
    ] = BITS_DEFAULT,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
    as_of: console.AsOf = None,
    data: console.DataDir = console.DATA_DIR,
) -> None:
    """List pairs of entries whose evidence pictures are nearly the same, the nearest first.

    Scaled, saved anew or slightly cropped copies are found (a difference hash), turned ones are
    not. Two members at one activity may show one photograph. A pair is no verdict: exit status 0
    whether there are any or not. What could not be compared is told.
    """
    if recorded_from is not None:
        read_day(recorded_from)
    position = read_wanted(as_of, data)
    with Ledger.open(data, options=Options(append=False)) as ledger:
        Runner.of(ledger).catch_up()
        with ledger.database.pool(1, 2) as pool:
            documents = Documents(pool)
            wanted = Wanted(unit=unit, recorded_from=recorded_from)
            page = Views(pool).all_entries(wanted, position)
            there = list(pictures_of(page.found, documents.of_kinds(PICTURES)))
            with progress.bar("comparing pictures") as told:
                found = compare(there, documents.get, bits, lambda done: told(done, len(there)))
    if as_json:
        answer = {"as_of": shown.as_of(page.as_of), **_answer(found)}
        typer.echo(orjson.dumps(answer, option=orjson.OPT_INDENT_2).decode())
        return
    for pair in found.pairs:
        typer.echo(f"{pair.bits:2} of 64 bits  {_line(pair.first)}  |  {_line(pair.second)}")
    for picture, why in found.left_out:
        typer.echo(f"not compared   {_line(picture)}: {why}")
    typer.echo(
        f"{len(found.pairs)} pairs to look at among {found.compared} pictures, "
        f"{len(found.left_out)} not compared, as of log size {page.as_of.size}; "
        "a pair is no verdict"
    )


def _line(picture: Shown) -> str:
    return f"{picture.entry} {picture.member} by {', '.join(picture.scorers)}"


def _answer(found: Compared) -> dict[str, object]:
    return {
        "pairs": [
            {"bits": each.bits, "first": each.first._asdict(), "second": each.second._asdict()}
            for each in found.pairs
        ],
        "compared": found.compared,
        "not_compared": [
            {"picture": picture._asdict(), "reason": why} for picture, why in found.left_out
        ],
    }
