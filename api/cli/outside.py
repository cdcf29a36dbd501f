"""Options that bring in what people outside a log hold, and the command that hands it to them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import httpx
import typer

from api.cli import console
from ledger.errors import FormatError, MingzhangError, ProofError
from ledger.log.deposit import verify
from ledger.log.policy import Policy
from ledger.log.timestamp import Trust
from ledger.refusal import refused_statement
from ledger.verify.outside import Evidence

TIMEOUT_S = 30.0

PolicyFile = Annotated[
    Path | None,
    typer.Option("--policy", help="A C2SP policy file: its witnesses' cosignatures are checked."),
]
Roots = Annotated[
    Path | None,
    typer.Option("--tsa-roots", help="Certificates in PEM: the timestamps beside it are checked."),
]
Deposits = Annotated[
    list[Path] | None,
    typer.Option("--deposit", help="A witness's note on a statement: `mingzhang deposit`."),
]
Refusals = Annotated[
    list[Path] | None, typer.Option("--refusal", help="A refusal that the service signed.")
]


def policy_of(path: Path | None) -> Policy | None:
    """Read a policy file, if one is given. Raises CommandError."""
    return console.read_policy(path) if path is not None else None


def evidence(
    policy: Path | None,
    roots: Path | None,
    deposits: list[Path] | None,
    refusals: list[Path] | None,
) -> Evidence:
    """Read what was given. Raises CommandError."""
    if deposits and policy is None:
        raise console.CommandError("--deposit needs --policy: it says whose word counts")
    try:
        trust = Trust.load(roots) if roots is not None else None
    except FormatError as error:
        raise console.CommandError(f"--tsa-roots: {error.message}") from None
    return Evidence(
        policy_of(policy),
        trust,
        [console.read_file(each) for each in deposits or ()],
        [console.read_file(each) for each in refusals or ()],
    )


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("deposit")(deposit)


def deposit(
    url: Annotated[str, typer.Argument(help="A witness's URL (its submission prefix).")],
    envelope: Annotated[Path, typer.Argument(help="The signed statement.")],
    policy: Annotated[
        Path, typer.Option("--policy", help="The policy file that names the witness's key.")
    ],
    out: Annotated[Path, typer.Option("--out", help="A new file for the witness's note.")],
) -> None:
    """Show a signed statement to a witness, and keep its word that it was there, and when.

    For a server that does not answer, or that refuses: `mingzhang audit checks --deposit` shows a
    statement that was never put into the log. The witness keeps nothing.
    """
    console.need_free(out)
    trusted, data = console.read_policy(policy), console.read_file(envelope)
    try:
        answer = httpx.post(f"{url.rstrip('/')}/deposit", content=data, timeout=TIMEOUT_S)
    except httpx.HTTPError as error:
        raise MingzhangError(f"the witness at {url} does not answer: {error}") from None
    if answer.status_code != httpx.codes.OK:
        raise MingzhangError(f"the witness at {url} refuses the deposit: {answer.text[:500]}")
    found = verify(answer.content, trusted.keys)
    if found.statement != refused_statement(data):
        raise ProofError("the witness signed another statement than the one that it was shown")
    console.write_file(out, answer.content)
    typer.echo(f"statement   {found.statement}")
    typer.echo(f"OK          {found.witness} has seen it; the note is in {out}")
