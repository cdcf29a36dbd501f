"""`mingzhang commit`, `document` and `erase`: texts and files behind the log."""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from api.cli import console
from api.cli.submit import Item
from api.cli.transport import transport
from ledger import schema
from ledger.commitment import commit as commitment_of
from ledger.commitment import new_salt
from ledger.entry import format_instant, new_id, parse_envelope, statement_payload
from ledger.errors import Refused
from ledger.log import receipt
from ledger.signing import sign_envelope
from ledger.store.documents import Documents
from ledger.store.ledger import Ledger, Options
from ledger.store.media import SUFFIXES, TEXT, check_media


class Cause(StrEnum):
    """Why something is erased."""

    REQUEST = "request"
    EXPIRED = "expired"
    MISTAKEN = "mistaken"
    LAW = "law"


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(commit)
    app.command()(document)
    app.command()(erase)


def commit(
    what: Annotated[str, typer.Argument(metavar="TEXT|@FILE", help="A text, or @ and a file.")],
    data: console.MaybeData = None,
    url: console.Url = None,
) -> None:
    """Keep a text or file, and print its commitment.

    The commitment, SHA-256(salt ‖ bytes) with a random salt, is what a statement holds; text,
    file and salt are kept outside the log. Prints the commitment and the salt.
    """
    if what.startswith("@"):
        path = Path(what[1:])
        content = console.read_file(path)
        kind = SUFFIXES.get(path.suffix.lower())
        if kind is None:
            raise console.CommandError(f"{path}: files that end in {', '.join(SUFFIXES)} are taken")
    else:
        content, kind = what.encode(), TEXT
    check_media(content, kind)
    salt = new_salt()
    with transport(data, url) as there:
        there.put(content, kind, salt)
    typer.echo(f"commitment {commitment_of(salt, content)}")
    typer.echo(f"salt       {salt.hex()}")


def document(
    commitment: Annotated[str, typer.Argument(help="64 hex digits, as an entry has them.")],
    data: console.DataDir = console.DATA_DIR,
    out: Annotated[
        Path | None, typer.Option("--out", help="A file for the bytes; else they are shown.")
    ] = None,
) -> None:
    """Show a text or file, its commitment checked.

    The media type, the salt, and other commitments to the same bytes are told on standard error.
    """
    with Ledger.open(data, options=Options(append=False)) as ledger:
        documents = Documents(ledger.database.pool(0, 1))
        try:
            found, same = documents.get(commitment), documents.same(commitment)
        finally:
            documents.close()
    typer.echo(f"kind       {found.kind}\nsalt       {found.salt.hex()}", err=True)
    for each in same:
        typer.echo(f"same bytes {each}", err=True)
    if out is not None:
        console.write_file(out, found.data)
    else:
        sys.stdout.buffer.write(found.data)


def erase(
    commitment: Annotated[str, typer.Argument(help="64 hex digits, as an entry has them.")],
    stream: Annotated[str, typer.Option("--stream", help="Where it stands, such as member/m-1.")],
    cause: Annotated[Cause, typer.Option("--cause", help="Why it is erased.")],
    actor: console.Actor,
    log: console.Origin,
    key: console.KeyFiles,
    data: console.MaybeData = None,
    url: console.Url = None,
) -> None:
    """Erase a text or file.

    Records the order, signed by a registrar and a committee member, and erases with it; a stub is
    left, and every proof still holds. It is refused before the last objection and appeal term.
    """
    now = datetime.now(UTC)
    body = {"commitment": commitment, "cause": cause.value}
    schema.validate("text.erased", body)
    payload = statement_payload(
        type="text.erased",
        id=new_id(now, os.urandom(10)),
        log=log,
        stream=stream,
        actor=actor,
        signed_at=format_instant(now),
        body=body,
    )
    envelope = sign_envelope(payload, [console.load_key(path) for path in key])
    item = Item("text.erased", envelope, parse_envelope(envelope))
    with transport(data, url) as there:
        (outcome,) = there.append([item])
    if not isinstance(outcome, bytes):
        raise Refused("erasure", str(outcome))
    typer.echo(f"{receipt.parse(outcome).index} text.erased {stream} {item.statement.id}")
