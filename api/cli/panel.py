"""`mingzhang audit panel`: who is drawn to re-examine an appealed entry."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from api.cli import console, progress
from ledger.errors import NotFoundError
from ledger.verify.checks.fold import Fold
from ledger.verify.checks.panels import Panels
from ledger.verify.prefix import Prefix
from ledger.verify.sightings import gather


def panel(
    where: Annotated[
        str, typer.Argument(metavar="WHERE", help="An exported log's folder, or a log's URL.")
    ],
    entry: Annotated[str, typer.Argument(help="The id of the appealed entry.")],
    vkey: console.Vkey,
    policy: Annotated[Path, typer.Option("--policy", help="A C2SP policy file.")],
) -> None:
    """Name the two who are drawn to re-examine an appealed entry.

    From everyone of the unit above without part in it when the appeal was recorded, by the first
    witnessed checkpoint after it: whoever has the log draws the same (B18). For a dispute it is
    `mingzhang dispute draw`.
    """
    prefix = Prefix(where, console.verifier_key(vkey))
    seen = gather(prefix, console.read_policy(policy))

    def first_over(index: int) -> tuple[int, bytes] | None:
        first = seen.first_over(index)
        return (first.size, first.root) if first is not None else None

    panels = Panels(first_over)
    with Fold((panels,)) as fold, progress.bar("folding entries") as told:
        prefix.fold(fold.apply, progress=told)
    found = panels.panel(entry)
    if found is None:
        raise NotFoundError(
            f"entry {entry} has no open appeal, or no witnessed checkpoint covers the appeal yet"
        )
    size, pool, people = found
    typer.echo(f"list        {', '.join(pool)}")
    typer.echo(f"drawn       {', '.join(people)}, by the checkpoint of size {size}")
