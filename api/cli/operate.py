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
from ledger.errors import NotFoundError
from ledger.store import publish
from ledger.store.ledger import VKEY_FILE, Ledger, Options, initialise, keep_policy
from ledger.store.repair import repair_tiles
from ledger.verify.keys import load_vkey

PORT = 8080
_logger = structlog.stdlib.get_logger("mingzhang.serve")

PolicyFile = Annotated[
    Path | None,
    typer.Option(
        "--policy",
        help="A C2SP policy file, kept with the ledger: its witnesses are asked from now on.",
    ),
]

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
    policy: PolicyFile = None,
) -> None:
    """Make a new ledger, its folder and log key.

    Prints the verifier key, which everyone checks the log by.
    """
    if policy is not None:
        console.read_policy(policy)
    typer.echo(initialise(data, origin))
    if policy is not None:
        keep_policy(data, console.read_file(policy))


def serve(
    data: console.DataDir = console.DATA_DIR,
    host: Annotated[str, typer.Option("--host", help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option("--port", min=0, max=65_535, help="The port; 0 takes a free one.")
    ] = PORT,
    helpers: Annotated[
        int, typer.Option("--helpers", min=0, help="Processes that help verify signatures.")
    ] = 0,
    policy: PolicyFile = None,
    recovery: Annotated[
        Path | None,
        typer.Option(
            "--recovery",
            help="A signed `ledger.recovered`, where a start is refused: see `mingzhang doctor`.",
        ),
    ] = None,
) -> None:
    """Serve the ledger over HTTP.

    Logs are JSON on standard error. It ends at SIGTERM or SIGINT: what is under way is finished
    first, and the newest checkpoint is kept.
    """
    given_up = console.read_file(recovery).removesuffix(b"\n") if recovery is not None else None
    if policy is not None:
        keep_policy(data, console.read_file(policy))
    end_on_signals()
    logging.configure()
    with listen(host, port) as listener:
        service = open_service(data, Options(admission_workers=helpers, recovery=given_up))
        try:
            _logger.info("serving", url=serving.url_of(listener), origin=service.ledger.origin)
            serving.run(create_app(service), listener)
        finally:
            service.close()
            _logger.info("stopped")


def export(
    folder: Annotated[Path, typer.Argument(help="The static log's folder.")],
    data: console.DataDir = console.DATA_DIR,
    witnessed: Annotated[
        bool,
        typer.Option(
            "--witnessed", help="Up to the newest checkpoint whose witnesses' quorum is met."
        ),
    ] = False,
) -> None:
    """Write the log as static files.

    Anyone can serve and verify them. Only what the folder lacks is written.
    """
    with (
        Ledger.open(data, options=Options(append=False)) as ledger,
        progress.bar("exporting entries") as told,
    ):
        note = _witnessed(ledger) if witnessed else None
        done = publish.export(ledger, folder, load_vkey(str(data / VKEY_FILE)), told, note)
    typer.echo(f"{folder} holds size {done.size} (before: {done.old_size}), {done.files} new files")


def _witnessed(ledger: Ledger) -> bytes:
    if ledger.policy is None:
        raise console.CommandError("--witnessed needs a policy: `mingzhang serve --policy FILE`")
    found = ledger.cosignatures.witnessed(ledger.policy)
    if found is None:
        raise NotFoundError("no checkpoint has its witnesses' quorum yet: see `mingzhang status`")
    return ledger.cosigned(found.size, found.note)


@repair.command("tiles")
def tiles(data: console.DataDir = console.DATA_DIR) -> None:
    """Derive the stored tiles again.

    They are thrown away and computed from the entries; the tree that they give must be the one
    that was signed.
    """
    typer.echo(f"{repair_tiles(data)} tiles were derived again")


def end_on_signals() -> None:
    """End this process in order at SIGTERM and SIGINT."""
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, _stop)


def _stop(_number: int, _frame: FrameType | None) -> None:
    sys.exit(0)


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens. Raises CommandError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except (OSError, OverflowError) as error:
        raise console.CommandError(f"cannot listen on {host}:{port}: {error}") from None
