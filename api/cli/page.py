"""`mingzhang verify-page`: the page that checks receipts and bundles off line, as a file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from api.cli import console
from api.web.standalone import verify_page


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("verify-page")(write_verify_page)


def write_verify_page(
    out: Annotated[Path, typer.Option("--out", help="The file to write.")] = Path("verify.html"),
) -> None:
    """Write verify.html.

    One file that needs no network: open it in any browser, drop receipts or evidence on it.
    """
    data = verify_page().encode()
    console.write_file(out, data)
    typer.echo(f"{out} holds {len(data)} bytes")
