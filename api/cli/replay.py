"""`mingzhang replay`: read models from a published log, without a database."""

from __future__ import annotations

from typing import Annotated

import typer

from api.cli import console, progress
from projections import rankings, render, statements
from projections.asof import read_as_of
from projections.dossier import STATEMENTS
from projections.fold import ReadModel
from projections.frame import frame_of
from projections.period import parse_period
from projections.replay import Replayed, replay
from projections.scope import rulebooks
from projections.scores import RANKINGS
from projections.statements import PAGE_ENTRIES

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
    rulebook: console.RulebookOnly = None,
    member_type: console.TypeOnly = None,
    category: console.CategoryOnly = None,
    as_of: console.AsOf = None,
    vkey: console.MaybeVkey = None,
) -> None:
    """Show the ranking of a unit; with several rulebooks, one for each."""
    days = parse_period(period)
    folded = _folded(context.obj, RANKINGS, as_of, vkey)
    named = [rulebook] if rulebook else rulebooks(frame_of(folded.rows), unit, days)
    only = {"member_type": member_type, "category": category}
    tables = [
        rankings.from_rows(folded.rows, folded.as_of, unit, days, rulebook=each, **only)
        for each in named or (None,)
    ]
    typer.echo("\n".join(map(render.ranking_text, tables)), nl=False)


@folding.command()
def statement(
    context: typer.Context,
    member: Annotated[str, typer.Argument(help="The member's id.")],
    after: console.After = 0,
    limit: console.Limit = PAGE_ENTRIES,
    as_of: console.AsOf = None,
    vkey: console.MaybeVkey = None,
) -> None:
    """Show a member's entries: what each counts, and the whole of its way."""
    folded = _folded(context.obj, STATEMENTS, as_of, vkey)
    found = statements.from_rows(folded.rows, folded.as_of, member, after, limit)
    typer.echo(render.statement_text(found), nl=False)


def _folded(where: str, model: ReadModel, as_of: str | None, vkey: str | None) -> Replayed:
    key = console.verifier_key(vkey) if vkey is not None else None
    wanted = read_as_of(as_of, key) if as_of is not None else None
    with progress.bar("folding entries") as told:
        folded = replay(where, model, key, told, as_of=wanted)
    if not folded.signed:
        typer.echo("the checkpoint's signature was not verified: give --vkey", err=True)
    return folded
