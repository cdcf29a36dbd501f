"""`mingzhang submit`: hands signed statements in, over HTTP or on the ledger's own machine."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import httpx
import orjson
import typer

from api.cli import console
from api.limits import BATCH_BYTES_MAX, BATCH_LINES_MAX, BATCH_TYPE
from ledger.entry import Statement, parse_entry, parse_envelope
from ledger.errors import FormatError, MingzhangError
from ledger.log import receipt
from ledger.signing import decode_base64
from ledger.store.ledger import Ledger

TIMEOUT_S = 60.0
URL_DEFAULT = "http://127.0.0.1:8080"


class Unrecorded(str):
    """In one line why there is no receipt; `refusal` is what the service signed, if it did."""

    __slots__ = ("refusal",)

    def __new__(cls, reason: str, refusal: bytes | None = None) -> Unrecorded:
        """Make one."""
        made = super().__new__(cls, reason)
        made.refusal = refusal
        return made

    refusal: bytes | None


Outcome = bytes | Unrecorded
"""A receipt, or why there is none."""


class Item(NamedTuple):
    """One envelope to hand in, and where it was read, for messages."""

    place: str
    envelope: bytes
    statement: Statement


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(submit)


def submit(
    files: Annotated[list[Path], typer.Argument(help="Files with one envelope a line.")],
    url: Annotated[
        str | None, typer.Option("--url", help=f"The serving process; {URL_DEFAULT} if not given.")
    ] = None,
    data: console.MaybeData = None,
    receipts: Annotated[
        Path | None,
        typer.Option(
            "--receipts", help="A folder: receipts, <id>.tlog-proof, refusals, <id>.refusal.json."
        ),
    ] = None,
) -> None:
    """Hand statements in, keep receipts.

    They are recorded in order, each for itself. It can be repeated at any time: what is recorded
    already is answered with the same receipt. A ledger is founded with --data, on its own
    machine. Exit status 1 if any was not recorded.
    """
    if data is None and console.DATA_VARIABLE not in os.environ:
        url = url or URL_DEFAULT
    data = console.ledger_at(data, url)
    items = [item for file in files for item in _read(file)]
    if data is not None:
        with Ledger.open(data) as ledger:
            done = _hand_in(items, lambda batch: append_here(ledger, batch), receipts)
    else:
        with httpx.Client(base_url=(url or URL_DEFAULT).rstrip("/"), timeout=TIMEOUT_S) as client:
            done = _hand_in(items, lambda batch: post_there(client, batch), receipts)
    if done < len(items):
        typer.echo(f"mingzhang: {len(items) - done} of {len(items)} not recorded", err=True)
        raise typer.Exit(console.FAILED)


def _read(file: Path) -> Iterator[Item]:
    """Yield the envelopes of a file. Raises FormatError before anything is handed in."""
    lines = console.read_file(file).removesuffix(b"\n").split(b"\n")
    for number, line in enumerate(lines, start=1):
        place = str(file) if len(lines) == 1 else f"{file}:{number}"
        try:
            yield Item(place, line, parse_envelope(line))
        except FormatError as error:
            raise FormatError(f"{place}: {error.message}") from None


def _hand_in(
    items: Sequence[Item], send: Callable[[Sequence[Item]], list[Outcome]], folder: Path | None
) -> int:
    """Hand items in by batches and report each one; return how many are recorded."""
    done = 0
    for batch in batches(items):
        for item, outcome in zip(batch, send(batch), strict=True):
            if isinstance(outcome, Unrecorded):
                typer.echo(f"mingzhang: {item.place}: {outcome}", err=True)
                if folder is not None and outcome.refusal is not None:
                    kept = folder / f"{item.statement.id}.refusal.json"
                    console.write_file(kept, outcome.refusal)
                    typer.echo(f"the signed refusal is in {kept}", err=True)
                continue
            done += 1
            index = _checked_index(item, outcome)
            line = f"{index} {item.statement.type} {item.statement.stream} {item.statement.id}"
            if folder is not None:
                path = folder / f"{item.statement.id}.tlog-proof"
                console.write_file(path, outcome)
                line += f" {path}"
            typer.echo(line)
    return done


def _checked_index(item: Item, outcome: bytes) -> int:
    """Return the index that a receipt gives; it must be one of the statement handed in."""
    parsed = receipt.parse(outcome)
    if parse_entry(parsed.entry).statement.payload != item.statement.payload:
        raise FormatError(f"{item.place}: the receipt is of another statement: do not trust it")
    return parsed.index


def batches(items: Sequence[Item]) -> Iterator[list[Item]]:
    """Split items into batches that a ledger takes."""
    batch: list[Item] = []
    size_bytes = 0
    for item in items:
        size_bytes += len(item.envelope) + 1
        if batch and (len(batch) == BATCH_LINES_MAX or size_bytes > BATCH_BYTES_MAX):
            yield batch
            batch, size_bytes = [], len(item.envelope) + 1
        batch.append(item)
    if batch:
        yield batch


def append_here(ledger: Ledger, batch: Sequence[Item]) -> list[Outcome]:
    """Record a batch on the ledger's own machine."""
    outcomes = ledger.append_batch([item.envelope for item in batch])
    return [_reason(each) if isinstance(each, MingzhangError) else each for each in outcomes]


def _reason(error: MingzhangError) -> Unrecorded:
    rule = getattr(error, "rule", None)
    return Unrecorded(f"{error.message}{f' [{rule}]' if rule else ''}")


def post_there(client: httpx.Client, batch: Sequence[Item]) -> list[Outcome]:
    """Record a batch over HTTP. Raises CommandError where nobody says how it went."""
    body = b"\n".join(item.envelope for item in batch) + b"\n"
    try:
        answer = client.post("/v1/statements", content=body, headers={"Content-Type": BATCH_TYPE})
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise console.CommandError(
            f"no answer from {client.base_url}: {error}; what was sent may be recorded: submit it "
            "again to learn which"
        ) from None
    try:
        if answer.status_code != httpx.codes.OK:
            problem = answer.json()
            raise console.CommandError(f"{client.base_url} answered: {problem['detail']}")
        lines = [orjson.loads(line) for line in answer.content.splitlines()]
        outcomes = [_outcome(line) for line in lines]
    except (ValueError, KeyError, TypeError):
        raise console.CommandError(
            f"{client.base_url} answered {answer.status_code} with something that is no answer of "
            "a ledger: is the URL right?"
        ) from None
    if len(outcomes) != len(batch):
        raise console.CommandError(f"{client.base_url} answered for {len(outcomes)} statements")
    return outcomes


def _outcome(line: dict[str, Any]) -> Outcome:
    if "receipt" in line:
        return str(line["receipt"]).encode()
    problem = line["problem"]
    rule = f" [{problem['rule']}]" if "rule" in problem else ""
    refusal = decode_base64(problem["refusal"]) if "refusal" in problem else None
    return Unrecorded(f"{problem['detail']}{rule}", refusal)
