"""`mingzhang clerk`: records what lapsed, beside a serving process or without one."""

from __future__ import annotations

import signal
import threading
from contextlib import closing
from typing import Annotated

import typer

from api import logging
from api.clerk import Clerk
from api.cli import console
from api.desk import Desk
from api.refusing import service_key_path
from ledger import keyfile
from ledger.store.ledger import Ledger
from projections.disputes import DISPUTES
from projections.runner import Runner
from projections.terms import TERMS


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(clerk)


def clerk(
    data: console.DataDir = console.DATA_DIR,
    once: Annotated[bool, typer.Option("--once", help="Record what is due now, and stop.")] = False,
) -> None:
    """Record the terms that lapsed.

    Publicity that closed, tasks that pass on. `mingzhang serve` does it by itself; this is for a
    ledger that is not served at the time. It may run beside others: each lapse is recorded once.
    """
    path = service_key_path(data)
    if not path.exists():
        raise console.CommandError(f"{path} is not there: make it with `mingzhang key service`")
    key = keyfile.load(path)
    logging.configure()
    with Ledger.open(data) as ledger, closing(Desk(ledger)) as desk:
        runner = Runner(ledger.database.connect, ledger.size, (TERMS, DISPUTES))
        if once:
            runner.catch_up()
            typer.echo(f"{Clerk(ledger, key, desk).run_once()} terms lapsed")
            return
        ended = threading.Event()
        for each in (signal.SIGTERM, signal.SIGINT):
            signal.signal(each, lambda *_: ended.set())
        with runner:
            worker = Clerk(ledger, key, desk)
            worker.start()
            ended.wait()
            worker.close()
