"""`mingzhang ranking` and `mingzhang statement`: answers from the read models in the database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer

from api.cli import console
from ledger.store.ledger import VKEY_FILE, Ledger, Options
from projections import render
from projections.asof import Wanted, read_as_of
from projections.runner import Runner
from projections.statements import PAGE_ENTRIES
from projections.views import Views

AsJson = Annotated[
    bool, typer.Option("--json", help="A JSON document a line, as over HTTP, for a program.")
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(ranking)
    app.command()(statement)


def ranking(
    unit: Annotated[str, typer.Option("--unit", help="The unit's id; its sub-units count too.")],
    period: Annotated[str, typer.Option("--period", help="2025, 2025-Q1 or 2025-03.")],
    rulebook: console.RulebookOnly = None,
    member_type: console.TypeOnly = None,
    category: console.CategoryOnly = None,
    as_of: console.AsOf = None,
    as_json: AsJson = False,
    data: console.DataDir = console.DATA_DIR,
) -> None:
    """Show the ranking of a unit; with several rulebooks, one for each.

    It counts everything up to the newest signed checkpoint, or up to --as-of.
    """
    wanted = read_wanted(as_of, data)
    only = {"member_type": member_type, "category": category}
    with _views(data) as views:
        named = [rulebook] if rulebook else views.rulebooks(unit, period, wanted)
        tables = [
            views.ranking(unit, period, wanted, rulebook=each, **only) for each in named or (None,)
        ]
    if as_json:
        from api.views import ranking_json  # noqa: PLC0415 - it loads what serves HTTP

        for each in tables:
            _echo_json(ranking_json(each, len(each.standings) + 1))
        return
    typer.echo("\n".join(map(render.ranking_text, tables)), nl=False)


def statement(
    member: Annotated[str, typer.Argument(help="The member's id.")],
    after: console.After = 0,
    limit: console.Limit = PAGE_ENTRIES,
    as_of: console.AsOf = None,
    as_json: AsJson = False,
    data: console.DataDir = console.DATA_DIR,
) -> None:
    """Show a member's entries.

    Each with what it is worth and counts, what clipped it, and the whole of its way.
    """
    wanted = read_wanted(as_of, data)
    with _views(data) as views:
        found = views.statement(member, wanted, after=after, limit=limit)
    if as_json:
        from api.views import statement_json  # noqa: PLC0415 - it loads what serves HTTP

        _echo_json(statement_json(found))
        return
    typer.echo(render.statement_text(found), nl=False)


def _echo_json(value: dict[str, Any]) -> None:
    typer.echo(orjson.dumps(value).decode())


def read_wanted(as_of: str | None, data: Path) -> Wanted | None:
    """Return what --as-of gives; a checkpoint must be signed by the key of the ledger in `data`.

    Raises FormatError, ProofError or CommandError.
    """
    if as_of is None:
        return None
    return read_as_of(as_of, console.verifier_key(str(data / VKEY_FILE)))


@contextmanager
def _views(data: Path) -> Iterator[Views]:
    """Open the read models, folded up to what is signed now."""
    with opened(data) as (_, views):
        yield views


@contextmanager
def opened(data: Path) -> Iterator[tuple[Ledger, Views]]:
    """Open the ledger to read it, and its read models, folded up to what is signed now."""
    with Ledger.open(data, options=Options(append=False)) as ledger:
        Runner.of(ledger).catch_up()
        with ledger.database.pool(1, 1) as pool:
            yield ledger, Views(pool)
