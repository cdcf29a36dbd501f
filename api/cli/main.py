"""The command `mingzhang`."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from importlib import metadata
from typing import Annotated

import typer

from api.cli import console
from ledger.errors import MingzhangError

_MODULES = {
    "init": "operate",
    "serve": "operate",
    "clerk": "clerk",
    "export": "operate",
    "repair": "operate",
    "commit": "documents",
    "document": "documents",
    "erase": "documents",
    "template": "tables",
    "import": "tables",
    "export-table": "tables",
    "key": "keys",
    "sign": "sign",
    "cosign": "sign",
    "submit": "submit",
    "record": "record",
    "take": "record",
    "verify": "verify",
    "witness": "witness",
    "status": "doctor",
    "doctor": "doctor",
    "deposit": "outside",
    "dispute": "committee",
    "query": "committee",
    "ask": "questions",
    "verify-page": "page",
    "ranking": "ask",
    "statement": "ask",
    "notice": "paper",
    "certificate": "paper",
    "notices": "boards",
    "usage": "boards",
    "activity": "boards",
    "fund": "boards",
    "roster": "boards",
    "redactions": "boards",
    "tasks": "duties",
    "where": "duties",
    "seal": "states",
    "proof": "states",
    "bundle": "bundle",
    "replay": "replay",
    "audit": "audit",
    "rulebook": "author",
    "monitor": "monitor",
    "timestamp": "timestamp",
    "lag": "views",
    "rebuild": "views",
    "unpark": "views",
    "table": "views",
}


def main() -> None:
    """Run the command line; every error of ours is one line on standard error, Ctrl-C too."""
    words = sys.argv[1:]
    try:
        command_line(words)(words, prog_name="mingzhang")
    except (KeyboardInterrupt, SystemExit) as end:
        # Typer makes the one of the other, as far as a command was reached.
        if isinstance(end, SystemExit) and end.code != console.INTERRUPTED:
            raise
        sys.exit(console.show_interrupted())
    except MingzhangError as error:
        sys.exit(console.show(error))
    except BrokenPipeError:
        # Whoever read our output has seen enough.
        sys.stderr.close()
        sys.exit(console.FAILED)
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        sys.exit(console.show(console.CommandError(f"{place}{error.strerror or error}")))


def command_line(words: Sequence[str]) -> typer.Typer:
    """Return the commands; of the one that is asked for only, where it is known."""
    asked = next((word for word in words if not word.startswith("-")), "")
    app = typer.Typer(
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        callback=_options,
    )
    wanted = {_MODULES[asked]} if asked in _MODULES else dict.fromkeys(_MODULES.values())
    for name in wanted:
        importlib.import_module(f"api.cli.{name}").register(app)
    return app


def _options(
    _version: Annotated[
        bool,
        typer.Option(
            "--version",
            is_eager=True,
            callback=lambda asked: _show_version(asked=asked),
            help="Show the version and stop.",
        ),
    ] = False,
) -> None:
    """明账, an open account book: a points ledger whose past nobody can change."""


def _show_version(*, asked: bool) -> None:
    if asked:
        typer.echo(f"mingzhang {metadata.version('mingzhang')}")
        raise typer.Exit
