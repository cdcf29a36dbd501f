"""`mingzhang timestamp`: has time-stamping authorities say when a checkpoint existed."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer

from api.cli import console
from ledger.errors import FormatError
from ledger.log.checkpoint import open_checkpoint
from ledger.log.note import VerifierKey
from ledger.log.timestamp import Trust
from ledger.store.ledger import VKEY_FILE, Ledger, Options
from ledger.store.tsa import TIMEOUT_S, Timestamps, tsa_name
from ledger.verify.keys import load_vkey


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(timestamp)


def timestamp(
    tsa: Annotated[
        list[str], typer.Option("--tsa", help="The URL of a TSA; give it once for each.")
    ],
    tsa_roots: console.TsaRoots,
    checkpoint: Annotated[
        str | None,
        typer.Argument(help="A checkpoint's file, or its size; the newest one if not given."),
    ] = None,
    data: console.DataDir = console.DATA_DIR,
    timeout_s: Annotated[
        float, typer.Option("--timeout", min=0.1, help="Seconds that each TSA has for its answer.")
    ] = TIMEOUT_S,
) -> None:
    """Have a checkpoint stamped (RFC 3161).

    All TSAs are asked at the same time. What they answer is checked before it is kept, and
    exported with the log. A TSA whose token on this checkpoint is kept is not asked again. Exit
    status 0 only if every TSA's token is kept now.
    """
    try:
        trust = Trust.load(tsa_roots)
        for url in tsa:
            tsa_name(url)
    except FormatError as error:
        raise console.CommandError(error.message) from None
    key = load_vkey(str(data / VKEY_FILE))
    with (
        Ledger.open(data, options=Options(append=False)) as ledger,
        closing(ledger.database.pool(0, 2)) as pool,
    ):
        size, asked = Timestamps(pool, key).stamp(_size(checkpoint, key), tsa, trust, timeout_s)
    for each in asked:
        if each.stamp is None:
            typer.echo(f"{each.tsa}: refused: {each.reason}")
        else:
            typer.echo(f"{each.tsa}: size {size} existed at {each.stamp.at:%Y-%m-%dT%H:%M:%SZ}")
    if not asked:
        typer.echo(f"every TSA has stamped size {size} already")
    if any(each.stamp is None for each in asked):
        raise typer.Exit(console.FAILED)


def _size(given: str | None, key: VerifierKey) -> int | None:
    if given is None:
        return None
    if given.isascii() and given.isdigit():
        return int(given)
    return open_checkpoint(console.read_file(Path(given)), key).size
