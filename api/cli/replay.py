"""`mingzhang replay`: read models from a published log, without a database."""

from __future__ import annotations

from typing import Annotated

import typer

from api.cli import console, progress
from projections import rankings, render
from projections.period import parse_period
from projections.rankings import RANKINGS
from projections.replay import replay

folding = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.add_typer(folding, name="replay")


@folding.callback()
def source(
    context: typer.Context,
    where: Annotated[
        str, typer.Argument(metavar="WHERE", help="An exported log's folder, or a log's URL.")
    ],
) -> None:
    """Answer from a published log alone.

    It is folded here, without a database, to the same answer to the last byte.
    """
    context.obj = where


@folding.command()
def ranking(
    context: typer.Context,
    unit: Annotated[str, typer.Option("--unit", help="The unit's id; its sub-units count too.")],
    period: Annotated[str, typer.Option("--period", help="2025, 2025-Q1 or 2025-03.")],
    vkey: Annotated[
        str | None, typer.Option("--vkey", help="The log's verifier key, or a file that holds it.")
    ] = None,
) -> None:
    """Show the ranking of a unit."""
    days = parse_period(period)
    key = console.verifier_key(vkey) if vkey is not None else None
    with progress.bar("folding entries") as told:
        folded = replay(context.obj, RANKINGS, key, told)
    if not folded.signed:
        typer.echo("the checkpoint's signature was not verified: give --vkey", err=True)
    found = rankings.from_rows(folded.rows, folded.as_of, unit, days)
    typer.echo(render.ranking_text(found), nl=False)
