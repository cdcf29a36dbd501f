"""`mingzhang record` and `mingzhang take`: commit, sign and hand in at one go, without JSON."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from api.cli import console
from api.cli.duties import STEPS, asking
from api.cli.fields import Keep, read_body
from api.cli.sign import make_statement
from api.cli.submit import Item
from api.cli.transport import Transport, origin_of, transport
from ledger import schema
from ledger.commitment import commit, new_salt
from ledger.entry import parse_envelope
from ledger.errors import Refused
from ledger.log import receipt
from ledger.signing import StatementKey, sign_envelope
from ledger.store.media import SUFFIXES, TEXT, check_media

Log = Annotated[
    str | None, typer.Option("--log", help="The log's origin; read from --data if not given.")
]
Words = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[NAME=VALUE]...",
        help="What it says: points=2.50, reason=TEXT or @FILE, evidence=photo:@FILE.",
    ),
]
Receipt = Annotated[
    Path | None, typer.Option("--receipt", help="A file for the receipt, .tlog-proof.")
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(record)
    app.command()(take)


def record(
    kind: Annotated[str, typer.Argument(metavar="TYPE", help="Such as points.claimed.")],
    stream: Annotated[str, typer.Argument(help="Such as member/m-1.")],
    actor: console.Actor,
    key: console.KeyFiles,
    words: Words = None,
    log: Log = None,
    data: console.MaybeData = None,
    url: console.Url = None,
    receipt_file: Receipt = None,
) -> None:
    """Say something and have it recorded.

    Texts and files are kept outside the log and committed to; the statement is signed here and
    handed in. Where others must sign on other machines, use sign, cosign and submit.
    """
    origin = origin_of(log, data, url)
    keys = [console.load_key(path) for path in key]
    with transport(data, url) as there:
        body = read_body(kind, words or [], _keeper(there))
        _hand_in(there, kind, stream, actor, origin, body, keys, receipt_file)


def take(
    entry: Annotated[str, typer.Argument(help="The entry's id, as `mingzhang tasks` shows it.")],
    actor: console.Actor,
    key: console.KeyFiles,
    words: Words = None,
    log: Log = None,
    step: Annotated[
        str | None,
        typer.Option(
            "--step",
            help="Another step than the one that waits: points.returned, points.rejected, …",
        ),
    ] = None,
    data: console.MaybeData = None,
    url: console.Url = None,
    receipt_file: Receipt = None,
) -> None:
    """Take the step of an entry that waits for you.

    What the rules fix (the last day of publicity, who reviews) is filled in; you add what you
    decide and why: reason=TEXT, points=2.50, outcome=upheld. It is shown, signed and handed in.
    """
    origin = origin_of(log, data, url)
    keys = [console.load_key(path) for path in key]
    with asking(data, url) as ask:
        found = ask.way(entry)
    kind, draft = _draft(found, actor, step)
    with transport(data, url) as there:
        body = draft | read_body(kind, words or [], _keeper(there))
        if body.get("outcome", "upheld") != "upheld":
            # Only what is upheld goes on with the publicity that was stopped.
            body = {name: value for name, value in body.items() if name not in ("rest", "closes")}
        stream = f"member/{found['member']}"
        typer.echo(f"{kind} {STEPS.get(kind, '')}".rstrip(), err=True)
        for name, value in body.items():
            typer.echo(f"  {name} = {value}", err=True)
        _hand_in(there, kind, stream, actor, origin, body, keys, receipt_file)


def _draft(found: dict[str, Any], actor: str, step: str | None) -> tuple[str, dict[str, Any]]:
    """Return the type of the step that an actor takes, and what the rules fix of it."""
    if step is not None:
        waiting = [each for each in found["waits"] if each["statement"] == step]
        mine = [each for each in waiting if actor in each["people"]] or waiting
        return step, mine[0]["body"] if mine else {"entry": found["entry"]}
    for each in found["waits"]:
        if actor in each["people"]:
            return each["statement"], each["body"]
    waits = "; ".join(
        f"{each['statement']} by {', '.join(each['people']) or 'nobody'}" for each in found["waits"]
    )
    raise Refused(
        "no-task",
        f"nothing of this entry waits for {actor}: it is {found['state']}"
        + (f" and waits for {waits}" if waits else ""),
    )


def _hand_in(
    there: Transport,
    kind: str,
    stream: str,
    actor: str,
    log: str,
    body: dict[str, Any],
    keys: list[StatementKey],
    receipt_file: Path | None,
) -> None:
    schema.validate(kind, body)
    payload = make_statement(kind, stream, actor, log, body)
    envelope = sign_envelope(payload, keys)
    item = Item(kind, envelope, parse_envelope(envelope))
    (outcome,) = there.append([item])
    if not isinstance(outcome, bytes):
        raise Refused("not-recorded", str(outcome))
    if receipt_file is not None:
        console.write_file(receipt_file, outcome)
    typer.echo(f"{receipt.parse(outcome).index} {kind} {stream} {item.statement.id}")


def _keeper(there: Transport) -> Keep:
    def keep(value: str) -> str:
        content, kind = value.encode(), TEXT
        if value.startswith("@"):
            path = Path(value[1:])
            content = console.read_file(path)
            known = SUFFIXES.get(path.suffix.lower())
            if known is None:
                raise console.CommandError(
                    f"{path}: files that end in {', '.join(SUFFIXES)} are taken"
                )
            kind = known
        check_media(content, kind)
        salt = new_salt()
        there.put(content, kind, salt)
        return commit(salt, content)

    return keep
