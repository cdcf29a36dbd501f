"""`mingzhang verify`: what an outsider runs, with nothing but the log's verifier key."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from api.cli import console, progress
from ledger.verify.receipt import verify_receipt_file
from ledger.verify.whole import verify_log

verify = typer.Typer(no_args_is_help=True, help="Check a receipt or a whole log.")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(verify, name="verify")


@verify.command("receipt")
def receipt(
    file: Annotated[Path, typer.Argument(help="A .tlog-proof file.")], vkey: console.Vkey
) -> None:
    """Check a receipt and show its entry.

    Exit status 0 only if it holds, 1 if it does not, 2 if it could not be tried.
    """
    key = console.verifier_key(vkey)
    data = console.read_file(file)
    for line in verify_receipt_file(data, key).lines():
        typer.echo(line)


@verify.command("log")
def log(
    where: Annotated[str, typer.Argument(help="An exported log's folder, or a log's URL.")],
    vkey: console.Vkey,
    older: Annotated[
        Path | None,
        typer.Option("--from", help="An older checkpoint's file, which the log must continue."),
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option("--workers", min=0, help="Helping processes; one a core if not given."),
    ] = None,
) -> None:
    """Check a whole log.

    Tree, chains, signatures, keys and rights are computed again. Exit status 0 only if all holds,
    1 if it does not (the first bad entry is named), 2 if the log could not be read.
    """
    key = console.verifier_key(vkey)
    from_checkpoint = console.read_file(older) if older is not None else None
    with progress.bar("verifying entries") as told:
        report = verify_log(
            where, key, from_checkpoint=from_checkpoint, workers=workers, progress=told
        )
    for line in report.lines():
        typer.echo(line)
    if not report.ok:
        raise typer.Exit(console.FAILED)
