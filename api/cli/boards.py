"""`mingzhang notices`, `usage`, `activity`, `fund`, `roster` and `redactions`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, TypeVar

import orjson
import typer

from api import boards
from api.cli import console
from api.cli.ask import AsJson, opened, read_wanted
from projections import boards_text
from projections.asof import Wanted
from projections.views import Views

A = TypeVar("A")
Unit = Annotated[str, typer.Option("--unit", help="The unit's id; its sub-units count too.")]
Period = Annotated[str, typer.Option("--period", help="2025, 2025-Q1 or 2025-03.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for each in (notices, usage, activity, fund, roster, redactions):
        app.command()(each)


def notices(
    unit: Unit = "root",
    as_of: console.AsOf = None,
    as_json: AsJson = False,
    data: console.DataDir = console.DATA_DIR,
) -> None:
    """Show what is in publicity in a unit now, and until when anybody may object."""
    found = _read(data, as_of, lambda views, wanted: views.board(unit, wanted))
    _show(found, boards_text.board_text, boards.board_json, as_json=as_json)


def usage(
    unit: Unit,
    period: Period,
    rulebook: console.RulebookOnly = None,
    as_of: console.AsOf = None,
    as_json: AsJson = False,
    data: console.DataDir = console.DATA_DIR,
) -> None:
    """Show how often each item was used in a period, and what caps took, by unit."""
    found = _read(data, as_of, lambda views, wanted: views.usage(unit, period, wanted, rulebook))
    _show(found, boards_text.usage_text, boards.usage_json, as_json=as_json)


def activity(
    unit: Unit,
    month: Annotated[str, typer.Option("--month", help="Such as 2025-03: when it was recorded.")],
    as_of: console.AsOf = None,
    as_json: AsJson = False,
    data: console.DataDir = console.DATA_DIR,
) -> None:
    """Show who took which steps in a month, and the median hours since the step before."""
    found = _read(data, as_of, lambda views, wanted: views.activity(unit, month, wanted))
    _show(found, boards_text.activity_text, boards.activity_json, as_json=as_json)


def fund(
    ident: Annotated[
        str | None, typer.Argument(metavar="[FUND]", help="Its id; without it, every fund.")
    ] = None,
    as_of: console.AsOf = None,
    as_json: AsJson = False,
    data: console.DataDir = console.DATA_DIR,
) -> None:
    """Show reward funds, or one with its moves: endowed = redeemed + stock."""
    if ident is None:
        every = _read(data, as_of, lambda views, wanted: views.funds(wanted))
        _show(every, boards_text.funds_text, boards.funds_json, as_json=as_json)
        return
    found = _read(data, as_of, lambda views, wanted: views.fund(ident, wanted))
    _show(found, boards_text.fund_text, boards.fund_json, as_json=as_json)


def roster(
    unit: Unit,
    period: Period,
    rulebook: console.RulebookOnly = None,
    as_of: console.AsOf = None,
    as_json: AsJson = False,
    data: console.DataDir = console.DATA_DIR,
) -> None:
    """Show whether exempt + scored + not taking part is the roster, unit by unit.

    Exit status 1 if it is not.
    """
    found = _read(
        data, as_of, lambda views, wanted: views.reconciliation(unit, period, wanted, rulebook)
    )
    _show(found, boards_text.reconciliation_text, boards.reconciliation_json, as_json=as_json)
    if not found.balanced:
        raise typer.Exit(console.FAILED)


def redactions(
    as_of: console.AsOf = None,
    as_json: AsJson = False,
    data: console.DataDir = console.DATA_DIR,
) -> None:
    """Show what was erased, by whom and why; the entries themselves stay."""
    found = _read(data, as_of, lambda views, wanted: views.redactions(wanted))
    _show(found, boards_text.redactions_text, boards.redactions_json, as_json=as_json)


def _read(data: Path, as_of: str | None, ask: Callable[[Views, Wanted | None], A]) -> A:
    wanted = read_wanted(as_of, data)
    with opened(data) as (_, views):
        return ask(views, wanted)


def _show(
    found: A,
    text: Callable[[A], str],
    value: Callable[[A], dict[str, Any]],
    *,
    as_json: bool,
) -> None:
    if as_json:
        typer.echo(orjson.dumps(value(found)).decode())
    else:
        typer.echo(text(found), nl=False)
