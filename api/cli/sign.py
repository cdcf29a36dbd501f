"""`mingzhang sign` and `mingzhang cosign`: statements are signed where the keys are."""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer

from api.cli import console
from api.cli.fields import read_body
from ledger import schema
from ledger.entry import Statement, format_instant, new_id, parse_envelope, statement_payload
from ledger.errors import FormatError
from ledger.signing import Signature, join_envelope, pae, sign_envelope


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(sign)
    app.command()(cosign)


def sign(
    kind: Annotated[str, typer.Argument(metavar="TYPE", help="Such as points.awarded.")],
    stream: Annotated[str, typer.Argument(help="Such as member/m-1.")],
    actor: console.Actor,
    log: console.Origin,
    key: console.KeyFiles,
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[NAME=VALUE]...", help="The body in words: item=C-1 points=2.50 reason=HEX."
        ),
    ] = None,
    body: Annotated[
        str | None, typer.Option("--body", help="The body as JSON, or @FILE with it.")
    ] = None,
    after: Annotated[
        str | None,
        typer.Option("--after", help="The stream's last leaf hash that was seen (hex)."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="A new file for the envelope; else it is shown.")
    ] = None,
) -> None:
    """Make a statement and sign it.

    The envelope can be submitted as it is, or be signed by others first (cosign). The body is
    given in words or as JSON, and checked against its type's schema here; whether the log accepts
    it, by its rules and rights, it says when the statement is submitted.
    """
    if out is not None:
        console.need_free(out)
    if body is not None and words:
        raise console.CommandError("give the body in words or with --body, not both")
    parsed = read_body(kind, words or []) if body is None else _body(body)
    payload = make_statement(kind, stream, actor, log, parsed, after)
    schema.validate(kind, parsed)
    envelope = sign_envelope(payload, [console.load_key(path) for path in key])
    parse_envelope(envelope)
    if out is None:
        typer.echo(envelope)
    else:
        console.write_file(out, envelope)
        typer.echo(f"wrote {out}", err=True)


def make_statement(
    kind: str,
    stream: str,
    actor: str,
    log: str,
    body: dict[str, Any],
    after: str | None = None,
) -> bytes:
    """Return the payload of a new statement, signed at this moment by nobody yet."""
    now = datetime.now(UTC)
    return statement_payload(
        type=kind,
        id=new_id(now, os.urandom(10)),
        log=log,
        stream=stream,
        actor=actor,
        signed_at=format_instant(now),
        body=body,
        after=after,
    )


def cosign(
    file: Annotated[Path, typer.Argument(help="The envelope's file; it is replaced.")],
    key: console.KeyFiles,
    instead_of: Annotated[
        str | None,
        typer.Option(
            "--instead-of",
            metavar="KEYID",
            help="A key that is lost, whose signature the new one takes the place of.",
        ),
    ] = None,
) -> None:
    """Add a signature to a statement.

    What is signed is shown on standard error. A statement that waited while its signer's key was
    lost and replaced stays the same statement, with its id: --instead-of changes the signature.
    """
    statement = parse_envelope(console.read_file(file).removesuffix(b"\n"))
    _show(statement)
    signatures = [each for each in statement.signatures if each.keyid != instead_of]
    if instead_of is not None and len(signatures) == len(statement.signatures):
        raise console.CommandError(f"the key {instead_of} has not signed {file}")
    for path in key:
        private = console.load_key(path)
        if any(each.keyid == private.keyid for each in signatures):
            raise FormatError(f"the key of {path} has signed {file} already")
        signatures.append(Signature(private.keyid, private.sign(pae(statement.payload))))
    envelope = join_envelope(statement.payload, signatures)
    parse_envelope(envelope)
    console.write_file(file, envelope)
    typer.echo(f"{file} has {len(signatures)} signatures", err=True)


def _body(given: str) -> dict[str, Any]:
    text = console.read_file(Path(given[1:])) if given.startswith("@") else given.encode()
    try:
        body = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise console.CommandError(f"--body is not JSON: {error}") from None
    if not isinstance(body, dict):
        raise console.CommandError("--body must be a JSON object")
    return body


def _show(statement: Statement) -> None:
    shown = orjson.dumps(orjson.loads(statement.payload), option=orjson.OPT_INDENT_2)
    sys.stderr.write(f"{shown.decode()}\n")
    for each in statement.signatures:
        sys.stderr.write(f"signed by key {each.keyid}\n")
