"""`mingzhang init`, `serve`, `export` and `repair`: what an operator runs."""

from __future__ import annotations

import signal
import socket
import sys
from pathlib import Path
from types import FrameType
from typing import Annotated

import structlog
import typer

from api import logging, serving
from api.app import create_app
from api.cli import console, progress
from api.service import open_service
from ledger.store import publish
from ledger.store.ledger import VKEY_FILE, Ledger, Options, initialise
from ledger.store.repair import repair_tiles
from ledger.verify.keys import load_vkey

PORT = 8080
_logger = structlog.stdlib.get_logger("mingzhang.serve")

repair = typer.Typer(no_args_is_help=True, help="Derive again what can be derived.")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(init)
    app.command()(serve)
    app.command()(export)
    app.add_typer(repair, name="repair")


def init(
    origin: Annotated[
        str, typer.Option("--origin", help="The log's name for ever, such as example.org/points.")
    ],
    data: console.DataDir = console.DATA_DIR,
) -> None:
    """Make a new ledger, its folder and log key.

    Prints the verifier key, which everyone checks the log by.
    """
    typer.echo(initialise(data, origin))


def serve(
    data: console.DataDir = console.DATA_DIR,
    host: Annotated[str, typer.Option("--host", help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option("--port", min=0, max=65_535, help="The port; 0 takes a free one.")
    ] = PORT,
    helpers: Annotated[
        int, typer.Option("--helpers", min=0, help="Processes that help verify signatures.")
    ] = 0,
) -> None:
    """Serve the ledger over HTTP.

    Logs are JSON on standard error. It ends at SIGTERM or SIGINT: what is under way is finished
    first, and the newest checkpoint is kept.
    """
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, _stop)
    logging.configure()
    with _listen(host, port) as listener:
        service = open_service(data, Options(admission_workers=helpers))
        try:
            address = listener.getsockname()
            shown = f"[{address[0]}]" if ":" in address[0] else address[0]
            url = f"http://{shown}:{address[1]}"
            _logger.info("serving", url=url, origin=service.ledger.origin)
            serving.run(create_app(service), listener)
        finally:
            service.close()
            _logger.info("stopped")


def export(
    folder: Annotated[Path, typer.Argument(help="The static log's folder.")],
    data: console.DataDir = console.DATA_DIR,
) -> None:
    """Write the log as static files.

    Anyone can serve and verify them. Only what the folder lacks is written.
    """
    with (
        Ledger.open(data, options=Options(append=False)) as ledger,
        progress.bar("exporting entries") as told,
    ):
        done = publish.export(ledger, folder, load_vkey(str(data / VKEY_FILE)), told)
    typer.echo(f"{folder} holds size {done.size} (before: {done.old_size}), {done.files} new files")


@repair.command("tiles")
def tiles(data: console.DataDir = console.DATA_DIR) -> None:
    """Derive the stored tiles again.

    They are thrown away and computed from the entries; the tree that they give must be the one
    that was signed.
    """
    typer.echo(f"{repair_tiles(data)} tiles were derived again")


def _stop(_number: int, _frame: FrameType | None) -> None:
    sys.exit(0)


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except (OSError, OverflowError) as error:
        raise console.CommandError(f"cannot listen on {host}:{port}: {error}") from None
