"""`mingzhang rulebook try`: a version on real history, before it comes into force."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import orjson
import typer

from api.authoring.reader import load
from api.cli import console, progress
from projections import render
from projections.asof import read_as_of
from projections.period import parse_period
from projections.replay import replay
from projections.scores import RANKINGS
from projections.whatif import WhatIf, what_if


def try_version(
    new: Annotated[Path, typer.Argument(help="The rulebook file to try (YAML).")],
    against: Annotated[
        str, typer.Option("--against", help="An exported log's folder, or a log's URL.")
    ],
    rulebook: Annotated[
        str | None,
        typer.Option("--rulebook", help="The log's rulebook that it replaces; else its own id."),
    ] = None,
    period: Annotated[
        str | None,
        typer.Option("--period", help="2025, 2025-Q1 or 2025-03; else the log's current year."),
    ] = None,
    as_of: console.AsOf = None,
    vkey: console.MaybeVkey = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON, points in hundredths.")] = False,
) -> None:
    """Show who would move under a version, by how much and because of which item.

    The period's acts are priced as if it had held since the year began. Items that it lacks count
    0 and are listed. It need not be published.
    """
    found = load(new)
    key = console.verifier_key(vkey) if vkey is not None else None
    wanted = read_as_of(as_of, key) if as_of is not None else None
    days = parse_period(period) if period is not None else None
    with progress.bar("folding entries") as told:
        folded = replay(against, RANKINGS, key, told, as_of=wanted)
    if not folded.signed:
        typer.echo("the checkpoint's signature was not verified: give --vkey", err=True)
    answer = what_if(folded.rows, folded.as_of, rulebook or found.id, found.body, days)
    if json:
        typer.echo(orjson.dumps(as_json(answer), option=orjson.OPT_INDENT_2).decode())
    else:
        typer.echo(render.what_if_text(answer), nl=False)


def as_json(answer: WhatIf) -> dict[str, Any]:
    """Return an answer as JSON's types, points in signed hundredths."""
    return {
        "rulebook": answer.rulebook,
        "version": answer.version,
        "replaces": list(answer.replaces),
        "unit": answer.unit,
        "period": answer.period.text,
        "first": answer.days.first,
        "last": answer.days.last,
        "size": answer.as_of.size,
        "recorded_at": answer.as_of.recorded_at,
        "not_counted": list(answer.as_of.parked),
        "members": answer.members,
        "entries": answer.entries,
        "moves": [
            each._asdict() | {"causes": [cause._asdict() for cause in each.causes]}
            for each in answer.moves
        ],
        "missing": [each._asdict() for each in answer.missing],
    }
