"""`mingzhang lag`, `rebuild`, `unpark` and `table`: the read models as an operator sees them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from api.cli import console, progress
from api.cli.ask import read_wanted
from ledger.store.ledger import Ledger, Options
from projections import status
from projections.catalogue import MODELS
from projections.fold import ReadModel
from projections.rebuild import rebuild as rebuild_model
from projections.rebuild import unpark as unpark_stream
from projections.runner import Runner
from projections.views import Views

Model = Annotated[str, typer.Argument(metavar="NAME", help="The read model's name.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(lag)
    app.command()(rebuild)
    app.command()(unpark)
    app.command()(table)


def lag(data: console.DataDir = console.DATA_DIR) -> None:
    """Show how far the read models are behind.

    And which streams are parked, each with the entry that could not be folded. Exit status 1 if
    there are any.
    """
    with _ledger(data) as ledger, ledger.database.pool(1, 1) as pool:
        places, parked = status.positions(pool), status.parked_streams(pool)
    for each in places:
        state = "served" if each.served else "being built"
        typer.echo(
            f"{each.model} version {each.version} build {each.build} ({state}): size {each.size}, "
            f"{each.lag} behind, {each.parked} entries parked"
        )
    for one in parked:
        typer.echo(
            f"parked: {one.stream} in {one.model} build {one.build} from entry {one.log_index} on: "
            f"{one.error}: {one.message}"
        )
    if parked:
        raise typer.Exit(console.FAILED)


def rebuild(name: Model, data: console.DataDir = console.DATA_DIR) -> None:
    """Build a read model's tables again.

    They are filled beside the served ones, which answer until the new ones take their place at
    once. It may run while the ledger is served.
    """
    model = _model(name)
    with _ledger(data) as ledger, progress.bar(f"folding {name}") as told:
        built = rebuild_model(ledger.database.connect, ledger.size, model, told)
    typer.echo(f"{name} is served from build {built.number}, size {built.size}")


def unpark(
    name: Model,
    stream: Annotated[str, typer.Argument(help="The parked stream, such as member/m-1.")],
    data: console.DataDir = console.DATA_DIR,
) -> None:
    """Fold a parked stream's entries again.

    All of them or none, in the places that they would have had.
    """
    model = _model(name)
    with _ledger(data) as ledger:
        count = unpark_stream(ledger.database.connect, model, stream)
    typer.echo(f"{count} entries of {stream} are folded into {name}")


def table(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="log, a read model, or MODEL.TABLE of one.")
    ],
    out: Annotated[Path, typer.Option("--out", help="The file: .parquet or .sqlite.")],
    as_of: console.AsOf = None,
    data: console.DataDir = console.DATA_DIR,
) -> None:
    """Write a read model or the log as an open table.

    With a note and a unit for each column. DuckDB, pandas, Datasette or a spreadsheet reads it.
    """
    # Only this command needs DuckDB.
    from projections import export  # noqa: PLC0415

    wanted = read_wanted(as_of, data)
    with _ledger(data) as ledger:
        Runner.of(ledger).catch_up()
        with ledger.database.pool(1, 1) as pool:
            done = export.export(Views(pool), name, out, wanted)
    typer.echo(f"wrote {out}: {name} as of log size {done.size} · {done.recorded_at or '–'}")


@contextmanager
def _ledger(data: Path) -> Iterator[Ledger]:
    with Ledger.open(data, options=Options(append=False)) as ledger:
        yield ledger


def _model(name: str) -> ReadModel:
    for each in MODELS:
        if each.name == name:
            return each
    known = ", ".join(each.name for each in MODELS)
    raise console.CommandError(f"no read model {name!r}: there are {known}")
